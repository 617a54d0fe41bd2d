"""Another origin in what people wrote: in its links to this server, and nowhere else.

What was typed about the old address, in prose or as code, is what its author said, and stays; so do others' words.
"""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Collection, Iterator
from functools import partial

from fediblog.domain.urls import Urls

Pieces = Callable[[str], Iterator[tuple[bool, str]]]
"""Splits Markdown into (whether it is code, text)."""

TEXTS: dict[str, tuple[str, dict[str, str]]] = {
    "post": (
        "local = 1",
        {
            **{"content": "html", "summary": "html", "source": "source", "title": "words", "warning": "words"},
            **{"poll": "words", "image_alt": "words", "image_caption": "words"},
        },
    ),
    "revision": (
        "post in (select id from post where local = 1)",
        {"content": "html", "summary": "html", "source": "source", "title": "words", "warning": "words"},
    ),
    "account": (
        "local = 1",
        {
            **{"summary": "html", "summary_source": "source", "fields": "json_html", "fields_source": "json_source"},
            **{"name": "words", "headline": "words", "icon_alt": "words", "image_alt": "words"},
        },
    ),
    "page": ("", {"content": "html", "source": "source", "title": "words"}),
    "announcement": ("", {"content": "html", "source": "source"}),
    "showcase": ("", {"sections": "json_source"}),
    "outgoing": ("", {"body": "document"}),
    "attachment": ("", {"alt": "words"}),
    "media": ("", {"alt": "words"}),
    "trash": ("", {"draft": "json_source", "words": "words"}),
    "category": ("", {"name": "words", "description": "words"}),
    "circle": ("", {"name": "words"}),
    "user_list": ("", {"title": "words"}),
    "word_filter": ("", {"title": "words"}),
    "filter_keyword": ("", {"keyword": "words"}),
    "account_note": ("", {"comment": "words"}),
    "poll_vote": ("", {"choice": "words"}),
    "report": ("", {"content": "words"}),
    "guest": ("", {"name": "words"}),
}
"""Of each table which rows are our people's, and as what the columns are read that they typed. Others are addresses."""

_TAG = re.compile("(<[^>]*>)")
_ADDRESSES = re.compile('(?<= )((?:href|src)=")([^"]*)(?=")')
_WORDS = frozenset(("name", "content", "summary", "value"))  # of a document


class OwnLinks:
    """Writes another address in place of an old one where a text links to what is here.

    `handles` are those of our people, `slugs` those of pages; `whole` rewrites what is nothing but addresses.
    """

    def __init__(
        self, old: Urls, new: Urls, handles: Collection[str], slugs: Collection[str], pieces: Pieces,
        whole: Callable[[str], str],
    ) -> None:  # fmt: skip
        people = "|".join(map(re.escape, sorted(handles))) or r"\Z."
        words = "|".join(map(re.escape, sorted({*slugs, "about", "archive", "categories", "tags"})))
        origin = re.escape(old.origin)
        here = rf"@(?:{people})(?![\w])|media/|tags/|category/|feed\.|[ap]/[0-9]|(?:{words})(?![\w-])"
        self._old, self._new, self._pieces, self._whole = old, new, pieces, whole
        self._page = re.compile(f"{origin}(?=/(?:{here}))")
        self._home = re.compile(rf"{origin}/?\Z")
        self._link_home = re.compile(rf'(\]\(<?|^\[[^\]]+\]: *<?){origin}(?=/?[\s)>"]|/?\Z)', re.MULTILINE)
        self._handle = re.compile(rf"(?<![\w@])@({people})@{re.escape(old.handle_domain)}(?![\w.:-]*\w)")

    def reader(self, kind: str) -> Callable[[str], str] | None:
        """What rewrites a text of that kind; None for words that stay as they are."""
        readers: dict[str, Callable[[str], str]] = {
            "html": self.html,
            "source": self.source,
            "json_html": partial(self.json_of, change=self.html),
            "json_source": partial(self.json_of, change=self.source),
            "document": self.document,
        }
        return readers.get(kind)

    def source(self, text: str) -> str:
        """Of Markdown, or of what is one address."""
        if not self._is_named(text):
            return text
        if self._home.match(text):
            return f"{self._new.origin}{text[len(self._old.origin) :]}"
        return "".join(piece if is_code else self._typed(piece) for is_code, piece in self._pieces(text))

    def html(self, text: str) -> str:
        """Of HTML that we made, in which each address is a link."""
        if not self._is_named(text):
            return text
        pieces, code = _TAG.split(text), 0
        pieces[0] = self._typed(pieces[0])
        for at in range(1, len(pieces), 2):
            name = pieces[at][1:-1].partition(" ")[0]
            if name.strip("/") in ("code", "pre"):
                code += -1 if name[0] == "/" else 1
            if not code:
                says_address = pieces[at + 1].startswith((self._old.origin, self._old.host))
                change = partial(self._address, says_address=says_address)
                pieces[at], pieces[at + 1] = _ADDRESSES.sub(change, pieces[at]), self._typed(pieces[at + 1])
        return "".join(pieces)

    def json_of(self, text: str, change: Callable[[str], str]) -> str:
        """Of each text in JSON."""
        return self._changed_json(text, lambda value, _key: change(value))

    def document(self, text: str) -> str:
        """Of an activity: what people wrote in it as that, and all else as addresses."""

        def change(value: str, key: str) -> str:
            if key == "source":
                return self.source(value)
            return self.html(value) if key in _WORDS else self._whole(value)

        return self._changed_json(text, change)

    def _changed_json(self, text: str, change: Callable[[str, str], str]) -> str:
        if not self._is_named(text):
            return text
        before = json.loads(text)
        after = _walked(before, "", change)
        return text if after == before else json.dumps(after)

    def _is_named(self, text: str) -> bool:
        return self._old.host in text or self._old.handle_domain in text

    def _typed(self, text: str) -> str:
        text = self._handle.sub(lambda found: f"@{found[1]}@{self._new.handle_domain}", text)
        text = self._link_home.sub(lambda found: f"{found[1]}{self._new.origin}", text)
        return self._page.sub(self._new.origin, text)

    def _address(self, found: re.Match[str], says_address: bool) -> str:
        start, address = found.groups()
        if self._page.match(address) or (self._home.match(address) and not says_address):
            return f"{start}{self._new.origin}{address[len(self._old.origin) :]}"
        return f"{start}{address}"


def _walked(value: object, key: str, change: Callable[[str, str], str]) -> object:
    match value:
        case str():
            return change(value, key)
        case list():
            return [_walked(each, key, change) for each in value]
        case dict():
            return {name: _walked(each, _key(value, name, key), change) for name, each in value.items()}
    return value


def _key(parent: dict[str, object], name: str, above: str) -> str:
    """As what a member of a document is read: the source of a text, words in several languages, whom it mentions."""
    if name == "content" and above == "source":
        return "source"
    if above in ("contentMap", "summaryMap", "nameMap"):
        return above.removesuffix("Map")
    return "" if name == "name" and parent.get("type") == "Mention" else name
