"""Links from a page to its ActivityPub form, and to pages of the same person."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.protocol.link_relations import alternate_in, field_link, joined, links_back, marked_me

ADDRESSES = ("https://home.test/@alice", "https://home.test/a/7")
THERE = "https://alice.example/"
BASE = "https://a.example/@me/1"
LINK = 'rel="alternate"; type="application/activity+json"'
PROFILE = 'type="application/ld+json; profile=\\"https://www.w3.org/ns/activitystreams\\""'


@pytest.mark.parametrize(
    "header",
    [
        f"<https://a.example/n/1>; {LINK}",
        f"</n/1>; {LINK}",
        f"<../n/1>; {LINK}",
        "</n/1>; rel=alternate; type=application/activity+json",
        '</n/1>;TYPE="application/activity+json";REL="canonical alternate"',
        f'</feed>; rel="alternate"; type="application/atom+xml", </n/1>; {LINK}, </n/2>; {LINK}',
        f'</x>; rel="next"; title="a, </n/9>; b", </n/1>; {LINK}',
    ],
)
def test_the_header_names_the_activity_form(header: str) -> None:
    assert alternate_in(header, BASE) == "https://a.example/n/1"


@pytest.mark.parametrize(
    "header", ["", "x", "<>", f"<mailto:me@a.example>; {LINK}", '</n/1>; rel="alternate"', f"</n/1 {LINK}"]
)
def test_a_header_that_names_none(header: str) -> None:
    assert alternate_in(header, BASE) == ""


@given(st.text(), st.text())
def test_any_text_is_read_or_passed_over(header: str, base: str) -> None:
    alternate_in(header, base)
    joined(base, header)


@pytest.mark.parametrize(
    ("value", "link"),
    [
        ('<a href="https://x.example/?a=1&amp;b=2">x</a>', "https://x.example/?a=1&b=2"),
        (' <span class="h-card"><a href="https://x.example/@b">@<span>b</span></a></span>\n', "https://x.example/@b"),
        ('see <a href="https://x.example">x</a>', ""),
        ('<a href="https://x.example">x</a><a href="https://y.example">y</a>', ""),
        ('<a href="javascript:alert(1)">x</a>', ""),
        ("<a>x</a>", ""),
        ("she/her", ""),
        ("", ""),
    ],
)
def test_a_field_is_a_link_if_it_is_nothing_else(value: str, link: str) -> None:
    assert field_link(value) == link


def test_a_link_is_marked_once() -> None:
    assert marked_me('<a href="https://x.example">x</a>') == '<a rel="me" href="https://x.example">x</a>'
    assert marked_me('<a href="https://x.example" rel="tag">#x</a>') == '<a href="https://x.example" rel="tag">#x</a>'


@pytest.mark.parametrize(
    "page",
    [
        '<a rel="me" href="https://home.test/@alice">me</a>',
        '<link href="https://home.test/@alice/" rel="me">',
        "<A REL='noopener ME nofollow' HREF='HTTPS://home.test/@Alice#top'>me</A>",
        '<a rel=me href="https://home.test/%40alice">me</a>',
        '<p><a rel="&#109;e" href="https://home.test/a/7">me',
        '<base href="https://home.test/"><a rel="me" href="//home.test/@alice">me</a>',
    ],
)
def test_a_page_links_back(page: str) -> None:
    assert links_back(page, (), THERE, ADDRESSES)


@pytest.mark.parametrize(
    "page",
    [
        "",
        '<a href="https://home.test/@alice">no rel</a>',
        '<a rel="meow" href="https://home.test/@alice">not me</a>',
        '<a rel="me" href="https://home.test/@alicea">another</a>',
        '<a rel="me" href="https://home.test.evil.example/@alice">another host</a>',
        '<a rel="me" href="https://evil.example/?https://home.test/@alice">within</a>',
        '<a rel="me" href="/@alice">here</a>',
        '<!-- <a rel="me" href="https://home.test/@alice">me</a> -->',
        '<script>"<a rel=me href=https://home.test/@alice>"</script>',
        '<textarea><a rel="me" href="https://home.test/@alice"></textarea>',
        '&lt;a rel="me" href="https://home.test/@alice"&gt;',
        '<div rel="me" href="https://home.test/@alice">',
        '<a title=\'rel="me" href="https://home.test/@alice"\'>',
    ],
)
def test_what_does_not_link_back(page: str) -> None:
    assert not links_back(page, (), THERE, ADDRESSES)


@pytest.mark.parametrize(
    ("header", "back"),
    [
        ('<https://home.test/@alice>; rel="me"', True),
        ('<https://x.example>; rel="next", <https://home.test/@alice>; title="x"; rel=me', True),
        ('<https://home.test/@alice>; rel="alternate"', False),
        ("nonsense", False),
    ],
)
def test_a_header_links_back(header: str, back: bool) -> None:
    assert links_back("", (header,), THERE, ADDRESSES) is back
