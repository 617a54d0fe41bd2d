"""Backup, restore, migrate and the doctor."""

from __future__ import annotations

import io
import json
import shutil
import stat
import tarfile
from pathlib import Path

import pytest

from fediblog.cli import backup_archive
from fediblog.errors import Refused
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from tests import postgres
from tests.cli.conftest import ORIGIN, PASSWORD, Run, Start
from tests.cli.test_commands import ask, picture
from tests.cli.test_serve import LOOPBACK, origin_of


@pytest.fixture
def data(begun: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "data"
    shutil.copytree(begun, folder)
    return folder


def names(path: Path) -> list[str]:
    with tarfile.open(path) as tar:
        return tar.getnames()


def test_a_backup_holds_everything_and_can_be_restored(run: Run, data: Path, tmp_path: Path) -> None:
    (data / "fediblog.toml").write_text('title = "My blog"\n')
    made = run(
        *("post", "alice", "--data", str(data), "--attach", picture(tmp_path / "a.png"), "--alt", "Teal"), stdin="Look"
    )
    (data / "media-cache" / "aa" / "bb").mkdir(parents=True)
    (data / "media-cache" / "aa" / "bb" / f"aabb{'0' * 28}.png").write_bytes(b"a copy of another server's")
    ran = run("backup", "copy.tar", "--data", str(data))
    assert ran.status == 0, ran.err
    assert f"copy.tar: all of {ORIGIN}, with " in ran.out
    held = names(tmp_path / "copy.tar")
    assert held[:2] == ["fediblog-backup.json", "fediblog.db"]
    assert {"secret", "fediblog.toml"} < set(held)
    assert any(name.startswith("media/") for name in held)
    assert not any(name.startswith("media-cache") for name in held)
    assert stat.S_IMODE((tmp_path / "copy.tar").stat().st_mode) == 0o600
    assert [path.name for path in tmp_path.iterdir() if path.name.startswith(".")] == []

    restored = run("restore", "copy.tar", "--data", "again")
    assert restored.status == 0, restored.err
    assert f"Restored {ORIGIN}" in restored.out
    again = tmp_path / "again"
    assert (again / "secret").read_text() == (data / "secret").read_text()
    assert (again / "fediblog.toml").read_text() == 'title = "My blog"\n'
    assert ask(again, posts.by_link, made.out.strip()) is not None
    pictures = {path.relative_to(data) for path in (data / "media").rglob("*.*")}
    assert pictures == {path.relative_to(again) for path in (again / "media").rglob("*.*")} != set()
    assert stat.S_IMODE((again / "fediblog.db").stat().st_mode) == 0o600
    assert run("post", "alice", "--data", "again", stdin="Life goes on").status == 0


def test_a_backup_while_the_server_runs(run: Run, start: Start, tmp_path: Path) -> None:
    process = start("serve", "--listen", LOOPBACK, "--data", "data")
    origin = origin_of(process)
    assert run("user", "add", "bob", "--data", "data", "--password-file", "-", stdin=PASSWORD).status == 0
    assert run("account", "add", "bob", "bob", "--data", "data").status == 0
    assert run("backup", "copy.tar", "--data", "data").status == 0
    assert process.end() == 0
    assert run("restore", "copy.tar", "--data", "again").status == 0
    found = ask(tmp_path / "again", accounts.local_by_handle, "bob")
    assert found.uri.startswith(origin)


def test_nothing_is_overwritten(run: Run, data: Path, tmp_path: Path) -> None:
    (tmp_path / "copy.tar").write_text("precious")
    ran = run("backup", "copy.tar", "--data", str(data))
    assert (ran.status, (tmp_path / "copy.tar").read_text()) == (1, "precious")
    assert run("backup", "good.tar", "--data", str(data)).status == 0
    into = run("restore", "good.tar", "--data", str(data))
    assert into.status == 1
    assert "is not empty" in into.err


def test_where_no_backup_can_be_written(run: Run, data: Path) -> None:
    ran = run("backup", "nowhere/copy.tar", "--data", str(data))
    assert ran.status == 2
    assert "No backup can be written" in ran.err


@pytest.mark.parametrize(
    ("damage", "message"),
    [("cut", "damaged"), ("text", "damaged or is no backup"), ("missing", "no file"), ("foreign", "not a backup")],
)
def test_a_bad_backup_leaves_the_folder_empty(run: Run, data: Path, tmp_path: Path, damage: str, message: str) -> None:
    path = tmp_path / "copy.tar"
    assert run("backup", "copy.tar", "--data", str(data)).status == 0
    if damage == "cut":
        path.write_bytes(path.read_bytes()[:60_000])
    elif damage == "text":
        path.write_text("no archive")
    elif damage == "missing":
        path.unlink()
    else:
        with tarfile.open(path, "w") as tar:
            tar.add(data / "secret", "secret")
    ran = run("restore", "copy.tar", "--data", "again")
    assert ran.status in (1, 2)
    assert message in ran.err
    assert list((tmp_path / "again").iterdir()) == []


@pytest.mark.parametrize("name", ["../outside", "/tmp/outside", "media/../../outside", "authorized_keys", "media/aa"])
def test_nothing_gets_out_of_the_folder(tmp_path: Path, name: str) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        manifest = backup_archive.Manifest(version="1", origin=ORIGIN, made=0)
        backup_archive.add_manifest(tar, manifest)
        member = tarfile.TarInfo(name)
        member.size = 4
        tar.addfile(member, io.BytesIO(b"evil"))
    (tmp_path / "into").mkdir()
    with pytest.raises(Refused, match="no backup of fediblog does"):
        backup_archive.unpack(tmp_path / "evil.tar", tmp_path / "into")


def test_a_link_in_an_archive_is_refused(tmp_path: Path) -> None:
    with tarfile.open(tmp_path / "evil.tar", "w") as tar:
        backup_archive.add_manifest(tar, backup_archive.Manifest(version="1", origin=ORIGIN, made=0))
        member = tarfile.TarInfo("secret")
        member.type, member.linkname = tarfile.SYMTYPE, "/etc/passwd"
        tar.addfile(member)
    (tmp_path / "into").mkdir()
    with pytest.raises(Refused, match="no backup of fediblog does"):
        backup_archive.unpack(tmp_path / "evil.tar", tmp_path / "into")


def test_a_backup_of_a_newer_version(run: Run, tmp_path: Path) -> None:
    text = json.dumps({"format": backup_archive.FORMAT + 1}).encode()
    with tarfile.open(tmp_path / "copy.tar", "w") as tar:
        member = tarfile.TarInfo(backup_archive.MANIFEST)
        member.size = len(text)
        tar.addfile(member, io.BytesIO(text))
    ran = run("restore", "copy.tar", "--data", "again")
    assert ran.status == 1
    assert "newer version" in ran.err


def test_restore_wants_its_folder_named(run: Run, data: Path) -> None:
    assert run("restore", "copy.tar").status == 2


@pytest.mark.postgres
def test_a_backup_moves_from_one_engine_to_the_other_and_back(
    run: Run, data: Path, tmp_path: Path, cluster: postgres.Cluster
) -> None:
    url = run("post", "alice", "--data", str(data), stdin="Hello").out.strip()
    assert run("backup", "one.tar", "--data", str(data)).status == 0
    name = cluster.create()
    there = ("--database", cluster.url(name))
    moved = run("restore", "one.tar", "--data", "served", *there)
    assert moved.status == 0, moved.err
    assert not (tmp_path / "served" / "fediblog.db").exists()
    assert "alice" in run("user", "list", "--data", "served", *there).out
    assert run("backup", "two.tar", "--data", "served", *there).status == 0
    assert "dump.jsonl" in names(tmp_path / "two.tar")
    back = run("restore", "two.tar", "--data", "back")
    assert back.status == 0, back.err
    assert ask(tmp_path / "back", posts.by_link, url) is not None
    assert not (tmp_path / "back" / "dump.jsonl").exists()
    full = run("restore", "one.tar", "--data", "third", *there)
    assert full.status == 2
    assert "not empty" in full.err
    cluster.drop(name)


def test_migrate(run: Run, data: Path) -> None:
    ran = run("migrate", "--data", str(data))
    assert ran.status == 0
    assert "The database has schema" in ran.out
    assert run("migrate", "--data", "nowhere").status == 2


def test_the_doctor_finds_a_running_trial_well(run: Run, start: Start) -> None:
    process = start("serve", "--listen", LOOPBACK, "--data", "data")
    origin = origin_of(process)
    assert run("user", "add", "alice", "--data", "data", "--password-file", "-", stdin=PASSWORD).status == 0
    assert run("account", "add", "alice", "alice", "--data", "data").status == 0
    ran = run("doctor", "--data", "data")
    assert ran.status == 0, ran.out
    assert f"{origin} answers" in ran.out
    assert "A server delivers" in ran.out
    assert f"@alice@{origin.removeprefix('http://')} is found" in ran.out
    assert "gives its document" in ran.out
    assert "All is well." in ran.out
    assert process.end() == 0


def test_the_doctor_says_what_is_wrong_and_what_to_do(run: Run, data: Path) -> None:
    ran = run("doctor", "--data", str(data))
    assert ran.status == 1
    assert "WRONG  worker     No server works with this folder" in ran.out
    assert "-> Start `fediblog serve`." in ran.out
    assert f"WRONG  address    {ORIGIN} cannot be reached" in ran.out
    assert "Wrong: 2." in ran.out


def test_a_damaged_database_is_said(run: Run, data: Path) -> None:
    path = data / "fediblog.db"
    whole = path.read_bytes()
    path.write_bytes(whole[:8192] + b"\xff" * 8192 + whole[16384:])
    ran = run("doctor", "--data", str(data))
    assert ran.status == 2
    assert "is damaged" in ran.err
