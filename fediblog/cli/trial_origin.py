"""Trying out: a start without an origin gets one on this machine, and gives it up for a real one while it is empty."""

from __future__ import annotations

import asyncio
import socket

from msgspec.structs import replace

from fediblog.cli import listen_sockets, worker_lock
from fediblog.cli.command_site import has_database
from fediblog.cli.terminal import warn
from fediblog.domain.urls import is_loopback, is_trial
from fediblog.errors import Misuse
from fediblog.federation.site import Site, open_site
from fediblog.settings import Settings
from fediblog.store.engine.database import connect, sqlite_path
from fediblog.store.engine.schema_lock import Upgrade
from fediblog.store.people import logins, server_state
from fediblog.store.tx import Tx


async def with_origin(found: Settings, sockets: list[socket.socket], upgrade: Upgrade = "alone") -> Settings:
    """The settings with an origin: the given one, the one written down, or one for trying out.

    Raises Misuse where people elsewhere could reach the server, but it does not know by which address.
    """
    if found.origin:
        return found
    written, _ = await _known(found, upgrade) if has_database(found) else ("", False)
    own = _own_origin(found.listen, sockets)
    if written:
        if is_trial(written) and own and own != written:
            warn("cli.listens-elsewhere", origin=written)
        return replace(found, origin=written)
    if not own:
        raise Misuse("misuse.no-origin")
    return replace(found, origin=own)


def _own_origin(listen: str, sockets: list[socket.socket]) -> str:
    """The address on this machine, if only this machine can reach it."""
    if not sockets or listen.startswith("unix:"):
        return ""
    host, _ = listen_sockets.split(listen)
    port = sockets[0].getsockname()[1]
    if not is_loopback(host):
        return ""
    return f"http://{'localhost' if ':' in host else host}:{port}"


async def open_chosen(found: Settings, upgrade: Upgrade = "alone") -> Site:
    """Open the site; a trial folder that nobody has used yet gets its real origin, by starting with a new database."""
    try:
        return await open_site(found, upgrade=upgrade)
    except Misuse:
        path = sqlite_path(found.database_url)
        if path is None or not path.exists() or not await _is_unused_trial(found, upgrade):
            raise
    for suffix in ("", "-wal", "-shm"):
        await asyncio.to_thread(path.with_name(path.name + suffix).unlink, missing_ok=True)
    return await open_site(found, upgrade=upgrade)


async def _is_unused_trial(found: Settings, upgrade: Upgrade) -> bool:
    """Whether we may begin anew. Only who holds the worker's lock may: somebody else could be using the file."""
    if is_trial(found.origin) or not worker_lock.is_alone(found) or found.role == "web":
        return False
    written, used = await _known(found, upgrade)
    return is_trial(written) and not used


async def _known(found: Settings, upgrade: Upgrade) -> tuple[str, bool]:
    """The origin that was written down, and whether anybody uses the server yet."""
    db = await connect(found.database_url, readers=1, upgrade=upgrade)
    try:
        return await db.read(_look)
    finally:
        await db.close()


def _look(tx: Tx) -> tuple[str, bool]:
    return server_state.get(tx, "origin") or "", bool(logins.everyone(tx))
