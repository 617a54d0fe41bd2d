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
        """A budget for one step of this cause: so many fetches of its own, of hosts counted together with the whole."""
        return Budget(fetches, self._document, self._hosts)

    def spend(self, url: str) -> None:
        """Take one fetch, of this address; Refused when none is left, or its host has had its share."""
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
    """The budget of one round of completing a thread; `root` is the number of the post that began it.

    All rounds within `THREAD` count together what they ask of a host, since each answer that is found names others.
    """
    asked = site.keep(_asked)
    until, hosts = asked.get(root) or (0, {})
    if site.clock() >= until:
        until, hosts = site.clock() + THREAD, {}
        asked.put(root, (until, hosts))
    return Budget(fetches, document, hosts)
