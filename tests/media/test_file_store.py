"""Files on the disk: whole or not there, under names that lead nowhere else."""

from __future__ import annotations

import errno
import os
import re
from pathlib import Path

import pytest

from fediblog.errors import NotFound, Unavailable
from fediblog.media.file_store import FileStore

OLD = 1_600_000_000_000
"""UTC milliseconds."""


@pytest.fixture
def store(tmp_path: Path) -> FileStore:
    return FileStore(tmp_path / "media")


def age(store: FileStore, name: str) -> None:
    os.utime(store.folder / name, (OLD / 1000 - 60, OLD / 1000 - 60))


def test_what_was_saved_is_there(store: FileStore) -> None:
    name = store.save(b"abc", ".jpg")
    assert re.fullmatch(r"(..)/(..)/\1\2[0-9a-f]{28}\.jpg", name)
    assert store.read(name) == b"abc"
    assert store.path(name).read_bytes() == b"abc"
    assert list(store.names()) == [name]
    assert store.save(b"abc", ".jpg") != name


def test_removing(store: FileStore) -> None:
    name = store.save(b"abc", ".webp")
    assert store.remove(name)
    assert not store.remove(name)
    with pytest.raises(NotFound):
        store.read(name)


@pytest.mark.parametrize(
    "name",
    [
        "",
        "..",
        "../../etc/passwd",
        "/etc/passwd",
        "aa/bb/../../../etc/passwd",
        "aa/bb/" + "c" * 32 + ".jpg",
        "aa/bb/aabb" + "0" * 28,
        "aa/bb/aabb" + "0" * 28 + ".jpg\n",
        "aa/bb/aabb" + "0" * 28 + ".jpg/x",
        "AA/BB/AABB" + "0" * 28 + ".jpg",
        "aa/bb/aabb" + "0" * 28 + ".unfinished",
        "aa\\bb\\aabb" + "0" * 28 + ".jpg",
        "aa/bb/aabb" + "٠" * 28 + ".jpg",
        "aa/bb/aabb" + "0" * 27 + "\x00.jpg",
    ],
)
def test_other_names_lead_nowhere(store: FileStore, name: str) -> None:
    with pytest.raises(NotFound):
        store.path(name)
    with pytest.raises(NotFound):
        store.remove(name)


@pytest.mark.parametrize("suffix", ["", "jpg", "./x", ".jpg/../..", ".JPG", ".toolong"])
def test_other_endings_are_a_bug(store: FileStore, suffix: str) -> None:
    with pytest.raises(ValueError):
        store.save(b"", suffix)


def test_a_failed_write_leaves_nothing(store: FileStore, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(_handle: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    store.save(b"first", ".png")
    monkeypatch.setattr(os, "fsync", fail)
    with pytest.raises(Unavailable) as caught:
        store.save(b"abc", ".png")
    assert caught.value.reason == "disk-full"
    assert [place.read_bytes() for place in store.folder.glob("*/*/*")] == [b"first"]


def test_other_failures_are_not_hidden(tmp_path: Path) -> None:
    (tmp_path / "media").write_bytes(b"a file")
    with pytest.raises(OSError):
        FileStore(tmp_path / "media").save(b"abc", ".png")


def test_sweeping_takes_old_orphans_only(store: FileStore) -> None:
    kept, orphan, young = (store.save(b"x", ".jpg") for _ in range(3))
    unfinished = orphan.replace(".jpg", ".unfinished")
    (store.folder / unfinished).write_bytes(b"half")
    stranger = store.folder / "aa" / "bb" / "readme.txt"
    stranger.parent.mkdir(parents=True, exist_ok=True)
    stranger.write_bytes(b"of somebody else")
    for name in (kept, orphan, unfinished, "aa/bb/readme.txt"):
        age(store, name)

    removed = store.sweep({kept}.__contains__, OLD)

    assert set(removed) == {orphan, unfinished}
    assert set(store.names()) == {kept, young}
    assert stranger.exists()


def test_sweeping_nothing(store: FileStore) -> None:
    assert store.sweep(lambda _name: False, OLD) == []
    assert list(store.names()) == []
