"""The rest of the fediverse in one process: any number of hosts over TLS that take in everything at once, cheaply."""

from __future__ import annotations

import asyncio
import json
import socket
import ssl
import sys
import time
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httptools
import uvloop

from tests.bench import helper

_TAKEN = b"HTTP/1.1 202 Accepted\r\nContent-Length: 0\r\n\r\n"
_BROKEN = b"HTTP/1.1 500 Internal Server Error\r\nContent-Length: 0\r\n\r\n"
_GONE = b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"
_MISSING = b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"


class Arrivals:
    """What was delivered: the inbox's path and the monotonic time, in the order of arrival."""

    def __init__(self) -> None:
        self.seen: list[tuple[str, float]] = []
        self.connections = 0
        self.fetched = 0
        self.marks: dict[bytes, list[float]] = {}  # what to look for in what comes, and when it came
        self._wanted = 0
        self._enough = asyncio.Event()

    def add(self, address: str, body: bytes) -> None:
        now = time.monotonic()
        self.seen.append((address, now))
        for mark, times in self.marks.items():
            if mark in body:
                times.append(now)
        if len(self.seen) >= self._wanted:
            self._enough.set()

    async def wait(self, count: int, seconds: float) -> bool:
        """Until so many have come; False if they have not within `seconds`."""
        self._wanted = count
        self._enough.clear()
        if len(self.seen) < count:
            try:
                async with asyncio.timeout(seconds):
                    await self._enough.wait()
            except TimeoutError:
                return False
        return True


class Host(asyncio.Protocol):
    """One connection. What it answers depends on the name that it is asked under and on the path."""

    def __init__(self, arrivals: Arrivals, pems: list[str]) -> None:
        self._arrivals, self._pems = arrivals, pems
        self._transport: asyncio.Transport | None = None
        self._parser = httptools.HttpRequestParser(self)
        self._target, self._host, self._body = "", "", b""

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = transport  # type: ignore[assignment]
        self._arrivals.connections += 1

    def data_received(self, data: bytes) -> None:
        self._parser.feed_data(data)

    def on_url(self, url: bytes) -> None:
        self._target, self._body = url.decode(), b""

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() == b"host":
            self._host = value.decode()

    def on_body(self, data: bytes) -> None:
        self._body += data

    def on_message_complete(self) -> None:
        assert self._transport is not None
        self._transport.write(self._answer())

    def _answer(self) -> bytes:
        if self._host.startswith("broken"):
            return _BROKEN
        if self._host.startswith("gone"):
            return _GONE
        if self._parser.get_method() == b"POST":
            self._arrivals.add(self._host + self._target, self._body)
            return _TAKEN
        self._arrivals.fetched += 1
        path = urlsplit(self._target)
        if path.path == "/.well-known/webfinger":
            return _found(webfinger(parse_qs(path.query)["resource"][0]), "application/jrd+json")
        if path.path.startswith("/u/"):
            return _found(actor(self._host, path.path, self._pems), "application/activity+json")
        return _MISSING


def _found(document: dict[str, Any], media_type: str) -> bytes:
    body = json.dumps(document).encode()
    return b"HTTP/1.1 200 OK\r\nContent-Type: %b\r\nContent-Length: %d\r\n\r\n%b" % (
        media_type.encode(),
        len(body),
        body,
    )


def webfinger(resource: str) -> dict[str, Any]:
    """Every handle u… leads to the actor of that number."""
    name, _, authority = resource.removeprefix("acct:").partition("@")
    href = f"https://{authority}/u/{name.removeprefix('u')}"
    return {"subject": resource, "links": [{"rel": "self", "type": "application/activity+json", "href": href}]}


def actor(authority: str, path: str, pems: list[str]) -> dict[str, Any]:
    """A document of the size that Mastodon sends, with an inbox of its own and no shared one."""
    number = int(path.removeprefix("/u/"))
    uri = f"https://{authority}/u/{number}"
    context = ["https://www.w3.org/ns/activitystreams", "https://w3id.org/security/v1"]
    return {
        "@context": context,
        "id": uri,
        "type": "Person",
        "preferredUsername": f"u{number}",
        "name": f"Somebody {number}",
        "summary": f"<p>Number {number} writes about <a href='https://{authority}/tags/hills'>#hills</a>.</p>",
        "url": f"https://{authority}/@u{number}",
        "inbox": f"{uri}/inbox",
        "outbox": f"{uri}/outbox",
        "followers": f"{uri}/followers",
        "following": f"{uri}/following",
        "discoverable": True,
        "published": "2024-05-06T07:08:09Z",
        "attachment": [{"type": "PropertyValue", "name": "Home", "value": f"https://{authority}"}],
        "publicKey": {"id": f"{uri}#main-key", "owner": uri, "publicKeyPem": pems[number % len(pems)]},
    }


async def main(config: dict[str, Any]) -> None:
    loop = asyncio.get_running_loop()
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(config["certificate"])
    arrivals = Arrivals()
    server = await loop.create_server(lambda: Host(arrivals, config["pems"]), "127.0.0.1", 0, ssl=context, backlog=1024)
    # One port takes connections and never says a word; one is ours, and nobody listens there.
    silent = await loop.create_server(asyncio.Protocol, "127.0.0.1", 0)
    with socket.socket() as deaf:
        deaf.bind(("127.0.0.1", 0))
        port, mute = (each.sockets[0].getsockname()[1] for each in (server, silent))
        helper.say(port=port, silent=mute, deaf=deaf.getsockname()[1])

        async def answer(asked: dict[str, Any]) -> dict[str, Any]:
            if asked["do"] == "reset":
                arrivals.seen.clear()
                arrivals.fetched = arrivals.connections = 0
                arrivals.marks = {mark.encode(): [] for mark in asked.get("marks", [])}
                return {}
            done = await arrivals.wait(asked["count"], asked["seconds"])
            told = {"connections": arrivals.connections, "fetched": arrivals.fetched}
            marks = {mark.decode(): times for mark, times in arrivals.marks.items()}
            return {"done": done, "seen": list(arrivals.seen), "marks": marks, **told}

        await helper.obey(answer)


if __name__ == "__main__":
    uvloop.run(main(json.loads(sys.argv[1])))
