"""The total readers: every value in, a clean value or a plain default out."""

from __future__ import annotations

import re
from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.domain.documents import PUBLIC, Json
from fediblog.errors import Refused
from fediblog.protocol import contexts, json_values
from fediblog.protocol.notes import read_note
from tests.protocol.generated import anything, moments

A = "https://a.example/1"
B = "https://b.example/2"

ALL: list[Callable[[Json], object]] = [
    lambda value: json_values.text(value, 10),
    json_values.name, json_values.url, json_values.ref, json_values.refs, json_values.addresses, json_values.is_public,
    json_values.listed, json_values.fields, json_values.kinds, json_values.web_link, json_values.links_in,
    json_values.media_type, json_values.number, json_values.count, json_values.real, json_values.flag,
    json_values.language, json_values.moment, json_values.duration,
    lambda value: json_values.kind_of(value, {"Note"}),
    lambda value: json_values.language_map(value, 10),
]  # fmt: skip


@given(anything)
def test_readers_never_raise(value: Json) -> None:
    for reader in ALL:
        reader(value)


@pytest.mark.parametrize(
    ("value", "clean"),
    [
        ("a\tb\nc", "a\tb\nc"),
        ("a\x00b\x1f\x7f\x85\r\n", "ab\n"),
        ("\ud800a\ufffe\U0010ffff\ufdd0", "a"),
        ("x" * 50, "x" * 20),
        (5, ""),
        (None, ""),
        (["a"], ""),
    ],
)
def test_text(value: Json, clean: str) -> None:
    assert json_values.text(value, 20) == clean


@given(st.text(st.sampled_from("a \t\n\x1c\xa0\u2003\u2028\u202e\u2066\u200d\ud800\U0001f600")), st.integers(0, 20))
def test_a_name_has_single_blanks_inside_alone(value: str, limit: int) -> None:
    line = re.sub("[\u202a-\u202e\u2066-\u2069]", "", json_values.text(value, limit))
    assert json_values.name(value, limit) == re.sub(r"\s+", " ", line).strip()


def test_a_name_is_one_line_that_runs_one_way() -> None:
    assert json_values.name(" Ann\n\u202eevil\u202c \u2066x\u2069 ") == "Ann evil x"


@pytest.mark.parametrize("blank", ["", " ", "\u200b", " \u200b\n", "\ufeff"])
def test_blank_is_nothing(blank: str) -> None:
    assert json_values.without_blank(blank) == ""


@pytest.mark.parametrize(
    "good",
    [
        A,
        "http://localhost:3000/a?b=c#d",
        "https://xn--bcher-kva.example/",
        "https://bücher.example/ü",
        "https://wp.example/?author=1#main-key",
        "https://[2001:db8::1]:8443/x",
        "HTTPS://A.example/",
        "https://a.example/" + "x" * 2000,
    ],
)
def test_url(good: str) -> None:
    assert json_values.url(good) == good


@pytest.mark.parametrize(
    "bad",
    [
        "",
        "a.example",
        "//a.example/",
        "https://",
        "https:///path",
        "https://?x",
        "ftp://a.example/",
        "javascript:alert(1)",
        "data:text/html,x",
        "https://user@a.example/",
        "https://user:pw@a.example/",
        "https://@a.example/",
        "https://a.example/a b",
        "https://a.example/\n",
        " https://a.example/",
        "https://a.example/\u2028",
        "https://a.example\\@b.example/",
        "https://a.example:99999/",
        "https://a.example:x/",
        "https://[::1/",
        "https://a%2eexample/",
        "https://a,b.example/",
        'https://a.example/"onclick',
        "https://a.example/<b>",
        "https://a.example/" + "x" * 2048,
        "tag:a.example,2024:1",
        "as:Public",
        7,
        {"id": A},
    ],
)
def test_no_url(bad: Json) -> None:
    assert json_values.url(bad) == ""


@given(st.from_regex(json_values.USUAL_URL, fullmatch=True))
def test_what_is_usual_is_read_as_the_library_reads_it(value: str) -> None:
    usual = json_values.USUAL_URL.match(value)
    parts = urlsplit(value)
    assert usual is not None
    port = int(usual[3]) if usual[3] else None
    assert (parts.scheme, parts.hostname, parts.port) == (usual[1], usual[2].lower(), port)
    assert "@" not in parts.netloc
    assert value.isascii()
    assert not set(value) & set(' <>"\\\n\t\0\x7f')


@pytest.mark.parametrize(
    ("value", "found"),
    [
        (A, A),
        ({"id": A}, A),
        ({"id": A, "href": B}, A),
        ({"type": "Link", "href": B}, B),
        ({"id": {"id": A}}, ""),
        ([None, {}, {"id": A}, B], A),
        ([[A]], A),
        ([], ""),
        (None, ""),
    ],
)
def test_ref(value: Json, found: str) -> None:
    assert json_values.ref(value) == found


ADDRESSEES = st.sampled_from(
    [PUBLIC, "as:Public", {"id": "Public"}, "https://a.example/1", {"id": "https://a.example/2"}]
)


@given(st.lists(anything | st.lists(anything | ADDRESSEES)), st.integers(0, 5))
def test_addresses_are_all_ids_with_one_name_for_everybody(values: list[Json], limit: int) -> None:
    entries = [entry for value in values for entry in json_values.listed(value)]
    found = [PUBLIC if json_values.is_public(entry) else json_values.ref(entry) for entry in entries]
    assert json_values.addresses(*values, limit=limit) == tuple(dict.fromkeys(filter(None, found)))[:limit]


def test_refs_are_unique_and_bounded() -> None:
    assert json_values.refs([A, {"id": B}, A, 3]) == (A, B)
    assert json_values.refs(A) == (A,)
    assert len(json_values.refs([f"{A}/{n}" for n in range(1000)])) == 256


@pytest.mark.parametrize(
    "spelling",
    [PUBLIC, "as:Public", "Public", "http://www.w3.org/ns/activitystreams#Public", {"id": "as:Public"}],
)
def test_the_public_has_one_spelling(spelling: Json) -> None:
    assert json_values.addresses(spelling) == (PUBLIC,)
    assert json_values.addresses([A, spelling], PUBLIC, None) == (A, PUBLIC)


@pytest.mark.parametrize(
    ("value", "kinds"),
    [
        ("Note", ("Note",)),
        (["schema:Event", "as:Event"], ("schema:Event", "Event")),
        ({"type": ["https://www.w3.org/ns/activitystreams#Person", 4]}, ("Person",)),
        ({}, ()),
        (7, ()),
        (None, ()),
    ],
)
def test_kinds(value: Json, kinds: tuple[str, ...]) -> None:
    assert json_values.kinds(value) == kinds


def test_the_first_known_kind_counts() -> None:
    assert json_values.kind_of({"type": ["Odd", "Note", "Article"]}, {"Article", "Note"}) == "Note"
    assert json_values.kind_of({"type": "Odd"}, {"Note"}) == ""


@pytest.mark.parametrize(
    ("value", "link"),
    [
        (A, A),
        ({"href": A}, A),
        ([{"href": B, "mediaType": "video/mp4"}, {"href": A, "mediaType": "text/html"}], A),
        ([{"href": B, "mimeType": "video/mp4"}, A], A),
        ([{"href": B, "mediaType": "video/mp4"}], B),
        ([{"href": "magnet:?x", "mediaType": "text/html"}], ""),
        ([7, None, [A]], ""),
        (None, ""),
    ],
)
def test_web_link(value: Json, link: str) -> None:
    assert json_values.web_link(value) == link


@pytest.mark.parametrize(
    ("value", "at"),
    [
        ("1970-01-01T00:00:00Z", 0),
        ("1970-01-01T00:00:01.5Z", 1500),
        ("1970-01-01T00:00:00.123456Z", 123),
        ("1970-01-01T00:00:00.1234567+00:00", 123),
        ("1970-01-01T01:00:00+01:00", 0),
        ("1970-01-01T01:00:00+0100", 0),
        ("1970-01-01T01:00:00+01", 0),
        ("1969-12-31T16:00:00-08:00", 0),
        ("1970-01-01T00:00:00.000000+00:00Z", 0),
        ("1970-01-01T00:00:00", 0),
        ("1970-01-01T00:00:00.25", 250),
        ("1970-01-01 00:00:00", 0),
        ("1970-01-01t00:00:00z", 0),
        ("1970-01-01T00:00", 0),
        ("1970-01-02", 86_400_000),
        ("1969-12-31T23:59:60Z", -1000),
        ("  1970-01-01T00:00:00Z ", 0),
        ("Thu, 01 Jan 1970 00:00:01 GMT", 1000),
        ("Thu, 1 Jan 1970 01:00:01 +0100", 1000),
        (["1970-01-01T00:00:00Z"], 0),
        ("0001-01-01T00:00:00Z", -62_135_596_800_000),
        ("0001-01-01T00:00:00+01:00", None),
        ("9999-12-31T23:59:59-01:00", None),
        ("0000-01-01T00:00:00Z", None),
        ("2024-02-30T00:00:00Z", None),
        ("2024-01-01T25:00:00Z", None),
        ("2024-01-01T00:00:00+99:00", None),
        ("12024-01-01T00:00:00Z", None),
        ("٢٠٢٤-01-01T00:00:00Z", None),
        ("Sun, 99 Feb 9999 99:99:99 GMT", None),
        ("Sun, 01 Foo 2000 00:00:00 GMT", None),
        ("SCRUBBED_DATE", None),
        ("", None),
        (1700000000, None),
        (None, None),
    ],
)
def test_moment(value: Json, at: int | None) -> None:
    assert json_values.moment(value) == at


@given(moments)
def test_moments_are_read_as_written(at: int) -> None:
    assert json_values.moment(json_values.stamp(at)) == at


def test_stamps_end_with_z() -> None:
    assert json_values.stamp(0) == "1970-01-01T00:00:00Z"
    assert json_values.stamp(1_700_000_000_120) == "2023-11-14T22:13:20.120Z"


@pytest.mark.parametrize(
    ("value", "seconds"),
    [
        ("PT29S", 29),
        ("PT1H2M3.5S", 3723.5),
        ("P1DT1S", 86401),
        (213, 213),
        (1.5, 1.5),
        ("PT", None),
        ("P", None),
        ("29", None),
        (-1, None),
        (True, None),
    ],
)
def test_duration(value: Json, seconds: float | None) -> None:
    assert json_values.duration(value) == seconds


@given(st.integers(0, 10**9))
def test_durations_are_read_as_written(ms: int) -> None:
    assert json_values.duration(json_values.duration_text(ms / 1000)) == ms / 1000


@pytest.mark.parametrize(
    ("value", "number"),
    [(3, 3), (3.0, 3), ("12", 12), ("-4", -4), (2**60, 2**53), (3.5, None), (True, None), ("x", None), ("", None)],
)
def test_number(value: Json, number: int | None) -> None:
    assert json_values.number(value) == number


def test_no_total_is_larger_than_what_every_app_can_read() -> None:
    huge: dict[str, Json] = {"type": "Collection", "totalItems": 2**40}
    asked: dict[str, Json] = {
        "type": "Question",
        "oneOf": [{"type": "Note", "name": "tea", "replies": huge}],
        "votersCount": 2**40,
    }
    note: dict[str, Json] = {
        "id": "https://a.example/1",
        "type": "Note",
        "attributedTo": "https://a.example/",
        "content": "x",
    }
    read = read_note({**note, **asked, "replies": huge, "likes": huge, "shares": huge})
    assert read is not None
    assert read.poll is not None
    told = [read.reply_count, read.like_count, read.share_count, read.poll.voters, read.poll.options[0].votes]
    assert told == [2**31 - 1] * 5


def test_count_is_not_negative() -> None:
    assert json_values.count(-1) is None
    assert json_values.count(0) == 0


@pytest.mark.parametrize(("value", "on"), [(True, True), ("true", True), (False, False), ("false", False), (1, False)])
def test_flag(value: Json, on: bool) -> None:
    assert json_values.flag(value) is on


def test_language_map_drops_malformed_tags() -> None:
    given_map = {"en": "hello", "pt-BR": "olá", "not a tag": "x", "de": 5}
    assert json_values.language_map(given_map, 100) == {"en": "hello", "pt-BR": "olá"}
    assert json_values.language_map("x", 100) == {}


@pytest.mark.parametrize(
    "tag", ["en", "pt-BR", "zh-Hant", "zh-yue", "sl-rozaj", "de-1996", "es-419", "en-x-pirate", "und"]
)
def test_language(tag: str) -> None:
    assert json_values.language(tag) == ("" if tag == "und" else tag)


@pytest.mark.parametrize("tag", ["", "e", "en_GB", "de-419-DE", "en-", "x" * 50, "not a tag", 5, None, ["en"]])
def test_no_language(tag: Json) -> None:
    assert json_values.language(tag) == ""


@pytest.mark.parametrize("trick", ["@graph", "@included", "@reverse"])
def test_tricks_of_jsonld_are_refused_wherever_they_stand(trick: str) -> None:
    contexts.refuse_tricks({"@context": contexts.CONTEXT, "object": [{"@id": "x"}]})
    documents: list[Json] = [{trick: []}, {"object": [{"x": {trick: 1}}]}, {"@context": [{"a": {trick: "b"}}]}]
    for document in documents:
        with pytest.raises(Refused, match="jsonld-trick"):
            contexts.refuse_tricks(document)
