"""What a file of relations that somebody has brought does to theirs: line by line, and what ends by overwriting."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from fediblog.actions import follow_actions, moderation_actions, reader_actions
from fediblog.actions.drafts import author_of
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.prepare.relation_csv import MOST_LINES, RelationLine
from fediblog.store.people import relation_lists, relations
from fediblog.store.posts import reader_marks
from fediblog.store.queues import relation_imports
from fediblog.store.queues.relation_imports import MOST, RelationImport
from fediblog.store.readers import lists
from fediblog.store.tx import Tx

MOST_COUNTED = 100_000


class Ending(Struct, frozen=True, kw_only=True):
    """What ends by a file before anything of it is done, and by blocking the servers in it.

    `relations` are those that overwriting ends, `lists` the lists that go with them; `followed` and `followers` the
    follows to and from people of the servers.
    """

    relations: int = 0
    lists: int = 0
    followed: int = 0
    followers: int = 0

    def __bool__(self) -> bool:
        return bool(self.relations or self.lists or self.followed or self.followers)


def bring(
    tx: Tx, account: int, kind: str, file: str, looks_like: str, found: Sequence[RelationLine], *, overwrite: bool
) -> int:
    """Keep a file, and begin it unless something ends by it or it looks like another kind; its number. Raises Invalid.

    Then `begin` has to be asked for.
    """
    author_of(tx, account)
    if not found:
        raise Invalid("list", "import.empty")
    if len(found) > MOST_LINES:
        raise Invalid("list", "import.too-many-lines", n=MOST_LINES)
    if relation_imports.open_total(tx, account) >= MOST - 1:
        raise Invalid("list", "import.too-many")
    number = relation_imports.add(tx, account, kind, file, looks_like, found, overwrite=overwrite)
    if looks_like in ("", kind) and not ending(tx, own(tx, account, number)):
        relation_imports.begin(tx, account, number)
    return number


def own(tx: Tx, account: int, number: int) -> RelationImport:
    """The account's file of that number. Raises NotFound."""
    found = relation_imports.own(tx, account, number)
    if found is None:
        raise NotFound
    return found


def begin(tx: Tx, account: int, number: int) -> None:
    """Go through a file, whatever ends by it. Raises NotFound."""
    author_of(tx, account)
    relation_imports.begin(tx, account, own(tx, account, number).id)


def ending(tx: Tx, brought: RelationImport) -> Ending:
    """What ends if a file is begun now."""
    ends = Ending()
    if brought.overwrite:
        gone = relation_imports.standing(tx, brought, MOST_COUNTED)
        ends = Ending(relations=len(gone), lists=len(_dropped_lists(tx, brought)))
    if brought.kind == "servers":
        hosts = {line.name(brought.kind) for line in relation_imports.lines(tx, brought.id)}
        followed, followers = relation_lists.known_at_any(tx, brought.account, hosts)
        ends = Ending(relations=ends.relations, followed=followed, followers=followers)
    return ends


def _dropped_lists(tx: Tx, brought: RelationImport) -> list[int]:
    if brought.kind != "lists":
        return []
    titles = {line.cells[0] for line in relation_imports.lines(tx, brought.id)}
    return [each.id for each in lists.of_account(tx, brought.account) if each.title not in titles]


def clear(tx: Tx, urls: Urls, brought: RelationImport, limit: int) -> None:
    """End up to `limit` of what stands and is not in the file; after the last of them it is marked as cleared."""
    author_of(tx, brought.account)
    gone = relation_imports.standing(tx, brought, limit)
    for number, which in gone:
        match brought.kind:
            case "following":
                follow_actions.unfollow(tx, urls, brought.account, number)
            case "muted":
                relations.unmute(tx, brought.account, number)
            case "blocked":
                moderation_actions.unblock(tx, urls, brought.account, number)
            case "servers":
                relation_lists.unmute_host_of(tx, brought.account, number)
            case "bookmarks":
                reader_marks.unbookmark(tx, brought.account, number)
            case "lists":
                lists.drop(tx, which, [number])
    if len(gone) < limit:
        for number in _dropped_lists(tx, brought):
            lists.remove(tx, brought.account, number)
        relation_imports.set_cleared(tx, brought.id)


def use(tx: Tx, urls: Urls, brought: RelationImport, line: RelationLine, target: int) -> None:
    """Do what one line says, once: it is gone then. `target` is the account or post that it names, 0 for a server."""
    account = author_of(tx, brought.account, target).id if target else author_of(tx, brought.account).id
    if not relation_imports.done(tx, brought.id, line.number):
        return
    match brought.kind:
        case "following":
            _follow(tx, urls, account, target)
            relation_lists.set_follow(
                tx, account, target, reblogs=line.flag(1), notify=line.flag(2), languages=line.languages
            )
        case "muted":
            notices = line.flag(1)
            if not relations.mutes(tx, account, target):
                moderation_actions.mute(tx, urls, account, target, notices=notices is not False)
            elif notices is not None:  # one that has an end keeps it
                relations.set_mute_notices(tx, account, target, notices=notices)
        case "blocked":
            moderation_actions.block(tx, urls, account, target)
        case "servers":
            moderation_actions.mute_host(tx, urls, account, line.name(brought.kind))
        case "bookmarks":
            reader_actions.bookmark(tx, urls, account, target)
        case "lists":
            title = line.cells[0]
            chosen = next((each.id for each in lists.of_account(tx, account) if each.title == title), None)
            if target != account:
                _follow(tx, urls, account, target)
            reader_actions.put_in_list(tx, account, chosen or reader_actions.add_list(tx, account, title), [target])


def _follow(tx: Tx, urls: Urls, account: int, target: int) -> None:
    """Follow whom one neither follows nor has asked: nobody is asked twice."""
    if relations.follow(tx, account, target) is None:
        follow_actions.follow(tx, urls, account, target, first_posts=False)
