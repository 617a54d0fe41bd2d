"""The site: everything one server is made of, as one value that is passed on. A process may hold several."""

from __future__ import annotations

import os
import secrets
from collections.abc import Callable
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path
from typing import Any, Concatenate, ParamSpec, Protocol, TypeVar, runtime_checkable
from urllib.parse import urlsplit

from msgspec import Struct, field
from msgspec.structs import replace

from fediblog import __version__
from fediblog.domain.blog import Blog
from fediblog.domain.urls import Urls, is_trial
from fediblog.errors import Misuse, Unavailable
from fediblog.federation.keyring import KeyRing
from fediblog.media.file_store import FileStore
from fediblog.net import AccessPolicy, Client, Engine, Scheme, SocketEngine
from fediblog.settings import Settings
from fediblog.store.engine.database import Database, connect, system_clock
from fediblog.store.engine.schema_lock import Upgrade
from fediblog.store.people import blog_settings, hosts, server_state
from fediblog.store.posts import free_pages
from fediblog.store.posts.free_pages import PageLink
from fediblog.store.tx import Tx

_ORIGIN, _HANDLE_DOMAIN, _SECRET = "origin", "handle-domain", "secret"
SECRET_FILE = "secret"  # noqa: S105 - a file's name
USER_AGENT = f"fediblog/{__version__}"

T = TypeVar("T")
P = ParamSpec("P")


@runtime_checkable
class Finishing(Protocol):
    """What a site keeps that may have something under way, for which the site waits before it closes."""

    async def finish(self) -> None: ...


class LiveBlog:
    """What the owner chose for the blog, its pages that stand by themselves and its one writer, as last read."""

    def __init__(self, _site: Site) -> None:
        self.now = Blog()
        self.pages: tuple[PageLink, ...] = ()
        self.writer = ""  # the handle of who writes the blog alone

    def read(self, tx: Tx) -> None:
        """Read all of it."""
        self.now, self.pages = blog_settings.get(tx), tuple(free_pages.published(tx))
        self.writer = blog_settings.only_writer(tx)


class Site(Struct, frozen=True):
    """One server. `clock` gives UTC milliseconds; `engine` is the HTTP engine that `client` uses too."""

    settings: Settings
    urls: Urls
    db: Database
    client: Client
    engine: Engine
    files: FileStore
    copies: FileStore  # of other servers' pictures and files: a cache
    keys: KeyRing
    clock: Callable[[], int]
    secret: bytes
    kept: dict[Callable[[Site], Any], Any] = field(default_factory=dict)

    def keep(self, make: Callable[[Site], T]) -> T:
        """What `make` makes of this site, made once and gone with it: limits, counts and caches of any floor."""
        found: T | None = self.kept.get(make)
        if found is None:
            found = self.kept[make] = make(self)
        return found

    @property
    def blog(self) -> Blog:
        """What the owner chose for the blog, as this process last read it: with each page that it makes."""
        return self.keep(LiveBlog).now

    @property
    def pages(self) -> tuple[PageLink, ...]:
        """The published pages that stand by themselves, as this process last read them."""
        return self.keep(LiveBlog).pages

    @property
    def writer(self) -> str:
        """The handle of who writes the blog, if that is one person who wants to be found; else nothing."""
        return self.keep(LiveBlog).writer

    @property
    def title(self) -> str:
        """The title of the blog: the owner's, else that of the settings, else the host."""
        return self.blog.title or self.settings.title or self.urls.host

    async def read_blog(self) -> Blog:
        """What the owner chose for the blog, read now, with what the settings say where the owner has not chosen.

        For what does not read a page first, such as a worker.
        """
        blog = await self.db.read(blog_settings.get)
        return replace(
            blog,
            ai_crawlers=blog.ai_crawlers or self.settings.ai_crawlers,
            websub_hub=blog.websub_hub or self.settings.websub_hub,
        )

    async def write_aside(self, fn: Callable[Concatenate[Tx, P], Any], /, *args: P.args, **kwargs: P.kwargs) -> None:
        """Write what a read leaves behind; where the database takes no writes now, the read goes on without."""
        with suppress(Unavailable):
            await self.db.write(fn, *args, **kwargs)

    async def close(self) -> None:
        """Wait for what is under way, then let go of the network, and of the database at last."""
        try:
            for each in list(self.kept.values()):  # what finishes may be the first to keep something else
                if isinstance(each, Finishing):
                    await each.finish()
        finally:
            await self.client.close()
            await self.db.close()


async def open_site(
    settings: Settings,
    *,
    engine: Engine | None = None,
    clock: Callable[[], int] = system_clock,
    upgrade: Upgrade = "alone",
) -> Site:
    """Open the data folder and the database, and make both at the first start.

    `upgrade` says whether a database of an older version may be brought up to date. Raises Misuse if the origin is
    not the one that was written down, or none is known yet.
    """
    make_folder(settings.data)
    secret = _secret(settings.data)
    db = await connect(settings.database_url, clock=clock, upgrade=upgrade)
    try:
        urls = await _urls(db, settings, blake2b(b"copies", key=secret, digest_size=32).digest())
        policy = make_policy(settings, urls)
        way_out = engine or SocketEngine(policy)
        known = await db.read(hosts.schemes)

        def prefer(host: str) -> Scheme | None:
            return "rfc9421" if known.get(host) == "rfc9421" else None

        client = Client(way_out, policy, prefer=prefer, on_learned=known.__setitem__)
        files, copies = FileStore(settings.media), FileStore(settings.copies)
        site = Site(settings, urls, db, client, way_out, files, copies, KeyRing(db, urls, clock), clock, secret)
        await site.keys.instance_account()
        await db.read(site.keep(LiveBlog).read)
    except BaseException:
        await db.close()
        raise
    return site


def make_policy(settings: Settings, urls: Urls) -> AccessPolicy:
    """The access policy of the network, by the settings of this site."""
    return AccessPolicy(
        user_agent=f"{USER_AGENT} (+{urls.origin})",
        lab_hosts=settings.lab_hosts,
        loopback_authorities=settings.loopback_authorities,
        ca_file=os.environ.get("SSL_CERT_FILE") or None,
    )


def make_folder(folder: Path) -> None:
    """The data folder, for the server's own user alone."""
    try:
        folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        _tighten(folder)
        probe = folder / ".write-test"
        probe.touch(mode=0o600)
        probe.unlink()
    except OSError as error:
        raise Misuse("misuse.data-folder", folder=folder, error=error.strerror) from None


def _tighten(folder: Path) -> None:
    """Take an existing folder from others, and its secret and database from its group too."""
    for path, most in ((folder, 0o750), *((each, 0o600) for each in (folder / SECRET_FILE, *folder.glob("*.db*")))):
        with suppress(OSError):  # not there, or another user's, who has the say
            if (mode := path.stat().st_mode & 0o777) & ~most:
                path.chmod(mode & most)


def _secret(folder: Path) -> bytes:
    """The server's own secret, made once, readable by its user alone."""
    path = folder / SECRET_FILE
    if not path.exists():
        fresh = path.with_name(f".{SECRET_FILE}.{secrets.token_hex(4)}")
        descriptor = os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        with os.fdopen(descriptor, "w") as file:
            file.write(secrets.token_hex(32))
            file.flush()
            os.fsync(file.fileno())
        try:
            os.link(fresh, path)  # of two that start at once, one makes it
        except FileExistsError:
            pass
        finally:
            fresh.unlink()
    return bytes.fromhex(path.read_text().strip())


async def _urls(db: Database, settings: Settings, copies_key: bytes) -> Urls:
    written, domain = await db.read(server_state.get, _ORIGIN), await db.read(server_state.get, _HANDLE_DOMAIN)
    origin = settings.origin or written
    if not origin:
        raise Misuse("misuse.no-origin")
    if written and written != origin:
        key = "misuse.other-trial" if is_trial(written) and not is_trial(origin) else "misuse.other-origin"
        raise Misuse(key, written=written, origin=origin, data=settings.data_option)
    handles = settings.handle_domain or domain or urlsplit(origin).netloc
    if domain and handles != domain:
        raise Misuse("misuse.other-handle-domain", written=domain, asked=handles)
    if not written:
        await db.write(server_state.put, _ORIGIN, origin)
    if not domain:
        await db.write(server_state.put, _HANDLE_DOMAIN, handles)
    return Urls(origin, handles, copies_key)
