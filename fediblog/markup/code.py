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
