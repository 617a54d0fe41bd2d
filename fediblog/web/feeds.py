"""Feeds of posts: Atom (RFC 4287), RSS 2.0 and JSON Feed 1.1, with the whole text.

Feed readers can hide nothing, so of a post with a content warning they get the warning and the way to it.

For browsers Atom and RSS have a style sheet and, as elements of XHTML that no feed reader looks at, words that say what
a feed is and links to its posts (CSS cannot make links of Atom's elements). XSLT, which could, is being taken out of
browsers; and the type must be `application/xml`, since browsers show what has that of a feed as plain text.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime
from html import escape
from typing import TYPE_CHECKING

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Attachment
from fediblog.domain.posts import Byline, Post
from fediblog.hashtags import key
from fediblog.messages import ENGLISH, text
from fediblog.protocol import previews
from fediblog.web.components.page_elements import day

if TYPE_CHECKING:
    from xml.etree.ElementTree import Element

ATOM = "http://www.w3.org/2005/Atom"
CONTENT = "http://purl.org/rss/1.0/modules/content/"
CREATOR = "http://purl.org/dc/elements/1.1/"
XHTML = "http://www.w3.org/1999/xhtml"
_UNKNOWN = "application/octet-stream"
_TITLE = 80  # characters of a note's beginning, for readers that cannot show an item without a title


class Feed(Struct, frozen=True, kw_only=True):
    """What a feed says of itself. `page` and `base` are whole addresses; `base` is what the feeds' endings follow."""

    title: str
    description: str
    page: str
    base: str
    author: Account | None = None
    icon: str = ""
    language: str = ENGLISH  # of our own words in it
    hub: str = ""  # the WebSub hub that is told of what is new
    style: str = ""  # address of the style sheet; the feed is for a browser then
    sizes: Mapping[str, int] = {}  # bytes of files by their addresses, where they are known


def atom(feed: Feed, posts: Sequence[Post]) -> bytes:
    """The feed as Atom."""
    root = _root("feed", {"xmlns": ATOM, "xml:lang": feed.language, **_marked(feed)})
    _add(root, "id", feed.page)
    _add(root, "title", feed.title)
    if feed.description:
        _add(root, "subtitle", feed.description)
    _add(root, "updated", _rfc3339(max((_changed(post) for post in posts), default=0)))
    _add(root, "link", rel="self", type="application/atom+xml", href=f"{feed.base}.atom")
    _add(root, "link", rel="alternate", type="text/html", href=feed.page)
    if feed.hub:
        _add(root, "link", rel="hub", href=feed.hub)
    if feed.author:
        _atom_author(root, Byline.of(feed.author))
    if feed.icon:
        _add(root, "icon", feed.icon)
    _add(root, "generator", "fediblog")
    _explain(root, feed, "atom")
    for post in posts:
        _atom_entry(_child(root, "entry"), feed, post)
    return _xml(root, feed.style)


def _atom_entry(entry: Element, feed: Feed, post: Post) -> None:
    _add(entry, "id", post.uri)
    _add(entry, "title", _title(post))
    _add(entry, "published", _rfc3339(post.published or 0))
    _add(entry, "updated", _rfc3339(_changed(post)))
    _add(entry, "link", rel="alternate", type="text/html", href=post.url)
    _add(entry, "link", rel="alternate", type="application/activity+json", href=post.uri)
    _atom_author(entry, post.byline)
    for tag in previews.hashtags(post):
        _add(entry, "category", term=key(tag), label=tag)
    for file in _files(post):
        length = {"length": str(feed.sizes[file.url])} if file.url in feed.sizes else {}
        _add(entry, "link", rel="enclosure", type=file.media_type or _UNKNOWN, href=file.url, **length)
    if about := _about(post):
        _add(entry, "summary", about)
    content = _child(entry, "content", {"type": "html"})
    if post.language:
        content.set("xml:lang", post.language)
    content.text = whole(feed, post)
    _link(entry, feed, post)


def _atom_author(parent: Element, byline: Byline) -> None:
    author = _child(parent, "author")
    _add(author, "name", byline.name)
    if byline.url:
        _add(author, "uri", byline.url)


def rss(feed: Feed, posts: Sequence[Post]) -> bytes:
    """The feed as RSS 2.0."""
    names = {"xmlns:atom": ATOM, "xmlns:content": CONTENT, "xmlns:dc": CREATOR, **_marked(feed)}
    root = _root("rss", {"version": "2.0", **names})
    channel = _child(root, "channel")
    _add(channel, "title", feed.title)
    _add(channel, "link", feed.page)
    _add(channel, "description", escape(feed.description or feed.title, quote=False))
    _add(channel, "language", feed.language)
    _add(channel, "atom:link", rel="self", type="application/rss+xml", href=f"{feed.base}.rss")
    if feed.hub:
        _add(channel, "atom:link", rel="hub", href=feed.hub)
    _add(channel, "generator", "fediblog")
    if posts:
        _add(channel, "lastBuildDate", _rfc822(max(map(_changed, posts))))
    _explain(channel, feed, "rss")
    for post in posts:
        _rss_item(_child(channel, "item"), feed, post)
    return _xml(root, feed.style)


def _rss_item(item: Element, feed: Feed, post: Post) -> None:
    if post.title:
        _add(item, "title", post.title)
    _add(item, "link", post.url)
    _add(item, "guid", post.uri, isPermaLink="false")
    _add(item, "pubDate", _rfc822(post.published or 0))
    _add(item, "dc:creator", post.byline.name)
    for tag in previews.hashtags(post):
        _add(item, "category", tag)
    about = _about(post)
    _add(item, "description", escape(about, quote=False) if about else whole(feed, post))
    _add(item, "content:encoded", whole(feed, post))
    for file in _files(post)[:1]:  # RSS allows one, the others stand in the text; where no size is known it wants 0
        length = str(feed.sizes.get(file.url, 0))
        _add(item, "enclosure", url=file.url, type=file.media_type or _UNKNOWN, length=length)
    _link(item, feed, post)


def _marked(feed: Feed) -> dict[str, str]:
    return {"xmlns:h": XHTML} if feed.style else {}


def _explain(parent: Element, feed: Feed, ending: str) -> None:
    """Words for who opens the feed in a browser."""
    if not feed.style:
        return
    head = _child(parent, "h:header", {"lang": feed.language})
    _add(head, "h:h1", feed.title)
    _add(head, "h:p", text(feed.language, "feed.what"))
    _add(_child(head, "h:p"), "h:code", f"{feed.base}.{ending}")
    _add(_child(head, "h:p"), "h:a", text(feed.language, "feed.page"), href=feed.page)


def _link(parent: Element, feed: Feed, post: Post) -> None:
    """The title of a post as a link, its day and what it is about, for a browser."""
    if not feed.style:
        return
    article = _child(parent, "h:article", {"lang": post.language} if post.language else {})
    title = _child(article, "h:h2", {"dir": "auto"})
    _add(title, "h:a", _title(post), href=post.url)
    _add(article, "h:time", day(feed.language, post.published or 0), datetime=_rfc3339(post.published or 0))
    if about := _about(post):
        _add(article, "h:p", about, dir="auto")


def json_feed(feed: Feed, posts: Sequence[Post]) -> bytes:
    """The feed as JSON Feed 1.1."""
    document: dict[str, object] = {
        "version": "https://jsonfeed.org/version/1.1",
        "title": feed.title,
        "home_page_url": feed.page,
        "feed_url": f"{feed.base}.json",
        "language": feed.language,
        "items": [_json_item(feed, post) for post in posts],
    }
    if feed.description:
        document["description"] = feed.description
    if feed.icon:
        document["icon"] = feed.icon
    if feed.hub:
        document["hubs"] = [{"type": "WebSub", "url": feed.hub}]
    if feed.author:
        document["authors"] = [_json_author(Byline.of(feed.author))]
    return json.dumps(document, ensure_ascii=False, indent=1).encode()


def _json_item(feed: Feed, post: Post) -> dict[str, object]:
    item: dict[str, object] = {
        "id": post.uri,
        "url": post.url,
        "content_html": whole(feed, post),
        "date_published": _rfc3339(post.published or 0),
        "authors": [_json_author(post.byline)],
    }
    if post.title:
        item["title"] = post.title
    if about := _about(post):
        item["summary"] = about
    if post.updated:
        item["date_modified"] = _rfc3339(post.updated)
    if tags := previews.hashtags(post):
        item["tags"] = list(tags)
    if post.language:
        item["language"] = post.language
    if post.image and not previews.hides_pictures(post):
        item["image"] = post.image.url
    if files := _files(post):
        item["attachments"] = [_json_file(feed, file) for file in files]
    return item


def _json_file(feed: Feed, file: Attachment) -> dict[str, object]:
    told: dict[str, object] = {"url": file.url, "mime_type": file.media_type or _UNKNOWN}
    return told | ({"size_in_bytes": feed.sizes[file.url]} if file.url in feed.sizes else {})


def _json_author(byline: Byline) -> dict[str, str]:
    fields = {"name": byline.name, "url": byline.url, "avatar": byline.picture}
    return {name: value for name, value in fields.items() if value}


FORMATS: dict[str, tuple[str, Callable[[Feed, Sequence[Post]], bytes]]] = {
    "atom": ("application/atom+xml; charset=utf-8", atom),
    "rss": ("application/rss+xml; charset=utf-8", rss),
    "json": ("application/feed+json; charset=utf-8", json_feed),
}
"""Media type and writer by the ending of the address."""


def whole(feed: Feed, post: Post) -> str:
    """A post's text and pictures as HTML for a feed reader, its links absolute; of what is warned of, only the way."""
    if warning := previews.warning(post):
        link = f'<a href="{escape(post.url)}">{escape(text(feed.language, "post.read-on"))}</a>'
        return f"<p><strong>{escape(warning)}</strong></p>{previews.abstract_html(post)}<p>{link}</p>"
    content = post.content.replace('href="#', f'href="{escape(post.url)}#')  # footnotes, and the way back from them
    if previews.hides_pictures(post):
        content = previews.without_pictures(content)
    elif post.image and previews.has_hero(post):
        content = f'<p><img src="{escape(post.image.url)}" alt="{escape(post.image.alt)}"></p>{content}'
    return "".join([content, _quoted(post), *map(_shown, _files(post))])


def _about(post: Post) -> str:
    """The abstract of an article as plain text."""
    return previews.abstract(post) if post.is_article else ""


def _files(post: Post) -> Sequence[Attachment]:
    return () if previews.hides_pictures(post) else previews.gallery(post)


def _quoted(post: Post) -> str:
    """A link to the post that a post quotes, unless its author refused the quote."""
    if not post.quote or post.quote_state in ("rejected", "revoked"):
        return ""
    link = escape((post.quoted.url if post.quoted else "") or post.quote)
    return f'<p>RE: <a href="{link}">{link}</a></p>'


def _shown(file: Attachment) -> str:
    url, alt = escape(file.url), escape(file.alt)
    if file.kind == "Image" or file.media_type.startswith("image/"):
        return f'<p><a href="{url}"><img src="{escape(file.preview or file.url)}" alt="{alt}"></a></p>'
    return f'<p><a href="{url}">{alt or url}</a></p>'


def _title(post: Post) -> str:
    """Atom wants a title for each entry (RFC 4287 §4.1.2); a note has none, so its beginning stands for it."""
    return previews.label(post, _TITLE) or post.byline.name


def _changed(post: Post) -> int:
    return post.updated or post.published or 0


def _rfc3339(ms: int) -> str:
    return datetime.fromtimestamp(ms / 1000, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _rfc822(ms: int) -> str:
    return format_datetime(datetime.fromtimestamp(ms / 1000, UTC), usegmt=True)


def _root(name: str, attributes: dict[str, str]) -> Element:
    from xml.etree.ElementTree import Element  # no start waits for it

    return Element(name, attributes)


def _child(parent: Element, name: str, attributes: dict[str, str] | None = None) -> Element:
    made = parent.makeelement(name, attributes or {})
    parent.append(made)
    return made


def _add(parent: Element, name: str, content: str = "", /, **attributes: str) -> None:
    element = _child(parent, name, attributes)
    if content:
        element.text = content


def _xml(root: Element, style: str) -> bytes:
    from xml.etree.ElementTree import tostring

    head = '<?xml version="1.0" encoding="utf-8"?>\n'
    if style:
        head += f'<?xml-stylesheet type="text/css" href="{escape(style)}"?>\n'
    return (head + tostring(root, encoding="unicode")).encode()
