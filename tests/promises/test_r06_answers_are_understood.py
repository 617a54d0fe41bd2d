"""R6: what each status means for a message: final, gone, or later; a wait that was asked for is kept, up to a day."""

from __future__ import annotations

import pytest

from fediblog.actions import account_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.posts import Post
from fediblog.federation import prepared_actions
from fediblog.store.id_paging import Window
from fediblog.store.people import accounts, relation_lists
from tests.federation.pair import Pair
from tests.store import makers

FINAL = [400, 401, 403, 404, 405, 406, 413, 415, 422, 451, 501]
LATER = [408, 425, 429, 500, 502, 503, 504, 302, 307]


async def _send(pair: Pair, source: str = "Hello") -> Post:
    post = await prepared_actions.publish(pair.world.sites[pair.near], pair.ann.id, Draft(source=source))
    await pair.world.settle()
    return post


async def _state(pair: Pair, post: Post) -> tuple[int, int, int]:
    """Reached, failed, waiting."""
    found = await pair.world.read(pair.near, makers.sent, pair.world.sites[pair.near].urls.activity(post.id))
    assert found is not None
    return found.reached, found.failed, found.waiting


async def test_final(pair: Pair) -> None:
    for status in FINAL:
        pair.world.network.fail(pair.far, status, 2 if status in (400, 401) else 1)  # those are tried in both schemes
        post = await _send(pair, f"Refused with {status}")
        assert await _state(pair, post) == (0, 1, 0), status
        pair.world.clock.forward(days=1)
        await pair.world.settle()
        assert await pair.there(post) is None, status
        assert await _state(pair, await _send(pair, "The next one is taken")) == (1, 0, 0), status


async def test_later(pair: Pair) -> None:
    for status in LATER:
        pair.world.network.fail(pair.far, status)
        post = await _send(pair, f"Later after {status}")
        assert await _state(pair, post) == (0, 0, 1), status
        pair.world.clock.forward(minutes=1)
        await pair.world.settle()
        assert await _state(pair, post) == (1, 0, 0), status
        assert await pair.there(post) is not None, status


async def test_gone_inbox_of_a_living_actor_keeps_the_follower(pair: Pair) -> None:
    pair.world.network.fail(pair.far, 410)
    post = await _send(pair)
    assert await _state(pair, post) == (0, 1, 0)
    ben = await pair.ben_here()
    assert ben.state == "active"
    assert await pair.world.read(pair.near, relation_lists.followers, pair.ann.id, Window())


async def test_gone_inbox_of_a_gone_actor_ends_the_follow(pair: Pair) -> None:
    pair.world.network.down.add(pair.near)  # so that no Delete tells of it
    await pair.world.do(pair.far, account_actions.delete_account, pair.ben.id)
    await pair.world.settle()
    await pair.world.sites[pair.far].db.write(lambda tx: tx.run("delete from delivery"))  # then the actor is gone, too
    pair.world.network.fail(pair.far, 410)
    await _send(pair)
    assert not await pair.world.read(pair.near, relation_lists.followers, pair.ann.id, Window())
    gone = await pair.world.read(pair.near, accounts.by_uri, pair.ben.uri)
    assert gone is None or gone.state != "active"


@pytest.mark.parametrize("status", [429, 503])
async def test_retry_after(pair: Pair, status: int) -> None:
    for asked, seconds in (("600", 600), ("86400", 86_400), ("9999999", 86_400)):
        await _wait(pair, status, asked, seconds)


async def _wait(pair: Pair, status: int, asked: str, seconds: int) -> None:
    pair.world.network.sent.clear()
    pair.world.network.fail(pair.far, status, retry_after=asked)
    post = await _send(pair)
    pair.world.clock.forward(seconds=seconds - 1)
    await pair.world.settle()
    assert len(pair.world.network.posts(pair.far, "Create")) == 1
    pair.world.clock.forward(seconds=1)
    await pair.world.settle()
    assert await _state(pair, post) == (1, 0, 0)
