"""Who may comment: everybody, followers or nobody, and whom the post names in any case."""

from __future__ import annotations

import pytest

from fediblog.actions import post_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.posts import Post
from fediblog.errors import Invalid
from fediblog.federation import prepared_actions
from fediblog.store.posts import posts
from tests import wording
from tests.federation.pair import Pair
from tests.store.makers import comments_of


async def below(pair: Pair, post: Post) -> list[str]:
    """What stands below a post on its own server."""
    return [each.uri for each in await pair.world.read(pair.near, comments_of, post.id, 0)]


async def refusals(pair: Pair) -> list[str]:
    rows = await pair.world.read(pair.near, lambda tx: tx.all("select reason from refusal order by id"))
    return [row.reason for row in rows]


async def test_who_may_not_comment_is_refused(pair: Pair) -> None:
    await pair.follow()
    followers = await pair.publish("For those who follow", comments="followers")
    nobody = await pair.publish("No comments, please", comments="nobody")
    welcome = await pair.answer(followers, "May I?")
    assert await below(pair, followers) == [welcome.uri]
    assert await refusals(pair) == []
    with pytest.raises(Invalid):  # his own server knows it already
        await pair.answer(nobody, "But I must")
    await pair.world.sites[pair.far].db.write(lambda tx: tx.run("update post set policy = ''"))
    turned_away = await pair.answer(nobody, f"@{pair.ann.acct} but I must")
    assert await pair.here(turned_away) is None
    assert await below(pair, nobody) == []
    assert await refusals(pair) == ["comments-closed"]
    assert await pair.notices_of_ann() != []
    assert [each.kind for each in await pair.notices_of_ann()] == ["reply", "follow"]
    told = (await pair.world.get(pair.near, nobody.uri)).json()
    assert told["interactionPolicy"]["canReply"] == {"automaticApproval": [pair.ann.uri]}
    told = (await pair.world.get(pair.near, followers.uri)).json()
    assert told["interactionPolicy"]["canReply"] == {"automaticApproval": [pair.ann.followers]}


async def test_whom_the_post_names_may_always(pair: Pair) -> None:
    await pair.follow()
    named = await pair.publish(f"What do you think, @{pair.ben.acct}?", comments="nobody")
    answer = await pair.answer(named, "A lot")
    assert await below(pair, named) == [answer.uri]
    heard = await pair.here(answer)
    assert heard is not None
    again = await prepared_actions.publish(
        pair.world.sites[pair.near], pair.ann.id, Draft(source=f"@{pair.ben.acct} Go on", reply_to=heard.id)
    )
    await pair.world.settle()
    last = await pair.answer(again, "That was all")
    assert sorted(await below(pair, named)) == sorted([answer.uri, again.uri, last.uri])


async def test_closed_is_the_whole_thread_and_an_edit_can_open_it(pair: Pair) -> None:
    await pair.follow()
    post = await pair.publish("Comment, all of you")
    first = await pair.answer(post, "First")
    closing = Draft(source="Enough", comments="nobody")
    await pair.world.do(pair.near, wording.edit, pair.ann.id, post.id, closing)
    await pair.world.settle()
    there = await pair.there(first)
    assert there is not None
    deeper = await prepared_actions.publish(
        pair.world.sites[pair.far], pair.ben.id, Draft(source="And", reply_to=there.id)
    )
    await pair.world.settle()
    assert await pair.here(deeper) is None
    assert await below(pair, post) == [first.uri]
    await pair.world.do(pair.near, wording.edit, pair.ann.id, post.id, Draft(source="Enough, I said"))
    kept = await pair.here(post)
    assert kept is not None
    assert kept.repliable == "nobody"
    await pair.world.do(pair.near, wording.edit, pair.ann.id, post.id, Draft(source="Well", comments="public"))
    await pair.world.settle()
    late = await pair.answer(post, "Thank you")
    assert await below(pair, post) == [first.uri, late.uri]


async def test_our_own_people_are_told(pair: Pair) -> None:
    dora = await pair.world.person(pair.near, "dora")
    post = await pair.publish("For those who follow", comments="followers")
    closed = await pair.publish("No comments, please", comments="nobody")

    async def answers(who: int, to: Post) -> Post:
        return await pair.world.do(pair.near, wording.publish, who, Draft(source="x", reply_to=to.id))

    for to, reason in ((post, "Only followers"), (closed, "Comments are closed")):
        with pytest.raises(Invalid, match=reason):
            await answers(dora.id, to)
        await answers(pair.ann.id, to)
    waiting = Draft(source="x", reply_to=closed.id, state="draft")
    kept = await pair.world.do(pair.near, wording.publish, dora.id, waiting)
    assert kept.state == "draft"
    opened = await pair.publish("Open for now")
    at = pair.world.clock.now + 60_000
    later = Draft(source="later", reply_to=opened.id, state="scheduled", scheduled=at)
    put_off = await pair.world.do(pair.near, wording.publish, dora.id, later)
    await pair.world.do(pair.near, wording.edit, pair.ann.id, opened.id, Draft(source="Shut", comments="nobody"))
    await pair.world.do(pair.near, post_actions.release, put_off.id)
    found = await pair.world.read(pair.near, posts.stored, put_off.id)
    assert found is not None
    assert found.state == "draft"
