"""Posts are stored, changed and deleted, and threads come out the same in whatever order their posts arrive."""

from __future__ import annotations

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from msgspec.structs import replace

from fediblog.domain.documents import (
    Attachment,
    Emoji,
    Happening,
    Option,
    Picture,
    Poll,
    Source,
    Visibility,
)
from fediblog.store.engine.database import Database
from fediblog.store.posts import (
    account_posts,
    media_files,
    post_columns,
    post_writing,
    posts,
    reactions,
    threads,
    timelines,
    tombstones,
)
from fediblog.store.posts.tombstones import Tombstone
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx
from tests.store import makers
from tests.store.makers import DAY, Watched, everything, local, note, post, remote, scans, time_of, undone, whole

PUBLIC = post_columns.Placement(visibility=Visibility.PUBLIC)


@st.composite
def trees(draw: st.DrawFn) -> tuple[list[int | None], list[int], list[bool]]:
    """For each post the one it answers (None: none), the order in which they come, and who names a page, not an id."""
    size = draw(st.integers(min_value=1, max_value=8))
    parents = [draw(st.sampled_from([None, *range(n)])) for n in range(size)]
    order = draw(st.permutations(range(size)))
    return parents, list(order), [draw(st.booleans()) for _ in range(size)]


def build(tx: Tx, parents: list[int | None], order: list[int], by_page: list[bool]) -> dict[str, tuple[str, str]]:
    """Store the tree in that order; for each post the ids of its parent and of its root."""
    author = remote(tx)
    for each in order:
        above = parents[each]
        answered = "" if above is None else f"https://far.example/{'page' if by_page[each] else 'note'}/{above}"
        post(
            tx,
            author,
            uri=f"https://far.example/note/{each}",
            url=f"https://far.example/page/{each}",
            in_reply_to=answered,
        )
    names = {each.id: each.uri for each in everything(tx)}
    return {each.uri: (names.get(each.parent or 0, ""), names.get(each.root or 0, "")) for each in everything(tx)}


@settings(max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(tree=trees())
async def test_a_thread_does_not_depend_on_the_order_of_arrival(
    db: Database, tree: tuple[list[int | None], list[int], list[bool]]
) -> None:
    parents, order, by_page = tree
    expected = await undone(db, build, parents, sorted(order), by_page)
    assert await undone(db, build, parents, order, by_page) == expected
    for number, above in enumerate(parents):
        name = "" if above is None else f"https://far.example/note/{above}"
        assert expected[f"https://far.example/note/{number}"][0] == name


async def test_posts_that_answer_each_other_in_a_circle_stay_a_line(db: Database) -> None:
    def check(tx: Tx) -> None:
        author = remote(tx)
        names = [f"https://far.example/{n}" for n in range(3)]
        numbers = [post(tx, author, uri=uri, in_reply_to=names[n - 1]) for n, uri in enumerate(names)]
        itself = post(tx, author, uri="https://far.example/self", in_reply_to="https://far.example/self")
        assert [whole(tx, n).parent for n in numbers] == [None, numbers[0], numbers[1]]
        assert [whole(tx, n).root for n in numbers] == [None, numbers[0], numbers[0]]
        assert whole(tx, itself).parent is None
        assert [p.id for p in threads.ancestors(tx, whole(tx, numbers[2]))] == numbers[:2]

    await db.write(check)


async def test_nobody_can_put_a_post_between_others_by_claiming_a_page(db: Database) -> None:
    def check(tx: Tx) -> None:
        author, evil = remote(tx), remote(tx, "evil", "evil.example")
        answer = post(tx, author, in_reply_to="https://far.example/page")
        squats = [post(tx, evil, url="https://far.example/page") for _ in range(21)]
        late = post(tx, author, in_reply_to="https://far.example/page")
        assert [whole(tx, n).parent for n in (answer, late)] == [None, None]
        true = post(tx, author, url="https://far.example/page")
        last = post(tx, author, in_reply_to="https://far.example/page")
        assert [whole(tx, n).parent for n in (answer, late, last)] == [true] * 3
        assert {whole(tx, each).comments for each in squats} == {0}

    await db.write(check)


async def test_the_number_of_a_remote_post_tells_when_it_was_written_but_never_the_future(db: Database) -> None:
    def check(tx: Tx) -> None:
        them, us = remote(tx), local(tx)
        old = post(tx, them, published=tx.now - 30 * DAY)
        future = post(tx, them, published=tx.now + 30 * DAY)
        unknown = post(tx, them)
        ancient = post(tx, them, published=-1_000_000)
        assert [time_of(n) for n in (old, future, unknown)] == [tx.now - 30 * DAY, tx.now, tx.now]
        assert time_of(ancient) == 0
        assert [whole(tx, n).published for n in (old, future, unknown)] == [tx.now - 30 * DAY, tx.now, tx.now]
        assert [p.id for p in account_posts.written(tx, them.id)][-2:] == [old, ancient]
        ours = post(tx, us, published=tx.now - DAY)
        assert time_of(ours) == tx.now
        assert whole(tx, ours).published == tx.now - DAY

    await db.write(check)


FULL = {
    "url": "https://far.example/page",
    "title": "A title",
    "summary": "An abstract",
    "warning": "Spiders",
    "content": "<p>Es schneit ❄ %s :name '</p>",
    "source": Source(content="*Es*", media_type="text/markdown"),
    "language": "de",
    "sensitive": True,
    "to": ("https://one.example/", "https://two.example/"),
    "cc": ("https://three.example/",),
    "emoji": (Emoji(name="cat", url="https://far.example/cat.png"),),
    "image": Picture(url="https://far.example/hero.png", alt="A hill"),
    "poll": Poll(options=(Option(name="Yes", votes=3), Option(name="No")), multiple=True, ends=7, closed=8, voters=3),
    "happening": Happening(starts=1, ends=None, place="Here"),
    "context": "https://far.example/context",
    "conversation": "tag:far.example,2025:1",
    "quote": "https://far.example/quoted",
    "replies": "https://far.example/replies",
    "likes": "https://far.example/likes",
    "shares": "https://far.example/shares",
    "hashtags": ("Cats", "snow"),
    "attachments": (
        Attachment(kind="Image", url="https://far.example/1.png", alt="One", width=3, height=4, focus=(0.5, -0.25)),
        Attachment(kind="Video", url="https://far.example/2.mp4", duration=1.5, preview="https://far.example/2.png"),
    ),
    "published": 1_700_000_000_000,
    "updated": 1_700_000_001_000,
}


async def test_a_post_comes_back_as_it_was_stored(db: Database) -> None:
    def check(tx: Tx) -> None:
        author = remote(tx)
        number = post(tx, author, uri="https://far.example/1", **FULL)  # type: ignore[arg-type]
        stored = posts.stored(tx, number)
        assert stored is not None
        assert {name: getattr(stored, name) for name in FULL} == FULL
        assert stored == posts.by_uri(tx, "https://far.example/1") == posts.by_link(tx, "https://far.example/page")
        assert (stored.account.id, stored.author, stored.received) == (author.id, author.uri, tx.now)
        doubled = post(tx, author, hashtags=("Snow", "SNOW", "snow"))
        assert whole(tx, doubled).hashtags == ("Snow",)

    await db.write(check)


async def test_an_edit_keeps_what_was_said_and_where(db: Database) -> None:
    def check(tx: Tx) -> None:
        author = remote(tx)
        first = post(tx, author)
        number = post(
            tx, author, content="<p>one</p>", in_reply_to=whole(tx, first).uri, hashtags=("a",), published=tx.now - DAY
        )
        before = whole(tx, number)
        same = note(author, uri=before.uri, content="<p>one</p>", updated=tx.now, hashtags=("b",))
        post_writing.update(tx, before, same, PUBLIC)
        assert post_writing.revisions(tx, number) == []
        between = whole(tx, number)
        assert (between.hashtags, between.in_reply_to, between.parent) == (("b",), before.in_reply_to, first)
        assert between.published == tx.now - DAY, "an Update without a date leaves the date alone"
        two = note(author, uri=before.uri, content="<p>two</p>", published=tx.now + DAY, updated=tx.now + 1)
        post_writing.update(tx, between, two, PUBLIC)
        (revision,) = post_writing.revisions(tx, number)
        assert (revision.content, revision.at) == ("<p>one</p>", tx.now)
        assert (whole(tx, number).content, whole(tx, number).published) == ("<p>two</p>", tx.now)
        assert whole(tx, number).id == number

    await db.write(check)


async def test_removal_leaves_a_tombstone_and_the_answers(db: Database) -> None:
    def check(tx: Tx) -> None:
        author, other = remote(tx), local(tx)
        first = post(tx, author)
        numbers: list[int] = []
        for above in (first, None, None):
            numbers.append(post(tx, other, in_reply_to=whole(tx, above or numbers[-1]).uri, mentioned=[author.id]))
        reactions.react(tx, other.id, first, "https://blog.example/x/1")
        boost = reactions.boost(tx, other.id, first, "https://blog.example/x/2")
        notifications.add(tx, other.id, "mention", author.id, first)
        timelines.spread(tx, whole(tx, first), boost, other.id)
        gone = whole(tx, first)
        post_writing.remove(tx, gone)
        assert posts.stored(tx, first) is None
        tomb = makers.tombstone(tx, gone.uri)
        assert tomb == Tombstone(uri=gone.uri, owner=author.uri, kind="Note", at=tx.now)
        assert [whole(tx, n).parent for n in numbers] == [None, *numbers[:2]]
        assert {whole(tx, n).root for n in numbers} == {first}, "the rest of the thread stays together"
        for table in ("reaction", "boost", "notice", "stream"):
            assert tx.all(f"select * from {table}") == []
        assert makers.tombstone(tx, "https://far.example/never") is None
        tombstones.leave(tx, gone.uri, "https://evil.example/")
        assert makers.tombstone(tx, gone.uri) == tomb

    await db.write(check)


async def test_an_answer_finds_its_place_when_what_was_forgotten_comes_back(db: Database) -> None:
    def check(tx: Tx) -> None:
        author = remote(tx)
        first = post(tx, author, uri="https://far.example/1", in_reply_to="https://far.example/0")
        answer = post(tx, author, in_reply_to="https://far.example/1")
        below = post(tx, author, in_reply_to=whole(tx, answer).uri)
        post_writing.remove(tx, whole(tx, first))
        again = post(tx, author, uri="https://far.example/1", in_reply_to="https://far.example/0")
        start = post(tx, author, uri="https://far.example/0")
        assert [whole(tx, n).root for n in (again, answer, below)] == [start] * 3
        assert [row.id for row in threads.links(tx, start)] == sorted([start, again, answer, below])

    await db.write(check)


async def test_all_of_an_account_can_be_removed(db: Database) -> None:
    def check(tx: Tx) -> None:
        author, other, alice = remote(tx), remote(tx, "other"), local(tx)
        kept = post(tx, other)
        mine = [post(tx, author, in_reply_to=whole(tx, kept).uri) for _ in range(3)]
        uris = [whole(tx, n).uri for n in mine]
        draft = whole(tx, post(tx, author, state="draft")).uri
        answer = post(tx, other, in_reply_to=uris[0])
        tombstones.leave(tx, uris[1], author.uri)  # half done already
        for who in (author, other):
            reactions.react(tx, who.id, kept, f"{who.uri}/like")
            reactions.boost(tx, who.id, kept, f"{who.uri}/boost")
        for who, kind in ((author, "like"), (author, "boost"), (author, "follow"), (other, "like")):
            notifications.add(tx, alice.id, kind, who.id, kept if kind != "follow" else None)
        post_writing.remove_all_of(tx, author)
        assert {p.id for p in everything(tx)} == {kept, answer}
        assert whole(tx, answer).parent is None
        left = whole(tx, kept)
        assert (left.comments, left.like_total, left.boost_total) == (1, 1, 1), "what was below stays in the thread"
        assert all(makers.tombstone(tx, uri) for uri in uris)
        assert makers.tombstone(tx, draft) is None, "nobody ever saw it"
        told = [(row.kind, row.actor) for row in tx.all("select kind, actor from notice order by id")]
        assert told == [("follow", author.id), ("like", other.id)], "what is taken back is not told any more"

    await db.write(check)


async def test_states_pins_and_polls(db: Database) -> None:
    def check(tx: Tx) -> None:
        author = local(tx)
        number = post(tx, author, state="draft", poll=Poll(options=(Option(name="Yes"),)))
        post_writing.set_state(tx, number, "scheduled")
        assert (whole(tx, number).state, whole(tx, number).published) == ("scheduled", tx.now)
        post_writing.set_state(tx, number, "published", tx.now - 5)
        assert (whole(tx, number).state, whole(tx, number).published) == ("published", tx.now - 5)
        post_writing.publish_now(tx, number, "2025/06", ("a-slug", "https://blog.example/@alice/2025/06/a-slug"))
        assert (whole(tx, number).published, whole(tx, number).slug) == (tx.now, "a-slug")
        poll = Poll(options=(Option(name="Yes", votes=2),), voters=2)
        post_writing.set_poll(tx, number, poll)
        post_writing.set_pinned(tx, number, 5)
        assert (whole(tx, number).poll, whole(tx, number).pinned) == (poll, 5)
        post_writing.set_pinned(tx, number, None)
        assert whole(tx, number).pinned is None

    await db.write(check)


async def test_mentions_are_replaced_and_silent_ones_are_not_shown(db: Database) -> None:
    def check(tx: Tx) -> None:
        author, one, two = local(tx), remote(tx, "one"), remote(tx, "two")
        number = post(tx, author, mentioned=[author.id])
        post_writing.address(tx, number, [(one.id, "@one", False), (two.id, "", True), (one.id, "@one again", False)])
        stored = whole(tx, number)
        assert [(each.href, each.name) for each in stored.mentions] == [(one.uri, "@one")]
        assert stored.addressed == {one.id, two.id}

    await db.write(check)


async def test_uploads_are_claimed_by_position(db: Database) -> None:
    def check(tx: Tx) -> None:
        author = local(tx)
        upload = media_files.add(
            tx,
            author.id,
            media_type="image/png",
            file="a.png",
            large="",
            small="",
            width=1,
            height=1,
            blurhash="",
            size=1,
        )
        attachments = tuple(Attachment(kind="Image", url=f"https://blog.example/media/{n}") for n in range(2))
        number = post(tx, author, attachments=attachments)
        post_writing.claim_media(tx, number, [None, upload])
        rows = tx.all("select position, media from attachment where post = :id order by position", id=number)
        assert [(row.position, row.media) for row in rows] == [(0, None), (1, upload)]

    await db.write(check)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_storing_and_removing_do_not_read_whole_tables(db: Database) -> None:
    def check(tx: Tx) -> list[str]:
        author = remote(tx)
        seen = Watched(tx)
        orphan = post(tx, author, in_reply_to="https://far.example/1")
        number = post(seen, author, uri="https://far.example/1", url="https://far.example/page", in_reply_to="x:y")
        assert whole(tx, orphan).parent == number
        stored = whole(tx, number)
        post_writing.update(seen, stored, replace(stored, content="new"), PUBLIC)
        post_writing.remove(seen, whole(tx, number))
        post_writing.remove_all_of(seen, author)
        assert len(seen.asked) > 10
        return scans(seen.plans(), "post", "p", "attachment", "post_tag", "mention", "revision", "boost")

    assert await db.write(check) == []
