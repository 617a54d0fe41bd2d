"""What must hold for any bytes that reach a parser of ours: asked by Hypothesis, and by a fuzzer that looks inside."""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import Any

from fediblog.errors import Refused
from fediblog.federation.lookups.resolve import parse_key
from fediblog.markup.clean import OWN, clean, clean_own, plain_to_html
from fediblog.markup.html import excerpt, plain
from fediblog.markup.markdown import render_remote
from fediblog.markup.text import display_name, one_line, tidy
from fediblog.protocol import cavage, hostmeta, integrity_proofs, json_values, nodeinfo, rfc9421, signatures
from fediblog.protocol.activities import read_activity
from fediblog.protocol.actors import key_uris, read_actor, read_key
from fediblog.protocol.collections import read_collection
from fediblog.protocol.contexts import refuse_tricks
from fediblog.protocol.digest import matches_content_digest, matches_digest
from fediblog.protocol.jsontext import DEPTH, decode, encode
from fediblog.protocol.keys import PublicKey, load_public
from fediblog.protocol.negotiate import is_activity_type, wants_activity
from fediblog.protocol.notes import read_note
from fediblog.protocol.signatures import IncomingRequest
from fediblog.protocol.structured import Item, read_dictionary, write_item, write_list
from fediblog.protocol.webfinger import parse_domain, parse_handle, parse_resource, read_jrd, webfinger_url
from fediblog.store.people.accounts import host_of
from fediblog.web.forms import own_path, whole
from tests.markup.rendering import find_mentions, render
from tests.markup.test_clean import inspect

Check = Callable[[bytes], None]
ORIGIN = "https://home.test"
NOW = 1_750_000_000
_KEY = (
    "-----BEGIN PUBLIC KEY-----\n"
    "MCowBQYDK2VwAyEAGb9ECWmEzf6FQbrBZ9w7lshQhqowtrbLDFw4rXAxZuE=\n"
    "-----END PUBLIC KEY-----\n"
)


def text_of(data: bytes) -> str:
    """Any text: what is UTF-8 as such, all else as Latin-1, which is how headers come."""
    try:
        return data.decode()
    except UnicodeDecodeError:
        return data.decode("latin-1")


def public_key() -> PublicKey:
    """A key that has signed nothing of what is tried."""
    found = load_public(_KEY)
    assert found is not None
    return found


def expect(refusal: Refused, *reasons: str) -> None:
    """Refused for one of the reasons that belong here."""
    assert refusal.reason.startswith(reasons), refusal.reason


def signature_headers(data: bytes) -> None:
    """Both schemes: refused with a reason, or read; nothing that is made up verifies, and nothing else is raised."""
    first, _, second = data.partition(b"\n")
    one, two = first.decode("latin-1"), second.decode("latin-1")
    read = cavage.read(one)
    assert read is None or (read.key_id and len(set(read.headers)) == len(read.headers))
    for each in rfc9421.read(one, two) or []:
        assert each.key_id
    for own in ((("signature", one),), (("signature-input", one), ("signature", two))):
        headers = (*own, ("host", "home.test"), ("date", two), ("digest", two), ("content-digest", two))
        for method, body in (("POST", b"{}"), ("GET", b"")):
            incoming = IncomingRequest(method, "/inbox", headers, body)
            try:
                claim = signatures.read(incoming, ORIGIN)
                host_of(claim.key_id)
                json_values.url(claim.key_id)
                signatures.check(claim, incoming, NOW)
                signatures.verify(claim, incoming, public_key(), ORIGIN, NOW)
            except Refused as refusal:
                expect(refusal, "signature-", "digest-", "host-")
            else:
                raise AssertionError("a signature that nobody made verifies")


def structured_fields(data: bytes) -> None:
    """RFC 8941: what is read is written so that it is read again as the same."""
    text = data.decode("latin-1")
    found = read_dictionary(text)
    if found is not None:
        written = ", ".join(
            f"{name}={write_item(member) if isinstance(member, Item) else write_list(member)}"
            for name, member in found.items()
        )
        assert read_dictionary(written) == found
    matches_digest(text, b"x")
    matches_content_digest(text, b"x")
    cavage.read_date(text)
    wants_activity(text)
    is_activity_type(text)


def json_text(data: bytes) -> None:
    """Strict, bounded JSON: what Python's own parser refuses is refused, and what is read can be written and read."""
    try:
        value = decode(data)
    except Refused as refusal:
        expect(refusal, "json-", "not-utf8", "too-large")
        return
    assert decode(encode(value)) == value
    json.loads(data.decode("utf-8-sig"), parse_int=len)  # its own ends at 4300 digits
    assert depth_of(value) <= DEPTH
    documents(value)


def depth_of(value: Any) -> int:
    """How deep lists and objects lie in each other."""
    if isinstance(value, dict):
        return 1 + max(map(depth_of, value.values()), default=0)
    return 1 + max(map(depth_of, value), default=0) if isinstance(value, list) else 0


def documents(value: Any) -> None:
    """Every reader of documents takes any JSON."""
    for read in (read_jrd, nodeinfo.read_discovery, nodeinfo.read_software):
        read(value)
    for reader in (read_actor, read_note, read_activity, read_collection, read_key, key_uris):
        reader(value)
    if isinstance(value, dict):
        for proof in integrity_proofs.read(value):
            assert integrity_proofs.verify(value, proof, public_key(), NOW) is False
        try:
            refuse_tricks(value)
        except Refused as refusal:
            expect(refusal, "jsonld")


def hyper_text(data: bytes) -> None:
    """Nothing active is left of any HTML, by either policy, and a second cleaning changes nothing."""
    text = text_of(data)
    once, own = clean(text), clean_own(text)
    inspect(once)
    inspect(own, OWN)
    assert clean(once, len(once)) == once
    assert clean_own(own) == own
    inspect(plain_to_html(text))
    assert "<" not in plain(once).replace("<", "", text.count("<") + text.count("&"))
    excerpt(once, 80)


def markdown(data: bytes) -> None:
    """Whatever is typed, what comes out is what our own may show."""
    text = text_of(data)
    made = render(text, mentions={}, tag_url=lambda name: f"https://home.test/tags/{name}", base=ORIGIN, anchor="p1-")
    inspect(made.html, OWN)
    inspect(render_remote(text))
    find_mentions(text)


def names(data: bytes) -> None:
    """Handles, hosts, resources, addresses: what is taken is in one piece, and steers no request elsewhere."""
    text = text_of(data)
    handle = parse_handle(text)
    if handle is not None:
        url = webfinger_url(handle[1], f"acct:{handle[0]}@{handle[1]}")
        assert url.startswith(f"https://{handle[1]}/.well-known/webfinger?resource=acct%3A")
        assert not set("/?#@\\ \t\r\n") & set(handle[1])
        assert parse_handle(f"@{handle[0]}@{handle[1]}") == handle
    assert parse_domain(text) is None or not set("/?#@\\") & set(parse_domain(text) or "")
    try:
        resource = parse_resource(text)
        assert not set("/?#@\\ ") & set(resource.host)
    except Refused as refusal:
        expect(refusal, "resource-invalid")
    host_of(text)
    found = hostmeta.read_template(text)
    assert not found or ("{uri}" in found and json_values.url(found.replace("{uri}", "x")))
    assert parse_key(text) is None or "KEY" in text or text[:1] in "zu"
    address = json_values.url(text)
    assert (
        not address
        or address.startswith(("http://", "https://", "HTTP", "Http", "hTTP"))
        or address[:4].lower() == "http"
    )


def words(data: bytes) -> None:
    """Plain text: no controls are left, names turn nothing around, and our own paths stay on our own site."""
    text = text_of(data)
    assert tidy(tidy(text)) == tidy(text)
    shown = display_name(text)
    assert not {char for char in shown if char in "\u202a\u202b\u202d\u202e\u2066\u2067\u2069\u200f\x00\n"}
    assert len(shown) <= 200
    assert "\n" not in one_line(text)
    path = own_path(text, "/home")
    assert path.startswith("/")
    assert not path.startswith(("//", "/\\"))
    assert not set(path) & set("\r\n\t\\")
    number = whole(text)
    assert number is None or 0 <= number < 1 << 63


CHECKS: dict[str, Check] = {
    check.__name__: check
    for check in (signature_headers, structured_fields, json_text, hyper_text, markdown, names, words)
}
