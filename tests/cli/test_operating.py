"""The operator's guide and the help name commands, options and settings that exist."""

from __future__ import annotations

import re
import shlex
from pathlib import Path

import pytest

from fediblog.cli.command import Command
from fediblog.cli.command_table import COMMANDS
from fediblog.cli.parser import build_parser
from fediblog.settings import Settings

DOCS = Path(__file__).parents[2] / "docs"
CALL = re.compile(r"(?:^|\s)(?:\S*/)?fediblog ((?:[a-z]+|--help|--version)\b.*)")

SHELL = re.compile(r"\$\([^)]*\)")  # what the shell puts in


def calls(text: str) -> list[list[str]]:
    """The words after `fediblog` in every line of the shell examples."""
    blocks = re.findall(r"^```sh\n(.*?)^```", text, re.M | re.S)
    lines = [
        line
        for block in blocks
        for line in block.splitlines()
        if not re.match(r"podman|journalctl|sudo -u postgres", line)
    ]
    found = [CALL.search(line) for line in lines if not line.startswith(("git", "useradd", "cp", "systemctl"))]
    return [shlex.split(SHELL.sub("X", each[1]), comments=True) for each in found if each]


@pytest.mark.parametrize("name", ["operating.md", "guide.md"])
def test_the_guides_show_commands_as_they_are(name: str) -> None:
    found = calls((DOCS / name).read_text())
    assert found
    for words in found:
        build_parser(COMMANDS).parse_args(words)


@pytest.mark.parametrize("command", COMMANDS, ids=lambda command: " ".join(command.words))
def test_the_examples_of_the_help_can_be_called(command: Command) -> None:
    for example in command.examples:
        (words,) = calls(f"```sh\n{example.partition('|')[2] or example}\n```")
        build_parser(COMMANDS).parse_args(words)


def test_the_guide_explains_every_setting_and_no_other() -> None:
    section = (DOCS / "operating.md").read_text().partition("\n## Settings\n")[2].partition("\n## ")[0]
    table = re.findall(r"^\| ((?:`[a-z_]+`(?:, )?)+) \| ", section, re.M)
    explained = {name.strip("` ") for row in table for name in row.split(",")}
    assert explained == set(Settings.__struct_fields__) - {"loopback_authorities"}
