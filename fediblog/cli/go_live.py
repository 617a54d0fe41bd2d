"""`fediblog go-live`: turns a trial, with all that was written, into the real blog at its address."""

from __future__ import annotations

import asyncio
import os
from argparse import ArgumentParser, Namespace
from functools import partial
from urllib.parse import urlsplit

from msgspec.structs import replace

from fediblog import log, settings
from fediblog.cli import worker_lock
from fediblog.cli.command import Command
from fediblog.cli.command_site import has_database, opened, read_settings
from fediblog.cli.database_commands import make_backup
from fediblog.cli.terminal import tell, translated
from fediblog.domain.urls import Urls
from fediblog.errors import Misuse
from fediblog.markup import markdown
from fediblog.settings import Settings
from fediblog.store.engine import origin_change
from fediblog.store.engine.database import change_alone


def run(args: Namespace) -> None:
    """Give the trial in the data folder the address on the command line."""
    found = read_settings(args)
    _check(args, found)
    log.configure("warning")
    with worker_lock.only_worker(found):
        asyncio.run(_go_live(found, backup=not args.no_backup))
    tell("cli.is-live", origin=found.origin, folder=found.data)


def _check(args: Namespace, found: Settings) -> None:
    """Raise Misuse where there is nothing to be moved, or the next start would not know of it."""
    if not found.origin:
        raise Misuse("misuse.go-live-where")
    if not has_database(found):
        raise Misuse("misuse.no-database", folder=found.data)
    kept = settings.read(os.environ, {"data": args.setting_data}).origin
    if kept not in ("", found.origin):
        raise Misuse("misuse.go-live-settings", written=kept, origin=found.origin, folder=found.data)


async def _go_live(found: Settings, *, backup: bool) -> None:
    trial = replace(found, origin="", handle_domain="")
    async with opened(trial) as site:
        old = site.urls
    if not old.is_trial:
        raise Misuse("misuse.no-trial", origin=old.origin)
    new = _new_urls(old, found)
    await change_alone(found.database_url, partial(origin_change.check_unknown_elsewhere, new=new))
    if backup:
        async with opened(trial) as site:
            await make_backup(site, found.data / f"trial-{site.clock() // 1000}.tar")
    await change_alone(found.database_url, partial(origin_change.change, old=old, new=new, pieces=markdown.pieces))


def _new_urls(old: Urls, found: Settings) -> Urls:
    """Handles have the domain that was asked for, else that of the trial if one was chosen for it, else the host."""
    chosen = old.handle_domain if old.handle_domain != old.host else urlsplit(found.origin).netloc
    return Urls(found.origin, found.handle_domain or chosen)


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--no-backup", action="store_true", help=translated("argument.no-backup"))


COMMANDS = (
    Command(
        words=("go-live",),
        usage="--origin URL",
        examples=(
            "fediblog go-live --origin https://blog.example",
            "fediblog go-live --origin https://blog.example --handle-domain example.org --data /var/lib/fediblog",
        ),
        arguments=_arguments,
        run=run,
    ),
)
