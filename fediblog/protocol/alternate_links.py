"""Links from a page to its ActivityPub form, in the header `Link` (RFC 8288) or in its HTML."""

from __future__ import annotations

import re
from urllib.parse import urljoin

from fediblog.protocol import json_values
from fediblog.protocol.negotiate import is_activity_type

_LIMIT = 8_000  # characters of the header
_LINK = re.compile(r'<([^<>"]{1,2048})>((?:[^,"<>]|"[^"]*")*)')
_PARAMETER = re.compile(r';\s*([A-Za-z*]{1,20})\s*=\s*(?:"([^"]*)"|([^\s";,]+))')


def alternate_in(header: str, base: str) -> str:
    """The address of the ActivityPub form that a `Link` header names, '' if it names none; `base` is the page."""
    for target, rest in _LINK.findall(header[:_LIMIT]):
        told = {name.lower(): quoted or bare for name, quoted, bare in reversed(_PARAMETER.findall(rest))}
        if is_alternate(told.get("rel", ""), told.get("type", "")) and (found := joined(base, target)):
            return found
    return ""


def is_alternate(rel: str, kind: str) -> bool:
    """Whether a link of that relation and media type leads to an ActivityPub form of the page."""
    return "alternate" in rel.lower().split() and is_activity_type(kind)


def joined(base: str, reference: str) -> str:
    """The address that a reference in a page means (RFC 3986 §5), '' if it is none of http."""
    try:
        return json_values.url(urljoin(base, reference.strip()))
    except ValueError:
        return ""
