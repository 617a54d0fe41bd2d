"""How much one activity may make us do: fetches that it may cause, keys looked for in vain, how busy the door is."""

from __future__ import annotations

import asyncio
from typing import Self

from fediblog.domain.accounts import Account
from fediblog.errors import Refused
from fediblog.federation.site import Site
from fediblog.memory import Memory
from fediblog.protocol.keys import PublicKey
from fediblog.store.people.accounts import host_of

FETCHES = 20  # for one activity
FOREIGN = 20  # of one cause to one host that is not its own
BARRED = 300_000  # ms in which a key that could not be used is not looked for again
_BARRED_KEYS = 4096
THREAD = 900_000  # ms in which all rounds for one thread count as one cause
_THREADS = 4096
AT_ONCE = 64  # activities that are dealt with before their answer; more are stored first


class Budget:
    """Fetches that are left to one cause: an activity, a thread, a person who pasted an address.

    Of these at most `FOREIGN` go to each host other than that of `document`, the address of the document that names
    them: so nobody can have us flood a third host.
    """

    def __init__(self, fetches: int = FETCHES, document: str = "", hosts: dict[str, int] | None = None) -> None:
        self.left = fetches
        self._document = document
        self._own = host_of(document) if document else None
        self._hosts: dict[str, int] = {} if hosts is None else hosts

    def part(self, fetches: int) -> Budget:
        """For one step of the same cause: its own number of fetches, and the same hosts."""
        return Budget(fetches, self._document, self._hosts)

    def spend(self, url: str) -> None:
        """Take one, to ask for this address; Refused when none is left."""
        if self.left <= 0:
            raise Refused("budget-spent")
        self.visit(url)
        self.left -= 1

    def visit(self, url: str) -> None:
        """The same for where a redirect leads, which is part of one fetch."""
        host = host_of(url)
        if host == self._own:
            return
        asked = self._hosts.get(host, 0)
        if asked >= FOREIGN:
            raise Refused("budget-spent", host, key="refusal.budget-of-host-spent")
        self._hosts[host] = asked + 1


class Door:
    """How many activities are being dealt with right now, at one site, and which keys were no good lately.

    A context for each of them.
    """

    def __init__(self, _site: Site) -> None:
        self.inside = 0
        self.asking: dict[str, asyncio.Task[tuple[PublicKey, Account]]] = {}  # keys that are being fetched
        self._barred: Memory[str, tuple[int, Refused]] = Memory(_BARRED_KEYS)

    def __enter__(self) -> Self:
        self.inside += 1
        return self

    def __exit__(self, *_error: object) -> None:
        self.inside -= 1

    def bar(self, key_id: str, refusal: Refused, now: int) -> None:
        """A key could not be used; `now` in ms."""
        # A fresh one: an error that was raised holds all that was at hand where that happened, such as the whole body.
        self._barred.put(key_id, (now + BARRED, refusal.again()))

    def check_key(self, key_id: str, now: int) -> None:
        """Refused at once, as it was a short while ago."""
        until, refusal = self._barred.get(key_id) or (0, None)
        if refusal is not None and now < until:
            raise refusal.again()

    @property
    def crowded(self) -> bool:
        """Whether what comes now has to wait its turn."""
        return self.inside > AT_ONCE


def through_door(site: Site) -> Door:
    """To be held while one activity is dealt with."""
    return site.keep(Door)


def _asked(_site: Site) -> Memory[int, tuple[int, dict[str, int]]]:
    return Memory(_THREADS)


def for_thread(site: Site, root: int, fetches: int, document: str) -> Budget:
    """For one round of making a thread whole; `root` is the number of the post that began it.

    Each answer that is found names others again, so what was asked of other hosts is counted for all of them together.
    """
    asked = site.keep(_asked)
    until, hosts = asked.get(root) or (0, {})
    if site.clock() >= until:
        until, hosts = site.clock() + THREAD, {}
        asked.put(root, (until, hosts))
    return Budget(fetches, document, hosts)
