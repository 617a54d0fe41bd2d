"""The shipped nginx site, run by Debian's nginx over TLS: forwarded headers, large bodies, kept connections, lines."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import httpx
import pytest

from .echo import make_app
from .servers import HOST, Site, find_nginx, nginx, serving

pytestmark = [pytest.mark.nginx, pytest.mark.slow]

MIB = 1024 * 1024


@pytest.fixture(scope="module")
def site(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    program = find_nginx()
    folder = tmp_path_factory.mktemp("nginx")
    with serving(make_app()) as app, nginx(program, folder, f"127.0.0.1:{app}") as started:
        yield started


@pytest.fixture
def visitor(site: Site) -> Iterator[httpx.Client]:
    with visiting(site) as client:
        yield client


def visiting(site: Site) -> httpx.Client:
    """Somebody far away, who believes the test's authority and finds the host at nginx's port."""
    context = ssl.create_default_context(cafile=str(site.authority))
    headers = {"Host": HOST}
    where = f"https://127.0.0.1:{site.https}"
    return httpx.Client(base_url=where, verify=context, headers=headers, timeout=20, trust_env=False)


def send(visitor: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
    """The certificate is checked against the host's name, not against the address that is connected to."""
    return visitor.request(method, path, extensions={"sni_hostname": HOST}, **more)


def test_the_server_learns_who_asks_and_for_what(visitor: httpx.Client) -> None:
    lies = {"X-Forwarded-For": "203.0.113.9", "X-Forwarded-Proto": "http", "X-Forwarded-Host": "evil.example"}
    told = send(visitor, "GET", "/", headers=lies).json()["headers"]
    assert told["host"] == HOST
    assert told["x-forwarded-host"] == HOST
    assert told["x-forwarded-proto"] == "https"
    assert told["x-forwarded-for"] == "127.0.0.1"


def test_what_a_signature_covers_arrives_as_it_was_sent(visitor: httpx.Client) -> None:
    signed = {
        "Date": "Tue, 20 Apr 2021 02:07:55 GMT",
        "Digest": "SHA-256=47DEQpj8HBSa+/TImW+5JCeuQeRkm5NMpJWZG3hSuFU=",
        "Content-Type": "application/activity+json",
        "Signature-Input": 'sig1=("@method" "@target-uri" "content-digest");created=1618884473;keyid="https://a.example/k"',
        "Signature": "sig1=:" + "A" * 344 + ":",
    }
    path = "/users/alice%2Fx//inbox?a=%20b&c"
    told = send(visitor, "POST", path, headers=signed, content=b"{}").json()
    assert told["target"] == path
    assert {name: told["headers"][name.lower()] for name in signed} == signed
    assert told["length"] == 2


def test_connections_to_the_server_are_kept(visitor: httpx.Client) -> None:
    told = [send(visitor, "GET", "/").json() for _ in range(5)]
    assert {each["http_version"] for each in told} == {"1.1"}
    assert len({tuple(each["connection"]) for each in told}) == 1
    assert "connection" not in told[0]["headers"] or told[0]["headers"]["connection"] != "close"


def test_no_token_is_logged_and_long_answers_are_compressed(visitor: httpx.Client, site: Site) -> None:
    headers = {"Referer": f"https://{HOST}/setup?token=hidden", "Accept-Encoding": "gzip", "X-Long": "y" * 3000}
    answer = send(visitor, "GET", "/api/v1/streaming?access_token=hidden", headers=headers)
    assert answer.headers.get("content-encoding") == "gzip"
    logged = (site.authority.parent / "access.log").read_text()
    assert "/api/v1/streaming" in logged
    assert "hidden" not in logged


@pytest.mark.parametrize("upstream", ["127.0.0.1:1", "unix:{folder}/nobody"])
def test_no_token_is_logged_while_the_server_is_away(tmp_path: Path, upstream: str) -> None:
    """nginx repeats the whole request, and what its Referer was, where it says why there was no answer."""
    with nginx(find_nginx(), tmp_path, upstream.format(folder=tmp_path)) as site, visiting(site) as visitor:
        headers = {"Referer": f"https://{HOST}/setup?token=hidden"}
        answer = send(visitor, "GET", "/api/v1/streaming?access_token=hidden", headers=headers)
    assert answer.status_code == 502
    assert '"GET /api/v1/streaming HTTP/1.1" 502' in (tmp_path / "access.log").read_text()
    assert "hidden" not in (tmp_path / "error.log").read_text()


def test_a_form_with_several_pictures_passes(visitor: httpx.Client) -> None:
    assert send(visitor, "POST", "/upload", content=b"x" * (70 * MIB)).json()["length"] == 70 * MIB


def test_a_body_beyond_the_limit_is_refused(visitor: httpx.Client) -> None:
    assert send(visitor, "POST", "/upload", content=b"x" * (85 * MIB)).status_code == 413


def test_lines_of_a_stream_arrive_at_once(visitor: httpx.Client) -> None:
    with visitor.stream("GET", "/api/v1/streaming/user", extensions={"sni_hostname": HOST}) as answer:
        lines = answer.iter_lines()
        assert next(lines) == "first"
        assert send(visitor, "POST", "/heard").status_code == 204
        assert next(lines) == "second"


def test_a_websocket_may_be_asked_for(visitor: httpx.Client) -> None:
    asked = {"Connection": "Upgrade", "Upgrade": "websocket"}
    told = send(visitor, "GET", "/", headers=asked).json()["headers"]
    assert (told["connection"], told["upgrade"]) == ("upgrade", "websocket")


def test_plain_http_is_sent_to_https(site: Site) -> None:
    answer = httpx.get(f"http://127.0.0.1:{site.http}/@alice?page=2", headers={"Host": HOST}, trust_env=False)
    assert (answer.status_code, answer.headers["location"]) == (301, f"https://{HOST}/@alice?page=2")
