"""The command line: `main` turns words into an action, and failures into a sentence and an exit status."""

from __future__ import annotations

import os
import sys
from argparse import Namespace
from collections.abc import Sequence

from fediblog.cli.called_commands import commands_for
from fediblog.cli.parser import build_parser
from fediblog.cli.terminal import language, translated
from fediblog.errors import DAMAGED, Misuse, Refused, Unavailable, damage
from fediblog.log import printable

DONE, REFUSED, MISUSED, INTERRUPTED = 0, 1, 2, 130


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command. Returns 0 done, 1 refused or not possible now, 2 misused."""
    words = sys.argv[1:] if argv is None else argv
    try:
        args = _understood(words)
        status = args.run(args) or DONE
        sys.stdout.flush()
        return int(status)
    except SystemExit as end:  # argparse: --help, --version, or words that it cannot understand
        return end.code if isinstance(end.code, int) else MISUSED
    except Misuse as error:
        return _say(error.sentence(language()), MISUSED)
    except Refused as error:
        return _say(error.sentence(language()), REFUSED)
    except Unavailable as error:
        if error.reason == DAMAGED:  # which no later try will mend
            return _say(damage(error.detail).sentence(language()), MISUSED)
        return _say(translated("cli.not-now", what=error), REFUSED)
    except KeyboardInterrupt:
        return INTERRUPTED
    except BrokenPipeError:  # whoever read our output has enough of it
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return REFUSED


def _understood(words: Sequence[str]) -> Namespace:
    """What the words mean; what a command does not know is said with the usage of that command."""
    parser = build_parser(commands_for(words))
    if not words:
        parser.print_help(sys.stderr)
        parser.exit(MISUSED)
    args, unknown = parser.parse_known_args(words)
    if unknown:
        args.parser.error(translated("cli.not-understood", words=" ".join(unknown)))
    return args


def _say(message: str, status: int) -> int:
    print(f"fediblog: {printable(message)}", file=sys.stderr)
    return status
