"""Every route, asked in odd ways: nothing that a stranger sends is answered with a mistake of ours."""

from __future__ import annotations

import asyncio
import os
import re
from collections.abc import Awaitable, Callable, Iterator
from typing import Any, TypeVar
from urllib.parse import quote

import httpx
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from starlette.routing import BaseRoute, Mount, Route

from fediblog.actions.drafts import Draft
from fediblog.app import ROUTES
from fediblog.counters import BUGS
from fediblog.domain.accounts import Account
from fediblog.federation.site import Site
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.store.people import logins
from fediblog.store.people.logins import Session
from fediblog.store.tx import Tx
from fediblog.web.sessions import hashed
from tests import wording
from tests.world import World, ask

T = TypeVar("T")
Fields = list[tuple[bytes, bytes]]
HOST = "home.test"
EXAMPLES = int(os.environ.get("FEDIBLOG_TEST_EXAMPLES", "60"))
TOKEN, CSRF = "the token of a session", "the token of its forms"
ACCEPTS = ["text/html", "application/activity+json", "*/*", "", "text/html;q=x, ;;,", "application/json"]
ODD = [
    *("", "0", "1", "-1", "007", "9" * 18, "9223372036854775807", "9223372036854775808", "9" * 400, "1e9", "٣"),
    *(
        "nan",
        "null",
        "alice",
        "ALICE",
        "al ice",
        "..",
        ".",
        "%",
        "%00",
        "\x00",
        "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
    ),
    *(
        "'",
        '"><script>',
        "a" * 3000,
        "@alice@home.test",
        "https://home.test/@alice",
        "https://[",
        "http://[::1",
        "acct:",
        "acct:@",
    ),
    *("//evil.test/x", "\\evil", "javascript:1", "a\r\nb: c", "-", "feed.atom", "2025", "13", "é", "\u202e"),
]
_PARAM = re.compile(r"{(\w+)(?::(\w+))?}")
_NAMES = [
    "before",
    "after",
    "page",
    "next",
    "reply",
    "q",
    "resource",
    "token",
    "name",
    "follow",
    "x",
    "message",
    "done",
]


def flat(routes: list[BaseRoute]) -> Iterator[Route]:
    """The routes that lead to a handler."""
    for route in routes:
        if isinstance(route, Route):
            yield route
        elif isinstance(route, Mount):
            yield from flat(list(route.routes or []))


READ = sorted({route.path for route in flat(ROUTES) if "GET" in (route.methods or ())})
WRITE = sorted({route.path for route in flat(ROUTES) if "POST" in (route.methods or ())})


def filled(path: str, value: str, numbers: str = "1") -> str:
    """A path with something in the place of each parameter."""
    return _PARAM.sub(lambda m: numbers if m[2] in ("int", "number", "year", "month") else quote(value, safe=""), path)


class House:
    """A server with an account, a post and a session, in a loop of its own."""

    def __init__(self) -> None:
        self.loop = asyncio.new_event_loop()
        self.world = World(HOST)
        self.alice: Account = self.run(self._furnish())
        self.asked = 0

    async def _furnish(self) -> Account:
        await self.world.__aenter__()
        alice = await self.world.person(HOST, "alice")
        await self.world.do(HOST, wording.publish, alice.id, Draft(source="Hello #world", title="A title"))
        await self.world.sites[HOST].db.write(self._session, alice)
        return alice

    def _session(self, tx: Tx, alice: Account) -> None:
        now, end = tx.now, tx.now + 86_400_000
        login = logins.everyone(tx)[0].id
        found = Session(
            token=hashed(TOKEN.replace(" ", "-")),
            login=login,
            account=alice.id,
            csrf=CSRF,
            created=now,
            seen=now,
            expires=end,
            agent="",
        )
        logins.open_session(tx, found)

    def run(self, work: Any) -> Any:
        return self.loop.run_until_complete(work)

    @property
    def site(self) -> Site:
        return self.world.sites[HOST]

    def ask(self, method: str, path: str, body: bytes = b"", *, known: bool = False, **headers: Any) -> int:
        """The status of an answer."""
        fields = {name.replace("_", "-"): value for name, value in headers.items()}
        if known:
            fields |= {"cookie": f"__Host-session={TOKEN.replace(' ', '-')}"}
        url = f"https://{HOST}{path}"
        return self._status(path, lambda app, address: ask(app, method, url, fields, body, address=address))

    def ask_raw(self, method: str, path: str, fields: Fields, body: bytes = b"") -> int:
        """As `ask`, with lines of the head that are bytes and may be anything."""

        async def send(app: Any, address: str) -> httpx.Response:
            transport = httpx.ASGITransport(app=app, client=(address, 4711))
            async with httpx.AsyncClient(transport=transport) as client:
                return await client.request(method, f"https://{HOST}{path}", headers=fields, content=body)

        return self._status(f"{path} {fields}", send)

    def _status(self, what: str, send: Callable[[Any, str], Awaitable[httpx.Response]]) -> int:
        """Each asker has an address of its own, so that no limit is met."""
        self.asked += 1
        before = BUGS.total()
        address = f"10.{self.asked >> 16 & 255}.{self.asked >> 8 & 255}.{self.asked & 255}"
        status = self.run(send(self.world.network.apps[HOST], address)).status_code
        assert BUGS.total() == before, what
        return int(status)

    def close(self) -> None:
        self.run(self.world.__aexit__(None, None, None))
        self.loop.close()


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    made = House()
    yield made
    made.close()


@pytest.mark.parametrize("path", READ)
def test_whatever_is_asked_in_the_path_nothing_breaks(house: House, path: str) -> None:
    for known in (False, True):
        for value in ODD if "{" in path else ["x"]:
            for number in ("1", "0", "9" * 19, "9" * 25):
                accept = ACCEPTS[house.asked % len(ACCEPTS)]
                assert house.ask("GET", filled(path, value, number), known=known, accept=accept) < 500


@pytest.mark.parametrize("path", READ)
def test_whatever_is_asked_in_the_query_nothing_breaks(house: House, path: str) -> None:
    whole = filled(path, "alice", str(house.alice.id))
    for name in _NAMES:
        for value in ODD:
            accept = ACCEPTS[house.asked % len(ACCEPTS)]
            asked = f"{whole}?{name}={quote(value, safe='')}"
            assert house.ask("GET", asked, known=house.asked % 2 == 0, accept=accept) < 500
    assert house.ask("GET", f"{whole}?%ff=%fe&=&&a", accept="text/html") < 500


@pytest.mark.parametrize("path", WRITE)
def test_nothing_is_done_for_nobody_in_particular(house: House, path: str) -> None:
    form: dict[str, Any] = {"content_type": "application/x-www-form-urlencoded"}
    whole = filled(path, "alice")
    if path == "/login/passkey":  # what a passkey is to sign is given to anybody of ours, and remembers nobody
        assert house.ask("POST", whole, b"a=b", **{**form, "origin": "https://evil.test"}) == 403
        return
    assert 400 <= house.ask("POST", whole, b"a=b", **form) < 500
    if path not in ("/login", "/setup"):
        assert 400 <= house.ask("POST", whole, b"a=b", known=True, **form) < 500  # the form's own token is missing
    assert 400 <= house.ask("POST", whole, b"csrf=" + quote(CSRF).encode(), **form) < 500  # the session is missing
    foreign: dict[str, Any] = {**form, "origin": "https://evil.test"}
    assert 400 <= house.ask("POST", whole, b"csrf=" + quote(CSRF).encode(), known=True, **foreign) < 500


def _multipart(fields: list[tuple[str, str, bytes]], boundary: str, end: str) -> bytes:
    parts = [
        f'--{boundary}\r\nContent-Disposition: form-data; name="{name}"{extra}\r\n\r\n'.encode("utf-8", "replace")
        + value
        + b"\r\n"
        for name, extra, value in fields
    ]
    return b"".join(parts) + end.encode()


_FIELDS = st.lists(
    st.tuples(
        st.sampled_from(
            [*("csrf", "do", "source", "title", "upload", "files", "alt-1", "reply", "scheduled", "visibility"), ""]
        ),
        st.sampled_from(
            ["", '; filename="x.png"', '; filename=""', "; filename", '; filename="../../x"\r\nContent-Type: image/png']
        ),
        st.one_of(st.binary(max_size=60), st.sampled_from([CSRF.encode(), b"publish", b"preview", b"schedule", b"1"])),
    ),
    max_size=8,
)


@settings(
    max_examples=EXAMPLES,
    derandomize="FEDIBLOG_TEST_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    path=st.sampled_from([path for path in WRITE if "inbox" not in path]),
    fields=_FIELDS,
    end=st.sampled_from(["--b--\r\n", "--b--", "", "--b\r\n", "--b--\r\nmore"]),
    kind=st.sampled_from(
        [
            "multipart/form-data; boundary=b",
            "multipart/form-data",
            "multipart/form-data; boundary=",
            "multipart/form-data; boundary=c",
        ]
    ),
    number=st.sampled_from(["1", "0", "9" * 19]),
)
def test_whatever_a_form_holds_nothing_breaks(
    house: House, path: str, fields: list[tuple[str, str, bytes]], end: str, kind: str, number: str
) -> None:
    body = _multipart([("csrf", "", CSRF.encode()), *fields], "b", end)
    asked: dict[str, Any] = {"content_type": kind, "accept": "text/html"}
    assert house.ask("POST", filled(path, "alice", number), body, known=path != "/logout", **asked) < 500


@settings(
    max_examples=EXAMPLES,
    derandomize="FEDIBLOG_TEST_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@given(
    path=st.sampled_from(["/inbox", "/a/1/inbox", "/actor/inbox"]),
    body=st.one_of(
        st.binary(max_size=200), st.sampled_from([b"{}", b"[]", b'{"type":"Create","actor":"https://x.test/"}'])
    ),
    kind=st.sampled_from(["application/activity+json", "application/ld+json", "text/plain", ""]),
    signature=st.text(st.characters(min_codepoint=32, max_codepoint=126), max_size=200),
)
def test_whatever_comes_to_an_inbox_nothing_breaks(
    house: House, path: str, body: bytes, kind: str, signature: str
) -> None:
    for name in ("signature", "signature_input"):
        headers: dict[str, Any] = {"content_type": kind, name: signature}
        assert 400 <= house.ask("POST", path, body, **headers) < 500


CALLS = sorted(
    {("GET", path) for path in READ}
    | {("POST", path) for path in WRITE}
    | {(row.method, row.path) for row in ENDPOINTS}
)
_FORM = (b"content-type", b"application/x-www-form-urlencoded")
_NOT_ASCII = (b"authorization", b"Basic \xff")
_HEADERS = [
    *(b"authorization", b"cookie", b"host", b"origin", b"referer", b"user-agent", b"date", b"content-type", b"accept"),
    *(
        b"accept-language",
        b"accept-encoding",
        b"range",
        b"if-range",
        b"if-match",
        b"if-none-match",
        b"if-modified-since",
    ),
    *(b"signature", b"signature-input", b"digest", b"content-digest", b"collection-synchronization", b"forwarded"),
    *(b"x-forwarded-for", b"x-forwarded-proto", b"x-forwarded-host", b"x-real-ip", b"x-request-id", b"sec-fetch-site"),
    *(b"idempotency-key", b"last-event-id", b"sec-websocket-protocol", b"access-control-request-headers", b"expect"),
]
_BEGINNINGS = [
    *(
        b"",
        b"Basic ",
        b"Bearer ",
        b"bytes=",
        b'"',
        b'W/"',
        b"SHA-256=",
        b"sha-256=:",
        b'keyId="https://x.test/',
        b"sig1=:",
    ),
    *(
        b'sig1=("@method" ',
        b"__Host-session=",
        b"multipart/form-data; boundary=",
        b"application/json; charset=",
        b"de;q=",
    ),
    b"application/x-www-form-urlencoded; charset=",
]
_LINE = st.tuples(
    st.sampled_from(_HEADERS),
    st.builds(bytes.__add__, st.sampled_from(_BEGINNINGS), st.binary(max_size=24)).map(
        lambda value: value.translate(None, b"\r\n\0")  # which no server of HTTP lets through
    ),
)


@settings(
    max_examples=10 * EXAMPLES,
    derandomize="FEDIBLOG_TEST_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)
@example(call=("POST", "/oauth/token"), fields=[_FORM, _NOT_ASCII])
@example(call=("POST", "/oauth/revoke"), fields=[_FORM, _NOT_ASCII])
@example(call=("GET", "/metrics"), fields=[(b"authorization", b"Bearer \xff")])
@given(call=st.sampled_from(CALLS), fields=st.lists(_LINE, min_size=1, max_size=3))
def test_whatever_stands_in_the_head_nothing_breaks(house: House, call: tuple[str, str], fields: Fields) -> None:
    method, path = call
    body = b"grant_type=client_credentials&a=b" if method != "GET" else b""
    kind = [_FORM] if body and b"content-type" not in dict(fields) else []
    assert house.ask_raw(method, filled(path, "alice"), [*fields, *kind], body) < 500
