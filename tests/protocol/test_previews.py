"""What is told of a post in short: each picture once, and nothing that stands below a warning."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from msgspec.structs import replace

import fediblog
from fediblog.domain.documents import POST_KINDS, Attachment, Note, Option, Picture, Poll
from fediblog.markup import html as markup
from fediblog.markup.html import shortened
from fediblog.markup.search_words import read_query
from fediblog.markup.tokens import Token, tokenise
from fediblog.protocol import previews

HERO = "https://far.example/uploads/hero.jpg"
NOTE = Note(uri="https://far.example/1", kind="Note", author="https://far.example/bob", content="<p>plover</p>")


def image(url: str) -> Attachment:
    return Attachment(kind="Image", url=url, alt="plover")


def test_a_picture_is_shown_once() -> None:
    inside = '<p>One</p><img src="https://far.example/uploads/b-300x200.png?x&amp;y" alt="B"><p>Two</p>'
    files = tuple(map(image, (HERO, "https://far.example/uploads/b.png", "https://far.example/c.png")))
    article = replace(NOTE, kind="Article", content=inside, image=Picture(url=HERO), attachments=files)
    assert [each.url for each in previews.gallery(article)] == ["https://far.example/c.png"]
    assert previews.has_hero(article)
    assert not previews.has_hero(replace(article, image=Picture(url="https://far.example/uploads/b.png")))
    assert previews.gallery(replace(NOTE, attachments=files)) == files


def test_what_an_older_version_took_from_the_text_is_not_its_authors() -> None:
    article = replace(NOTE, kind="Article", summary="<p>plover</p>")
    assert previews.written_abstract(article) == ""
    assert previews.abstract(article) == "plover"
    assert (
        previews.abstract(replace(article, warning="Careful"))
        == previews.abstract_html(replace(article, warning="Careful"))
        == ""
    )
    assert previews.written_abstract(replace(article, summary="Mine &amp; yours")) == "Mine & yours"


@given(
    kind=st.sampled_from(sorted(POST_KINDS)),
    summary=st.sampled_from(["", "<p>plover</p>"]),
    hero=st.booleans(),
    files=st.integers(0, 2),
    html=st.sampled_from(["<p>plover</p>", '<img src="https://far.example/plover.png" alt="plover">', "plover"]),
)
def test_nothing_below_a_warning_is_told(kind: str, summary: str, hero: bool, files: int, html: str) -> None:
    abstracted = kind in previews.ABSTRACTED
    post = replace(
        NOTE,
        kind=kind,
        content=html,
        warning="Careful" if abstracted else "",
        summary=summary if abstracted else "Careful",
        image=Picture(url="https://far.example/plover.png") if hero else None,
        attachments=tuple(image("https://far.example/plover.png") for _ in range(files)),
        poll=Poll(options=(Option(name="plover"),)) if files else None,
    )
    told = (previews.warning, previews.abstract, previews.abstract_html, previews.beginning, previews.picture)
    around = "".join(each.text for each in previews.around(post, read_query("plover")))
    assert around == "Careful"
    said = [str(each(post)) for each in told] + [previews.words(post, 80), previews.label(post, 80)]
    if html != "plover" and "img" in html and summary:
        said = [previews.words(post, 80), str(previews.picture(post))]  # then the abstract is not the text's beginning
    assert "plover" not in "".join(said)
    assert previews.words(post, 80) == "Careful"
    assert previews.hides_pictures(post)


def test_what_was_found_beside_the_text_is_shown() -> None:
    """What files show and the answers of a poll, where the text has not the words; nothing of sensitive pictures."""
    poll = Poll(options=(Option(name="A heron"), Option(name="An owl")))
    post = replace(NOTE, content="<p>Who?</p>", attachments=(image(HERO),), poll=poll)
    for typed, wanted in (
        ("plover", "A heron An owl <plover>"),
        ("owl", "A heron An <owl> plover"),
        ("who", "<Who>?"),
        ("hawk", "Who?"),
    ):
        shown = previews.around(post, read_query(typed))
        assert "".join(f"<{each.text}>" if each.hit else each.text for each in shown) == wanted
    hidden = previews.around(replace(post, sensitive=True), read_query("plover"))
    assert [each.text for each in hidden] == ["Who?"]


PIECES = (
    "<p>A word &amp; <em>another</em> one</p>",
    "<ul><li>no paragraph</li></ul>",
    '<p class="quote-inline">RE: <a href="https://far.example/2">it</a></p>',
    '<p>Noted<sup class="fn-ref"><a href="#fn-1">1</a></sup> here &lt;now&gt;</p>',
    "<h2>Head</h2>",
    "<p>  </p>",
)


@given(
    parts=st.lists(st.tuples(st.sampled_from(PIECES), st.sampled_from([1, 40, 900])), max_size=8),
    notes=st.booleans(),
    limit=st.sampled_from([20, 280, 2_000]),
)
def test_the_beginning_of_a_long_text_is_that_of_the_whole(
    parts: list[tuple[str, int]], notes: bool, limit: int
) -> None:
    html = "".join(piece * count for piece, count in parts)
    html += '<section class="footnotes"><p>A note</p></section>' if notes else ""
    whole = previews.beginning(replace(NOTE, content=html), len(html) + 2_001)
    assert previews.beginning(replace(NOTE, content=html), limit) == shortened(whole, limit)


def test_of_a_long_text_no_more_is_read_than_its_beginning(monkeypatch: pytest.MonkeyPatch) -> None:
    read = []

    def counted(html: str) -> Iterator[Token]:
        for token in tokenise(html):
            read.append(token)
            yield token

    monkeypatch.setattr(markup, "tokenise", counted)
    told = previews.beginning(replace(NOTE, content="<p>Five words are in here.</p>" * 20_000))
    assert told.startswith("Five words are in here. Five")
    assert len(read) < 400


def test_nothing_else_makes_a_text_of_a_post() -> None:
    """Whoever shortens a post in another place forgets to ask for its warning."""
    root = Path(fediblog.__file__).parent
    made = re.compile(
        r"(?:post|other|note|parent)\.(?:content|summary) *\| *excerpt|excerpt\((?:\w+\.)*(?:post|note)\."
    )
    found = [path.name for path in root.rglob("*") if path.suffix in (".py", ".html") and made.search(path.read_text())]
    assert found == []
