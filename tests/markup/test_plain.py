"""Plain text as authors type it in apps: every character stays what it is."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fediblog.markup.html import MentionTarget, plain
from fediblog.markup.markdown import Rendered
from fediblog.markup.text import PLAIN
from tests.markup.rendering import find_hashtags, find_mentions, render

BOB = MentionTarget("https://b.example/u/bob", "https://b.example/@bob", "bob@b.example")


def shown(source: str) -> Rendered:
    return render(
        source,
        mentions={"bob@b.example": BOB},
        tag_url=lambda name: f"https://t.example/{name}",
        breaks=False,
        kind=PLAIN,
    )


def test_signs_of_markdown_are_characters() -> None:
    source = "# *a* _b_ `c` **d** ~~e~~\n- f\n1. g\n> h\n***\n| i | j |\n[k](l) ![m](n) \\* &amp; <b>[^1]: o"
    assert shown(source).html == (
        "<p># *a* _b_ `c` **d** ~~e~~<br>\n- f<br>\n1. g<br>\n&gt; h<br>\n***<br>\n| i | j |<br>\n"
        "[k](l) ![m](n) \\* &amp;amp; &lt;b&gt;[^1]: o</p>\n"
    )


def test_empty_lines_part_paragraphs() -> None:
    assert shown("a\nb\n\n\n    c").html == "<p>a<br>\nb</p>\n<p>c</p>\n"


def test_people_tags_and_addresses_are_linked() -> None:
    source = "@bob@b.example *#Tag* https://e.example/a_b_(c)?d=1&e=2. @nobody"
    found = shown(source)
    assert '<a href="https://b.example/@bob" class="u-url mention">@<span>bob</span></a>' in found.html
    assert '*<a href="https://t.example/Tag" class="mention hashtag" rel="tag">#<span>Tag</span></a>*' in found.html
    assert '<a href="https://e.example/a_b_(c)?d=1&amp;e=2">' in found.html
    assert found.hashtags == ("Tag",)
    assert (find_mentions(source, PLAIN), find_hashtags(source, PLAIN)) == (("bob@b.example", "nobody"), ("Tag",))
    assert find_mentions("`@bob`", PLAIN) == ("bob",)


@given(st.text(st.characters(min_codepoint=32, max_codepoint=126) | st.just("\n"), max_size=80))
def test_nothing_is_lost(source: str) -> None:
    assert "".join(plain(shown(source).html).split()) == "".join(source.split())
