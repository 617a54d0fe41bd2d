"""An overloaded inbox says so, loses nothing that it took, never fails by accident, and readers do not notice."""

from __future__ import annotations

import asyncio
import json
import os
import re
import signal
import statistics
import sys
import time
from collections import Counter
from collections.abc import Iterator
from contextlib import AsyncExitStack, ExitStack, suppress
from itertools import cycle, islice
from pathlib import Path

import httpx
import pytest
from starlette.applications import Starlette

from fediblog.cli.connection_limits import MOST_OF_ADDRESS
from fediblog.domain.documents import PUBLIC
from fediblog.errors import Unavailable
from fediblog.limits import Limit, Room, party
from fediblog.web.activitypub import inbox_limits
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

        told = {"port": server.port, "host": server.urls.host, "cookie": server.cookie}
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


TRICKLING, EACH = 2_000, 110  # connections in all, and of one address: more than one may have


async def _trickle(port: int, address: str, seen: Counter[bytes], stop: asyncio.Event) -> None:
    """A request whose head never ends, a little at a time; what the server says at last is counted."""
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
    except ConnectionError:
        seen[b"reset"] += 1
        return
    ended = asyncio.create_task(reader.read())
    with suppress(ConnectionError):
        writer.write(b"GET / HTTP/1.1\r\nhost: blog.test\r\n")
        while not ended.done():
            writer.write(b"x: " + b"y" * 1000 + b"\r\n")
            await writer.drain()
            await asyncio.wait((ended,), timeout=1)
            if stop.is_set():
                break
    writer.close()
    try:
        seen[(await ended)[9:12]] += 1
    except ConnectionError:
        seen[b"reset"] += 1


def _memory(pid: int) -> int:
    """Bytes of the process, what it shares in proportion."""
    found = re.search(r"^Pss:\s+(\d+)", Path(f"/proc/{pid}/smaps_rollup").read_text(), re.MULTILINE)
    assert found is not None
    return int(found[1]) * 1024


@pytest.mark.slow
@pytest.mark.skipif(sys.platform != "linux", reason="only Linux has all of 127.0.0.0/8, and says what a process takes")
async def test_heads_that_never_end_keep_nobody_else_out(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    """Not who comes through our proxy, which may hold any number of connections, nor who has another address."""
    async with Server(tmp_path / "data", trusted=("127.0.0.1",)) as server, AsyncExitStack() as held:
        await server.furnish()
        await server.start()
        through_proxy = server.client()
        for _ in range(150):  # as a proxy keeps them open
            _, writer = await asyncio.open_connection("127.0.0.1", server.port)
            held.callback(writer.close)
        for number in range(MOST_OF_ADDRESS + 1):
            reader, writer = await asyncio.open_connection("127.0.0.1", server.port, local_addr=("127.0.3.1", 0))
            held.callback(writer.close)
            if number == MOST_OF_ADDRESS:
                assert (await reader.read())[9:12] == b"429"
        before, seen, stop, waits = _memory(server.pid), Counter[bytes](), asyncio.Event(), []
        addresses = [f"127.0.1.{number // EACH + 1}" for number in range(TRICKLING)]
        lines = [asyncio.create_task(_trickle(server.port, each, seen, stop)) for each in addresses]
        most = before
        began = time.monotonic()
        while time.monotonic() - began < 15:
            asked = time.monotonic()
            page = await through_proxy.get("/", headers={"x-forwarded-for": "203.0.113.1", "accept": "text/html"})
            assert page.status_code == 200
            transport = httpx.AsyncHTTPTransport(local_address="127.0.2.1")
            async with httpx.AsyncClient(transport=transport, trust_env=False, timeout=20) as other:
                own = await other.get(f"{server.origin}/", headers={"accept": "text/html"})
            assert own.status_code == 200
            waits.append((time.monotonic() - asked) * 1000)
            most = max(most, _memory(server.pid))
            await asyncio.sleep(0.2)
        stop.set()
        await asyncio.gather(*lines)
        assert sum(seen.values()) == TRICKLING
        assert set(seen) <= {b"", b"408", b"429", b"reset"}  # the last: who goes on writing may not read the answer
        assert most - before < 150_000_000
        assert server.process is not None
        assert [line for line in server.process.lines if "Traceback" in line] == []
    with capsys.disabled():
        print(f"\n{dict(seen)}; {len(waits)} pages, at most {max(waits):.0f} ms; {(most - before) // 1000} kB more")


async def test_with_no_room_an_inbox_says_when_to_come_again_before_it_reads_anything() -> None:
    async with World("home.test") as world:
        app = _app(world)
        with ExitStack() as held:
            limits = app.state.site.keep(inbox_limits.InboxLimits)
            for i in range(inbox_limits.INSIDE):
                held.enter_context(limits.room.enter(str(i)))
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
        app.state.site.keep(inbox_limits.InboxLimits).refused = Limit(burst=3, seconds=10, clock=clock)
        statuses = [(await _post(app, b"{}")).status_code for _ in range(5)]
        assert statuses == [400, 400, 400, 503, 503]
        assert (await _post(app, b"{}", "192.0.2.99")).status_code == 400  # somebody else
        clock.forward(seconds=11)
        assert (await _post(app, b"{}")).status_code == 400


async def test_a_body_that_does_not_come_is_not_waited_for(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(inbox_limits, "PATIENCE", 0.01)
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
