"""What one of our people keeps, sorts and follows for itself alone: nothing of it leaves the server."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec import Struct

from fediblog.actions.follow_actions import other_of
from fediblog.actions.reaction_actions import seen
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.hashtags import first_in
from fediblog.store.id_paging import Window
from fediblog.store.people import relation_lists
from fediblog.store.posts import reader_marks, tags
from fediblog.store.queues import events
from fediblog.store.readers import filters, lists
from fediblog.store.readers.filters import Filter
from fediblog.store.readers.lists import List
from fediblog.store.tx import Tx

MOST_TAGS = 1_000  # that one account follows
LONGEST_TITLE = 256
LONGEST_NOTE = 2_000  # characters about an account
LONGEST_WORDS = 500  # characters of a filter's title or of one of its words


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


def keep_account(tx: Tx, account: int, target: int, chosen: Collection[int], note: str) -> None:
    """Have somebody in those of one's lists, and no others, and note something. Only whom one follows is in a list."""
    if len(note) > LONGEST_NOTE:
        raise Invalid("comment", "api.too-long", n=LONGEST_NOTE)
    other_of(tx, target)
    relation_lists.set_note(tx, account, target, note.strip())
    followed = bool(lists.followed(tx, account, [target]))
    for each in lists.of_account(tx, account):
        if followed and each.id in chosen:
            lists.put(tx, each.id, [target])
        else:
            lists.drop(tx, each.id, [target])


class FilterDraft(Struct, frozen=True, kw_only=True):
    """A filter as it is set: its words, where it counts, what it does, and until when (ms; None: for good)."""

    title: str
    words: Sequence[str]
    whole_word: bool
    contexts: Sequence[str]
    action: str
    expires: int | None


def own_filter(tx: Tx, account: int, number: int) -> Filter:
    """The account's filter of that number. Raises NotFound."""
    found = filters.get(tx, account, number)
    if found is None:
        raise NotFound
    return found


def save_filter(tx: Tx, account: int, number: int | None, draft: FilterDraft) -> int:
    """Make a filter, or change that of the number; words that stay keep their numbers."""
    words = list(dict.fromkeys(filter(None, (each.strip() for each in draft.words))))
    title = draft.title.strip() or ", ".join(words[:3])
    before = own_filter(tx, account, number) if number is not None else None
    if not words and not (before and before.posts):
        raise Invalid("words", "filters.no-words")
    if any(len(each) > LONGEST_WORDS for each in words):
        raise Invalid("words", "filters.long-words", n=LONGEST_WORDS)
    if len(title) > LONGEST_WORDS:
        raise Invalid("title", "filters.long-words", n=LONGEST_WORDS)
    if not draft.contexts:
        raise Invalid("contexts", "filters.no-context")
    if len(words) > filters.MOST_KEYWORDS:
        raise Invalid("words", "api.too-many-keywords", n=filters.MOST_KEYWORDS)
    if number is None or before is None:
        if filters.total(tx, account) >= filters.MOST:
            raise Invalid("title", "api.too-many-filters", n=filters.MOST)
        number = filters.add(tx, account, title, draft.contexts, draft.action, draft.expires)
    else:
        filters.change(tx, number, title, draft.contexts, draft.action, draft.expires)
    standing = {each.keyword: each for each in before.keywords} if before else {}
    for word in words:
        if word in standing:
            filters.change_keyword(tx, standing.pop(word).id, word, whole_word=draft.whole_word)
        else:
            filters.add_keyword(tx, number, word, whole_word=draft.whole_word)
    for each in standing.values():
        filters.remove_keyword(tx, each.id)
    events.publish(tx, events.FILTERS, account=account)
    return number


def remove_filter(tx: Tx, account: int, number: int) -> None:
    """Take a filter away. Raises NotFound."""
    if not filters.remove(tx, account, number):
        raise NotFound
    events.publish(tx, events.FILTERS, account=account)


def _title(given: str) -> str:
    title = given.strip()
    if not title or len(title) > LONGEST_TITLE:
        raise Invalid("title", "api.list-title", n=LONGEST_TITLE)
    return title
