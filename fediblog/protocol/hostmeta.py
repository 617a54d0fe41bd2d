"""host-meta (RFC 6415): where a server answers WebFinger, for those that ask there first."""

from __future__ import annotations

import re
from collections.abc import Iterator
from html import escape, unescape

from fediblog.domain.documents import Json
from fediblog.protocol import json_values

XML_TYPE = "application/xrd+xml"
LIMIT = 64_000  # characters
_XRD = "http://docs.oasis-open.org/ns/xri/xrd-1.0"
# No XML parser: entities, external ones above all, are nothing for input. Both patterns are bounded and linear.
_LINK = re.compile(r"<(?:[A-Za-z][\w.-]{0,30}:)?Link\s([^<>]{1,2000})>")
_ATTRIBUTE = re.compile(r"([A-Za-z][\w:.-]{0,40})\s{0,5}=\s{0,5}(?:\"([^\"]{0,1500})\"|'([^']{0,1500})')")


def write_xml(origin: str) -> str:
    """The document as XML; `origin` is ours, without a slash at the end."""
    return (
        '<?xml version="1.0" encoding="UTF-8"?>\n'
        f'<XRD xmlns="{_XRD}">\n'
        f'  <Link rel="lrdd" type="application/jrd+json" template="{escape(_template(origin))}"/>\n'
        "</XRD>\n"
    )


def write_json(origin: str) -> dict[str, Json]:
    """The document as JSON (RFC 6415 appendix A); `origin` is ours, without a slash at the end."""
    return {"links": [{"rel": "lrdd", "type": "application/jrd+json", "template": _template(origin)}]}


def read_template(xml: str) -> str:
    """The WebFinger address with {uri} in it that an XML document names, or ''."""
    return _choose(_links_in(xml[:LIMIT]))


def _template(origin: str) -> str:
    return f"{origin}/.well-known/webfinger?resource={{uri}}"


def _links_in(xml: str) -> Iterator[dict[str, str]]:
    for link in _LINK.finditer(xml):
        pairs = _ATTRIBUTE.finditer(link[1])
        yield {pair[1]: unescape(pair[2] if pair[2] is not None else pair[3]) for pair in pairs}


def _choose(links: Iterator[dict[str, str]]) -> str:
    """The JSON one where there are several: the XML form of WebFinger is history."""
    usable = [
        link
        for link in links
        if link.get("rel") == "lrdd"
        and "{uri}" in link.get("template", "")
        and json_values.url(link["template"].replace("{uri}", "x"))
    ]
    modern = [link for link in usable if link.get("type", "json").endswith("json")]
    return (modern or usable or [{"template": ""}])[0]["template"]
