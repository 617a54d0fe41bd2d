"""Words of texts and of queries: the same for both, whatever the script, and marked where they stand."""

from __future__ import annotations

import re

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.markup.html import ELLIPSIS
from fediblog.markup.search_words import (
    EXCERPT,
    Query,
    Term,
    fold,
    marked,
    read_query,
    score,
    text_of,
    words_of,
)

SCRIPTS = (
    "aB ß äÖé\u0301 ıİ ø_ \u0645\u064f\u062d\u0640 \u05e9\u05b8\u05c1 \u0915\u093f 富士山 がカﾞ 서울 สวัส 🦊🏽 Σς Ａ٣½"
    " \n\u00a0\u200d\u00ad'-|:=\"#"
)
TEXTS = st.text(alphabet=st.one_of(st.sampled_from(SCRIPTS), st.characters()), max_size=60)


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("Größe ÄPFEL Straße", "grosse apfel strasse"),
        ("naïve cafe\u0301 ＡＢＣ Øre Łódź", "naive cafe abc ore lodz"),
        ("İstanbul ısı", "istanbul isi"),
        ("العَرَبِيَّة الـعربية أحمد", "العربية العربية احمد"),
        ("הַשָּׁלוֹם", "השלום"),
        ("Ὀδυσσεύς", "οδυσσευσ"),
        ("富士山", "富士 士山 山"),
        ("x山y", "x 山 y"),
        ("ｶﾞｷﾞ が", "ガギ ギ が"),
        ("서울에서", "서울 울에 에서 서"),
        ("कि हिन्दी", "कि हिन्दी"),
        ("don't foo_bar a.b ٣٤", "don t foo_bar a b 34"),
        ("🦊🏽 I❤️U", "🦊 i ❤ u"),
        ("می\u200cخواهم soft\u00adhyphen", "میخواهم softhyphen"),
        ("\x00 \ud800 | : = \"'\\ %", ""),
    ],
)
def test_words_are_folded_and_cut(text: str, words: str) -> None:
    assert words_of(text) == words.split()


@given(TEXTS)
def test_any_text_has_words_that_no_index_can_misread(text: str) -> None:
    for word in words_of(text):
        assert word
        assert not re.search(r"[\s\x00-\x2f:-@\[-^`{-\x7f\ud800-\udfff]", word), word
        assert len(word) <= 64
        assert words_of(word)[0] == word


@given(TEXTS, TEXTS)
def test_lines_are_folded_each_for_itself(one: str, other: str) -> None:
    chunks = [*one.split(), *other.split()]
    assert fold("\n".join(chunks)).split("\n") == ([fold(each) for each in chunks] or [""])


@pytest.mark.parametrize(
    ("typed", "query"),
    [
        ("Fog hi", Query((Term(("fog",), ("fog",)), Term(("hi",), ("hi",))))),
        ("Hill", Query((Term(("hill",), ("hill",), open=True),))),
        ("„Fog on“ x", Query((Term(("fog", "on"), ("fog", "on")), Term(("x",), ("x",))))),
        ('"fog', Query((Term(("fog",), ("fog",)),))),
        ("l'amour", Query((Term(("l", "amour"), ("l", "amour"), open=True),))),
        ("-fog - --hills", Query(without=(Term(("fog",), ("fog",)), Term(("hills",), ("hills",))))),
        ("#Hill_s ＃Été fog!", Query((Term(("fog",), ("fog",), open=True),), ("hill_s", "été"))),
        ("富士山", Query((Term(("富士", "士山"), ("富士山",)),))),
        ("山", Query((Term(("山",), ("山",), open=True),))),
        ("A山", Query((Term(("a", "山"), ("a", "山"), open=True),))),
        ("fog fog x", Query((Term(("fog",), ("fog",)), Term(("x",), ("x",))))),
        (' "" - # % ', Query()),
    ],
)
def test_a_query_is_read(typed: str, query: Query) -> None:
    assert read_query(typed) == query


@given(st.one_of(TEXTS, st.text()))
def test_any_text_is_a_query(text: str) -> None:
    query = read_query(text)
    assert query.is_empty == (not query.terms and not query.tags)
    assert all(term.words and term.runs for term in (*query.terms, *query.without))


@given(TEXTS, TEXTS)
def test_what_is_shown_is_the_text(text: str, typed: str) -> None:
    """In order and whole but for its spaces, at most so long, and the marks change nothing."""
    shown = marked(read_query(typed), text)
    line = "".join(each.text for each in shown)
    assert line.replace(ELLIPSIS, "").strip() in " ".join(text.split()).replace(ELLIPSIS, "")
    assert len(line) <= EXCERPT + 25


@pytest.mark.parametrize(
    ("typed", "text", "hits"),
    [
        ("tal", "Das TAL, ein Talweg und Metall.", ["TAL,", "Talweg"]),
        ("grosse", "Größe groß GRÖSSE", ["Größe", "GRÖSSE"]),
        ("apfel", "Äpfel, A\u0308pfel und Apfelmus", ["Äpfel", "A\u0308pfel", "Apfelmus"]),
        ("富士山", "これは富士山です", ["富士山"]),
        ("العربية", "اللغة العَرَبِيَّة هنا", ["العَرَبِيَّة"]),
        ("fox 🦊", "A 🦊 is a fox", ["🦊", "fox"]),
        ('"the end"', "this is the end", ["the", "end"]),
        ("x", "<script>", []),
    ],
)
def test_hits_are_marked(typed: str, text: str, hits: list[str]) -> None:
    found = [each.text for each in marked(read_query(typed), text) if each.hit]
    assert found == [each.rstrip(",") for each in hits]


def test_an_excerpt_begins_shortly_before_the_first_hit() -> None:
    far = marked(read_query("needle"), "hay " * 500 + "needle " + "straw " * 500)
    line = "".join(each.text for each in far)
    assert line.startswith(f"{ELLIPSIS} hay hay")
    assert line.endswith(f" straw {ELLIPSIS}")
    assert line.index("needle") < 100 < 200 < len(line) < EXCERPT + 25
    unspaced = marked(read_query("富士山"), "あ" * 5000 + "富士山" + "い" * 5000)
    assert [each.text for each in unspaced if each.hit] == ["富士山"]


def test_of_html_the_text_is_left() -> None:
    html = '<p>f<b>o</b>g &lt;b&gt;</p><ul><li>one<li>two</ul><img src="x.png" alt="a &quot;fox&quot;"> <br>end'
    assert words_of(text_of(html)) == ["fog", "b", "one", "two", "a", "fox", "end"]


def test_a_title_counts_more_than_a_text_and_a_word_more_than_its_beginning() -> None:
    query = read_query("fog")
    titled, often, once = score(query, " fog ", " fog "), score(query, " fog fog fog ", " "), score(query, " fog ", " ")
    begun, lengthy = score(query, " foggy ", " "), score(query, " fog " + "x " * 5000, " ")
    assert titled > often > once > max(begun, lengthy) > 0
