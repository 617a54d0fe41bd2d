"""Pictures and files that documents carry: reading every shape they come in, writing one."""

from __future__ import annotations

from fediblog.domain.documents import PICTURE_TYPES, Attachment, Json, Picture
from fediblog.markup.html import escape, plain
from fediblog.protocol import json_values

LIMIT = 16
ALT_LIMIT = 10_000
_KINDS = frozenset({"Image", "Video", "Audio", "Document", "Link"})
_PLAYED = ("video/", "audio/")
_TALLEST = 1080  # pixels: of several renditions, the best that is not more than this


def read_picture(value: Json) -> Picture | None:
    """An object, a list of sizes (the widest is taken), a plain address, or a Link; None if there is no address."""
    if value is None:
        return None
    best: Picture | None = None
    widest = -1
    for entry in json_values.links_in(value):
        address = _address(entry)
        width = json_values.count(entry.get("width")) or 0
        if address and width > widest:
            best, widest = _picture(entry, address), width
    return best


def _picture(entry: dict[str, Json], address: str) -> Picture:
    caption = json_values.text(entry.get("content"), ALT_LIMIT)
    return Picture(
        url=address,
        media_type=_type_of(entry),
        alt=_alt(entry),
        caption=plain(caption) if caption else "",
        width=json_values.count(entry.get("width")) or None,
        height=json_values.count(entry.get("height")) or None,
    )


def write_picture(picture: Picture) -> dict[str, Json]:
    """An Image with its alternative text where either kind of reader looks for it."""
    document: dict[str, Json] = {"type": "Image"}
    if kind := picture.media_type or _type_by_ending(picture.url):
        document["mediaType"] = kind
    document["url"] = picture.url
    if picture.caption:
        document["content"] = escape(picture.caption)
    return document | _alt_texts(picture.alt)


def _type_by_ending(url: str) -> str:
    return PICTURE_TYPES.get(f".{url.rpartition('.')[2]}", "")


def read_attachments(value: Json) -> tuple[Attachment, ...]:
    """The files among `attachment`; profile fields, notes and nonsense are passed over."""
    if not value:
        return ()
    found = map(read_attachment, json_values.listed(value)[: LIMIT * 4])
    return tuple(attachment for attachment in found if attachment)[:LIMIT]


def read_attachment(value: Json) -> Attachment | None:
    """One file, or None if there is no address or it is no file."""
    entry = json_values.fields(value)
    kind = json_values.kind_of(entry, _KINDS)
    address = json_values.url(entry.get("href")) or _address(entry) if kind == "Link" else _address(entry)
    if not kind or not address:
        return None
    preview = None if kind == "Link" else read_picture(entry.get("icon"))
    return Attachment(
        kind=kind,
        url=address,
        media_type=_type_of(entry),
        alt=_alt(entry),
        width=_pixels(entry, "width"),
        height=_pixels(entry, "height"),
        blurhash=json_values.name(entry.get("blurhash"), 120),
        focus=_focus(entry.get("focalPoint")),
        duration=json_values.duration(entry.get("duration")),
        preview=preview.url if preview else "",
    )


def write_attachment(attachment: Attachment) -> dict[str, Json]:
    """One file, as Mastodon writes it, with the alternative text in both places."""
    document: dict[str, Json] = {"type": attachment.kind}
    if media_type := attachment.media_type or _type_by_ending(attachment.url):
        document["mediaType"] = media_type
    document["href" if attachment.kind == "Link" else "url"] = attachment.url
    document |= _alt_texts(attachment.alt)
    if attachment.width is not None:
        document["width"] = attachment.width
    if attachment.height is not None:
        document["height"] = attachment.height
    if attachment.blurhash:
        document["blurhash"] = attachment.blurhash
    if attachment.focus:
        document["focalPoint"] = list(attachment.focus)
    if attachment.duration is not None:
        document["duration"] = json_values.duration_text(attachment.duration)
    if attachment.preview:
        document["icon"] = write_picture(Picture(url=attachment.preview))
    return document


def read_media(kind: str, document: dict[str, Json]) -> tuple[Attachment, ...]:
    """The file that a Video, Audio or Image *is*: it stands among the links in `url` (PeerTube, Funkwhale)."""
    links = [link for entry in json_values.links_in(document.get("url")) for link in (entry, *_nested(entry))]
    playable = [link for link in links if _type_of(link).startswith(_PLAYED) and _address(link)]
    if not playable:
        return _image_itself(document) if kind == "Image" else ()
    best = max(playable, key=_rank)
    icon = read_picture(document.get("icon"))
    media = Attachment(
        kind="Audio" if _type_of(best).startswith("audio/") else "Video",
        url=_address(best),
        media_type=_type_of(best),
        width=_pixels(best, "width"),
        height=_pixels(best, "height"),
        duration=json_values.duration(document.get("duration")),
        preview=icon.url if icon else "",
    )
    return (media,)


def _image_itself(document: dict[str, Json]) -> tuple[Attachment, ...]:
    picture = read_picture(document.get("url"))
    kind = json_values.media_type_of(document) or (picture.media_type if picture else "")
    if not picture or not kind.startswith("image/"):
        return ()
    return (Attachment(kind="Image", url=picture.url, media_type=kind, alt=_alt(document)),)


def _nested(link: dict[str, Json]) -> list[dict[str, Json]]:
    return [tag for tag in json_values.links_in(link.get("tag")) if tag.get("href")]


def _rank(link: dict[str, Json]) -> int:
    height = json_values.count(link.get("height")) or 0
    return height if height <= _TALLEST else -height


def _address(entry: dict[str, Json]) -> str:
    """`url` may be an address, a Link, or a list of them; a bare Link has `href`."""
    return json_values.web_link(entry.get("url")) or json_values.url(entry.get("href"))


def _type_of(entry: dict[str, Json]) -> str:
    own = json_values.media_type_of(entry)
    if own:
        return own
    return next(filter(None, map(json_values.media_type_of, json_values.links_in(entry.get("url")))), "")


def _alt(entry: dict[str, Json]) -> str:
    for key in ("summary", "name"):
        found = json_values.text(entry.get(key), ALT_LIMIT).strip()
        if found:
            return found
    return ""


def _alt_texts(alt: str) -> dict[str, Json]:
    return {"name": alt, "summary": alt} if alt else {}


def _pixels(entry: dict[str, Json], key: str) -> int | None:
    for source in (entry, *json_values.links_in(entry.get("url"))):
        found = json_values.count(source.get(key))
        if found and found < 1_000_000:
            return found
    return None


def _focus(value: Json) -> tuple[float, float] | None:
    pair = [json_values.real(part) for part in json_values.listed(value)[:3]]
    if len(pair) != 2 or pair[0] is None or pair[1] is None:
        return None
    return (max(-1.0, min(1.0, pair[0])), max(-1.0, min(1.0, pair[1])))
