"""RFC 9421, letter by letter: structured fields, components, the text that is signed."""

from __future__ import annotations

from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.protocol import rfc9421
from fediblog.protocol.keys import Algorithm, load_public
from fediblog.protocol.structured import (
    Bare,
    Headers,
    InnerList,
    Item,
    Token,
    joined,
    read_dictionary,
    write_item,
    write_list,
)
from tests.corpus import needs_corpus, vectors
from tests.protocol import ED25519, KEYS, RSA

NOW = 1_760_000_000
KEY_ID = "https://alice.example/a/1#main-key"
ORIGIN = "https://bob.example"
PRINTABLE = st.text(st.characters(min_codepoint=0x20, max_codepoint=0x7E))
KEYWORDS = st.from_regex(r"[a-z*][a-z0-9_\-.*]{0,8}", fullmatch=True)
BARE: st.SearchStrategy[Bare] = st.one_of(
    st.integers(-(10**15) + 1, 10**15 - 1),
    st.booleans(),
    PRINTABLE,
    st.binary(max_size=20),
    st.from_regex(r"[A-Za-z*][A-Za-z0-9:/!#]{0,8}", fullmatch=True).map(Token),
    st.decimals(-(10**11), 10**11, places=3),
)
PARAMS = st.dictionaries(KEYWORDS, BARE, max_size=3)
ITEMS = st.builds(Item, BARE, PARAMS)
LISTS = st.builds(InnerList, st.lists(ITEMS, max_size=4).map(tuple), PARAMS)


@given(members=st.dictionaries(KEYWORDS, ITEMS | LISTS, max_size=4))
def test_structured_fields_survive(members: dict[str, Item | InnerList]) -> None:
    written = (
        f"{key}={write_item(member) if isinstance(member, Item) else write_list(member)}"
        for key, member in members.items()
    )
    assert read_dictionary(", ".join(written)) == members


@pytest.mark.parametrize(
    ("text", "members"),
    [
        ("", {}),
        ("a", {"a": Item(True, {})}),
        ("a;b;c=2 ,\tb=?0", {"a": Item(True, {"b": True, "c": 2}), "b": Item(False, {})}),
        ('a="x\\"\\\\y"', {"a": Item('x"\\y', {})}),
        ("a=1.50", {"a": Item(Decimal("1.5"), {})}),
        ("a=( 1  2 );x", {"a": InnerList((Item(1, {}), Item(2, {})), {"x": True})}),
        ("a=()", {"a": InnerList((), {})}),
    ],
)
def test_structured_fields(text: str, members: dict[str, Item | InnerList]) -> None:
    assert read_dictionary(text) == members


@pytest.mark.parametrize(
    "text",
    [
        "A=1",
        "a=1,",
        "a=1 b=2",
        "a=1, a=2",
        "a=1;b;b",
        "a=(1 2",
        "a=(1,2)",
        'a=("x""y")',
        "a=((1))",
        'a="x',
        'a="\\x"',
        'a="ä"',
        "a=:AAA:",
        "a=:AA",
        "a=?2",
        "a=1.2345",
        "a=1.",
        "a=-",
        "a=1234567890123456",
        "a=@1",
        "a=",
        "a;=1",
        f"a=({'1 ' * 65})",
        ",".join(f"a{n}" for n in range(65)),
        "a" + "".join(f";b{n}" for n in range(65)),
        f'a="{"x" * 20_000}"',
    ],
)
def test_what_is_no_dictionary_is_none(text: str) -> None:
    assert read_dictionary(text) is None


@given(text=st.text() | st.text(alphabet='ab=();,":?@.- 1\\A'))
def test_readers_never_raise(text: str) -> None:
    read_dictionary(text)
    rfc9421.read(text, text)
    rfc9421.read(f'sig1=("@method" {text});keyid="k"', "sig1=:AAAA:")
    rfc9421.base(
        InnerList((Item(text, {}), Item("@query-param", {"name": text})), {}), text, text, [(text, text)], ORIGIN
    )


def test_signatures_are_taken_apart() -> None:
    components = '("@method" "@query-param";name="a" "date")'
    found = rfc9421.read(
        f'sig1={components};created=1;expires=2;keyid="k";alg="ed25519";tag="x",sig2=("date")',
        "sig2=:AAAA:, sig1=:aGVsbG8=:",
    )
    assert found is not None
    assert [one.label for one in found] == ["sig1"]  # the other one names no key
    one = found[0]
    assert (one.key_id, one.algorithm, one.created, one.expires) == ("k", "ed25519", 1, 2)
    assert (one.signature, one.covered) == (b"hello", frozenset({"@method", "date"}))


@pytest.mark.parametrize(
    ("signature_input", "signature"),
    [
        (None, None),
        ('sig1=("@method");keyid="k"', None),
        ('sig1=("@method");keyid="k"', ""),
        ('sig1=("@method");keyid="k"', "sig2=:AAAA:"),
        ('sig1=("@method");keyid="k"', "sig1=:AAAA:, sig2=:AAAA:"),
        ('sig1=("@method");keyid="k"', 'sig1="AAAA"'),
        ('sig1=("@method");keyid="k"', "sig1=(:AAAA:)"),
        ('sig1="@method";keyid="k"', "sig1=:AAAA:"),
        ('sig1=("@method");keyid="k", sig1=("date");keyid="k"', "sig1=:AAAA:"),
        ('sig1=("@method");keyid="k";keyid="l"', "sig1=:AAAA:"),
    ],
)
def test_headers_that_do_not_fit_together_are_none(signature_input: str | None, signature: str | None) -> None:
    assert rfc9421.read(signature_input, signature) is None


@pytest.mark.parametrize(
    "params",
    ["", ';keyid=""', ";keyid=k", ";keyid=1", ';keyid="k";alg=x', ';keyid="k";created="1"', ';keyid="k";expires'],
)
def test_a_signature_with_odd_parameters_does_not_count(params: str) -> None:
    assert rfc9421.read(f'sig1=("@method"){params}', "sig1=:AAAA:") == []


def value_of(
    name: str, params: dict[str, Bare] | None = None, target: str = "/a/b?c=d&e=%7E%20*+x&f=1&f=2"
) -> str | None:
    headers = [("accept", "x"), ("accept", "y"), ("broken", "x\ny")]
    text = rfc9421.base(InnerList((Item(name, params or {}),), {}), "POST", target, headers, "https://Bob.Example:443")
    return text.decode().rpartition("\n")[0].rpartition(": ")[2] if text else None


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("@method", "POST"),
        ("@target-uri", "https://Bob.Example:443/a/b?c=d&e=%7E%20*+x&f=1&f=2"),
        ("@authority", "bob.example"),
        ("@scheme", "https"),
        ("@request-target", "/a/b?c=d&e=%7E%20*+x&f=1&f=2"),
        ("@path", "/a/b"),
        ("@query", "?c=d&e=%7E%20*+x&f=1&f=2"),
        ("accept", "x, y"),
        ("Accept", None),
        ("broken", None),
        ("absent", None),
        ("@status", None),
        ("@query-param", None),
        ("@signature-params", None),
    ],
)
def test_components(name: str, value: str | None) -> None:
    assert value_of(name) == value


@pytest.mark.parametrize(("name", "value"), [("c", "d"), ("e", "%7E%20*%20x"), ("f", None), ("g", None), ("%63", "d")])
def test_query_parameters(name: str, value: str | None) -> None:
    assert value_of("@query-param", {"name": name}) == value


def test_the_query_of_nothing() -> None:
    assert value_of("@query", target="/a") == "?"
    assert value_of("@path", target="?a") == "/"
    assert value_of("@query-param", {"name": "a"}, target="/?" + "a&" * 100) is None


@pytest.mark.parametrize("param", ["sf", "key", "bs", "tr", "req"])
def test_components_of_other_messages_are_not_guessed(param: str) -> None:
    assert value_of("accept", {param: True}) is None
    assert value_of("@method", {param: True}) is None


def test_a_component_comes_once() -> None:
    twice = InnerList((Item("@method", {}), Item("@method", {})), {})
    assert rfc9421.base(twice, "GET", "/", [], ORIGIN) is None


def test_a_delivery_is_signed_as_mastodon_wants_it() -> None:
    headers = {"Content-Type": "application/activity+json", "host": "bob.example"}
    added = rfc9421.sign("POST", f"{ORIGIN}/inbox?x", headers, b"{}", KEY_ID, RSA, NOW, also=["Content-Type", "host"])
    assert list(added) == ["Host", "Content-Digest", "Signature-Input", "Signature"]
    assert added["Signature-Input"] == (
        f'sig1=("@method" "@target-uri" "content-digest" "content-type" "host");created={NOW};keyid="{KEY_ID}"'
    )
    found = rfc9421.read(added["Signature-Input"], added["Signature"])
    assert found is not None
    given = {name.lower(): value for name, value in (*headers.items(), *added.items())}
    text = rfc9421.base(found[0].input, "POST", "/inbox?x", list(given.items()), ORIGIN)
    assert text is not None
    assert RSA.public.verifies(found[0].signature, text)


def test_what_cannot_be_signed_is_an_error() -> None:
    with pytest.raises(ValueError):
        rfc9421.sign("GET", ORIGIN, {}, b"", KEY_ID, ED25519, NOW, also=["absent"])
    with pytest.raises(ValueError):
        rfc9421.sign("GET", ORIGIN, {}, b"", "https://ä.example", ED25519, NOW)


def test_keys_have_a_usual_algorithm() -> None:
    assert {name: key.kind for name, key in KEYS.items()} == {"rsa": "rsa", "ed25519": "ed25519"}


FIELDS = st.lists(st.tuples(st.sampled_from("abc"), st.text(alphabet="x, \t")), max_size=5)


@given(FIELDS)
def test_lines_of_one_field_are_joined(headers: list[tuple[str, str]]) -> None:
    found = joined(headers)
    assert list(found) == list(dict(headers))
    assert joined(found) is found
    for name, value in found.items():
        assert value == ", ".join(line.strip(" \t") for field, line in headers if field == name)


# Algorithms that no server of the fediverse signs with. The text that is signed is compared all the same.
NOT_VERIFIED = {
    "hmac-sha256": "a shared secret is not what strangers have",
    "ecdsa-p256-sha256": "actors have RSA and Ed25519 keys",
}
NOT_A_REQUEST = ["RFC 9421 B.2.4: Signing a Response using ecdsa-p256-sha256"]


def headers_of(inputs: dict[str, Any]) -> Headers:
    given = inputs["headers"]
    pairs = given.items() if isinstance(given, dict) else given
    return [(name.lower(), value) for name, value in pairs]


@needs_corpus
@pytest.mark.parametrize("vector", vectors("rfc9421"), ids=lambda vector: vector["name"])
def test_rfc9421_vectors(vector: dict[str, Any]) -> None:
    # Of the letters only; whether the whole request is believed is in test_signatures.
    inputs, expected = vector["inputs"], vector["expected"]
    headers = headers_of(inputs)
    found = rfc9421.read(
        inputs.get("signature_input") or joined(headers).get("signature-input"),
        inputs.get("signature") or joined(headers).get("signature"),
    )
    assert found is not None
    one, origin = found[0], f"{inputs['scheme']}://{joined(headers).get('host')}"
    text = rfc9421.base(one.input, inputs.get("method", ""), inputs.get("target", ""), headers, origin)
    if vector["name"] in NOT_A_REQUEST:
        assert text is None
        return
    assert text is not None
    if "signature_base" in expected:
        assert text == expected["signature_base"].encode()
    algorithm: str = inputs["algorithm"].split(" ")[0]
    key = load_public(inputs.get("public_key_pem") or inputs["key"].get("public_key_pem", ""))
    assert (key is None) is (algorithm in NOT_VERIFIED)
    if key is None:
        return
    names: dict[str, Algorithm] = {"rsa-v1_5-sha256": "rsa-v1_5-sha256", "rsa-pss-sha512": "rsa-pss-sha512"}
    good = key.verifies(one.signature, text, names.get(algorithm))
    assert good is expected.get("cryptographically_valid", expected["valid"])
