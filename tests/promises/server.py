"""`fediblog serve` that may reach the tests' own servers on this machine: no file and no environment can say that."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Any

from fediblog.cli.serve import serve
from fediblog.settings import Settings


def settings_of(told: dict[str, Any]) -> Settings:
    """The settings from what a test says."""
    lists = {name: tuple(told[name]) for name in ("loopback_authorities", "trusted_proxies")}
    return Settings(**told | {"data": Path(told["data"]), **lists})


if __name__ == "__main__":
    sys.exit(serve(settings_of(json.loads(sys.stdin.readline()))))
