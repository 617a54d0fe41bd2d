"""What hangs on a post or actor in `tag`: mentions, hashtags, custom emoji, and links to quoted posts."""

from __future__ import annotations

from urllib.parse import quote as percent_encode

from fediblog import hashtags
from fediblog.domain.documents import Emoji, Json, Mention, Picture
from fediblog.hashtags import SIGNS, key
from fediblog.protocol import json_values
from fediblog.protocol.attachments import read_picture, write_picture

LIMIT = 50
EMOJI_LIMIT = 64
_SCANNED = 300
_QUOTE_RELS = ("https://w3id.org/fep/044f#quote", "https://misskey-hub.net/ns#_misskey_quote")


Sorted = dict[str, list[dict[str, Json]]]
"""What stands in a `tag`, under each of its kinds."""


def sort(value: Json) -> Sorted:
    """The tags under their kinds, so that each reader looks only at those that concern it."""
    found: Sorted = {}
    for tag in json_values.listed(value)[:_SCANNED] if value else ():
        if isinstance(tag, dict):
            for kind in json_values.kinds(tag):
                found.setdefault(kind, []).append(tag)
    return found


def read_mentions(tags: Sorted) -> tuple[Mention, ...]:
    """People named, by href; some servers send none, then the name alone has to do."""
    found: dict[Mention, None] = {}
    for tag in tags.get("Mention", ()):
        href, name = json_values.url(tag.get("href")), json_values.name(tag.get("name"), 300)
        if href or "@" in name.removeprefix("@"):
            found[Mention(href=href, name=name)] = None
    return tuple(found)[:LIMIT]


def read_hashtags(tags: Sorted) -> tuple[str, ...]:
    """Hashtags without the #, each once whatever its case, in order."""
    found: dict[str, str] = {}
    for tag in tags.get("Hashtag", ()):
        name = json_values.name(tag.get("name"), hashtags.LIMIT + 1).lstrip(SIGNS)
        if name and " " not in name and len(name) <= hashtags.LIMIT:
            found.setdefault(key(name), name)
    return tuple(found.values())[:LIMIT]


def read_emoji(tags: Sorted) -> tuple[Emoji, ...]:
    """Custom emoji, each name once."""
    found: dict[str, Emoji] = {}
    for tag in tags.get("Emoji", ()):
        name = json_values.name(tag.get("name"), 102).strip(":")
        icon = read_picture(tag.get("icon"))
        if name and icon and " " not in name and ":" not in name:
            found.setdefault(name, Emoji(name=name, url=icon.url))
    return tuple(found.values())[:EMOJI_LIMIT]


def read_quote_link(tags: Sorted) -> str:
    """The post that an object link (FEP-e232) marks as quoted."""
    for tag in tags.get("Link", ()):
        if any(rel in _QUOTE_RELS for rel in json_values.listed(tag.get("rel")) if isinstance(rel, str)):
            return json_values.url(tag.get("href"))
    return ""


def write_quote_link(uri: str) -> dict[str, Json]:
    """The quoted post as an object link (FEP-e232)."""
    kind = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'
    return {"type": "Link", "mediaType": kind, "href": uri, "rel": list(_QUOTE_RELS)}


def write_mention(mention: Mention) -> dict[str, Json]:
    """One person named."""
    document: dict[str, Json] = {"type": "Mention"}
    if mention.href:
        document["href"] = mention.href
    if mention.name:
        document["name"] = mention.name
    return document


def write_hashtag(name: str, base: str) -> dict[str, Json]:
    """One hashtag; `base` is the address of the page of all tags, with its slash."""
    document: dict[str, Json] = {"type": "Hashtag", "name": f"#{name}"}
    if base:
        document["href"] = base + percent_encode(key(name), safe="")
    return document


def write_emoji(emoji: Emoji) -> dict[str, Json]:
    """One custom emoji."""
    document: dict[str, Json] = {"id": emoji.uri} if emoji.uri else {}
    document |= {"type": "Emoji", "name": f":{emoji.name}:"}
    if emoji.updated is not None:
        document["updated"] = json_values.stamp(emoji.updated)
    return document | {"icon": write_picture(Picture(url=emoji.url))}
