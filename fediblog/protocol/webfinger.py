"""WebFinger (RFC 7033): handles, the resources people ask for, and the documents that answer."""

from __future__ import annotations

import re
from collections.abc import Iterable
from urllib.parse import quote, unquote

from msgspec import Struct

from fediblog.domain.documents import Json
from fediblog.errors import NotFound, Refused
from fediblog.protocol import json_values
from fediblog.protocol.authority import ascii_host, origin
from fediblog.protocol.negotiate import is_activity_type

PROFILE_PAGE = "http://webfinger.net/rel/profile-page"
SUBSCRIBE = "http://ostatus.org/schema/1.0/subscribe"
AVATAR = "http://webfinger.net/rel/avatar"
JRD_TYPE = "application/jrd+json; charset=utf-8"
ACCEPT = "application/jrd+json, application/json"

_USER = re.compile(r"[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,126}[A-Za-z0-9_])?\Z")
_PORT = re.compile(r"[0-9]{1,5}\Z")
_OTHER_SCHEME = re.compile(r"(?!acct:|https?:)[A-Za-z][A-Za-z0-9+.-]*:(?:[^/0-9]|//)", re.IGNORECASE)  # not host:port
_LIMIT = 512


class Resource(Struct, frozen=True):
    """What somebody asks WebFinger about: a handle (`user` at `host`), or an address (`url`, at `host`)."""

    host: str
    user: str = ""
    url: str = ""


class Jrd(Struct, frozen=True, kw_only=True):
    """What a WebFinger answer tells. `uri` is the id of the actor, '' if it names none."""

    subject: str
    uri: str = ""

    @property
    def handle(self) -> tuple[str, str] | None:
        """The user and host of the subject."""
        return parse_handle(self.subject.removeprefix("acct:"))


def parse_handle(text: str) -> tuple[str, str] | None:
    """The user and host (A-labels, lower case, with a port if one was given) of user@host or @user@host."""
    if len(text) > _LIMIT:
        return None
    user, at, domain = text.strip().removeprefix("@").partition("@")
    host = parse_domain(domain)
    return (user, host) if at and host and _USER.match(user) else None


def parse_domain(text: str) -> str | None:
    """A host name with an optional port; never a path, a query or anything else that could steer a request."""
    name, colon, port = text.partition(":")
    host = ascii_host(name)
    if host is None or (colon and not (_PORT.match(port) and 0 < int(port) < 65536)):
        return None
    return host if not colon or port == "443" else f"{host}:{int(port)}"


def parse_resource(text: str) -> Resource:
    """A resource in any form seen: acct:user@host, @user@host, user@host, an address; even encoded once too often.

    Refused if it is none, NotFound if it is one of another scheme (RFC 7033 §4.2).
    """
    asked = text.strip()[:_LIMIT]
    if "%" in asked and "://" not in asked:
        asked = unquote(asked)
    if asked[:5].lower() == "acct:":
        asked = asked[5:].removeprefix("//")
    if asked[:8].lower().startswith(("https://", "http://")):
        return _address(asked)
    handle = parse_handle(asked)
    if handle is None and _OTHER_SCHEME.match(asked):
        raise NotFound("webfinger.only-accounts", asked)
    if handle is None:
        raise Refused("resource-invalid", asked)
    return Resource(user=handle[0], host=handle[1])


def _address(asked: str) -> Resource:
    address = json_values.url(asked)
    found = origin(address) if address else None
    if found is None:
        raise Refused("resource-invalid", asked)
    scheme, name, port = found
    host = name if port in (80, 443) else f"{name}:{port}"
    rest = address.partition("://")[2]
    path = rest[len(re.split(r"[/?#]", rest, maxsplit=1)[0]) :]
    return Resource(host=host, url=f"{scheme}://{host}{path}")


def webfinger_url(host: str, resource: str) -> str:
    """Where to ask `host` (as `parse_handle` gives it) about `resource`."""
    domain = parse_domain(host)
    if domain is None:
        raise Refused("host-invalid", host)
    return f"https://{domain}/.well-known/webfinger?resource={quote(resource, safe='')}"


def template_url(template: str, resource: str) -> str:
    """Where to ask for a resource, by the template that a host-meta document gave."""
    return template.replace("{uri}", quote(resource, safe=""))


def write_jrd(
    *, subject: str, uri: str, profile: str = "", aliases: Iterable[str] = (), subscribe: str = "", avatar: str = ""
) -> dict[str, Json]:
    """The answer about an actor of ours: `subject` is user@host, `uri` its id, `subscribe` a template with {uri}."""
    links: list[Json] = [{"rel": "self", "type": "application/activity+json", "href": uri}]
    if profile:
        links.append({"rel": PROFILE_PAGE, "type": "text/html", "href": profile})
    if avatar:
        links.append({"rel": AVATAR, "href": avatar})
    if subscribe:
        links.append({"rel": SUBSCRIBE, "template": subscribe})
    also = dict.fromkeys(filter(None, (*aliases, profile, uri)))
    return {"subject": f"acct:{subject.removeprefix('acct:')}", "aliases": list(also), "links": links}


def read_jrd(document: Json) -> Jrd | None:
    """The answer of somebody else, or None if it has no subject.

    It is a claim: the handle belongs to the actor only if its own domain's answer leads to that very id (FEP-2c59).
    """
    doc = json_values.fields(document)
    subject = json_values.name(doc.get("subject"), _LIMIT)
    if not subject:
        return None
    links = [json_values.fields(link) for link in json_values.listed(doc.get("links"))[:64]]
    return Jrd(
        subject=subject,
        uri=_self_link(links),
    )


def _self_link(links: list[dict[str, Json]]) -> str:
    for link in links:
        kind = link.get("type")
        address = json_values.url(link.get("href"))
        if link.get("rel") == "self" and address and isinstance(kind, str) and is_activity_type(kind):
            return address
    return ""
