"""What one of our people keeps, sorts and follows for itself alone: nothing of it leaves the server."""

from __future__ import annotations

from collections.abc import Collection

from fediblog.actions.reaction_actions import seen
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.hashtags import first_in
from fediblog.store.id_paging import Window
from fediblog.store.posts import reader_marks, tags
from fediblog.store.readers import lists
from fediblog.store.readers.lists import List
from fediblog.store.tx import Tx

MOST_TAGS = 1_000  # that one account follows
LONGEST_TITLE = 256


def bookmark(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Keep a post that one may see."""
    reader_marks.bookmark(tx, account, seen(tx, account, post).id)


def unbookmark(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Keep it no more."""
    reader_marks.unbookmark(tx, account, seen(tx, account, post).id)


def mute_thread(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Hear no more of the thread of a post that one may see."""
    whole = seen(tx, account, post)
    reader_marks.mute_thread(tx, account, whole.root or whole.id)


def unmute_thread(tx: Tx, urls: Urls, account: int, post: int) -> None:
    """Hear of it again."""
    whole = seen(tx, account, post)
    reader_marks.unmute_thread(tx, account, whole.root or whole.id)


def follow_tag(tx: Tx, account: int, name: str) -> None:
    """Have public posts with a hashtag in the stream. Raises Invalid for what is none, and where there are too many."""
    bare = first_in(name)
    if not bare:
        raise Invalid("name", "api.bad-tag")
    if len(tags.followed(tx, account, Window(limit=MOST_TAGS))) >= MOST_TAGS:
        raise Invalid("name", "api.too-many", n=MOST_TAGS)
    tags.follow(tx, account, bare)


def own_list(tx: Tx, account: int, number: int) -> List:
    """The account's list of that number. Raises NotFound."""
    found = lists.own(tx, account, number)
    if found is None:
        raise NotFound
    return found


def add_list(tx: Tx, account: int, title: str, replies: str = "list", *, exclusive: bool = False) -> int:
    """Make a list; its number."""
    if lists.total(tx, account) >= lists.MOST:
        raise Invalid("title", "api.too-many-lists", n=lists.MOST)
    return lists.add(tx, account, _title(title), replies, exclusive=exclusive)


def change_list(tx: Tx, account: int, number: int, title: str, replies: str, *, exclusive: bool) -> None:
    """Set what a list is called and what it shows."""
    lists.change(tx, own_list(tx, account, number).id, _title(title), replies, exclusive=exclusive)


def remove_list(tx: Tx, account: int, number: int) -> None:
    """Take a list away. Raises NotFound."""
    if not lists.remove(tx, account, number):
        raise NotFound


def put_in_list(tx: Tx, account: int, number: int, people: Collection[int]) -> None:
    """Put people into a list. Raises NotFound unless the account follows all of them, or has asked to."""
    own_list(tx, account, number)
    if lists.followed(tx, account, people) != set(people):
        raise NotFound
    lists.put(tx, number, people)


def drop_from_list(tx: Tx, account: int, number: int, people: Collection[int]) -> None:
    """Take people out of a list."""
    lists.drop(tx, own_list(tx, account, number).id, people)


def _title(given: str) -> str:
    title = given.strip()
    if not title or len(title) > LONGEST_TITLE:
        raise Invalid("title", "api.list-title", n=LONGEST_TITLE)
    return title
