"""HTTP signatures as most of the fediverse still makes them: draft-cavage-http-signatures-12."""

from __future__ import annotations

import base64
import re
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta
from functools import lru_cache

from msgspec import Struct

from fediblog.protocol.digest import digest
from fediblog.protocol.keys import PrivateKey
from fediblog.protocol.structured import Headers, joined, read_base64

MAX_LENGTH = 8192  # characters of a Signature header
BODILESS = ("GET", "HEAD")

# Possessive, so that the long signature is read at once and not character by character.
_PARAMETER = re.compile(r'[ \t]*([A-Za-z]{1,32})[ \t]*=[ \t]*(?:"((?:[^"\\]++|\\.)*+)"|([^\s,"]+))[ \t]*(?:,|\Z)')
_NAME = re.compile(r",([A-Za-z]{1,32})=")
_URL = re.compile(r"(https?)://(?:[^/?#]*@)?([^/?#@]*)([^?#]*)\??([^#]*)", re.IGNORECASE)
_ESCAPED = re.compile(r"\\(.)")
_SECONDS = re.compile(r"([0-9]{1,12})(?:\.[0-9]{1,9})?", re.ASCII)  # the draft lets `expires` have a fraction
_DAYS = ("Mon", "Tue", "Wed", "Thu", "Fri", "Sat", "Sun")
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
_EPOCH, _SECOND = datetime(1970, 1, 1, tzinfo=UTC), timedelta(seconds=1)
_DATE = re.compile(
    rf"(?:{'|'.join(_DAYS)}), ([0-9]{{1,2}}) ({'|'.join(_MONTHS)}) ([0-9]{{4}})"
    r" ([0-9]{2}):([0-9]{2}):([0-9]{2}) (?:GMT|UTC)",
    re.ASCII,
)


class CavageSignature(Struct, frozen=True):
    """A `Signature` header, taken apart."""

    key_id: str
    signature: bytes
    algorithm: str | None  # as sent, in lower case
    headers: tuple[str, ...]  # what is signed, in lower case, in its order
    created: int | None  # seconds
    expires: int | None  # seconds


def read(value: str) -> CavageSignature | None:
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
    if algorithm not in (None, "hs2019") and ("(created)" in headers or "(expires)" in headers):
        return None  # Draft-12 §2.3: an error with the old algorithm names
    return CavageSignature(given["keyid"], signature, algorithm, headers, created, expires)


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
    fields, lines = joined(headers), []
    for name in names:
        value = special[name] if name in special else fields.get(name)
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
    given = {name.lower(): value.strip(" \t") for name, value in headers.items()}
    signed: dict[str, str | None] = {
        "(request-target)": f"{method.lower()} {target if query else target.partition('?')[0]}",
        "host": authority,
        "date": added["Date"],
    }
    if body or method.upper() not in BODILESS:
        signed["digest"] = added["Digest"] = digest(body)
        also = ("content-type", *also) if "content-type" in given else also
    for name in map(str.lower, also):
        signed.setdefault(name, given.get(name))
    lines = [f"{name}: {value}" for name, value in signed.items() if value is not None]
    text = encoded(lines) if len(lines) == len(signed) else None
    if text is None or '"' in key_id:
        raise ValueError("a header to be signed is missing, or something is not plain text")
    algorithm = "rsa-sha256" if key.kind == "rsa" else "hs2019"
    signature = base64.b64encode(key.sign(text)).decode()
    added["Signature"] = (
        f'keyId="{key_id}",algorithm="{algorithm}",headers="{" ".join(signed)}",signature="{signature}"'
    )
    return added


def split(url: str) -> tuple[str, str]:
    """What an http(s) URL makes of the Host header and of the request's target."""
    found = _URL.match(url)
    if not found:
        raise ValueError("not a web address")
    scheme, host, path, query = found.groups()
    usual = ":80" if scheme.lower() == "http" else ":443"
    return host.lower().removesuffix(usual), f"{path or '/'}?{query}" if query else path or "/"


def encoded(lines: Sequence[str]) -> bytes | None:
    """Lines as the bytes they were on the wire. None if a value would make a line of its own, or was never a byte."""
    text = "\n".join(lines)
    if text.count("\n") != len(lines) - 1 or "\r" in text:
        return None
    try:
        return text.encode("latin-1")
    except UnicodeEncodeError:
        return None


@lru_cache(maxsize=4)  # all that is signed within a second has the same
def write_date(seconds: int) -> str:
    """An HTTP date (RFC 9110 §5.6.7). `strftime` would speak the operator's language."""
    at = datetime.fromtimestamp(seconds, UTC)
    return f"{_DAYS[at.weekday()]}, {at.day:02} {_MONTHS[at.month - 1]} {at.year:04} {at:%H:%M:%S} GMT"


def read_date(text: str) -> int | None:
    """The seconds of an HTTP date, or None. A wrong name of the day is nobody's business."""
    return _seconds_of(text) if len(text) <= 64 else None


@lru_cache(maxsize=64)  # and what comes within a second names the same
def _seconds_of(text: str) -> int | None:
    found = _DATE.fullmatch(text.strip(" \t"))
    if not found:
        return None
    day, month, year, hour, minute, second = found.groups()
    try:
        at = datetime(int(year), _MONTHS.index(month) + 1, int(day), int(hour), int(minute), int(second), tzinfo=UTC)
    except ValueError:
        return None
    return (at - _EPOCH) // _SECOND


def parameters(value: str) -> dict[str, str]:
    """Each parameter under its name in lower case; nothing at all if one comes twice or something else stands there."""
    given = _all_quoted(value)
    if given:
        return given
    at = 0
    while at < len(value) <= MAX_LENGTH:
        found = _PARAMETER.match(value, at)
        if not found:
            return {}
        name, quoted, bare = found[1].lower(), found[2], found[3]
        if name in given:
            return {}
        given[name] = bare or (_ESCAPED.sub(r"\1", quoted) if "\\" in quoted else quoted)
        at = found.end()
    return given


def _all_quoted(value: str) -> dict[str, str]:
    """The parameters as nearly all write them: in quotes, nothing escaped, no blanks between; else nothing."""
    if len(value) > MAX_LENGTH or "\\" in value:
        return {}
    pieces = value.split('"')
    return dict(zip(_names_in(tuple(pieces[::2])), pieces[1::2], strict=False))


@lru_cache(maxsize=64)  # each kind of server always writes the same
def _names_in(between: tuple[str, ...]) -> tuple[str, ...]:
    """The names, in lower case, in what stands between quoted values; none if something else stands there."""
    found = [_NAME.fullmatch(piece) for piece in (f",{between[0]}", *between[1:-1])]
    names = tuple(match[1].lower() for match in found if match)
    return names if between[-1] == "" and len(set(names)) == len(found) else ()


def _seconds(text: str | None) -> int | None:
    """A time in seconds, None if there is none, -1 if it cannot be read."""
    if text is None:
        return None
    found = _SECONDS.fullmatch(text)
    return int(found[1]) if found else -1
