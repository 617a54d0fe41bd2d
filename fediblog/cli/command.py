"""What one command is: its words, what it says of itself, its arguments, and the function that does it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from msgspec import Struct

from fediblog.cli.terminal import translated
from fediblog.messages import known

# Settings that a command line may give, with the names of their values; the messages `setting.*` say what they are.
OPTIONS = {
    "data": "FOLDER",
    "origin": "URL",
    "handle_domain": "DOMAIN",
    "database": "URL",
    "listen": "WHERE",
    "role": "ROLE",
    "log_level": "LEVEL",
}
SITE_OPTIONS = ("data", "origin", "handle_domain", "database")


def no_arguments(_parser: ArgumentParser) -> None:
    """For commands that take settings alone."""


class Command(Struct, frozen=True, kw_only=True):
    """One command. `run` returns the exit code, or None for 0.

    What it is for stands in the catalogues: `help.<words>` in short, `about.<words>` at length where there
    is more to say.
    """

    words: tuple[str, ...]
    usage: str  # its arguments in short, for the list of commands
    run: Callable[[Namespace], int | None]
    examples: tuple[str, ...] = ()
    arguments: Callable[[ArgumentParser], None] = no_arguments
    options: tuple[str, ...] = SITE_OPTIONS

    @property
    def line(self) -> str:
        """How it is called."""
        return " ".join((*self.words, self.usage)).strip()

    @property
    def help(self) -> str:
        """What it is for, in a few words."""
        return translated(f"help.{'-'.join(self.words)}")

    @property
    def about(self) -> str:
        """What there is to know of it, in sentences."""
        key = f"about.{'-'.join(self.words)}"
        return translated(key) if known(key) else f"{self.help[0].upper()}{self.help[1:]}."


def add_options(parser: ArgumentParser, names: tuple[str, ...]) -> None:
    """The settings that this command takes, as `--data` and so on."""
    group = parser.add_argument_group(translated("help.settings"), translated("about.settings"))
    for name in names:
        # `dest` of its own: a command may have an argument of the same name that is no setting.
        group.add_argument(
            f"--{name.replace('_', '-')}",
            dest=f"setting_{name}",
            metavar=OPTIONS[name],
            help=translated(f"setting.{name}"),
        )
