"""How whoever reads us calls this program: as it was started, since it need not be where a shell looks for commands."""

from __future__ import annotations

import re
import shutil
from pathlib import Path

NAME = "fediblog"
_PLAIN = re.compile(r"[\w./+~-]+")  # what a shell, and the pattern of a message, take as it is


def called(started: str) -> str:
    """The word with which a command line begins; `started` is what ours began with (`sys.argv[0]`)."""
    if Path(started).name != NAME or not _PLAIN.fullmatch(started):
        return NAME
    found = shutil.which(NAME)
    return NAME if found is not None and Path(found).samefile(started) else started
