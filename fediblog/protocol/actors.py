"""Actors and their keys: the documents that say who somebody is, read and written side by side."""

from __future__ import annotations

import re

from fediblog.domain.documents import ACTOR_KINDS, Actor, Json, Key, ProfileField
from fediblog.protocol import json_values
from fediblog.protocol.attachments import read_picture, write_picture
from fediblog.protocol.authority import origin, same_origin
from fediblog.protocol.contexts import in_context
from fediblog.protocol.tag_array import read_emoji, sort, write_emoji
from fediblog.protocol.webfinger import parse_handle

NAME_LIMIT = 200
SUMMARY_LIMIT = 20_000
FIELDS_LIMIT = 16
FIELD_NAME_LIMIT = 255
FIELD_VALUE_LIMIT = 1_000
ALIASES_LIMIT = 256
DOMAINS_LIMIT = 100
DOMAIN = re.compile(
    r"(?:[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?\.)*[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?(?::[0-9]{1,5})?\Z"
)
"""A host, perhaps with its port, in lower case."""
KEYS_LIMIT = 10
PEM_LIMIT = 8_000
_HANDLE = re.compile(r"[A-Za-z0-9_]+(?:[.-]+[A-Za-z0-9_]+)*\Z")  # what Mastodon accepts of others
_HANDLE_LIMIT = 128
_ED25519_IN_PEM = "MCowBQYDK2VwAyEA"  # how the DER of every Ed25519 public key begins (RFC 8410)
_ED25519_MULTIKEY = "z6Mk"
_RSA_MULTIKEY = "z4MX"


def read_actor(document: Json) -> Actor | None:
    """The actor, or None if an essential part is missing: id, type, handle, and an inbox.

    The inbox alone may lie on another origin, as where several domains share a server. Whether it may is asked where
    the actor is stored.
    """
    doc = json_values.fields(document)
    uri = json_values.url(doc.get("id"))
    kind = json_values.kind_of(doc, ACTOR_KINDS)
    webfinger = _webfinger(doc.get("webfinger"))
    handle = _handle(doc.get("preferredUsername")) or webfinger.partition("@")[0]
    inbox = _inbox(doc.get("inbox"), uri)
    if not (uri and kind and handle and inbox):
        return None
    return Actor(
        uri=uri,
        kind=kind,
        handle=handle,
        inbox=inbox,
        name=json_values.name(doc.get("name"), NAME_LIMIT) or _in_any_language(doc.get("nameMap")),
        summary=json_values.text(doc.get("summary"), SUMMARY_LIMIT),
        url=_page(doc.get("url"), uri),
        shared_inbox=_shared_inbox(doc, uri),
        outbox=_own(doc.get("outbox"), uri),
        followers=_own(doc.get("followers"), uri),
        following=_own(doc.get("following"), uri),
        featured=_own(doc.get("featured"), uri),
        featured_tags=_own(doc.get("featuredTags"), uri),
        icon=read_picture(doc.get("icon")),
        image=read_picture(doc.get("image")),
        fields=_fields(doc.get("attachment")),
        also_known_as=json_values.refs(doc.get("alsoKnownAs"), ALIASES_LIMIT),
        moved_to=json_values.ref(doc.get("movedTo")),
        attribution_domains=_domains(doc.get("attributionDomains")),
        webfinger=webfinger,
        locked=json_values.flag(doc.get("manuallyApprovesFollowers")),
        discoverable=json_values.flag(doc.get("discoverable")),
        indexable=json_values.flag(doc.get("indexable")),
        memorial=json_values.flag(doc.get("memorial")),
        suspended=json_values.flag(doc.get("suspended")),
        published=json_values.moment(doc.get("published")),
        keys=_keys(doc, uri),
        emoji=read_emoji(sort(doc.get("tag"))),
    )


def write_actor(actor: Actor) -> dict[str, Json]:
    """The actor's document, with our `@context`."""
    doc: dict[str, Json] = {
        "id": actor.uri,
        "type": actor.kind,
        "preferredUsername": actor.handle,
        "name": actor.name,
        "summary": actor.summary,
        "inbox": actor.inbox,
    }
    doc |= _links_of(actor)
    if actor.shared_inbox:
        doc["endpoints"] = {"sharedInbox": actor.shared_inbox}
    if actor.icon:
        doc["icon"] = write_picture(actor.icon)
    if actor.image:
        doc["image"] = write_picture(actor.image)
    if actor.also_known_as:
        doc["alsoKnownAs"] = list(actor.also_known_as)
    if actor.attribution_domains:
        doc["attributionDomains"] = list(actor.attribution_domains)
    doc |= _flags_of(actor)
    if actor.published is not None:
        doc["published"] = json_values.stamp(actor.published)
    doc["attachment"] = [{"type": "PropertyValue", "name": field.name, "value": field.value} for field in actor.fields]
    doc["tag"] = [write_emoji(emoji) for emoji in actor.emoji]
    return in_context(doc | _write_keys(actor.keys))


def _domains(value: Json) -> tuple[str, ...]:
    """Names of hosts, as Mastodon writes them; what is none is left out."""
    named = (each.lower() for each in json_values.listed(value)[:DOMAINS_LIMIT] if isinstance(each, str))
    return tuple(dict.fromkeys(each for each in named if DOMAIN.match(each)))


def read_key(document: Json, key_id: str = "") -> Key | None:
    """The key in the document behind a keyId: a key, a Multikey, or an actor (perhaps a stub) that holds it.

    Without `key_id`, or if that is the actor's own id, the first one. It is only a claim until the owner's document
    lists it too (`authority.key_is_owned`).
    """
    doc = json_values.fields(document)
    uri = json_values.url(doc.get("id"))
    if "publicKeyPem" in doc or "publicKeyMultibase" in doc:
        key = _key(doc, json_values.ref(doc.get("owner")) or json_values.ref(doc.get("controller")))
        return key if key and key_id in ("", key.uri) else None
    held = _keys(doc, uri) if uri else ()
    return next((key for key in held if key_id in ("", uri, key.uri)), None)


def key_uris(document: Json) -> tuple[str, ...]:
    """All key ids that an actor's document claims, also where the key itself stands elsewhere."""
    doc = json_values.fields(document)
    entries = [*json_values.listed(doc.get("publicKey"))[:KEYS_LIMIT], *json_values.listed(doc.get("assertionMethod"))]
    return json_values.refs(entries[: KEYS_LIMIT * 2])


def _own(value: Json, uri: str) -> str:
    """An address that must be of the actor's origin: else an actor could aim our requests, or our trust, elsewhere."""
    found = json_values.ref(value)
    return found if found and same_origin(found, uri) else ""


def _page(value: Json, uri: str) -> str:
    """The profile page if it lies on the host of the id; one elsewhere counts as none, as with Mastodon."""
    found = json_values.web_link(value)
    page, home = origin(found), origin(uri)
    return found if page is not None and home is not None and page[1] == home[1] else ""


def _inbox(value: Json, uri: str) -> str:
    found = json_values.ref(value)
    return found if same_origin(found, uri) or found.startswith("https://") else ""


def _shared_inbox(doc: dict[str, Json], uri: str) -> str:
    return _own(json_values.fields(doc.get("endpoints")).get("sharedInbox"), uri) or _own(doc.get("sharedInbox"), uri)


def _handle(value: Json) -> str:
    if not isinstance(value, str) or len(value) > _HANDLE_LIMIT or not _HANDLE.match(value):
        return ""
    return value


def _webfinger(value: Json) -> str:
    """user@domain (FEP-2c59); an acct: in front is tolerated."""
    found = parse_handle(value.removeprefix("acct:")) if isinstance(value, str) else None
    return f"{found[0]}@{found[1]}" if found and _handle(found[0]) else ""


def _in_any_language(value: Json) -> str:
    return next((json_values.name(entry, NAME_LIMIT) for entry in json_values.language_map(value, 1000).values()), "")


def _fields(value: Json) -> tuple[ProfileField, ...]:
    found = []
    for entry in map(json_values.fields, json_values.listed(value)[: FIELDS_LIMIT * 4]):
        name = json_values.name(entry.get("name"), FIELD_NAME_LIMIT)
        if name and "PropertyValue" in {kind.removeprefix("schema:") for kind in json_values.kinds(entry)}:
            found.append(ProfileField(name=name, value=json_values.text(entry.get("value"), FIELD_VALUE_LIMIT)))
    return tuple(found)[:FIELDS_LIMIT]


def _keys(doc: dict[str, Json], owner: str) -> tuple[Key, ...]:
    """The keys that the actor holds itself; keys of other owners, or without a body, are passed over."""
    held: dict[str, Key] = {}
    for entries in (doc.get("publicKey"), doc.get("assertionMethod")):
        for entry in map(json_values.fields, json_values.listed(entries)[:KEYS_LIMIT]):
            claimed = json_values.ref(entry.get("owner")) or json_values.ref(entry.get("controller")) or owner
            key = _key(entry, claimed)
            if key and key.owner == owner and same_origin(key.uri, owner):
                held.setdefault(key.uri, key)
    return tuple(held.values())[:KEYS_LIMIT]


def _key(entry: dict[str, Json], owner: str) -> Key | None:
    uri = json_values.url(entry.get("id"))
    pem = json_values.text(entry.get("publicKeyPem"), PEM_LIMIT)
    public = pem or json_values.text(entry.get("publicKeyMultibase"), PEM_LIMIT)
    kind = _kind_of_pem(pem) if pem else _kind_of_multikey(public)
    return Key(uri=uri, owner=owner, kind=kind, public=public) if uri and owner and kind else None


def _kind_of_pem(pem: str) -> str:
    return "ed25519" if _ED25519_IN_PEM in pem else "rsa"


def _kind_of_multikey(public: str) -> str:
    if public.startswith(_ED25519_MULTIKEY):
        return "ed25519"
    return "rsa" if public.startswith(_RSA_MULTIKEY) else ""


def _links_of(actor: Actor) -> dict[str, Json]:
    links = {
        "url": actor.url,
        "outbox": actor.outbox,
        "followers": actor.followers,
        "following": actor.following,
        "featured": actor.featured,
        "featuredTags": actor.featured_tags,
        "movedTo": actor.moved_to,
        "webfinger": actor.webfinger,
    }
    return {key: value for key, value in links.items() if value}


def _flags_of(actor: Actor) -> dict[str, Json]:
    flags: dict[str, Json] = {
        "manuallyApprovesFollowers": actor.locked,
        "discoverable": actor.discoverable,
        "indexable": actor.indexable,
    }
    if actor.memorial:
        flags["memorial"] = True
    if actor.suspended:
        flags["suspended"] = True
    return flags


def _write_keys(keys: tuple[Key, ...]) -> dict[str, Json]:
    """PEM keys as `publicKey` (alone if it is one: many servers expect that), Multikeys as in FEP-521a."""
    pems: list[Json] = []
    multikeys: list[Json] = []
    for key in keys:
        if key.public.startswith("z"):
            multikeys.append(
                {"id": key.uri, "type": "Multikey", "controller": key.owner, "publicKeyMultibase": key.public}
            )
        else:
            pems.append({"id": key.uri, "owner": key.owner, "publicKeyPem": key.public})
    written: dict[str, Json] = {}
    if pems:
        written["publicKey"] = pems[0] if len(pems) == 1 else pems
    if multikeys:
        written["assertionMethod"] = multikeys
    return written
