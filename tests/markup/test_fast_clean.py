"""What is written without the sanitiser: exactly what it makes of it, and most of what people send."""

from __future__ import annotations

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fediblog.markup.clean import REMOTE, _settled, clean
from fediblog.markup.fast_clean import usual
from fediblog.markup.text import tidy
from tests.conftest import USUAL
from tests.markup.test_clean import ATTACKS, SOUP, inspect
from tests.markup.test_steady import NESTED, TYPICAL, VALUE

ADDRESS = "https://a.example/"
NAMES = ["a", "b", "br", "code", "del", "em", "i", "p", "s", "span", "strong", "u"]
TEXTS = [
    "x",
    " ",
    "\n",
    "\t",
    "'",
    "é",
    "\u200d",
    "\xa0",
    "\x0b",
    "&",
    "&#39;",
    "&quot;",
    "&lt;",
    "&amp;",
    "&nbsp;",
    ">",
]
VALUES = [
    *(
        "mention u-url",
        "h-card evil",
        "language-c++",
        "no",
        "de-CH",
        "RTL",
        "_blank",
        "",
        " ",
        "x&quot;y",
        "&amp;",
        "é",
    ),
    *(ADDRESS, f"{ADDRESS}?a=1&amp;b='2'#c", f"{ADDRESS}&amp;quot;", f"{ADDRESS}&copy", f"{ADDRESS}a b", f" {ADDRESS}"),
    *("http://a.example", "https://a.example:99999", "https://1.2.3.4.5/", "https://a.1/", "https://xn--a.example/"),
    *(
        "https://a--b.example/",
        "https://-a.example",
        "https://a_b.example/",
        "https://a.example\\b",
        "HTTPS://a.example",
    ),
    *("https://@a.example", "https:a.example", "https://a.example/\U0001f600", "mailto:a@b.example", "javascript:x()"),
    *(ADDRESS + "x" * 2030, ADDRESS + "x" * 2031, ADDRESS + "&amp;" * 500, "https://" + "a" * 70 + ".example"),
]


def _element(name: str, values: list[tuple[str, str]], inner: list[str]) -> str:
    given = "".join(f'{" " * (1 + len(inner) // 3)}{key}="{value}"' for key, value in values)
    return f"<{name}{given}>" if name == "br" else f"<{name}{given}>{''.join(inner)}</{name}>"


ATTRIBUTES = st.tuples(
    st.sampled_from(
        ["href", "href", "class", "lang", "dir", "translate", "rel", "target", "data-x", "onclick", "HREF"]
    ),
    st.sampled_from(VALUES) | VALUE,
)
PLAIN = st.recursive(
    st.sampled_from(TEXTS),
    lambda inner: st.builds(
        _element, st.sampled_from(NAMES), st.lists(ATTRIBUTES, max_size=3), st.lists(inner, max_size=4)
    ),
    max_leaves=10,
)
PARAGRAPHS = st.lists(PLAIN, max_size=4).map("".join)
SEAMS = st.sampled_from(
    ["<", ">", '"', "</", "/", " ", "=", "<p>", "</p>", "<br />", "</br>", "</a>", "<a>", "<i/>", "<P>"]
)


@st.composite
def torn(draw: st.DrawFn) -> str:
    """A text of which some piece is gone, or has something else in its place."""
    text = draw(PARAGRAPHS)
    start = draw(st.integers(0, len(text)))
    end = draw(st.integers(start, min(len(text), start + 6)))
    return text[:start] + draw(SEAMS) + text[end:]


def check(text: str) -> bool:
    text = tidy(text)
    written = usual(text, REMOTE.tags, REMOTE.value, REMOTE.rel or "")
    assert written is None or written == _settled(text, REMOTE)
    return written is not None


@settings(max_examples=6 * USUAL)
@given(PARAGRAPHS | torn() | SOUP | st.lists(NESTED, max_size=4).map("".join))
@example('<span class="mention&quot; dir=&quot;rtl">x</span>')
@example('<a href="https://a.example/" href="https://b.example/">x</a>')
@example("<b>" * 60 + "</b>" * 60)
@example("<b><p>x</p></b>")
@example("<br")
@example("\ufeff<br>")
@example("</p>")
@example("&&#39;amp;")
def test_it_is_what_the_sanitiser_makes_of_it(text: str) -> None:
    check(text)


@pytest.mark.parametrize("attack", ATTACKS)
def test_an_attack_is_left_to_the_sanitiser(attack: str) -> None:
    check(f"<p>{attack}</p>")
    check(f'<a href="{attack}">x</a>')
    inspect(clean(f'<p><a href="{attack}" class="{attack}">{attack}</a></p>'))


@pytest.mark.parametrize("name", ["a mention and a shortened address", "line breaks in a span"])
def test_what_most_people_send_is_usual(name: str) -> None:
    assert check(TYPICAL[name])
