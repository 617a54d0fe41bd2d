"""Total readers for untrusted JSON: any value in, a clean value or a plain default out, never an exception."""

from __future__ import annotations

import math
import re
from collections.abc import Container, Iterable
from datetime import UTC, datetime, timedelta
from functools import lru_cache
from urllib.parse import urlsplit

from fediblog.domain.documents import PUBLIC, Json

NAME_LIMIT = 500
KIND_LIMIT = 120
URL_LIMIT = 2048
REFS_LIMIT = 256
BIGGEST = 2**53  # what every JSON implementation and both databases can hold exactly
MOST = 2**31 - 1
_PUBLIC_SPELLINGS = frozenset({PUBLIC, "as:Public", "Public", "http://www.w3.org/ns/activitystreams#Public"})
_NAMESPACES = ("as:", "https://www.w3.org/ns/activitystreams#", "http://www.w3.org/ns/activitystreams#")

# C0 and C1 controls but tab and newline, lone surrogates, and the 66 non-characters of Unicode.
_JUNK = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\ud800-\udfff\ufdd0-\ufdef"
    + "".join(chr(plane << 16 | low) for plane in range(17) for low in (0xFFFE, 0xFFFF))
    + "]"
)
_BIDI = re.compile("[\u202a-\u202e\u2066-\u2069]")
_ZERO_WIDTH = "\u200b\u200c\u200d\u2060\ufeff"
_BLANKS = re.compile(r"\s+")
_NOT_IN_URL = re.compile('[\\s<>"\\\\\x00-\x20\x7f-\x9f\ud800-\udfff]')
# As nearly all are: ASCII, a host's name, perhaps a port, then a path. What this matches needs no other look.
USUAL_URL = re.compile(
    r"(https?)://([A-Za-z0-9_-][A-Za-z0-9_.-]*)(?::([0-9]{1,4}|[1-5][0-9]{4}))?(?:[/?#][!#-;=?-\[\]-~]*)?\Z"
)
_HOST = re.compile(r"(?:[\w-][\w.-]*|[0-9A-Fa-f:.]+)\Z")
_LANGUAGE = re.compile(  # RFC 5646 §2.1: language, script, region, variants, extensions
    r"[A-Za-z]{2,8}(?:-[A-Za-z]{3}){0,3}(?:-[A-Za-z]{4})?(?:-(?:[A-Za-z]{2}|[0-9]{3}))?"
    r"(?:-(?:[A-Za-z0-9]{5,8}|[0-9][A-Za-z0-9]{3})){0,4}(?:-[A-Za-z0-9](?:-[A-Za-z0-9]{2,8}){1,4}){0,2}\Z"
)
_MEDIA_TYPE = re.compile(r"[a-z0-9!#$&^_.+-]{1,60}/[a-z0-9!#$&^_.+-]{1,60}\Z")
_ISO_8601 = re.compile(
    r"([0-9]{4})-([0-9]{2})-([0-9]{2})"
    r"(?:[Tt ]([0-9]{2}):([0-9]{2})(?::([0-9]{2})(?:[.,]([0-9]{1,12}))?)?)?"
    r" ?(?:([+-])([0-9]{2}):?([0-9]{2})?)?[Zz]?\Z"  # '+00:00Z' does occur
)
_HTTP_DATE = re.compile(
    r"(?:[A-Za-z]{3,9}, ?)?([0-9]{1,2})[ -]([A-Za-z]{3})[ -]([0-9]{4}) ([0-9]{2}):([0-9]{2}):([0-9]{2})"
    r" (?:GMT|UTC|Z|([+-])([0-9]{2})([0-9]{2}))\Z"
)
_MONTHS = {"janfebmaraprmayjunjulaugsepoctnovdec"[at * 3 : at * 3 + 3]: at + 1 for at in range(12)}
_DURATION = re.compile(
    r"P(?:([0-9]{1,6})D)?(?:T(?:([0-9]{1,6})H)?(?:([0-9]{1,6})M)?(?:([0-9]{1,9}(?:\.[0-9]{1,9})?)S)?)?\Z"
)
_EPOCH = datetime(1970, 1, 1, tzinfo=UTC)
_MILLISECOND = timedelta(milliseconds=1)


def text(value: Json, limit: int) -> str:
    """A string without characters that have no business in text, cut to `limit`; '' for anything else."""
    if value is None or not isinstance(value, str):
        return ""
    cut = value[: limit * 2]
    # Nothing printable is junk, and to see that takes a thirtieth of the time.
    return (cut if cut.isprintable() else _JUNK.sub("", cut))[:limit]


def name(value: Json, limit: int = NAME_LIMIT) -> str:
    """One line of plain text, without the characters that turn its direction around."""
    line = text(value, limit)
    if not line.isprintable():  # else the only blank is a space, and no character turns anything around
        line = _BIDI.sub("", line)
    elif "  " not in line:
        return line.strip()
    return _BLANKS.sub(" ", line).strip()


def without_blank(value: str) -> str:
    """'' where there is nothing to see: some servers send U+200B for an empty content warning."""
    return "" if not value.strip().strip(_ZERO_WIDTH).strip() else value


def url(value: Json) -> str:
    """An http(s) address exactly as sent (nothing is normalised: ids are compared byte for byte), or ''."""
    return value if isinstance(value, str) and len(value) <= URL_LIMIT and _is_url(value) else ""


@lru_cache(maxsize=4096)  # a document names the same few addresses again and again
def _is_url(value: str) -> bool:
    if USUAL_URL.match(value):
        return True
    if _NOT_IN_URL.search(value):
        return False
    try:
        parts = urlsplit(value)
        host, _ = parts.hostname, parts.port  # .port raises on nonsense
    except ValueError:
        return False
    return parts.scheme in ("http", "https") and "@" not in parts.netloc and bool(host and _HOST.match(host))


def ref(value: Json) -> str:
    """The id inside: a string, {'id': …}, {'href': …}, or the first usable one of a list; else ''."""
    if value is None:
        return ""
    if isinstance(value, str):
        return url(value)
    if isinstance(value, list):
        return next(filter(None, map(ref, value)), "")
    if isinstance(value, dict):
        return url(value.get("id")) or url(value.get("href"))
    return ""


def refs(value: Json, limit: int = REFS_LIMIT) -> tuple[str, ...]:
    """All ids inside, each once, in order."""
    return _once(map(ref, listed(value)), limit)


def addresses(*values: Json, limit: int = REFS_LIMIT) -> tuple[str, ...]:
    """The ids in `to`, `cc` and the like; the public collection in its one true spelling."""
    found: dict[str, None] = {}
    for value in values:
        for entry in listed(value):
            if len(found) >= limit:
                return tuple(found)
            if isinstance(entry, str):  # as nearly all are
                address = PUBLIC if entry in _PUBLIC_SPELLINGS else url(entry)
            else:
                address = PUBLIC if is_public(entry) else ref(entry)
            if address:
                found[address] = None
    return tuple(found)


def is_public(value: Json) -> bool:
    """Whether this means everybody (ActivityPub §5.6 allows three spellings, and the scheme varies)."""
    if isinstance(value, dict):
        value = value.get("id")
    return isinstance(value, str) and value in _PUBLIC_SPELLINGS


def listed(value: Json) -> list[Json]:
    """JSON-LD's list that may be written without the brackets when it has one entry."""
    if value is None:
        return []
    return value if isinstance(value, list) else [value]


def fields(value: Json) -> dict[str, Json]:
    """An object, or an empty one."""
    return value if isinstance(value, dict) else {}


def kinds(value: Json) -> tuple[str, ...]:
    """The types of an object (given the object or its `type`), without the namespace."""
    if isinstance(value, dict):
        value = value.get("type")
    if isinstance(value, str):
        return _kind(value[: 2 * KIND_LIMIT])
    return _once(map(_bare, listed(value)), 16)


def kind_of(value: Json, known: Container[str]) -> str:
    """The first type that is known, or ''."""
    for kind in kinds(value):
        if kind in known:
            return kind
    return ""


def web_link(value: Json) -> str:
    """The page for people among a string, a Link, or a list of them: text/html first, then one without a type."""
    if value is None or isinstance(value, str):
        return url(value)
    links = [(url(link.get("href") or link.get("url")), media_type_of(link)) for link in links_in(value)]
    usable = [(address, kind) for address, kind in links if address]
    for wanted in ("text/html", ""):
        for address, kind in usable:
            if kind == wanted:
                return address
    return usable[0][0] if usable else ""


def links_in(value: Json, limit: int = 64) -> list[dict[str, Json]]:
    """Links, where a bare string stands for {'href': …}."""
    return [
        entry if isinstance(entry, dict) else {"href": entry}
        for entry in listed(value)[:limit]
        if isinstance(entry, dict | str)
    ]


def media_type(value: Json) -> str:
    """type/subtype in lower case, without parameters; '' if it is not one."""
    if not isinstance(value, str):
        return ""
    bare = value[:200].split(";")[0].strip().lower()
    return bare if _MEDIA_TYPE.match(bare) else ""


def media_type_of(value: dict[str, Json]) -> str:
    """The media type that an object claims; old PeerTube spells it mimeType."""
    return media_type(value.get("mediaType")) or media_type(value.get("mimeType"))


def number(value: Json) -> int | None:
    """A whole number: as such, as a float without a fraction, or as digits in a string."""
    if isinstance(value, bool):
        return None
    if isinstance(value, str) and len(value) <= 20 and value.isascii() and value.removeprefix("-").isdigit():
        value = int(value)
    if isinstance(value, float) and math.isfinite(value) and value.is_integer():
        value = int(value)
    return max(-BIGGEST, min(BIGGEST, value)) if isinstance(value, int) else None


def count(value: Json) -> int | None:
    """A whole number that is not negative."""
    found = number(value)
    return found if found is not None and found >= 0 else None


def total(value: Json) -> int | None:
    """How many there are of something; more than 32 bits hold is somebody's joke, and not every app can read it."""
    found = count(value)
    return found if found is None else min(found, MOST)


def real(value: Json) -> float | None:
    """A finite number."""
    if isinstance(value, bool) or not isinstance(value, int | float):
        return None
    if isinstance(value, float) and not math.isfinite(value):
        return None
    return float(max(-BIGGEST, min(BIGGEST, value)))


def flag(value: Json) -> bool:
    """True only if it says so (one server sends the word)."""
    return value is True or (isinstance(value, str) and value[:5].lower() == "true")


def language(value: Json) -> str:
    """A well-formed language tag; '' for anything else and for 'und'."""
    if not isinstance(value, str) or len(value) > 40 or not _LANGUAGE.match(value):
        return ""
    return "" if value.lower() == "und" else value


def language_map(value: Json, limit: int) -> dict[str, str]:
    """Texts by language, of `contentMap` and its like; entries under a malformed tag are dropped."""
    pairs = list(fields(value).items())[:50]
    return {tag: text(entry, limit) for tag, entry in pairs if isinstance(entry, str) and _is_tag(tag)}


def moment(value: Json) -> int | None:
    """UTC milliseconds of a date as servers write it: ISO 8601 in every shape seen (no offset: UTC), or RFC 1123."""
    if value is None:
        return None
    if isinstance(value, list):
        value = value[0] if value else None
    if not isinstance(value, str) or len(value) > 64:
        return None
    stripped = value.strip()
    return _iso_8601(stripped) if stripped[:1].isdigit() and stripped[4:5] == "-" else http_date(stripped)


def http_date(value: str) -> int | None:
    """UTC milliseconds of a date as HTTP headers carry it."""
    found = _HTTP_DATE.match(value) if len(value) <= 64 else None
    if not found:
        return None
    day, month, year, hour, minute, second, sign, ahead, minutes = found.groups()
    when = (int(year), _MONTHS.get(month.lower(), 0), int(day), int(hour), int(minute), int(second))
    return _instant(when, 0, sign, ahead, minutes)


def stamp(at: int) -> str:
    """A date as we write it: UTC with a Z, milliseconds only where there are some."""
    when = _EPOCH + at * _MILLISECOND
    return when.strftime(f"{when.year:04}-%m-%dT%H:%M:%S") + (f".{at % 1000:03}Z" if at % 1000 else "Z")


def duration(value: Json) -> float | None:
    """Seconds of an ISO 8601 duration (PT1M30S), or of a plain number."""
    if value is None:
        return None
    if isinstance(value, str):
        found = _DURATION.match(value) if len(value) <= 64 else None
        if not found or value in ("P", "PT"):
            return None
        days, hours, minutes, seconds = found.groups()
        total = int(days or 0) * 86400 + int(hours or 0) * 3600 + int(minutes or 0) * 60 + float(seconds or 0)
        return round(total, 3)
    seconds_given = real(value)
    return round(seconds_given, 3) if seconds_given is not None and seconds_given >= 0 else None


def duration_text(seconds: float) -> str:
    """Seconds as an ISO 8601 duration."""
    return f"PT{f'{seconds:.3f}'.rstrip('0').rstrip('.')}S"


@lru_cache(maxsize=1024)  # an activity and what is in it were published at one time
def _iso_8601(value: str) -> int | None:
    found = _ISO_8601.match(value)
    if not found:
        return None
    year, month, day, hour, minute, second, fraction, sign, ahead, minutes = found.groups()
    when = (int(year), int(month), int(day), int(hour or 0), int(minute or 0), min(int(second or 0), 59))
    return _instant(when, int((fraction or "0")[:3].ljust(3, "0")), sign, ahead, minutes)


def _instant(
    when: tuple[int, int, int, int, int, int], millis: int, sign: str | None, hours: str | None, minutes: str | None
) -> int | None:
    year, month, day, hour, minute, second = when
    try:
        local = datetime(year, month, day, hour, minute, second, tzinfo=UTC)
    except ValueError:
        return None
    ahead = int(hours or 0) * 60 + int(minutes or 0)
    if ahead > 24 * 60:
        return None
    at = (local - _EPOCH) // _MILLISECOND + millis - (-ahead if sign == "-" else ahead) * 60_000
    return at if _FIRST <= at <= _LAST else None


_FIRST = (datetime(1, 1, 1, tzinfo=UTC) - _EPOCH) // _MILLISECOND
_LAST = (datetime(9999, 12, 31, 23, 59, 59, tzinfo=UTC) - _EPOCH) // _MILLISECOND


def _once(values: Iterable[str], limit: int) -> tuple[str, ...]:
    seen: dict[str, None] = {}
    for value in values:
        if len(seen) >= limit:
            break
        if value:
            seen[value] = None
    return tuple(seen)


@lru_cache(maxsize=1024)  # nearly every type that comes is one of some twenty
def _kind(value: str) -> tuple[str, ...]:
    kind = _bare(value)
    return (kind,) if kind else ()


def _bare(value: Json) -> str:
    kind = text(value, KIND_LIMIT)
    for namespace in _NAMESPACES:
        kind = kind.removeprefix(namespace)
    return kind


def _is_tag(tag: str) -> bool:
    return len(tag) <= 40 and bool(_LANGUAGE.match(tag))
