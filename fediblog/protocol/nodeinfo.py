"""NodeInfo 2.0 and 2.1: what a server says of itself, and which software another one is."""

from __future__ import annotations

from msgspec import Struct, field

from fediblog.domain.documents import Json
from fediblog.protocol import json_values

SCHEMA = "http://nodeinfo.diaspora.software/ns/schema/"
VERSIONS = ("2.0", "2.1")
_READ_VERSIONS = ("2.1", "2.2", "2.0", "1.1", "1.0")


class ServerUsage(Struct, frozen=True, kw_only=True):
    """What is told of a server of ours. Users are counted by account; active ones over 30 and 180 days."""

    version: str
    open_registrations: bool = False
    users: int = 0
    active_month: int = 0
    active_half_year: int = 0
    posts: int = 0
    comments: int = 0
    homepage: str = ""
    repository: str = ""
    metadata: dict[str, Json] = field(default_factory=dict)


def write_discovery(origin: str) -> dict[str, Json]:
    """/.well-known/nodeinfo: where the documents are."""
    return {"links": [{"rel": f"{SCHEMA}{version}", "href": f"{origin}/nodeinfo/{version}"} for version in VERSIONS]}


def content_type(version: str) -> str:
    """The media type, which names the schema."""
    return f'application/json; profile="{SCHEMA}{version}#"; charset=utf-8'


def write_nodeinfo(version: str, site: ServerUsage) -> dict[str, Json]:
    """The document in the version asked for, one of `VERSIONS`."""
    software: dict[str, Json] = {"name": "fediblog", "version": site.version}
    if version == "2.1":  # 2.0 forbids more than name and version
        links = {"repository": site.repository, "homepage": site.homepage}
        software |= {key: value for key, value in links.items() if value}
    return {
        "version": version,
        "software": software,
        "protocols": ["activitypub"],
        "services": {"inbound": [], "outbound": ["atom1.0", "rss2.0"]},
        "openRegistrations": site.open_registrations,
        "usage": {
            "users": {
                "total": site.users,
                "activeMonth": site.active_month,
                "activeHalfyear": site.active_half_year,
            },
            "localPosts": site.posts,
            "localComments": site.comments,
        },
        "metadata": site.metadata,
    }


def read_discovery(document: Json) -> str:
    """The address of the best document that a server offers, or ''."""
    links = list(map(json_values.fields, json_values.listed(json_values.fields(document).get("links"))[:32]))
    for version in _READ_VERSIONS:
        for link in links:
            address = json_values.url(link.get("href"))
            if address and link.get("rel") == f"{SCHEMA}{version}":
                return address
    return ""


def read_software(document: Json) -> tuple[str, str]:
    """Name (lower case) and version of the software, '' where it is not told."""
    software = json_values.fields(json_values.fields(document).get("software"))
    return json_values.name(software.get("name"), 60).lower(), json_values.name(software.get("version"), 60)
