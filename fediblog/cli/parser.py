"""The parser of the command line, and the list of commands in its help."""

from __future__ import annotations

import shutil
import sys
import textwrap
from argparse import SUPPRESS, ArgumentParser, RawDescriptionHelpFormatter
from collections.abc import Sequence
from functools import partial
from typing import NoReturn

from fediblog import __version__
from fediblog.cli.command import Command, add_options

GROUPS = {
    "user": "people who sign in: add, change a password, list",
    "account": "the actors that others follow: add, delete, list",
    "emoji": "pictures that stand in posts where their names are written: add, list, remove",
}
_ABOUT = """A blog and microblog server in the fediverse, on a domain of your own.

To see what it does:        fediblog demo
To start your own:          fediblog serve --origin https://blog.example"""
_END = """`fediblog COMMAND --help` says more about each. Exit status: 0 done, 1 refused or something is wrong,
2 misused (the message says how it is meant)."""

_formatter = partial(
    RawDescriptionHelpFormatter, max_help_position=28, width=min(shutil.get_terminal_size().columns, 110)
)


class Parser(ArgumentParser):
    """One that also says where to read on."""

    def error(self, message: str) -> NoReturn:
        """Say what is wrong and how it is meant; exit status 2."""
        self.print_usage(sys.stderr)
        self.exit(2, f"{self.prog}: {message}\n`{self.prog} --help` says more.\n")


def listing(commands: Sequence[Command]) -> str:
    """The commands, one a line."""
    return "\n".join(f"  {command.line:34} {command.help}" for command in commands)


def build_parser(commands: Sequence[Command]) -> Parser:
    """The parser of a command line that may call these commands."""
    parser = Parser(
        prog="fediblog",
        usage="fediblog COMMAND [...]",
        description=_ABOUT,
        epilog=f"commands:\n{listing(commands)}\n\n{_END}",
        formatter_class=_formatter,
    )
    parser.add_argument("--version", action="version", version=f"fediblog {__version__}")
    top = parser.add_subparsers(metavar="COMMAND", required=True, help=SUPPRESS, prog="fediblog")
    groups = {}
    for command in commands:
        parent = top
        for word in command.words[:-1]:
            if word not in groups:
                about = GROUPS[word]
                group = top.add_parser(word, description=about.capitalize() + ".", formatter_class=_formatter)
                groups[word] = group.add_subparsers(metavar="COMMAND", required=True, title="commands")
            parent = groups[word]
        _add(parent.add_parser(command.words[-1], help=command.help, formatter_class=_formatter), command)
    return parser


def _add(parser: ArgumentParser, command: Command) -> None:
    about = command.about or f"{command.help[0].upper()}{command.help[1:]}."
    parser.description = textwrap.fill(about, 100)
    if command.examples:
        parser.epilog = "examples:\n" + "\n".join(f"  {line}" for line in command.examples)
    command.arguments(parser)
    if command.options:
        add_options(parser, command.options)
    parser.set_defaults(run=command.run, parser=parser)
