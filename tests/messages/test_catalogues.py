"""The catalogues: whole in every language, read as Babel reads them, and nothing that people read stands elsewhere."""

from __future__ import annotations

import pytest
from babel.messages.pofile import read_po

from fediblog.messages import ENGLISH, LANGUAGES, catalogue, catalogues, known, read, text


def test_every_catalogue_is_whole() -> None:
    """No key is missing, stale or asked for by nobody; values and plurals are those of English; months are CLDR's."""
    assert catalogues.problems() == []


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_catalogue_is_read_as_babel_reads_it(language: str) -> None:
    with catalogues.path(language).open("rb") as file:
        theirs = read_po(file)
    ours = catalogue(language)
    said = {each.id if isinstance(each.id, str) else each.id[0]: each.string for each in theirs if each.id}
    assert dict(ours.messages) == said
    assert theirs.plural_expr.strip("()") in catalogues.path(language).read_text()
    assert not any(each.fuzzy for each in theirs if each.id)


def test_messages_have_plural_forms() -> None:
    assert text(ENGLISH, "post.likes", n=1) == "1 person likes this"
    assert text(ENGLISH, "post.likes", n=12) == "12 people like this"
    assert text(ENGLISH, "post.likes", n=0) == "0 people like this"
    assert known("flash.published")
    assert not known("flash.nonsense")
    with pytest.raises(KeyError):
        text(ENGLISH, "no.such.key")


def test_what_a_catalogue_may_hold() -> None:
    found = read(
        [
            *('msgid ""', 'msgstr ""', '"Plural-Forms: nplurals=3; plural=n%10==1 ? 0 : n==2 ? 1 : 2;\\n"', ""),
            *("#. a comment", 'msgid "a.key"', 'msgstr "one \\"word\\"\\n"', '"and more"', ""),
            *('msgid "a.long-"', '"key"', 'msgstr ""', '"ä"', ""),
            *('msgid "a.plural"', 'msgid_plural "a.plural"', 'msgstr[0] "x"', 'msgstr[1] "y"', 'msgstr[2] "z"', ""),
            *('#~ msgid "a.stale"', '#~ msgstr "w"'),
        ]
    )
    assert found.messages == {"a.key": 'one "word"\nand more', "a.long-key": "ä", "a.plural": ("x", "y", "z")}
    assert [found.plural(n) for n in (1, 2, 3, 21)] == [0, 1, 2, 0]
