"""Block and mute people and whole servers, for one account or for all; limit and suspend; keep people out."""

from __future__ import annotations

import re

from msgspec.structs import replace

from fediblog.actions import account_actions, follow_actions
from fediblog.actions.drafts import author_of
from fediblog.domain.accounts import Account
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid
from fediblog.outgoing import sent_accounts
from fediblog.protocol.authority import compared_host
from fediblog.store.people import (
    accounts,
    admin_accounts,
    apps,
    forgotten_accounts,
    host_rules,
    logins,
    relation_lists,
    relations,
)
from fediblog.store.people.accounts import host_of
from fediblog.store.people.host_rules import HostRule
from fediblog.store.people.hosts import BLOCKS, blocked_among
from fediblog.store.posts import post_writing
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Tx

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?\Z")


def block(tx: Tx, urls: Urls, account: int, target: int) -> None:
    """Neither sees the other any more; the follows between them end."""
    actor, other = author_of(tx, account, target), follow_actions.other_of(tx, target)
    if target == account:
        raise Invalid("account", "block.oneself")
    if relations.blocks(tx, account, target):
        return
    if relations.follow(tx, target, account) is not None:
        follow_actions.refuse(tx, urls, account, target)
    follow_actions.unfollow(tx, urls, account, target)
    number = tx.new_id()
    relations.block(tx, account, target, urls.transient_activity(actor.uri, number))
    sent_accounts.block(tx, urls, actor, other, number)


def unblock(tx: Tx, urls: Urls, account: int, target: int) -> None:
    """Lift a block."""
    actor, other = author_of(tx, account, target), follow_actions.other_of(tx, target)
    uri = relations.unblock(tx, account, target)
    if uri is not None:
        sent_accounts.undo_block(tx, urls, actor, other, uri)


def mute(tx: Tx, urls: Urls, account: int, target: int, until: int | None = None, *, notices: bool = True) -> None:
    """Hide somebody, until a time (ms) or for good, and with `notices` what they do to one; nobody is told."""
    author_of(tx, account)
    follow_actions.other_of(tx, target)
    if target == account:
        raise Invalid("account", "mute.oneself")
    relations.mute(tx, account, target, until, notices=notices)


def unmute(tx: Tx, urls: Urls, account: int, target: int) -> None:
    """Show somebody again."""
    relations.unmute(tx, account, target)


def mute_host(tx: Tx, urls: Urls, account: int, host: str) -> None:
    """Hide all people of a server from one account, and end the follows between it and them."""
    author_of(tx, account)
    name = host_name(urls, host)
    relation_lists.mute_host(tx, account, name)
    tx.hold(account, *(number for each in relation_lists.known_at(tx, account, name) for number in each))
    followed, followers = relation_lists.known_at(tx, account, name)  # with those who came meanwhile
    for number in followed:
        follow_actions.unfollow(tx, urls, account, number)
    for number in followers:
        follow_actions.refuse(tx, urls, account, number)


def preview_host(tx: Tx, urls: Urls, account: int, host: str) -> tuple[int, int]:
    """How many follows to people of a server, and from them, `mute_host` would end. Raises Invalid."""
    followed, followers = relation_lists.known_at(tx, account, host_name(urls, host))
    return len(followed), len(followers)


def unmute_host(tx: Tx, urls: Urls, account: int, host: str) -> None:
    """Show the people of a server again; who was followed must be followed anew."""
    relation_lists.unmute_host(tx, account, compared_host(host))


def suspend(tx: Tx, urls: Urls, account: int) -> None:
    """Hide an account and all it wrote, and take nothing more from it; of one of ours other servers hear that."""
    found = _moderated(tx, account)
    if found.state == "deleted":
        return
    accounts.set_state(tx, account, "suspended")  # also of one that its server's block hides: it outlives the block
    if found.state == "active":
        _send_state(tx, urls, account)


def unsuspend(tx: Tx, urls: Urls, account: int) -> None:
    """Show an account again, unless its whole server is blocked."""
    found = _moderated(tx, account)
    if found.state != "suspended":
        return
    tx.hold(BLOCKS, shared=True)
    if not found.local and blocked_among(tx, [found.domain, *map(host_of, (found.uri, found.inbox))]):
        raise Invalid("account", "moderation.host-is-blocked")
    accounts.set_state(tx, account, "active")
    _send_state(tx, urls, account)


def _send_state(tx: Tx, urls: Urls, account: int) -> None:
    after = accounts.get(tx, account)
    if after is not None and after.local:
        account_actions.send_profile(tx, urls, after)
    tx.notify(apps.TOKENS)


def set_limited(tx: Tx, account: int, *, limited: bool) -> None:
    """Show what an account writes, in lists and notices, to its followers alone, or to all again; it may go on."""
    admin_accounts.set_limited(tx, _moderated(tx, account).id, limited=limited)


def set_disabled(tx: Tx, account: int, *, disabled: bool) -> None:
    """Keep the person behind one of our accounts out, with all sessions and apps, or let them in again."""
    found = _moderated(tx, account)
    if found.login is None:
        raise Invalid("account", "moderation.only-local")
    logins.set_disabled(tx, found.login, disabled=disabled)


def delete(tx: Tx, urls: Urls, account: int) -> None:
    """Delete a suspended account of ours for good; of another all that it wrote and its follows, and it stays so."""
    found = _moderated(tx, account)
    if found.state != "suspended":
        raise Invalid("account", "moderation.suspend-first")
    if found.local:
        accounts.set_state(tx, account, "active")  # who is suspended can say nothing, not even that it goes
        account_actions.delete_account(tx, urls, account)
    else:
        post_writing.remove_all_of(tx, found)
        forgotten_accounts.set_deleted(tx, account)
        accounts.set_state(tx, account, "suspended")  # else its next activity would bring it back


def _moderated(tx: Tx, account: int) -> Account:
    """The account, if it is one that may be acted against: not the server's own actor, nor an owner's."""
    tx.hold(-account, account)
    found = follow_actions.other_of(tx, account)
    if found.local and found.login is None:
        raise Invalid("account", "moderation.server-account")
    if found.login is not None and any(each.id == found.login and each.role == "owner" for each in logins.everyone(tx)):
        raise Invalid("account", "moderation.owner-account")
    return found


def host_name(urls: Urls, host: str, field: str = "host") -> str:
    """The name of another server as it is stored. Raises Invalid that says what is expected."""
    typed = host.strip().lower().removeprefix("https://").rstrip("/")
    name = compared_host(typed)
    if (
        typed.endswith(":")
        or not _HOST.match(name)
        or name in (compared_host(urls.host), compared_host(urls.handle_domain))
    ):
        raise Invalid(field, "moderation.host-wrong")
    return name


def rule_on_host(tx: Tx, urls: Urls, rule: HostRule) -> HostRule:
    """Have a rule about a server and all names below it, in place of an earlier one; as it is stored, or Invalid."""
    named = replace(rule, host=host_name(urls, rule.host), reason=rule.reason.strip()[:500])
    host_rules.put(tx, [named])
    job_queue.add(tx, job_kinds.SWEEP, "hourly")  # at once, for the copies of its pictures
    return host_rules.get(tx, named.host) or named


def block_host(tx: Tx, urls: Urls, host: str, reason: str = "") -> None:
    """Refuse everything from a server and from all names below it, and hide what is stored of it."""
    rule_on_host(tx, urls, HostRule(host=host, reason=reason))


def unblock_host(tx: Tx, urls: Urls, host: str) -> None:
    """Have no rule about a server any more."""
    host_rules.lift(tx, compared_host(host))
