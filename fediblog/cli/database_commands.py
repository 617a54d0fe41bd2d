"""Commands of upkeep: bring the database up to date, back everything up, restore it."""

from __future__ import annotations

import asyncio
import shutil
import tarfile
import tempfile
from argparse import ArgumentParser, Namespace
from pathlib import Path

from fediblog import __version__, log
from fediblog.cli import backup_archive, worker_lock
from fediblog.cli.backup_archive import Manifest
from fediblog.cli.command import Command
from fediblog.cli.command_site import has_database, on_site, read_settings
from fediblog.cli.terminal import decimal, tell, translated, utc
from fediblog.errors import Misuse, Refused
from fediblog.federation.site import Site, make_folder
from fediblog.settings import Settings
from fediblog.store.engine import backup, migrate
from fediblog.store.engine.database import connect, sqlite_path
from fediblog.store.engine.database import restore as load_dump
from fediblog.store.engine.schema_lock import Upgrade


def run_migrate(args: Namespace) -> None:
    """Bring the database up to date."""
    found = read_settings(args)
    if not has_database(found):
        raise Misuse("misuse.no-database", folder=found.data)
    log.configure("warning")
    upgrade = worker_lock.upgrade_of(found, yes=args.yes)
    tell("cli.migrated", schema=asyncio.run(_migrated(found, upgrade)))


async def _migrated(found: Settings, upgrade: Upgrade = "alone") -> int:
    db = await connect(found.database_url, upgrade=upgrade)
    try:
        return await db.read(migrate.version)
    finally:
        await db.close()


async def run_backup(site: Site, args: Namespace) -> None:
    """Everything that must be kept, in one file."""
    await make_backup(site, Path(args.file))


async def make_backup(site: Site, target: Path) -> None:
    """Write everything that must be kept to a new file, and say so."""
    with (
        backup_archive.new_archive(target) as tar,
        tempfile.TemporaryDirectory(dir=target.parent, prefix=".fediblog-") as work,
    ):
        backup_archive.add_manifest(tar, Manifest(version=__version__, origin=site.urls.origin, made=site.clock()))
        await _add_database(site, tar, Path(work))
        pictures = await asyncio.to_thread(backup_archive.add_files, tar, site.settings.data)
    size = decimal((await asyncio.to_thread(target.stat)).st_size / 1e6)
    tell("cli.backup-made", file=target, origin=site.urls.origin, n=pictures, size=size)
    tell("cli.backup-secret")


async def _add_database(site: Site, tar: tarfile.TarFile, work: Path) -> None:
    path = sqlite_path(site.settings.database_url)
    if path is not None:
        await asyncio.to_thread(backup.backup_sqlite, path, work / backup_archive.DATABASE)
        await asyncio.to_thread(tar.add, work / backup_archive.DATABASE, backup_archive.DATABASE)
        return
    with (work / backup_archive.DUMP).open("w", encoding="utf-8") as file:
        await site.db.scan(backup.write_dump, file)
    await asyncio.to_thread(tar.add, work / backup_archive.DUMP, backup_archive.DUMP)


def run_restore(args: Namespace) -> None:
    """A data folder from a backup. It must be named, so that no default is ever filled by accident."""
    if not args.setting_data:
        raise Misuse("misuse.no-new-folder")
    folder = Path(args.setting_data)
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise Refused("not-empty", folder=folder)
    make_folder(folder)
    try:
        manifest = backup_archive.unpack(Path(args.file), folder)
        found = read_settings(args)  # now with the settings that came out of the backup
        asyncio.run(_fill_database(found))
    except BaseException:
        _empty(folder)
        raise
    tell("cli.restored", origin=manifest.origin, at=utc(manifest.made), folder=folder)
    tell("cli.restored-look", folder=folder)


def _empty(folder: Path) -> None:
    for path in folder.iterdir():
        if path.is_dir():
            shutil.rmtree(path)
        else:
            path.unlink()


async def _fill_database(found: Settings) -> None:
    """The database that the settings name, from the copy or the dump that was unpacked, whichever engine made it."""
    copy, dump = found.data / backup_archive.DATABASE, found.data / backup_archive.DUMP
    target = sqlite_path(found.database_url)
    if copy.exists() and target is not None and target.resolve() == copy.resolve():
        await _migrated(found)
    elif copy.exists():
        await _dump(copy, dump)
        copy.unlink()
    elif not dump.exists():
        raise Refused("backup-incomplete")
    if dump.exists():
        with dump.open(encoding="utf-8") as file:
            await load_dump(found.database_url, file)
        dump.unlink()
    await _check(found)


async def _dump(copy: Path, dump: Path) -> None:
    db = await connect(copy)
    try:
        with dump.open("w", encoding="utf-8") as file:
            await db.scan(backup.write_dump, file)
    finally:
        await db.close()


async def _check(found: Settings) -> None:
    db = await connect(found.database_url)
    try:
        wrong = await db.check()
    finally:
        await db.close()
    if wrong:
        raise Refused("backup-damaged", key="refusal.backup-database-damaged", finding=wrong[0])


def _backup_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help=translated("argument.new-backup"))


def _restore_arguments(parser: ArgumentParser) -> None:
    parser.add_argument("file", metavar="FILE", help=translated("argument.backup"))


COMMANDS = (
    Command(
        words=("backup",),
        usage="FILE",
        examples=("fediblog backup /backups/blog-$(date +%F).tar",),
        arguments=_backup_arguments,
        run=on_site(run_backup),
    ),
    Command(
        words=("restore",),
        usage="FILE --data FOLDER",
        examples=("fediblog restore /backups/blog-2026-05-01.tar --data /var/lib/fediblog",),
        arguments=_restore_arguments,
        options=("data", "database"),
        run=run_restore,
    ),
    Command(
        words=("migrate",),
        usage="",
        arguments=worker_lock.yes_argument,
        options=("data", "database"),
        run=run_migrate,
    ),
)
