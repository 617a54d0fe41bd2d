"""Names to addresses, asked in threads of their own and remembered for a minute."""

from __future__ import annotations

import asyncio
import socket
import time
from collections.abc import Awaitable, Callable, Iterable
from concurrent.futures import ThreadPoolExecutor

from fediblog.memory import Memory

Resolver = Callable[[str, int], Awaitable[list[str]]]

_THREADS = 8  # a name server that hangs must not hold up the threads that the rest of the program uses
_MAX_NAMES = 4096
_MAX_TRIED = 4  # addresses of one host


class SystemResolver:
    """The operating system's resolver."""

    def __init__(self) -> None:
        self._threads = ThreadPoolExecutor(_THREADS, thread_name_prefix="fediblog-names")

    async def __call__(self, host: str, port: int) -> list[str]:
        loop = asyncio.get_running_loop()
        found = await loop.run_in_executor(self._threads, _ask_system, host, port)
        return list(dict.fromkeys(str(entry[4][0]) for entry in found))

    def close(self) -> None:
        """Let the threads end; a look-up under way is not waited for."""
        self._threads.shutdown(wait=False, cancel_futures=True)


def _ask_system(host: str, port: int) -> list[tuple[object, object, object, str, tuple[object, ...]]]:
    # Bytes, because the name is in A-labels already and must not go through Python's older IDNA.
    return list(socket.getaddrinfo(host.encode("ascii"), port, type=socket.SOCK_STREAM))


class Names:
    """A cache before a resolver: callers that ask for the same name at the same time share one look-up."""

    def __init__(
        self, resolver: Resolver | None = None, seconds: float = 60.0, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._system = SystemResolver() if resolver is None else None
        self._resolver: Resolver = resolver or self._system  # type: ignore[assignment]
        self._seconds = seconds
        self._clock = clock
        self._known: Memory[str, tuple[float, tuple[str, ...]]] = Memory(_MAX_NAMES)
        self._asking: dict[str, asyncio.Task[tuple[str, ...]]] = {}

    async def addresses(self, host: str, port: int) -> tuple[str, ...]:
        """All addresses of `host`; none if it has none, or nobody can tell now."""
        known = self._known.get(host)
        if known is not None and known[0] > self._clock():
            return known[1]
        task = self._asking.get(host)
        if task is None:
            task = asyncio.create_task(self._ask(host, port))
            self._asking[host] = task
        try:
            return await asyncio.shield(task)  # one caller's deadline does not end the look-up for the others
        except asyncio.CancelledError:
            if task.cancelled():  # by close()
                return ()
            raise

    async def _ask(self, host: str, port: int) -> tuple[str, ...]:
        try:
            found = tuple(await self._resolver(host, port))
        except (OSError, UnicodeError):
            found = ()
        finally:
            self._asking.pop(host, None)
        # What could not be found may be a fault of the moment: believed for half the time.
        seconds = self._seconds if found else self._seconds / 2
        self._known.put(host, (self._clock() + seconds, found))
        return found

    def close(self) -> None:
        """End all look-ups."""
        for task in self._asking.values():
            task.cancel()
        if self._system is not None:
            self._system.close()


def tried(addresses: Iterable[str]) -> tuple[str, ...]:
    """The few addresses that are worth a try, both families in turn, the resolver's order kept within each."""
    addresses = tuple(addresses)
    if len(addresses) == 1:
        return addresses
    queues: dict[bool, list[str]] = {}
    for address in addresses:
        queues.setdefault(":" in address, []).append(address)
    first, second = [*queues.values(), [], []][:2]
    mixed = [address for pair in zip(first, second, strict=False) for address in pair]
    rest = first[len(second) :] + second[len(first) :]
    return tuple((mixed + rest)[:_MAX_TRIED])
