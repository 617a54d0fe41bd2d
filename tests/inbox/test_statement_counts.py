"""What comes in most often asks the database little: each statement costs about as much as ten functions."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from fediblog.domain.documents import PUBLIC
from fediblog.store.people.accounts import _USUAL
from tests.federation.stranger import Home, Person, home
from tests.mastodon.counting import statements


def _activity(kind: str, at_home: Home, bob: Person, about: str) -> dict[str, Any]:
    if kind == "Follow":
        return bob.does("Follow", at_home.alice.uri)
    if kind == "Create":
        return bob.creates(bob.note(inReplyTo=about, cc=[at_home.alice.uri]))
    return bob.does(kind, about, to=[PUBLIC])


@pytest.mark.parametrize(("kind", "most"), [("Like", 6), ("Announce", 6), ("Create", 8), ("Follow", 13)])
async def test_an_activity_of_somebody_known_makes_few_statements(tmp_path: Path, kind: str, most: int) -> None:
    async with home(tmp_path) as at_home:
        bob = Person(at_home.web, "bob.test", "bob")
        await at_home.know(bob)
        post = await at_home.writes()
        activity = _activity(kind, at_home, bob, post.uri)
        with statements() as asked:
            assert (await at_home.send(bob, activity)).status == 202
        assert await at_home.count("notice") == 1
        assert len(asked) <= most, "\n".join(asked)


@pytest.mark.parametrize(
    ("uri", "host"),
    [
        ("https://a.example/u/1", "a.example"),
        ("https://a.example:8443/u/1", "a.example:8443"),
        ("http://a.example:4430", "a.example:4430"),
        ("https://a.example:443/u/1", None),
        ("http://a.example:80", None),
        ("https://a.example:0443/u/1", None),
        ("https://a.example:/u/1", None),
    ],
)
def test_the_host_of_a_usual_id_is_read_off(uri: str, host: str | None) -> None:
    found = _USUAL.match(uri)
    assert (found and found[1]) == host
