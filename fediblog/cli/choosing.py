"""Which commands are imported: those beside the one that was called. All of them would take longer than most deeds."""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.cli.command import Command


def commands_for(words: Sequence[str]) -> tuple[Command, ...]:
    """The commands that begin with the same word as this call; all of them, if it begins with none."""
    match words[0] if words else "":
        case "serve":
            from fediblog.cli import serving

            return serving.COMMANDS
        case "demo":
            from fediblog.cli import demo

            return demo.COMMANDS
        case "user" | "account":
            from fediblog.cli import people

            return people.COMMANDS
        case "post" | "follow" | "unfollow":
            from fediblog.cli import writing

            return writing.COMMANDS
        case "token" | "emoji" | "announce":
            from fediblog.cli import apps

            return apps.COMMANDS
        case "doctor":
            from fediblog.cli import doctor

            return doctor.COMMANDS
        case "backup" | "restore" | "migrate":
            from fediblog.cli import upkeep

            return upkeep.COMMANDS
    from fediblog.cli import table

    return table.COMMANDS
