"""Every verb between two real servers: what one does, and what the other then knows."""

# long because: every verb in both directions stands in one place, to see that none is missing

from __future__ import annotations

import io
from collections.abc import Callable
from typing import Any

import pytest
from msgspec.structs import replace
from PIL import Image

from fediblog.actions import account_actions, follow_actions, moderation_actions, post_actions, reaction_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.drafts import Draft, File, PollDraft
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Forbidden, NotFound, Refused
from fediblog.federation import jobs, prepared_actions
from fediblog.federation.uploads import upload
from fediblog.store.people import accounts, relations
from fediblog.store.posts import account_posts, post_writing, posts, reaction_lists
from fediblog.store.queues import delivery_queue, job_queue
from fediblog.store.tx import Tx
from tests import wording
from tests.federation.pair import Pair
from tests.remote_accounts import save_remote
from tests.store.makers import comments_of, home_of, notices_of
from tests.world import ask

MINUTES = 60


def add_copy(tx: Tx, account: Account) -> None:
    """An account as another server knows it."""
    save_remote(tx, account, account.domain)


def kinds(found: list[Any]) -> list[str]:
    return [each.kind for each in found]


async def replay(pair: Pair, host: str, times: int = 1) -> None:
    """Every activity that a host got so far arrives again."""
    for sent in list(pair.world.network.posts(host)) * times:
        response = await ask(pair.world.network.apps[host], "POST", sent.url, sent.headers, sent.body)
        assert response.status_code < 500
    await pair.world.settle()


# --- links of profiles ---


async def test_profiles_that_link_to_each_other_are_verified_on_both_servers(pair: Pair) -> None:
    async def says(host: str, account: Account, *fields: tuple[str, str]) -> None:
        await pair.world.do(host, wording.update_profile, account.id, ProfileChanges(name="x", fields=fields))

    async def verified(host: str, account: Account) -> list[bool]:
        await pair.world.settle()
        return [each.verified is not None for each in (await pair.copy_of(host, account)).fields]

    await says(pair.near, pair.ann, ("Ben", pair.ben.url), ("Home", "https://nobody.test/"))
    assert await verified(pair.near, pair.ann) == [False, False]
    await says(pair.far, pair.ben, ("Ann", f"[my other blog]({pair.ann.url})"))
    assert await verified(pair.far, pair.ben) == [True]
    await says(pair.near, pair.ann, ("Ben", pair.ben.url), ("Home", "https://nobody.test/"))
    assert await verified(pair.near, pair.ann) == [True, False]


# --- follows ---


async def test_follow(pair: Pair) -> None:
    await pair.follow()
    assert (await pair.at_ben()).following
    assert (await pair.at_ann()).following
    assert kinds(await pair.notices_of_ann()) == ["follow"]


@pytest.mark.parametrize("answer", ["forbidden", "unreachable"])
async def test_a_follow_that_is_refused_for_good_is_no_request_any_more(pair: Pair, answer: str) -> None:
    if answer == "forbidden":
        pair.world.network.fail(pair.near, 403)
    await pair.world.sites[pair.far].db.write(add_copy, pair.ann)
    if answer == "unreachable":
        pair.world.network.down.add(pair.near)
    await pair.world.do(pair.far, follow_actions.follow, pair.ben.id, (await pair.ann_there()).id)
    assert (await pair.at_ben()).requested
    await pair.world.settle()
    for _ in range(12 if answer == "unreachable" else 0):
        pair.world.clock.forward(days=1)
        await pair.world.settle()
    assert not (await pair.at_ben()).requested


async def test_unfollow(pair: Pair) -> None:
    await pair.follow()
    await pair.world.do(pair.far, follow_actions.unfollow, pair.ben.id, (await pair.ann_there()).id)
    await pair.world.settle()
    assert not (await pair.at_ann()).following
    before = len(pair.world.network.posts())
    await pair.publish("for whom?")
    assert len(pair.world.network.posts()) == before


async def lock(pair: Pair) -> None:
    await pair.world.do(pair.near, wording.update_profile, pair.ann.id, ProfileChanges(name="Ann", locked=True))


async def test_a_locked_account_is_asked(pair: Pair) -> None:
    await lock(pair)
    await pair.follow()
    assert (await pair.at_ben()).requested
    assert (await pair.at_ann()).requested
    assert kinds(await pair.notices_of_ann()) == ["follow_request"]
    await pair.publish("not yet", visibility=Visibility.FOLLOWERS)
    assert await pair.stream() == []

    await pair.world.do(pair.near, follow_actions.accept, pair.ann.id, (await pair.ben_here()).id)
    await pair.world.settle()
    assert (await pair.at_ben()).following
    assert (await pair.at_ann()).following
    await pair.publish("now", visibility=Visibility.FOLLOWERS)
    assert len(await pair.stream()) == 1


async def test_a_request_is_refused(pair: Pair) -> None:
    await lock(pair)
    await pair.follow()
    await pair.world.do(pair.near, follow_actions.refuse, pair.ann.id, (await pair.ben_here()).id)
    await pair.world.settle()
    at_ben = await pair.at_ben()
    assert (at_ben.following, at_ben.requested) == (False, False)
    await pair.follow()  # one may ask again
    assert (await pair.at_ann()).requested


async def test_a_request_is_taken_back(pair: Pair) -> None:
    await lock(pair)
    await pair.follow()
    await pair.world.do(pair.far, follow_actions.unfollow, pair.ben.id, (await pair.ann_there()).id)
    await pair.world.settle()
    assert not (await pair.at_ann()).requested
    assert await pair.notices_of_ann() == []


async def test_a_follower_is_removed(pair: Pair) -> None:
    await pair.follow()
    await pair.world.do(pair.near, follow_actions.remove_follower, pair.ann.id, (await pair.ben_here()).id)
    await pair.world.settle()
    assert not (await pair.at_ben()).following


# --- posts ---


@pytest.mark.parametrize("visibility", [Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS])
async def test_a_post_reaches_followers(pair: Pair, visibility: Visibility) -> None:
    await pair.follow()
    stranger = await pair.world.person(pair.far, "cem")
    post = await pair.publish("Hello *world* #Cats", visibility=visibility, language="en")
    (found,) = await pair.stream()
    assert (found.uri, found.visibility, found.language) == (post.uri, visibility, "en")
    assert "<em>world</em>" in found.content
    assert found.hashtags == ("Cats",)
    seen = await pair.world.read(pair.far, posts.get, found.id, stranger.id)
    assert (seen is not None) == (visibility != Visibility.FOLLOWERS)
    response = await pair.world.get(pair.near, post.uri)
    assert response.status_code == (404 if visibility == Visibility.FOLLOWERS else 200)


async def test_a_direct_post_reaches_only_whom_it_names(pair: Pair) -> None:
    await pair.follow()
    stranger = await pair.world.person(pair.far, "cem")
    before = len(pair.world.network.posts())
    post = await pair.publish(f"@{pair.ben.acct} psst", visibility=Visibility.DIRECT)
    (sent,) = pair.world.network.posts()[before:]
    assert sent.url == pair.ben.inbox
    found = await pair.there(post)
    assert found is not None
    assert found.visibility == Visibility.DIRECT
    assert kinds(await pair.notices_of_ben()) == ["mention"]
    assert await pair.world.read(pair.far, posts.get, found.id, stranger.id) is None
    assert await pair.world.read(pair.far, posts.get, found.id, pair.ben.id) is not None
    assert (await pair.world.get(pair.near, post.uri)).status_code == 404


async def test_a_mention_reaches_somebody_who_does_not_follow(pair: Pair) -> None:
    post = await pair.publish(f"Hello @{pair.ben.acct}, you?")
    (notice,) = await pair.notices_of_ben()
    assert notice.kind == "mention"
    assert notice.post is not None
    assert notice.post.uri == post.uri
    assert await pair.stream() == []


async def test_an_article_arrives_whole(pair: Pair) -> None:
    await pair.follow()
    post = await pair.publish("# One\n\nText with `code`.", title="On *things*", summary="In short.", warning="long")
    (found,) = await pair.stream()
    assert (found.kind, found.title, found.warning) == ("Article", post.title, "long")
    assert found.summary == "In short."
    assert "<code>code</code>" in found.content
    assert found.url == post.url
    assert "/@ann/" in found.url


async def test_a_picture_comes_along_with_its_description(pair: Pair) -> None:
    await pair.follow()
    picture = io.BytesIO()
    Image.new("RGB", (320, 200), "teal").save(picture, "PNG")
    stored = await upload(pair.world.sites[pair.near], pair.ann.id, picture.getvalue())
    await pair.publish("Look", files=(File(upload=stored.id, alt="All teal", focus=(0.5, -0.5)),))
    (found,) = await pair.stream()
    (attachment,) = found.attachments
    assert (attachment.alt, attachment.width, attachment.height) == ("All teal", 320, 200)
    assert attachment.focus == (0.5, -0.5)
    assert attachment.blurhash
    response = await pair.world.get(pair.near, attachment.url, "*/*")
    assert response.status_code == 200
    assert response.headers["content-type"] == attachment.media_type


async def test_an_answer_and_its_answer(pair: Pair) -> None:
    await pair.follow()
    await pair.follow_back()
    post = await pair.publish("First")
    answer = await pair.answer(post, "Second")
    here = await pair.here(answer)
    assert here is not None
    assert here.parent == post.id
    assert kinds(await pair.notices_of_ann()) == ["reply", "follow"]

    back = await prepared_actions.publish(
        pair.world.sites[pair.near], pair.ann.id, Draft(source="Third", reply_to=here.id)
    )
    await pair.world.settle()
    there = await pair.there(back)
    first = await pair.there(post)
    assert there is not None
    assert first is not None
    assert (there.parent, there.root) == (answer.id, first.id)
    assert kinds(await pair.notices_of_ben())[0] == "reply"
    assert {each.uri for each in await pair.world.read(pair.near, comments_of, post.id)} == {
        answer.uri,
        back.uri,
    }
    assert {answer.context, back.context, post.context} == {post.context}


async def test_an_answer_to_a_private_post_stays_private(pair: Pair) -> None:
    await pair.follow()
    post = await pair.publish(f"@{pair.ben.acct} psst", visibility=Visibility.DIRECT)
    answer = await pair.answer(post, "what?", visibility=Visibility.PUBLIC)
    here = await pair.here(answer)
    assert here is not None
    assert here.visibility == Visibility.DIRECT


async def test_an_edit_arrives_and_the_past_is_kept(pair: Pair) -> None:
    await pair.follow()
    post = await pair.publish("Frist")
    pair.world.clock.forward(minutes=5)
    site = pair.world.sites[pair.near]
    await prepared_actions.edit(site, pair.ann.id, post.id, Draft(source=f"First, @{pair.ben.acct}"))
    await pair.world.settle()
    (found,) = await pair.stream()
    assert "First," in found.content
    assert found.updated == pair.world.clock.now
    (revision,) = await pair.world.read(pair.far, post_writing.revisions, found.id)
    assert "Frist" in revision.content
    assert kinds(await pair.notices_of_ben()) == ["mention"]


async def test_what_is_deleted_is_gone_everywhere_and_stays_so(pair: Pair) -> None:
    await pair.follow()
    post = await pair.publish("Oops")
    await pair.world.do(pair.near, post_actions.delete, pair.ann.id, post.id)
    await pair.world.settle()
    assert await pair.stream() == []
    assert await pair.there(post) is None
    response = await pair.world.get(pair.near, post.uri)
    assert response.status_code == 410
    assert response.json()["type"] == "Tombstone"
    await replay(pair, pair.far)
    assert await pair.there(post) is None


async def test_a_draft_stays_at_home_and_a_scheduled_post_comes_in_its_time(pair: Pair) -> None:
    await pair.follow()
    before = len(pair.world.network.posts())
    draft = await pair.publish("Not yet", state="draft")
    later = pair.world.clock.now + 3_600_000
    scheduled = await pair.publish("In an hour", state="scheduled", scheduled=later)
    for hidden in (draft, scheduled):
        assert (await pair.world.get(pair.near, hidden.uri)).status_code == 404
    assert len(pair.world.network.posts()) == before
    pair.world.clock.forward(hours=1)
    await pair.world.settle()
    (found,) = await pair.stream()
    assert (found.uri, found.published) == (scheduled.uri, later)
    assert (await pair.world.get(pair.near, draft.uri)).status_code == 404


async def test_pins(pair: Pair) -> None:
    await pair.follow()
    post = await pair.publish("Read this first")

    async def pinned() -> list[str]:
        there = await pair.ann_there()
        return [each.uri for each in await pair.world.read(pair.far, account_posts.pinned, there.id)]

    await pair.world.do(pair.near, post_actions.pin, pair.ann.id, post.id)
    await pair.world.settle()
    assert await pinned() == [post.uri]
    featured = (await pair.world.get(pair.near, pair.ann.featured)).json()
    assert post.uri in str(featured["orderedItems"])
    await pair.world.do(pair.near, post_actions.unpin, pair.ann.id, post.id)
    await pair.world.settle()
    assert await pinned() == []


# --- reactions ---


async def test_likes_come_and_go(pair: Pair) -> None:
    await pair.follow()
    post = await pair.publish("Nice?")
    there = await pair.there(post)
    assert there is not None
    await pair.world.do(pair.far, reaction_actions.like, pair.ben.id, there.id)
    await pair.world.settle()
    here = await pair.here(post)
    assert here is not None
    assert here.like_total == 1
    assert kinds(await pair.notices_of_ann()) == ["like", "follow"]
    await pair.world.do(pair.far, reaction_actions.unlike, pair.ben.id, there.id)
    await pair.world.settle()
    here = await pair.here(post)
    assert here is not None
    assert here.like_total == 0
    assert kinds(await pair.notices_of_ann()) == ["follow"]


async def test_a_boost_reaches_the_author_and_the_followers_of_the_booster(pair: Pair) -> None:
    await pair.follow()
    reader = await pair.world.person(pair.near, "cem")
    await prepared_actions.follow(pair.world.sites[pair.near], reader.id, f"@{pair.ben.acct}")
    await pair.world.settle()
    post = await pair.publish("Pass it on")
    there = await pair.there(post)
    assert there is not None
    await pair.world.do(pair.far, reaction_actions.boost, pair.ben.id, there.id)
    await pair.world.settle()
    here = await pair.here(post)
    assert here is not None
    assert here.boost_total == 1
    assert "boost" in kinds(await pair.notices_of_ann())
    (item,) = await pair.world.read(pair.near, home_of, reader.id)
    assert item.post.id == post.id
    assert item.booster is not None
    assert item.booster.uri == pair.ben.uri

    await pair.world.do(pair.far, reaction_actions.unboost, pair.ben.id, there.id)
    await pair.world.settle()
    assert await pair.world.read(pair.near, home_of, reader.id) == []
    assert "boost" not in kinds(await pair.notices_of_ann())


async def test_a_poll_is_voted_in_counted_told_and_closed(pair: Pair) -> None:
    await pair.follow()
    question = PollDraft(options=("Tea", "Coffee"), seconds=3600)
    post = await pair.publish("Which?", poll=question)
    there = await pair.there(post)
    assert there is not None
    assert there.kind == "Question"
    await pair.world.do(pair.far, reaction_actions.vote, pair.ben.id, there.id, ["Tea"])
    await pair.world.settle()
    here = await pair.here(post)
    assert here is not None
    assert here.poll is not None
    assert [(each.name, each.votes) for each in here.poll.options] == [("Tea", 1), ("Coffee", 0)]
    assert here.poll.voters == 1
    assert await pair.world.read(pair.near, comments_of, post.id) == []  # a vote is no answer

    pair.world.clock.forward(minutes=3)
    await pair.world.settle()
    there = await pair.there(post)
    assert there is not None
    assert there.poll is not None
    assert [each.votes for each in there.poll.options] == [1, 0]
    assert there.updated is None

    pair.world.clock.forward(hours=1)
    await pair.world.settle()
    there = await pair.there(post)
    assert there is not None
    assert there.poll is not None
    assert there.poll.closed is not None
    assert kinds(await pair.notices_of_ben()) == ["poll"]


# --- people ---


async def test_a_block_ends_what_was_between_the_two(pair: Pair) -> None:
    await pair.follow()
    await pair.follow_back()
    ben_here = await pair.ben_here()
    await pair.world.do(pair.near, moderation_actions.block, pair.ann.id, ben_here.id)
    await pair.world.settle()
    for relation in (await pair.at_ann(), await pair.at_ben()):
        assert not relation.following
        assert not relation.followed_by
    with pytest.raises(Refused):
        await prepared_actions.follow(pair.world.sites[pair.far], pair.ben.id, f"@{pair.ann.acct}")
    before = len(pair.world.network.posts())
    await pair.publish("without you")
    assert len(pair.world.network.posts()) == before

    await pair.world.do(pair.near, moderation_actions.unblock, pair.ann.id, ben_here.id)
    await pair.world.settle()
    await pair.follow()
    assert (await pair.at_ann()).following


async def test_a_mute_is_nobody_elses_business(pair: Pair) -> None:
    await pair.follow()
    before = len(pair.world.network.posts())
    await pair.world.do(pair.far, moderation_actions.mute, pair.ben.id, (await pair.ann_there()).id)
    await pair.world.settle()
    assert len(pair.world.network.posts()) == before
    post = await pair.publish(f"Do you hear me, @{pair.ben.acct}?")
    assert await pair.stream() == []
    assert await pair.notices_of_ben() == []
    assert await pair.there(post) is not None


async def test_a_blocked_server_is_neither_heard_nor_told(pair: Pair) -> None:
    await pair.follow()
    await pair.world.do(pair.far, moderation_actions.block_host, pair.near)
    post = await pair.publish("Anybody there?")
    assert await pair.there(post) is None
    await pair.world.do(pair.far, moderation_actions.unblock_host, pair.near)
    await pair.world.do(pair.near, moderation_actions.block_host, pair.far)
    before = len(pair.world.network.posts(pair.far))
    await pair.publish("Not for you")
    assert len(pair.world.network.posts(pair.far)) == before


async def test_a_new_name_is_told(pair: Pair) -> None:
    await pair.follow()
    profile = ProfileChanges(name="Ann the Second", summary="I *am*.", fields=(("Home", "https://ann.test"),), bot=True)
    await pair.world.do(pair.near, wording.update_profile, pair.ann.id, profile)
    await pair.world.settle()
    there = await pair.ann_there()
    assert (there.name, there.kind) == ("Ann the Second", "Service")
    assert "<em>am</em>" in there.summary
    assert [each.name for each in there.fields] == ["Home"]


async def test_a_move_takes_the_followers_along(pair: Pair) -> None:
    await pair.follow()
    new = await pair.world.person(pair.far, "ann2")
    await prepared_actions.add_alias(pair.world.sites[pair.far], new.id, f"@{pair.ann.acct}")
    await prepared_actions.move(pair.world.sites[pair.near], pair.ann.id, f"@{new.acct}")
    await pair.world.settle()
    relation = await pair.world.read(pair.far, relations.between, pair.ben.id, new.id)
    assert relation.following
    there = await pair.ann_there()
    assert there.moved_to == new.uri
    assert "move" in kinds(await pair.notices_of_ben())


@pytest.mark.parametrize("to", ["here", "there"])
async def test_a_move_takes_our_own_followers_along_too(pair: Pair, to: str) -> None:
    """Cem, Dan and the new account itself live where Ann does; Dan is blocked by the new one."""
    world = pair.world
    host = pair.near if to == "here" else pair.far
    new = await world.person(host, "ann2")
    cem, dan = await world.person(pair.near, "cem"), await world.person(pair.near, "dan")
    near, target = world.sites[pair.near], f"@{new.acct}"
    for each in (cem, dan):
        await prepared_actions.follow(near, each.id, f"@{pair.ann.acct}")
    await prepared_actions.add_alias(world.sites[host], new.id, f"@{pair.ann.acct}")
    if to == "here":
        await prepared_actions.follow(near, new.id, f"@{pair.ann.acct}")
        await world.do(pair.near, moderation_actions.block, new.id, dan.id)
    await prepared_actions.move(near, pair.ann.id, target)
    await world.settle()
    there = await pair.copy_of(pair.near, new)

    async def follows(who: Account, whom: Account) -> bool:
        return (await world.read(pair.near, relations.between, who.id, whom.id)).following

    assert await follows(cem, there)
    assert await follows(dan, there) is (to == "there")
    for each in (cem, dan, there):
        assert not await follows(each, pair.ann)
    assert kinds(await world.read(pair.near, notices_of, cem.id)) == ["move"]


async def test_nobody_moves_to_an_account_that_does_not_say_so(pair: Pair) -> None:
    await pair.follow()
    new = await pair.world.person(pair.far, "ann2")
    with pytest.raises(Refused):
        await prepared_actions.move(pair.world.sites[pair.near], pair.ann.id, f"@{new.acct}")


async def test_a_deleted_account_takes_everything_with_it(pair: Pair) -> None:
    await pair.follow()
    post = await pair.publish("Farewell")
    await pair.world.do(pair.near, account_actions.delete_account, pair.ann.id)
    await pair.world.settle()
    assert await pair.stream() == []
    assert await pair.there(post) is None
    assert (await pair.ann_there()).state == "deleted"
    assert (await pair.world.get(pair.near, pair.ann.uri)).status_code == 410
    assert (await pair.world.get(pair.near, post.uri)).status_code == 410


async def test_who_has_forgotten_the_key_of_a_deleted_account_can_still_check_its_delete(pair: Pair) -> None:
    await pair.follow()
    post = await pair.publish("Farewell")
    there = await pair.ann_there()
    await pair.world.do(pair.far, lambda tx, _urls: tx.run("delete from signing_key where account = :id", id=there.id))
    await pair.world.do(pair.near, account_actions.delete_account, pair.ann.id)
    await pair.world.settle()
    assert await pair.there(post) is None
    assert (await pair.ann_there()).state == "deleted"
    assert (await pair.world.get(pair.near, pair.ann.uri)).status_code == 410


async def test_the_key_of_a_deleted_account_is_there_for_a_day_at_most_and_nothing_else(pair: Pair) -> None:
    await pair.follow()
    await pair.publish("Farewell")
    pair.world.network.down.add(pair.far)
    await pair.world.do(pair.near, account_actions.delete_account, pair.ann.id)
    await pair.world.settle()
    answer = await pair.world.get(pair.near, pair.ann.uri)
    assert answer.status_code == 200
    assert set(answer.json()) == {
        *("@context", "id", "type", "preferredUsername", "inbox", "publicKey", "assertionMethod")
    }
    for gone in (f"/@{pair.ann.handle}", f"{pair.ann.uri}/outbox", f"{pair.ann.uri}/followers"):
        assert (await pair.world.get(pair.near, gone)).status_code == 410
    pair.world.clock.forward(days=1)
    assert (await pair.world.get(pair.near, pair.ann.uri)).status_code == 410


async def test_a_deleted_account_that_followed_very_many_tells_all_their_servers(pair: Pair) -> None:
    many = 5_001

    def follow(tx: Tx, _urls: Urls) -> None:
        for number in range(many):
            host = f"h{number}.test"
            other = replace(pair.ben, uri=f"https://{host}/u", inbox=f"https://{host}/in", shared_inbox="", keys=())
            account = save_remote(tx, other, host)
            relations.put_follow(tx, pair.ann.id, account.id, f"https://near.test/x/{number}", "accepted")

    pair.world.clock.forward(ms=1)  # so many ids of one moment would meet those of whoever began the database
    await pair.world.do(pair.near, follow)
    await pair.world.do(pair.near, account_actions.delete_account, pair.ann.id)
    site = pair.world.sites[pair.near]
    for _ in range(2 * many // jobs.CHUNK + 4):
        for job in await site.db.write(job_queue.claim):
            if job.kind == "fanout":
                await jobs.spread(site, job)
    assert await pair.world.read(pair.near, delivery_queue.waiting) == many


# --- when things go wrong ---


async def everything(pair: Pair, post: Post) -> list[Any]:
    """What can be seen on both sides."""
    told = [kinds(await pair.notices_of_ann()), kinds(await pair.notices_of_ben())]
    return [await pair.here(post), await pair.there(post), await pair.stream(), *told]


async def test_everything_twice_changes_nothing(pair: Pair) -> None:
    await pair.follow()
    post = await pair.publish(f"Hello @{pair.ben.acct}")
    there = await pair.there(post)
    assert there is not None
    await pair.world.do(pair.far, reaction_actions.like, pair.ben.id, there.id)
    await pair.world.do(pair.far, reaction_actions.boost, pair.ben.id, there.id)
    await pair.answer(post, "Hello yourself")
    before = await everything(pair, post)
    await replay(pair, pair.near, times=3)
    await replay(pair, pair.far, times=3)
    assert await everything(pair, post) == before


@pytest.mark.parametrize("trouble", ["down", "error", "lost"])
async def test_create_update_and_delete_arrive_in_this_order(pair: Pair, trouble: str) -> None:
    await pair.follow()
    network, site = pair.world.network, pair.world.sites[pair.near]
    hurt: dict[str, Callable[[], Any]] = {
        "down": lambda: network.down.add(pair.far),
        "error": lambda: network.fail(pair.far, 500),
        "lost": lambda: network.lose(pair.far),
    }
    hurt[trouble]()
    post = await pair.publish("One")
    pair.world.clock.forward(seconds=1)
    await prepared_actions.edit(site, pair.ann.id, post.id, Draft(source="Two"))
    await pair.world.settle()
    kept = await pair.publish("Another")
    network.down.clear()
    pair.world.clock.forward(minutes=2)
    await pair.world.settle()
    there = await pair.there(post)
    assert there is not None
    assert "Two" in there.content
    assert await pair.there(kept) is not None
    hurt[trouble]()
    pair.world.clock.forward(seconds=1)
    await prepared_actions.edit(site, pair.ann.id, post.id, Draft(source="Three"))
    await pair.world.settle()
    await pair.world.do(pair.near, post_actions.delete, pair.ann.id, post.id)
    await pair.world.settle()
    network.down.clear()
    pair.world.clock.forward(minutes=2)
    await pair.world.settle()
    assert await pair.there(post) is None
    about = [each.kind for each in network.posts(pair.far) if each.status == 202 and post.uri in each.body.decode()]
    assert about == ["Create", "Update", "Update", "Delete"]


async def test_a_server_that_speaks_up_is_told_at_once_what_it_missed(pair: Pair) -> None:
    await pair.follow()
    pair.world.network.down.add(pair.far)
    post = await pair.publish("Where are you?")
    for _ in range(6):
        pair.world.clock.forward(hours=5)
        await pair.world.settle()
    assert await pair.there(post) is None
    pair.world.network.down.clear()
    await prepared_actions.publish(pair.world.sites[pair.far], pair.ben.id, Draft(source=f"@{pair.ann.acct} I am back"))
    await pair.world.settle()
    assert await pair.there(post) is not None


async def test_an_action_does_not_wait_for_anybody(pair: Pair) -> None:
    await pair.follow()
    pair.world.network.down.add(pair.far)
    post = await pair.publish("Here, at least")
    assert (await pair.world.get(pair.near, post.uri)).status_code == 200
    sent = await pair.world.read(pair.near, delivery_queue.latest, pair.ann.id)
    assert (sent[0].total, sent[0].waiting) == (1, 1)


async def test_an_inbox_that_is_gone_ends_the_follow_once_the_actor_is_gone_too(pair: Pair) -> None:
    await pair.follow()
    there = await pair.ben_here()
    await pair.world.do(pair.far, account_actions.delete_account, pair.ben.id)  # and Ann's server never hears of it
    pair.world.network.down.add(pair.near)
    await pair.world.workers[pair.far].idle()
    await pair.world.sites[pair.far].db.write(lambda tx: tx.run("delete from delivery"))
    pair.world.network.down.clear()
    pair.world.network.fail(pair.far, 410)
    await pair.publish("Still there?")
    found = await pair.world.read(pair.near, accounts.get, there.id)
    assert found is not None
    assert found.state == "deleted"
    assert await pair.world.read(pair.near, relations.counts, pair.ann.id) == (0, 0)


async def test_an_inbox_that_only_says_so_changes_nothing(pair: Pair) -> None:
    await pair.follow()
    pair.world.network.fail(pair.far, 410)
    await pair.publish("Still there?")
    assert (await pair.at_ann()).following
    post = await pair.publish("And now?")
    assert await pair.there(post) is not None


async def test_private_and_missing_look_the_same(pair: Pair) -> None:
    await pair.follow()
    secret = await pair.publish("Ours", visibility=Visibility.FOLLOWERS)
    nothing = pair.world.sites[pair.near].urls.post(12345)
    one, other = [await pair.world.get(pair.near, uri) for uri in (secret.uri, nothing)]
    assert (one.status_code, one.content) == (other.status_code, other.content)
    for action in (reaction_actions.like, reaction_actions.boost):
        there = await pair.there(secret)
        assert there is not None
        stranger = await pair.world.person(pair.far, f"s{action.__name__}")
        with pytest.raises(NotFound):
            await pair.world.do(pair.far, action, stranger.id, there.id)


async def test_nobody_may_act_for_another_account(pair: Pair) -> None:
    post = await pair.publish("Mine")
    other = await pair.world.person(pair.near, "cem")
    with pytest.raises(NotFound):
        await pair.world.do(pair.near, post_actions.delete, other.id, post.id)
    await pair.follow()
    there = await pair.ann_there()
    with pytest.raises(Forbidden):
        await pair.world.do(pair.far, reaction_actions.like, there.id, 1)
    assert await pair.world.read(pair.near, reaction_lists.like_uris, post.id) == []
    assert await pair.world.read(pair.near, notices_of, other.id) == []
