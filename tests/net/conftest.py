"""Real servers on the loopback interface that answer whatever a test writes down, byte by byte."""

from __future__ import annotations

import asyncio
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path

import pytest
import trustme

from fediblog.net import AccessPolicy, SocketEngine

LAB = ("*.fedi.test",)


@dataclass
class Seen:
    """A request as it reached a peer."""

    line: str
    headers: dict[str, str]
    body: bytes
    connection: int


Script = Callable[[Seen, asyncio.StreamWriter], Awaitable[None]]


@dataclass
class Peer:
    """A server: `script` writes what it answers. A connection ends when the script closes it."""

    script: Script
    port: int = 0
    scheme: str = "http"
    connections: int = 0
    seen: list[Seen] = field(default_factory=list)
    tasks: set[asyncio.Task[None]] = field(default_factory=set)

    def url(self, path: str = "/", host: str = "peer.fedi.test") -> str:
        return f"{self.scheme}://{host}:{self.port}{path}"

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self.tasks.add(task)
        self.connections += 1
        number = self.connections
        try:
            while not writer.is_closing():
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1")
                line, *fields = head.removesuffix("\r\n\r\n").split("\r\n")
                headers = dict(f.split(": ", 1) for f in fields)
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                seen = Seen(line, headers, body, number)
                self.seen.append(seen)
                await self.script(seen, writer)
        except (OSError, EOFError, asyncio.CancelledError):
            pass
        finally:
            writer.close()
            self.tasks.discard(task)


Start = Callable[..., Awaitable[Peer]]


@pytest.fixture
async def peer() -> AsyncIterator[Start]:
    """Start a peer with a script, or with the bytes that it always answers."""
    async with AsyncExitStack() as stack:

        async def start(script: Script | bytes, tls: ssl.SSLContext | None = None) -> Peer:
            running = Peer(always(script) if isinstance(script, bytes) else script)
            server = await asyncio.start_server(running.serve, "127.0.0.1", 0, ssl=tls)
            running.port = server.sockets[0].getsockname()[1]
            running.scheme = "https" if tls else "http"

            async def stop() -> None:
                server.close()
                tasks = list(running.tasks)
                for task in tasks:
                    task.cancel()
                await asyncio.gather(*tasks, return_exceptions=True)

            stack.push_async_callback(stop)
            return running

        yield start


def always(answer: bytes) -> Script:
    """Give the same answer to every request."""

    async def script(_: Seen, writer: asyncio.StreamWriter) -> None:
        writer.write(answer)
        await writer.drain()

    return script


def reply(body: bytes = b"", status: str = "200 OK", **headers: str) -> bytes:
    """A complete answer with its length."""
    fields = "".join(f"{name.replace('_', '-')}: {value}\r\n" for name, value in headers.items())
    return f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n{fields}\r\n".encode() + body


async def loopback(host: str, port: int) -> list[str]:
    """A resolver for which every name is this machine."""
    return ["127.0.0.1"]


@pytest.fixture(scope="session")
def authority() -> trustme.CA:
    return trustme.CA()


@pytest.fixture(scope="session")
def ca_file(authority: trustme.CA, tmp_path_factory: pytest.TempPathFactory) -> str:
    path: Path = tmp_path_factory.mktemp("ca") / "ca.pem"
    authority.cert_pem.write_to_path(str(path))
    return str(path)


def server_context(authority: trustme.CA, *names: str) -> ssl.SSLContext:
    """What a server with a certificate for `names` uses."""
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    authority.issue_cert(*names).configure_cert(context)
    return context


@pytest.fixture
def policy() -> AccessPolicy:
    return AccessPolicy(lab_hosts=LAB, user_agent="fediblog/test", deadline=5.0)


@pytest.fixture
async def engine(policy: AccessPolicy) -> AsyncIterator[SocketEngine]:
    running = SocketEngine(policy, loopback)
    yield running
    await running.close()
