"""What is cleaned once only: exactly what cleaning again would leave as it is."""

from __future__ import annotations

import nh3
import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from fediblog.markup.balance import balance
from fediblog.markup.clean import OWN, REMOTE, Policy, _cleaner, _is_steady, clean
from fediblog.markup.text import tidy
from tests.conftest import USUAL
from tests.markup.test_clean import SOUP, inspect

ADDRESS = "https://a.example/"
TYPICAL = {
    "a mention and a shortened address": (
        '<p><span class="h-card" translate="no"><a href="https://a.example/@alice" class="u-url mention">@<span>alice'
        "</span></a></span> Look &amp; see: "
        '<a href="https://a.example/2026/a-long-title" target="_blank" rel="nofollow noopener" translate="no">'
        '<span class="invisible">https://</span><span class="ellipsis">a.example/2026/a-lo</span>'
        '<span class="invisible">ng-title</span></a></p>'
    ),
    "line breaks in a span": (
        '<p><a href="https://a.example/@bob" class="u-url mention">@bob@a.example</a><span> こんにちは<br><br>'
        'Good</span> <i>day</i> <a href="https://a.example/tags/morning" rel="tag">#morning</a></p>'
    ),
    "quotes and lists": (
        "<p>I <b>agree</b>:</p>\n<blockquote>\n<p>It's so</p>\n</blockquote>\n<ul>\n<li>one <code>thing</code>"
        '</li>\n<li>another, see <a href="https://a.example/" rel="nofollow">this</a></li>\n</ul>\n'
    ),
    "an article": (
        '\n<h2 class="wp-block-heading">One</h2>\n\n\n\n<figure class="wp-block-image size-large">'
        '<img src="https://a.example/x.jpg" alt="A cat"/><figcaption>Cat</figcaption></figure>\n\n'
        '<pre class="wp-block-code"><code>x = 1\ny = 2</code></pre>\n<h2>Two</h2><p>It&#8217;s so.</p>'
    ),
}
RESTLESS = {
    "text moves out of a table": ("<table>x<tbody></tbody></table>", "x<table><tbody></tbody></table>"),
    "pre loses a newline": ("<pre>&#10;&#10;x</pre>", "<pre>x</pre>"),
    "a heading ends another": ("<h1><b><p>q<h2>x", "<h1><b><p>q</p></b></h1><h2>x</h2>"),
    "an address becomes one": (f'<a href="&#x3000;{ADDRESS[:-1]}%20b/">x</a>', f'<a rel="{REMOTE.rel}">x</a>'),
    "rel takes the place of what goes": (
        '<a href="/b" class="mention">m</a>',
        f'<a class="mention" rel="{REMOTE.rel}">m</a>',
    ),
    "a control character is written out": ("<p>a&#13;b</p>", "<p>a\nb</p>"),
    "a link in a link": ("<a><table><td><a>x</a></table></a>", None),
}
VALUE = st.lists(
    st.sampled_from(
        [
            *(
                ADDRESS,
                "HTTPS://A.example",
                "mailto:a@b.example",
                "/media/x",
                "/x",
                "//",
                "#fn-1",
                "\\",
                " ",
                "\t",
                "\r\n",
            ),
            *("\u3000", "\xa0", "\u2028", "\x85", "<", ">", '"', "'", "é", "%20", "mention", "language-x", "evil"),
            *(
                "RTL",
                "no",
                "de-CH",
                "-",
                "3",
                "tag",
                "x" * 300,
                " " * 300,
                "&amp;",
                "&#x3000;",
                "&nbsp;",
                "&#10;",
                ":80",
            ),
        ]
    ),
    max_size=12,
).map("".join)
KEPT = sorted({name for names in OWN.tags.values() for name in names})
TEXT = st.sampled_from(
    ["x", " ", "\n", "&#10;", "&amp;", "&lt;", "<", "&nbsp;", "&#13;", "=&quot;", "&quot; ", "é", "\t"]
)


def _element(tag: str, values: dict[str, str], inner: list[str]) -> str:
    written = "".join(f' {name}="{value}"' for name, value in values.items())
    return f"<{tag}{written}>{''.join(inner)}</{tag}>"


NESTED = st.recursive(
    TEXT,
    lambda inner: st.builds(
        _element,
        st.sampled_from(sorted(OWN.tags)),
        st.dictionaries(st.sampled_from(KEPT), VALUE, max_size=3),
        st.lists(inner, max_size=4),
    ),
    max_leaves=12,
)


def cleaned(text: str, policy: Policy) -> tuple[str, str]:
    balanced = balance(tidy(text), policy.tags)
    return balanced, _cleaner(policy).clean(balanced)


def check(text: str, policy: Policy) -> bool:
    balanced, html = cleaned(text, policy)
    if not _is_steady(balanced, html):
        return False
    assert cleaned(html, policy)[1] == html
    inspect(html, policy)
    # A browser's parser, asked to keep whatever it reads.
    allowed = {tag: names | {"rel"} for tag, names in policy.tags.items()}
    assert nh3.clean(html, tags=set(policy.tags), attributes=allowed, link_rel=None) == html
    return True


@settings(max_examples=4 * USUAL)
@given(SOUP | st.lists(NESTED, max_size=4).map("".join))
@example('<a title="<b" href="/x">x')
@example("<h2><i><p>a<h3>b")
def test_what_is_cleaned_once_would_not_change(text: str) -> None:
    check(text, REMOTE)
    check(text, OWN)


@pytest.mark.parametrize("name", TYPICAL)
def test_what_most_people_send_is_cleaned_once(name: str) -> None:
    assert check(TYPICAL[name], REMOTE)


@pytest.mark.parametrize("name", RESTLESS)
def test_what_moves_is_cleaned_again(name: str) -> None:
    text, wanted = RESTLESS[name]
    assert not check(text, REMOTE)
    once = clean(text)
    assert cleaned(once, REMOTE)[1] == once
    assert wanted in (once, None)


@settings(max_examples=4 * USUAL)
@given(VALUE | st.text(max_size=50))
@example("https://a.example/" + " " * 2000)
@example("/" + '"' * 2000)
@example("mailto:" + "<" * 2000)
def test_a_rule_keeps_what_it_has_let_through(value: str) -> None:
    for policy in (REMOTE, OWN):
        for name in policy.values:
            kept = policy.value("a", name, value)
            assert kept is None or policy.value("a", name, kept) == kept, name
