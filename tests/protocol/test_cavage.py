"""The cavage draft, letter by letter: its header, its date, the text that is signed."""

from __future__ import annotations

import time
from email.utils import formatdate
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.protocol import cavage
from fediblog.protocol.keys import PublicKey, load_public
from tests.corpus import needs_corpus, vectors
from tests.protocol import ED25519, RSA

NOW = 1_760_000_000
KEY_ID = "https://alice.example/a/1#main-key"
URL = "https://bob.example/inbox?x=1"


def test_a_header_is_taken_apart() -> None:
    value = (
        'keyId="https://a.example/u#k" , algorithm="HS2019",created=1760000000,expires=1760000300.5,'
        ' headers="(request-target) (created) Host",signature="aGVsbG8=",later="x"'
    )
    assert cavage.read(value) == cavage.CavageSignature(
        key_id="https://a.example/u#k",
        signature=b"hello",
        algorithm="hs2019",
        headers=("(request-target)", "(created)", "host"),
        created=1_760_000_000,
        expires=1_760_000_300,
    )


def test_what_is_signed_by_default_depends_on_the_age_of_the_draft() -> None:
    new, old = (
        cavage.read('keyId="k",signature="aGVsbG8="'),
        cavage.read('keyId="k",algorithm="rsa-sha256",signature="aGVsbG8="'),
    )
    assert new is not None
    assert old is not None
    assert (new.headers, old.headers) == (("(created)",), ("date",))


@pytest.mark.parametrize(
    "value",
    [
        "",
        "nonsense",
        'keyId="k"',
        'signature="aGVsbG8="',
        'keyId="",signature="aGVsbG8="',
        'keyId="k",signature=""',
        'keyId="k",signature="no base64"',
        'keyId="k",signature="aGVsbG8"',
        # What comes twice, whichever of the two others would take.
        'keyId="k",keyId="k",signature="aGVsbG8="',
        'keyId="k",KEYID="other",signature="aGVsbG8="',
        'keyId="k",signature="aGVsbG8=",headers="host",headers="date"',
        'keyId="k",signature="aGVsbG8=",headers="host host"',
        'keyId="k",signature="aGVsbG8=",headers="host HOST"',
        'keyId="k",signature="aGVsbG8=",headers=""',
        'keyId="k",signature="aGVsbG8=",created=soon',
        'keyId="k",signature="aGVsbG8=",created=-1',
        'keyId="k",signature="aGVsbG8=",expires=1e9',
        'keyId="k",signature="aGVsbG8=",algorithm="rsa-sha256",headers="(created)",created=1',
        'keyId="k" signature="aGVsbG8="',
        'keyId="k";signature="aGVsbG8="',
        'Signature keyId="k",signature="aGVsbG8="',
        f'keyId="{"k" * cavage.MAX_LENGTH}",signature="aGVsbG8="',
    ],
)
def test_other_headers_are_refused_whole(value: str) -> None:
    assert cavage.read(value) is None


@given(text=st.text() | st.text(alphabet='keyIdsgnatur="\\,() 1'))
def test_readers_never_raise(text: str) -> None:
    assert cavage.read(text) is None
    cavage.read(f'keyId="{text}",signature="aGVsbG8="')
    assert cavage.read_date(text) is None
    cavage.base([text, "(created)"], text, text, [(text, text)], 1)


PARAMETERS = st.lists(
    st.builds(
        "{}{}={}{}".format,
        st.sampled_from(["", " "]),
        st.sampled_from(["keyId", "KEYID", "created", "signature", "\u00e4", "k1", ""]),
        st.sampled_from(['""', '"a/b="', '"a,b"', '"a\\""', '"a', "17", '"\n"', "\u00e9"]),
        st.sampled_from(["", "\t"]),
    ),
    max_size=4,
)


@given(parts=PARAMETERS, end=st.sampled_from(["", ",", '"', "x" * cavage.MAX_LENGTH]))
def test_parameters_are_read_alike_in_every_way_to_write_them(parts: list[str], end: str) -> None:
    # A blank in front is allowed, and too many of them hinder the short cut for what most servers write.
    value = ",".join(parts) + end
    assert cavage.parameters(value) == ({} if len(value) > cavage.MAX_LENGTH else cavage.parameters(f" {value}"))


@given(seconds=st.integers(0, 4 * 10**9))
def test_dates_survive(seconds: int) -> None:
    assert cavage.write_date(seconds) == formatdate(seconds, usegmt=True)
    assert cavage.read_date(cavage.write_date(seconds)) == seconds


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("Thu, 05 Jan 2014 21:31:40 GMT", 1_388_957_500),  # it was a Sunday
        ("Sun, 5 Jan 2014 21:31:40 GMT", 1_388_957_500),
        ("Sun, 05 Jan 2014 21:31:40 UTC", 1_388_957_500),
        ("Sun, 05 Jan 2014 21:31:40 +0100", None),
        ("Sun, 31 Feb 2014 21:31:40 GMT", None),
        ("Sun, 05 Jan 2014 25:31:40 GMT", None),
        ("2014-01-05T21:31:40Z", None),
        ("wrong date", None),
        ("", None),
    ],
)
def test_dates(text: str, seconds: int | None) -> None:
    assert cavage.read_date(text) == seconds


def test_dates_do_not_depend_on_where_we_are(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Kathmandu")
    time.tzset()
    cavage.write_date.cache_clear()
    try:
        assert cavage.write_date(0) == "Thu, 01 Jan 1970 00:00:00 GMT"
        assert cavage.read_date("Thu, 01 Jan 1970 00:00:00 GMT") == 0
    finally:
        monkeypatch.undo()
        time.tzset()


def test_the_text_that_is_signed() -> None:
    names = ["(request-target)", "(created)", "(expires)", "host", "accept", "x-empty"]
    headers = [("accept", " a/b"), ("host", "bob.example"), ("accept", "c/d "), ("x-empty", "")]
    assert cavage.base(names, "POST", "/inbox?a=b", headers, 1, 2) == (
        b"(request-target): post /inbox?a=b\n(created): 1\n(expires): 2\nhost: bob.example\naccept: a/b, c/d\nx-empty: "
    )


@pytest.mark.parametrize("headers", [[], [("date", "a\nhost: evil.example")], [("date", "a\rb")], [("date", "\u20ac")]])
def test_there_is_no_text_without_all_parts_of_it(headers: list[tuple[str, str]]) -> None:
    assert cavage.base(["date"], "GET", "/", headers) is None


def test_a_fetch_is_signed_as_mastodon_wants_it() -> None:
    added = cavage.sign("GET", URL, {"Accept": "x/y"}, b"", KEY_ID, RSA, NOW)
    assert list(added) == ["Host", "Date", "Signature"]
    assert added["Host"] == "bob.example"
    assert added["Date"] == "Thu, 09 Oct 2025 08:53:20 GMT"
    assert added["Signature"].startswith(
        f'keyId="{KEY_ID}",algorithm="rsa-sha256",headers="(request-target) host date",signature="'
    )


def test_a_delivery_is_signed_as_mastodon_wants_it() -> None:
    headers = {"Content-Type": "application/activity+json", "Collection-Synchronization": "x", "Accept": "x/y"}
    added = cavage.sign("POST", URL, headers, b"{}", KEY_ID, RSA, NOW, also=["Collection-Synchronization", "host"])
    signature = cavage.read(added["Signature"])
    assert signature is not None
    assert " ".join(signature.headers) == ("(request-target) host date digest content-type collection-synchronization")
    given = [(name.lower(), value) for name, value in {**headers, **added}.items()]
    text = cavage.base(signature.headers, "POST", "/inbox?x=1", given)
    assert text is not None
    assert RSA.public.verifies(signature.signature, text)


def test_the_query_string_may_be_left_out() -> None:
    added = cavage.sign("GET", URL, {}, b"", KEY_ID, ED25519, NOW, query=False)
    signature = cavage.read(added["Signature"])
    assert signature is not None
    assert signature.algorithm == "hs2019"
    text = cavage.base(signature.headers, "GET", "/inbox", [(name.lower(), value) for name, value in added.items()])
    assert text is not None
    assert ED25519.public.verifies(signature.signature, text)


@pytest.mark.parametrize("also", ["absent", "broken"])
def test_what_cannot_be_signed_is_an_error(also: str) -> None:
    with pytest.raises(ValueError, match="to be signed"):
        cavage.sign("GET", URL, {"broken": "a\nb"}, b"", KEY_ID, RSA, NOW, also=[also])


@pytest.mark.parametrize(
    ("url", "parts"),
    [
        ("https://Bob.Example", ("bob.example", "/")),
        ("https://bob.example:443/a", ("bob.example", "/a")),
        ("http://bob.example:443/a", ("bob.example:443", "/a")),
        ("http://bob.example:80?q#f", ("bob.example", "/?q")),
        ("https://me:secret@bob.example:8443/a;b?c=/d?e", ("bob.example:8443", "/a;b?c=/d?e")),
    ],
)
def test_urls_are_split_as_clients_do(url: str, parts: tuple[str, str]) -> None:
    assert cavage.split(url) == parts


def public(text: str) -> PublicKey:
    key = load_public(text, min_bits=1024)  # the key of the draft is from another time
    assert key is not None
    return key


@needs_corpus
@pytest.mark.parametrize("vector", vectors("cavage-draft"), ids=lambda vector: vector["name"])
def test_cavage_draft_vectors(vector: dict[str, Any]) -> None:
    # Of the letters only: what they cover would not be enough for `signatures`, which the draft leaves to the reader.
    inputs, expected = vector["inputs"], vector["expected"]
    given = [(name.lower(), value) for name, value in inputs["headers"].items()]
    value = expected.get("authorization", "").removeprefix("Signature ") or 'keyId="Test",signature="{}",{}'.format(
        expected["signature_base64"],
        'algorithm="rsa-sha256",headers="{}"'.format(" ".join(inputs["signature_parameters"]["headers"])),
    )
    signature = cavage.read(value)
    assert signature is not None
    assert signature.key_id == "Test"
    assert list(signature.headers) == inputs["signature_parameters"]["headers"]
    text = cavage.base(signature.headers, inputs["method"], inputs["target"], given)
    assert text is not None
    assert text.decode() == expected["signing_string"]
    assert public(inputs["public_key_pem"]).verifies(signature.signature, text) is expected["valid"]


@needs_corpus
@pytest.mark.parametrize("vector", vectors("cavage-implementations"), ids=lambda vector: vector["name"])
def test_cavage_vectors_of_implementations_by_the_letter(vector: dict[str, Any]) -> None:
    # Whether the whole request is believed is in test_signatures.
    inputs, expected = vector["inputs"], vector["expected"]
    given = [(name.lower(), value) for name, value in inputs["headers"].items()]
    signature = cavage.read(dict(given)["signature"])
    assert signature is not None
    text = cavage.base(signature.headers, inputs["method"], inputs["target"], given)
    assert text is not None
    assert text.decode() == expected["signing_string"]
    good = public(inputs["public_key_pem"]).verifies(signature.signature, text)
    assert good is expected["cryptographically_valid_over_that_string"]
