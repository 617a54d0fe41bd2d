"""Web Push: an app says where it wants to be woken, and for what (RFC 8030, RFC 8291)."""

from __future__ import annotations

from fediblog.errors import Invalid, NotFound
from fediblog.federation.outbound import push_messages, vapid
from fediblog.mastodon.calls import Call, Json
from fediblog.mastodon.endpoint_table import Table, bearer
from fediblog.mastodon.params import Params
from fediblog.net import check_url
from fediblog.protocol import webpush
from fediblog.store.people.apps import AccessToken
from fediblog.store.queues import push_subscriptions
from fediblog.store.queues.push_subscriptions import ALERTS, POLICIES, Subscription

API = Table()
LONGEST = 2_000  # characters of an endpoint
_PATH = "/api/v1/push/subscription"


@API.post(_PATH, scope="push", gives="WebPushSubscription", tier=3)
async def subscribe(call: Call) -> Json:
    """Be woken by push; the subscription of this token, in place of an earlier one."""
    wanted, keys, data = call.params.inner("subscription"), Params({}), call.params.inner("data")
    keys = wanted.inner("keys")
    endpoint, key, secret = wanted.text("endpoint").strip(), keys.text("p256dh"), keys.text("auth")
    if webpush.read_keys(key, secret) is None:
        raise Invalid("keys", "api.push-keys")
    if len(endpoint) > LONGEST or check_url(endpoint, call.site.client.policy).url != endpoint:
        raise Invalid("endpoint", "api.push-endpoint")
    made = await call.write(
        push_subscriptions.put,
        _token(call).id,
        call.account,
        endpoint=endpoint,
        key=key,
        secret=secret,
        standard=wanted.flag("standard"),
        alerts=_alerts(data, {}),
        policy=data.choice("policy", POLICIES, call.params.text("policy") or "all"),
        sealed=push_messages.seal(call.site, bearer(call.request)),
    )
    return await _entity(call, made)


@API.get(_PATH, scope="push", gives="WebPushSubscription", tier=3)
async def show(call: Call) -> Json:
    """The subscription of this token."""
    return await _entity(call, await call.read(push_subscriptions.of_token, _token(call).id))


@API.put(_PATH, scope="push", gives="WebPushSubscription", tier=3)
async def change(call: Call) -> Json:
    """What this token's app is woken for."""
    standing = await call.read(push_subscriptions.of_token, _token(call).id)
    if standing is None:
        raise NotFound()
    data = call.params.inner("data")
    policy = data.choice("policy", POLICIES, call.params.text("policy") or standing.policy)
    changed = await call.write(push_subscriptions.change, standing.token, _alerts(data, standing.alerts), policy)
    return await _entity(call, changed)


@API.delete(_PATH, scope="push", tier=3)
async def unsubscribe(call: Call) -> None:
    """Be woken no more."""
    await call.write(push_subscriptions.remove, _token(call).id)


def _token(call: Call) -> AccessToken:
    if call.token is None:
        raise NotFound()
    return call.token


def _alerts(data: Params, before: object) -> dict[str, bool]:
    """Every kind there is; one that is not named is off, or as it was where only some are named anew."""
    asked = data.inner("alerts")
    standing = before if isinstance(before, dict) and not data.has("alerts") else {}
    return {name: asked.flag(name, bool(standing.get(name))) for name in ALERTS}


async def _entity(call: Call, found: Subscription | None) -> Json:
    if found is None:
        raise NotFound()
    return {
        "id": found.id,
        "endpoint": found.endpoint,
        "standard": found.standard,
        "alerts": {**dict.fromkeys(ALERTS, False), **found.alerts, "admin.sign_up": False, "admin.report": False},
        "policy": found.policy,
        "server_key": await vapid.public_key(call.site),
    }
