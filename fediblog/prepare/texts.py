"""Texts of our own people rendered: each is parsed once, whom it mentions is looked up, then it is written as HTML."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from hashlib import blake2b

from fediblog.domain.urls import Urls
from fediblog.markup.html import MentionTarget
from fediblog.markup.markdown import Parsed, parse, write
from fediblog.markup.text import emoji_named
from fediblog.prepare.wording import Text, Words


def read(texts: Sequence[Text]) -> tuple[Parsed, ...]:
    """The texts parsed."""
    return tuple(parse(each.source, breaks=each.breaks, kind=each.kind) for each in texts)


def names(parsed: Sequence[Parsed]) -> tuple[str, ...]:
    """Whom the texts mention, each once."""
    return tuple(dict.fromkeys(name for each in parsed for name in each.mentions))


def words(
    texts: Sequence[Text], parsed: Sequence[Parsed], people: Mapping[str, MentionTarget], urls: Urls
) -> tuple[Words, ...]:
    """The texts as HTML."""
    return tuple(_words(text, each, people, urls) for text, each in zip(texts, parsed, strict=True))


def _words(text: Text, parsed: Parsed, people: Mapping[str, MentionTarget], urls: Urls) -> Words:
    anchor = _anchor(text.source) if parsed.has_ids else ""
    made = write(
        parsed,
        mentions=people,
        tag_url=urls.tag,
        inline_images=text.inline_images,
        base=urls.origin,
        anchor=f"{anchor}-" if anchor else "",
    )
    return Words(html=made.html, hashtags=made.hashtags, emoji=emoji_named(made.html), anchor=anchor)


def _anchor(source: str) -> str:
    """What stands for a number that is not known yet: no text can hold what is made of the whole of it."""
    return "p" + blake2b(source.encode("utf-8", "surrogatepass"), digest_size=12).hexdigest()
