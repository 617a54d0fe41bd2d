"""Redirects, the double knock and the memory of failures, over an engine that answers from a table."""

from __future__ import annotations

import gzip
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import pytest

from fediblog.errors import Refused, Unavailable
from fediblog.memory import Memory
from fediblog.net import AccessPolicy, Client, Headers, Response, SocketEngine, check_url
from fediblog.net.host_memory import Failures
from fediblog.net.transport import http_client
from tests.net.conftest import Start, loopback, reply

POLICY = AccessPolicy(user_agent="fediblog/test", lab_hosts=("*.fedi.test",))
Page = Response | Exception | Callable[[Mapping[str, str]], Response]


def page(status: int = 200, body: bytes = b"", **headers: str) -> Response:
    return Response(status, tuple(headers.items()), body, "")


@dataclass
class Table:
    """An engine for which the world is a table. The guard stands before it as before the real one."""

    pages: dict[str, Page]
    asked: list[tuple[str, str, dict[str, str], bytes, float]] = field(default_factory=list)

    async def exchange(
        self, method: str, url: str, headers: Headers, body: bytes = b"", *, limit: int, deadline: float
    ) -> Response:
        check_url(url, POLICY)
        fields = dict(headers)
        self.asked.append((method, url, fields, body, deadline))
        found = self.pages[url]
        if isinstance(found, Exception):
            raise found
        answer = found if isinstance(found, Response) else found(fields)
        return Response(answer.status, answer.headers, answer.body, url)

    async def close(self) -> None:
        pass

    @property
    def urls(self) -> list[str]:
        return [url for _, url, *_ in self.asked]


class Time:
    """A monotonic clock that a test moves."""

    now = 1000.0

    def __call__(self) -> float:
        return self.now


def sign(method: str, url: str, headers: Mapping[str, str], body: bytes, scheme: str) -> dict[str, str]:
    """Not a signature, but it shows what would have been signed."""
    assert all(name == name.lower() for name in headers)
    return {"Signature": f"{scheme} {method} {url} {headers['host']} {len(body)}"}


def understands(scheme: str, status: int = 401) -> Callable[[Mapping[str, str]], Response]:
    return lambda headers: page() if headers.get("signature", "").startswith(scheme) else page(status)


async def refusal(client: Client, url: str, **options: bool) -> str:
    with pytest.raises(Refused) as refused:
        await client.fetch(url, accept="x/y", **options)  # type: ignore[arg-type]
    return refused.value.reason


# --- redirects


async def test_redirects_are_followed_and_each_step_is_signed() -> None:
    table = Table(
        {
            "https://a.example/1": page(302, location="/2#x"),
            "https://a.example/2": page(308, location="https://b.example/3"),
            "https://b.example/3": page(301, location="../ä".encode().decode("latin-1")),
            "https://b.example/ä": page(200, b"here"),
        }
    )
    answer = await Client(table, POLICY).fetch("https://a.example/1", accept="x/y", sign=sign)
    assert (answer.body, answer.url) == (b"here", "https://b.example/ä")
    assert [fields["signature"] for _, _, fields, _, _ in table.asked] == [
        "cavage GET https://a.example/1 a.example 0",
        "cavage GET https://a.example/2 a.example 0",
        "cavage GET https://b.example/3 b.example 0",
        "cavage GET https://b.example/%C3%A4 b.example 0",
    ]
    assert all(fields["user-agent"] == "fediblog/test" for _, _, fields, _, _ in table.asked)
    assert all(fields["accept"] == "x/y" for _, _, fields, _, _ in table.asked)


@pytest.mark.parametrize(
    ("location", "reason"),
    [
        ("https://a.example/1", "redirect-loop"),
        ("#again", "redirect-loop"),
        ("HTTPS://A.example:443/1", "redirect-loop"),
        ("http://a.example/2", "redirect-insecure"),
        ("http://lab.fedi.test/2", "redirect-insecure"),
        ("ftp://a.example/2", "redirect-insecure"),
        ("javascript:alert(1)", "redirect-insecure"),
        ("https://127.0.0.1/", "address-literal"),
        ("https://[::1]/", "address-literal"),
        ("https://[::1/", "address-malformed"),
        ("https://localhost/", "address-name"),
        ("https://a.example:22/", "address-port"),
        ("https://root@a.example/", "address-userinfo"),
        ("//2130706433/", "address-literal"),
    ],
)
async def test_where_a_redirect_may_not_lead(location: str, reason: str) -> None:
    table = Table({"https://a.example/1": page(302, location=location)})
    assert await refusal(Client(table, POLICY), "https://a.example/1") == reason
    assert table.urls == ["https://a.example/1"]


async def test_three_redirects_and_no_more() -> None:
    pages: dict[str, Page] = {f"https://a.example/{n}": page(302, location=f"/{n + 1}") for n in range(9)}
    table = Table(pages)
    assert await refusal(Client(table, POLICY), "https://a.example/0") == "too-many-redirects"
    assert len(table.asked) == 4


async def test_another_origin_only_if_the_caller_allows_it() -> None:
    table = Table({"https://a.example/1": page(302, location="https://b.example/"), "https://b.example/": page()})
    assert await refusal(Client(table, POLICY), "https://a.example/1", cross_origin=False) == "redirect-elsewhere"
    assert (await Client(table, POLICY).fetch("https://a.example/1", accept="x/y")).status == 200


async def test_a_redirect_to_a_private_address_is_refused_over_real_sockets(peer: Start) -> None:
    async def resolver(host: str, port: int) -> list[str]:
        return ["10.0.0.1"] if host == "inside.example" else await loopback(host, port)

    server = await peer(reply(status="302 Found", Location="https://inside.example/"))
    client = Client(SocketEngine(POLICY, resolver), POLICY)
    assert await refusal(client, server.url("/1")) == "address-private"
    await client.close()


async def test_all_steps_share_one_deadline() -> None:
    clock = Time()

    def slow(_: Mapping[str, str]) -> Response:
        clock.now += 6
        return page(302, location=f"/{clock.now}")

    table = Table({"https://a.example/1": slow, "https://a.example/1006.0": slow})
    with pytest.raises(Unavailable) as failed:
        await Client(table, POLICY, clock=clock).fetch("https://a.example/1", accept="x/y", deadline=10)
    assert failed.value.reason == "timeout"
    assert [deadline for *_, deadline in table.asked] == [10, 4]


# --- the double knock


@pytest.mark.parametrize("status", [400, 401])
async def test_the_other_scheme_is_tried_once_and_remembered(status: int) -> None:
    url = "https://a.example/inbox"
    table = Table({url: understands("rfc9421", status)})
    learned: list[tuple[str, str]] = []
    client = Client(table, POLICY, on_learned=lambda host, scheme: learned.append((host, scheme)))
    for _ in range(2):
        answer = await client.post(url, b"{}", {"Content-Type": "application/activity+json"}, sign)
        assert answer.status == 200
    schemes = [fields["signature"].split()[0] for _, _, fields, _, _ in table.asked]
    assert schemes == ["cavage", "rfc9421", "rfc9421"]
    assert learned == [("a.example", "rfc9421")]
    assert {body for _, _, _, body, _ in table.asked} == {b"{}"}


async def test_what_was_learnt_before_comes_first() -> None:
    table = Table({"https://a.example/": understands("rfc9421"), "https://b.example/": understands("cavage")})
    client = Client(table, POLICY, prefer={"a.example": "rfc9421"}.get)  # type: ignore[arg-type]
    for url in table.pages:
        assert (await client.fetch(url, accept="x/y", sign=sign)).status == 200
    assert len(table.asked) == 2


@pytest.mark.parametrize("second", [401, 500])
async def test_nothing_is_learnt_if_neither_is_understood(second: int) -> None:
    url = "https://a.example/inbox"
    table = Table({url: lambda headers: page(401 if headers["signature"].startswith("cavage") else second)})
    client = Client(table, POLICY)
    assert (await client.post(url, b"{}", {}, sign)).status == 401
    assert client.schemes.first("a.example") == "cavage"
    assert len(table.asked) == 2


async def test_there_is_no_second_knock_without_reason() -> None:
    table = Table({"https://a.example/403": page(403), "https://a.example/401": page(401)})
    client = Client(table, POLICY)
    assert (await client.fetch("https://a.example/403", accept="x/y", sign=sign)).status == 403
    assert (await client.fetch("https://a.example/401", accept="x/y")).status == 401
    assert len(table.asked) == 2


async def test_a_post_does_not_follow_redirects() -> None:
    table = Table({"https://a.example/inbox": page(307, location="https://b.example/inbox")})
    assert (await Client(table, POLICY).post("https://a.example/inbox", b"{}", {}, sign)).status == 307
    assert len(table.asked) == 1


# --- the memory of failures


@pytest.mark.parametrize("failure", [page(404, b"long"), Refused("answer-malformed"), Unavailable("timeout")])
async def test_a_failure_is_given_again_without_asking(failure: Page) -> None:
    url, clock = "https://a.example/1", Time()
    table = Table({url: failure})
    client = Client(table, POLICY, clock=clock)

    async def outcome(fresh: bool = False) -> object:
        try:
            return (await client.fetch(url, accept="x/y", fresh=fresh)).status
        except (Refused, Unavailable) as error:
            return error.reason

    first = await outcome()
    assert await outcome() == first
    assert len(table.asked) == 1
    pauses = [300.0, 600.0, 1200.0, 2400.0, 4800.0, 9600.0, 19200.0, 38400.0, 76800.0, 86400.0, 86400.0]
    for tries, pause in enumerate(pauses, start=1):
        clock.now += pause - 1
        assert await outcome() == first
        assert len(table.asked) == tries
        clock.now += 1
        assert await outcome() == first
    asked = len(table.asked)
    assert await outcome(fresh=True) == first
    assert len(table.asked) == asked + 1
    table.pages[url] = page(200)
    assert await outcome(fresh=True) == 200
    assert await outcome() == 200


async def test_a_remembered_outage_says_how_long_it_will_be_remembered() -> None:
    clock = Time()
    client = Client(Table({"https://a.example/": Unavailable("tls")}), POLICY, clock=clock)
    for delay in (None, 290.0):
        with pytest.raises(Unavailable) as failed:
            await client.fetch("https://a.example/", accept="x/y")
        assert failed.value.delay == delay
        clock.now += 10


async def test_that_we_are_busy_is_no_failure_of_theirs() -> None:
    table = Table({"https://a.example/": Unavailable("busy")})
    client = Client(table, POLICY)
    for _ in range(2):
        with pytest.raises(Unavailable):
            await client.fetch("https://a.example/", accept="x/y")
    assert len(table.asked) == 2


async def test_an_unsigned_failure_does_not_speak_for_a_signed_request() -> None:
    table = Table({"https://a.example/": understands("cavage")})
    client = Client(table, POLICY)
    assert (await client.fetch("https://a.example/", accept="x/y")).status == 401
    assert (await client.fetch("https://a.example/", accept="x/y", sign=sign)).status == 200


def test_memories_are_bounded() -> None:
    recent: Memory[int, int] = Memory(3)
    for n in range(3):
        recent.put(n, n)
    recent.get(0)
    recent.put(3, 3)
    assert [recent.get(n) for n in range(4)] == [0, None, 2, 3]
    failures = Failures(Time(), size=2)
    for n in range(3):
        failures.note(n, page(404))
    assert [failures.recall(n) is None for n in range(3)] == [True, False, False]


# --- httpx over the same door


async def test_httpx_speaks_through_the_engine(peer: Start, engine: SocketEngine, policy: AccessPolicy) -> None:
    server = await peer(
        reply(gzip.compress(b'{"a": 1}'), Content_Encoding="gzip", Content_Type="application/json", Set_Cookie="a=b")
    )
    async with http_client(engine, policy) as client:
        answer = await client.post(server.url("/token?x=1"), data={"grant": "code"})
        assert answer.json() == {"a": 1}
        await client.get(server.url("/"))
    assert server.seen[0].body == b"grant=code"
    assert server.seen[0].headers["content-type"] == "application/x-www-form-urlencoded"
    assert server.seen[0].headers["user-agent"] == "fediblog/test"
    assert server.seen[0].headers["accept-encoding"] == "gzip, identity"
    assert "cookie" not in server.seen[1].headers
    assert server.connections == 1


async def test_httpx_does_not_follow_redirects_nor_pass_the_guard(
    peer: Start, engine: SocketEngine, policy: AccessPolicy, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("HTTP_PROXY", "http://127.0.0.1:9")
    server = await peer(reply(status="302 Found", Location="http://127.0.0.1/"))
    async with http_client(engine, policy) as client:
        assert (await client.get(server.url())).status_code == 302
        for url in (server.url(host="127.0.0.1"), "http://localhost/", "https://[::1]/", "/relative"):
            with pytest.raises(Refused):
                await client.get(url)
