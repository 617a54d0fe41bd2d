"""A post with a date of the past: it stands at that date, and is sent to nobody; nor are its edits."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from fediblog.actions import post_actions
from fediblog.actions.drafts import Draft, PollDraft
from fediblog.domain.documents import Visibility
from fediblog.errors import Invalid
from fediblog.federation import prepared_actions
from fediblog.store.posts import account_posts
from tests.federation.pair import Pair

LONG_AGO = int(datetime(2019, 5, 17, 12, 0, tzinfo=UTC).timestamp() * 1000)


async def test_it_stands_at_its_date_and_is_sent_to_nobody(pair: Pair) -> None:
    await pair.follow()
    new = await pair.publish("New")
    before = len(pair.world.network.posts())
    old = await pair.publish(f"Old @ben@{pair.far}", title="From the drawer", dated=LONG_AGO)
    assert (old.published, old.url.endswith("/2019/05/from-the-drawer"), old.state) == (LONG_AGO, True, "published")
    assert old.is_dated_back
    near = pair.world.sites[pair.near]
    listed = await near.db.read(account_posts.written, pair.ann.id, 0)
    assert [each.id for each in listed] == [new.id, old.id]
    assert (await pair.world.get(pair.near, "/archive/2019/05", "text/html")).status_code == 200
    feed = (await pair.world.get(pair.near, "/feed.atom", "*/*")).text
    assert feed.index("New") < feed.index("From the drawer")
    pair.world.clock.forward(minutes=1)
    await prepared_actions.edit(near, pair.ann.id, old.id, Draft(source="Old and mended", title="From the drawer"))
    await pair.world.settle()
    await near.db.write(post_actions.delete, near.urls, pair.ann.id, old.id)
    await pair.world.settle()
    assert len(pair.world.network.posts()) == before
    assert [each.uri for each in await pair.stream()] == [new.uri]
    assert not await pair.notices_of_ben()


@pytest.mark.parametrize(
    ("fields", "key"),
    [
        ({"dated": 2**42}, "post.date-not-past"),
        ({"dated": 0}, "post.date-not-past"),
        ({"dated": LONG_AGO, "visibility": Visibility.DIRECT}, "post.dated-alone"),
        ({"dated": LONG_AGO, "poll": PollDraft(options=("a", "b"))}, "post.dated-alone"),
    ],
)
async def test_it_is_no_letter_and_asks_nothing(pair: Pair, fields: dict[str, object], key: str) -> None:
    near = pair.world.sites[pair.near]
    with pytest.raises(Invalid) as caught:
        await prepared_actions.publish(near, pair.ann.id, Draft(source="Old", **fields))  # type: ignore[arg-type]
    assert (caught.value.field, caught.value.key) == ("dated", key)


async def test_nobody_is_told_that_it_is_pinned(pair: Pair) -> None:
    await pair.follow()
    near = pair.world.sites[pair.near]
    old, before = await pair.publish("Old", dated=LONG_AGO), len(pair.world.network.posts())
    for action in (post_actions.pin, post_actions.unpin):
        await near.db.write(action, near.urls, pair.ann.id, old.id)
        await pair.world.settle()
    assert len(pair.world.network.posts()) == before
