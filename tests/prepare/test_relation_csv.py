"""The files of relations as Mastodon and others write them, whatever has become of them on the way."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.prepare import relation_csv
from fediblog.prepare.relation_csv import FILES, read

HEAD = "Account address,Show boosts,Notify on new posts,Languages\n"


def named(kind: str, text: str) -> list[str]:
    return [line.name(kind) for line in read(kind, text.encode())]


def test_a_file_of_follows_says_how_each_is_meant() -> None:
    """With blank lines between, as `spec/fixtures/files/following_accounts.csv` of Mastodon 4.5 has them."""
    lines = read(
        "following", f'{HEAD}\nuser@example.com,true,false,\n\nuser@test.com,false,true,"en, fr-CA"\n'.encode()
    )
    assert [(each.number, each.name("following")) for each in lines] == [(3, "user@example.com"), (5, "user@test.com")]
    assert [(each.flag(1), each.flag(2), each.languages) for each in lines] == [
        (True, False, []),
        (False, True, ["en", "fr"]),
    ]
    (line,) = read("following", b"Account address,Show boosts\nuser@example.com,false\n")
    assert (line.flag(1), line.flag(2), line.languages) == (False, None, None)  # it does not say
    (line,) = read("following", b"user@example.com\n")
    assert (line.flag(1), line.flag(2), line.languages) == (None, None, None)


@pytest.mark.parametrize(
    ("kind", "text", "names"),
    [
        ("following", "Account address,Show boosts\r\nann@a.example,true\r\n", ["ann@a.example"]),
        ("following", "ann@a.example\n@Bob@B.Example\n", ["ann@a.example", "bob@b.example"]),
        ("following", '\ufeff"Account address"\n" @ann@a.example "\n', ["ann@a.example"]),
        ("following", "Languages,Account address\nde,ann@a.example\n", ["ann@a.example"]),
        ("blocked", "ann@bücher.example\nann@a.example:8443", ["ann@xn--bcher-kva.example", "ann@a.example:8443"]),
        ("muted", "Account address,Hide notifications\nann@a.example,true", ["ann@a.example"]),
        ("servers", "#domain\nLoud.Example.\n", ["loud.example"]),
        ("servers", "#domain,#severity\nloud.example,suspend\nnot a host,silence\n", ["loud.example", ""]),
        ("bookmarks", "#uri\nhttps://a.example/p/1\nftp://a.example/p/1\n", ["https://a.example/p/1", ""]),
        ("lists", 'List name,Account address\n"Close, dear",@ann@a.example\n', ["ann@a.example Close, dear"]),
        ("lists", "Close,ann\n,ann@a.example\n", ["", ""]),
        ("following", "", []),
    ],
)
def test_what_each_line_is_about(kind: str, text: str, names: list[str]) -> None:
    assert named(kind, text) == names


@pytest.mark.parametrize(
    ("file", "text", "kind"),
    [
        *((name, "x@a.example\n", kind) for kind, name in FILES.items()),
        ("mutes(1).csv", "x@a.example\n", "muted"),
        ("mine.csv", HEAD, "following"),
        ("mine.csv", "Account address,Hide notifications\n", "muted"),
        ("mine.csv", "#domain,#severity\n", "servers"),
        ("mine.csv", "x@a.example\n", ""),
        ("mine.csv", "Account address\n", ""),
        ("mine.csv", "", ""),
    ],
)
def test_a_file_tells_what_it_is(file: str, text: str, kind: str) -> None:
    assert relation_csv.kind_of(file, text.encode()) == kind


def test_a_file_has_an_end() -> None:
    assert len(read("blocked", b"a@a.example\n" * 30_000)) == relation_csv.MOST_LINES + 1
    (line,) = read("blocked", b'"' + b"a\n" * 100_000)
    assert line.name("blocked") == ""


@given(st.sampled_from(sorted(FILES)), st.binary(max_size=200), st.text(max_size=20))
def test_anything_can_be_read(kind: str, data: bytes, file: str) -> None:
    relation_csv.kind_of(file, data)
    for line in read(kind, data):
        line.name(kind), line.host(kind)


_CELL = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S", "Zs")), max_size=12).map(str.strip)


@given(st.sampled_from(sorted(FILES)), st.data())
def test_what_is_written_is_read(kind: str, data: st.DataObject) -> None:
    width = {"following": 4, "lists": 2, "muted": 2}.get(kind, 1)
    row = st.tuples(*[_CELL.map(lambda cell: f"x{cell}")] * width)
    rows = data.draw(st.lists(row, max_size=5))
    assert [line.cells for line in read(kind, relation_csv.write(kind, rows).encode())] == rows
