"""Makes `schemas/NNNN.jsonl`: data in every corner of a release's schema, for later versions to open.

Run it once for each release that changes the schema, and keep the files of all earlier ones:
`python -m tests.promises.old_schema > tests/promises/schemas/0005.jsonl`
"""

from __future__ import annotations

import asyncio
import io
import sys
from io import BytesIO

from PIL import Image

from fediblog.actions import account_actions, follow_actions, moderation_actions, post_actions, reaction_actions
from fediblog.actions.drafts import Draft, File, PollDraft
from fediblog.domain.documents import Visibility
from fediblog.federation import prepared_actions, uploads
from fediblog.store.engine import backup
from fediblog.store.people import apps, idempotency, logins, relation_lists, server_state
from fediblog.store.people.logins import Session
from fediblog.store.posts import reader_marks, tags, timelines
from fediblog.store.queues import incoming_queue, push_subscriptions
from fediblog.store.readers import announcements, filters, lists, markers, moderation, notification_policy
from fediblog.store.tx import Tx
from tests import wording
from tests.federation.pair import Pair
from tests.world import World

HOUR = 3_600_000  # ms


async def _write(pair: Pair) -> None:
    """What people do, one thing of each kind."""
    site, ann, do = pair.world.sites[pair.near], pair.ann.id, pair.world.do
    out = BytesIO()
    Image.new("RGB", (8, 8), "teal").save(out, "PNG")
    picture = await uploads.upload(site, ann, out.getvalue())
    await pair.publish("A note with a #tag, @ben@two.test", files=(File(upload=picture.id, alt="teal"),))
    article = await pair.publish("# Long\n\ntext", title="An article", summary="In short")
    question = await pair.publish("Tea?", poll=PollDraft(options=("yes", "no")))
    await pair.publish("For followers", visibility=Visibility.FOLLOWERS, warning="careful")
    deleted = await pair.publish("To be deleted")
    edited = await pair.publish("To be edited")
    await do(pair.near, wording.edit, ann, edited.id, Draft(source="Edited"))
    await do(pair.near, post_actions.delete, ann, deleted.id)
    await do(pair.near, post_actions.pin, ann, article.id)
    await do(pair.near, wording.publish, ann, Draft(source="A draft", state="draft"))
    at = pair.world.clock.now + 9 * HOUR
    await do(pair.near, wording.publish, ann, Draft(source="For later", state="scheduled", scheduled=at))
    await pair.answer(article, "An answer @ann@one.test")
    for action in (reaction_actions.like, reaction_actions.boost):
        there = await pair.there(article)
        assert there is not None
        await do(pair.far, action, pair.ben.id, there.id)
    there = await pair.there(question)
    assert there is not None
    await do(pair.far, reaction_actions.vote, pair.ben.id, there.id, ["yes"])
    await pair.world.settle()


async def _moderate(pair: Pair) -> None:
    world, do, ann = pair.world, pair.world.do, pair.ann.id
    carol = await world.person(pair.far, "carol")
    await prepared_actions.follow(world.sites[pair.near], ann, f"@{carol.acct}")
    await world.settle()
    there = (await pair.copy_of(pair.near, carol)).id
    await do(pair.near, moderation_actions.mute, ann, there)
    await do(pair.near, follow_actions.unfollow, ann, there)
    await do(pair.near, moderation_actions.block, ann, there)
    await do(pair.near, moderation_actions.block_host, "bad.test", "spam")
    profile = account_actions.ProfileChanges(name="Ann", summary="I write", fields=(("Home", "https://ann.test"),))
    await do(pair.near, wording.update_profile, ann, profile)
    world.network.down.add(pair.far)
    await do(pair.near, wording.publish, ann, Draft(source="Still on its way"))
    await world.settle()


def _put(tx: Tx, ann: int, ben: str) -> None:
    """What only passes through."""
    login, now = logins.everyone(tx)[0].id, tx.now
    logins.open_session(
        tx,
        Session(
            token="t", login=login, account=ann, csrf="c", created=now, seen=now, expires=now + 720 * HOUR, agent="a"
        ),
    )
    incoming_queue.keep(tx, "https://two.test/x/1", ben, "two.test", "{}")
    incoming_queue.remember_early(tx, "https://two.test/x/2", ben, "Delete")
    moderation.report(tx, "https://two.test/x/3", None, ann, [], "This is a report")
    moderation.refused(tx, "bad.test", "https://bad.test/u", "Create", "host-blocked")
    server_state.put(tx, "a fact", "its value")
    tx.run("update signing_key set private = 'not kept' where private is not null")


def _keep(tx: Tx, ann: int, ben: int) -> None:
    """What one reader keeps, sorts and hides, and what its apps need."""
    post = timelines.blog(tx, ann)[0]
    reader_marks.bookmark(tx, ann, post.id)
    reader_marks.mute_thread(tx, ann, post.id)
    idempotency.begin(tx, _token(tx, ann), "a key of an app's choice")
    markers.put(tx, ann, "home", post.id)
    lists.put(tx, lists.add(tx, ann, "Friends", "list", exclusive=True), {ben})
    sieve = filters.add(tx, ann, "Football", ["home"], "warn", None)
    filters.add_keyword(tx, sieve, "goal", whole_word=True)
    filters.add_post(tx, sieve, post.id)
    tags.follow(tx, ann, "tea")
    tags.set_featured(tx, ann, "tea", on=True)
    relation_lists.endorse(tx, ann, ben)
    relation_lists.set_note(tx, ann, ben, "from the choir")
    relation_lists.mute_host(tx, ann, "loud.test")
    notification_policy.put(tx, ann, {"not_following": "filter"})
    announcements.dismiss(tx, announcements.add(tx, "<p>Hello</p>", "Hello", None), ann)


def _token(tx: Tx, ann: int) -> int:
    login = logins.everyone(tx)[0].id
    app = apps.add_app(
        tx, client="c", secret="s", name="An app", website="", redirects=["https://app.test/"], scopes=["read", "push"]
    )
    number = apps.add_token(tx, "hash", ["read", "push"], app=app, login=login, account=ann)
    wanted = {"mention": True}
    push_subscriptions.put(
        tx,
        number,
        ann,
        endpoint="https://push.test/1",
        key="k",
        secret="s",
        standard=True,
        alerts=wanted,
        policy="all",
        sealed="",
    )
    return number


async def make() -> str:
    """The whole file."""
    async with World("one.test", "two.test") as world:
        ann, ben = await world.person("one.test", "ann"), await world.person("two.test", "ben")
        pair = Pair(world, "one.test", "two.test", ann, ben)
        await pair.follow()
        await pair.follow_back()
        await _write(pair)
        await _moderate(pair)
        db, file = world.sites["one.test"].db, io.StringIO()
        await db.write(_keep, ann.id, (await pair.copy_of(pair.near, ben)).id)
        await db.write(_put, ann.id, ben.uri)
        await db.read(backup.write_dump, file)
        return file.getvalue()


if __name__ == "__main__":
    sys.stdout.write(asyncio.run(make()))
