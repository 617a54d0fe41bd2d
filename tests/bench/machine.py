"""What this machine takes for the pieces that no server can avoid, measured in the same run."""

from __future__ import annotations

import asyncio
import ssl
import time
from collections.abc import Callable

from fediblog.net.connection import tls_context
from fediblog.protocol.keys import load_public, new_rsa
from tests.bench import load
from tests.bench.helper import running
from tests.bench.lab import Lab
from tests.bench.measure import Meter, Row, row


async def rows(lab: Lab) -> list[Row]:
    """A signature, a verification, a TLS handshake as a client, and a request that nothing is done for."""
    if lab.counts:
        return []
    key = new_rsa()
    public = load_public(key.public.pem())
    assert public is not None
    text = b"x" * 300
    signature = key.sign(text)
    count = 300 if lab.small else 2000
    return [
        _timed("one RSA-2048 signature", count, lambda: key.sign(text)),
        _timed("one RSA-2048 verification", count, lambda: public.verifies(signature, text)),
        await _handshakes(lab, 20 if lab.small else 200),
        await _requests(lab, 500 if lab.small else 5000),
    ]


def _timed(name: str, count: int, work: Callable[[], object]) -> Row:
    work()
    before = time.thread_time()
    for _ in range(count):
        work()
    return Row(name=name, operations=count, cpu=(time.thread_time() - before) * 1000 / count)


async def _handshakes(lab: Lab, count: int) -> Row:
    """With the context that deliveries use; connecting is included."""
    context: ssl.SSLContext = tls_context(str(lab.ca_file))
    before = time.process_time()
    for _ in range(count):
        _, writer = await asyncio.open_connection(
            "127.0.0.1", lab.port, ssl=context, server_hostname="handshake.bench.test"
        )
        writer.transport.abort()
    return Row(name="one TLS handshake (client)", operations=count, cpu=(time.process_time() - before) * 1000 / count)


async def _requests(lab: Lab, count: int) -> Row:
    """The processor time of a server that does nothing but answer: it tells how fast the machine runs today."""
    request = load.post("/inbox", {"Content-Type": "application/activity+json"}, b"x" * 1500)
    async with running("bare", lab.folder, {}) as (server, told):
        await load.send(told["port"], [request] * (count // 5))
        meter = Meter(server.pid)
        meter.start()
        result = await load.send(told["port"], [request] * count)
        return row("one request to an empty ASGI app", count, meter.stop(), result.latencies, "8 at a time")
