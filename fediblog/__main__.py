"""Where the program begins: `fediblog`, which is the same as `python -m fediblog`."""

from __future__ import annotations

import gc
import sys
from io import TextIOWrapper


def main() -> int:
    """Run one command; its exit status."""
    gc.disable()  # what is imported stays: to look for garbage in it takes a tenth of the start
    from fediblog.cli import main as run
    from fediblog.cli.called_commands import commands_for

    commands_for(sys.argv[1:])  # which imports them
    gc.enable()
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, TextIOWrapper):
            stream.reconfigure(errors="replace")  # of a terminal that has no letter for what we say
    return run()


if __name__ == "__main__":
    sys.exit(main())
