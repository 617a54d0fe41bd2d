"""Who may speak for whom: pure rules about origins, owners and keys. Only ids count; links for people prove nothing."""

from __future__ import annotations

import re
from collections.abc import Iterable
from functools import lru_cache
from urllib.parse import unquote, urlsplit

import idna

from fediblog.domain.documents import Activity, Actor, Key, Note
from fediblog.errors import Refused
from fediblog.protocol.json_values import USUAL_URL

Origin = tuple[str, str, int]
_PORTS = {"http": 80, "https": 443}
_UPLOADS = re.compile(
    r"/(?:assets?|attachments?|avatars?|content|downloads?|drive|fileserver|files?|images?|media|media_attachments"
    r"|proxy|static|storage|system|uploads?|wp-content)/",
    re.IGNORECASE,
)
_PORT = re.compile(r"(.*?)(?::([0-9]{0,5}))?\Z", re.DOTALL)
_LABEL = re.compile(r"[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?\Z")


def ascii_host(host: str) -> str | None:
    """The host name in lower case with A-labels (xn--…), or None if it is none.

    IDNA 2008 with the mapping of UTS 46, exactly as the HTTP client does it: else `ｅxample.org` and `example.org`
    would count as two, and one would be asked. IDNA 2003 would make one host of faß.example and fass.example.
    """
    lowered = host.lower()
    return _ascii_host(lowered) if 0 < len(lowered) <= 253 else None


@lru_cache(maxsize=1024)
def _ascii_host(lowered: str) -> str | None:
    if not lowered.isascii():
        try:
            lowered = idna.encode(lowered, uts46=True).decode("ascii").lower()
        except (idna.IDNAError, UnicodeError):
            return None
    return lowered if all(map(_LABEL.match, lowered.split("."))) else None


def compared_host(name: str, scheme: str = "https") -> str:
    """The one form in which hosts are compared, of a host with or without its port: `example.org`, `example.org:8443`.

    Lower case, A-labels, no final dot, no default port of `scheme`. What is no host name stays, in lower case. Ids,
    and hosts that a signature covers, are never rewritten: this is for comparing alone.
    """
    found = _PORT.match(name.strip().lower().rpartition("@")[2])
    host, digits = found.groups() if found else (name.lower(), None)
    host = host[:-1] if host.endswith(".") else host
    host = ascii_host(host) or host
    return host if not digits or int(digits) == _PORTS.get(scheme) else f"{host}:{int(digits)}"


@lru_cache(maxsize=4096)
def origin(uri: str) -> Origin | None:
    """(scheme, host, port) of an http(s) id."""
    if usual := USUAL_URL.match(uri):
        scheme, host, digits = usual.groups()
        return _made(scheme, host, int(digits) if digits else None)
    try:
        parts = urlsplit(uri)
        host, port = parts.hostname or "", parts.port
    except ValueError:
        return None
    if parts.scheme not in _PORTS or "@" in parts.netloc:
        return None
    return _made(parts.scheme, host, port)


def _made(scheme: str, host: str, port: int | None) -> Origin | None:
    name = host if ":" in host else ascii_host(host)  # an IPv6 address stays as it is
    return (scheme, name, _PORTS[scheme] if port is None else port) if name else None


def same_origin(one: str, other: str) -> bool:
    """Whether both ids are of the same scheme, host and port. What has no origin has none in common."""
    return (found := origin(one)) is not None and found == origin(other)


def may_speak(signer: str, activity: Activity) -> None:
    """Refuse an activity that its signer does not speak for: actor and signer are one, the id is of that origin."""
    if not signer or activity.actor != signer:
        raise Refused("signer-is-not-actor", f"{signer} -> {activity.actor}")
    if activity.uri and not same_origin(activity.uri, signer):
        raise Refused("foreign-activity-id", activity.uri)


def object_is_theirs(activity: Activity, note: Note) -> bool:
    """Whether an embedded post may be believed as it stands; if not, it has to be fetched from its own origin."""
    return note.author == activity.actor and same_origin(note.uri, activity.actor)


def owner_matches(owner: str, activity: Activity) -> bool:
    """Whether what is stored may be changed by this activity: by its owner alone, not by a neighbour on the host."""
    return bool(owner) and owner == activity.actor


def fetched_ok(uri: str, final_url: str) -> bool:
    """Whether a fetched document is what it says: its id is the address that answered, with or without a fragment.

    If not, fetching once more at `uri` itself is allowed; never believe the first answer.
    """
    return bool(uri) and _bare(uri) == _bare(final_url) and origin(uri) is not None


def redirected_ok(uri: str, final_url: str) -> bool:
    """Whether a document with the id `uri` may lie at `final_url`, where its own server led who asked for `uri`.

    All redirects must have stayed on that origin. What people upload there may be named by a redirect that anybody
    can make, and is no document.
    """
    path, asks, _ = _bare(final_url).partition("?")
    return same_origin(uri, final_url) and not _UPLOADS.search(unquote(path) + ("/" if asks else ""))


def _bare(uri: str) -> str:
    return uri.partition("#")[0]


def key_is_owned(key: Key, actor: Actor, claimed: Iterable[str] = ()) -> bool:
    """Whether key and owner claim each other: the key names the actor, and the actor's own document lists the key.

    `claimed` are key ids that the actor lists without the key itself (`actors.key_uris`).
    """
    if key.owner != actor.uri or not same_origin(key.uri, actor.uri):
        return False
    listed = [held for held in actor.keys if held.uri == key.uri]
    return any(held.public == key.public for held in listed) if listed else key.uri in claimed
