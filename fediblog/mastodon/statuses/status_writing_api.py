"""Statuses to write: publish, schedule, edit, delete, and say who may quote."""

from __future__ import annotations

from msgspec.structs import replace

from fediblog.actions import post_actions, reaction_actions, trash_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.federation import deleted_posts, prepared_actions, quotas
from fediblog.markup.bare_links import web_address
from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities.status_entity import Shown, statuses
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.params import Params
from fediblog.mastodon.statuses.scheduled_api import scheduled
from fediblog.mastodon.statuses.status_params import POLICIES, changed_draft, new_draft
from fediblog.mastodon.statuses.statuses_api import find, kind_of, own, show, text_of
from fediblog.prepare.wording import Wording
from fediblog.store.people import apps, idempotency
from fediblog.store.posts import posts
from fediblog.store.tx import Tx

API = Table()
_NOTE = (
    "content_type is text/plain or text/markdown. A first line `# Title` with text/markdown, or fediblog[title], makes"
    " an article; fediblog[summary] and fediblog[slug] belong to it."
    " fediblog[categories][] names categories, fediblog[tags][] hashtags."
    " fediblog[comments_policy] is everyone, followers or nobody. hide_totals is not there."
)


@API.post("/api/v1/statuses", scope="write:statuses", gives="StatusOrScheduledStatus", tier=2, note=_NOTE)
async def publish(call: Call) -> Json:
    """Publish a status, or have it published later."""
    draft = replace(await call.read(new_draft, call.account, call.params), app=_app(call))
    post = await prepared_actions.publish(call.site, call.account, draft, _publish_once(call))
    return await call.read(_made, call.context, post.id, call.account)


def _app(call: Call) -> tuple[str, str]:
    """Name and website of the app that calls; of a token made by hand there is none."""
    return (call.token.app_name, web_address(call.token.app_website) or "") if call.token else ("", "")


def _publish_once(call: Call) -> prepared_actions.Publish:
    """Publishing, only once for the same Idempotency-Key."""
    key = call.request.headers.get("idempotency-key", "")
    token, digest = call.token.id if call.token else 0, apps.digest(key) if key else ""

    def publish(tx: Tx, urls: Urls, account: int, draft: Draft, wording: Wording) -> Post:
        done = idempotency.begin(tx, token, digest) if digest else None
        if done is not None:
            return _once_more(tx, done, account)
        post = post_actions.publish(tx, urls, account, draft, wording)
        if digest:
            idempotency.finish(tx, token, digest, post.id)
        return post

    return publish


def _once_more(tx: Tx, number: int, account: int) -> Post:
    post = posts.stored(tx, number)
    if post is None or post.account.id != account:
        raise NotFound()
    return post


def _made(tx: Tx, context: EntityContext, number: int, account: int) -> Json:
    post = posts.stored(tx, number)
    if post is not None and post.state == "scheduled" and post.account.id == account:
        return scheduled(post)
    return show(tx, context, number, account)


@API.put("/api/v1/statuses/{id}", scope="write:statuses", gives="Status", tier=2, note=_NOTE)
async def edit(call: Call) -> Json:
    """Change a status of one's own. It keeps its kind, its audience, its poll and its address."""
    number, draft = await call.read(_changed, call.account, call.number(), call.params)
    await prepared_actions.edit(call.site, call.account, number, draft)
    return await call.read(show, call.context, number, call.account)


def _changed(tx: Tx, account: int, number: int, params: Params) -> tuple[int, Draft]:
    post = own(tx, number, account)
    return post.id, changed_draft(tx, account, post, params)


@API.delete("/api/v1/statuses/{id}", scope="write:statuses", gives="DeletedStatus", tier=2)
async def delete(call: Call) -> Json:
    """Delete a status of one's own, or take a boost back; its source is in the answer, to write it anew."""
    quotas.use(call.site, call.account, "action")
    shown, entity = await call.read(_last, call.context, call.number(), call.account)
    if (shown.booster or shown.post.account).id != call.account:
        raise NotFound()
    if shown.booster is not None:
        await call.write(reaction_actions.unboost, call.site.urls, call.account, shown.post.id)
    else:
        await deleted_posts.delete(call.site, call.account, shown.post.id, trash_actions.delete_for_another)
    return entity


def _last(tx: Tx, context: EntityContext, number: int, account: int) -> tuple[Shown, Json]:
    shown = find(tx, number, account)
    entity = statuses(tx, context, [shown], account)[0]
    if shown.booster is not None:
        return shown, {**entity, "text": ""}
    return shown, {**entity, "text": text_of(shown.post), "content_type": kind_of(shown.post)}


@API.put("/api/v1/statuses/{id}/interaction_policy", scope="write:statuses", gives="Status", tier=3)
async def interaction_policy(call: Call) -> Json:
    """Say who may quote a status of one's own: public, followers or nobody."""
    policy = call.params.text("quote_approval_policy")
    if policy not in POLICIES:
        raise Invalid("quote_approval_policy", "api.quote-policy")
    quotas.use(call.site, call.account, "action")
    number = await call.write(_let_quote, call.site.urls, call.account, call.number(), policy)
    return await call.read(show, call.context, number, call.account)


def _let_quote(tx: Tx, urls: Urls, account: int, number: int, policy: str) -> int:
    post = own(tx, number, account)
    post_actions.let_quote(tx, urls, account, post.id, policy)
    return post.id
