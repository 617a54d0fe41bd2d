"""The operator's settings: one frozen value, read from a file and the environment; wrong ones name themselves."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Mapping
from ipaddress import ip_network
from pathlib import Path
from urllib.parse import urlsplit

from msgspec import Struct

from fediblog.errors import Misuse
from fediblog.messages import ENGLISH, LANGUAGES

FILE_NAME = "fediblog.toml"
_PREFIX = "FEDIBLOG_"
_OTHERS = ("CORPUS", "NODE_PEERS", "REQUIRE_", "TEST_")  # what the project's own tests are told in the same way
_HOST = re.compile(r"[a-z0-9]([a-z0-9.-]*[a-z0-9])?(:[0-9]{1,5})?\Z")
_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,200}\Z")
_LISTEN = re.compile(r"(\[[0-9a-fA-F:]+\]|[A-Za-z0-9.-]+):[0-9]{1,5}\Z|unix:/.+\Z")


class Settings(Struct, frozen=True, kw_only=True):
    """What the operator decides. `origin` may be empty until set-up has written it down."""

    data: Path = Path("fediblog-data")
    origin: str = ""  # https://blog.example
    listen: str = "127.0.0.1:8080"  # host:port or unix:/path
    handle_domain: str = ""  # example.org in @me@example.org; the origin's host if empty
    database: str = ""  # postgresql://…; SQLite in the data folder if empty
    role: str = "all"  # all, web or worker
    trusted_proxies: tuple[str, ...] = ("127.0.0.0/8", "::1/128")  # who may set X-Forwarded-*
    lab_hosts: tuple[str, ...] = ()  # names that may resolve to private addresses
    loopback_authorities: tuple[str, ...] = ()  # set by the demo only
    authorized_fetch: bool = False
    log_level: str = "info"
    accounts_per_login: int = 10  # that somebody with a login may have by themselves
    take_back_seconds: int = 30  # that a post written on the pages waits, if its account wants that; none if 0
    spare_bytes: int = 64_000_000  # of the disk, kept for when it is full; none if 0
    media_cache_bytes: int = 2_000_000_000  # of copies of other servers' pictures and files
    media_cache_days: int = 30  # that a copy is kept after it was last looked at
    metrics_token: str = ""  # what must be said to read /metrics; without one there is no such page
    language: str = ENGLISH  # of pages for those who ask for none that there is, and of feeds
    ai_crawlers: str = "deny"  # whether robots.txt lets those in who collect texts for training: allow or deny
    count_visits: bool = True  # how often the pages of posts are opened: numbers, and nothing of who does
    websub_hub: str = ""  # who tells subscribers that the feeds have something new; nobody is told without one
    title: str = ""  # of the blog's home
    contact: str = ""  # shown in nodeinfo
    source: str = ""  # where visitors get the source code of what runs here (AGPL §13)

    @property
    def database_url(self) -> str:
        """Where the database is: a PostgreSQL address or the file in the data folder."""
        return self.database or f"sqlite:///{self.data / 'fediblog.db'}"

    @property
    def data_option(self) -> str:
        """What a command line says to find the data folder: nothing if it looks there by itself."""
        return "" if self.data == Settings().data else f" --data {shlex.quote(str(self.data))}"

    @property
    def media(self) -> Path:
        """Folder of the stored files."""
        return self.data / "media"

    @property
    def exports(self) -> Path:
        """Folder of what accounts take with them, for some days; it is in no backup."""
        return self.data / "exports"

    @property
    def copies(self) -> Path:
        """Folder of the copies of other servers' files: a cache, which is in no backup."""
        return self.data / "media-cache"


def _flag(text: str) -> bool:
    if text.lower() in ("1", "true", "yes", "on"):
        return True
    if text.lower() in ("0", "false", "no", "off", ""):
        return False
    raise Misuse("expected.flag")


def _origin(text: str) -> str:
    parts = urlsplit(text)
    bare = f"{parts.scheme}://{parts.netloc}".lower()
    if (
        parts.scheme not in ("http", "https")
        or not _HOST.match(parts.netloc.lower())
        or text.rstrip("/").lower() != bare
    ):
        raise Misuse("expected.origin")
    return bare


def _host(text: str) -> str:
    if text and not _HOST.match(text.lower()):
        raise Misuse("expected.domain")
    return text.lower()


def _is_port(digits: str) -> bool:
    return int(digits) < 65_536


def _listen(text: str) -> str:
    if not _LISTEN.match(text) or not (text.startswith("unix:") or _is_port(text.rpartition(":")[2])):
        raise Misuse("expected.listen")
    return text


def _networks(text: str) -> tuple[str, ...]:
    try:
        return tuple(str(ip_network(part)) for part in _words(text))
    except ValueError as error:
        raise Misuse("expected.networks", error=error) from None


def _web_address(text: str) -> str:
    parts = urlsplit(text)
    if text and (parts.scheme not in ("http", "https") or not parts.hostname or not text.isprintable() or " " in text):
        raise Misuse("expected.address")
    return text


def _words(text: str) -> tuple[str, ...]:
    return tuple(part.strip().lower() for part in text.split(",") if part.strip())


def _lab(text: str) -> tuple[str, ...]:
    names = _words(text)
    for name in names:
        if not re.fullmatch(r"[a-z0-9*.-]*[a-z][a-z0-9*.-]*", name):
            raise Misuse("expected.names")
    return names


def _one_of(*choices: str) -> Callable[[str], str]:
    def check(text: str) -> str:
        if text.lower() not in choices:
            raise Misuse("expected.one-of", choices=", ".join(choices))
        return text.lower()

    return check


def _token(text: str) -> str:
    if text and not _TOKEN.match(text):
        raise Misuse("expected.token")
    return text


def _whole(least: int, most: int) -> Callable[[str], int]:
    def check(text: str) -> int:
        if not (text.isascii() and text.isdigit() and len(text) < 20 and least <= int(text) <= most):
            raise Misuse("expected.whole-number", least=least, most=most)
        return int(text)

    return check


def _database(text: str) -> str:
    if text and not text.startswith(("postgresql://", "postgres://", "sqlite:///")):
        raise Misuse("expected.database")
    return text


_READERS: dict[str, Callable[[str], object]] = {
    "data": Path,
    "origin": _origin,
    "listen": _listen,
    "handle_domain": _host,
    "database": _database,
    "role": _one_of("all", "web", "worker"),
    "trusted_proxies": _networks,
    "lab_hosts": _lab,
    "authorized_fetch": _flag,
    "log_level": _one_of("debug", "info", "warning", "error"),
    "accounts_per_login": _whole(1, 1_000_000),
    "take_back_seconds": _whole(0, 600),
    "spare_bytes": _whole(0, 10**12),
    "media_cache_bytes": _whole(50_000_000, 10**15),
    "media_cache_days": _whole(1, 3650),
    "metrics_token": _token,
    "language": _one_of(*LANGUAGES),
    "ai_crawlers": _one_of("allow", "deny"),
    "count_visits": _flag,
    "websub_hub": _web_address,
    "title": str,
    "contact": str,
    "source": _web_address,
}


def read(environment: Mapping[str, str], given: Mapping[str, str | None] | None = None) -> Settings:
    """Settings from `fediblog.toml` in the data folder, then `FEDIBLOG_*`, then what the command line gave.

    Raises Misuse that names the setting, its value and what is expected.
    """
    flags = {name: value for name, value in (given or {}).items() if value is not None}
    folder = flags.get("data") or environment.get(f"{_PREFIX}DATA")
    values: dict[str, object] = {}
    path = Path(folder or Settings().data) / FILE_NAME
    for name, text in _from_file(path).items():
        values[name] = _value(Misuse("misuse.setting-in-file", name=name, file=path), name, text)
    for key, text in environment.items():
        name = key.removeprefix(_PREFIX).lower()
        if key.startswith(_PREFIX) and not key.removeprefix(_PREFIX).startswith(_OTHERS):
            values[name] = _value(key, name, text)
    for name, text in flags.items():
        values[name] = _value(f"--{name.replace('_', '-')}", name, text)
    return Settings(**values)  # type: ignore[arg-type]


def _from_file(path: Path) -> dict[str, str]:
    try:
        written = path.read_text()
    except (FileNotFoundError, NotADirectoryError):
        return {}
    except (OSError, UnicodeDecodeError) as error:
        raise Misuse("misuse.unreadable", file=path, error=error) from None
    import tomllib  # no start waits for it where there is no file

    try:
        found = tomllib.loads(written)
    except tomllib.TOMLDecodeError as error:
        raise Misuse("misuse.unreadable", file=path, error=error) from None
    return {name: ",".join(map(str, v)) if isinstance(v, list) else str(v) for name, v in found.items()}


def _value(where: object, name: str, text: str) -> object:
    reader = _READERS.get(name)
    if reader is None:
        raise Misuse("misuse.no-setting", where=where, known=", ".join(sorted(_READERS)))
    try:
        return reader(text)
    except Misuse as expected:
        raise Misuse("misuse.setting", where=where, given=repr(text), expected=expected) from None
