"""Mentions, hashtags and addresses beside the punctuation of Markdown and of many languages."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.markup.bare_links import addresses
from fediblog.markup.clean import plain_to_html
from fediblog.markup.html import MentionTarget, excerpt, plain
from fediblog.markup.text import PLAIN
from tests.markup.rendering import find_hashtags, find_mentions, render

BOB = {"bob": MentionTarget("https://b.example/1", "https://b.example/@bob", "bob")}
_HREF = re.compile('href="([^"]+)"')


def html_of(source: str) -> str:
    return str(render(source, mentions=BOB, tag_url=lambda name: f"https://tags.example/{name}").html)


@pytest.mark.parametrize("name", ["@bob", "#tag", "@bob and #tag", "#tag and @bob"])
@pytest.mark.parametrize("around", ["{}", "very {}", "{} indeed", "so {} indeed", "({})", "“{}”"])
@pytest.mark.parametrize("mark", ["*", "**", "***"])
def test_an_underscore_emphasises_names_as_an_asterisk_does(mark: str, around: str, name: str) -> None:
    text = around.format(name)
    low = mark.replace("*", "_")
    assert html_of(f"{low}{text}{low}") == html_of(f"{mark}{text}{mark}")
    assert find_mentions(f"{low}{text}{low}") == (("bob",) if "@" in text else ())
    assert find_hashtags(f"{low}{text}{low}") == (("tag",) if "#" in text else ())


@pytest.mark.parametrize(
    ("source", "mentions", "tags"),
    [
        ("@bob_ and #tag_", ("bob_",), ("tag_",)),
        ("_x_ @bob_", ("bob_",), ()),
        ("_x @bob_smith_", ("bob_smith",), ()),
        ("_x #a_b_", (), ("a_b",)),
        ("snake_@bob snake_#tag", (), ()),
        ("_@_ _#_", (), ()),
    ],
)
def test_an_underscore_that_emphasises_nothing_is_part_of_a_name(
    source: str, mentions: tuple[str, ...], tags: tuple[str, ...]
) -> None:
    assert (find_mentions(source), find_hashtags(source)) == (mentions, tags)


ADDRESS = "https://a.example/b"
CLOSERS = "”’»›“„‟」』】》〉〕〗）］｝。、，．！？：；؟،؛۔।॥…"


@pytest.mark.parametrize("after", [*CLOSERS, "”，他说", "」と言う", "）。", "»,", "।", "、次", ".”", "”."])
def test_punctuation_of_any_language_ends_an_address(after: str) -> None:
    text = f"x {ADDRESS}{after}"
    assert [text[start:end] for start, end in addresses(text)] == [ADDRESS]
    assert _HREF.findall(html_of(text)) == _HREF.findall(plain_to_html(text)) == [ADDRESS]


@pytest.mark.parametrize("before", ["看", "см", "は", "한", "ข", "ا", "א", "“", "（", "「", "。", "¿", "«"])
def test_an_address_begins_after_letters_of_other_scripts(before: str) -> None:
    text = f"{before}{ADDRESS} x"
    assert _HREF.findall(html_of(text)) == _HREF.findall(plain_to_html(text)) == [ADDRESS]


@pytest.mark.parametrize("before", ["x", "X", "é", "ß", "7"])
def test_inside_of_a_word_no_address_begins(before: str) -> None:
    assert not _HREF.findall(html_of(f"{before}{ADDRESS}"))
    assert not _HREF.findall(plain_to_html(f"{before}{ADDRESS}"))


@pytest.mark.parametrize("path", ["a·b", "Rubik’s", "–x", "路径", "ア・イ", "(b)", "a…b"])
def test_what_stands_inside_of_words_stays_in_an_address(path: str) -> None:
    text = f"https://a.example/{path} x"
    assert [text[start:end] for start, end in addresses(text)] == [f"https://a.example/{path}"]


NEXT = st.text(st.sampled_from("さんは様님은께的说ครับوуיא"), min_size=1, max_size=8)
HOSTS = [
    "host.example",
    "a.b.host.example",
    "host.example:8443",
    "例え.example",
    "bücher.example",
    "xn--bcher-kva.example",
]


@given(st.sampled_from(HOSTS), NEXT, st.sampled_from(["", " x", "。", ".", "また.", "@x"]))
def test_a_host_ends_where_the_next_word_of_another_script_begins(host: str, word: str, after: str) -> None:
    text = f"x @ann@{host}{word}{after}"
    assert find_mentions(text)[:1] == find_mentions(text, PLAIN)[:1] == (f"ann@{host}",)


@pytest.mark.parametrize("host", ["例え.みんな", "abc日本.example", "a.abc日本.example", "日本a.test", "host.みんな"])
def test_hosts_of_other_scripts_stay_whole(host: str) -> None:
    assert find_mentions(f"x @ann@{host} y") == (f"ann@{host}",)


def test_an_excerpt_is_made_of_words_and_not_of_pictures() -> None:
    html = '<p>One <img src="https://a.example/b.png" alt="a cat"> two</p>'
    assert excerpt(html, 80) == "One two"
    assert plain(html) == "One a cat two"
