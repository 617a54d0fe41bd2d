"""Reports: tell those who look after the server, and other servers, what is wrong with an account."""

from __future__ import annotations

from fediblog.actions import report_actions
from fediblog.actions.report_actions import ReportDraft
from fediblog.domain.urls import Urls
from fediblog.federation import quotas
from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import account_entity
from fediblog.mastodon.entities.admin_entity import report as shape
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.people import admin_accounts
from fediblog.store.tx import Tx

API = Table()


@API.post("/api/v1/reports", scope="write:reports", gives="Report")
async def report(call: Call) -> Json:
    """Report an account and, if one likes, some of its posts; with `forward` to its own server as well."""
    params = call.params
    quotas.use(call.site, call.account, "action")
    complaint = ReportDraft(
        target=params.number("account_id") or 0,
        posts=tuple(params.numbers("status_ids")),
        comment=params.text("comment"),
        category=params.choice(
            "category", report_actions.CATEGORIES, "violation" if params.items("rule_ids") else "other"
        ),
        rules=tuple(each[:40] for each in params.texts("rule_ids")[:50]),
        forward=params.flag("forward"),
    )
    return await call.write(_report, call.context, call.site.urls, call.account, complaint)


def _report(tx: Tx, context: EntityContext, urls: Urls, account: int, complaint: ReportDraft) -> Json:
    kept = report_actions.report(tx, urls, account, complaint)
    return shape(kept) | {
        "rule_ids": list(kept.rules),
        "status_ids": [str(number) for number in admin_accounts.posts_named(tx, set(kept.posts)).values()],
        "target_account": account_entity.one(tx, context, kept.target),
    }
