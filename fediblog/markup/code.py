"""Colours program code with CSS classes."""

from __future__ import annotations

import re
from html import escape
from typing import Final

from pygments import highlight as _highlight
from pygments.formatters.html import HtmlFormatter
from pygments.lexers import get_lexer_by_name
from pygments.util import ClassNotFound

# Lexers are regular expressions of many authors: longer code is shown without colours.
COLOURED_LIMIT: Final = 50_000
_LANGUAGE: Final = re.compile("[A-Za-z0-9+#._-]{1,40}")

# Of all styles that come with Pygments, those whose faintest colour still has a contrast of 4.5 (WCAG 2.2, 1.4.3).
_LIGHT: Final = "xcode"
_DARK: Final = "lightbulb"


def colour(code: str, language: str, _attributes: str = "") -> str:
    """A whole `pre` element, coloured if the language is known."""
    if not _LANGUAGE.fullmatch(language):
        return f'<pre class="highlight"><code>{escape(code)}</code></pre>'
    return f'<pre class="highlight"><code class="language-{language.lower()}">{_spans(code, language)}</code></pre>'


def _spans(code: str, language: str) -> str:
    if len(code) > COLOURED_LIMIT:
        return escape(code)
    try:
        lexer = get_lexer_by_name(language, stripnl=False, ensurenl=False)
    except ClassNotFound:
        return escape(code)
    return _highlight(code, lexer, HtmlFormatter(nowrap=True)).removesuffix("\n")


def pygments_css() -> str:
    """The rules for coloured code in light and in dark surroundings, all below `.highlight`."""
    light = f"@media not all and (prefers-color-scheme: dark) {{\n{_rules(_LIGHT)}\n}}\n"
    return f"{light}@media (prefers-color-scheme: dark) {{\n{_rules(_DARK)}\n}}\n"


def _rules(style: str) -> str:
    rules = str(HtmlFormatter(style=style).get_style_defs(".highlight"))  # type: ignore[no-untyped-call]
    # Line numbers are not used, and their rules are not below `.highlight`.
    return "\n".join(line for line in rules.splitlines() if line.startswith(".highlight"))
