"""A call imports its own command and what that needs, and nothing else."""

from __future__ import annotations

import subprocess
import sys

import pytest

from fediblog.cli.called_commands import commands_for
from fediblog.cli.command import Command
from fediblog.cli.command_table import COMMANDS

# What a server needs for no answer, or not before somebody writes here.
LATER = {
    "PIL",
    "fediblog.cli.demo",
    "fediblog.cli.command_table",
    "httpx",
    "markdown_it",
    "psycopg",
    "pygments",
    "websockets",
}


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_each_call_knows_the_commands_that_begin_as_it_does(command: Command) -> None:
    word = command.words[0]
    found = commands_for([word])
    assert len(found) < len(COMMANDS)
    assert [each for each in found if each.words[0] == word] == [each for each in COMMANDS if each.words[0] == word]


@pytest.mark.parametrize("words", [(), ("--help",), ("fly",)])
def test_other_calls_know_them_all(words: tuple[str, ...]) -> None:
    assert commands_for(words) == COMMANDS


def test_a_server_starts_without_what_it_does_not_need_yet() -> None:
    code = (
        "import sys; from fediblog.cli import called_commands; called_commands.commands_for(['serve']);"
        " print(*sys.modules)"
    )
    ran = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True, timeout=60)
    assert LATER & set(ran.stdout.split()) == set()
