"""Which addresses and URLs pass the guard."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.errors import Misuse, Refused
from fediblog.net import AccessPolicy, Target, check_url, is_public

PLAIN = AccessPolicy()
LAB = AccessPolicy(lab_hosts=("*.fedi.test", "mastodon"), loopback_authorities=("127.0.0.1:8001",))


def words(text: str) -> list[str]:
    return text.split()


BAD = words("""
0.0.0.0 0.1.2.3 10.0.0.1 10.255.255.255 100.64.0.1 100.127.255.255 127.0.0.1 127.255.255.254 169.254.169.254
172.16.0.1 172.31.255.255 192.0.0.1 192.0.0.8 192.0.0.170 192.0.2.1 192.31.196.1 192.52.193.1 192.88.99.1
192.168.0.1 192.175.48.1 198.18.0.1 198.19.255.255 198.51.100.7 203.0.113.9 224.0.0.1 239.255.255.250
240.0.0.1 255.255.255.255 :: ::1 ::127.0.0.1 ::8.8.8.8 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:a9fe:a9fe
::ffff:0.0.0.0 ::ffff:192.168.1.1 ::ffff:0:127.0.0.1 64:ff9b::7f00:1 64:ff9b::8.8.8.8 64:ff9b:1::1
64:ff9b:1:ffff:ffff:ffff:a00:1 100::1 100:0:0:1::1 2001::1 2001:0:4136:e378:8000:63bf:3fff:fdd2 2001:2::1
2001:3::1 2001:10::1 2001:20::1 2001:1ff:ffff::1 2001:db8::1 2002:7f00:1:: 2002:808:808::1 2620:4f:8000::1
3ffe::1 3fff::1 3fff:fff:ffff::1 4000::1 5f00::1 fc00::1 fd00::1 fd00:ec2::254 fe80::1 fe80::1%eth0 fec0::1
ff02::1 ff0e::1 2606:4700:4700::1111%1 localhost example.com 1 127.1 0x7f.1 010.0.0.1
""")

GOOD = words("""
1.1.1.1 8.8.8.8 9.255.255.255 11.0.0.1 100.63.255.255 100.128.0.1 126.255.255.255 128.0.0.1 151.101.1.69
169.253.1.1 172.15.0.1 172.32.0.1 192.0.1.1 192.167.0.1 192.169.0.1 198.17.255.255 198.20.0.1 223.255.255.254
2606:4700:4700::1111 2001:4860:4860::8888 2a01:4f8::1 2a00:1450:4001:82b::200e 2001:200::1 2400:cb00::1
::ffff:8.8.8.8
""")


@pytest.mark.parametrize("address", [*BAD, ""])
def test_private_special_and_translated_addresses_are_refused(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", GOOD)
def test_public_addresses_pass(address: str) -> None:
    assert is_public(address)


@pytest.mark.parametrize(
    ("url", "normal"),
    [
        ("https://example.com", "https://example.com/"),
        ("https://example.com?x=1", "https://example.com/?x=1"),
        ("HTTPS://Example.COM/Path?Q=a%20b#frag", "https://example.com/Path?Q=a%20b"),
        ("https://example.com:443/inbox", "https://example.com/inbox"),
        ("https://bücher.example/ä?ö", "https://xn--bcher-kva.example/%C3%A4?%C3%B6"),
        ("https://my_host.example/a/../b;c=d", "https://my_host.example/a/../b;c=d"),
        ('https://example.com/"<x>', "https://example.com/%22%3Cx%3E"),
        ("https://example。com/", "https://example.com/"),
        ("https://1.example.com1/", "https://1.example.com1/"),
    ],
)
def test_good_urls_are_brought_to_their_normal_form(url: str, normal: str) -> None:
    assert check_url(url, PLAIN).url == normal


@pytest.mark.parametrize(
    ("url", "reason"),
    [
        ("http://example.com/", "address-scheme"),
        ("https://example.com:8443/", "address-port"),
        ("https://example.com:80/", "address-port"),
        ("https://example.com:0/", "address-port"),
        ("https://example.com:99999/", "address-port"),
        ("https://example.com:/", "address-port"),
        ("https://example.com:4a/", "address-port"),
        ("https://user@example.com/", "address-userinfo"),
        ("https://user:pw@example.com/", "address-userinfo"),
        ("https://127.0.0.1/", "address-literal"),
        ("https://8.8.8.8/", "address-literal"),
        ("https://127.1/", "address-literal"),
        ("https://2130706433/", "address-literal"),
        ("https://0x7f000001/", "address-literal"),
        ("https://0x7f.0.0.0x1/", "address-literal"),
        ("https://0177.0.0.01/", "address-literal"),
        ("https://127.0.0.0x/", "address-literal"),
        ("https://example.1/", "address-literal"),
        ("https://[::1]/", "address-literal"),
        ("https://[2606:4700::1111]:443/", "address-literal"),
        ("https://::1/", "address-literal"),
        ("https://\uff11\uff12\uff17.0.0.1/", "address-literal"),  # full-width digits
        ("https://①②⑦.⓪.⓪.①/", "address-literal"),
        ("https://127。0。0。1/", "address-literal"),
        ("https://localhost/", "address-name"),
        ("https://example.com./", "address-name"),
        ("https://.example.com/", "address-name"),
        ("https://a..b/", "address-name"),
        ("https://_/", "address-name"),
        ("https://_.example/", "address-name"),
        ("https://__.___/", "address-name"),
        ("https://-a.example/", "address-name"),
        ("https://a-.example/", "address-name"),
        ("https://exa%6dple.com/", "address-name"),
        ("https://exa,mple.com/", "address-name"),
        ("https:///path", "address-name"),
        (f"https://{'a' * 64}.example/", "address-name"),
        (f"https://{'a.' * 130}example/", "address-name"),
        ("https://\u202eexample.com/", "address-name"),
        ("https://example.com\\@evil.example/", "address-malformed"),
        ("https://example.com/a b", "address-malformed"),
        ("https://example.com/\r\nHost: evil", "address-malformed"),
        ("https://exam\tple.com/", "address-malformed"),
        ("https://example.com/\ud800", "address-malformed"),
        (" https://example.com/", "address-malformed"),
        ("ftp://example.com/", "address-malformed"),
        ("file:///etc/passwd", "address-malformed"),
        ("gopher://example.com/", "address-malformed"),
        ("//example.com/", "address-malformed"),
        ("https:example.com", "address-malformed"),
        ("", "address-malformed"),
        (f"https://example.com/{'a' * 2048}", "address-long"),
        (f"https://example.com/{'ä' * 2000}", "address-long"),
    ],
)
def test_other_urls_are_refused(url: str, reason: str) -> None:
    with pytest.raises(Refused) as refused:
        check_url(url, PLAIN)
    assert refused.value.reason == reason


def test_lab_hosts_are_names_that_may_be_anywhere() -> None:
    target = check_url("http://a.fedi.test:8080/x", LAB)
    assert (target.zone, target.authority) == ("lab", "a.fedi.test:8080")
    assert target.admits("127.0.0.1")
    assert check_url("https://mastodon/", LAB).zone == "lab"
    assert check_url("https://a.fedi.test.example/", LAB).zone == "public"
    assert not check_url("https://a.fedi.test.example/", LAB).admits("127.0.0.1")


@pytest.mark.parametrize("pattern", ["*", "127.*", "*.1", "[[]*"])
def test_a_lab_pattern_never_matches_a_literal(pattern: str) -> None:
    for url in ("http://127.0.0.1/", "http://[::1]/", "http://2130706433/", "http://0x7f.1/"):
        with pytest.raises(Refused):
            check_url(url, AccessPolicy(lab_hosts=(pattern,)))


def test_loopback_is_for_exactly_the_given_authorities() -> None:
    assert check_url("http://127.0.0.1:8001/actor", LAB).zone == "loopback"
    for url in (
        "http://127.0.0.1:8002/",
        "https://127.0.0.1:8001/",
        "http://127.0.0.1/",
        "http://127.1:8001/",
        "http://x@127.0.0.1:8001/",
    ):
        with pytest.raises(Refused):
            check_url(url, LAB)
    assert check_url("http://127.0.0.1:8001/", LAB).admits("127.0.0.1")
    assert not check_url("http://127.0.0.1:8001/", LAB).admits("10.0.0.1")


@pytest.mark.parametrize("authority", ["10.0.0.1:80", "example.com:80", "127.0.0.1", "localhost:", "127.0.0.0/8:80"])
def test_only_loopback_addresses_with_a_port_can_be_loopback_authorities(authority: str) -> None:
    with pytest.raises(Misuse):
        AccessPolicy(loopback_authorities=(authority,))


_PIECES = st.sampled_from(
    [
        "https://",
        "http://",
        "://",
        "/",
        "@",
        ":",
        "[",
        "]",
        ".",
        "xn--",
        "0x",
        "%",
        "#",
        "?",
        "。",
        "example.com",
        "1",
        "\n",
    ]
)
_URLS = st.one_of(
    st.text(max_size=80),
    st.text(max_size=60).map("https://".__add__),
    st.lists(st.one_of(_PIECES, st.text(max_size=3)), max_size=12).map("".join),
)


def checked(text: str) -> Target | str:
    """The target, or why there is none."""
    try:
        return check_url(text, LAB)
    except Refused as refused:
        return refused.reason


@given(_URLS)
def test_any_text_is_a_target_or_refused(text: str) -> None:
    target = checked(text)
    if isinstance(target, str):
        assert target.startswith("address-")
        return
    assert target.url.isascii()
    assert target.host == target.host.lower()
    assert check_url(target.url, LAB) == target
    if target.zone == "public":
        assert (target.scheme, target.port) == ("https", 443)


@given(st.ip_addresses(v=6))
def test_no_address_outside_global_unicast_passes(address: object) -> None:
    text = str(address)
    if is_public(text) and not text.startswith("::ffff:"):
        assert text[0] in "23"
