"""What links of a page say that they lead to, in the header `Link` (RFC 8288) or in HTML.

With `rel="alternate"` that is its ActivityPub form, with `rel="me"` a page of the same person.
"""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Iterator
from html import unescape
from urllib.parse import unquote, urljoin

from fediblog.domain.documents import ProfileField
from fediblog.markup.tokens import Close, Open, tokenise
from fediblog.protocol import json_values
from fediblog.protocol.negotiate import is_activity_type

_LIMIT = 8_000  # characters of the header
_LINK = re.compile(r'<([^<>"]{1,2048})>((?:[^,"<>]|"[^"]*")*)')
_PARAMETER = re.compile(r';\s*([A-Za-z*]{1,20})\s*=\s*(?:"([^"]*)"|([^\s";,]+))')


def alternate_in(header: str, base: str) -> str:
    """The address of the ActivityPub form that a `Link` header names, '' if it names none; `base` is the page."""
    for target, told in links_in(header):
        if is_alternate(told.get("rel", ""), told.get("type", "")) and (found := joined(base, target)):
            return found
    return ""


def links_in(header: str) -> Iterator[tuple[str, dict[str, str]]]:
    """The links in a header `Link`: the reference of each as it stands there, and its parameters by name."""
    for target, rest in _LINK.findall(header[:_LIMIT]):
        yield target, {name.lower(): quoted or bare for name, quoted, bare in reversed(_PARAMETER.findall(rest))}


def is_alternate(rel: str, kind: str) -> bool:
    """Whether a link of that relation and media type leads to an ActivityPub form of the page."""
    return "alternate" in rel.lower().split() and is_activity_type(kind)


def joined(base: str, reference: str) -> str:
    """The address that a reference in a page means (RFC 3986 §5), '' if it is none of http."""
    try:
        return json_values.url(urljoin(base, reference.strip()))
    except ValueError:
        return ""


def field_link(value: str) -> str:
    """The address to which the value of a profile field (HTML) leads, if it is a link and nothing else; or ''."""
    found, inside = "", False
    for token in tokenise(value):
        if isinstance(token, Open) and token.name == "a":
            if found:
                return ""
            found, inside = json_values.url(unescape(token.attributes.get("href", ""))), True
        elif isinstance(token, Close) and token.name == "a":
            inside = False
        elif isinstance(token, str) and not inside and token.strip():
            return ""
    return found


def field_links(fields: Iterable[ProfileField]) -> list[str]:
    """The addresses of those profile fields that are a link, each once."""
    return list(filter(None, dict.fromkeys(field_link(each.value) for each in fields)))


def marked_me(value: str) -> str:
    """The same value, with the link marked as one to the same person; a hashtag is none."""
    return value if " rel=" in value else value.replace("<a ", '<a rel="me" ', 1)


def links_back(page: str, headers: Iterable[str], base: str, profile: Collection[str]) -> bool:
    """Whether a page (HTML, at `base`) or its `Link` headers link with `rel="me"` to one of the addresses of a profile.

    A slash at the end, upper case and percent-encoding make no other address: our profiles answer to all of these.
    """
    wanted = {_plain(address) for address in profile}
    return any(_plain(joined(base, target)) in wanted for target in _linked(page, headers))


def _linked(page: str, headers: Iterable[str]) -> Iterable[str]:
    for header in headers:
        yield from (target for target, told in links_in(header) if _is_me(told.get("rel", "")))
    for token in tokenise(page):
        if isinstance(token, Open) and token.name in ("a", "link"):
            rel, target = (unescape(token.attributes.get(name, "")) for name in ("rel", "href"))
            if _is_me(rel):
                yield target


def _is_me(rel: str) -> bool:
    return "me" in rel.lower().split()


def _plain(address: str) -> str:
    return unquote(address.partition("#")[0]).rstrip("/").lower()
