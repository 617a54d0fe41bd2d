"""One of the two servers of the demo: `fediblog serve`, but it may reach the other one on this machine."""

from __future__ import annotations

import sys
from pathlib import Path

from fediblog.cli.serve import serve
from fediblog.settings import Settings


def settings_of(folder: Path, own: str, other: str) -> Settings:
    """`own` and `other` are authorities such as 127.0.0.1:8001. No file and no environment can say this."""
    return Settings(data=folder, origin=f"http://{own}", listen=own, loopback_authorities=(own, other))


if __name__ == "__main__":
    sys.exit(serve(settings_of(Path(sys.argv[1]), sys.argv[2], sys.argv[3])))
