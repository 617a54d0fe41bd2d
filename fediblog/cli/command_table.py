"""The one table of commands, and the parser that is made of it."""

from __future__ import annotations

from argparse import ArgumentParser

from fediblog.cli import account_commands, app_commands, database_commands, demo, doctor, parser, post_commands, serve
from fediblog.cli.command import Command

COMMANDS: tuple[Command, ...] = (
    *serve.COMMANDS,
    *demo.COMMANDS,
    *account_commands.COMMANDS,
    *post_commands.COMMANDS,
    *app_commands.COMMANDS,
    *doctor.COMMANDS,
    *database_commands.COMMANDS,
)


def build_parser() -> ArgumentParser:
    """The parser of the whole command line."""
    return parser.build_parser(COMMANDS)
