"""What the fediverse adds to Markdown inside a line: mentions, hashtags, bare web addresses."""

from __future__ import annotations

import re
from typing import Final

from markdown_it import MarkdownIt
from markdown_it.rules_core import StateCore
from markdown_it.rules_inline import StateInline

from fediblog.hashtags import SIGNS, is_name, is_part
from fediblog.markup.bare_links import address_end, begins_word

# A port has more digits than a list.
_MENTION: Final = re.compile(
    r"@(?P<user>[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,62}[A-Za-z0-9_])?)"
    r"(?:@(?P<host>[^\W_](?:[\w.-]{0,251}[^\W_])?(?::[0-9]{4,5}(?![A-Za-z0-9_:]))?))?"
)
# A label that begins in ASCII, then a letter of a script whose words follow without a space.
_RUNS_ON: Final = re.compile("([A-Za-z0-9](?:[A-Za-z0-9_-]*[A-Za-z0-9])?)[_-]*[^\x00-\u024f]")
_FAR: Final = 100  # marks of emphasis that are looked at before a name: a long line takes no longer than its length


def fediverse(md: MarkdownIt) -> None:
    """Adds the rules to a parser. Tokens are named `mention`, `hashtag`; addresses become ordinary links."""
    md.inline.ruler.before("escape", "mention", _mention)
    md.inline.ruler.before("escape", "hashtag", _hashtag)
    md.inline.ruler.before("escape", "address", _address)
    md.core.ruler.after("inline", "alt_text", _alt_text)
    md.inline.add_terminator_char(SIGNS[1])  # the other one is known


def _before(state: StateInline) -> str:
    """The character before; an underscore that begins an emphasis is none."""
    before = state.src[state.pos - 1] if state.pos else " "
    return " " if before == "_" and state.delimiters and state.delimiters[-1].open else before


def _emphasis(state: StateInline) -> int:
    """How many underscores before this place begin an emphasis that has not ended yet."""
    marks = [each for each in state.delimiters[-_FAR:] if each.marker == ord("_")]
    return sum(each.open for each in marks) - sum(each.close and not each.open for each in marks)


def _end(state: StateInline, end: int) -> int:
    """Where a name ends, without the underscores at its end that close an emphasis, as an asterisk there would."""
    started = _emphasis(state) if state.src[end - 1] == "_" else 0
    while started > 0 and state.src[end - 1] == "_":
        started, end = started - 1, end - 1
    return end


def _host_end(host: str) -> int:
    """Where a host ends if the next word follows without a space, as in `host.exampleさん`.

    Top-level domains are of one script, so the word begins where a label leaves ASCII; but not in the first label, and
    not if the last one is ASCII: `abc日本.example` is a name.
    """
    name, start = host.partition(":")[0], 0
    labels = name.split(".")
    for label in () if labels[-1].isascii() else labels:
        if start and (found := _RUNS_ON.match(label)):
            return start + found.end(1)
        start += len(label) + 1
    return len(host)


def _mention(state: StateInline, silent: bool) -> bool:
    before = _before(state)
    if state.src[state.pos] != "@" or state.linkLevel or before.isalnum() or before in "_@/=.":
        return False
    found = _MENTION.match(state.src, state.pos, state.posMax)
    if not found:
        return False
    end = found.start("host") + _host_end(found["host"]) if found["host"] else found.end()
    end = _end(state, end)
    if end <= state.pos + 1:
        return False
    if not silent:
        token = state.push("mention", "", 0)
        token.content = state.src[state.pos : end]
        token.meta = {"handle": token.content[1:].lower()}
    state.pos = end
    return True


def _hashtag(state: StateInline, silent: bool) -> bool:
    before = _before(state)
    if state.src[state.pos] not in SIGNS or state.linkLevel or before.isalnum() or before in "_#＃/=&)":
        return False
    end = state.pos + 1
    while end < state.posMax and is_part(state.src[end]):
        end += 1
    end = max(_end(state, end), state.pos + 1)
    name = state.src[state.pos + 1 : end]
    if not is_name(name):
        return False
    if not silent:
        token = state.push("hashtag", "", 0)
        token.content = name
    state.pos = end
    return True


def _address(state: StateInline, silent: bool) -> bool:
    """The parser stops at the colon, so the scheme is already behind us."""
    if state.linkLevel or not state.src.startswith("://", state.pos):
        return False
    scheme = _scheme(state)
    if not scheme or not (silent or state.pending.endswith(scheme)):
        return False
    start = state.pos - len(scheme)
    end = min(address_end(state.src, start), state.posMax)
    if end <= state.pos or not state.md.validateLink(state.src[start:end]):
        return False
    if not silent:
        state.pending = state.pending[: -len(scheme)]
        token = state.push("link_open", "a", 1)
        token.attrs = {"href": state.md.normalizeLink(state.src[start:end])}
        state.push("text", "", 0).content = state.src[start:end]
        state.push("link_close", "a", -1)
    state.pos = end
    return True


def _scheme(state: StateInline) -> str:
    for length in (5, 4):
        start = state.pos - length
        word = state.src[max(start, 0) : state.pos]
        if word.lower() in ("http", "https") and begins_word(state.src, start):
            return word
    return ""


def _alt_text(state: StateCore) -> None:
    """Inside an image's description mentions and hashtags are text."""
    for block in state.tokens:
        for image in block.children or ():
            for token in image.children or () if image.type == "image" else ():
                if token.type in ("mention", "hashtag"):
                    token.content = ("#" if token.type == "hashtag" else "") + token.content
                    token.type = "text"
