"""Accounts, ours and everybody else's, and their keys."""

from __future__ import annotations

import json
import re
from collections.abc import Collection, Sequence
from typing import Any
from urllib.parse import urlsplit

from msgspec import Struct
from msgspec.structs import replace

from fediblog.domain.accounts import Account, AccountRole
from fediblog.domain.documents import Actor, Key, Picture
from fediblog.domain.memo import Memo
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.markup.text import display_name
from fediblog.prepare.cleaned import CleanActor
from fediblog.protocol.authority import compared_host
from fediblog.store.json_columns import emoji_from, emoji_text, pairs, strings
from fediblog.store.people import access, foreign_inboxes, verified_links
from fediblog.store.people.hosts import LIMITED_BY_HOST, MEDIA_REJECTED, domains
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import has_page

_PROFILE = (
    "kind, handle, handle_key, domain, host, name, summary, summary_source, language, url, inbox, shared_inbox, outbox,"
    " followers, following, featured, featured_tags, icon, icon_alt, image, image_alt, fields, fields_source, emoji,"
    " also_known_as, moved_to, attribution_domains, webfinger, locked, discoverable, indexable, memorial, published,"
    " inbox_host"
)
_NAMES = [name.strip() for name in _PROFILE.split(",")]
MOST_KEPT = 2048  # accounts that are remembered as they were made
_MADE: Memo[int, Account] = Memo(MOST_KEPT)
_AT_PAGE = f"select a.* from account a where {has_page('a', 'a')} order by a.local desc, a.id"
_INSERT = (
    f"insert into account (id, login, local, origin, uri, state, created, changed, fetched, {_PROFILE},"
    " limited, media_rejected) values (:id, null, :local, :origin, :uri, 'active', :now, :now, :fetched, "
    + ", ".join(f":{name}" for name in _NAMES)
    + f", {LIMITED_BY_HOST}, {MEDIA_REJECTED})"
)
# An address whose host, and a port that no scheme has by default, can be read off.
_USUAL = re.compile(r"https?://([a-z0-9.-]*[a-z0-9-](?::(?!(?:80|443)\b)[1-9][0-9]{0,4})?)(?=[/?#]|\Z)")
_FIXED = "handle handle_key domain host inbox inbox_host outbox shared_inbox"
_EDITABLE = frozenset([*_NAMES, "plain", "headline"]) - set(_FIXED.split())
_SET = {name: f"update account set {name} = :value where id = :id and local = 1" for name in _EDITABLE}
KEY = "k.uri, k.account, k.kind, k.public, k.private, k.fetched, a.version"  # what `held` wants
_UPDATE = (
    "update account set changed = :now, fetched = :now, "
    + ", ".join(f"{name} = :{name}" for name in _NAMES)
    + f", limited = limited % 2 + {LIMITED_BY_HOST}, media_rejected = {MEDIA_REJECTED}"
    + " where id = :id and local = 0"
)


class NewKey(Struct, frozen=True, kw_only=True):
    """A key pair of ours, about to be stored. `public` is a PEM (rsa) or a Multikey (ed25519), `private` a PEM."""

    kind: str
    public: str
    private: str


class StoredKey(Struct, frozen=True, kw_only=True):
    """A public key and whose it is; `private` (PEM) only for ours."""

    uri: str
    account: int
    kind: str
    public: str
    private: str | None
    fetched: int


def from_row(row: Row, keys: tuple[Key, ...] = ()) -> Account:
    """The account that a row of the table says; one that has not changed since is not made anew."""
    account = _MADE.get(row.id, (row.version,))
    if account is None:
        account = _made(row)
        _MADE.put(row.id, (row.version,), account)
    return replace(account, keys=keys) if keys else account


def _made(row: Row) -> Account:
    shows = not row.media_rejected
    return Account(
        id=row.id, login=row.login, local=bool(row.local), uri=row.uri, kind=row.kind,
        handle=row.handle, domain=row.domain, origin=row.origin, name=row.name,
        headline=row.headline, summary=row.summary, summary_source=row.summary_source, language=row.language,
        url=row.url, inbox=row.inbox, shared_inbox=row.shared_inbox, outbox=row.outbox,
        followers=row.followers, following=row.following, featured=row.featured, featured_tags=row.featured_tags,
        icon=Picture(url=row.icon, alt=row.icon_alt) if row.icon and shows else None,
        image=Picture(url=row.image, alt=row.image_alt) if row.image and shows else None,
        fields=verified_links.fields_of(row),
        fields_source=pairs(row.fields_source), plain=row.plain,
        emoji=emoji_from(row.emoji) if shows else (),
        also_known_as=strings(row.also_known_as), moved_to=row.moved_to,
        attribution_domains=strings(row.attribution_domains), webfinger=row.webfinger,
        locked=bool(row.locked), discoverable=bool(row.discoverable), indexable=bool(row.indexable),
        memorial=bool(row.memorial), state=row.state, suspended=row.state == "suspended", limited=row.limited,
        media_rejected=bool(row.media_rejected),
        published=row.published, created=row.created, changed=row.changed, fetched=row.fetched,
    )  # fmt: skip


def host_of(uri: str) -> str:
    """Host (and port, unless it is the usual one) of an id, as hosts are compared (`authority.compared_host`).

    '' if it is no id, since what a signature names may be anything.
    """
    usual = _USUAL.match(uri)
    return usual[1] if usual else _host_of(uri)


def _host_of(uri: str) -> str:
    try:
        parts = urlsplit(uri)
    except ValueError:
        return ""
    return compared_host(parts.netloc, parts.scheme)


def get(tx: Tx, number: int) -> Account | None:
    """The account of that number."""
    row = tx.one("select * from account where id = :id", id=number)
    return from_row(row) if row else None


def many(tx: Tx, numbers: Collection[int]) -> dict[int, Account]:
    """The accounts of those numbers; whole rows are read only of those that have changed, since these are long."""
    if not numbers:
        return {}
    versions = tx.all("select id, version from account where id in (:ids)", ids=sorted(set(numbers)))
    found = {number: _MADE.get(number, (version,)) for number, version in versions}
    changed = [number for number, account in found.items() if account is None]
    if changed:
        found.update((row.id, from_row(row)) for row in tx.all("select * from account where id in (:ids)", ids=changed))
    return {number: account for number, account in found.items() if account is not None}


def by_uri(tx: Tx, uri: str) -> Account | None:
    """The account with exactly that id."""
    row = tx.one("select * from account where uri = :uri", uri=uri)
    return from_row(row) if row else None


def by_uris(tx: Tx, uris: Collection[str]) -> dict[str, Account]:
    """The accounts among those ids that are known."""
    rows = tx.all("select * from account where uri in (:uris)", uris=sorted(set(uris))) if uris else []
    return {row.uri: from_row(row) for row in rows}


def by_link(tx: Tx, link: str) -> Account | None:
    """The account with that id or, failing that, that profile page, which must be of the host of the id.

    For mentions and pasted addresses: whoever writes a document may name any page in it.
    """
    found = by_uri(tx, link)
    if found:
        return found
    row = tx.one(_AT_PAGE, page=link, page_host=host_of(link))
    return from_row(row) if row else None


def by_acct(tx: Tx, handle: str, domain: str) -> Account | None:
    """The account that people write @handle@domain."""
    row = tx.one(
        "select * from account where handle_key = :handle and domain = :domain and state <> 'deleted'"
        " order by local desc, fetched desc",
        handle=handle.lower(),
        domain=compared_host(domain),
    )
    return from_row(row) if row else None


def local_by_handle(tx: Tx, handle: str) -> Account | None:
    """Our account of that handle, also one that has been deleted."""
    row = tx.one("select * from account where handle_key = :handle and local = 1", handle=handle.lower())
    return from_row(row) if row else None


def ours(tx: Tx) -> list[Account]:
    """Our people's accounts, oldest first; not the instance actor."""
    rows = tx.all(  # the plus: else SQLite reads all accounts in order of their numbers, not those few by their index
        "select * from account where local = 1 and login is not null and state = 'active' order by +id"
    )
    return [from_row(row) for row in rows]


def listed(tx: Tx) -> list[Account]:
    """Those of our people who want to be found, oldest first: whom public pages of the whole server may name."""
    return [account for account in ours(tx) if account.discoverable and not account.limited]


def instance(tx: Tx, urls: Urls) -> Account | None:
    """The instance actor, once it has been made."""
    return by_uri(tx, urls.instance_actor)


def with_keys(tx: Tx, account: Account) -> Account:
    """The same account with its public keys, RSA first, as its document shows them."""
    rows = tx.all("select * from signing_key where account = :id order by kind desc, created", id=account.id)
    keys = tuple(Key(uri=row.uri, owner=account.uri, kind=row.kind, public=row.public) for row in rows)
    return replace(account, keys=keys)


def create_local(
    tx: Tx, urls: Urls, handle: str, keys: Sequence[NewKey], *, login: int | None, name: str = "", kind: str = "Person"
) -> Account:
    """Make an account of ours with its keys; without a login the instance actor. Refused if the handle is taken."""
    if local_by_handle(tx, handle):
        raise Refused("handle-taken", handle=handle)
    number = tx.new_id()
    uri = urls.actor(number) if login is not None else urls.instance_actor
    actor = Actor(
        uri=uri,
        kind=kind,
        handle=handle,
        name=name,
        inbox=f"{uri}/inbox",
        shared_inbox=urls.shared_inbox,
        outbox=f"{uri}/outbox",
        followers=f"{uri}/followers",
        following=f"{uri}/following",
        featured=f"{uri}/featured",
        featured_tags=f"{uri}/tags",
        url=urls.profile(handle) if login is not None else urls.origin,
        webfinger=f"{handle}@{urls.handle_domain}",
        discoverable=login is not None,
        indexable=login is not None,
        published=tx.now,
    )
    columns = _columns(actor, urls.handle_domain)
    tx.run(_INSERT, id=number, local=1, origin=urls.origin, uri=uri, now=tx.now, fetched=0, hosts=[""], **columns)
    if login is not None:
        access.give(tx, login, number, AccountRole.OWNER)
    tx.run("insert into numbering (account) values (:id)", id=number)
    for key in keys:
        suffix = "main-key" if key.kind == "rsa" else f"{key.kind}-key"
        _put_key(tx, number, Key(uri=f"{uri}#{suffix}", owner=uri, kind=key.kind, public=key.public), key.private)
    return _required(get(tx, number))


def save_remote(tx: Tx, actor: CleanActor, domain: str) -> Account:
    """Store what an actor's own document says, new or newer. `domain` is the one its handle was confirmed under.

    A remote document never touches one of our accounts (Refused), nor revives one that we suspended.
    """
    clean_actor = _columns(actor, domain)
    row = tx.one("select id, local, state from account where uri = :uri", uri=actor.uri)
    if row and row.local:
        raise Refused("account-is-ours")
    if clean_actor["inbox_host"]:
        foreign_inboxes.check(tx, actor.uri, clean_actor["inbox_host"])
    clean_actor["hosts"] = domains(*filter(None, (clean_actor[name] for name in ("host", "domain", "inbox_host"))))
    if row:
        number = row.id
        tx.run(_UPDATE, id=number, now=tx.now, **clean_actor)
        if row.state == "deleted":
            tx.run("update account set state = 'active' where id = :id", id=number)
    else:
        number = tx.new_id()
        tx.run(_INSERT, id=number, local=0, origin="", uri=actor.uri, now=tx.now, fetched=tx.now, **clean_actor)
    if actor.keys:
        tx.run("delete from signing_key where account = :id and uri not in (:uris)", id=number, uris=_uris(actor.keys))
    for key in actor.keys:
        _put_key(tx, number, key, None)
    return _required(get(tx, number))


def _uris(keys: Sequence[Key]) -> list[str]:
    return [key.uri for key in keys]


def _put_key(tx: Tx, account: int, key: Key, private: str | None) -> None:
    tx.run(
        "insert into signing_key (uri, account, kind, public, private, created, fetched)"
        " values (:uri, :account, :kind, :public, :private, :now, :now)"
        " on conflict (uri) do update set public = excluded.public, kind = excluded.kind, fetched = excluded.fetched"
        " where signing_key.account = excluded.account and signing_key.private is null",
        uri=key.uri,
        account=account,
        kind=key.kind,
        public=key.public,
        private=private,
        now=tx.now,
    )


def _columns(actor: Actor, domain: str) -> dict[str, Any]:
    return {
        "kind": actor.kind,
        "handle": actor.handle,
        "handle_key": actor.handle.lower(),
        "domain": compared_host(domain),
        "host": host_of(actor.uri),
        "name": display_name(actor.name),
        "summary": actor.summary,
        "summary_source": "",
        "language": "",
        "url": actor.url or actor.uri,
        "inbox": actor.inbox,
        "shared_inbox": actor.shared_inbox,
        "outbox": actor.outbox,
        "followers": actor.followers,
        "following": actor.following,
        "featured": actor.featured,
        "featured_tags": actor.featured_tags,
        "icon": actor.icon.url if actor.icon else "",
        "icon_alt": actor.icon.alt if actor.icon else "",
        "image": actor.image.url if actor.image else "",
        "image_alt": actor.image.alt if actor.image else "",
        "fields": json.dumps([[display_name(each.name), each.value] for each in actor.fields]),
        "fields_source": "[]",
        "emoji": emoji_text(actor.emoji),
        "also_known_as": json.dumps(actor.also_known_as),
        "moved_to": actor.moved_to,
        "attribution_domains": json.dumps(actor.attribution_domains),
        "webfinger": actor.webfinger,
        "locked": int(actor.locked),
        "discoverable": int(actor.discoverable),
        "indexable": int(actor.indexable),
        "memorial": int(actor.memorial),
        "published": actor.published,
        "inbox_host": "" if host_of(actor.inbox) == host_of(actor.uri) else host_of(actor.inbox),
    }


def update_profile(tx: Tx, account: int, **changes: str | int | None) -> Account:
    """Change columns of one of our accounts; the names are those of the table, and only those a profile has."""
    for name, value in changes.items():
        tx.run(_SET[name], value=value, id=account)
    tx.run("update account set changed = :now where id = :id", now=tx.now, id=account)
    return _required(get(tx, account))


def state(tx: Tx, account: int) -> str | None:
    """active, suspended or deleted, as it is now; None if the account is not there any more."""
    row = tx.one("select state from account where id = :id", id=account)
    return str(row.state) if row else None


def set_state(tx: Tx, account: int, state: str) -> None:
    """active, suspended or deleted: decided about this account, whatever stands about its server."""
    tx.run(
        "update account set state = :state, host_suspended = 0, changed = :now where id = :id",
        state=state,
        now=tx.now,
        id=account,
    )


def touch(tx: Tx, account: int) -> None:
    """Note that the account was fetched just now, or is about to be."""
    tx.run("update account set fetched = :now where id = :id", now=tx.now, id=account)


def free_key(tx: Tx, uri: str, owner: str) -> None:
    """A key proved to be the owner's: whoever else on its server listed that id as one of theirs loses it."""
    tx.run(
        "delete from signing_key where uri = :uri and private is null"
        " and account not in (select id from account where uri = :owner)",
        uri=uri,
        owner=owner,
    )


def key_with_owner(tx: Tx, uri: str) -> tuple[StoredKey, Account] | None:
    """The key of that id, with the account that owns it."""
    row = tx.one(f"select {KEY} from signing_key k join account a on a.id = k.account where k.uri = :uri", uri=uri)
    return held(tx, row) if row else None


def held(tx: Tx, row: Row) -> tuple[StoredKey, Account] | None:
    """A key and its owner by the columns of `KEY`; the owner's own row is read only if it has changed."""
    owner = _MADE.get(row.account, (row.version,)) or get(tx, row.account)
    return (_stored(row), owner) if owner else None


def private_keys(tx: Tx, account: int) -> list[StoredKey]:
    """The key pairs of one of our accounts, RSA first."""
    rows = tx.all(
        "select * from signing_key where account = :id and private is not null order by kind desc", id=account
    )
    return [_stored(row) for row in rows]


def _stored(row: Row) -> StoredKey:
    return StoredKey(
        uri=row.uri, account=row.account, kind=row.kind, public=row.public, private=row.private, fetched=row.fetched
    )


def _required(account: Account | None) -> Account:
    if account is None:
        raise RuntimeError("the account vanished within its own transaction")
    return account
