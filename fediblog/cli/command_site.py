"""From the command line to an open site: settings, the checks on the address, and what is done on it."""

from __future__ import annotations

import asyncio
import os
from argparse import Namespace
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from fnmatch import fnmatchcase
from urllib.parse import urlsplit

from fediblog import log, settings
from fediblog.cli.command import OPTIONS
from fediblog.domain.accounts import Account
from fediblog.domain.urls import is_trial
from fediblog.errors import Misuse, NotFound
from fediblog.federation.site import Site, open_site
from fediblog.settings import Settings
from fediblog.store.engine.database import sqlite_path
from fediblog.store.people import accounts
from fediblog.store.tx import Tx


def read_settings(args: Namespace) -> Settings:
    """The settings from the file, the environment and this command line. Raises Misuse."""
    found = settings.read(os.environ, {name: getattr(args, f"setting_{name}", None) for name in OPTIONS})
    check_origin(found)
    return found


def check_origin(found: Settings) -> None:
    """Plain http is for this machine alone and for networks of one's own: anybody could listen in and forge."""
    if not found.origin.startswith("http://") or is_trial(found.origin):
        return
    host = urlsplit(found.origin).hostname or ""
    if not any(fnmatchcase(host, pattern) for pattern in found.lab_hosts):
        raise Misuse("misuse.plain-http", origin=found.origin, name=found.origin.removeprefix("http://"))


def has_database(found: Settings) -> bool:
    """Whether there is a database already; one on a server counts as there."""
    path = sqlite_path(found.database_url)
    return path is None or path.exists()


@asynccontextmanager
async def opened(found: Settings) -> AsyncIterator[Site]:
    """The site, closed at the end whatever happens. A database of an older version is left as it is: Misuse."""
    site = await open_site(found, upgrade="never")
    try:
        yield site
    finally:
        await site.close()


def on_site(action: Callable[[Site, Namespace], Awaitable[int | None]]) -> Callable[[Namespace], int | None]:
    """A command that opens the site of the data folder, also while the server runs, and does one thing."""

    async def run(found: Settings, args: Namespace) -> int | None:
        async with opened(found) as site:
            return await action(site, args)

    def command(args: Namespace) -> int | None:
        found = read_settings(args)
        need_folder(found)
        log.configure("warning")
        return asyncio.run(run(found, args))

    return command


def need_folder(found: Settings) -> None:
    """Raise Misuse where nothing has been started yet and no origin is given: a mistyped --data makes no folder."""
    if not found.origin and not has_database(found):
        raise Misuse("misuse.no-fediblog", folder=found.data)


def own_account(tx: Tx, handle: str) -> Account:
    """The account of ours of that handle, with or without @ and domain."""
    name = handle.strip().lstrip("@").partition("@")[0].lower()
    found = accounts.local_by_handle(tx, name)
    if found is None or found.state != "active" or found.login is None:
        raise NotFound("cli.no-account", name=name)
    return found
