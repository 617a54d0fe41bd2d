"""The contracts of `.importlinter` hold: floors, purity, no network inside a transaction, one door to the outside."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

CONTRACTS = Path(__file__).parents[1] / ".importlinter"
# In a process of its own: it sets logging up anew, for everybody who comes after it.
LINT = "import sys; from importlinter.cli import lint_imports; sys.exit(lint_imports(sys.argv[1], no_cache=True))"


def test_every_import_keeps_the_contracts() -> None:
    command = [sys.executable, "-c", LINT, str(CONTRACTS)]
    done = subprocess.run(command, cwd=CONTRACTS.parent, capture_output=True, text=True, timeout=120, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
