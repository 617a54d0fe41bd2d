"""Any bytes into every parser of what strangers send: it is read or refused, and what is read keeps its promises."""

# long because: one property for each reader of what comes from outside

from __future__ import annotations

import os
from collections.abc import Iterator, MutableMapping
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from fediblog.counters import BUGS
from tests.fuzz.parsers import CHECKS, documents
from tests.fuzz.test_routes import CSRF, TOKEN, House
from tests.markup.test_clean import ATTACKS
from tests.protocol.generated import anything

EXAMPLES = int(os.environ.get("FEDIBLOG_TEST_EXAMPLES", "150"))
config = settings(
    max_examples=EXAMPLES,
    derandomize="FEDIBLOG_TEST_EXAMPLES" not in os.environ,
    deadline=None,
    database=None,
    suppress_health_check=list(HealthCheck),
)

# Pieces of which each grammar is made, so that what is generated gets further than the first character.
PIECES: dict[str, list[str]] = {
    "signature_headers": [
        *('keyId="https://bob.test/u#k"', 'headers="(request-target) host date digest"', 'signature="AAAA"', "\n", ","),
        *('algorithm="rsa-sha256"', 'algorithm="hs2019"', "created=1750000000", "expires=1750000100", "=", '"', "\\"),
        *(
            'sig1=("@method" "@target-uri" "content-digest");created=1750000000;keyid="https://bob.test/u#k"',
            "sig1=:AAAA:",
        ),
        *('sig1=("@path" "@query" "@authority")', ';alg="ed25519"', ";expires=1", ";tag=?1", '"@query-param";name="x"'),
        *(
            "Sun, 15 Jun 2025 15:06:40 GMT",
            "sha-256=:AAAA:",
            "SHA-256=AAAA",
            " ",
            "\t",
            "(",
            ")",
            ";",
            ":",
            "KEYID",
            "é",
        ),
        *('keyId="https://[bad"', 'keyId="//"', 'keyId="https://a⺀b/"'),
    ],
    "structured_fields": [
        *(
            "a=1",
            "b=:AAAA:",
            "c=?1",
            'd="x"',
            "e=tok/en",
            "f=(1 2)",
            ";p=1",
            ", ",
            "-999999999999999",
            "1.5",
            "1.",
            ":",
        ),
        *(
            "SHA-256=",
            "sha-512=:=:",
            "Sun, 06 Nov 1994 08:49:37 GMT",
            "application/activity+json",
            ";q=0.5",
            "*/*",
            "=",
            "(",
        ),
        *(
            'application/ld+json; profile="https://www.w3.org/ns/activitystreams"',
            '"',
            "\\",
            "\x7f",
            "é",
            " ",
            "\t",
            "@1",
        ),
    ],
    "json_text": [
        *(
            "{",
            "}",
            "[",
            "]",
            '"',
            ":",
            ",",
            "\\",
            "\\u0000",
            "\\ud800",
            "\\udc00",
            "1",
            "-",
            "0",
            ".",
            "e9",
            "E400",
            "NaN",
        ),
        *(
            "null",
            "true",
            '"id"',
            '"type"',
            '"@graph"',
            '"a":1',
            "\ufeff",
            "\x00",
            "é",
            "  ",
            "\n",
            "/**/",
            "'",
            "9" * 30,
            "-0",
        ),
        *('"https://bob.test/u"', '"actor":', '"proof":', '{"type":"DataIntegrityProof"}', '"Create"', '"object":'),
    ],
    "hyper_text": [
        *ATTACKS,
        *(
            "<p>",
            "</p>",
            "<a href=",
            '"https://a.test/"',
            "<b",
            ">",
            "<",
            "&",
            "&#",
            "x3c;",
            "/>",
            "<!--",
            "-->",
            "<table>",
        ),
        *(
            "<svg>",
            "<math>",
            "<style>",
            "</style>",
            "<title>",
            "<template>",
            "<select>",
            "<![CDATA[",
            "\x00",
            "\x0c",
            "'",
            " on",
        ),
    ],
    "markdown": [
        *ATTACKS[:12],
        *(
            "# ",
            "* ",
            "1. ",
            "> ",
            "```",
            "~~~",
            "`",
            "**",
            "_",
            "[",
            "](",
            ")",
            "![",
            "[^1]",
            "[^1]: ",
            "|",
            "---",
            "\n",
            "\n\n",
        ),
        *(
            "@a@b.test",
            "#tag",
            "https://a.test/(x)",
            "<https://a.test>",
            "javascript:x",
            "\\",
            "&amp;",
            "    ",
            "\t",
            "- [ ] ",
            "$$",
        ),
    ],
    "names": [
        *(
            "@",
            "a",
            "bob",
            "bob.test",
            ".",
            ":",
            "443",
            "99999",
            "acct:",
            "https://",
            "/",
            "?",
            "#",
            "%40",
            "%",
            "xn--",
            "é",
            "_",
        ),
        *(
            '<XRD><Link rel="lrdd" template="',
            "{uri}",
            '"/>',
            "<Link ",
            "'",
            "[::1]",
            "\\",
            "\u3002",
            "ß",
            "-",
            " ",
            "\n",
            "@@",
        ),
        *("-----BEGIN PUBLIC KEY-----\n", "MCowBQYDK2VwAyEA", "-----END PUBLIC KEY-----", "z6Mk", "u", "127.0.0.1"),
    ],
    "words": [
        *(
            "/",
            "//",
            "\\",
            "%2f",
            "%5c",
            "%00",
            "%0d%0a",
            "?",
            "#",
            "https:",
            "x",
            "\u202e",
            "\u2066",
            "\u200b",
            "\u00ad",
            "\r\n",
        ),
        *(
            "0",
            "9" * 18,
            "²",
            "\x00",
            "\ud83d\ude00".encode("utf-16", "surrogatepass").decode("utf-16"),
            " ",
            "\u3164",
            "..",
        ),
    ],
}

# Found by machines, each of them once a mistake of ours or one that would be easy to make.
FOUND: list[tuple[str, bytes]] = [
    ("signature_headers", b'keyId="https://[bad",headers="(request-target) host date digest",signature="AAAA"\nx'),
    ("names", b"https://[bad"),
    ("names", "https://a\u2100b/".encode()),
    ("hyper_text", b"<![CDAzz["),
    ("json_text", b"[" * 100_000),
    ("json_text", b'{"a":' + b"9" * 5_000 + b"}"),
]


def inputs(name: str) -> st.SearchStrategy[bytes]:
    made = st.lists(st.sampled_from(PIECES[name]) | st.text(max_size=3), max_size=14).map("".join)
    return made.map(lambda text: text.encode("utf-8", "surrogatepass")) | st.binary(max_size=80)


@pytest.mark.parametrize("name", CHECKS)
def test_any_bytes_are_read_or_refused(name: str) -> None:
    @config
    @given(inputs(name))
    def run(data: bytes) -> None:
        CHECKS[name](data)

    run()


@pytest.mark.parametrize(("name", "data"), FOUND, ids=lambda value: str(value)[:40])
def test_what_was_found_once_stays_mended(name: str, data: bytes) -> None:
    CHECKS[name](data)


@config
@given(anything)
def test_every_reader_takes_any_json(value: Any) -> None:
    documents(value)


@pytest.fixture(scope="module")
def house() -> Iterator[House]:
    made = House()
    yield made
    made.close()


def raw(house: House, method: str, path: str, query: bytes, headers: list[tuple[bytes, bytes]], body: bytes) -> int:
    """The status of an answer to a request whose parts are any bytes, as they can come from a socket."""
    status = 0

    async def receive() -> dict[str, Any]:
        return {"type": "http.request", "body": body, "more_body": False}

    async def send(message: MutableMapping[str, Any]) -> None:
        nonlocal status
        status = message.get("status", status)

    scope = {
        **{"type": "http", "asgi": {"version": "3.0"}, "http_version": "1.1", "method": method, "scheme": "http"},
        **{"path": path, "raw_path": path.encode(), "query_string": query, "root_path": ""},
        **{"headers": headers, "client": ("127.0.0.1", 9), "server": ("home.test", 80)},
    }
    before = BUGS.total()
    house.run(house.world.network.apps["home.test"](scope, receive, send))
    assert BUGS.total() == before
    return status


def pieces(*words: str) -> st.SearchStrategy[bytes]:
    """What stands in a header or a query: these words and any bytes but those that end a line."""
    other = st.binary(max_size=6).map(lambda data: data.translate(None, b"\r\n\x00"))
    return st.lists(st.sampled_from([word.encode("latin-1") for word in words]) | other, max_size=8).map(b"".join)


SESSION = f"__Host-session={TOKEN.replace(' ', '-')}"
COOKIES = pieces(SESSION, "__Host-session=", "session=", "flash=edited", "flash=", ";", "; ", "=", '"', ",", "$Path=/")
QUERIES = pieces(
    *(
        "before=",
        "after=",
        "page=",
        "q=",
        "reply=",
        "show=",
        "token=",
        "next=",
        "resource=",
        "&",
        "=",
        "%",
        "%00",
        "%ff",
    ),
    *("+", "[]", "9" * 30, "acct:alice@home.test", "https://home.test/@alice", "//evil.test"),
)
PAGES = [
    *(
        "/",
        "/@alice",
        "/login",
        "/setup",
        "/stream",
        "/people",
        "/search",
        "/tags/x",
        "/feed.atom",
        "/settings",
        "/nowhere",
    ),
    *("/.well-known/webfinger", "/.well-known/host-meta", "/nodeinfo/2.1", "/p/1", "/actor", "/media/x"),
]
NAMES = [
    *(b"host", b"origin", b"referer", b"content-type", b"if-none-match", b"x-forwarded-for", b"range", b"forwarded"),
    *(b"sec-fetch-site", b"content-length", b"authorization", b"signature", b"signature-input", b"accept-language"),
]


@config
@given(path=st.sampled_from(PAGES), cookie=COOKIES, query=QUERIES, name=st.sampled_from(NAMES), value=COOKIES)
def test_any_cookie_query_and_header_gets_an_answer(
    house: House, path: str, cookie: bytes, query: bytes, name: bytes, value: bytes
) -> None:
    headers = [(b"accept", b"text/html" if len(query) % 2 else value), (b"cookie", cookie), (name, value)]
    assert 200 <= raw(house, "GET", path, query, headers, b"") < 500


FIELDS = pieces(
    "csrf=", CSRF, "do=publish", "source=", "name=alice", "password=", "next=/", "q=", "&", "=", "%", "%zz", "+", ";"
)
KINDS = pieces(
    "application/x-www-form-urlencoded", "multipart/form-data", "; boundary=b", "; charset=", "utf-7", ";", '"'
)


@config
@given(path=st.sampled_from(["/login", "/write", "/find", "/setup"]), body=FIELDS, kind=KINDS, origin=COOKIES)
def test_any_form_with_any_type_gets_an_answer(
    house: House, path: str, body: bytes, kind: bytes, origin: bytes
) -> None:
    headers = [(b"content-type", kind), (b"cookie", SESSION.encode()), (b"accept", b"text/html")]
    assert raw(house, "POST", path, b"", headers, body) < 500
    assert 400 <= raw(house, "POST", path, b"", [*headers, (b"origin", origin)], body) < 500
