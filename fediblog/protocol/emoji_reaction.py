"""Whether a text is one emoji: what a reaction may consist of (FEP-c0e0)."""

from __future__ import annotations

import re

_PICTURE = (
    "[\u00a9\u00ae\u203c\u2049\u2122\u2139\u2194-\u21aa\u231a-\u23ff\u24c2\u25aa-\u27bf\u2934\u2935\u2b00-\u2bff\u3030"
    "\u303d\u3297\u3299\U0001f000-\U0001f1e5\U0001f200-\U0001faff]"
)
_ONE = f"{_PICTURE}[\ufe0e\ufe0f]?[\U0001f3fb-\U0001f3ff]?[\U000e0020-\U000e007f]*"
_GRAPHEME = re.compile(  # as Unicode TR51 has them: joined pictures, flags, keys
    f"{_ONE}(?:\u200d{_ONE})*\\Z|[\U0001f1e6-\U0001f1ff]{{2}}\\Z|[0-9#*]\ufe0f?\u20e3\\Z"
)
_NAME = re.compile(r":[^\s:]{1,98}:\Z")


def is_emoji(text: str) -> bool:
    """One emoji as people see it, or the name of a custom one between colons, without invisible signs."""
    return bool(_GRAPHEME.match(text) or (_NAME.match(text) and text.isprintable()))
