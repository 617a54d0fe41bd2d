"""Which commands are imported: those beside the one that was called. All would take longer than most commands do."""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.cli.command import Command


def commands_for(words: Sequence[str]) -> tuple[Command, ...]:
    """The commands that begin with the same word as this call; all of them, if it begins with none."""
    match words[0] if words else "":
        case "serve":
            from fediblog.cli import serve

            return serve.COMMANDS
        case "demo":
            from fediblog.cli import demo

            return demo.COMMANDS
        case "user" | "account":
            from fediblog.cli import account_commands

            return account_commands.COMMANDS
        case "post" | "follow" | "unfollow":
            from fediblog.cli import post_commands

            return post_commands.COMMANDS
        case "token" | "emoji" | "announce":
            from fediblog.cli import app_commands

            return app_commands.COMMANDS
        case "doctor":
            from fediblog.cli import doctor

            return doctor.COMMANDS
        case "go-live":
            from fediblog.cli import go_live

            return go_live.COMMANDS
        case "backup" | "restore" | "migrate":
            from fediblog.cli import database_commands

            return database_commands.COMMANDS
    from fediblog.cli import command_table

    return command_table.COMMANDS
