"""What authors type to HTML: CommonMark with tables, footnotes and coloured code, or plain text; mentions, hashtags.

The parser, and what colours code, are imported when somebody writes: they take a fifteenth of the start.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache
from html import escape
from itertools import groupby
from typing import TYPE_CHECKING, Any, Final

from fediblog.hashtags import MOST, key
from fediblog.markup.bare_links import own_path
from fediblog.markup.clean import ARTICLE_LIMIT, NOTE_LIMIT, clean, clean_own, picture_address
from fediblog.markup.figures import address_of, lay_out
from fediblog.markup.html import Html, MentionTarget
from fediblog.markup.slug import slugify
from fediblog.markup.text import MARKDOWN, PLAIN, tidy

if TYPE_CHECKING:
    from markdown_it import MarkdownIt
    from markdown_it.token import Token

_CODE_SPAN: Final = re.compile(r"(?<![`\\])(`+)(?!`)(?:(?!\n[ \t]*\n).)+?(?<!`)\1(?!`)", re.DOTALL)
MENTIONS: Final = 50
"""How many of a post count; later ones are shown and do nothing."""


@dataclass(frozen=True, slots=True)
class Parsed:
    """A text that was read, to be written as HTML once. `mentions` are `user@host` or `user` in lower case, in the
    order written, each once.
    """

    parser: MarkdownIt
    tokens: list[Token]
    env: dict[str, Any]
    mentions: tuple[str, ...]

    @property
    def has_ids(self) -> bool:
        """Whether headings or footnotes get ids, which must tell the posts on a page apart."""
        return "footnotes" in self.env or any(token.type == "heading_open" for token in self.tokens)


@dataclass(frozen=True, slots=True)
class Rendered:
    """A post's HTML, and its hashtags as written without `#`, each once however it is capitalised."""

    html: Html
    hashtags: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Setting:
    """What the render rules need to know of the post at hand."""

    mentions: Mapping[str, MentionTarget]
    tag_url: Callable[[str], str] | None
    inline_images: bool
    base: str
    anchor: str


def parse(source: str, *, breaks: bool = False, kind: str = MARKDOWN) -> Parsed:
    """The text read; `kind` is MARKDOWN or PLAIN. With `breaks` a new line is a line break, as in notes."""
    md, env = _parser_of(kind, breaks), dict[str, Any]()
    tokens = md.parse(tidy(source, ARTICLE_LIMIT), env)
    return Parsed(md, tokens, env, _mentions(tokens))


def pieces(source: str) -> Iterator[tuple[bool, str]]:
    """What was typed, in pieces: whether each is code, and the piece. Together they are all of it."""
    code = {
        line
        for token in _parser(False).parse(source)
        if token.type in ("fence", "code_block") and token.map
        for line in range(*token.map)
    }
    lines = [f"{line}\n" for line in source.split("\n")]
    lines[-1] = lines[-1][:-1]
    for is_code, numbers in groupby(range(len(lines)), code.__contains__):
        text = "".join(lines[number] for number in numbers)
        if is_code:
            yield True, text
            continue
        done = 0
        for found in _CODE_SPAN.finditer(text):
            yield False, text[done : found.start()]
            yield True, found[0]
            done = found.end()
        yield False, text[done:]


def write(
    parsed: Parsed,
    *,
    mentions: Mapping[str, MentionTarget],
    tag_url: Callable[[str], str],
    inline_images: bool = True,
    base: str = "",
    anchor: str = "",
) -> Rendered:
    """What was read as HTML.

    `mentions` is keyed as `Parsed.mentions` has them; a mention that is not in it stays text. `base` makes paths of our
    own site absolute, for readers elsewhere. `anchor` tells the footnotes and headings of several posts on one page
    apart.
    """
    setting = _Setting(mentions, tag_url, inline_images, base.rstrip("/"), anchor)
    tokens, env = parsed.tokens, {**parsed.env, "setting": setting}
    if inline_images:
        lay_out(tokens)
    _adjust(tokens, setting)
    html = clean_own(parsed.parser.renderer.render(tokens, parsed.parser.options, env))
    if setting.base:  # only now, since it may be http: there every address of another picture is a link
        html = Html(html.replace('<img src="/media/', f'<img src="{escape(setting.base)}/media/'))
    return Rendered(html, _hashtags(tokens))


def render_remote(source: str, limit: int = NOTE_LIMIT, *, pictures: bool = False) -> Html:
    """Markdown that a stranger's server sent instead of HTML: cleaned as strictly, its mentions stay text."""
    md, env = _parser(breaks=False), {"setting": _Setting({}, None, pictures, "", "")}
    tokens = md.parse(tidy(source, limit), env)
    if pictures:
        lay_out(tokens)
    return clean(md.renderer.render(tokens, md.options, env), limit * 2, pictures=pictures)


def _parser_of(kind: str, breaks: bool) -> MarkdownIt:
    return _plain_parser() if kind == PLAIN else _parser(breaks)


@cache
def _plain_parser() -> MarkdownIt:
    """Paragraphs and lines as typed; every other sign of Markdown is a character."""
    from markdown_it import MarkdownIt

    from fediblog.markup.inline import fediverse

    md = MarkdownIt("zero", {"html": False, "breaks": True, "xhtmlOut": False}).enable("newline").use(fediverse)
    for name in ("mention", "hashtag"):
        md.add_render_rule(name, _RENDER_RULES[name])
    return md


@cache
def _parser(breaks: bool) -> MarkdownIt:
    from markdown_it import MarkdownIt
    from mdit_py_plugins.footnote import footnote_plugin

    from fediblog.markup.code import colour
    from fediblog.markup.inline import fediverse

    options = {"html": False, "breaks": breaks, "xhtmlOut": False, "highlight": colour}
    md = MarkdownIt("commonmark", options).enable(["table", "strikethrough"])
    md.use(footnote_plugin).use(fediverse)
    for name, rule in _RENDER_RULES.items():
        md.add_render_rule(name, rule)
    return md


def _inside(tokens: Sequence[Token]) -> Iterator[Token]:
    """All tokens inside the lines of a document."""
    for token in tokens:
        yield from token.children or ()


def _mentions(tokens: Sequence[Token]) -> tuple[str, ...]:
    found = (token.meta["handle"] for token in _inside(tokens) if token.type == "mention")
    return tuple(dict.fromkeys(found))[:MENTIONS]


def _hashtags(tokens: Sequence[Token]) -> tuple[str, ...]:
    found: dict[str, str] = {}
    for token in _inside(tokens):
        if token.type == "hashtag":
            found.setdefault(key(token.content), token.content)
    return tuple(found.values())[:MOST]


def _adjust(tokens: Sequence[Token], setting: _Setting) -> None:
    """Heading ids, table alignment by class, absolute addresses: all that is a change of attributes."""
    taken: dict[str, int] = {}
    for place, token in enumerate(tokens):
        if token.type == "heading_open":
            token.attrSet("id", _heading_id(tokens[place + 1], setting.anchor, taken))
        elif token.type in ("th_open", "td_open") and (style := token.attrs.pop("style", None)):
            token.attrSet("class", str(style).replace("text-align:", "align-"))
    for token in _inside(tokens):
        for name in ("href", "src") if setting.base else ():
            value = token.attrs.get(name)
            if isinstance(value, str) and own_path(value) and not (name == "src" and value.startswith("/media/")):
                token.attrSet(name, setting.base + value)


def _heading_id(line: Token, anchor: str, taken: dict[str, int]) -> str:
    text = "".join(token.content for token in line.children or () if token.type != "image")
    name = "-".join(part for part in ("sec", slugify(anchor), slugify(text, 60)) if part)
    taken[name] = taken.get(name, 0) + 1
    return name if taken[name] == 1 else f"{name}-{taken[name]}"


# Render rules: called by the renderer with itself, all tokens, the place of the one to render, options, environment.


def _mention(_self: Any, tokens: Sequence[Token], at: int, _options: Any, env: Any) -> str:
    token, setting = tokens[at], env["setting"]
    target: MentionTarget | None = setting.mentions.get(token.meta["handle"])
    if target is None:
        return escape(token.content)
    user = escape(token.content[1:].partition("@")[0])
    link = f'<a href="{escape(target.url)}" class="u-url mention">@<span>{user}</span></a>'
    return f'<span class="h-card" translate="no">{link}</span>'


def _hashtag(_self: Any, tokens: Sequence[Token], at: int, _options: Any, env: Any) -> str:
    name = tokens[at].content
    if env["setting"].tag_url is None:
        return escape(f"#{name}")
    url = escape(env["setting"].tag_url(name))
    return f'<a href="{url}" class="mention hashtag" rel="tag">#<span>{escape(name)}</span></a>'


def _image(self: Any, tokens: Sequence[Token], at: int, options: Any, env: Any) -> str:
    token = tokens[at]
    address, _ = address_of(token)
    source = escape(address)
    alt = escape(self.renderInlineAsText(token.children or [], options, env))
    if not env["setting"].inline_images or not picture_address(address):
        return f'<a href="{source}">{alt or source}</a>'
    title = f' title="{escape(str(token.attrs["title"]))}"' if token.attrs.get("title") else ""
    return f'<img src="{source}" alt="{alt}"{title} loading="lazy">'


def _note_name(tokens: Sequence[Token], at: int, env: Any) -> str:
    """The common part of the ids of a footnote and of the places that refer to it."""
    return "-".join(part for part in (slugify(env["setting"].anchor), str(tokens[at].meta["id"] + 1)) if part)


def _note_back(tokens: Sequence[Token], at: int, env: Any) -> str:
    times = tokens[at].meta.get("subId", 0)
    return f"fn-ref-{_note_name(tokens, at, env)}" + (f"-{times}" if times > 0 else "")


def _note_ref(_self: Any, tokens: Sequence[Token], at: int, _options: Any, env: Any) -> str:
    to, back = _note_name(tokens, at, env), _note_back(tokens, at, env)
    return f'<sup class="fn-ref"><a href="#fn-{to}" id="{back}">{tokens[at].meta["id"] + 1}</a></sup>'


def _note_open(_self: Any, tokens: Sequence[Token], at: int, _options: Any, env: Any) -> str:
    return f'<li id="fn-{_note_name(tokens, at, env)}">'


def _note_anchor(_self: Any, tokens: Sequence[Token], at: int, _options: Any, env: Any) -> str:
    # U+FE0E keeps the arrow from being shown as a picture.
    return f' <a href="#{_note_back(tokens, at, env)}" class="fn-back">↩\ufe0e</a>'


def _notes_open(_self: Any, _tokens: Sequence[Token], _at: int, _options: Any, _env: Any) -> str:
    return '<section class="footnotes">\n<ol class="fn-list">\n'


_RENDER_RULES: Final[Mapping[str, Callable[[Any, Sequence[Token], int, Any, Any], str]]] = {
    "mention": _mention,
    "hashtag": _hashtag,
    "image": _image,
    "footnote_ref": _note_ref,
    "footnote_open": _note_open,
    "footnote_anchor": _note_anchor,
    "footnote_block_open": _notes_open,
}
