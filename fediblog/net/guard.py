"""The address guard: which URLs may be asked at all, and which network addresses may be connected to."""

from __future__ import annotations

import re
from fnmatch import fnmatchcase
from functools import lru_cache
from ipaddress import IPv4Address, IPv6Address, ip_address, ip_network
from typing import Literal
from urllib.parse import quote

import idna
from msgspec import Struct

from fediblog.errors import Refused
from fediblog.net.access_policy import AccessPolicy

MAX_URL = 2048  # characters, as asked
_MAX_PATH = 4096  # characters, percent-encoded
_DEFAULT_PORTS = {"https": 443, "http": 80}

_PARTS = re.compile(r"(https?)://([^/?#]*)([^#]*)", re.IGNORECASE)
_FORBIDDEN = re.compile(r"[\x00-\x20\x7f-\xa0\\\ud800-\udfff]")
_UNSAFE = re.compile(r"[^A-Za-z0-9_.~!$%&'()*+,/:;=?@\[\]-]")
_SAFE = "!$%&'()*+,/:;=?@[]~"
_PORT = re.compile(r"[0-9]{1,5}")
_LABEL = r"(?=_*[a-z0-9-])[a-z0-9_](?:[a-z0-9_-]{0,61}[a-z0-9_])?"  # not of underscores alone
_NAME = re.compile(rf"{_LABEL}(?:\.{_LABEL})*")
_NUMBER = re.compile(r"[0-9]+|0x[0-9a-f]*")  # a last label like this makes the host an IPv4 address (WHATWG URL)

# IANA special-purpose registries (RFC 6890) and what may lead to them by translation.
_DENIED_4 = tuple(
    (int(net.network_address), int(net.netmask))
    for net in map(
        ip_network,
        (
            "0.0.0.0/8",
            "10.0.0.0/8",
            "100.64.0.0/10",  # carrier-grade NAT
            "127.0.0.0/8",
            "169.254.0.0/16",  # link-local, cloud metadata
            "172.16.0.0/12",
            "192.0.0.0/24",
            "192.0.2.0/24",
            "192.31.196.0/24",  # AS112
            "192.52.193.0/24",  # AMT
            "192.88.99.0/24",  # 6to4 relays
            "192.168.0.0/16",
            "192.175.48.0/24",  # AS112
            "198.18.0.0/15",  # benchmarks
            "198.51.100.0/24",
            "203.0.113.0/24",
            "224.0.0.0/4",
            "240.0.0.0/4",
        ),
    )
)
# Global unicast is 2000::/3 alone: that leaves out ::, ::1, IPv4-compatible, NAT64, ULA, link-local and multicast.
_GLOBAL_6 = ip_network("2000::/3")
_DENIED_6 = tuple(
    map(
        ip_network,
        (
            "2001::/23",  # IETF protocol assignments: Teredo, benchmarks, ORCHID
            "2001:db8::/32",
            "2002::/16",  # 6to4
            "2620:4f:8000::/48",  # AS112
            "3ffe::/16",  # the former 6bone
            "3fff::/20",  # documentation (RFC 9637)
        ),
    )
)

Zone = Literal["public", "lab", "loopback"]


class Target(Struct, frozen=True):
    """A URL that passed the guard, in the parts that a request needs."""

    scheme: str
    host: str  # lower case, A-labels
    port: int
    path: str  # with its query, never empty, ASCII
    zone: Zone = "public"

    @property
    def authority(self) -> str:
        """As it stands in the Host header, and must be signed."""
        return self.host if self.port == _DEFAULT_PORTS[self.scheme] else f"{self.host}:{self.port}"

    @property
    def origin(self) -> tuple[str, str, int]:
        """What a connection may be shared for."""
        return (self.scheme, self.host, self.port)

    @property
    def url(self) -> str:
        """The URL in its normal form, without a fragment: the one to sign."""
        return f"{self.scheme}://{self.authority}{self.path}"

    def admits(self, address: str) -> bool:
        """Whether this target may be reached at `address`."""
        if self.zone == "loopback":
            return _parsed_is_loopback(address)
        return self.zone == "lab" or is_public(address)


@lru_cache(maxsize=4096)  # many hosts share an address, and one is checked for each connection
def is_public(address: str) -> bool:
    """Whether `address` is globally routable unicast, and does not stand for another address by translation."""
    try:
        ip = ip_address(address)
    except ValueError:
        return False
    if isinstance(ip, IPv6Address):
        # Python before 3.13 does not look through IPv4-mapped addresses by itself.
        if ip.ipv4_mapped is None:
            return not ip.scope_id and ip in _GLOBAL_6 and ip.is_global and not any(ip in net for net in _DENIED_6)
        ip = ip.ipv4_mapped
    return _is_public_4(ip)


def _is_public_4(ip: IPv4Address) -> bool:
    number = int(ip)
    return ip.is_global and not any(number & mask == first for first, mask in _DENIED_4)


def _parsed_is_loopback(address: str) -> bool:
    try:
        return ip_address(address).is_loopback
    except ValueError:
        return False


def check_url(url: str, policy: AccessPolicy) -> Target:
    """The parts of `url`, if it may be asked at all. Raises Refused with a reason that begins with `address-`."""
    if len(url) > MAX_URL:
        raise Refused("address-long", key="refusal.address-longer", n=MAX_URL)
    return _target(url, policy.lab_hosts, policy.loopback_authorities)


@lru_cache(maxsize=512)  # an address is checked by whoever signs for it, and again before it is asked
def _target(url: str, lab_hosts: tuple[str, ...], loopback_authorities: tuple[str, ...]) -> Target:
    bare = url.partition("#")[0]
    parts = _PARTS.fullmatch(bare)
    if parts is None or _FORBIDDEN.search(bare):
        raise Refused("address-malformed", detail=url[:200])
    scheme, authority, path = parts[1].lower(), parts[2].lower(), _request_target(parts[3])
    if scheme == "http" and authority in loopback_authorities:
        host, _, digits = authority.rpartition(":")
        return Target(scheme, host, int(digits), path, "loopback")
    host, port = _split(authority, _DEFAULT_PORTS[scheme])
    host = _check_host(host)
    if any(fnmatchcase(host, pattern) for pattern in lab_hosts):
        return Target(scheme, host, port, path, "lab")
    if "." not in host:
        raise Refused("address-name", detail=host, key="refusal.address-name-private")
    if scheme != "https":
        raise Refused("address-scheme", detail=url[:200])
    if port != _DEFAULT_PORTS["https"]:
        raise Refused("address-port", detail=authority)
    return Target(scheme, host, port, path)


def _request_target(path: str) -> str:
    """Path and query as they are sent: an IRI becomes a URI (RFC 3987 section 3.1), all else stays as it is."""
    if _UNSAFE.search(path):
        path = quote(path, safe=_SAFE)
        if len(path) > _MAX_PATH:
            raise Refused("address-long")
    return path if path.startswith("/") else f"/{path}"


def _split(authority: str, default_port: int) -> tuple[str, int]:
    if "@" in authority:
        raise Refused("address-userinfo")
    if "[" in authority or authority.count(":") > 1:
        raise Refused("address-literal", detail=authority)
    host, colon, digits = authority.partition(":")
    if not colon:
        return host, default_port
    if not _PORT.fullmatch(digits) or not 0 < int(digits) < 65536:
        raise Refused("address-port", detail=authority, key="refusal.address-port-malformed")
    return host, int(digits)


def _check_host(host: str) -> str:
    """`host` in lower case and A-labels, if it is a name and in no notation an IP address."""
    name = host if host.isascii() else _a_labels(host)
    if len(name) > 253 or not _NAME.fullmatch(name):
        raise Refused("address-name", detail=host[:260])
    if _NUMBER.fullmatch(name.rpartition(".")[2]):
        raise Refused("address-literal", detail=host)
    return name


def _a_labels(host: str) -> str:
    try:
        if len(host) > 253:
            raise Refused("address-name", key="refusal.address-name-long")
        return idna.encode(host, uts46=True).decode("ascii").lower()
    except UnicodeError as error:  # IDNAError is one
        raise Refused("address-name", detail=str(error)) from None
