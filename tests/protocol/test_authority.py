"""Who may speak for whom."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.domain.documents import Activity, Actor, Key, Note
from fediblog.errors import Refused
from fediblog.protocol import authority

ME = "https://a.example/users/me"
OTHER = "https://a.example/users/other"
PEM = "-----BEGIN PUBLIC KEY-----"


@given(st.text())
def test_no_text_raises(text: str) -> None:
    authority.origin(text)
    authority.origin(f"https://{text}/")
    authority.ascii_host(text)


@pytest.mark.parametrize(
    ("uri", "origin"),
    [
        ("https://A.example/x", ("https", "a.example", 443)),
        ("https://a.example:443/x", ("https", "a.example", 443)),
        ("http://a.example:3000", ("http", "a.example", 3000)),
        ("https://bücher.example/", ("https", "xn--bcher-kva.example", 443)),
        ("https://XN--bcher-kva.example/", ("https", "xn--bcher-kva.example", 443)),
        ("https://faß.example/", ("https", "xn--fa-hia.example", 443)),
        ("https://\uff41.example/", ("https", "a.example", 443)),
        ("https://a\u00ad.example/", ("https", "a.example", 443)),
        ("https://bu\u0308cher.example/", ("https", "xn--bcher-kva.example", 443)),
        ("https://[2001:db8::1]/", ("https", "2001:db8::1", 443)),
        ("https://me@a.example/", None),
        ("https://a.example:99999/", None),
        ("https://a..example/", None),
        ("https://a.example./", None),
        ("https://-a.example/", None),
        ("acct:me@a.example", None),
        ("did:key:z6Mk", None),
        ("", None),
    ],
)
def test_origin(uri: str, origin: authority.Origin | None) -> None:
    assert authority.origin(uri) == origin


@pytest.mark.parametrize(
    ("one", "other", "same"),
    [
        (ME, OTHER, True),
        (ME, "https://a.example:443/", True),
        (ME, "http://a.example/users/me", False),
        (ME, "https://a.example:8443/users/me", False),
        (ME, "https://a.example.evil.example/", False),
        (ME, "https://b.example/?https://a.example/", False),
        ("https://faß.example/", "https://fass.example/", False),
        ("nonsense", "nonsense", False),
        ("", "", False),
    ],
)
def test_same_origin(one: str, other: str, same: bool) -> None:
    assert authority.same_origin(one, other) is same


@pytest.mark.parametrize("uri", ["", "https://a.example/activities/1", f"{ME}#likes/1"])
def test_a_signer_speaks_for_itself(uri: str) -> None:
    authority.may_speak(ME, Activity(kind="Like", actor=ME, uri=uri))


@pytest.mark.parametrize(
    ("signer", "actor", "uri", "reason"),
    [
        (OTHER, ME, "", "signer-is-not-actor"),
        (f"{ME}/", ME, "", "signer-is-not-actor"),
        (f"{ME}#main-key", ME, "", "signer-is-not-actor"),
        (ME.upper(), ME, "", "signer-is-not-actor"),
        ("", "", "", "signer-is-not-actor"),
        (ME, ME, "https://b.example/activities/1", "foreign-activity-id"),
        (ME, ME, "http://a.example/activities/1", "foreign-activity-id"),
    ],
)
def test_nobody_else_does(signer: str, actor: str, uri: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        authority.may_speak(signer, Activity(kind="Like", actor=actor, uri=uri))
    assert refused.value.reason == reason


@pytest.mark.parametrize(
    ("uri", "author", "theirs"),
    [
        ("https://a.example/1", ME, True),
        ("https://b.example/1", ME, False),
        ("https://a.example/1", OTHER, False),
        ("https://b.example/1", "https://b.example/you", False),
    ],
)
def test_embedded_posts_are_believed_only_of_their_author(uri: str, author: str, theirs: bool) -> None:
    note = Note(uri=uri, kind="Note", author=author)
    assert authority.object_is_theirs(Activity(kind="Create", actor=ME), note) is theirs


def test_only_the_owner_changes_what_is_stored() -> None:
    assert authority.owner_matches(ME, Activity(kind="Delete", actor=ME))
    assert not authority.owner_matches(OTHER, Activity(kind="Delete", actor=ME))
    assert not authority.owner_matches("", Activity(kind="Delete", actor=""))


@pytest.mark.parametrize(
    ("uri", "final", "ok"),
    [
        (ME, ME, True),
        ("https://a.example/?p=1", "https://a.example/?p=1", True),
        ("https://a.example/?p=1", "https://a.example/?p=2", False),
        (ME, f"{ME}.json", False),
        (f"{ME}#it", ME, True),
        (ME, "https://b.example/copy", False),
        (ME, "http://a.example/users/me", False),
        ("", "", False),
        ("urn:x", "urn:x", False),
    ],
)
def test_a_fetched_document_is_believed_at_its_own_address(uri: str, final: str, ok: bool) -> None:
    assert authority.fetched_ok(uri, final) is ok


@pytest.mark.parametrize(
    ("final", "ok"),
    [
        (f"{ME}.json", True),
        ("https://a.example/objects/7", True),
        ("https://b.example/users/me", False),
        ("http://a.example/users/me", False),
        ("https://a.example/media/me.json", False),
        ("https://a.example/Uploads/1?x=/media/", False),
        ("https://a.example/%6Dedia/me.json", False),
        ("https://a.example/media%2Fme.json", False),
        ("https://a.example/download?file=me.json", False),
        ("https://a.example/users/download", True),
        ("https://a.example/users/me?from=/media/", True),
    ],
)
def test_a_redirect_of_its_own_server_leads_to_a_document_but_to_no_upload(final: str, ok: bool) -> None:
    assert authority.redirected_ok(ME, final) is ok


def test_key_and_owner_must_claim_each_other() -> None:
    key = Key(uri=f"{ME}#main-key", owner=ME, kind="rsa", public=PEM)
    actor = Actor(uri=ME, kind="Person", handle="me", inbox=f"{ME}/inbox", keys=(key,))
    bare = Actor(uri=ME, kind="Person", handle="me", inbox=f"{ME}/inbox")
    assert authority.key_is_owned(key, actor)
    assert authority.key_is_owned(key, bare, [key.uri])
    assert not authority.key_is_owned(key, bare)
    assert not authority.key_is_owned(Key(uri=key.uri, owner=OTHER, kind="rsa", public=PEM), actor)
    assert not authority.key_is_owned(Key(uri=key.uri, owner=ME, kind="rsa", public="another"), actor, [key.uri])
    foreign = Key(uri="https://b.example/key", owner=ME, kind="rsa", public=PEM)
    assert not authority.key_is_owned(foreign, bare, [foreign.uri])
