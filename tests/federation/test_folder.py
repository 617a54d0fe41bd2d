"""The data folder is for the server alone, also where it was made otherwise before."""

from __future__ import annotations

from pathlib import Path

from fediblog.federation.site import make_folder


def test_a_folder_that_others_can_read_is_taken_from_them(tmp_path: Path) -> None:
    folder = tmp_path / "data"
    folder.mkdir(mode=0o755)
    folder.chmod(0o755)
    for name in ("secret", "fediblog.db", "fediblog.db-wal"):
        (folder / name).touch()
        (folder / name).chmod(0o644)
    make_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o750
    assert {path.stat().st_mode & 0o777 for path in folder.iterdir()} == {0o600}
    folder.chmod(0o700)
    make_folder(folder)
    assert folder.stat().st_mode & 0o777 == 0o700
