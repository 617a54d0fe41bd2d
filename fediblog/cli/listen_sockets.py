"""The sockets that the server listens on: bound before anything else, so that a port in use is said plainly."""

from __future__ import annotations

import errno
import os
import socket
import stat
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from fediblog.errors import Refused

_MODE_MASK = 0o117  # what is left is rw for the user and the group: the proxy's user belongs to it


@contextmanager
def sockets(listen: str) -> Iterator[list[socket.socket]]:
    """Bound to `host:port` or `unix:/path`. Raises Refused where that is taken or not allowed."""
    path = Path(listen.removeprefix("unix:")) if listen.startswith("unix:") else None
    held: list[socket.socket] = []
    try:
        if path is not None:
            held.append(_bind_unix(path))
        else:
            _bind_all(listen, held)
        yield held
    finally:
        for each in held:
            each.close()
        if path is not None and held:
            path.unlink(missing_ok=True)


def split(listen: str) -> tuple[str, int]:
    """Host and port of `host:port`."""
    host, _, port = listen.rpartition(":")
    return host.strip("[]"), int(port)


def name_of(bound: socket.socket) -> str:
    """As people write it."""
    if bound.family == socket.AF_UNIX:
        return f"unix:{bound.getsockname()}"
    host, port = bound.getsockname()[:2]
    return f"[{host}]:{port}" if ":" in host else f"{host}:{port}"


def _bind_all(listen: str, held: list[socket.socket]) -> None:
    """A name such as localhost may stand for several addresses: all of them."""
    host, port = split(listen)
    try:
        found = socket.getaddrinfo(host, port, type=socket.SOCK_STREAM, flags=socket.AI_PASSIVE)
    except OSError as error:
        raise Refused("no-such-host", host=host, error=error.strerror) from None
    for family, address in dict.fromkeys((each[0], each[4]) for each in found):
        try:
            held.append(_bind(family, address))
        except OSError as error:
            if error.errno != errno.EADDRNOTAVAIL or family != socket.AF_INET6:  # IPv6 may be switched off
                raise _refused(listen, error) from None


def _bind(family: int, address: tuple[object, ...]) -> socket.socket:
    made = socket.socket(family, socket.SOCK_STREAM)
    try:
        made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        if family == socket.AF_INET6:
            made.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_V6ONLY, 1)
        made.bind(address)
        made.listen(2048)  # now, or the port could still be taken from us
    except BaseException:
        made.close()
        raise
    return made


def _refused(listen: str, error: OSError) -> Refused:
    match error.errno:
        case errno.EADDRINUSE:
            key = "cli.listen-in-use"
        case errno.EACCES:
            key = "cli.listen-forbidden"
        case errno.EADDRNOTAVAIL:
            key = "cli.listen-elsewhere"
        case _:
            key = "cli.listen-failed"
    return Refused("cannot-listen", key=key, listen=listen, error=error.strerror)


def _bind_unix(path: Path) -> socket.socket:
    """A socket file, in place of one that nobody listens on any more."""
    _remove_stale(path)
    made = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    before = os.umask(_MODE_MASK)
    try:
        made.bind(str(path))
        made.listen(2048)
    except OSError as error:
        made.close()
        raise _refused(f"unix:{path}", error) from None
    finally:
        os.umask(before)
    return made


def _remove_stale(path: Path) -> None:
    with suppress(FileNotFoundError):
        if not stat.S_ISSOCK(path.stat().st_mode):
            raise Refused("cannot-listen", path=path)
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as probe:
            try:
                probe.connect(str(path))
            except ConnectionRefusedError:
                path.unlink()
                return
        raise _refused(f"unix:{path}", OSError(errno.EADDRINUSE, "in use"))
