"""For those who look after the server: accounts, reports, and servers that are not listened to."""

from __future__ import annotations

from collections.abc import Callable

from msgspec.structs import replace

from fediblog.actions import ruling_actions
from fediblog.actions.report_actions import CATEGORIES
from fediblog.domain.urls import Urls
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import admin_entity
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.params import Params
from fediblog.store.id_paging import Window
from fediblog.store.ids import number_of
from fediblog.store.people import admin_accounts, host_rules, logins
from fediblog.store.people.admin_accounts import AccountFilter
from fediblog.store.people.host_rules import AllowedHost, HostRule, Severity
from fediblog.store.readers import moderation
from fediblog.store.tx import Tx

API = Table()
_ACCOUNTS = "admin:read:accounts"
_CHANGE_ACCOUNTS = "admin:write:accounts"
_REPORTS = "admin:read:reports"
_CHANGE_REPORTS = "admin:write:reports"
_HOSTS = "admin:read:domain_blocks"
_CHANGE_HOSTS = "admin:write:domain_blocks"
_ALLOWS = "admin:read:domain_allows"
_CHANGE_ALLOWS = "admin:write:domain_allows"
_NOTE = "Only for owners of the server."
ACTIONS = ("none", "sensitive", "disable", "silence", "suspend")


async def _owner(call: Call) -> None:
    if not await call.read(_is_owner, call.login):
        raise Forbidden("api.owners-only")


def _is_owner(tx: Tx, number: int) -> bool:
    login = logins.get(tx, number)
    return login is not None and login.role == "owner"


@API.get("/api/v1/admin/accounts", scope=_ACCOUNTS, gives="AdminAccount[]", tier=3, note=_NOTE)
async def accounts(call: Call) -> Reply:
    """Accounts, ours and others, by where they are and how they stand."""
    flag = call.params.flag
    return await _accounts(
        call,
        origin="local" if flag("local") else "remote" if flag("remote") else "",
        status=next((name for name in _STANDS if flag(name)), ""),
        staff=flag("staff"),
    )


@API.get("/api/v2/admin/accounts", scope=_ACCOUNTS, gives="AdminAccount[]", tier=3, note=_NOTE)
async def accounts_again(call: Call) -> Reply:
    """Accounts, ours and others, by where they are (`origin`) and how they stand (`status`)."""
    return await _accounts(
        call,
        origin=call.params.choice("origin", ("", "local", "remote"), ""),
        status=call.params.choice("status", ("", *_STANDS), ""),
        staff=call.params.text("permissions") == "staff",
    )


_STANDS = ("active", "suspended", "disabled", "silenced", "sensitized", "pending")


async def _accounts(call: Call, *, origin: str, status: str, staff: bool) -> Reply:
    await _owner(call)
    params = call.params
    if status in ("sensitized", "pending"):
        return Reply([])  # nobody is, here
    wanted = AccountFilter(
        origin=origin,
        state=status if status in ("active", "suspended") else "",
        role="owner" if staff else "",
        disabled=status == "disabled",
        limited=status == "silenced",
        handle=params.text("username").strip().removeprefix("@"),
        name=params.text("display_name").strip(),
        domain=params.text("by_domain").strip(),
    )
    return call.page(*await call.read(_listed, call.context, wanted, call.window(100, 200)))


def _listed(tx: Tx, context: EntityContext, wanted: AccountFilter, window: Window) -> tuple[list[Json], list[int]]:
    found = admin_accounts.find(tx, wanted, window)
    return admin_entity.members(tx, context, found), [each.account.id for each in found]


@API.get("/api/v1/admin/accounts/{id}", scope=_ACCOUNTS, gives="AdminAccount", tier=3, note=_NOTE)
async def account(call: Call) -> Json:
    """An account."""
    await _owner(call)
    return await call.read(_account, call.context, call.number())


def _account(tx: Tx, context: EntityContext, number: int) -> Json:
    found = admin_accounts.many(tx, {number}).get(number)
    if found is None or found.account.state == "deleted":
        raise NotFound
    return admin_entity.members(tx, context, [found])[0]


async def _do(call: Call, action: str) -> Json:
    await _owner(call)
    return await call.write(_done, call.context, call.site.urls, call.account, call.number(), action)


def _done(tx: Tx, context: EntityContext, urls: Urls, by: int, number: int, action: str) -> Json:
    entity = _account(tx, context, number)
    ruling_actions.rule_on_account(tx, urls, by, action, number)
    found = admin_accounts.many(tx, {number}).get(number)
    return entity if found is None or found.account.state == "deleted" else _account(tx, context, number)


@API.post("/api/v1/admin/accounts/{id}/action", scope=_CHANGE_ACCOUNTS, tier=3, note=_NOTE)
async def act(call: Call) -> None:
    """Limit or suspend an account, or keep somebody from signing in; with `report_id` the report is dealt with."""
    await _owner(call)
    kind = call.params.choice("type", ACTIONS, "none")
    if kind == "sensitive":
        raise Invalid("type", "api.not-done-here")
    report, reason = call.params.number("report_id"), call.params.text("text")
    await call.write(_act, call.site.urls, call.account, call.number(), kind, report, reason)


def _act(tx: Tx, urls: Urls, account: int, target: int, kind: str, report: int | None, reason: str) -> None:
    if kind != "none":
        action = "limit" if kind == "silence" else kind
        ruling_actions.rule_on_account(tx, urls, account, action, target, report, reason)
    if report is not None:
        ruling_actions.close_report(tx, account, report)


@API.post("/api/v1/admin/accounts/{id}/enable", scope=_CHANGE_ACCOUNTS, gives="AdminAccount", tier=3, note=_NOTE)
async def enable(call: Call) -> Json:
    """Let somebody sign in again."""
    return await _do(call, "enable")


@API.post("/api/v1/admin/accounts/{id}/unsuspend", scope=_CHANGE_ACCOUNTS, gives="AdminAccount", tier=3, note=_NOTE)
async def unsuspend(call: Call) -> Json:
    """Suspend an account no more."""
    return await _do(call, "restore")


@API.post("/api/v1/admin/accounts/{id}/unsilence", scope=_CHANGE_ACCOUNTS, gives="AdminAccount", tier=3, note=_NOTE)
async def unsilence(call: Call) -> Json:
    """Limit an account no more."""
    return await _do(call, "unlimit")


@API.post(
    "/api/v1/admin/accounts/{id}/unsensitive",
    scope=_CHANGE_ACCOUNTS,
    gives="AdminAccount",
    tier=3,
    note="Nobody's media are marked as sensitive by others here, so nothing changes.",
)
async def unsensitive(call: Call) -> Json:
    """Mark the media of an account as sensitive no more."""
    await _owner(call)
    return await call.read(_account, call.context, call.number())


@API.post(
    "/api/v1/admin/accounts/{id}/approve",
    "/api/v1/admin/accounts/{id}/reject",
    scope=_CHANGE_ACCOUNTS,
    gives="AdminAccount",
    tier=3,
    note="Always refused: nobody waits to be let in.",
)
async def approve(call: Call) -> Json:
    """Let somebody in who asked for an account."""
    await _owner(call)
    raise Forbidden


@API.delete("/api/v1/admin/accounts/{id}", scope=_CHANGE_ACCOUNTS, gives="AdminAccount", tier=3, note=_NOTE)
async def delete(call: Call) -> Json:
    """Delete a suspended account with all that it wrote."""
    return await _do(call, "delete")


@API.get("/api/v1/admin/reports", scope=_REPORTS, gives="AdminReport[]", tier=3, note=_NOTE)
async def reports(call: Call) -> Reply:
    """Reports that wait, or with `resolved` those that are dealt with."""
    await _owner(call)
    return call.page(*await call.read(_reports, call.context, call.account, call.params, call.window(100, 200)))


def _reports(
    tx: Tx, context: EntityContext, viewer: int, params: Params, window: Window
) -> tuple[list[Json], list[int]]:
    found = moderation.find_reports(
        tx,
        window,
        closed=params.flag("resolved"),
        reporter=params.number("account_id"),
        target=params.number("target_account_id"),
    )
    return admin_entity.reports(tx, context, found, viewer), [each.id for each in found]


@API.get("/api/v1/admin/reports/{id}", scope=_REPORTS, gives="AdminReport", tier=3, note=_NOTE)
async def report(call: Call) -> Json:
    """A report."""
    await _owner(call)
    return await call.read(_report, call.context, call.account, call.number())


def _report(tx: Tx, context: EntityContext, viewer: int, number: int) -> Json:
    found = moderation.get_report(tx, number)
    if found is None:
        raise NotFound
    return admin_entity.reports(tx, context, [found], viewer)[0]


async def _handle(call: Call, action: Callable[[Tx, int], object]) -> Json:
    await _owner(call)
    return await call.write(_handled, call.context, call.account, call.number(), action)


def _handled(tx: Tx, context: EntityContext, viewer: int, number: int, action: Callable[[Tx, int], object]) -> Json:
    _report(tx, context, viewer, number)
    action(tx, number)
    return _report(tx, context, viewer, number)


@API.put("/api/v1/admin/reports/{id}", scope=_CHANGE_REPORTS, gives="AdminReport", tier=3, note=_NOTE)
async def sort_report(call: Call) -> Json:
    """Say what a report is about."""
    category = call.params.choice("category", CATEGORIES, "other")
    rules = call.params.texts("rule_ids")[:50]
    return await _handle(call, lambda tx, number: moderation.sort_report(tx, number, category, rules))


@API.post("/api/v1/admin/reports/{id}/assign_to_self", scope=_CHANGE_REPORTS, gives="AdminReport", tier=3, note=_NOTE)
async def assign(call: Call) -> Json:
    """Look into a report."""
    return await _handle(call, lambda tx, number: moderation.assign_report(tx, number, call.account))


@API.post("/api/v1/admin/reports/{id}/unassign", scope=_CHANGE_REPORTS, gives="AdminReport", tier=3, note=_NOTE)
async def unassign(call: Call) -> Json:
    """Leave a report to others."""
    return await _handle(call, lambda tx, number: moderation.assign_report(tx, number, None))


@API.post("/api/v1/admin/reports/{id}/resolve", scope=_CHANGE_REPORTS, gives="AdminReport", tier=3, note=_NOTE)
async def resolve(call: Call) -> Json:
    """Close a report: it is dealt with."""
    return await _handle(call, lambda tx, number: ruling_actions.close_report(tx, call.account, number))


@API.post("/api/v1/admin/reports/{id}/reopen", scope=_CHANGE_REPORTS, gives="AdminReport", tier=3, note=_NOTE)
async def reopen(call: Call) -> Json:
    """Open a report again."""
    return await _handle(call, lambda tx, number: ruling_actions.reopen_report(tx, call.account, number))


@API.get("/api/v1/admin/domain_blocks", scope=_HOSTS, gives="AdminDomainBlock[]", tier=3, note=_NOTE)
async def domain_blocks(call: Call) -> Reply:
    """Rules about other servers."""
    await _owner(call)
    found = await call.read(_blocked_page, call.window(100, 200))
    return call.page([admin_entity.blocked_host(each) for each in found], [each.number for each in found])


@API.get("/api/v1/admin/domain_blocks/{id}", scope=_HOSTS, gives="AdminDomainBlock", tier=3, note=_NOTE)
async def domain_block(call: Call) -> Json:
    """A rule about a server."""
    await _owner(call)
    return admin_entity.blocked_host(await call.read(_blocked, call.number()))


def _blocked_page(tx: Tx, window: Window) -> list[HostRule]:
    found = {each.number: each for each in host_rules.everything(tx)}
    return [found[number] for number in window.cut(list(found))]


def _blocked(tx: Tx, number: int) -> HostRule:
    found = next((each for each in host_rules.everything(tx) if each.number == number), None)
    if found is None:
        raise NotFound
    return found


@API.post(
    "/api/v1/admin/domain_blocks",
    scope=_CHANGE_HOSTS,
    gives="AdminDomainBlock",
    tier=3,
    note="Only for owners of the server. The private comment is kept as the reason.",
)
async def block_domain(call: Call) -> Json:
    """Suspend a server and all names below it, limit it, or take neither its media nor its reports."""
    await _owner(call)
    rule = _read_rule(call.params, HostRule(host=call.params.text("domain"), severity=Severity.LIMIT))
    found = await call.write(ruling_actions.rule_on_host, call.site.urls, call.account, rule)
    return admin_entity.blocked_host(found)


def _read_rule(params: Params, before: HostRule) -> HostRule:
    """The rule with what the parameters say otherwise."""
    return replace(
        before,
        severity=Severity(params.choice("severity", tuple(Severity), before.severity)),
        reject_media=params.flag("reject_media", before.reject_media),
        reject_reports=params.flag("reject_reports", before.reject_reports),
        reason=params.text("private_comment") or params.text("public_comment") or before.reason,
    )


@API.put("/api/v1/admin/domain_blocks/{id}", scope=_CHANGE_HOSTS, gives="AdminDomainBlock", tier=3, note=_NOTE)
async def change_domain_block(call: Call) -> Json:
    """Change a rule about a server."""
    await _owner(call)
    found = await call.write(_change_rule, call.site.urls, call.account, call.number(), call.params)
    return admin_entity.blocked_host(found)


def _change_rule(tx: Tx, urls: Urls, by: int, number: int, params: Params) -> HostRule:
    return ruling_actions.rule_on_host(tx, urls, by, _read_rule(params, _blocked(tx, number)))


@API.delete("/api/v1/admin/domain_blocks/{id}", scope=_CHANGE_HOSTS, tier=3, note=_NOTE)
async def unblock_domain(call: Call) -> None:
    """Have no rule about a server any more."""
    await _owner(call)
    await call.write(_unblock, call.site.urls, call.account, call.number())


def _unblock(tx: Tx, urls: Urls, by: int, number: int) -> None:
    ruling_actions.unblock_host(tx, urls, by, _blocked(tx, number).host)


@API.get("/api/v1/admin/domain_allows", scope=_ALLOWS, gives="AdminDomainAllow[]", tier=3, note=_NOTE)
async def domain_allows(call: Call) -> Reply:
    """The allow-list: while it is in force, only these servers are heard."""
    await _owner(call)
    found = await call.read(_allowed_page, call.window(100, 200))
    return call.page([admin_entity.allowed_host(each) for each in found], [each.number for each in found])


@API.get("/api/v1/admin/domain_allows/{id}", scope=_ALLOWS, gives="AdminDomainAllow", tier=3, note=_NOTE)
async def domain_allow(call: Call) -> Json:
    """A server on the allow-list."""
    await _owner(call)
    return admin_entity.allowed_host(await call.read(_allowed, call.number()))


def _allowed_page(tx: Tx, window: Window) -> list[AllowedHost]:
    found = {each.number: each for each in host_rules.allowed(tx)}
    return [found[number] for number in window.cut(list(found))]


def _allowed(tx: Tx, number: int) -> AllowedHost:
    found = next((each for each in host_rules.allowed(tx) if each.number == number), None)
    if found is None:
        raise NotFound
    return found


@API.post("/api/v1/admin/domain_allows", scope=_CHANGE_ALLOWS, gives="AdminDomainAllow", tier=3, note=_NOTE)
async def allow_domain(call: Call) -> Json:
    """Put a server and all names below it on the allow-list."""
    await _owner(call)
    return admin_entity.allowed_host(await call.write(_allow, call.site.urls, call.account, call.params.text("domain")))


def _allow(tx: Tx, urls: Urls, by: int, host: str) -> AllowedHost:
    return _allowed(tx, number_of(ruling_actions.allow_host(tx, urls, by, host)))


@API.delete("/api/v1/admin/domain_allows/{id}", scope=_CHANGE_ALLOWS, tier=3, note=_NOTE)
async def disallow_domain(call: Call) -> None:
    """Take a server off the allow-list."""
    await _owner(call)
    await call.write(_disallow, call.account, call.number())


def _disallow(tx: Tx, by: int, number: int) -> None:
    ruling_actions.disallow_host(tx, by, _allowed(tx, number).host)
