"""How much one account may write: far more than anybody does by hand, and less than harms those who listen."""

from __future__ import annotations

from fediblog.errors import TooOften
from fediblog.federation.site import Site
from fediblog.limits import Limit

LIMITS = {"post": (300, 36.0), "edit": (300, 36.0), "upload": (300, 12.0), "action": (1000, 5.0)}
"""For each kind: so many at once, then one more every so many seconds. 300 posts in three hours, for one."""


class Quotas:
    """What the accounts of one site have used."""

    def __init__(self, site: Site) -> None:
        self._limits = {
            kind: Limit(burst=burst, seconds=seconds, clock=site.clock) for kind, (burst, seconds) in LIMITS.items()
        }

    def use(self, account: int, kind: str) -> None:
        """Take one of that kind for an account. Raises TooOften with the time after which there is one."""
        if wait := self._limits[kind].take(str(account)):
            raise TooOften("error.too-much", wait)


def use(site: Site, account: int, kind: str) -> None:
    """One `post`, `edit`, `upload` or `action` (a press of a button) of an account. Raises TooOften."""
    site.keep(Quotas).use(account, kind)
