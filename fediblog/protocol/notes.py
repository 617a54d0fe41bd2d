"""Posts: every shape in which servers send notes, articles, pages, polls, videos and events, and the one we send."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from fediblog.domain.documents import POST_KINDS, Attachment, Happening, Json, Note, Source
from fediblog.protocol import json_values, tag_array
from fediblog.protocol.attachments import LIMIT as ATTACHMENTS_LIMIT
from fediblog.protocol.attachments import (
    read_attachments,
    read_media,
    read_picture,
    write_attachment,
    write_picture,
)
from fediblog.protocol.authority import same_origin
from fediblog.protocol.contexts import in_context, without_context
from fediblog.protocol.interaction_policy import read_policy
from fediblog.protocol.previews import abstract_html, hides_pictures
from fediblog.protocol.questions import read_poll, write_poll

TITLE_LIMIT = 500
SUMMARY_LIMIT = 10_000
CONTENT_LIMIT = 100_000
ARTICLE_LIMIT = 400_000
SOURCE_LIMIT = 200_000
WARNING = "dcterms:subject"  # of an Article (FEP-b2b8)
_QUOTES = ("quote", "quoteUri", "quoteUrl", "quoteURL", "_misskey_quote")
_TEXTS = frozenset({"text/html", "text/plain", "text/markdown"})
_LONG = frozenset({"Article", "Page"})
_MEDIA = frozenset({"Video", "Audio", "Image"})


def read_note(document: Json) -> Note | None:
    """The post, or None if an essential part is missing: id, type, and an author of the same origin."""
    doc = json_values.fields(document)
    uri, kind = json_values.url(doc.get("id")), json_values.kind_of(doc, POST_KINDS)
    if not (uri and kind and (author := _author(doc, uri))):
        return None
    content, language = _content(doc, ARTICLE_LIMIT if kind in _LONG else CONTENT_LIMIT)
    to = json_values.addresses(doc.get("to"))
    named, warning = tag_array.sort(doc.get("tag")), _warning(doc.get(WARNING))
    replies, reply_count = _counted(doc.get("replies") or doc.get("comments"))
    likes, like_count = _counted(doc.get("likes"))
    shares, share_count = _counted(doc.get("shares"))
    return Note(
        uri=uri,
        kind=kind,
        author=author,
        to=to,
        cc=_copies(doc, to),
        title=json_values.name(_text_or_map(doc, "name", TITLE_LIMIT), TITLE_LIMIT),
        summary=_summary(doc, warning),
        warning=warning,
        content=content,
        media_type=_media_type(doc),
        language=language or _language(doc),
        source=_source(doc.get("source")),
        url=json_values.web_link(doc.get("url")),
        in_reply_to=json_values.ref(doc.get("inReplyTo")),
        published=json_values.moment(doc.get("published")),
        updated=json_values.moment(doc.get("updated")),
        sensitive=json_values.flag(doc.get("sensitive")),
        mentions=tag_array.read_mentions(named),
        hashtags=tag_array.read_hashtags(named),
        emoji=tag_array.read_emoji(named),
        attachments=_attachments(doc, kind),
        image=read_picture(doc.get("image")) or (read_picture(doc.get("icon")) if kind in _MEDIA else None),
        quote=_quote(doc, named),
        quote_proof=json_values.ref(doc.get("quoteAuthorization")) if doc.get("quote") is not None else None,
        context=json_values.ref(doc.get("context")),
        conversation=_conversation(doc.get("conversation")),
        replies=replies,
        likes=likes,
        shares=shares,
        reply_count=reply_count,
        like_count=like_count,
        share_count=share_count,
        poll=read_poll(doc) if kind == "Question" else None,
        policy=read_policy(doc["interactionPolicy"]) if "interactionPolicy" in doc else None,
        happening=_happening(doc) if kind == "Event" else None,
        duration=json_values.duration(doc.get("duration")),
    )


def is_bare(note: Note) -> bool:
    """Whether it is nothing but a name below some post: a vote, if that has a poll."""
    bare = not note.content and not note.attachments
    return note.kind == "Note" and bool(note.title) and bool(note.in_reply_to) and bare


def write_note(
    note: Note,
    *,
    tag_base: str = "",
    can_quote: Sequence[str] | None = None,
    can_reply: Sequence[str] | None = None,
    quote_authorization: str = "",
    reply_authorization: str = "",
    approved_by: str = "",
    first_replies: Json = None,
) -> dict[str, Json]:
    """A post of ours (Note, Article or Question) with our `@context`.

    `tag_base` is the address of the tag pages; `can_quote` and `can_reply` are who may do so without asking (None:
    nothing is said; nobody is the author's own id); `approved_by`, which GoToSocial reads up to 0.20, is the same
    as `reply_authorization` or, where there is none, the id of the Accept; `first_replies` is the id of the first page,
    or the page itself.
    """
    doc: dict[str, Json] = {"id": note.uri, "type": note.kind, "attributedTo": note.author}
    doc |= _dates_and_place(note)
    doc |= {"to": list(note.to), "cc": list(note.cc)}
    doc |= _write_text(note)
    doc["sensitive"] = note.sensitive
    doc["tag"] = [
        *map(tag_array.write_mention, note.mentions),
        *(tag_array.write_hashtag(name, tag_base) for name in note.hashtags),
        *map(tag_array.write_emoji, note.emoji),
        *([tag_array.write_quote_link(note.quote)] if note.quote else []),
    ]
    doc["attachment"] = [write_attachment(attachment) for attachment in note.attachments]
    doc |= _write_quote(note.quote, quote_authorization)
    proofs: dict[str, Json] = {"replyAuthorization": reply_authorization, "approvedBy": approved_by}
    doc |= {key: value for key, value in proofs.items() if value}
    doc |= _write_policy(can_quote, can_reply)
    doc |= _write_counted("replies", note.replies, note.reply_count, first_replies)
    doc |= _write_counted("likes", note.likes, note.like_count)
    doc |= _write_counted("shares", note.shares, note.share_count)
    if note.poll:
        doc |= write_poll(note.poll)
    if note.kind == "Article":
        doc["preview"] = write_preview(note)
    return in_context(doc)


def write_preview(note: Note) -> dict[str, Json]:
    """The short Note that stands for an Article where articles are not shown (FEP-b2b8).

    It tells the abstract or, unless there is a warning, the beginning of the text.
    """
    link, about = escape(note.url or note.uri), abstract_html(note)
    preview: dict[str, Json] = {
        "type": "Note",
        "attributedTo": note.author,
        "content": f'<p><strong>{escape(note.title)}</strong></p>{about}<p><a href="{link}">{link}</a></p>',
        "sensitive": note.sensitive,
    }
    if note.warning:
        preview["summary"] = note.warning
    if note.published is not None:
        preview["published"] = json_values.stamp(note.published)
    if note.image and not hides_pictures(note):
        preview["attachment"] = [write_picture(note.image)]
    return preview


def write_vote(*, uri: str, author: str, to: str, question: str, option: str) -> dict[str, Json]:
    """A vote in a poll: `to` is the one who asked, and nobody else learns of it."""
    doc: dict[str, Json] = {"id": uri, "type": "Note", "attributedTo": author, "to": [to], "inReplyTo": question}
    return doc | {"name": option}


def _author(doc: dict[str, Json], uri: str) -> str:
    """Who wrote it, among those of the post's origin; a person before the group (PeerTube lists both)."""
    claimed = doc.get("attributedTo") or doc.get("actor")
    if isinstance(claimed, str):
        author = json_values.url(claimed)
        return author if author and same_origin(author, uri) else ""
    found = [(json_values.ref(entry), json_values.kinds(entry)) for entry in json_values.listed(claimed)[:16]]
    own = [(author, kinds) for author, kinds in found if author and same_origin(author, uri)]
    people = [author for author, kinds in own if "Group" not in kinds]
    return people[0] if people else own[0][0] if own else ""


def _copies(doc: dict[str, Json], to: tuple[str, ...]) -> tuple[str, ...]:
    cc = json_values.addresses(doc.get("cc"))
    if "audience" not in doc:
        return cc
    audience = json_values.addresses(doc.get("audience"))
    return (*cc, *(address for address in audience if address not in to and address not in cc))


def _content(doc: dict[str, Json], limit: int) -> tuple[str, str]:
    """The content and its language; Friendica and others send `contentMap` alone."""
    content = json_values.text(doc.get("content"), limit)
    if "contentMap" not in doc:
        return content, ""
    texts = json_values.language_map(doc.get("contentMap"), limit)
    for tag, text in texts.items():
        if not content or text == content:
            return text, json_values.language(tag)
    return content, json_values.language(next(iter(texts), ""))


def _text_or_map(doc: dict[str, Json], key: str, limit: int) -> str:
    found = json_values.text(doc.get(key), limit)
    if found or f"{key}Map" not in doc:
        return found
    return next(iter(json_values.language_map(doc[f"{key}Map"], limit).values()), "")


def _language(doc: dict[str, Json]) -> str:
    """Lemmy's and PeerTube's `language`, or the @language of the context."""
    told = doc.get("language")
    found = (
        json_values.language(told) or json_values.language(json_values.fields(told).get("identifier")) if told else ""
    )
    if found or "@context" not in doc:
        return found
    contexts = map(json_values.fields, json_values.listed(doc.get("@context"))[:20])
    return next(filter(None, (json_values.language(entry.get("@language")) for entry in contexts)), "")


def _media_type(doc: dict[str, Json]) -> str:
    if "mediaType" not in doc:
        return "text/html"
    found = json_values.media_type(doc["mediaType"])
    return found if found in _TEXTS else "text/html"


def _warning(value: Json) -> str:
    if value is None:
        return ""
    found = (json_values.name(entry, SUMMARY_LIMIT) for entry in json_values.listed(value)[:10])
    return ", ".join(filter(None, found))


def _summary(doc: dict[str, Json], warning: str) -> str:
    """The summary, unless it only says the warning once more."""
    summary = json_values.without_blank(_text_or_map(doc, "summary", SUMMARY_LIMIT))
    return "" if warning and summary == _as_summary(warning) else summary


def _as_summary(warning: str) -> str:
    """The warning of an Article without an abstract: most servers fold a text away for its `summary` alone."""
    return escape(warning, quote=False)


def _source(value: Json) -> Source | None:
    """An object, or with Pleroma a bare string."""
    if value is None:
        return None
    content = json_values.text(
        json_values.fields(value).get("content") if isinstance(value, dict) else value, SOURCE_LIMIT
    )
    kind = json_values.media_type(json_values.fields(value).get("mediaType"))
    return Source(content=content, media_type=kind) if content else None


def _attachments(doc: dict[str, Json], kind: str) -> tuple[Attachment, ...]:
    media = read_media(kind, doc) if kind in _MEDIA else ()
    return (*media, *read_attachments(doc.get("attachment")))[:ATTACHMENTS_LIMIT]


def _quote(doc: dict[str, Json], named: tag_array.Sorted) -> str:
    quote = doc.get("quote")
    if isinstance(quote, dict) and "Tombstone" in json_values.kinds(quote):
        return ""  # the quoted post was deleted
    for key in _QUOTES:
        if key in doc and (quoted := json_values.ref(doc[key])):
            return quoted
    return tag_array.read_quote_link(named)


def _conversation(value: Json) -> str:
    """Opaque: a tag: URI with some, an address with others."""
    if value is None:
        return ""
    found = json_values.name(value, json_values.URL_LIMIT) if isinstance(value, str) else json_values.ref(value)
    return "" if " " in found else found


def _counted(value: Json) -> tuple[str, int | None]:
    """The id of a collection, and its size where it is embedded."""
    if value is None:
        return "", None
    if isinstance(value, list):
        return "", len(value) or None
    total = json_values.total(value.get("totalItems")) if isinstance(value, dict) else None
    return json_values.ref(value), total


def _happening(doc: dict[str, Json]) -> Happening:
    places = (_place(entry) for entry in json_values.listed(doc.get("location"))[:10])
    return Happening(
        starts=json_values.moment(doc.get("startTime")),
        ends=json_values.moment(doc.get("endTime")),
        place=next(filter(None, places), ""),
    )


def _place(value: Json) -> str:
    """Name and postal address of a Place, or the address of a VirtualLocation."""
    if isinstance(value, str):
        return json_values.name(value)
    place = json_values.fields(value)
    address = place.get("address")
    postal = json_values.fields(address)
    keys = ("streetAddress", "postalCode", "addressLocality", "addressRegion", "addressCountry")
    parts = [place.get("name"), address, *(postal.get(key) for key in keys)]
    known = dict.fromkeys(filter(None, (json_values.name(part, 200) for part in parts)))
    return ", ".join(known)[: json_values.NAME_LIMIT] or json_values.web_link(place.get("url"))


def _dates_and_place(note: Note) -> dict[str, Json]:
    doc: dict[str, Json] = {}
    if note.published is not None:
        doc["published"] = json_values.stamp(note.published)
    if note.updated is not None:
        doc["updated"] = json_values.stamp(note.updated)
    links = {
        "url": note.url,
        "inReplyTo": note.in_reply_to,
        "context": note.context,
        "conversation": note.conversation,
    }
    return doc | {key: value for key, value in links.items() if value}


def _write_text(note: Note) -> dict[str, Json]:
    """Only an Article has a name: on a Note it would be taken for a vote."""
    doc: dict[str, Json] = {}
    if note.kind == "Article":
        doc["name"] = note.title
        if note.warning:
            doc[WARNING] = note.warning
        if note.image:
            doc["image"] = write_picture(note.image)
    if summary := note.summary or _as_summary(note.warning):
        doc["summary"] = summary
    doc["content"] = note.content
    if note.language:
        doc["contentMap"] = {note.language: note.content}
    if note.media_type != "text/html":
        doc["mediaType"] = note.media_type
    if note.source:
        kind: dict[str, Json] = {"mediaType": note.source.media_type} if note.source.media_type else {}
        doc["source"] = {"content": note.source.content, **kind}
    return doc


def _write_quote(quote: str, authorization: str) -> dict[str, Json]:
    if not quote:
        return {}
    doc: dict[str, Json] = {"quote": quote, "quoteUri": quote, "_misskey_quote": quote}
    return doc | ({"quoteAuthorization": authorization} if authorization else {})


def _write_policy(can_quote: Sequence[str] | None, can_reply: Sequence[str] | None) -> dict[str, Json]:
    allowed = {"canQuote": can_quote, "canReply": can_reply}
    policy = {key: {"automaticApproval": list(who)} for key, who in allowed.items() if who is not None}
    return {"interactionPolicy": policy} if policy else {}


def _write_counted(key: str, uri: str, total: int | None, first: Json = None) -> dict[str, Json]:
    """Embedded, because Mastodon shows only the numbers that it finds inside the post."""
    if not uri and total is None:
        return {}
    doc: dict[str, Json] = {"id": uri} if uri else {}
    doc["type"] = "Collection"
    if total is not None:
        doc["totalItems"] = total
    if first:
        doc["first"] = without_context(first) if isinstance(first, dict) else first
    return {key: doc}
