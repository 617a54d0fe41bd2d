"""R7: whoever gets several activities about one thing gets them in order, whatever fails on the way."""

from __future__ import annotations

import pytest

from fediblog.actions import post_actions
from fediblog.actions.drafts import Draft
from fediblog.store.queues import delivery_queue
from tests import wording
from tests.federation.pair import Pair


@pytest.mark.parametrize("failure", ["down", "500", "lost"])
async def test_create_then_update_then_delete(pair: Pair, failure: str) -> None:
    for fails_at in ("Create", "Update", "Delete"):
        await _tell(pair, failure, fails_at)


async def _tell(pair: Pair, failure: str, fails_at: str) -> None:
    world, network = pair.world, pair.world.network
    network.sent.clear()

    async def step(kind: str) -> None:
        if kind == fails_at:
            if failure == "down":
                network.down.add(pair.far)
            elif failure == "500":
                network.fail(pair.far, 500)
            else:
                network.lose(pair.far)
        await world.settle()

    post = await world.do(pair.near, wording.publish, pair.ann.id, Draft(source="one"))
    await step("Create")
    await world.do(pair.near, wording.edit, pair.ann.id, post.id, Draft(source="two"))
    await step("Update")
    await world.do(pair.near, post_actions.delete, pair.ann.id, post.id)
    await step("Delete")
    network.down.clear()
    for _ in range(6):
        world.clock.forward(hours=1)
        await world.settle()
    taken = [sent.kind for sent in network.posts(pair.far) if sent.status == 202]
    assert taken == ["Create", "Update", "Delete"]
    assert await pair.there(post) is None
    assert await world.read(pair.near, delivery_queue.waiting) == 0


async def test_one_thing_that_fails_holds_up_no_other(pair: Pair) -> None:
    world = pair.world
    world.network.fail(pair.far, 500)
    first = await world.do(pair.near, wording.publish, pair.ann.id, Draft(source="first"))
    await world.settle()
    world.clock.forward(minutes=1)
    second = await world.do(pair.near, wording.publish, pair.ann.id, Draft(source="second"))
    await world.settle()
    assert await pair.there(first) is not None
    assert await pair.there(second) is not None
