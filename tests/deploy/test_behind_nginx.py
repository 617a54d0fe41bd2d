"""The whole blog behind the shipped nginx site: pages, visitors' addresses, pictures, signatures, kept connections."""

from __future__ import annotations

import json
import random
import re
import socket
import ssl
import time
from collections.abc import Iterator
from dataclasses import dataclass
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from websockets.sync.client import connect

from fediblog.cli.serve import IDLE
from fediblog.protocol import cavage, rfc9421

from .blog import ORIGIN, PASSWORD, TOKEN, Blog, blog
from .servers import HOST, Site, find_nginx, nginx

pytestmark = [pytest.mark.nginx, pytest.mark.slow]

ACTIVITY = "application/activity+json"
DEPLOY = Path(__file__).parents[2] / "deploy"
_CSRF = re.compile(r'name="csrf" value="([^"]+)"')
_PICTURE = re.compile(rf'{ORIGIN}(/media/[^"]+)"')


@dataclass(frozen=True, slots=True)
class Place:
    """The blog and the nginx in front of it."""

    blog: Blog
    site: Site

    def visitor(self, address: str = "127.0.0.2") -> httpx.Client:
        """Somebody with that address, who believes the test's authority and finds the host at nginx's port."""
        context = ssl.create_default_context(cafile=str(self.site.authority))
        return httpx.Client(
            base_url=f"https://127.0.0.1:{self.site.https}",
            transport=httpx.HTTPTransport(verify=context, local_address=address),
            headers={"Host": HOST, "Accept": "text/html", "Origin": ORIGIN},
            timeout=60,
        )


@pytest.fixture(scope="module", params=["tcp", "unix"])
def place(request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Place]:
    program = find_nginx()
    folder = tmp_path_factory.mktemp("blog")
    listen = f"unix:{folder}/socket" if request.param == "unix" else "127.0.0.1:0"
    with blog(folder, listen) as running, nginx(program, folder, running.upstream) as front:
        yield Place(running, front)


@pytest.fixture
def visitor(place: Place) -> Iterator[httpx.Client]:
    with place.visitor() as client:
        yield client


def send(visitor: httpx.Client, method: str, path: str, **more: Any) -> httpx.Response:
    """The certificate is checked against the host's name, not against the address that is connected to."""
    return visitor.request(method, path, extensions={"sni_hostname": HOST}, **more)


def log_in(visitor: httpx.Client, name: str = "alice", password: str = PASSWORD) -> httpx.Response:
    return send(visitor, "POST", "/login", data={"name": name, "password": password})


def picture(size: int) -> bytes:
    """A PNG of about so many bytes: noise, which cannot be made smaller."""
    width = 2000
    height = size // (3 * width)
    noise = random.Random(4).randbytes(3 * width * height)
    out = BytesIO()
    Image.frombytes("RGB", (width, height), noise).save(out, "PNG", compress_level=1)
    return out.getvalue()


def test_pages_and_documents_are_served(visitor: httpx.Client, place: Place) -> None:
    page = send(visitor, "GET", "/@alice")
    assert page.status_code == 200
    assert page.headers["content-type"] == "text/html; charset=utf-8"
    assert page.headers["strict-transport-security"] == "max-age=31536000"
    assert f'href="{place.blog.alice.uri}"' in page.text
    found = send(visitor, "GET", place.blog.alice.uri.removeprefix(ORIGIN), headers={"Accept": ACTIVITY})
    assert found.headers["content-type"].startswith(ACTIVITY)
    assert found.json()["id"] == place.blog.alice.uri
    jrd = send(visitor, "GET", f"/.well-known/webfinger?resource=acct:alice@{HOST}").json()
    assert jrd["subject"] == f"acct:alice@{HOST}"


def test_who_tries_passwords_is_stopped_alone(place: Place) -> None:
    lies = {"X-Forwarded-For": "203.0.113.9"}
    with place.visitor("127.0.3.3") as guesser, place.visitor("127.0.4.4") as other:
        guesser.headers.update(lies)
        tried = [log_in(guesser, f"name{n}", "a wrong password").status_code for n in range(21)]
        assert tried == [422] * 20 + [429]
        assert log_in(other).status_code == 303


def test_a_large_picture_is_published(visitor: httpx.Client) -> None:
    answer = log_in(visitor)
    assert answer.status_code == 303
    assert "; secure" in answer.headers["set-cookie"].lower()
    sheet = send(visitor, "GET", "/write")
    token = _CSRF.search(sheet.text)
    assert token is not None
    data = picture(12_000_000)
    assert 11_900_000 < len(data) < 13_000_000
    form = {"csrf": token[1], "source": "Noise", "visibility": "public", "new-alt": "A lot of noise", "do": "publish"}
    answer = send(visitor, "POST", "/write", data=form, files={"upload": ("noise.png", data, "image/png")})
    assert answer.status_code == 303, answer.text
    page = send(visitor, "GET", answer.headers["location"])
    assert 'alt="A lot of noise"' in page.text
    shown = _PICTURE.search(page.text)
    assert shown is not None
    file = send(visitor, "GET", shown[1])
    assert (file.status_code, file.headers["content-type"].split("/")[0]) == (200, "image")
    assert Image.open(BytesIO(file.content)).size[0] > 1000


@pytest.mark.parametrize("size", [71_000_000, 85 * 1024 * 1024])
def test_what_is_too_large_is_refused(place: Place, size: int) -> None:
    """The smaller one by the blog, the larger one by nginx."""
    with place.visitor() as client:
        answer = send(client, "POST", "/write", files={"upload": ("big.png", b"x" * size, "image/png")})
    assert answer.status_code == 413


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
def test_a_signed_activity_is_taken_in(visitor: httpx.Client, place: Place, scheme: str) -> None:
    ben, alice = place.blog.ben, place.blog.alice
    body = activity(place, "Follow", alice.uri, scheme)
    assert send(visitor, "POST", "/inbox", headers=signed(place, body, scheme), content=body).status_code == 202
    followers = alice.followers.removeprefix(ORIGIN)
    shown = send(visitor, "GET", f"{followers}?after=0", headers={"Accept": ACTIVITY}).json()
    assert shown["orderedItems"] == [ben.uri]
    body = activity(place, "Undo", {"type": "Follow", "actor": ben.uri, "object": alice.uri}, f"undo-{scheme}")
    assert send(visitor, "POST", "/inbox", headers=signed(place, body, scheme), content=body).status_code == 202
    shown = send(visitor, "GET", f"{followers}?after=0", headers={"Accept": ACTIVITY}).json()
    assert shown["orderedItems"] == []


def activity(place: Place, kind: str, thing: Any, name: str) -> bytes:
    uri = f"https://far.example/x/{name}-{time.time_ns()}"
    document = {"@context": "https://www.w3.org/ns/activitystreams", "id": uri, "type": kind}
    return json.dumps(document | {"actor": place.blog.ben.uri, "object": thing}).encode()


def signed(place: Place, body: bytes, scheme: str, host: str = HOST) -> dict[str, str]:
    fields = {"host": host, "content-type": ACTIVITY}
    sign = rfc9421.sign if scheme == "rfc9421" else cavage.sign
    key_id = f"{place.blog.ben.uri}#main-key"
    added = sign("POST", f"https://{host}/inbox", fields, body, key_id, place.blog.key, int(time.time()))
    return {"Content-Type": ACTIVITY, **added}


@pytest.mark.parametrize("scheme", ["cavage", "rfc9421"])
def test_a_signature_for_another_host_is_not_taken(visitor: httpx.Client, place: Place, scheme: str) -> None:
    body = activity(place, "Follow", place.blog.alice.uri, f"wrong-{scheme}")
    answer = send(visitor, "POST", "/inbox", headers=signed(place, body, scheme, "other.example"), content=body)
    assert answer.status_code == 401


def test_connections_to_the_blog_are_kept(visitor: httpx.Client, place: Place) -> None:
    before = open_connections(place)
    for _ in range(20):
        assert send(visitor, "GET", "/healthz").status_code == 200
    assert len(open_connections(place) | before) <= max(len(before), 1)


def open_connections(place: Place) -> set[str]:
    """Their other ends, as the kernel lists them; also those that were closed a moment ago.

    Those of a Unix socket have no names: there they are told apart by their inodes, as long as they are open.
    """
    if place.blog.upstream.startswith("unix:"):
        listed = [line.split() for line in Path("/proc/net/unix").read_text().splitlines()[1:]]
        return {row[6] for row in listed if row[7:] == [place.blog.upstream.removeprefix("unix:")] and row[5] == "03"}
    port = f":{int(place.blog.upstream.rpartition(':')[2]):04X}"
    rows = [line.split() for line in Path("/proc/net/tcp").read_text().splitlines()[1:]]
    return {row[1] for row in rows if row[2].endswith(port)}


@pytest.mark.parametrize(("file", "setting"), [("nginx-site.conf", "keepalive_timeout"), ("Caddyfile", "keepalive")])
def test_proxies_let_go_of_a_connection_before_the_blog_does(file: str, setting: str) -> None:
    text = (DEPLOY / file).read_text()
    found = re.search(rf"^\s*{setting} ([0-9]+)s;?$", text, re.MULTILINE)
    assert found is not None
    assert int(found[1]) < IDLE
    assert f"the {IDLE} s after which" in text


def test_a_stream_is_heard_while_it_is_open(place: Place, visitor: httpx.Client) -> None:
    bearer = {"Authorization": f"Bearer {TOKEN}"}
    context = ssl.create_default_context(cafile=str(place.site.authority))
    line = socket.create_connection(("127.0.0.1", place.site.https))
    where = f"wss://{HOST}/api/v1/streaming?stream=user"
    with connect(where, sock=line, ssl=context, server_hostname=HOST, additional_headers=bearer) as stream:
        made = send(visitor, "POST", "/api/v1/statuses", json={"status": "Heard"}, headers=bearer).json()
        said = json.loads(stream.recv(timeout=20))
    assert (said["event"], json.loads(said["payload"])["id"]) == ("update", made["id"])
