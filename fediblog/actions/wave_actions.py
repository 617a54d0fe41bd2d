"""A wave of spam removed in one go, and taken back in one go."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec import Struct

from fediblog.actions import moderation_actions
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.store.people import accounts
from fediblog.store.posts import post_writing
from fediblog.store.readers import moderation_log, spam_waves
from fediblog.store.tx import Tx


class WavePlan(Struct, frozen=True, kw_only=True):
    """What is to happen to a wave: its posts are withheld, and perhaps accounts suspended and servers blocked.

    All of them by number, servers by name; in order, each once.
    """

    posts: tuple[int, ...]
    accounts: tuple[int, ...] = ()
    hosts: tuple[str, ...] = ()


def plan(tx: Tx, by: int, numbers: Collection[int], *, suspend: bool, block: bool) -> WavePlan:
    """What removing these posts means; those are left out that are ours or that the account `by` cannot see."""
    found = spam_waves.named(tx, by, numbers)
    return WavePlan(
        posts=tuple(sorted(each.id for each in found)),
        accounts=tuple(sorted({each.account.id for each in found})) if suspend else (),
        hosts=tuple(sorted({each.account.domain for each in found})) if block else (),
    )


def remove(tx: Tx, urls: Urls, by: int, wanted: WavePlan) -> int:
    """Withhold the posts, suspend the accounts and block the servers; returns the entry by which it is taken back."""
    post_writing.judge(tx, wanted.posts, "spam", by)
    active = [number for number in wanted.accounts if accounts.state(tx, number) == "active"]
    for number in active:
        moderation_actions.suspend(tx, urls, number)
    hosts = [host for host in wanted.hosts if _blocks(tx, urls, host)]
    undo = [f"post {number}" for number in wanted.posts] + [f"account {number}" for number in active]
    subject = f"{len(wanted.posts)}, {len(active)}, {', '.join(hosts) or '0'}"
    return moderation_log.note(tx, by, "wave", subject, undo=[*undo, *(f"host {host}" for host in hosts)])


def _blocks(tx: Tx, urls: Urls, host: str) -> bool:
    try:
        moderation_actions.block_host(tx, urls, host, "spam")
    except Invalid:  # no name that can be blocked, such as our own
        return False
    return True


def take_back(tx: Tx, urls: Urls, by: int, number: int) -> None:
    """Undo what an entry of the log did, as far as nobody has decided otherwise since. Raises NotFound."""
    entry = moderation_log.get(tx, number)
    if entry is None or not entry.undo or not moderation_log.set_undone(tx, number):
        raise NotFound
    for host in _of("host", entry.undo):
        moderation_actions.unblock_host(tx, urls, host)
    for account in map(int, _of("account", entry.undo)):
        if accounts.state(tx, account) == "suspended":
            _restore(tx, urls, account)
    withheld = spam_waves.states(tx, [int(each) for each in _of("post", entry.undo)])
    post_writing.judge(tx, [post for post, state in withheld.items() if state == "spam"], "published", by)
    moderation_log.note(tx, by, "take-back", entry.subject)


def _restore(tx: Tx, urls: Urls, account: int) -> None:
    try:
        moderation_actions.unsuspend(tx, urls, account)
    except Invalid:  # its server is blocked by another decision
        return


def _of(kind: str, undo: Iterable[str]) -> list[str]:
    return [each.partition(" ")[2] for each in undo if each.startswith(f"{kind} ")]
