"""Which requests may leave: limits, and the few names whose addresses may be private."""

from __future__ import annotations

from ipaddress import ip_address

from msgspec import Struct

from fediblog.errors import Misuse


class AccessPolicy(Struct, frozen=True, kw_only=True):
    """Limits of every exchange. Only names, never address ranges, can be exempt from the address guard."""

    user_agent: str = "fediblog"
    lab_hosts: tuple[str, ...] = ()  # patterns of names, such as *.fedi.test: any port, http, private addresses
    loopback_authorities: tuple[str, ...] = ()  # such as 127.0.0.1:8001: exactly these, by http
    ca_file: str | None = None  # PEM, trusted besides the system's; SSL_CERT_FILE is honoured too
    connect_timeout: float = 5.0  # seconds, name look-up excluded, TLS handshake included
    deadline: float = 10.0  # seconds for a whole exchange, where the caller names none
    per_host: int = 4  # concurrent exchanges with one host
    total: int = 800  # concurrent exchanges in all, most of which may hang
    fetches: int = 50  # of these, what strangers may cause
    idle_total: int = 128  # connections kept open for later
    idle_seconds: float = 60.0
    names_seconds: float = 60.0  # how long an answer of the name service is believed

    def __post_init__(self) -> None:
        for authority in self.loopback_authorities:
            host, _, port = authority.rpartition(":")
            if not port.isdecimal() or not (host == "localhost" or _is_loopback(host)):
                raise Misuse("misuse.loopback-authority", authority=repr(authority))


def _is_loopback(host: str) -> bool:
    try:
        return ip_address(host).is_loopback
    except ValueError:
        return False
