"""A backup as one file: a tar with the database, the pictures, the secret and the settings, made while all runs."""

from __future__ import annotations

import io
import json
import os
import re
import tarfile
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import IO

from msgspec import Struct

from fediblog.errors import Misuse, Refused

FORMAT = 1
MANIFEST = "fediblog-backup.json"
DATABASE, DUMP = "fediblog.db", "dump.jsonl"
_PLAIN = frozenset({MANIFEST, DATABASE, DUMP, "secret", "fediblog.toml"})
_MEDIA = re.compile(r"media/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{32}\.[a-z0-9]{1,5}\Z")


class Manifest(Struct, frozen=True, kw_only=True):
    """What the first member of the archive says. `made` is UTC ms."""

    version: str
    origin: str
    made: int

    def text(self) -> bytes:
        """As it is stored."""
        return json.dumps(
            {"format": FORMAT, "version": self.version, "origin": self.origin, "made": self.made}, indent=2
        ).encode()


@contextmanager
def new_archive(target: Path) -> Iterator[tarfile.TarFile]:
    """A tar that appears under its name only when it is whole, and that only we may read: it holds private keys."""
    if target.exists():
        raise Refused("exists", file=target)
    try:
        handle, name = tempfile.mkstemp(prefix=f".{target.name}.", suffix=".part", dir=target.parent)
    except OSError as error:
        raise Misuse("misuse.backup-target", target=target.parent, error=error.strerror) from None
    part = Path(name)
    try:
        with os.fdopen(handle, "wb") as file:
            with tarfile.open(fileobj=file, mode="w", format=tarfile.PAX_FORMAT) as tar:
                yield tar
            file.flush()
            os.fsync(file.fileno())
        part.rename(target)
    except OSError as error:
        raise Refused("backup-failed", error=error.strerror) from error
    finally:
        part.unlink(missing_ok=True)


def add_manifest(tar: tarfile.TarFile, manifest: Manifest) -> None:
    """Say what the archive is; comes first."""
    text = manifest.text()
    member = tarfile.TarInfo(MANIFEST)
    member.size, member.mode, member.mtime = len(text), 0o600, manifest.made // 1000
    tar.addfile(member, io.BytesIO(text))


def add_files(tar: tarfile.TarFile, folder: Path) -> int:
    """Put in what lies in the data folder beside the database; returns the number of pictures."""
    for name in ("secret", "fediblog.toml"):
        if (folder / name).exists():
            tar.add(folder / name, name)
    count = 0
    for path in sorted((folder / "media").glob("[0-9a-f][0-9a-f]/[0-9a-f][0-9a-f]/*")):
        name = path.relative_to(folder).as_posix()
        if _MEDIA.match(name):
            with suppress(FileNotFoundError):  # deleted just now; the database's copy is older and may still name it
                tar.add(path, name, recursive=False)
                count += 1
    return count


def unpack(source: Path, folder: Path) -> Manifest:
    """Unpack an archive into an empty folder. Nothing but the names that a backup has gets out of it."""
    try:
        with tarfile.open(source, "r:") as tar:
            manifest = _read_manifest(tar)
            for member in tar:
                if member.name != MANIFEST:
                    _unpack_one(tar, member, folder)
    except (tarfile.TarError, EOFError) as error:
        raise Refused("backup-damaged", file=source, error=error) from None
    except FileNotFoundError:
        raise Misuse("misuse.no-file", file=source) from None
    except OSError as error:
        raise Refused("restore-failed", file=source, error=error.strerror or error) from error
    return manifest


def _read_manifest(tar: tarfile.TarFile) -> Manifest:
    first = tar.next()
    file = tar.extractfile(first) if first is not None and first.name == MANIFEST else None
    if file is None:
        raise Refused("no-backup")
    found = json.loads(file.read(65_536))
    if found.get("format") != FORMAT:
        raise Refused("backup-newer")
    return Manifest(version=str(found["version"]), origin=str(found["origin"]), made=int(found["made"]))


def _unpack_one(tar: tarfile.TarFile, member: tarfile.TarInfo, folder: Path) -> None:
    if not member.isreg() or not (member.name in _PLAIN or _MEDIA.match(member.name)):
        raise Refused("backup-strange", name=repr(member.name))
    place = folder / member.name
    place.parent.mkdir(parents=True, exist_ok=True)
    file = tar.extractfile(member)
    if file is not None:
        with file, os.fdopen(os.open(place, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as out:
            _copy(file, out)


def _copy(source: IO[bytes], target: IO[bytes]) -> None:
    while block := source.read(1 << 20):
        target.write(block)
    target.flush()
    os.fsync(target.fileno())
