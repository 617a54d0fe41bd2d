"""An author takes back what was promised to those who quote."""

from __future__ import annotations

import pytest

from fediblog.actions import quote_actions
from fediblog.errors import NotFound
from fediblog.store.posts import quotes
from tests.actions.stage import URLS, Stage

QUOTING = "https://ben.test/posts/9"


async def granted(stage: Stage) -> tuple[int, str]:
    """An authorization for a post of Ben's, and the post of Ann's that it quotes."""
    post = await stage.publish()
    number = await stage.db.write(quotes.grant, post.id, stage.ben.id, QUOTING)
    assert number is not None
    return number, post.uri


async def test_taking_it_back_is_told_to_the_one_who_quotes_and_to_followers(stage: Stage) -> None:
    number, post = await granted(stage)
    await stage.do(quote_actions.revoke, stage.ann.id, number)
    sent = await stage.last()
    assert (sent.kind, sent.followers, sent.subject) == ("Delete", True, URLS.authorization(number))
    assert sent.inboxes == {"https://ben.test/inbox"}
    assert {key: sent.object[key] for key in ("id", "type", "attributedTo")} == {
        "id": URLS.authorization(number),
        "type": "QuoteAuthorization",
        "attributedTo": stage.ann.uri,
    }
    assert (sent.object["interactingObject"], sent.object["interactionTarget"]) == (QUOTING, post)
    assert "@context" not in sent.object
    assert await stage.db.read(quotes.standing, int(post.rsplit("/", 1)[1])) == []


async def test_it_is_taken_back_once(stage: Stage) -> None:
    number, _ = await granted(stage)
    await stage.do(quote_actions.revoke, stage.ann.id, number)
    before = len(await stage.sent())
    await stage.do(quote_actions.revoke, stage.ann.id, number)
    assert len(await stage.sent()) == before


async def test_only_the_author_can_take_it_back(stage: Stage) -> None:
    number, _ = await granted(stage)
    with pytest.raises(NotFound):
        await stage.do(quote_actions.revoke, stage.cem.id, number)
    with pytest.raises(NotFound):
        await stage.do(quote_actions.revoke, stage.ann.id, number + 1)
