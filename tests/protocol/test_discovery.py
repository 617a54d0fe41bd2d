"""WebFinger, host-meta and NodeInfo: what is asked, what is answered, what others answer."""

from __future__ import annotations

import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.domain.documents import Json
from fediblog.errors import NotFound, Refused
from fediblog.protocol import hostmeta, nodeinfo
from fediblog.protocol.negotiate import LD_JSON_TYPE
from fediblog.protocol.webfinger import (
    AVATAR,
    PROFILE_PAGE,
    SUBSCRIBE,
    Jrd,
    Resource,
    parse_handle,
    parse_resource,
    read_jrd,
    template_url,
    webfinger_url,
    write_jrd,
)
from tests.protocol.generated import anything

ACTOR = "https://a.example/users/me"


@given(anything)
def test_reading_never_raises(value: Json) -> None:
    read_jrd(value)
    nodeinfo.read_discovery(value)
    nodeinfo.read_software(value)


@given(st.one_of(st.text(), st.text("<>Link =\"'rel:template{uri}&;/ht", max_size=200)))
def test_text_is_read_or_refused(text: str) -> None:
    hostmeta.read_template(text)
    parse_handle(text)
    try:
        parse_resource(text)
    except Refused as refused:
        reason = refused.reason
    else:
        reason = "resource-invalid"
    assert reason in ("resource-invalid", "not-found")  # the second of other schemes, as mailto:


@pytest.mark.parametrize(
    ("text", "handle"),
    [
        ("me@a.example", ("me", "a.example")),
        ("@me@A.Example", ("me", "a.example")),
        ("first.last-x@a.example", ("first.last-x", "a.example")),
        ("Me@localhost:3000", ("Me", "localhost:3000")),
        ("me@a.example:443", ("me", "a.example")),
        ("me@bücher.example", ("me", "xn--bcher-kva.example")),
        (" me@a.example ", ("me", "a.example")),
        ("me", None),
        ("@me", None),
        ("@a.example", None),
        ("me@", None),
        ("me@a.example/path", None),
        ("me@a.example?x", None),
        ("me@a.example#x", None),
        ("me@a.example:0", None),
        ("me@a.example:99999", None),
        ("me@a.example:8080/x", None),
        ("me@b@a.example", None),
        ("me@a.example\\", None),
        ("me@[::1]", None),
        ("me@a_b..example", None),
        ("me%40@a.example", None),
        ("m e@a.example", None),
        ("me@a.example\nHost: x", None),
        ("x" * 600 + "@a.example", None),
    ],
)
def test_handles(text: str, handle: tuple[str, str] | None) -> None:
    assert parse_handle(text) == handle


@pytest.mark.parametrize(
    "text",
    [
        "acct:me@a.example",
        "ACCT:me@A.EXAMPLE",
        "me@a.example",
        "@me@a.example",
        "acct:@me@a.example",
        "acct://me@a.example",
        "acct%3Ame%40a.example",
        "me%40a.example",
        "acct:me@a.example:443",
    ],
)
def test_resources_that_are_handles(text: str) -> None:
    assert parse_resource(text) == Resource(user="me", host="a.example")


@pytest.mark.parametrize(
    ("text", "host"),
    [
        ("https://a.example/@me", "a.example"),
        ("https%3A%2F%2Fa.example%2F%40me", "a.example"),
        ("http://localhost:3000/", "localhost:3000"),
        ("https://bücher.example/%C3%BC", "xn--bcher-kva.example"),
    ],
)
def test_resources_that_are_addresses(text: str, host: str) -> None:
    resource = parse_resource(text)
    assert (resource.host, resource.user) == (host, "")
    assert resource.url.startswith("http")


@pytest.mark.parametrize("text", ["", "me", "acct:", "acct:me", "https://", "https://x@a.example/"])
def test_resources_that_are_none(text: str) -> None:
    with pytest.raises(Refused, match="resource-invalid"):
        parse_resource(text)


@pytest.mark.parametrize(
    "text",
    [
        "mailto:me@a.example",
        "MAILTO:me@a.example",
        "tag:a.example,2020:me",
        "urn:uuid:1",
        "did:web:a",
        "ftp://a.example",
    ],
)
def test_resources_of_other_schemes_are_unknown(text: str) -> None:
    """RFC 7033 §4.2: a resource that is well-formed and not known here is 404."""
    with pytest.raises(NotFound):
        parse_resource(text)


@pytest.mark.parametrize("text", ["HTTPS://A.Example/@Me?x=1", "https://a.example:443/@Me?x=1"])
def test_the_host_of_an_address_has_one_form(text: str) -> None:
    assert parse_resource(text) == Resource(host="a.example", url="https://a.example/@Me?x=1")


def test_where_to_ask() -> None:
    assert webfinger_url("a.example:8443", "acct:me@a.example") == (
        "https://a.example:8443/.well-known/webfinger?resource=acct%3Ame%40a.example"
    )
    with pytest.raises(Refused, match="host-invalid"):
        webfinger_url("a.example/x?", "acct:me@a.example")
    assert template_url("https://a.example/x?q={uri}&z", "acct:me@a.example") == (
        "https://a.example/x?q=acct%3Ame%40a.example&z"
    )


def test_we_read_what_we_write() -> None:
    written = write_jrd(
        subject="me@a.example",
        uri=ACTOR,
        profile="https://a.example/@me",
        subscribe="https://a.example/follow?uri={uri}",
        avatar="https://a.example/me.png",
    )
    jrd = read_jrd(written)
    assert jrd == Jrd(
        subject="acct:me@a.example",
        uri=ACTOR,
    )
    assert written["aliases"] == ["https://a.example/@me", ACTOR]
    assert written["links"] == [
        {"rel": "self", "type": "application/activity+json", "href": ACTOR},
        {"rel": PROFILE_PAGE, "type": "text/html", "href": "https://a.example/@me"},
        {"rel": AVATAR, "href": "https://a.example/me.png"},
        {"rel": SUBSCRIBE, "template": "https://a.example/follow?uri={uri}"},
    ]
    assert jrd.handle == ("me", "a.example")


@pytest.mark.parametrize(
    ("links", "uri"),
    [
        ([{"rel": "self", "type": "application/activity+json", "href": ACTOR}], ACTOR),
        ([{"rel": "self", "type": LD_JSON_TYPE, "href": ACTOR}], ACTOR),
        ([{"rel": "self", "type": "text/html", "href": "https://a.example/"},
          {"rel": "self", "type": "application/activity+json", "href": ACTOR}], ACTOR),
        ([{"rel": "self", "type": "application/ld+json", "href": ACTOR}], ""),
        ([{"rel": "self", "type": "application/activity+json", "href": "javascript:x"}], ""),
        ([{"rel": "self", "href": ACTOR}], ""),
        ({"rel": "self", "type": "application/activity+json", "href": ACTOR}, ACTOR),
        ("x", ""),
    ],
)  # fmt: skip
def test_self_links(links: Json, uri: str) -> None:
    jrd = read_jrd({"subject": "acct:me@a.example", "links": links})
    assert jrd is not None
    assert jrd.uri == uri


def test_an_answer_needs_a_subject() -> None:
    assert read_jrd({"links": []}) is None


def test_host_meta_is_read_as_written() -> None:
    template = "https://a.example/.well-known/webfinger?resource={uri}"
    assert hostmeta.read_template(hostmeta.write_xml("https://a.example")) == template
    link = {"rel": "lrdd", "type": "application/jrd+json", "template": template}
    assert hostmeta.write_json("https://a.example") == {"links": [link]}


@pytest.mark.parametrize(
    ("xml", "template"),
    [
        ("<XRD><Link rel='lrdd' template='https://a.example/x?a=1&amp;u={uri}' /></XRD>", "https://a.example/x?a=1&u={uri}"),
        ('<hm:Link template="https://a.example/{uri}" rel="lrdd"></hm:Link>', "https://a.example/{uri}"),
        ('<Link rel="lrdd" type="application/xrd+xml" template="https://a.example/xml{uri}"/>\n'
         '<Link\n rel = "lrdd"\n type="application/json" template="https://a.example/json{uri}"/>',
         "https://a.example/json{uri}"),
        ('<!DOCTYPE x [<!ENTITY e SYSTEM "file:///etc/passwd">]><Link rel="lrdd" template="&e;{uri}"/>', ""),
        ('<Link rel="lrdd" template="https://a.example/"/>', ""),
        ('<Link rel="lrdd" template="javascript:{uri}"/>', ""),
        ('<Link rel="other" template="https://a.example/{uri}"/>', ""),
        ("", ""),
    ],
)  # fmt: skip
def test_host_meta(xml: str, template: str) -> None:
    assert hostmeta.read_template(xml) == template


@pytest.mark.parametrize(
    "part", ["<Link ", "<Link rel=", '<Link a="', "<Link " + "a" * 1000, "a=", "<a:Link rel='lrdd' "]
)
def test_no_host_meta_takes_long(part: str) -> None:
    before = time.process_time()
    assert hostmeta.read_template(part * 100_000) == ""
    assert time.process_time() - before < 2


def test_nodeinfo() -> None:
    discovery = nodeinfo.write_discovery("https://a.example")
    assert nodeinfo.read_discovery(discovery) == "https://a.example/nodeinfo/2.1"
    site = nodeinfo.ServerUsage(
        version="1.2", users=3, active_month=2, posts=9, repository="https://code.example/fediblog"
    )
    newer: Any = nodeinfo.write_nodeinfo("2.1", site)
    older: Any = nodeinfo.write_nodeinfo("2.0", site)
    assert nodeinfo.read_software(newer) == ("fediblog", "1.2")
    assert newer["software"]["repository"] == "https://code.example/fediblog"
    assert older["software"] == {"name": "fediblog", "version": "1.2"}
    assert older["usage"]["users"] == {"total": 3, "activeMonth": 2, "activeHalfyear": 0}
    assert older["protocols"] == ["activitypub"]
    assert 'schema/2.0#"' in nodeinfo.content_type("2.0")


def test_nodeinfo_of_others() -> None:
    assert nodeinfo.read_software({"software": {"name": "Mastodon", "version": 4}}) == ("mastodon", "")
    assert nodeinfo.read_discovery({"links": [{"rel": "x", "href": "https://a.example/"}, None]}) == ""
    one: Json = {"rel": nodeinfo.SCHEMA + "1.0", "href": "https://a.example/1"}
    assert nodeinfo.read_discovery({"links": one}) == "https://a.example/1"
