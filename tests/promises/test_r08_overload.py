"""An overloaded inbox says so, loses nothing that it took, never fails by accident, and readers do not notice."""

from __future__ import annotations

import asyncio
import json
import os
import signal
import statistics
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import ExitStack
from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from fediblog.domain.documents import PUBLIC
from fediblog.errors import Unavailable
from fediblog.limits import Limit, Room, party
from fediblog.web import gate
from tests.conftest import Clock
from tests.promises.servers import Server, Stranger, run
from tests.world import World, ask

FLOOD = int(os.environ.get("FEDIBLOG_TEST_FLOOD", "20000"))
DISTINCT, LINES, SENDERS = 600, 400, 20
ALLOWED = {202, 401, 503}


def _request(server: Server, body: bytes, headers: dict[str, str], address: str) -> bytes:
    fields = {"host": server.urls.host, "content-length": str(len(body)), "x-forwarded-for": address}
    fields |= {name.lower(): value for name, value in headers.items()}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"POST /inbox HTTP/1.1\r\n{head}\r\n".encode() + body


def _flood(server: Server, strangers: list[Stranger], post: str) -> list[bytes]:
    """Requests that are good, each many times over, and some whose signature is not."""
    made = []
    for i in range(DISTINCT):
        stranger = strangers[i % SENDERS]
        signed = server.signed(stranger, stranger.answers(post, i))
        made.append(_request(server, signed["content"], signed["headers"], f"198.51.100.{i % SENDERS + 1}"))
        if i % 4 == 0:
            headers = {
                **{name.lower(): value for name, value in signed["headers"].items()},
                "digest": "SHA-256=" + "A" * 43 + "=",
            }
            made.append(_request(server, signed["content"], headers, "203.0.113.9"))
    return made


async def _line(port: int, turn: Iterator[bytes], seen: Counter[int], asked_again: list[str]) -> None:
    """One connection that asks the next as soon as the last is answered."""
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    for request in turn:
        writer.write(request)
        head = await reader.readuntil(b"\r\n\r\n")
        fields = dict(line.lower().split(b": ", 1) for line in head.split(b"\r\n")[1:] if b": " in line)
        await reader.readexactly(int(fields.get(b"content-length", b"0")))
        status = int(head[9:12])
        seen[status] += 1
        if status == 503:
            asked_again.append(fields.get(b"retry-after", b"").decode())
        if fields.get(b"connection") == b"close":
            writer.close()
            reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.close()


@pytest.mark.slow
async def test_a_flood_is_shed_and_readers_do_not_notice(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    strangers = [Stranger(f"s{i}", f"s{i}.test") for i in range(SENDERS)]
    async with Server(tmp_path / "data") as server:
        await server.furnish(*strangers)
        await server.start()
        assert (await server.publish(server.client(), "Say something")).status_code == 303
        ((post,),) = await server.ask("select uri from post")
        requests = _flood(server, strangers, post)
        turn = islice(cycle(requests), FLOOD)
        seen: Counter[int] = Counter()
        again: list[str] = []

        async def pour() -> None:
            async with asyncio.TaskGroup() as group:
                for _ in range(LINES):
                    group.create_task(_line(server.port, turn, seen, again))

        told = {"port": server.port, "host": server.urls.host, "token": server.token}
        reader = await run("-m", "tests.promises.reader", told=told)
        try:
            await reader.until("[200")
            before, began = len(reader.lines), time.monotonic()
            await pour()
            took, after = time.monotonic() - began, len(reader.lines)
        finally:
            await reader.end(signal.SIGKILL)
        pages = [json.loads(line) for line in reader.lines[before:after]]
        assert sum(seen.values()) == FLOOD
        assert set(seen) <= ALLOWED
        assert all(value.isdigit() and int(value) > 0 for value in again)
        # Readers got their pages all along, not when it was over.
        assert {status for status, _ in pages} == {200}
        assert len(pages) >= FLOOD // 2000
        await server.settled()
        ((kept,),) = await server.ask("select count(*) from post where local = 0")
        assert 0 < kept <= DISTINCT
        assert await server.ask("select uri from incoming") == []
        assert await server.damage() == []
        assert server.process is not None
        assert [line for line in server.process.lines if "Traceback" in line] == []
    p95 = statistics.quantiles((ms for _, ms in pages), n=20)[18]
    with capsys.disabled():
        print(f"\n{FLOOD} requests in {took:.1f} s: {dict(seen)}; {len(pages)} pages meanwhile, p95 {p95:.0f} ms")


async def test_with_no_room_an_inbox_says_when_to_come_again_before_it_reads_anything() -> None:
    async with World("home.test") as world:
        app = _app(world)
        with ExitStack() as held:
            app.state.gate = gate.Gate()
            for i in range(gate.INSIDE):
                held.enter_context(app.state.gate.room.enter(str(i)))
            answer = await _post(app, b"not even JSON")
            page = await ask(app, "GET", "https://home.test/", {"accept": "text/html"})
        assert answer.status_code == 503
        assert int(answer.headers["retry-after"]) > 0
        assert answer.json()["reason"] == "too-busy"
        assert page.status_code == 200
        assert (await _post(app, b"not even JSON")).status_code == 400


async def test_one_server_or_address_has_its_share_and_the_others_theirs() -> None:
    room = Room(most=10, share=3)
    with ExitStack() as held:
        for _ in range(3):
            held.enter_context(room.enter("from 192.0.2.1", "loud.test"))
        for keys in (("from 192.0.2.1", "quiet.test"), ("from 192.0.2.2", "loud.test")):
            with pytest.raises(Unavailable), room.enter(*keys):
                pass
        for _ in range(7):
            held.enter_context(room.enter("", ""))  # nobody in particular
        with pytest.raises(Unavailable), room.enter("from 192.0.2.3"):
            pass
    assert room.inside == 0
    with room.enter("from 192.0.2.1", "loud.test"):
        assert room.inside == 1


async def test_who_sends_nothing_but_what_is_refused_is_not_listened_to_for_a_while() -> None:
    async with World("home.test") as world:
        app, clock = _app(world), Clock()
        app.state.gate = gate.Gate()
        app.state.gate.refused = Limit(burst=3, seconds=10, clock=clock)
        statuses = [(await _post(app, b"{}")).status_code for _ in range(5)]
        assert statuses == [400, 400, 400, 503, 503]
        assert (await _post(app, b"{}", "192.0.2.99")).status_code == 400  # somebody else
        clock.forward(seconds=11)
        assert (await _post(app, b"{}")).status_code == 400


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gate, "PATIENCE", 0.01)
    async with World("home.test") as world:
        app = world.network.apps["home.test"]
        sent: list[dict[str, object]] = []

        async def receive() -> dict[str, object]:
            await asyncio.Event().wait()
            return {}

        async def send(message: dict[str, object]) -> None:
            sent.append(message)

        scope = {
            **{"type": "http", "http_version": "1.1", "method": "POST", "scheme": "https", "path": "/inbox"},
            **{"raw_path": b"/inbox", "query_string": b"", "root_path": "", "headers": [(b"host", b"home.test")]},
            **{"client": ("192.0.2.1", 1), "server": ("home.test", 443)},
        }
        await app(scope, receive, send)
        assert sent[0]["status"] == 408


@pytest.mark.parametrize(
    ("address", "expected"),
    [
        ("192.0.2.1", "192.0.2.1"),
        ("::ffff:192.0.2.1", "192.0.2.1"),
        ("2001:db8:1:2:3:4:5:6", "2001:db8:1:2::/64"),
        ("2001:db8:1:2:ffff::1", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("nonsense", "nonsense"),
    ],
)
def test_limits_see_one_customer_behind_many_addresses(address: str, expected: str) -> None:
    assert party(address) == expected


def _app(world: World) -> Starlette:
    found = world.network.apps["home.test"]
    assert isinstance(found, Starlette)
    return found


async def _post(app: Starlette, body: bytes, address: str = "192.0.2.1") -> httpx.Response:
    headers = {"content-type": "application/activity+json", "signature": f'keyId="https://far.test/k",to="{PUBLIC}"'}
    return await ask(app, "POST", "https://home.test/inbox", headers, body, address=address)
