"""What a post carries beside its own row: tags and files."""

from __future__ import annotations

import re
from html import unescape
from itertools import islice
from typing import Any

from fediblog.domain.documents import Attachment, Note
from fediblog.hashtags import key
from fediblog.store.tx import Tx

_COLUMNS = (
    "id, post, position, kind, url, preview, media_type, alt, width, height, blurhash, focus_x, focus_y, duration"
)
_INSERT = f"insert into attachment ({_COLUMNS}) values (" + ", ".join(f":{name}" for name in _COLUMNS.split(", ")) + ")"

MOST_LINKS = 5  # of one post
MOST_LOOKED_AT = 1000  # mentions and hashtags included: a long text has thousands
LONGEST_LINK = 1000  # characters
_LINK = re.compile(r'<a\b([^>]*?)\bhref="(https?://[^"]+)"([^>]*)>')
_NAMES = re.compile(r'\b(?:mention|hashtag|u-url)\b|rel="[^"]*\btag\b')


def put(tx: Tx, post: int, note: Note) -> None:
    """Store the tags and files of a post that has none yet."""
    seen: dict[str, str] = {}
    for name in note.hashtags:
        seen.setdefault(key(name), name)
    if seen:
        tx.many(
            "insert into post_tag (tag, post, name) values (:tag, :post, :name) on conflict do nothing",
            [{"tag": tag, "post": post, "name": name} for tag, name in seen.items()],
        )
    if note.attachments:
        tx.many(_INSERT, [_values(tx, post, i, each) for i, each in enumerate(note.attachments)])


def put_links(tx: Tx, post: int, note: Note) -> None:
    """Note to which pages a public post points, whom it names and its hashtags left out."""
    if 'href="http' not in note.content:
        return
    named = {each.href for each in note.mentions}
    found = dict[str, None]()
    for match in islice(_LINK.finditer(note.content), MOST_LOOKED_AT):
        before, link, after = match[1], unescape(match[2]), match[3]
        if link in found or link in named or len(link) > LONGEST_LINK:
            continue
        if not _NAMES.search(f"{before} {after}"):
            found[link] = None
            if len(found) == MOST_LINKS:
                break
    if found:
        tx.many(
            "insert into post_link (link, post) values (:link, :post) on conflict do nothing",
            [{"link": link, "post": post} for link in found],
        )


def replace(tx: Tx, post: int, note: Note, *, is_open: bool) -> None:
    """The same for one that has some; links are noted of one that is for everybody."""
    tx.run("delete from post_link where post = :id", id=post)
    if is_open:
        put_links(tx, post, note)
    tx.run("delete from post_tag where post = :id", id=post)
    tx.run("delete from attachment where post = :id", id=post)
    put(tx, post, note)


def _values(tx: Tx, post: int, position: int, each: Attachment) -> dict[str, Any]:
    focus = each.focus or (None, None)
    return {
        "id": tx.new_id(),
        "post": post,
        "position": position,
        "kind": each.kind,
        "url": each.url,
        "preview": each.preview,
        "media_type": each.media_type,
        "alt": each.alt,
        "width": each.width,
        "height": each.height,
        "blurhash": each.blurhash,
        "focus_x": focus[0],
        "focus_y": focus[1],
        "duration": each.duration,
    }
