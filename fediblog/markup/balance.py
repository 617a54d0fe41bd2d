"""Writes tag soup again as balanced tags of bounded depth.

An HTML parser repairs misnested formatting by repeating it (HTML standard, 13.2.4.3): 15 kB of
`<p><b a><b b>…<p>x<p>x…` grow to 10 MB. What comes from here
needs no such repair: the work, and the result, stay in proportion.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from fediblog.markup.tokens import Open, names, tokenise

DEPTH: Final = 50
"""Elements open at once; deeper ones lose their tags and keep their text."""

VOID: Final = frozenset(("br", "hr", "img", "wbr"))

# Elements that we do not keep and that have a twin with the same look.
RENAMED: Final = {
    **dict.fromkeys(
        ("address", "article", "aside", "center", "fieldset", "footer", "form", "header", "main", "nav"), "div"
    ),
    "acronym": "abbr",
    "big": "strong",
    "strike": "s",
    "tt": "code",
}
_HEADINGS: Final = frozenset(("h1", "h2", "h3", "h4", "h5", "h6"))
_CELLS: Final = frozenset(("td", "th", "caption"))
_GROUPS: Final = frozenset(("thead", "tbody", "tfoot", "caption"))
_BLOCKS: Final = _HEADINGS | names("blockquote details div dl figcaption figure hr ol p pre section summary table ul")
_TABLE: Final = frozenset(("table",))
_ITEMS: Final = frozenset(("ol", "ul"))

# A start tag ends an open element of the first set, unless one of the second set was opened in between.
IMPLIED: Final[Mapping[str, tuple[frozenset[str], frozenset[str]]]] = {
    **dict.fromkeys(_BLOCKS, (frozenset(("p",)), _CELLS)),
    **dict.fromkeys(_HEADINGS, (_HEADINGS | {"p"}, _CELLS | _BLOCKS)),
    "li": (frozenset(("li",)), _ITEMS | _CELLS),
    **dict.fromkeys(("dt", "dd"), (frozenset(("dt", "dd")), frozenset(("dl",)) | _CELLS)),
    **dict.fromkeys(("td", "th"), (frozenset(("td", "th")), frozenset(("tr", "table")))),
    "tr": (frozenset(("tr",)) | _CELLS, _GROUPS - {"caption"} | _TABLE),
    **dict.fromkeys(_GROUPS, (_GROUPS, _TABLE)),
    **dict.fromkeys(("rt", "rp"), (frozenset(("rt", "rp")), frozenset(("ruby",)))),
    "a": (frozenset(("a",)), _CELLS),
}


class _Writer:
    """The elements that are open, and what was written."""

    def __init__(self, allowed: Mapping[str, frozenset[str]]) -> None:
        self.allowed = allowed
        self.out: list[str] = []
        self.stack: list[str] = []

    def text(self, data: str) -> None:
        if data[0] == "\n" and self.out and self.out[-1].startswith("<pre"):
            # The parser drops one newline here, so all go: else each cleaning would take another one.
            data = data.lstrip("\n")
        if data:
            self.out.append("&lt;" if data == "<" else data)

    def open(self, name: str, attributes: Mapping[str, str]) -> None:
        name = RENAMED.get(name, name)
        if name not in self.allowed:
            if name == "img" and (alt := attributes.get("alt")):
                self.text(alt.replace("<", "&lt;"))
            return
        self._end_implied(name)
        if name not in VOID:
            if len(self.stack) >= DEPTH:
                return
            self.stack.append(name)
        kept, written = self.allowed[name], ""
        for key, value in attributes.items():
            if key in kept:
                written += f' {key}="' + value.replace('"', "&quot;").replace("<", "&lt;") + '"'
        self.out.append(f"<{name}{written}>")

    def close(self, name: str) -> None:
        name = RENAMED.get(name, name)
        for depth in range(len(self.stack) - 1, -1, -1):
            if self.stack[depth] == name:
                self.end_to(depth)
                return
            if self.stack[depth] in _CELLS and name not in IMPLIED:
                return
        if name == "br":
            self.open(name, {})

    def _end_implied(self, name: str) -> None:
        if name not in IMPLIED:
            return
        ended, barriers = IMPLIED[name]
        if ended.isdisjoint(self.stack):
            return
        for depth in range(len(self.stack) - 1, -1, -1):
            if self.stack[depth] in ended:
                self.end_to(depth)
                return
            if self.stack[depth] in barriers:
                return

    def end_to(self, depth: int) -> None:
        """Ends elements until only `depth` are open."""
        while len(self.stack) > depth:
            self.out.append(f"</{self.stack.pop()}>")


def balance(html: str, allowed: Mapping[str, frozenset[str]]) -> str:
    """The same content with the allowed elements and attributes only, each element ended where it must be.

    An image that is not allowed leaves its text. The result is not safe yet: no value has been looked at.
    """
    writer = _Writer(allowed)
    for token in tokenise(html):
        if isinstance(token, str):
            writer.text(token)
        elif isinstance(token, Open):
            writer.open(token.name, token.attributes)
        else:
            writer.close(token.name)
    writer.end_to(0)
    return "".join(writer.out)
