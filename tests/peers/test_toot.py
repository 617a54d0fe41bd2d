"""toot against our server: the program as people run it, from signing in to deleting."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from PIL import Image

from tests.peers.api_server import PEOPLE, ApiServer, serving

PATIENCE = 30.0  # seconds; only a mistake waits so long


@dataclass(frozen=True, slots=True)
class Toot:
    """The program, and the folder in which it keeps what it knows."""

    server: ApiServer
    home: Path

    def run(self, *words: str) -> str:
        """What it prints."""
        done = subprocess.run(
            self._command(words),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self._surroundings(),
            check=False,
        )
        assert done.returncode == 0, f"{words}: {done.stdout}{done.stderr}"
        return done.stdout

    def json(self, *words: str) -> Any:
        """What it was answered."""
        return json.loads(self.run(*words, "--json"))

    def refused(self, *words: str) -> str:
        """What it says when it cannot do it."""
        done = subprocess.run(
            self._command(words),
            capture_output=True,
            text=True,
            timeout=PATIENCE,
            env=self._surroundings(),
            check=False,
        )
        assert done.returncode != 0
        return done.stderr

    def log_in(self, handle: str) -> None:
        """It shows an address, the person opens it and presses Allow, and types the code in."""
        process = subprocess.Popen(
            self._command(("login", "--instance", self.server.origin)),
            stdin=subprocess.PIPE,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            env=self._surroundings(),
        )
        assert process.stdin is not None
        assert process.stdout is not None
        try:
            url = next(line.strip() for line in process.stdout if line.startswith(self.server.origin))
            code = self.server.browser(PEOPLE[handle]).allow(url, handle)
            said, _ = process.communicate(f"n\n{code}\n", timeout=PATIENCE)
        finally:
            process.kill()
            process.wait()
        assert "Successfully logged in" in said
        assert process.returncode == 0

    def user(self, handle: str) -> str:
        return f"{handle}@{self.server.origin.removeprefix('http://')}"

    def _command(self, words: tuple[str, ...]) -> list[str]:
        return [sys.executable, "-m", "toot", *words]

    def _surroundings(self) -> dict[str, str]:
        own = {"HOME": str(self.home), "XDG_CONFIG_HOME": str(self.home / "config"), "NO_COLOR": "1", "COLUMNS": "200"}
        return {"PATH": os.environ["PATH"], "LANG": "C.UTF-8", **own}


@pytest.fixture(scope="module")
def toot(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Toot]:
    """toot with Alice and Bob signed in; Bob is who acts unless another one is named."""
    folder = tmp_path_factory.mktemp("toot")
    with serving(folder) as server:
        program = Toot(server, folder)
        program.log_in("alice")
        program.log_in("bob")
        yield program


def test_who_is_signed_in(toot: Toot) -> None:
    said = toot.run("auth")
    assert f"{toot.user('bob')} ACTIVE" in said
    assert toot.user("alice") in said
    toot.run("activate", toot.user("alice"))
    assert toot.json("whoami")["acct"] == "alice"
    toot.run("activate", toot.user("bob"))
    assert toot.json("whoami")["acct"] == "bob"
    assert toot.json("whois", "alice")["display_name"] == "Alice"
    assert toot.json("instance", toot.server.origin)["version"].startswith("4.5.0 ")
    assert "fediblog" in toot.run("instance", toot.server.origin)
    assert toot.json("update-account", "--display-name", "Bob B.", "--note", "Sings")["display_name"] == "Bob B."


def test_writing_and_reading(toot: Toot) -> None:
    picture = toot.home / "teal.png"
    Image.new("RGB", (40, 30), "teal").save(picture)
    words = ("--media", str(picture), "--description", "Teal", "--visibility", "public", "--language", "de")
    post = toot.json("post", "*Blau* #farben", *words, "--spoiler-text", "colour", "--content-type", "text/markdown")
    assert "<em>Blau</em>" in post["content"]
    assert (post["language"], post["spoiler_text"]) == ("de", "colour")
    assert post["media_attachments"][0]["description"] == "Teal"
    answer = toot.json("--as", toot.user("alice"), "post", "Sehr blau", "--reply-to", post["id"])
    assert answer["in_reply_to_id"] == post["id"]
    thread = toot.json("thread", post["id"])
    assert [each["id"] for each in thread["descendants"]] == [answer["id"]]
    assert "Sehr blau" in toot.run("thread", answer["id"])
    assert toot.json("status", answer["id"])["account"]["acct"] == "alice"
    for kind in (("public",), ("tag", "farben"), ("account", "bob")):
        assert post["id"] in [each["id"] for each in toot.json("timelines", *kind)], kind
    assert "#farben" in toot.run("timelines", "public", "--no-pager")
    found = toot.json("search", "farben")
    assert [each["name"] for each in found["hashtags"]] == ["farben"]


def test_a_poll_and_a_post_for_later(toot: Toot) -> None:
    options = ("--poll-option", "tea", "--poll-option", "coffee", "--poll-expires-in", "1d")
    poll = toot.json("post", "What?", *options)["poll"]
    assert [each["title"] for each in poll["options"]] == ["tea", "coffee"]
    voted = toot.json("--as", toot.user("alice"), "polls", "vote", poll["id"], "1")
    assert sum(each["votes_count"] for each in voted["options"]) == 1
    waits = toot.json("post", "Later", "--scheduled-in", "2h")
    assert waits["params"]["text"] == "Later"


def test_what_one_does_with_posts_and_people(toot: Toot) -> None:
    alice = ("--as", toot.user("alice"))
    assert toot.json(*alice, "follow", "bob")["following"]
    post = toot.json("post", "Hear, hear")
    assert post["id"] in [each["id"] for each in toot.json(*alice, "timelines", "home")]
    assert toot.json(*alice, "favourite", post["id"])["favourited"]
    assert toot.json(*alice, "reblog", post["id"])["reblog"]["id"] == post["id"]
    assert toot.json(*alice, "bookmark", post["id"])["bookmarked"]
    assert "Hear, hear" in toot.run(*alice, "bookmarks", "--once")
    assert [each["acct"] for each in toot.json("reblogged-by", post["id"])] == ["alice"]
    told = toot.json("notifications")
    assert [each["type"] for each in told[:3]] == ["reblog", "favourite", "follow"]
    assert "favourited" in toot.run("notifications")
    assert toot.json("pin", post["id"])["pinned"]
    assert toot.json(*alice, "mute", "bob")["muting"]
    assert not toot.json(*alice, "unmute", "bob")["muting"]
    assert "alice" in toot.run("followers", "bob")


def test_lists_tags_and_the_end(toot: Toot) -> None:
    alice = ("--as", toot.user("alice"))
    assert toot.json(*alice, "follow", "bob")["following"]
    assert toot.json(*alice, "lists", "create", "Choir")["title"] == "Choir"
    toot.run(*alice, "lists", "add", "Choir", "bob")
    assert "bob" in toot.run(*alice, "lists", "accounts", "Choir")
    assert [each["title"] for each in toot.json(*alice, "lists", "list")] == ["Choir"]
    assert toot.json(*alice, "tags", "follow", "opera")["following"]
    assert [each["name"] for each in toot.json(*alice, "tags", "followed")] == ["opera"]
    post = toot.json("post", "To be deleted")
    toot.run("delete", post["id"])
    assert "not found" in toot.refused("status", post["id"])
    toot.run("logout", toot.user("alice"))
    assert toot.user("alice") not in toot.run("auth")
