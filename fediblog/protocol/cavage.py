"""HTTP signatures as most of the fediverse still makes them: draft-cavage-http-signatures-12."""

from __future__ import annotations

import base64
import calendar
import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from urllib.parse import urlsplit

from fediblog.protocol.digest import digest
from fediblog.protocol.keys import PrivateKey
from fediblog.protocol.structured import Headers, combined, read_base64

MAX_LENGTH = 8192  # characters of a Signature header
BODILESS = ("GET", "HEAD")

_PARAMETER = re.compile(r'[ \t]*([A-Za-z]{1,32})[ \t]*=[ \t]*(?:"((?:[^"\\]|\\.)*)"|([^\s,"]+))[ \t]*(?:,|\Z)')
_SECONDS = re.compile(r"([0-9]{1,12})(?:\.[0-9]{1,9})?", re.ASCII)  # the draft lets `expires` have a fraction
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_DATE = re.compile(
    rf"(?:{'|'.join(_DAYS)}), ([0-9]{{1,2}}) ({'|'.join(_MONTHS)}) ([0-9]{{4}})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC)",
    re.ASCII,
)


@dataclass(frozen=True, slots=True)
class Signature:
    """A `Signature` header, taken apart."""

    key_id: str
    signature: bytes
    algorithm: str | None  # as sent, in lower case
    headers: tuple[str, ...]  # what is signed, in lower case, in its order
    created: int | None  # seconds
    expires: int | None  # seconds


def read(value: str) -> Signature | None:
    """The parts of a `Signature` header, or None if it is not exactly what the draft describes."""
    given = parameters(value)
    signature = read_base64(given.get("signature", ""))
    created, expires = _seconds(given.get("created")), _seconds(given.get("expires"))
    if not signature or not given.get("keyid") or created == -1 or expires == -1:
        return None
    algorithm = given["algorithm"].lower() if "algorithm" in given else None
    # Draft-12 §2.1.6; before it the default was `date`, which is what a named algorithm tells of.
    default = "(created)" if algorithm in (None, "hs2019") else "date"
    headers = tuple(given.get("headers", default).lower().split())
    if not headers or len(set(headers)) < len(headers):
        return None
    if algorithm not in (None, "hs2019") and {"(created)", "(expires)"} & set(headers):
        return None  # Draft-12 §2.3: an error with the old algorithm names
    return Signature(given["keyid"], signature, algorithm, headers, created, expires)


def base(
    names: Sequence[str],
    method: str,
    target: str,
    headers: Headers,
    created: int | None = None,
    expires: int | None = None,
) -> bytes | None:
    """The text that is signed (draft-12 §2.3), or None if a part of it is missing."""
    special = {"(request-target)": f"{method.lower()} {target}", "(created)": created, "(expires)": expires}
    lines = []
    for name in names:
        value = special[name] if name in special else combined(headers, name)
        if value is None:
            return None
        lines.append(f"{name}: {value}")
    return encoded(lines)


def sign(
    method: str,
    url: str,
    headers: Mapping[str, str],
    body: bytes,
    key_id: str,
    key: PrivateKey,
    now: int,
    also: Sequence[str] = (),
    query: bool = True,
) -> dict[str, str]:
    """The headers to add to a request so that it is signed; `now` is in seconds.

    Of the `headers` that it will have anyway, the content type and those named in `also` are signed. `query=False`
    leaves the query string out of what is signed, for servers that check it so.
    """
    authority, target = split(url)
    added = {"Host": authority, "Date": write_date(now)}
    names = ["(request-target)", "host", "date"]
    if body or method.upper() not in BODILESS:
        added["Digest"] = digest(body)
        names += ["digest", "content-type"]
    given = {name.lower(): value for name, value in (*headers.items(), *added.items())}
    names = [name for name in names if name in given or name.startswith("(")]
    names += [name.lower() for name in also if name.lower() not in names]
    text = base(names, method, target if query else target.partition("?")[0], list(given.items()))
    if text is None or '"' in key_id:
        raise ValueError("a header to be signed is missing, or something is not plain text")
    algorithm = "rsa-sha256" if key.kind == "rsa" else "hs2019"
    signature = base64.b64encode(key.sign(text)).decode()
    added["Signature"] = f'keyId="{key_id}",algorithm="{algorithm}",headers="{" ".join(names)}",signature="{signature}"'
    return added


def split(url: str) -> tuple[str, str]:
    """What an http(s) URL makes of the Host header and of the request's target."""
    parts = urlsplit(url)
    host = parts.netloc.rpartition("@")[2].lower()
    usual = {"http": ":80", "https": ":443"}.get(parts.scheme, "")
    target = parts.path or "/"
    return host.removesuffix(usual), f"{target}?{parts.query}" if parts.query else target


def encoded(lines: Sequence[str]) -> bytes | None:
    """Lines as the bytes they were on the wire. None if a value would make a line of its own, or was never a byte."""
    text = "\n".join(lines)
    if text.count("\n") != len(lines) - 1 or "\r" in text:
        return None
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None


def write_date(seconds: int) -> str:
    """An HTTP date (RFC 9110 §5.6.7). `strftime` would speak the operator's language."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{_DAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month - 1]} {at.year:04} {at:%H:%M:%S} GMT"


def read_date(text: str) -> int | None:
    """The seconds of an HTTP date, or None. A wrong name of the day is nobody's business."""
    found = _DATE.fullmatch(text.strip(" \t"))
    if not found:
        return None
    day, month, year, hour, minute, second = found.groups()
    try:
        at = datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        return None
    return calendar.timegm(at.utctimetuple())


def parameters(value: str) -> dict[str, str]:
    """Each parameter under its name in lower case; nothing at all if one comes twice or something else stands there."""
    given: dict[str, str] = {}
    at = 0
    while at < len(value) <= MAX_LENGTH:
        found = _PARAMETER.match(value, at)
        if not found or found[1].lower() in given:
            return {}
        quoted = found[2]
        given[found[1].lower()] = found[3] if quoted is None else re.sub(r"\\(.)", r"\1", quoted)
        at = found.end()
    return given


def _seconds(text: str | None) -> int | None:
    """A time in seconds, None if there is none, -1 if it cannot be read."""
    if text is None:
        return None
    found = _SECONDS.fullmatch(text)
    return int(found[1]) if found else -1
