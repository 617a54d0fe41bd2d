"""What the server notes about itself, and what it counts for others."""

from __future__ import annotations

import asyncio

from fediblog.store.engine.database import Database
from fediblog.store.people import accounts, server_state
from fediblog.store.tx import Tx
from tests.store.makers import DAY, URLS, local, post, remote, whole


async def test_a_note_is_put_replaced_and_dropped(db: Database) -> None:
    await db.write(server_state.put, "origin", "one")
    await db.write(server_state.put, "origin", "two")
    assert await db.read(server_state.get, "origin") == "two"
    assert await db.read(server_state.get, "other") is None
    assert sorted(await asyncio.gather(*(db.write(server_state.drop, "origin") for _ in range(4)))) == [False] * 3 + [
        True
    ]
    assert await db.read(server_state.get, "origin") is None


async def test_usage_counts_people_posts_and_comments_of_ours(db: Database) -> None:
    def check(tx: Tx) -> None:
        accounts.create_local(tx, URLS, "instance", [], login=None)
        alice, ben, cleo, bob = local(tx, "alice"), local(tx, "ben"), local(tx, "cleo"), remote(tx)
        first = post(tx, alice)
        post(tx, alice, in_reply_to=whole(tx, first).uri)
        post(tx, ben, published=tx.now - 100 * DAY)
        post(tx, cleo, published=tx.now - 200 * DAY)
        post(tx, ben, state="draft", published=tx.now - 1)
        post(tx, bob)
        accounts.set_state(tx, cleo.id, "deleted")
        assert server_state.usage(tx) == {"people": 2, "month": 1, "half": 2, "posts": 3, "comments": 1}

    await db.write(check)
