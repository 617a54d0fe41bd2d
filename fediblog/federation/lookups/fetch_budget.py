"""How many fetches one activity may cause, and how many of them of one host."""

from __future__ import annotations

from fediblog.errors import Refused
from fediblog.federation.site import Site
from fediblog.memory import Memory
from fediblog.store.people.accounts import host_of

FETCHES = 20  # for one activity
FOREIGN = 20  # of one cause to one host that is not its own
THREAD = 900_000  # ms in which all rounds for one thread count as one cause
_THREADS = 4096


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
        """Count what is asked of the host of this address, as for where a redirect leads; Refused beyond its share."""
        host = host_of(url)
        if host == self._own:
            return
        asked = self._hosts.get(host, 0)
        if asked >= FOREIGN:
            raise Refused("budget-spent", host, key="refusal.budget-of-host-spent")
        self._hosts[host] = asked + 1


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
