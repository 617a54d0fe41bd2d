"""The one table of commands."""

from __future__ import annotations

from fediblog.cli import account_commands, app_commands, database_commands, demo, doctor, go_live, post_commands, serve
from fediblog.cli.command import Command

COMMANDS: tuple[Command, ...] = (
    *serve.COMMANDS,
    *go_live.COMMANDS,
    *demo.COMMANDS,
    *account_commands.COMMANDS,
    *post_commands.COMMANDS,
    *app_commands.COMMANDS,
    *doctor.COMMANDS,
    *database_commands.COMMANDS,
)
