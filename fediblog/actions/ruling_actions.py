"""What those who look after the server decide about accounts, posts, servers and reports: done, and written down."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial
from typing import Final

from fediblog.actions import moderation_actions
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.markup.text import one_line
from fediblog.outgoing import sent_posts
from fediblog.store.people import accounts, admin_accounts, host_rules
from fediblog.store.people.admin_accounts import Member
from fediblog.store.people.host_rules import HostRule, Severity
from fediblog.store.posts import post_writing, posts
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.readers import moderation, moderation_log, notifications
from fediblog.store.tx import Tx

ANSWER_LIMIT = 500  # characters of an answer to a report
_ON_HOSTS: Final[Mapping[Severity, str]] = {
    Severity.SUSPEND: "block-host",
    Severity.LIMIT: "limit-host",
    Severity.NONE: "rule-host",
}


def _disable(tx: Tx, _urls: Urls, account: int, *, disabled: bool) -> None:
    moderation_actions.set_disabled(tx, account, disabled=disabled)


def _limit(tx: Tx, _urls: Urls, account: int, *, limited: bool) -> None:
    moderation_actions.set_limited(tx, account, limited=limited)


ON_ACCOUNTS: Final[Mapping[str, Callable[[Tx, Urls, int], None]]] = {
    "limit": partial(_limit, limited=True),
    "unlimit": partial(_limit, limited=False),
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
    tx.hold(-target, target)  # of several who decide the same at once the account hears one
    before = admin_accounts.many(tx, {target}).get(target)
    if before is None or action not in ON_ACCOUNTS:
        raise NotFound
    found = before.account
    ON_ACCOUNTS[action](tx, urls, target)
    moderation_log.note(tx, by, action, f"@{found.acct}", report, target=target, reason=reason.strip())
    after = admin_accounts.many(tx, {target}).get(target)
    if found.login is not None and after is not None and _standing(before) != _standing(after) and action != "delete":
        _tell(tx, urls, target, "warning", action, "", reason.strip())


def _standing(member: Member) -> tuple[str, int, bool]:
    return member.account.state, member.account.limited, member.disabled


def rule_on_post(
    tx: Tx, urls: Urls, by: int, action: str, number: int, report: int | None = None, reason: str = ""
) -> None:
    """Hide a post here, show it again, or remove it for good: if it is ours, everywhere it went, and its author reads
    the reason. Raises NotFound.
    """
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
    moderation_log.note(tx, by, f"{action}-post", _named(post), report, reason=reason.strip())
    if post.account.login is not None:
        _tell(tx, urls, post.account.id, "warning", f"{action}-post", post.url, reason.strip())


def _tell(tx: Tx, urls: Urls, account: int, kind: str, *told: str) -> None:
    """Notify one of our accounts in the name of the server; `told` are lines, see `Notice.told`."""
    speaker = accounts.instance(tx, urls)
    if speaker is not None:
        lines = "\n".join(each.replace("\n", " ") for each in told)
        notifications.add(tx, account, kind, speaker.id, content=lines, new=True)


def _named(post: Post) -> str:
    return f"@{post.account.acct}: {post.url or post.uri}"


def close_report(tx: Tx, by: int, number: int) -> None:
    """It is dealt with."""
    moderation.close_report(tx, number, by)
    moderation_log.note(tx, by, "close", "", number)


def answer_report(tx: Tx, urls: Urls, by: int, number: int, answer: str) -> None:
    """Tell the one of ours who reported something what came of it, in the name of the server.

    Raises NotFound where nobody of ours did, and Invalid where nothing is said.
    """
    report = moderation.get_report(tx, number)
    if report is None or report.reporter is None or report.reporter.login is None:
        raise NotFound
    if not answer.strip():
        raise Invalid("answer", "case.answer-empty")
    words = one_line(answer, ANSWER_LIMIT)
    moderation_log.note(tx, by, "answer", f"@{report.reporter.acct}", number, reason=words)
    _tell(tx, urls, report.reporter.id, "answer", report.target.acct, words)


def reopen_report(tx: Tx, by: int, number: int) -> None:
    """It has to be looked at again."""
    moderation.reopen_report(tx, number)
    moderation_log.note(tx, by, "reopen", "", number)


def rule_on_host(tx: Tx, urls: Urls, by: int, rule: HostRule) -> HostRule:
    """Have a rule about a server and all names below it, in place of an earlier one; as it is stored, or Invalid."""
    kept = moderation_actions.rule_on_host(tx, urls, rule)
    moderation_log.note(tx, by, _ON_HOSTS[kept.severity], kept.host)
    return kept


def unblock_host(tx: Tx, urls: Urls, by: int, host: str) -> None:
    """Have no rule about a server any more."""
    moderation_actions.unblock_host(tx, urls, host)
    moderation_log.note(tx, by, "unblock-host", host)


def allow_host(tx: Tx, urls: Urls, by: int, host: str, *, field: str = "domain") -> str:
    """Put a server and all names below it on the allow-list; its name as it is stored. Raises Invalid of `field`."""
    name = moderation_actions.host_name(urls, host, field)
    host_rules.allow(tx, [name])
    moderation_log.note(tx, by, "allow-host", name)
    return name


def disallow_host(tx: Tx, by: int, host: str) -> None:
    """Take a server off the allow-list."""
    if host_rules.disallow(tx, host):
        moderation_log.note(tx, by, "disallow-host", host)


def set_allow_list(tx: Tx, by: int, *, in_force: bool) -> None:
    """Hear only servers on the allow-list from now on, or all that are not blocked."""
    if host_rules.is_allow_list(tx) != in_force:
        host_rules.set_allow_list(tx, in_force=in_force)
        moderation_log.note(tx, by, "allow-list-on" if in_force else "allow-list-off", "")


def rule_on_hosts(tx: Tx, by: int, rules: Sequence[HostRule]) -> None:
    """Have these rules about servers, whose names are as they are stored, each in place of an earlier one."""
    host_rules.put(tx, rules)
    job_queue.add(tx, job_kinds.SWEEP, "hourly")  # at once, for the copies of their pictures
    for severity, action in _ON_HOSTS.items():
        if hosts := [each.host for each in rules if each.severity is severity]:
            moderation_log.note(tx, by, action, ", ".join(hosts))
