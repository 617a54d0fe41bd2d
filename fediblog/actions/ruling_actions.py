"""What those who look after the server decide about accounts, posts, servers and reports: done, and written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from fediblog.actions import moderation_actions
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.outgoing import sent_posts
from fediblog.store.people import accounts, host_rules
from fediblog.store.people.host_rules import HostRule
from fediblog.store.posts import post_writing, posts
from fediblog.store.readers import moderation, moderation_log
from fediblog.store.tx import Tx

HOSTS_LIMIT = 20_000  # lines of a list of servers
_SUSPENDS = "suspend"  # the only severity of Mastodon's lists that this server knows


def _disable(tx: Tx, _urls: Urls, account: int, *, disabled: bool) -> None:
    moderation_actions.set_disabled(tx, account, disabled=disabled)


ON_ACCOUNTS: Final[Mapping[str, Callable[[Tx, Urls, int], None]]] = {
    "suspend": moderation_actions.suspend,
    "restore": moderation_actions.unsuspend,
    "disable": partial(_disable, disabled=True),
    "enable": partial(_disable, disabled=False),
    "delete": moderation_actions.delete,
}


def rule_on_account(
    tx: Tx, urls: Urls, by: int, action: str, target: int, report: int | None = None, reason: str = ""
) -> None:
    """Do one of ON_ACCOUNTS to an account; one of ours reads the reason. Raises Invalid where it may not be done."""
    found = accounts.get(tx, target)
    if found is None or action not in ON_ACCOUNTS:
        raise NotFound
    ON_ACCOUNTS[action](tx, urls, target)
    moderation_log.note(tx, by, action, f"@{found.acct}", report, target=target, reason=reason.strip())


def rule_on_post(tx: Tx, urls: Urls, by: int, action: str, number: int, report: int | None = None) -> None:
    """Hide a post here, show it again, or remove it for good: if it is ours, everywhere it went. Raises NotFound."""
    tx.hold(number)
    post = posts.stored(tx, number)
    if post is None or post.is_draft or action not in ("hide", "show", "remove"):
        raise NotFound
    if action == "remove":
        if post.local:
            sent_posts.delete(tx, urls, post)
        post_writing.remove(tx, post)
    else:
        post_writing.judge(tx, (number,), "hidden" if action == "hide" else "published", by)
    moderation_log.note(tx, by, f"{action}-post", _named(post), report)


def _named(post: Post) -> str:
    return f"@{post.account.acct}: {post.url or post.uri}"


def close_report(tx: Tx, by: int, number: int) -> None:
    """It is dealt with."""
    moderation.close_report(tx, number, by)
    moderation_log.note(tx, by, "close", "", number)


def reopen_report(tx: Tx, by: int, number: int) -> None:
    """It has to be looked at again."""
    moderation.reopen_report(tx, number)
    moderation_log.note(tx, by, "reopen", "", number)


def block_host(tx: Tx, urls: Urls, by: int, host: str, reason: str = "") -> None:
    """Hear a server and all names below it no more. Raises Invalid."""
    moderation_actions.block_host(tx, urls, host, reason)
    moderation_log.note(tx, by, "block-host", moderation_actions.host_name(urls, host))


def unblock_host(tx: Tx, urls: Urls, by: int, host: str) -> None:
    """Hear a server again."""
    moderation_actions.unblock_host(tx, urls, host)
    moderation_log.note(tx, by, "unblock-host", host)


def import_hosts(tx: Tx, urls: Urls, by: int, rows: Sequence[tuple[str, str, str]]) -> tuple[int, int]:
    """Block the servers of a list (host, severity, reason). Returns how many it blocked, and how many it left out.

    Those are left out whose severity is milder than this server can do, and what is no name of another server.
    """
    known = {each.host for each in host_rules.everything(tx)}
    blocked: dict[str, HostRule] = {}
    for host, severity, reason in rows[:HOSTS_LIMIT]:
        try:
            name = moderation_actions.host_name(urls, host)
        except Invalid:
            continue
        if severity in ("", _SUSPENDS):
            blocked[name] = HostRule(host=name, reason=reason.strip()[:500])
    new = sorted(set(blocked) - known)
    host_rules.put(tx, [blocked[name] for name in new])
    if new:
        moderation_log.note(tx, by, "block-host", ", ".join(new))
    return len(new), len(rows) - len(blocked)
