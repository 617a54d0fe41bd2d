"""Posts for later, as apps list them; they stand among the drafts of the website as well."""

from __future__ import annotations

from msgspec.structs import replace

from fediblog.actions import trash_actions
from fediblog.actions.draft_of_post import draft_of
from fediblog.actions.drafts import Draft
from fediblog.actions.trash_actions import Copies
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.federation import deleted_posts, prepared_actions
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities.base import VISIBILITIES, moment
from fediblog.mastodon.entities.status_entity import attachment
from fediblog.mastodon.statuses import status_params, statuses_api
from fediblog.protocol.previews import warning
from fediblog.store.posts import account_posts, posts
from fediblog.store.tx import Tx

API = Table()


def scheduled(post: Post) -> Json:
    """ScheduledStatus."""
    at = post.scheduled or post.received
    poll = None
    if post.poll is not None:
        poll = {
            "options": [option.name for option in post.poll.options],
            "expires_in": ((post.poll.ends or at) - at) // 1000,
            "multiple": post.poll.multiple,
            "hide_totals": False,
        }
    return {
        "id": str(post.id),
        "scheduled_at": moment(at),
        "params": {
            "text": statuses_api.text_of(post),
            "content_type": statuses_api.kind_of(post),
            "media_ids": [str(each.number) for each in post.attachments] or None,
            "sensitive": post.sensitive,
            "spoiler_text": warning(post) or None,
            "visibility": VISIBILITIES[post.visibility],
            "language": post.language or None,
            "in_reply_to_id": str(post.parent) if post.parent is not None else None,
            "quoted_status_id": str(post.quoted.id) if post.quoted is not None else None,
            "quote_approval_policy": post.quotable,
            "poll": poll,
            "application_id": None,
            "scheduled_at": None,
            "idempotency": None,
            "with_rate_limit": False,
        },
        "media_attachments": [attachment(each) for each in post.attachments],
    }


@API.get("/api/v1/scheduled_statuses", scope="read:statuses", gives="ScheduledStatus[]", tier=3)
async def many(call: Call) -> Reply:
    """One's posts for later."""
    found = await call.read(account_posts.scheduled, call.account, call.window())
    return call.page([scheduled(post) for post in found], [post.id for post in found])


@API.get("/api/v1/scheduled_statuses/{id}", scope="read:statuses", gives="ScheduledStatus", tier=3)
async def one(call: Call) -> Json:
    """One post for later."""
    return scheduled(await call.read(_own, call.account, call.number()))


@API.put(
    "/api/v1/scheduled_statuses/{id}",
    scope="write:statuses",
    gives="ScheduledStatus",
    tier=3,
    note="Its id is another one afterwards: ids sort by the time at which the post appears.",
)
async def put_off(call: Call) -> Json:
    """Choose another time."""
    at = status_params.moment_of(call.params.text("scheduled_at"))
    if at is None:
        raise Invalid("scheduled_at", "api.no-time")
    draft = await call.read(_put_off, call.account, call.number(), at)
    return scheduled(await prepared_actions.edit(call.site, call.account, call.number(), draft, find=False))


def _put_off(tx: Tx, account: int, number: int, at: int) -> Draft:
    post = _own(tx, account, number)
    return replace(draft_of(tx, post), scheduled=status_params.not_too_soon(at, tx.now))


@API.delete("/api/v1/scheduled_statuses/{id}", scope="write:statuses", tier=3)
async def cancel(call: Call) -> None:
    """Do not publish it."""
    await deleted_posts.delete(call.site, call.account, call.number(), _cancel)


def _cancel(tx: Tx, urls: Urls, account: int, number: int, copies: Copies) -> list[str]:
    post = _own(tx, account, number)
    return trash_actions.delete_for_another(tx, urls, account, post.id, copies)


def _own(tx: Tx, account: int, number: int) -> Post:
    post = posts.get(tx, number, account)
    if post is None or post.account.id != account or post.state != "scheduled":
        raise NotFound()
    return post


__all__ = ["API", "scheduled"]
