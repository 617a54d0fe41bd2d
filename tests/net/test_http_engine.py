"""The engine against real servers: deadlines, limits, turns, and connections that are used again."""

# long because: the engine is tried against one hostile server after the other, with the same helpers

from __future__ import annotations

import asyncio
import gzip
from contextlib import suppress
from typing import cast

import pytest
import trustme

from fediblog.errors import Refused, Unavailable
from fediblog.net import AccessPolicy, Response, SocketEngine
from fediblog.net.connection import PIECE, Connection, dial, tls_context
from fediblog.net.guard import Target
from fediblog.net.http_engine import compose
from fediblog.net.pool import Pool
from tests.net.conftest import LAB, Peer, Seen, Start, always, loopback, reply, server_context

pytestmark = pytest.mark.filterwarnings("ignore:Overriding the .event_loop_policy. fixture:DeprecationWarning")


@pytest.fixture(scope="module", params=["asyncio", "uvloop"])
def event_loop_policy(request: pytest.FixtureRequest) -> asyncio.AbstractEventLoopPolicy:
    """Both loops, since they differ in how connections end."""
    if request.param == "asyncio":
        return asyncio.DefaultEventLoopPolicy()
    return cast(asyncio.AbstractEventLoopPolicy, pytest.importorskip("uvloop").EventLoopPolicy())


async def get(engine: SocketEngine, url: str, limit: int = 10_000, deadline: float = 5.0) -> Response:
    return await engine.exchange("GET", url, {"accept": "application/json"}, limit=limit, deadline=deadline)


async def unavailable(engine: SocketEngine, url: str, deadline: float = 5.0) -> str:
    with pytest.raises(Unavailable) as failed:
        await get(engine, url, deadline=deadline)
    return failed.value.reason


async def refused(engine: SocketEngine, url: str, limit: int = 10_000) -> str:
    with pytest.raises(Refused) as failed:
        await get(engine, url, limit)
    return failed.value.reason


async def test_a_get_arrives_whole(peer: Start, engine: SocketEngine) -> None:
    server = await peer(reply(b"{}", Content_Type="application/json", X="a"))
    answer = await get(engine, server.url("/a?b=c#d"))
    assert (answer.status, answer.body, answer.url) == (200, b"{}", server.url("/a?b=c"))
    assert (answer.header("Content-Type"), answer.header("y")) == ("application/json", None)
    seen = server.seen[0]
    assert seen.line == "GET /a?b=c HTTP/1.1"
    assert seen.headers == {
        "host": f"peer.fedi.test:{server.port}",
        "accept": "application/json",
        "user-agent": "fediblog/test",
        "accept-encoding": "gzip, identity",
    }


async def test_a_post_arrives_whole(peer: Start, engine: SocketEngine) -> None:
    server = await peer(reply(status="202 Accepted"))
    headers = [("Content-Type", "x/y"), ("Host", "elsewhere"), ("Content-Length", "1"), ("User-Agent", "me")]
    body = bytes(range(256)) * 400
    answer = await engine.exchange("POST", server.url("/inbox"), headers, body, limit=100, deadline=5)
    assert answer.status == 202
    seen = server.seen[0]
    assert seen.body == body
    assert seen.headers["host"] == f"peer.fedi.test:{server.port}"
    assert (seen.headers["Content-Type"], seen.headers["User-Agent"]) == ("x/y", "me")


@pytest.mark.parametrize("header", [("x", "a\r\nb: c"), ("x\n", "a"), ("x", "a\0")])
def test_a_line_break_in_a_header_is_never_sent(header: tuple[str, str]) -> None:
    with pytest.raises(ValueError, match="line break"):
        compose("GET", Target("https", "a.example", 443, "/"), [header], b"", "me")


# --- the guard


@pytest.mark.parametrize(
    "addresses", [["127.0.0.1"], ["93.184.216.34", "127.0.0.1"], ["2606:4700::1111", "::ffff:10.0.0.1"], ["fe80::1%lo"]]
)
async def test_one_private_address_among_them_refuses_the_name(addresses: list[str]) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return addresses

    engine = SocketEngine(AccessPolicy(), resolver)
    assert await refused(engine, "https://rebind.example/") == "address-private"
    await engine.close()


async def test_the_connection_goes_to_the_address_that_was_checked(peer: Start) -> None:
    """A name that changes its address between two looks is looked at once only."""
    answers = [["127.0.0.1"], ["10.0.0.1"]]
    asked: list[str] = []

    async def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        return answers[len(asked) - 1]

    server = await peer(reply(b"x", Connection="close"))
    engine = SocketEngine(AccessPolicy(lab_hosts=LAB), resolver)
    assert (await get(engine, server.url())).body == b"x"
    assert (await get(engine, server.url())).body == b"x"
    assert asked == ["peer.fedi.test"]
    await engine.close()


async def test_a_literal_is_refused_even_in_the_lab(peer: Start, engine: SocketEngine) -> None:
    server = await peer(reply())
    assert await refused(engine, server.url(host="127.0.0.1")) == "address-literal"
    assert not server.seen


async def test_loopback_is_reached_by_the_given_authority_alone(peer: Start) -> None:
    server, closed = await peer(reply(b"x")), await peer(reply())
    policy = AccessPolicy(loopback_authorities=(f"127.0.0.1:{server.port}", f"localhost:{server.port}"))
    engine = SocketEngine(policy)
    assert (await get(engine, server.url(host="127.0.0.1"))).body == b"x"
    assert await refused(engine, closed.url(host="127.0.0.1")) == "address-literal"
    await engine.close()


async def test_a_name_without_address_is_unavailable_and_remembered() -> None:
    asked: list[str] = []

    async def resolver(host: str, port: int) -> list[str]:
        asked.append(host)
        raise OSError("no such name")

    engine = SocketEngine(AccessPolicy(), resolver)
    assert await unavailable(engine, "https://nowhere.example/") == "unreachable"
    assert await unavailable(engine, "https://nowhere.example/") == "unreachable"
    assert asked == ["nowhere.example"]
    await engine.close()


# --- connecting


async def test_the_next_address_is_tried(peer: Start) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["127.0.0.2", "127.0.0.1"]  # the server listens on one of them only

    server = await peer(reply(b"x"))
    engine = SocketEngine(AccessPolicy(lab_hosts=LAB), resolver)
    assert (await get(engine, server.url())).body == b"x"
    await engine.close()


async def test_nobody_listens(engine: SocketEngine, peer: Start) -> None:
    server = await asyncio.start_server(lambda r, w: None, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    server.close()
    await server.wait_closed()
    assert await unavailable(engine, f"http://a.fedi.test:{port}/") == "unreachable"


async def test_tls_checks_the_name_and_the_authority(peer: Start, authority: trustme.CA, ca_file: str) -> None:
    server = await peer(reply(b"safe"), tls=server_context(authority, "peer.fedi.test"))
    trusting = SocketEngine(AccessPolicy(lab_hosts=LAB, ca_file=ca_file), loopback)
    assert (await get(trusting, server.url())).body == b"safe"
    assert (await get(trusting, server.url())).body == b"safe"
    assert server.connections == 1
    assert await unavailable(trusting, server.url(host="other.fedi.test")) == "tls"
    doubtful = SocketEngine(AccessPolicy(lab_hosts=LAB), loopback)
    assert await unavailable(doubtful, server.url()) == "tls"
    await trusting.close()
    await doubtful.close()


async def test_the_authorities_of_the_environment_are_honoured(
    peer: Start, authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    server = await peer(reply(b"safe"), tls=server_context(authority, "peer.fedi.test"))
    engine = SocketEngine(AccessPolicy(lab_hosts=LAB), loopback)
    monkeypatch.setenv("SSL_CERT_FILE", ca_file)
    tls_context.cache_clear()
    assert (await get(engine, server.url())).body == b"safe"
    tls_context.cache_clear()
    await engine.close()


async def test_a_tls_handshake_that_hangs_ends_with_the_time_to_connect(peer: Start) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(OSError):
            await reader.read()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    engine = SocketEngine(AccessPolicy(lab_hosts=LAB, connect_timeout=0.05), loopback)
    assert await unavailable(engine, f"https://a.fedi.test:{server.sockets[0].getsockname()[1]}/") == "timeout"
    await engine.close()
    server.close()


async def test_head_has_no_body_and_leaves_the_connection_usable(peer: Start, engine: SocketEngine) -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(reply(b"" if seen.line.startswith("HEAD") else b"x").replace(b"Length: 0", b"Length: 99"))

    server = await peer(script)
    answer = await engine.exchange("HEAD", server.url(), {}, limit=10, deadline=5)
    assert (answer.status, answer.body, answer.header("content-length")) == (200, b"", "99")
    assert (await get(engine, server.url())).body == b"x"
    assert server.connections == 1


async def test_a_long_answer_to_a_post_is_cut(peer: Start, engine: SocketEngine) -> None:
    server = await peer(reply(b"x" * 1_000_000, "202 Accepted"))
    for _ in range(2):
        answer = await engine.exchange("POST", server.url(), {}, b"{}", limit=1000, deadline=5)
        assert (answer.status, answer.cut) == (202, True)
    assert server.connections == 2


async def test_plain_text_on_a_tls_port_is_not_an_answer(engine: SocketEngine) -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(reply())
        await writer.drain()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    assert await unavailable(engine, f"https://a.fedi.test:{server.sockets[0].getsockname()[1]}/") == "tls"
    server.close()


# --- deadlines and sizes


async def test_silence_ends_at_the_deadline(peer: Start, engine: SocketEngine) -> None:
    async def silence(seen: Seen, writer: asyncio.StreamWriter) -> None:
        await asyncio.Event().wait()

    server = await peer(silence)
    assert await unavailable(engine, server.url(), deadline=0.1) == "timeout"


@pytest.mark.parametrize("start", [b"HTTP/1.1 200 OK\r\nX: ", b"HTTP/1.1 200 OK\r\nContent-Length: 9999\r\n\r\n"])
async def test_a_slow_drip_ends_at_the_deadline(peer: Start, engine: SocketEngine, start: bytes) -> None:
    drops = 0

    async def drip(seen: Seen, writer: asyncio.StreamWriter) -> None:
        loop = asyncio.get_running_loop()

        def drop() -> None:
            nonlocal drops
            if not writer.is_closing():
                drops += 1
                writer.write(b"x")
                loop.call_later(0.01, drop)

        writer.write(start)
        drop()

    server = await peer(drip)
    before = asyncio.get_running_loop().time()
    assert await unavailable(engine, server.url(), deadline=0.2) == "timeout"
    assert asyncio.get_running_loop().time() - before < 2
    assert drops > 1


async def test_a_name_service_that_hangs_ends_at_the_deadline() -> None:
    async def resolver(host: str, port: int) -> list[str]:
        await asyncio.Event().wait()
        return []

    engine = SocketEngine(AccessPolicy(), resolver)
    assert await unavailable(engine, "https://slow.example/", deadline=0.05) == "timeout"
    await engine.close()


async def test_too_large_raw_and_decoded(peer: Start, engine: SocketEngine) -> None:
    raw = await peer(reply(b"x" * 100_001))
    bomb = await peer(reply(gzip.compress(bytes(10_000_000)), Content_Encoding="gzip"))
    assert await refused(engine, raw.url(), 100_000) == "answer-too-large"
    assert await refused(engine, bomb.url(), 100_000) == "answer-too-large"
    assert len((await get(engine, raw.url(), 100_001)).body) == 100_001


async def test_an_answer_cut_short_is_unavailable(peer: Start, engine: SocketEngine) -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhel")
        writer.close()

    server = await peer(script)
    assert await unavailable(engine, server.url()) == "unreachable"
    assert server.connections == 1


async def test_a_body_that_ends_with_the_connection(peer: Start, engine: SocketEngine) -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.0 200 OK\r\n\r\nhello")
        writer.close()

    server = await peer(script)
    assert (await get(engine, server.url())).body == b"hello"


async def test_what_is_not_http_is_refused(peer: Start, engine: SocketEngine) -> None:
    server = await peer(b"220 mail.example ESMTP\r\n")
    assert await refused(engine, server.url()) == "answer-malformed"


# --- connections that are used again


async def test_a_connection_is_used_again(peer: Start, engine: SocketEngine) -> None:
    server = await peer(reply(b"x"))
    for _ in range(5):
        await get(engine, server.url())
    assert server.connections == 1
    await get(engine, server.url(host="other.fedi.test"))
    assert server.connections == 2


@pytest.mark.parametrize("fields", [{"Connection": "close"}, {"Keep_Alive": "timeout=1"}])
async def test_a_server_may_not_want_that(peer: Start, engine: SocketEngine, fields: dict[str, str]) -> None:
    server = await peer(reply(b"x", **fields))
    await get(engine, server.url())
    await get(engine, server.url())
    assert server.connections == 2


@pytest.mark.parametrize("method", ["GET", "POST"])
async def test_a_connection_that_died_while_idle_is_replaced_once(
    peer: Start, engine: SocketEngine, method: str
) -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if seen.connection == 1 and len(server.seen) > 1:
            writer.close()
        else:
            writer.write(reply(b"x"))

    server: Peer = await peer(script)
    for _ in range(2):
        answer = await engine.exchange(method, server.url(), {}, b"body", limit=100, deadline=5)
        assert answer.body == b"x"
    assert [seen.connection for seen in server.seen] == [1, 1, 2]
    assert {seen.body for seen in server.seen} == {b"body"}


async def test_a_new_connection_without_answer_is_not_tried_again(peer: Start, engine: SocketEngine) -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        writer.close()

    server = await peer(script)
    assert await unavailable(engine, server.url()) == "unreachable"
    assert len(server.seen) == 1


async def test_a_request_that_was_answered_in_part_is_not_repeated(peer: Start, engine: SocketEngine) -> None:
    async def script(seen: Seen, writer: asyncio.StreamWriter) -> None:
        if len(server.seen) > 1:
            writer.write(b"HTTP/1.1 2")
            writer.close()
        else:
            writer.write(reply(b"x"))

    server: Peer = await peer(script)
    await get(engine, server.url())
    assert await unavailable(engine, server.url()) == "unreachable"
    assert len(server.seen) == 2


async def test_an_answer_that_nobody_asked_for_is_never_taken(peer: Start, engine: SocketEngine) -> None:
    server = await peer(reply(b"mine") + reply(b"planted"))
    assert (await get(engine, server.url())).body == b"mine"
    assert (await get(engine, server.url())).body == b"mine"
    assert server.connections == 2


async def test_a_connection_on_which_something_comes_unasked_is_ended(engine: SocketEngine) -> None:
    plant, ended, connections = asyncio.Event(), asyncio.Event(), 0

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply(b"mine"))
        await plant.wait()
        writer.write(reply(b"planted"))
        with suppress(OSError):
            await reader.read()
        writer.close()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    url = f"http://a.fedi.test:{server.sockets[0].getsockname()[1]}/"
    assert (await get(engine, url)).body == b"mine"
    plant.set()
    async with asyncio.timeout(5):
        await ended.wait()
    plant.clear()
    assert (await get(engine, url)).body == b"mine"
    assert connections == 2
    plant.set()
    server.close()


@pytest.mark.parametrize("secure", [False, True])
async def test_a_long_request_goes_in_pieces(
    peer: Start, authority: trustme.CA, ca_file: str, monkeypatch: pytest.MonkeyPatch, secure: bool
) -> None:
    written = []
    write = Connection.connection_made

    def made(connection: Connection, transport: asyncio.BaseTransport) -> None:
        class Seeing:
            def __getattr__(self, name: str) -> object:
                return getattr(transport, name)

            def write(self, data: bytes) -> None:
                written.append(len(data))
                cast(asyncio.Transport, transport).write(data)

        write(connection, cast(asyncio.BaseTransport, Seeing()))

    monkeypatch.setattr(Connection, "connection_made", made)
    server = await peer(reply(b"yes"), tls=server_context(authority, "peer.fedi.test") if secure else None)
    trusting = SocketEngine(AccessPolicy(lab_hosts=LAB, ca_file=ca_file), loopback)
    body = bytes(range(256)) * 12_000
    answer = await trusting.exchange("POST", server.url(), {}, body, limit=100, deadline=20)
    assert (answer.body, server.seen[0].body == body) == (b"yes", True)
    assert max(written) <= PIECE
    assert (await get(trusting, server.url())).body == b"yes"
    assert server.connections == 1
    await trusting.close()


async def test_who_answers_a_long_request_before_its_end_gets_no_more_of_it(engine: SocketEngine) -> None:
    connections, done = 0, asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal connections
        connections += 1
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply(status="413 Content Too Large"))
        await done.wait()
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0, limit=1_000)
    url = f"http://a.fedi.test:{server.sockets[0].getsockname()[1]}/"
    for expected in (1, 2):
        answer = await engine.exchange("POST", url, {}, bytes(20_000_000), limit=100, deadline=5)
        assert (answer.status, connections) == (413, expected)
    done.set()
    server.close()


async def test_a_connection_past_its_time_is_not_used(peer: Start) -> None:
    server = await peer(reply(b"x"))
    pool = Pool(per_host=4, total=4, idle_total=4, idle_seconds=60)
    target = Target("http", "a.fedi.test", server.port, "/", "lab")
    connection = await dial(target, ["127.0.0.1"], None, 5, pool)
    pool.keep(connection, None)
    assert pool.take(target.origin) is connection
    pool.keep(connection, 30)
    assert connection.usable_until <= asyncio.get_running_loop().time() + 29
    connection.usable_until = 0
    assert pool.take(target.origin) is None
    assert not connection.is_open
    await pool.close()


async def test_idle_connections_are_bounded(peer: Start) -> None:
    server = await peer(reply(b"x"))
    engine = SocketEngine(AccessPolicy(lab_hosts=LAB, idle_total=2), loopback)
    for name in "abc":
        await get(engine, server.url(host=f"{name}.fedi.test"))
    for name in "cb":
        await get(engine, server.url(host=f"{name}.fedi.test"))
    assert server.connections == 3
    await get(engine, server.url(host="a.fedi.test"))
    assert server.connections == 4
    await engine.close()


async def test_idle_connections_end_after_a_while(peer: Start) -> None:
    ended = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(reply(b"x"))
        with suppress(OSError):
            await reader.read()
        writer.close()
        ended.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    engine = SocketEngine(AccessPolicy(lab_hosts=LAB, idle_seconds=0.05), loopback)
    await get(engine, f"http://a.fedi.test:{server.sockets[0].getsockname()[1]}/")
    async with asyncio.timeout(5):
        await ended.wait()
    server.close()
    await engine.close()


# --- turns


class Crowd:
    """A script that holds every request until it is opened, and counts how many were there at once."""

    def __init__(self, expected: int) -> None:
        self.here = self.peak = 0
        self.expected = expected
        self.full = asyncio.Event()
        self.opened = asyncio.Event()

    async def __call__(self, seen: Seen, writer: asyncio.StreamWriter) -> None:
        self.here += 1
        self.peak = max(self.peak, self.here)
        if self.here == self.expected:
            self.full.set()
        await self.opened.wait()
        self.here -= 1
        writer.write(reply(b"x"))


async def test_at_most_four_at_once_with_one_host(peer: Start, engine: SocketEngine) -> None:
    crowd = Crowd(4)
    server = await peer(crowd)
    async with asyncio.TaskGroup() as group:
        tasks = [group.create_task(get(engine, server.url(f"/{n}"))) for n in range(12)]
        await crowd.full.wait()
        crowd.opened.set()
    assert all(task.result().body == b"x" for task in tasks)
    assert (crowd.peak, server.connections) == (4, 4)
    served = [int(seen.line.split()[1][1:]) for seen in server.seen]
    assert sorted(served[:4]) == [0, 1, 2, 3]  # first come, first served


async def test_a_bound_on_all_hosts_together(peer: Start) -> None:
    crowd = Crowd(3)
    server = await peer(crowd)
    engine = SocketEngine(AccessPolicy(lab_hosts=LAB, total=3), loopback)
    async with asyncio.TaskGroup() as group:
        for n in range(9):
            group.create_task(get(engine, server.url(host=f"h{n}.fedi.test")))
        await crowd.full.wait()
        crowd.opened.set()
    assert crowd.peak == 3
    await engine.close()


async def test_a_host_that_hangs_leaves_turns_to_others(peer: Start) -> None:
    crowd = Crowd(2)
    slow, good = await peer(crowd), await peer(always(reply(b"x")))
    engine = SocketEngine(AccessPolicy(lab_hosts=LAB, per_host=2, total=3), loopback)
    async with asyncio.TaskGroup() as group:
        for _ in range(10):
            group.create_task(get(engine, slow.url()))
        await crowd.full.wait()
        assert (await get(engine, good.url(host="good.fedi.test"))).body == b"x"
        crowd.opened.set()
    await engine.close()


async def test_a_turn_that_never_comes_is_told_apart_from_a_host_that_hangs(peer: Start) -> None:
    crowd = Crowd(1)
    server = await peer(crowd)
    engine = SocketEngine(AccessPolicy(lab_hosts=LAB, per_host=1), loopback)
    first = asyncio.create_task(get(engine, server.url()))
    await crowd.full.wait()
    assert await unavailable(engine, server.url(), deadline=0.05) == "busy"
    crowd.opened.set()
    assert (await first).body == b"x"
    assert (await get(engine, server.url())).body == b"x"  # the turn that was waited for in vain is not lost
    await engine.close()


async def test_a_closed_engine_asks_nobody(peer: Start) -> None:
    server = await peer(reply(b"x"))
    engine = SocketEngine(AccessPolicy(lab_hosts=LAB), loopback)
    await get(engine, server.url())
    await engine.close()
    assert await unavailable(engine, server.url()) == "busy"
    assert len(server.seen) == 1
