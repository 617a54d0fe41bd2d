"""The one table of commands, and the parser that is made of it."""

from __future__ import annotations

from argparse import ArgumentParser

from fediblog.cli import apps, demo, doctor, parsing, people, serving, upkeep, writing
from fediblog.cli.command import Command

COMMANDS: tuple[Command, ...] = (
    *serving.COMMANDS,
    *demo.COMMANDS,
    *people.COMMANDS,
    *writing.COMMANDS,
    *apps.COMMANDS,
    *doctor.COMMANDS,
    *upkeep.COMMANDS,
)


def build_parser() -> ArgumentParser:
    """The parser of the whole command line."""
    return parsing.build_parser(COMMANDS)
