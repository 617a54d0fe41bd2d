"""Plain text: what is read out of HTML, names, slugs, addresses in text."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.markup.bare_links import addresses, link_address, own_path, web_address
from fediblog.markup.html import excerpt, plain
from fediblog.markup.slug import slugify
from fediblog.markup.text import display_name, one_line, reading_time, tidy


@pytest.mark.parametrize(
    ("html", "wanted"),
    [
        ("<p>a</p><p>b<br>c</p>", "a\n\nb\nc"),
        ("  <p>a\n  b</p>\n\n<p> c </p> ", "a b\n\nc"),
        ("<p>x <b>y</b>z</p>", "x yz"),
        ("<p>x<b> y </b>z</p>", "x y z"),
        ("<ul><li>a</li><li>b</li></ul>c", "a\nb\n\nc"),
        ("<table><tr><td>1</td><td>2</td></tr><tr><td>3</td></tr></table>", "1 2\n3"),
        ("<pre>a\n  b</pre>c", "a\n  b\n\nc"),
        ("&lt;b&gt; &amp;amp; &eacute;", "<b> &amp; é"),
        ("a<script>x</script>b<style>y", "ab"),
        ("<p>one<img alt='two'></p>", "onetwo"),
        ("<p>&nbsp;a&nbsp;</p>", "a"),
        ("<![CDAzz[", ""),
        ("a <!-- b --> c", "a c"),
        ("1 < 2", "1 < 2"),
    ],
)
def test_plain(html: str, wanted: str) -> None:
    assert plain(html) == wanted


def test_plain_is_cut() -> None:
    assert plain("<p>abcdef</p>", 3) == "abc"


@pytest.mark.parametrize(
    ("html", "limit", "wanted"),
    [
        ("<p>one two</p><p>three</p>", 20, "one two three"),
        ("<p>one two</p><p>three</p>", 10, "one two…"),
        ("<p>one, two</p>", 6, "one…"),
        ("<p>abcdefghijkl</p>", 5, "abcd…"),
        ("<p>a bcdefghijklmnop</p>", 9, "a bcdefg…"),
        ("", 5, ""),
    ],
)
def test_excerpt(html: str, limit: int, wanted: str) -> None:
    assert excerpt(html, limit) == wanted


@given(st.text(max_size=100), st.integers(1, 50))
def test_excerpts_are_short_lines(text: str, limit: int) -> None:
    found = excerpt(text, limit)
    assert len(found) <= limit
    assert "\n" not in found


def test_tidy_keeps_text_and_drops_the_rest() -> None:
    assert tidy("a\x00b\x08\tc\r\nd\re\x85\x9f\ud800\ufffe\U0001ffffé\u202e") == "ab\tc\nd\neé\u202e"
    assert tidy("abc", 2) == "ab"


@pytest.mark.parametrize(
    ("name", "wanted"),
    [
        ("  Ann\n Lee ", "Ann Lee"),
        ("\u202eevil\u2066", "evil"),
        ("ad\u200bmin\ufeff\u00ad", "admin"),
        ("\u200d\u200c\u200b", ""),
        ("می\u200cخواهم", "می\u200cخواهم"),
        ("👩\u200d🚀 Ann", "👩\u200d🚀 Ann"),
        ("x" * 300, "x" * 200),
        ("<b>Ann</b>", "<b>Ann</b>"),
    ],
)
def test_display_name(name: str, wanted: str) -> None:
    assert display_name(name) == wanted


def test_one_line() -> None:
    assert one_line(" a \n\t b ") == "a b"
    assert one_line("a b c", 2) == "a"


@pytest.mark.parametrize(
    ("title", "wanted"),
    [
        ("Hello, World!", "hello-world"),
        ("Über uns – Straße", "uber-uns-strasse"),
        ("It's fine", "its-fine"),
        ("日本語 タイトル", "日本語-タイトル"),
        ("हिन्दी", "हिन्दी"),
        ("../../etc/passwd", "etc-passwd"),
        ("!!!", ""),
        ("", ""),
        ("a" * 100, "a" * 80),
        ("word " * 40, "-".join(["word"] * 16)),
    ],
)
def test_slugify(title: str, wanted: str) -> None:
    assert slugify(title) == wanted


@given(st.text(max_size=200))
def test_slugs_are_short_and_stay_as_they_are(title: str) -> None:
    slug = slugify(title)
    assert len(slug) <= 80
    assert not set(slug) & set(" /\\?#%.<>&\"'\n")
    assert not slug.startswith("-")
    assert not slug.endswith("-")


@pytest.mark.parametrize(
    ("text", "wanted"),
    [
        ("see https://a.example.", ["https://a.example"]),
        ("(https://a.example/b)", ["https://a.example/b"]),
        ("https://a.example/b_(c)", ["https://a.example/b_(c)"]),
        ("HTTPS://A.example, http://b", ["HTTPS://A.example", "http://b"]),
        ("xhttps://a.example https:// http://-", []),
        ("https://a.example/?u=https://b.example", ["https://a.example/?u=https://b.example"]),
        ('"https://a.example"<https://b.example>', ["https://a.example", "https://b.example"]),
    ],
)
def test_addresses(text: str, wanted: list[str]) -> None:
    assert [text[start:end] for start, end in addresses(text)] == wanted


def test_which_addresses_are_linked() -> None:
    assert web_address(" https://a.example/a b") == "https://a.example/a%20b"
    assert web_address("mailto:a@b.example") is None
    assert link_address("MAILTO:a@b.example") == "MAILTO:a@b.example"
    assert web_address("https:a.example") is None
    assert web_address("https://a.example/" + "x" * 3000) is None
    assert own_path("/about") == "/about"
    assert [own_path(path) for path in ("//a", "/\\a", "a", "", "/a\nb")] == [None] * 5


@pytest.mark.parametrize(
    ("text", "minutes"),
    [("", 1), ("one two three", 1), ("word " * 2200, 10), ("字" * 2500, 5), ("word " * 440 + "かな" * 500, 4)],
)
def test_how_long_a_text_takes_to_read(text: str, minutes: int) -> None:
    assert reading_time(text) == minutes
