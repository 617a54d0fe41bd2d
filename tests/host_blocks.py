"""A server that is blocked, as those who look after this one would do it."""

from __future__ import annotations

from fediblog.store.people import host_rules
from fediblog.store.people.host_rules import HostRule
from fediblog.store.tx import Tx


def block(tx: Tx, host: str, reason: str = "") -> None:
    """Take nothing more from a host and the names below it."""
    host_rules.put(tx, [HostRule(host=host, reason=reason)])
