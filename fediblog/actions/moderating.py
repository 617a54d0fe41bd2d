"""Block and mute people, and block whole servers."""

from __future__ import annotations

import re

from fediblog.actions import following, sending
from fediblog.actions.drafts import author_of
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid
from fediblog.protocol.activities import write_activity
from fediblog.store import relations
from fediblog.store.tx import Tx

_HOST = re.compile(r"[a-z0-9]([a-z0-9-]*[a-z0-9])?(\.[a-z0-9]([a-z0-9-]*[a-z0-9])?)*(:[0-9]{1,5})?\Z")


def block(tx: Tx, urls: Urls, account: int, target: int) -> None:
    """Neither sees the other any more; the follows between them end."""
    actor, other = author_of(tx, account), following.other_of(tx, target)
    if target == account:
        raise Invalid("account", "One does not block oneself.")
    if relations.blocks(tx, account, target):
        return
    if relations.follow(tx, target, account) is not None:
        following.refuse(tx, urls, account, target)
    following.unfollow(tx, urls, account, target)
    number = tx.new_id()
    uri = urls.activity(number)
    relations.block(tx, account, target, uri)
    document = write_activity("Block", uri=uri, actor=actor.uri, object=other.uri, to=(other.uri,))
    sending.send(tx, urls, actor, document, number=number, subject=other.uri, to=[other], private=True)


def unblock(tx: Tx, urls: Urls, account: int, target: int) -> None:
    """Lift a block."""
    actor, other = author_of(tx, account), following.other_of(tx, target)
    uri = relations.unblock(tx, account, target)
    if uri is None:
        return
    number = tx.new_id()
    inner = write_activity("Block", uri=uri, actor=actor.uri, object=other.uri, to=(other.uri,))
    document = write_activity("Undo", uri=urls.activity(number), actor=actor.uri, object=inner, to=(other.uri,))
    sending.send(tx, urls, actor, document, number=number, subject=other.uri, to=[other], private=True)


def mute(tx: Tx, urls: Urls, account: int, target: int, until: int | None = None) -> None:
    """Hide somebody, until a time (ms) or for good; nobody is told."""
    author_of(tx, account)
    following.other_of(tx, target)
    if target == account:
        raise Invalid("account", "One does not mute oneself.")
    relations.mute(tx, account, target, until)


def unmute(tx: Tx, urls: Urls, account: int, target: int) -> None:
    """Show somebody again."""
    relations.unmute(tx, account, target)


def block_host(tx: Tx, urls: Urls, host: str, reason: str = "") -> None:
    """Refuse everything from a server and from all names below it, and hide what is stored of it."""
    name = host.strip().lower().removeprefix("https://").rstrip("/")
    if not _HOST.match(name) or name in (urls.host, urls.handle_domain):
        raise Invalid("host", "Expected the name of another server, such as example.org.")
    relations.block_host(tx, name, reason.strip()[:500])


def unblock_host(tx: Tx, urls: Urls, host: str) -> None:
    """Hear a server again."""
    relations.unblock_host(tx, host.strip().lower())
