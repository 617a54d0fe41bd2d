"""Keeps files under names that nobody can guess, so that a power cut leaves a whole file or none."""

from __future__ import annotations

import errno
import os
import re
import secrets
from collections.abc import Callable, Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

from fediblog.errors import NotFound, Unavailable

_NAME: Final = re.compile(r"([0-9a-f]{2})/([0-9a-f]{2})/\1\2[0-9a-f]{28}\.[a-z0-9]{1,5}", re.ASCII)
_SUFFIX: Final = re.compile(r"\.[a-z0-9]{1,5}", re.ASCII)
_UNFINISHED: Final = ".unfinished"


class FileStore:
    """Files in two levels of folders. Names look like `3f/a0/3fa0….jpg` and are the files' only handle."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def save(self, data: bytes, suffix: str) -> str:
        """Writes a new file and returns its name; on return it is on the disk, not only in memory."""
        if not _SUFFIX.fullmatch(suffix):
            raise ValueError(f"not a file name ending: {suffix!r}")
        word = secrets.token_hex(16)
        name = f"{word[:2]}/{word[2:4]}/{word}{suffix}"
        place = self.folder / name
        unfinished = place.with_name(word + _UNFINISHED)
        try:
            _make_folder(place.parent)
            _write(unfinished, data)
            unfinished.rename(place)
            _sync_folder(place.parent)
        except OSError as error:
            with suppress(OSError):
                unfinished.unlink()
            if error.errno in (errno.ENOSPC, errno.EDQUOT):
                raise Unavailable("disk-full", 300, str(error)) from error
            raise
        return name

    def path(self, name: str) -> Path:
        """Where the file of that name is or would be; NotFound for anything that is no name of ours."""
        if not _NAME.fullmatch(name):
            raise NotFound(detail=f"not a media file name: {name[:80]!r}")
        return self.folder / name

    def read(self, name: str) -> bytes:
        try:
            return self.path(name).read_bytes()
        except FileNotFoundError:
            raise NotFound(detail=name) from None

    def size(self, name: str) -> int:
        """Bytes of the file of that name; 0 if there is none."""
        try:
            return self.path(name).stat().st_size
        except (NotFound, OSError):
            return 0

    def remove(self, name: str) -> bool:
        """Removes the file; whether there was one."""
        try:
            self.path(name).unlink()
        except FileNotFoundError:
            return False
        return True

    def names(self, part: str = "") -> Iterator[str]:
        """The names of all files, or of those that begin with two digits."""
        for place in self._places(part):
            name = place.relative_to(self.folder).as_posix()
            if _NAME.fullmatch(name):
                yield name

    def sweep(self, known: Callable[[str], bool], older_than: int, part: str = "") -> list[str]:
        """Removes files last written before `older_than` (UTC milliseconds) that nobody knows, and unfinished ones.

        All of them, or those whose names begin with two digits.
        A file is written before the row that names it, so the age must be more than any request takes.
        """
        removed = []
        for place in self._places(part):
            name = place.relative_to(self.folder).as_posix()
            ours = bool(_NAME.fullmatch(name))
            with suppress(FileNotFoundError):
                if not (ours or place.suffix == _UNFINISHED) or place.stat().st_mtime * 1000 >= older_than:
                    continue
                if ours and known(name):
                    continue
                place.unlink()
                removed.append(name)
        return removed

    def _places(self, part: str) -> Iterator[Path]:
        return self.folder.glob(f"{part or '[0-9a-f][0-9a-f]'}/[0-9a-f][0-9a-f]/*")


def _make_folder(folder: Path) -> None:
    """Makes the folder and its parents, each known to the disk before anything is put into it."""
    if folder.is_dir():
        return
    if not folder.parent.is_dir():
        _make_folder(folder.parent)
    folder.mkdir(exist_ok=True)
    _sync_folder(folder.parent)


def _write(place: Path, data: bytes) -> None:
    with place.open("xb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())


def _sync_folder(folder: Path) -> None:
    """Makes names in a folder durable; Windows neither can nor must."""
    if os.name == "nt":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)
