"""The sanitiser: an allow-list over a real HTML parser, for what strangers send and for what we render ourselves."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from functools import cache
from html import escape
from typing import TYPE_CHECKING, Final

from fediblog.markup.balance import balance
from fediblog.markup.bare_links import addresses, link_address, own_path, web_address
from fediblog.markup.fast_clean import usual
from fediblog.markup.html import Html, plain
from fediblog.markup.text import tidy
from fediblog.markup.tokens import HIDDEN, names

if TYPE_CHECKING:
    import nh3

NOTE_LIMIT: Final = 100_000
"""Characters of a post that are read; the rest is cut off before anything parses it."""
ARTICLE_LIMIT: Final = 500_000

_TAGS: Final = re.compile("</?[a-z0-9]+")
# Text is moved out of a table, the first newline out of `pre`, and `rel` behind what comes after it.
_RESTLESS: Final = re.compile('<(?:table|pre[^>]*>\n|a [^>]*rel="[^"]*" )')
_HEADINGS: Final = re.compile("</?h(?=[1-6])")
# A value that may begin with such white space as our rule takes off: only then it is an address, and looked at as one.
_UNCLEAR: Final = re.compile("=\"[^!-%'-~]")

# A second pass nearly always changes nothing. What still moves after so many was made to.
_PASSES: Final = 5

_CLASSES: Final = names("mention hashtag u-url h-card invisible ellipsis quote-inline")
_LANGUAGE_CLASS: Final = re.compile(r"language-[A-Za-z0-9+#._-]{1,40}")
_LANGUAGE: Final = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,5}")
_NUMBER: Final = re.compile(r"-?[0-9]{1,9}")
_SPAN: Final = re.compile(r"[1-9][0-9]?")
_OWN_CLASS: Final = re.compile(
    r"fn-(?:ref|back|list|sep)|footnotes|highlight|align-(?:left|center|right)|[a-z][a-z0-9]{0,2}"
)
_FIGURE_CLASSES: Final = names("grid grid-2 grid-3 grid-4 out wide")
_WORDPRESS: Final = {"alignwide": "out", "alignfull": "wide"}
"""What WordPress calls a figure that is wider than the text, or as wide as the page: our words for it."""
# The prefixes keep an id from standing for a property of the page's scripts, or for an element of the page.
_OWN_ID: Final = re.compile(r"(?:fn|sec)-[\w-]{1,120}")
_RELATIONS: Final = names("tag me nofollow noopener noreferrer ugc license")
_PIXELS: Final = re.compile(r"[1-9][0-9]{0,4}")

Value = Callable[[str], str | None]
"""Takes an attribute's value and returns what is kept of it, or None."""


@dataclass(frozen=True, slots=True, eq=False)
class Policy:
    """What may stay: attributes by element, values by attribute. An attribute without a rule for its value goes."""

    tags: Mapping[str, frozenset[str]]
    values: Mapping[str, Value]
    rel: str | None
    always: Mapping[str, Mapping[str, str]] | None = None  # attributes that an element gets, whatever was sent

    def value(self, _tag: str, name: str, value: str) -> str | None:
        rule = self.values.get(name)
        return rule(value) if rule else None


def _shaped(pattern: re.Pattern[str]) -> Value:
    return lambda value: value if pattern.fullmatch(value) else None


def _one_of(*words: str) -> Value:
    return lambda value: value.lower() if value.lower() in words else None


def _words(kept: Callable[[str], object]) -> Value:
    return lambda value: " ".join([word for word in value.split()[:20] if kept(word)]) or None


def _short(value: str) -> str:
    return tidy(value, 1500)


def _remote_class(word: str) -> bool:
    return word in _CLASSES or bool(_LANGUAGE_CLASS.fullmatch(word))


def _article_class(word: str) -> bool:
    return _remote_class(word) or word in _FIGURE_CLASSES


def _article_classes(value: str) -> str | None:
    return " ".join(filter(_article_class, [_WORDPRESS.get(word, word) for word in value.split()[:20]])) or None


def _own_class(word: str) -> bool:
    return _article_class(word) or bool(_OWN_CLASS.fullmatch(word))


def _own_href(value: str) -> str | None:
    if value[:1] == "#":
        return value if _OWN_ID.fullmatch(value[1:]) else None
    return link_address(value) or own_path(value)


def picture_address(value: str) -> str | None:
    """The address of a picture that one of our own may show inside a text."""
    address = web_address(value)
    if address and address[:8].lower() == "https://":
        return address
    return own_path(value) if value.startswith("/media/") else None


def _far_picture(value: str) -> str | None:
    """The address of a picture on another server that a stranger's article may show inside its text."""
    address = web_address(value)
    return address if address and address[:8].lower() == "https://" else None


def _table(bare: str, particular: Mapping[str, str], everywhere: str) -> dict[str, frozenset[str]]:
    common = frozenset(everywhere.split())
    return {tag: common | frozenset(particular.get(tag, "").split()) for tag in [*bare.split(), *particular]}


_BARE: Final = (
    "b bdi blockquote br caption cite dd del details div dl dt em figcaption figure h1 h2 h3 h4 h5 h6 hr i ins kbd li"
    " mark p pre q rp rt ruby s samp section small strong sub summary sup table tbody tfoot thead tr u ul var wbr"
)
_PARTICULAR: Final = {
    "a": "href",
    "abbr": "title",
    "code": "",
    "ol": "start reversed",
    "span": "translate",
    "td": "colspan rowspan",
    "th": "colspan rowspan",
}
_VALUES: Final[Mapping[str, Value]] = {
    "class": _words(_remote_class),
    "colspan": _shaped(_SPAN),
    "dir": _one_of("ltr", "rtl", "auto"),
    "href": link_address,
    "lang": _shaped(_LANGUAGE),
    "rel": _words(_RELATIONS.__contains__),
    "reversed": lambda _value: "",
    "rowspan": _shaped(_SPAN),
    "start": _shaped(_NUMBER),
    "title": _short,
    "translate": _one_of("no"),
}
_REL: Final = "nofollow noopener noreferrer ugc"
REMOTE: Final = Policy(
    tags=_table(_BARE, _PARTICULAR, "class dir lang"),
    values=_VALUES,
    rel=_REL,
)
ARTICLE: Final = Policy(
    tags={**REMOTE.tags, "img": names("src alt width height title referrerpolicy")},
    values={
        **_VALUES,
        "alt": _short,
        "class": _article_classes,
        "height": _shaped(_PIXELS),
        "referrerpolicy": _one_of("no-referrer"),
        "src": _far_picture,
        "width": _shaped(_PIXELS),
    },
    rel=_REL,
    always={"img": {"referrerpolicy": "no-referrer"}},
)
"""What strangers send as an article, whose pictures stand where its author put them."""
OWN: Final = Policy(
    tags=_table(
        _BARE,
        {**_PARTICULAR, "a": "href rel title", "img": "src alt width height loading title"},
        "class dir id lang",
    ),
    values={
        **_VALUES,
        "alt": _short,
        "class": _words(_own_class),
        "height": _shaped(_PIXELS),
        "href": _own_href,
        "id": _shaped(_OWN_ID),
        "loading": _one_of("lazy"),
        "src": picture_address,
        "width": _shaped(_PIXELS),
    },
    rel=None,
)


def clean(text: str, limit: int = NOTE_LIMIT, *, pictures: bool = False) -> Html:
    """What may be shown of HTML that a stranger sent, `pictures` too if asked. Cleaning it again changes nothing."""
    text = tidy(text, limit)
    if pictures and "<img" in text.lower():
        return _settled(text, ARTICLE)
    written = usual(text, REMOTE.tags, REMOTE.value, _REL)
    return _settled(text, REMOTE) if written is None else Html(written)


def clean_own(text: str, limit: int = 4 * ARTICLE_LIMIT) -> Html:
    """What may be shown of HTML that we rendered for one of our own: pictures, footnotes, coloured code too."""
    return _settled(text[:limit], OWN)


def plain_to_html(text: str, limit: int = NOTE_LIMIT) -> Html:
    """Plain text as paragraphs with line breaks, its web addresses as links."""
    paragraphs = (part for part in tidy(text, limit).split("\n\n") if part.strip())
    return _settled("".join(f"<p>{_linked(part.strip())}</p>" for part in paragraphs), REMOTE)


def _linked(text: str) -> str:
    out, done = [], 0
    for start, end in addresses(text):
        address = escape(text[start:end])
        out.append(escape(text[done:start]) + f'<a href="{address}">{address}</a>')
        done = end
    return ("".join(out) + escape(text[done:])).replace("\n", "<br>")


def _settled(text: str, policy: Policy) -> Html:
    """Cleans until cleaning changes nothing, so that no browser reads the result otherwise than we did."""
    cleaner, html = _cleaner(policy), text
    for _ in range(1 + _PASSES):
        before, balanced = html, balance(tidy(html), policy.tags)
        html = cleaner.clean(balanced)
        if html == before or _is_steady(balanced, html):
            return Html(html)
    paragraphs = "".join(f"<p>{escape(part)}</p>" for part in plain(html).split("\n\n"))
    return Html(cleaner.clean(balance(tidy(paragraphs), policy.tags)))


def _is_steady(balanced: str, html: str) -> bool:
    """Whether cleaning `html`, which the sanitiser made of `balanced`, is certain to change nothing: no need to, then.

    What a parser moves, repeats, ends early or drops shows in the tags of what it has read, once that is written down.
    If they are the tags that it was given, it will read them so again, and balancing them again changes nothing, unless
    a heading is within another. Beside them there are text and values, whose rules keep what they have let through.
    """
    return (
        _TAGS.findall(balanced) == _TAGS.findall(html)
        and tidy(html) == html
        and not _RESTLESS.search(html)
        and "<h<h" not in "".join(_HEADINGS.findall(html))
        and not _UNCLEAR.search(balanced)
    )


@cache
def _cleaner(policy: Policy) -> nh3.Cleaner:
    """The sanitiser of one policy; making it takes longer than using it."""
    import nh3  # a megabyte of memory, which a server needs at the first text that comes in

    return nh3.Cleaner(
        tags=set(policy.tags),
        clean_content_tags=set(HIDDEN),
        attributes={tag: set(names) for tag, names in policy.tags.items()},
        attribute_filter=policy.value,
        link_rel=policy.rel,
        set_tag_attribute_values=policy.always and {tag: dict(given) for tag, given in policy.always.items()},
        url_schemes={"http", "https", "mailto"},
    )
