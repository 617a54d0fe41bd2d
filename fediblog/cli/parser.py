"""The parser of the command line, and the list of commands in its help."""

from __future__ import annotations

import argparse
import shutil
import sys
import textwrap
from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from fediblog import __version__
from fediblog.cli.command import Command, add_options
from fediblog.cli.terminal import translated
from fediblog.messages import ENGLISH, PROGRAM, text

_formatter = partial(
    RawDescriptionHelpFormatter, max_help_position=28, width=min(shutil.get_terminal_size().columns, 110)
)


class Parser(ArgumentParser):
    """One that also says where to read on."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how it is meant; exit status 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {message}\n{translated('cli.see-help', command=self.prog)}\n")


# What argparse says by itself: its own English, which it has translated by a function `_`, is that of our catalogue.
_ARGPARSE = (
    *("argparse.usage", "argparse.arguments", "argparse.options", "argparse.help", "argparse.error", "argparse.one"),
    *("argparse.at-least-one", "argparse.required", "argparse.choice", "argparse.excludes", "argparse.ambiguous"),
    "argparse.ignored",
)


def translate() -> None:
    """Have argparse speak the language of who called us."""
    own = {text(ENGLISH, key): translated(key) for key in _ARGPARSE}
    setattr(argparse, "_", lambda said: own.get(said, said))  # noqa: B010 - a name that its types do not tell


def listing(commands: Sequence[Command]) -> str:
    """The commands, one a line."""
    return "\n".join(f"  {command.line:34} {command.help}" for command in commands)


def build_parser(commands: Sequence[Command]) -> Parser:
    """The parser of a command line that may call these commands."""
    translate()
    parser = Parser(
        prog=PROGRAM,
        usage=f"{PROGRAM} COMMAND [...]",
        description=translated("about.fediblog"),
        epilog=f"{translated('help.commands')}:\n{listing(commands)}\n\n{translated('help.exit-status')}",
        formatter_class=_formatter,
    )
    parser.add_argument(
        "--version", action="version", version=f"fediblog {__version__}", help=translated("argument.version")
    )
    top = parser.add_subparsers(metavar="COMMAND", required=True, help=SUPPRESS, prog=PROGRAM)
    groups = {}
    for command in commands:
        parent = top
        for word in command.words[:-1]:
            if word not in groups:
                group = top.add_parser(word, description=translated(f"help.{word}"), formatter_class=_formatter)
                groups[word] = group.add_subparsers(metavar="COMMAND", required=True, title=translated("help.commands"))
            parent = groups[word]
        _add(parent.add_parser(command.words[-1], help=command.help, formatter_class=_formatter), command)
    return parser


def _add(parser: ArgumentParser, command: Command) -> None:
    parser.description = textwrap.fill(command.about, 100)
    if command.examples:
        parser.epilog = f"{translated('help.examples')}:\n" + "\n".join(
            f"  {line.replace('fediblog ', f'{PROGRAM} ')}" for line in command.examples
        )
    command.arguments(parser)
    if command.options:
        add_options(parser, command.options)
    parser.set_defaults(run=command.run, parser=parser)
