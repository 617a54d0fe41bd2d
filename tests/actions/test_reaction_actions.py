"""Likes, boosts and votes of our people."""

from __future__ import annotations

from typing import Any

import pytest
from msgspec.structs import replace

from fediblog.actions import reaction_actions
from fediblog.actions.drafts import PollDraft
from fediblog.domain.documents import PUBLIC, Option, Poll, Visibility
from fediblog.domain.posts import Post
from fediblog.errors import Invalid, NotFound
from fediblog.store.posts import post_writing, reactions
from fediblog.store.queues import job_queue
from tests.actions.stage import URLS, Stage

QUESTION = Poll(options=(Option(name="Tea"), Option(name="Coffee")))


async def test_a_like_and_its_end(stage: Stage) -> None:
    post = await stage.remote_post(stage.ben)
    await stage.do(reaction_actions.like, stage.ann.id, post.id)
    await stage.do(reaction_actions.like, stage.ann.id, post.id)
    await stage.do(reaction_actions.unlike, stage.ann.id, post.id)
    await stage.do(reaction_actions.unlike, stage.ann.id, post.id)
    like, undo = await stage.sent()
    assert like.document["id"] == URLS.activity(like.number)
    assert (like.kind, like.document["object"], like.document["to"]) == ("Like", post.uri, [stage.ben.uri])
    assert undo.kind == "Undo"
    assert undo.object == {key: value for key, value in like.document.items() if key != "@context"}
    for sent in (like, undo):
        assert sent.inboxes == {stage.ben.shared_inbox}
        assert not sent.followers
    assert like.subject == undo.subject
    assert (await stage.post(post.id)).like_total == 0


async def test_a_like_at_home(stage: Stage) -> None:
    post = await stage.publish("Nice?", visibility=Visibility.UNLISTED)
    await stage.do(reaction_actions.like, stage.cem.id, post.id)
    assert [each.kind for each in await stage.told(stage.ann)] == ["like"]
    assert await stage.kinds() == ["Create"]
    await stage.do(reaction_actions.unlike, stage.cem.id, post.id)
    assert await stage.told(stage.ann) == []


async def test_a_boost_and_its_end(stage: Stage) -> None:
    await stage.follows(stage.cem, stage.ann)
    post = await stage.remote_post(stage.ben)
    await stage.do(reaction_actions.boost, stage.ann.id, post.id)
    await stage.do(reaction_actions.boost, stage.ann.id, post.id)
    assert await stage.stream(stage.cem) == [post.id]
    await stage.do(reaction_actions.unboost, stage.ann.id, post.id)
    await stage.do(reaction_actions.unboost, stage.ann.id, post.id)
    assert await stage.stream(stage.cem) == []
    announce, undo = await stage.sent()
    assert (announce.kind, announce.document["object"]) == ("Announce", post.uri)
    assert announce.document["to"] == [PUBLIC]
    assert announce.document["cc"] == [stage.ann.followers, stage.ben.uri]
    assert announce.document["published"]
    assert undo.kind == "Undo"
    assert (undo.object["type"], undo.object["id"]) == ("Announce", announce.document["id"])
    assert undo.object["object"] == post.uri
    for sent in (announce, undo):
        assert sent.followers
        assert sent.inboxes == {stage.ben.shared_inbox}


async def test_a_boost_of_our_own_people(stage: Stage) -> None:
    post = await stage.publish("Pass it on")
    await stage.do(reaction_actions.boost, stage.cem.id, post.id)
    assert [each.kind for each in await stage.told(stage.ann)] == ["boost"]
    assert (await stage.post(post.id)).boost_total == 1
    await stage.do(reaction_actions.unboost, stage.cem.id, post.id)
    assert await stage.told(stage.ann) == []


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.DIRECT])
async def test_what_is_not_for_everybody_cannot_be_boosted(stage: Stage, visibility: Visibility) -> None:
    await stage.follows(stage.ann, stage.ben)
    post = await stage.remote_post(stage.ben, visibility)
    with pytest.raises(Invalid):
        await stage.do(reaction_actions.boost, stage.ann.id, post.id)
    assert await stage.sent() == []


@pytest.mark.parametrize(
    "action", [reaction_actions.like, reaction_actions.unlike, reaction_actions.boost, reaction_actions.unboost]
)
async def test_what_one_cannot_see_is_not_there(stage: Stage, action: Any) -> None:
    hidden = await stage.remote_post(stage.ben, Visibility.FOLLOWERS)
    draft = await stage.publish("Not yet", state="draft")
    messages = set()
    for number in (hidden.id, draft.id, 12345):
        with pytest.raises(NotFound) as caught:
            await stage.do(action, stage.cem.id, number)
        messages.add(caught.value.message)
    assert len(messages) == 1
    assert await stage.sent() == []


async def remote_poll(stage: Stage, **more: Any) -> Post:
    poll = Poll(options=QUESTION.options, **more)
    return await stage.remote_post(stage.ben, kind="Question", poll=poll)


async def test_a_vote_elsewhere_is_a_note_with_a_name(stage: Stage) -> None:
    post = await remote_poll(stage)
    await stage.do(reaction_actions.vote, stage.ann.id, post.id, ["Tea"])
    sent = await stage.last()
    assert sent.kind == "Create"
    ballot = sent.object
    assert (ballot["type"], ballot["name"], ballot["inReplyTo"]) == ("Note", "Tea", post.uri)
    assert "content" not in ballot
    assert ballot["to"] == sent.document["to"] == [stage.ben.uri]
    assert sent.document["cc"] == []
    assert sent.inboxes == {stage.ben.inbox}  # nobody else's business
    with pytest.raises(Invalid):
        await stage.do(reaction_actions.vote, stage.ann.id, post.id, ["Coffee"])


async def test_the_end_of_a_poll_elsewhere_is_told_to_who_voted(stage: Stage) -> None:
    post = await remote_poll(stage, ends=stage.clock.now + 1000)
    await stage.do(reaction_actions.vote, stage.ann.id, post.id, ["Tea"])
    stage.clock.forward(seconds=1)
    (job,) = await stage.db.write(job_queue.claim)
    assert (job.kind, job.subject) == ("close-poll", str(post.id))
    await stage.do(reaction_actions.close_poll, post.id)
    assert [each.kind for each in await stage.told(stage.ann)] == ["poll"]
    assert await stage.kinds() == ["Create"]


async def test_a_poll_that_will_be_closed_is_open_until_then(stage: Stage) -> None:
    post = await remote_poll(stage, closed=stage.clock.now + 1000)
    await stage.do(reaction_actions.vote, stage.ann.id, post.id, ["Tea"])
    stage.clock.forward(seconds=1)
    (job,) = await stage.db.write(job_queue.claim)
    assert (job.kind, job.subject) == ("close-poll", str(post.id))
    with pytest.raises(Invalid):
        await stage.do(reaction_actions.vote, stage.cem.id, post.id, ["Tea"])


async def test_a_poll_elsewhere_that_was_given_more_time_has_not_ended(stage: Stage) -> None:
    post = await remote_poll(stage, ends=stage.clock.now + 1000)
    await stage.do(reaction_actions.vote, stage.ann.id, post.id, ["Tea"])
    assert post.poll is not None
    longer = replace(post.poll, ends=stage.clock.now + 60_000)
    await stage.db.write(post_writing.change_poll, post, longer)
    stage.clock.forward(seconds=1)
    (job,) = await stage.db.write(job_queue.claim)
    await stage.do(reaction_actions.close_poll, post.id)
    assert await stage.told(stage.ann) == []
    await stage.db.write(job_queue.done, job.id)
    stage.clock.forward(seconds=60)
    assert [each.kind for each in await stage.db.write(job_queue.claim)] == ["close-poll"]


async def test_several_votes_are_several_ballots(stage: Stage) -> None:
    post = await remote_poll(stage, multiple=True)
    await stage.do(reaction_actions.vote, stage.ann.id, post.id, ["Tea", "Coffee", "Tea"])
    sent = await stage.sent()
    assert [each.object["name"] for each in sent] == ["Tea", "Coffee"]
    assert len({each.object["id"] for each in sent}) == 2


@pytest.mark.parametrize(
    ("poll", "choices"),
    [
        ({}, []),
        ({}, ["Water"]),
        ({}, ["Tea", "Coffee"]),
        ({"ends": 1}, ["Tea"]),
        ({"closed": 1}, ["Tea"]),
    ],
)
async def test_votes_that_do_not_count(stage: Stage, poll: dict[str, Any], choices: list[str]) -> None:
    post = await remote_poll(stage, **poll)
    with pytest.raises(Invalid):
        await stage.do(reaction_actions.vote, stage.ann.id, post.id, choices)
    assert await stage.sent() == []


async def test_a_poll_of_ours_is_counted_told_later_and_closed(stage: Stage) -> None:
    post = await stage.publish("Which?", poll=PollDraft(options=("Tea", "Coffee"), seconds=600))
    with pytest.raises(Invalid):
        await stage.do(reaction_actions.vote, stage.ann.id, post.id, ["Tea"])  # her own
    await stage.do(reaction_actions.vote, stage.cem.id, post.id, ["Tea"])
    poll = (await stage.post(post.id)).poll
    assert poll is not None
    assert ([each.votes for each in poll.options], poll.voters) == ([1, 0], 1)
    assert await stage.kinds() == ["Create"]
    stage.clock.forward(ms=reactions.TALLY_DELAY)
    assert "send-counts" in [job.kind for job in await stage.db.write(job_queue.claim)]

    stage.clock.forward(seconds=600)
    await stage.db.write(reactions.vote, stage.dan.id, post.id, "Coffee", "https://dan.test/v/1")
    await stage.do(reaction_actions.close_poll, post.id)
    await stage.do(reaction_actions.close_poll, post.id)
    poll = (await stage.post(post.id)).poll
    assert poll is not None
    assert ([each.votes for each in poll.options], poll.closed) == ([1, 1], stage.clock.now)
    assert await stage.kinds() == ["Create", "Update"]
    assert [each.kind for each in await stage.told(stage.cem)] == ["poll"]
    sent = await stage.last()
    assert "closed" in sent.object
    assert "updated" not in sent.object
    with pytest.raises(Invalid):
        await stage.do(reaction_actions.vote, stage.cem.id, post.id, ["Coffee"])


async def test_a_boost_for_followers_alone(stage: Stage) -> None:
    post = await stage.remote_post(stage.ben)
    await stage.do(reaction_actions.boost, stage.ann.id, post.id, Visibility.FOLLOWERS)
    await stage.do(reaction_actions.unboost, stage.ann.id, post.id)
    announce, undo = await stage.sent()
    assert (announce.document["to"], announce.document["cc"]) == ([stage.ann.followers], [stage.ben.uri])
    assert (undo.object["to"], undo.object["cc"]) == ([stage.ann.followers], [stage.ben.uri])
    with pytest.raises(Invalid):
        await stage.do(reaction_actions.boost, stage.ann.id, post.id, Visibility.DIRECT)
