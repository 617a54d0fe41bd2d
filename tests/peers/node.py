"""Finds or installs the Node.js and npm packages that the peers written in JavaScript run on.

The npm package `node-linux-*` ships the Node.js program itself, so only `npm` has to be there beforehand.
Packages are installed when FEDIBLOG_NODE_PEERS=1 or FEDIBLOG_REQUIRE_NODE=1; what is installed already is used anyway.
With FEDIBLOG_REQUIRE_NODE=1 whatever is missing is a failure, not a skip.
"""

from __future__ import annotations

import functools
import json
import os
import re
import shutil
import subprocess
from pathlib import Path

import pytest

FOLDER = Path(__file__).parent / "fedify"
_OLDEST = 22  # Fedify's `engines`
_INSTALL_SECONDS = 300


class NodeMissing(Exception):
    """Node.js or a package cannot be had; the text says why."""


def _wanted(name: str) -> bool:
    return os.environ.get(name, "") not in ("", "0")


def _version(program: Path) -> int:
    answer = subprocess.run([program, "--version"], capture_output=True, text=True, timeout=30, check=False)
    found = re.match(r"v(\d+)\.", answer.stdout)
    return int(found[1]) if found else 0


@functools.cache
def find_node() -> Path | None:
    """A Node.js that Fedify runs on: the installed package's, else the machine's if it is new enough."""
    packaged = sorted(FOLDER.glob("node_modules/node-linux-*/bin/node"))
    system = shutil.which("node")
    candidates = [*packaged, *([Path(system)] if system else [])]
    return next((program for program in candidates if _version(program) >= _OLDEST), None)


def _versions(lock: Path) -> dict[str, str]:
    try:
        packages = json.loads(lock.read_text())["packages"]
    except FileNotFoundError:
        return {}
    return {path: package["version"] for path, package in packages.items() if path and not package.get("optional")}


def _installed(folder: Path) -> bool:
    """npm writes the inner file last, so a half-done installation counts as none."""
    return _versions(folder / "node_modules" / ".package-lock.json") == _versions(folder / "package-lock.json")


@functools.cache
def install(folder: Path = FOLDER) -> None:
    """Installs the packages once, as the lock file says. Raises NodeMissing."""
    if _installed(folder):
        return
    if not (_wanted("FEDIBLOG_NODE_PEERS") or _wanted("FEDIBLOG_REQUIRE_NODE")):
        raise NodeMissing(f"npm packages of tests/peers/{folder.name} are not installed; FEDIBLOG_NODE_PEERS=1 does it")
    npm = shutil.which("npm")
    if npm is None:
        raise NodeMissing("npm is not installed")
    done = subprocess.run(
        [npm, "ci"], cwd=folder, capture_output=True, text=True, timeout=_INSTALL_SECONDS, check=False
    )
    if done.returncode != 0:
        raise NodeMissing(f"npm ci failed: {done.stderr.strip()[-500:]}")
    find_node.cache_clear()


def skip_reason(*folders: Path) -> str | None:
    """Why the peer cannot run here, or None when it can. Installs what is missing if that is allowed."""
    try:
        for folder in (FOLDER, *folders):  # the first one brings Node.js itself
            install(folder)
    except (NodeMissing, subprocess.TimeoutExpired) as error:
        return str(error)
    if find_node() is None:
        return f"no Node.js of version {_OLDEST} or newer"
    return None


def require_node(*folders: Path) -> None:
    """Skips the running test if the peer cannot run, or fails it where FEDIBLOG_REQUIRE_NODE=1 says that it must."""
    reason = skip_reason(*folders)
    if reason is None:
        return
    if _wanted("FEDIBLOG_REQUIRE_NODE"):
        pytest.fail(reason)
    pytest.skip(reason)
