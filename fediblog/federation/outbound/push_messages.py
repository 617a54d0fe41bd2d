"""Wake the apps of our people: one encrypted message to a push service for each notice and app."""

from __future__ import annotations

import hashlib
import json
import secrets

from cryptography.exceptions import InvalidTag
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from msgspec import Struct

from fediblog import log
from fediblog.domain.posts import Notice
from fediblog.errors import Refused, Unavailable
from fediblog.federation.outbound import vapid
from fediblog.federation.site import Site
from fediblog.markup.html import excerpt
from fediblog.messages import LANGUAGES, text
from fediblog.net import Response
from fediblog.protocol import webpush
from fediblog.protocol.previews import label
from fediblog.protocol.retry import retry_after
from fediblog.store.people import logins
from fediblog.store.queues import push_subscriptions
from fediblog.store.queues.push_subscriptions import Subscription
from fediblog.store.readers import notification_lists
from fediblog.store.tx import Tx

MOST_BODY = 200  # characters of a post that a message shows
GONE = (404, 410)  # the service knows the subscription no more (RFC 8030 §7.3)


class _Message(Struct, frozen=True):
    """A notification, the subscription that gets it, and the language of its reader."""

    subscription: Subscription
    notice: Notice
    language: str


async def push(site: Site, subject: str) -> None:
    """One message, of which `subject` names token and notice (see `push_subscriptions.queue`).

    Raises Unavailable where the service asks for patience, Refused where it will never take it.
    """
    number, _, notice = subject.partition("/")
    found = await site.db.read(_message, int(number), int(notice), site.settings.language)
    if found is None:  # withdrawn or unsubscribed meanwhile
        return
    key, secret = webpush.decode(found.subscription.key), webpush.decode(found.subscription.secret)
    headers, body = webpush.request(
        webpush.Subscriber(
            endpoint=found.subscription.endpoint, key=key, secret=secret, standard=found.subscription.standard
        ),
        json.dumps(_payload(site, found), ensure_ascii=False).encode(),
        salt=secrets.token_bytes(16),
        once=ec.generate_private_key(ec.SECP256R1()),
        server=await vapid.private_key(site),
        contact=f"mailto:{site.settings.contact}" if "@" in site.settings.contact else site.urls.origin,
        now=site.clock() // 1000,
    )
    answer = await site.client.post(found.subscription.endpoint, body, headers)
    if answer.status in GONE:
        await site.db.write(push_subscriptions.remove, found.subscription.token)
        log.event("push-unsubscribed", account=found.subscription.account)
    else:
        _check(answer, found.subscription, site.clock())


def _check(answer: Response, subscription: Subscription, now: int) -> None:
    if answer.status == 429 or answer.status >= 500:
        wait = retry_after(answer.header("retry-after") or "", now)
        delay = None if wait is None else wait / 1000
        raise Unavailable("push-service", delay, f"{subscription.endpoint[:100]}: {answer.status}")
    if answer.status >= 300:
        raise Refused("push-refused", subscription.endpoint[:100], status=answer.status)


def _message(tx: Tx, token: int, notice: int, otherwise: str) -> _Message | None:
    wanted = push_subscriptions.of_token(tx, token)
    found = notification_lists.get(tx, wanted.account, notice) if wanted else None
    if wanted is None or found is None:
        return None
    language = logins.language_of(tx, wanted.account)
    return _Message(wanted, found, language if language in LANGUAGES else otherwise)


def _payload(site: Site, message: _Message) -> dict[str, str | int]:
    """The message as Mastodon's apps read it."""
    notice = message.notice
    kind = push_subscriptions.ALERT_OF[notice.kind]
    shown = label(notice.post, MOST_BODY) if notice.post else excerpt(notice.actor.summary, MOST_BODY)
    return {
        "access_token": unseal(site, message.subscription.sealed),
        "preferred_locale": message.language,
        "notification_id": notice.id,
        "notification_type": kind,
        "icon": site.urls.copy(f"a{notice.actor.id}", notice.actor.icon.url)
        if notice.actor.icon
        else f"{site.urls.origin}/static/avatar.png",
        "title": text(message.language, f"push.{kind}", name=notice.actor.shown_name[:100]),
        "body": shown,
    }


def seal(site: Site, token: str) -> str:
    """A token that its own app is to be sent back, encrypted: who reads the database cannot use it."""
    nonce = secrets.token_bytes(12)
    return webpush.encode(nonce + AESGCM(_key(site)).encrypt(nonce, token.encode(), b"push"))


def unseal(site: Site, sealed: str) -> str:
    """The token, or nothing if the server's secret is another one now."""
    data = webpush.decode(sealed)
    try:
        return AESGCM(_key(site)).decrypt(data[:12], data[12:], b"push").decode()
    except (InvalidTag, ValueError):
        return ""


def _key(site: Site) -> bytes:
    return hashlib.sha256(b"push" + site.secret).digest()
