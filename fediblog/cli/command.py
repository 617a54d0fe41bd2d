"""What one command is: its words, what it says of itself, its arguments, and the function that does it."""

from __future__ import annotations

from argparse import ArgumentParser, Namespace
from collections.abc import Callable

from msgspec import Struct

# Settings that a command line may give, with what `--help` says of them.
OPTIONS: dict[str, tuple[str, str]] = {
    "data": ("FOLDER", "the folder of everything that must be kept (default: fediblog-data)"),
    "origin": ("URL", "the public address, such as https://blog.example"),
    "handle_domain": ("DOMAIN", "the domain in @you@domain, if it is not the address's host"),
    "database": ("URL", "postgresql://user@host/name instead of SQLite in the data folder"),
    "listen": ("WHERE", "host:port or unix:/path (default: 127.0.0.1:8080)"),
    "role": ("ROLE", "all, web (answers requests) or worker (delivers and fetches) (default: all)"),
    "log_level": ("LEVEL", "debug, info, warning or error (default: info)"),
}
SITE_OPTIONS = ("data", "origin", "handle_domain", "database")


def no_arguments(_parser: ArgumentParser) -> None:
    """For commands that take settings alone."""


class Command(Struct, frozen=True, kw_only=True):
    """One command. `run` returns the exit code, or None for 0."""

    words: tuple[str, ...]
    usage: str  # its arguments in short, for the list of commands
    help: str
    run: Callable[[Namespace], int | None]
    about: str = ""
    examples: tuple[str, ...] = ()
    arguments: Callable[[ArgumentParser], None] = no_arguments
    options: tuple[str, ...] = SITE_OPTIONS

    @property
    def line(self) -> str:
        """How it is called."""
        return " ".join((*self.words, self.usage)).strip()


def add_options(parser: ArgumentParser, names: tuple[str, ...]) -> None:
    """The settings that this command takes, as `--data` and so on."""
    group = parser.add_argument_group(
        "settings",
        "Also read from fediblog.toml in the data folder and from the environment (FEDIBLOG_DATA and so on).",
    )
    for name in names:
        metavar, text = OPTIONS[name]
        # `dest` of its own: a command may have an argument of the same name that is no setting.
        group.add_argument(f"--{name.replace('_', '-')}", dest=f"setting_{name}", metavar=metavar, help=text)
