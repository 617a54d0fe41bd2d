"""What one connection may ask of the server before it is answered, and how many connections an address may have."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from pathlib import Path
from typing import Any

import pytest
import uvicorn
from uvicorn.server import ServerState

from fediblog.cli import connection_limits
from fediblog.cli.connection_limits import MOST_HEAD, MOST_OF_ADDRESS, ConnectionCounts
from fediblog.cli.serve import IDLE, _web_socket
from fediblog.web.activitypub.inbox_limits import PATIENCE

GET = b"GET / HTTP/1.1\r\nhost: blog.test\r\n"
POST = b"POST / HTTP/1.1\r\nhost: blog.test\r\n"
OURS = ("127.0.0.0/8",)
SECURITY = Path(__file__).parents[2] / "docs" / "security.md"
Opened = tuple[asyncio.StreamReader, asyncio.StreamWriter]
Open = Callable[..., Awaitable[Opened]]


async def app(scope: Any, receive: Any, send: Any) -> None:
    """Answers with how much came; a POST to /early before its body came; a WebSocket is accepted and listened to."""
    if scope["type"] == "websocket":
        await receive()
        await send({"type": "websocket.accept"})
        while (await receive())["type"] != "websocket.disconnect":
            pass
        return
    came, more = 0, scope["path"] != "/early"
    while more:
        message = await receive()
        came, more = came + len(message.get("body", b"")), message.get("more_body", False)
    body = str(came).encode()
    headers = [(b"content-length", str(len(body)).encode())]
    await send({"type": "http.response.start", "status": 200, "headers": headers})
    await send({"type": "http.response.body", "body": body})


@asynccontextmanager
async def serving(trusted: tuple[str, ...] = (), limit: int = 2000, keep_alive: float = 5) -> AsyncIterator[Open]:
    """A server on a port of its own; what it gives opens a connection, from an address of this machine."""
    made = connection_limits.protocol(trusted)
    config = uvicorn.Config(
        app,
        http=made,  # type: ignore[arg-type]
        ws=_web_socket,  # type: ignore[arg-type]
        log_config=None,
        limit_concurrency=limit,
        timeout_keep_alive=keep_alive,  # type: ignore[arg-type]
    )
    config.load()
    state, loop = ServerState(), asyncio.get_running_loop()

    def make() -> asyncio.Protocol:
        return made(config=config, server_state=state, app_state={}, _loop=loop)

    server = await loop.create_server(make, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    async with AsyncExitStack() as held:

        async def opened(address: str = "127.0.0.1") -> Opened:
            reader, writer = await asyncio.open_connection("127.0.0.1", port, local_addr=(address, 0))
            held.callback(writer.close)
            return reader, writer

        yield opened
    server.close()
    for each in list(state.connections):
        each.transport.abort()


async def answer(reader: asyncio.StreamReader) -> tuple[int, bytes]:
    """Status and body of the next answer."""
    head = await reader.readuntil(b"\r\n\r\n")
    length = next(int(line[15:]) for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:"))
    return int(head[9:12]), await reader.readexactly(length)


HEADS = {
    "one field": (GET + b"x: ", b"y" * 1000),
    "many fields": (GET, b"x: " + b"y" * 995 + b"\r\n"),
    "a long address": (b"GET /", b"y" * 1000),
    "a long name": (GET, b"y" * 1000),
    "empty lines": (b"", b"\r\n" * 500),
    "trailers": (
        b"POST / HTTP/1.1\r\nhost: blog.test\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n",
        b"x: " + b"y" * 995 + b"\r\n",
    ),
    "one trailer": (
        b"POST / HTTP/1.1\r\nhost: blog.test\r\ntransfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx: ",
        b"y" * 1000,
    ),
    "an extension": (b"POST / HTTP/1.1\r\nhost: blog.test\r\ntransfer-encoding: chunked\r\n\r\n1;", b"y" * 1000),
}


@pytest.mark.parametrize("kind", HEADS)
@pytest.mark.parametrize("at_once", [False, True])
async def test_a_head_that_never_ends_is_ended(kind: str, at_once: bool) -> None:
    begin, more = HEADS[kind]
    async with serving() as opened, asyncio.timeout(20):
        reader, writer = await opened()
        writer.write(begin)
        taken = 0
        try:
            while taken < 200 * MOST_HEAD and not reader.at_eof():
                part = more * (200 if at_once else 1)
                writer.write(part)
                taken += len(part)
                await writer.drain()
                await asyncio.sleep(0)
            left = await reader.read()
        except ConnectionError:  # it was told, and then hung up on
            left = b""
        assert left[9:12] in (b"", b"431", b"400")
        assert taken < 200 * MOST_HEAD


async def test_a_head_within_the_limit_is_answered_and_one_beyond_is_not() -> None:
    async with serving() as opened:
        for length, status in ((MOST_HEAD, 200), (MOST_HEAD + 1, 431)):
            reader, writer = await opened()
            for kept in (True, False):  # also the second on one connection
                if kept:
                    writer.write(GET + b"\r\n")
                    assert await answer(reader) == (200, b"0")
                    continue
                fill = GET + b"x: "
                writer.write(fill + b"y" * (length - len(fill) - 4) + b"\r\n\r\n")
                assert (await answer(reader))[0] == status


async def test_bodies_are_not_heads() -> None:
    async with serving() as opened:
        reader, writer = await opened()
        for _ in range(2):
            writer.write(b"POST / HTTP/1.1\r\nhost: blog.test\r\ncontent-length: 1000000\r\n\r\n" + b"x" * 1_000_000)
            assert await answer(reader) == (200, b"1000000")
        writer.write(b"POST / HTTP/1.1\r\nhost: blog.test\r\ntransfer-encoding: chunked\r\n\r\n")
        for _ in range(300):
            writer.write(b"1000\r\n" + b"x" * 4096 + b"\r\n")
        writer.write(b"0\r\nx: y\r\n\r\n")
        assert await answer(reader) == (200, str(300 * 4096).encode())
        # What was answered before its body came is still taken in, and the connection goes on.
        writer.write(b"POST /early HTTP/1.1\r\nhost: blog.test\r\ncontent-length: 1000000\r\n\r\n")
        assert await answer(reader) == (200, b"0")
        writer.write(b"x" * 1_000_000 + GET + b"\r\n")
        assert await answer(reader) == (200, b"0")


async def test_a_head_that_takes_too_long_is_ended(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "HEAD_TIME", 0.05)
    async with serving() as opened, asyncio.timeout(20):
        reader, _ = await opened()
        assert await reader.read() == b""  # nothing was said, and nothing is answered
        for begun in (b"G", GET, GET + b"x: y"):
            reader, writer = await opened()
            writer.write(begun)
            assert (await reader.read())[9:12] == b"408"
        reader, writer = await opened()
        for _ in range(3):
            writer.write(GET + b"\r\n")
            assert await answer(reader) == (200, b"0")
        writer.write(GET)  # the next one on the same connection
        assert (await reader.read())[9:12] == b"408"
        reader, writer = await opened()
        writer.write(POST + b"content-length: 2\r\n\r\nx")
        with pytest.raises(TimeoutError):  # a body has limits of its own
            async with asyncio.timeout(0.2):
                await reader.read()
        writer.write(b"y")
        assert await answer(reader) == (200, b"2")


BODIES = {
    "none of it": POST + b"content-length: 9\r\n\r\n",
    "a part": POST + b"content-length: 9\r\n\r\nx",
    "none, where to go on was asked": POST + b"content-length: 9\r\nexpect: 100-continue\r\n\r\n",
    "a chunk": POST + b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n",
    "half a chunk": POST + b"transfer-encoding: chunked\r\n\r\n5\r\nx",
    "all but the end of the trailers": POST + b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\nx: y\r\n",
    "the second on a connection": POST + b"content-length: 1\r\n\r\nx" + POST + b"content-length: 9\r\n\r\nx",
}


@pytest.mark.parametrize("begun", BODIES.values(), ids=BODIES)
@pytest.mark.parametrize("trusted", [(), OURS])
async def test_a_body_that_stands_still_is_ended(
    begun: bytes, trusted: tuple[str, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connection_limits, "BODY_PAUSE", 0.05)
    async with serving(trusted) as opened, asyncio.timeout(20):
        reader, writer = await opened()
        writer.write(begun)
        came = (await reader.read()).removeprefix(b"HTTP/1.1 100 Continue\r\n\r\n")
        first, _, second = came.partition(b"HTTP/1.1 408")
        assert first.startswith(b"HTTP/1.1 200") == begun.startswith(BODIES["the second on a connection"])
        assert second == b" Request Timeout\r\nconnection: close\r\ncontent-length: 0\r\n\r\n"


async def test_the_rest_of_what_was_answered_has_a_time_too(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "BODY_PAUSE", 0.05)
    async with serving() as opened, asyncio.timeout(20):
        reader, writer = await opened()
        writer.write(b"POST /early HTTP/1.1\r\nhost: blog.test\r\ncontent-length: 9\r\n\r\nx")
        assert await answer(reader) == (200, b"0")
        assert await reader.read() == b""  # and nothing more is said


class Transport(asyncio.Transport):
    """What a connection writes to, and whether it still reads."""

    def __init__(self) -> None:
        super().__init__()
        self.written, self.closed, self.reads = b"", False, True

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += bytes(data)

    def close(self) -> None:
        self.closed = True

    def is_closing(self) -> bool:
        return self.closed

    def is_reading(self) -> bool:
        return self.reads

    def pause_reading(self) -> None:
        self.reads = False

    def resume_reading(self) -> None:
        self.reads = True


class Loop:
    """The time, and what is to be called when; it stands until it is set."""

    def __init__(self) -> None:
        self.now = 0.0
        self.timers: list[asyncio.TimerHandle] = []

    def time(self) -> float:
        return self.now

    def create_task(self, work: Any, **_more: Any) -> asyncio.Task[Any]:
        return asyncio.get_running_loop().create_task(work)

    def call_later(self, delay: float, work: Callable[..., None], *given: Any) -> asyncio.TimerHandle:
        self.timers.append(asyncio.TimerHandle(self.now + delay, work, given, asyncio.get_running_loop()))
        return self.timers[-1]

    async def pass_time(self, seconds: float) -> None:
        """Let so much go by, and all that falls due within it be done in its order."""
        end = self.now + seconds
        await turns()
        while due := [each for each in self.timers if not each.cancelled() and each.when() <= end]:
            first = min(due, key=lambda each: each.when())
            self.timers.remove(first)
            self.now = first.when()
            first._run()
            await turns()
        self.now = end

    def running(self) -> int:
        """How many timers wait."""
        return sum(not each.cancelled() for each in self.timers)


async def turns() -> None:
    """Until every task has come as far as it can."""
    for _ in range(20):
        await asyncio.sleep(0)


def connected(loop: Loop, asked: Callable[..., Awaitable[None]] = app) -> tuple[asyncio.Protocol, Transport]:
    """One connection of a server whose time is that loop's."""
    config = uvicorn.Config(asked, log_config=None)
    made = connection_limits.protocol(())(config=config, server_state=ServerState(), app_state={}, _loop=loop)
    transport = Transport()
    made.connection_made(transport)
    return made, transport


@pytest.mark.parametrize(
    ("size", "rate", "every", "taken"),
    [
        (16_000_000, 100_000, 1, True),  # pictures over a slow line
        (16_000_000, 100_000, 20, True),  # which come in bursts
        (16_000_000, 40_000, 1, False),
        (1_000_000, 25_000, 1, True),
        (1_000, 1, 1, False),
        (1_000, 1, 10, False),
        (20, 1, 1, True),
    ],
)
async def test_a_body_has_a_time_that_grows_with_what_came(size: int, rate: int, every: int, taken: bool) -> None:
    loop = Loop()
    made, transport = connected(loop)
    made.data_received(POST + b"content-length: %d\r\n\r\n" % size)
    for _ in range(0, size, rate * every):
        await loop.pass_time(every)
        if not transport.closed:
            made.data_received(b"x" * min(rate * every, size))
    await turns()
    assert transport.written[9:12] == (b"200" if taken else b"408")
    assert transport.closed is not taken
    if not taken:
        assert loop.now >= connection_limits.BODY_TIME


async def test_a_body_that_came_with_its_head_is_not_timed() -> None:
    loop = Loop()
    made, transport = connected(loop)
    for body in (b"content-length: 1\r\n\r\nx", b"\r\n", b"transfer-encoding: chunked\r\n\r\n1\r\nx\r\n0\r\n\r\n"):
        made.data_received(POST + body)
        assert loop.running() == 0
        await turns()  # it is answered
        assert loop.running() == 1  # until the next head
    assert transport.written.count(b"HTTP/1.1 200") == 3


async def test_a_body_that_we_do_not_read_is_not_slow() -> None:
    loop = Loop()
    go_on = asyncio.Event()

    async def busy(scope: Any, receive: Any, send: Any) -> None:
        await go_on.wait()
        await app(scope, receive, send)

    made, transport = connected(loop, busy)
    made.data_received(POST + b"content-length: 200000\r\n\r\n" + b"x" * 100_000)
    await loop.pass_time(1000)
    assert not transport.is_closing()
    assert not transport.is_reading()
    go_on.set()
    await turns()
    assert transport.is_reading()
    made.data_received(b"x" * 100_000)
    await turns()
    assert transport.written[9:12] == b"200"
    go_on.clear()
    made.data_received(GET + b"\r\n")
    made.data_received(POST + b"content-length: 9\r\n\r\nx")  # while the one before it is dealt with
    await loop.pass_time(1000)
    assert not transport.is_closing()
    go_on.set()
    await loop.pass_time(1000)
    assert transport.is_closing()
    assert [part[:3] for part in transport.written.split(b"HTTP/1.1 ")[1:]] == [b"200", b"200", b"408"]


async def test_an_address_has_so_many_connections_and_our_proxy_as_many_as_it_needs() -> None:
    async with serving() as opened, asyncio.timeout(20):
        held = []
        for _ in range(MOST_OF_ADDRESS):
            held.append(await opened())
            held[-1][1].write(GET + b"\r\n")
            assert (await answer(held[-1][0]))[0] == 200
        reader, _ = await opened()
        assert (await reader.read())[9:12] == b"429"
        other, writer = await opened("127.0.0.2")
        writer.write(GET + b"\r\n")
        assert (await answer(other))[0] == 200
        held[0][1].write(b"GET / HTTP/1.1\r\nhost: blog.test\r\nconnection: close\r\n\r\n")
        assert (await held[0][0].read())[9:12] == b"200"
        reader, writer = await opened()
        writer.write(GET + b"\r\n")
        assert (await answer(reader))[0] == 200
    async with serving(OURS) as opened:
        for _ in range(MOST_OF_ADDRESS + 5):
            reader, writer = await opened()
            writer.write(GET + b"\r\n")
            assert (await answer(reader))[0] == 200


UPGRADE = GET + (
    b"upgrade: websocket\r\nconnection: Upgrade\r\nsec-websocket-version: 13\r\n"
    b"sec-websocket-key: dGhlIHNhbXBsZSBub25jZQ==\r\n\r\n"
)


@pytest.mark.parametrize("asked_before", [False, True])
async def test_a_web_socket_outlives_the_time_of_a_connection_without_requests(asked_before: bool) -> None:
    """Also one for which a proxy takes a connection that it has used before."""
    async with serving(keep_alive=0.05) as opened, asyncio.timeout(20):
        reader, writer = await opened()
        if asked_before:
            writer.write(GET + b"\r\n")
            assert (await answer(reader))[0] == 200
        writer.write(UPGRADE)
        assert (await reader.readuntil(b"\r\n\r\n"))[9:12] == b"101"
        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.2):
                await reader.read()


async def test_a_web_socket_is_a_connection_until_it_ends(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connection_limits, "HEAD_TIME", 0.05)
    async with serving() as opened, asyncio.timeout(20):
        held = []
        for _ in range(MOST_OF_ADDRESS):
            held.append(await opened())
            held[-1][1].write(UPGRADE)
            assert (await held[-1][0].readuntil(b"\r\n\r\n"))[9:12] == b"101"
        reader, _ = await opened()
        assert (await reader.read())[9:12] == b"429"
        with pytest.raises(TimeoutError):  # the time for a head is over, and it goes on
            async with asyncio.timeout(0.2):
                await held[0][0].read()
        for end, writer in held[:1]:
            writer.write(b"\x88\x82\x00\x00\x00\x00\x03\xe8")  # Close (RFC 6455 §5.5.1), 1000
            await end.read()
        status = b"429"
        while status == b"429":  # until the server has seen that it is closed
            reader, writer = await opened()
            writer.write(GET + b"connection: close\r\n\r\n")
            status = (await reader.read())[9:12]
        assert status == b"200"


@pytest.mark.parametrize(
    ("begun", "trusted"),
    [
        (b"GET / HTTP/1.1\r\nx", ()),
        (POST + b"content-length: 9\r\n\r\nx", ()),
        (POST + b"content-length: 9\r\n\r\nx", OURS),
    ],
    ids=["heads", "bodies", "bodies that a proxy passes on"],
)
async def test_who_waits_longest_makes_room_for_who_asks(begun: bytes, trusted: tuple[str, ...]) -> None:
    async with serving(trusted, limit=50) as opened, asyncio.timeout(20):
        large, sending = await opened()
        sending.write(POST + b"content-length: 2000000\r\n\r\n" + b"x" * 1_000_000)
        for number in range(200):
            _, writer = await opened(f"127.0.0.{number % 50 + 10}")
            writer.write(begun)
        for _ in range(5):
            reader, writer = await opened()
            writer.write(GET + b"\r\n")
            assert (await answer(reader))[0] == 200
        sending.write(b"x" * 1_000_000)  # nor does it fall to who is quick with a large body
        assert await answer(large) == (200, b"2000000")


def test_the_limits_are_those_that_the_manual_tells() -> None:
    assert (MOST_HEAD, MOST_OF_ADDRESS) == (64 * 1024, 100)
    assert (connection_limits.HEAD_TIME, IDLE) == (10, 75)
    lines = SECURITY.read_text().splitlines()
    (told,) = [line for line in lines if "A request's head has" in line]
    assert "64 kB and 10 seconds, an address 100 connections" in told
    assert [connection_limits.BODY_PAUSE, connection_limits.BODY_TIME, connection_limits.BODY_RATE] == [25, 30, 50_000]
    (told,) = [line for line in lines if "something of a body" in line]
    assert "25 seconds something of a body comes, and all of it in 30 and one more for each 50 kB" in told
    assert PATIENCE < connection_limits.BODY_PAUSE  # so that who keeps an inbox waiting is counted there


def test_the_counts_forget_who_has_gone() -> None:
    counts = ConnectionCounts(("10.0.0.0/8",), most=2)
    keys = [counts.enter(address) for address in ("2001:db8::1", "2001:db8::2", "2001:db8::3", "10.1.1.1", "")]
    assert keys == ["2001:db8::/64", "2001:db8::/64", None, "", ""]
    for key in keys[:2]:
        counts.leave(key or "")
    assert len(counts) == 0
