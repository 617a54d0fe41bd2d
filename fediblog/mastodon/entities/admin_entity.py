"""Admin::Account, Admin::Report, Admin::DomainBlock: what those see who look after the server."""

from __future__ import annotations

import hashlib
from collections.abc import Sequence

from fediblog.mastodon.entities import account_entity
from fediblog.mastodon.entities.base import Json, maybe_moment, moment
from fediblog.mastodon.entities.status_entity import statuses
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.people import admin_accounts
from fediblog.store.people.admin_accounts import Member
from fediblog.store.people.host_rules import AllowedHost, HostRule, Severity
from fediblog.store.posts import posts
from fediblog.store.readers.moderation import Report
from fediblog.store.tx import Tx


def members(tx: Tx, context: EntityContext, found: Sequence[Member]) -> list[Json]:
    """Admin::Account entities, in the order given. Nobody's e-mail or network address is known here."""
    shown = account_entity.accounts(tx, context, [each.account for each in found])
    return [_member(each, entity) for each, entity in zip(found, shown, strict=True)]


def _member(member: Member, entity: Json) -> Json:
    account = member.account
    return {
        "id": str(account.id),
        "username": account.handle,
        "domain": None if account.local else account.domain,
        "created_at": moment(account.created),
        "email": "" if account.local else None,
        "ip": None,
        "ips": [],
        "locale": (account.language or "en") if account.local else None,
        "invite_request": None,
        "role": account_entity.role(member.role) if account.local else None,
        "confirmed": account.local,
        "approved": account.local,
        "disabled": member.disabled,
        "silenced": bool(account.limited),
        "sensitized": False,
        "suspended": account.state == "suspended",
        "account": entity,
    }


def reports(tx: Tx, context: EntityContext, found: Sequence[Report], viewer: int) -> list[Json]:
    """Admin::Report entities, with the reported posts that the viewer may see."""
    involved = {each.target.id for each in found} | {each.reporter.id for each in found if each.reporter}
    involved |= {number for each in found for number in (each.assigned, each.closed_by) if number is not None}
    known = list(admin_accounts.many(tx, involved).values())
    by_number = {each.account.id: entity for each, entity in zip(known, members(tx, context, known), strict=True)}
    named = admin_accounts.posts_named(tx, {uri for each in found for uri in each.posts})
    seen = list(posts.many(tx, set(named.values()), viewer).values())
    shown = {post.uri: entity for post, entity in zip(seen, statuses(tx, context, seen, viewer), strict=True)}
    return [
        report(each)
        | {
            "updated_at": moment(each.closed if each.closed is not None else each.created),
            "account": by_number.get(each.reporter.id) if each.reporter else None,
            "target_account": by_number[each.target.id],
            "assigned_account": by_number.get(each.assigned or 0),
            "action_taken_by_account": by_number.get(each.closed_by or 0),
            "statuses": [shown[uri] for uri in each.posts if uri in shown],
            "rules": [],
        }
        for each in found
    ]


def report(what: Report) -> Json:
    """What both kinds of Report entities say."""
    return {
        "id": str(what.id),
        "action_taken": what.closed is not None,
        "action_taken_at": maybe_moment(what.closed),
        "category": what.category,
        "comment": what.content,
        "forwarded": what.forwarded,
        "created_at": moment(what.created),
    }


def allowed_host(allowed: AllowedHost) -> Json:
    """Admin::DomainAllow."""
    return {"id": str(allowed.number), "domain": allowed.host, "created_at": moment(allowed.created)}


def blocked_host(block: HostRule) -> Json:
    """Admin::DomainBlock."""
    suspended = block.severity is Severity.SUSPEND
    return {
        "id": str(block.number),
        "domain": block.host,
        "digest": hashlib.sha256(block.host.encode()).hexdigest(),
        "created_at": moment(block.created),
        "severity": block.severity.value,
        "reject_media": suspended or block.reject_media,
        "reject_reports": suspended or block.reject_reports,
        "private_comment": block.reason or None,
        "public_comment": None,
        "obfuscate": False,
    }
