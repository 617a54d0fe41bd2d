"""Lists beside what they show to whom: totals, months, streams, search, and how the database goes about them."""

from __future__ import annotations

import random

import pytest

from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Boost
from fediblog.store.engine.database import Database
from fediblog.store.id_paging import FAR, FIRST, Window
from fediblog.store.people import accounts, relations
from fediblog.store.posts import account_posts, posts, reactions, search, threads, timelines
from fediblog.store.posts.timelines import TagFilter
from fediblog.store.tx import Tx
from tests.store.makers import URLS, Watched, comments_of, home_of, local, post, remote, scans, whole
from tests.store.test_visible import random_world


def follow(tx: Tx, follower: int, followed: int, state: str = "accepted") -> None:
    relations.put_follow(tx, follower, followed, f"u:{follower}/{followed}", state)


def stream(tx: Tx, account: int) -> list[tuple[int, int | None]]:
    """(post, who passed it on) in the home stream, newest first."""
    return [(each.post.id, each.booster.id if each.booster else None) for each in home_of(tx, account)]


async def test_posts_go_to_followers_and_to_oneself(db: Database) -> None:
    def check(tx: Tx) -> None:
        anna, ben, cleo = (local(tx, name) for name in ("anna", "ben", "cleo"))
        bob = remote(tx)
        follow(tx, anna.id, bob.id)
        follow(tx, ben.id, bob.id, "pending")
        follow(tx, bob.id, anna.id)
        number = post(tx, bob)
        assert timelines.spread(tx, whole(tx, number)) == 1
        assert timelines.spread(tx, whole(tx, number)) == 0, "once is enough"
        assert [stream(tx, each.id) for each in (anna, ben, cleo)] == [[(number, None)], [], []]
        mine = post(tx, anna)
        assert timelines.spread(tx, whole(tx, mine)) == 1
        assert stream(tx, anna.id) == [(mine, None), (number, None)]

    await db.write(check)


async def test_answers_go_to_those_who_know_both(db: Database) -> None:
    def check(tx: Tx) -> None:
        anna, ben = local(tx, "anna"), local(tx, "ben")
        bob, dora = remote(tx), remote(tx, "dora")
        for each in (anna, ben):
            follow(tx, each.id, bob.id)
        follow(tx, anna.id, dora.id)
        first = post(tx, dora)
        timelines.spread(tx, whole(tx, first))
        answer = post(tx, bob, in_reply_to=whole(tx, first).uri)
        timelines.spread(tx, whole(tx, answer))
        assert [post for post, _ in stream(tx, anna.id)] == [answer, first]
        assert stream(tx, ben.id) == []
        follow(tx, ben.id, dora.id, "pending")
        again = post(tx, bob, in_reply_to=whole(tx, first).uri)
        timelines.spread(tx, whole(tx, again))
        assert stream(tx, ben.id) == [], "a follow that is not granted does not count"
        own = post(tx, bob, in_reply_to=whole(tx, answer).uri)
        timelines.spread(tx, whole(tx, own))
        assert stream(tx, ben.id) == [(own, None)], "what somebody adds to their own words"
        asked = post(tx, ben)
        told = post(tx, bob, in_reply_to=whole(tx, asked).uri)
        timelines.spread(tx, whole(tx, told))
        assert (told, None) in stream(tx, ben.id)
        assert (told, None) not in stream(tx, anna.id)
        lost = post(tx, bob, in_reply_to="https://elsewhere.example/unknown")
        assert timelines.spread(tx, whole(tx, lost)) == 0, "nobody knows to whom it speaks"

    await db.write(check)


async def test_boosts_bring_what_is_not_there_yet(db: Database) -> None:
    def check(tx: Tx) -> None:
        anna, ben = local(tx, "anna"), local(tx, "ben")
        bob, dora = remote(tx), remote(tx, "dora")
        follow(tx, anna.id, bob.id)
        follow(tx, anna.id, dora.id)
        follow(tx, ben.id, dora.id)
        seen, answer = post(tx, bob), 0
        timelines.spread(tx, whole(tx, seen))
        first = reactions.boost(tx, dora.id, seen, "u:1")
        assert timelines.spread(tx, whole(tx, seen), first, dora.id) == 1
        assert stream(tx, anna.id) == [(seen, None)]
        assert stream(tx, ben.id) == [(seen, dora.id)]
        answer = post(tx, remote(tx, "else"), in_reply_to="https://elsewhere.example/unknown")
        second = reactions.boost(tx, dora.id, answer, "u:2")
        timelines.spread(tx, whole(tx, answer), second, dora.id)
        assert stream(tx, ben.id)[0] == (answer, dora.id), "a boost is meant, whatever it answers"
        own = reactions.boost(tx, ben.id, seen, "u:3")
        assert timelines.spread(tx, whole(tx, seen), own, ben.id) == 0
        assert [post for post, _ in stream(tx, ben.id)] == [answer, seen], "it is there already"
        new = post(tx, remote(tx, "else"))
        third = reactions.boost(tx, ben.id, new, "u:4")
        assert timelines.spread(tx, whole(tx, new), third, ben.id) == 1
        assert stream(tx, ben.id)[0] == (new, ben.id)
        assert stream(tx, ben.id)[1:] == [(answer, dora.id), (seen, dora.id)]
        assert reactions.unboost(tx, dora.id, answer) == "u:2"
        assert all(post != answer for who in (anna, ben) for post, _ in stream(tx, who.id))

    await db.write(check)


async def test_those_who_are_not_wanted_do_not_come_through_others_or_by_boosts(db: Database) -> None:
    def check(tx: Tx) -> None:
        anna, bob, dora = local(tx, "anna"), remote(tx), remote(tx, "dora")
        for each in (bob, dora):
            follow(tx, anna.id, each.id)
        one, two = post(tx, bob), post(tx, remote(tx, "else"))
        timelines.spread(tx, whole(tx, one))
        timelines.spread(tx, whole(tx, two), reactions.boost(tx, dora.id, two, "u:1"), dora.id)
        assert len(stream(tx, anna.id)) == 2
        relations.mute(tx, anna.id, dora.id)
        assert stream(tx, anna.id) == [(one, None)]
        relations.mute(tx, anna.id, dora.id, tx.now)
        assert len(stream(tx, anna.id)) == 2, "a mute that has run out"
        accounts.set_state(tx, dora.id, "suspended")
        assert stream(tx, anna.id) == [(one, None)]
        accounts.set_state(tx, dora.id, "active")
        relations.unfollow(tx, anna.id, dora.id)
        assert stream(tx, anna.id) == [(one, None)]
        relations.unfollow(tx, anna.id, bob.id)
        assert tx.all("select * from stream") == []

    await db.write(check)


async def test_a_stream_can_be_asked_for_what_is_new(db: Database) -> None:
    def check(tx: Tx) -> None:
        anna = local(tx, "anna")
        numbers = [post(tx, anna) for _ in range(5)]
        for each in numbers:
            timelines.spread(tx, whole(tx, each))
        assert [each.id for each in home_of(tx, anna.id, Window(after=numbers[2]))] == [numbers[4], numbers[3]]
        assert [each.id for each in home_of(tx, anna.id, Window(before=numbers[2], limit=1))] == [numbers[1]]

    await db.write(check)


async def test_totals_and_months_count_what_everybody_may_see(db: Database) -> None:
    def check(tx: Tx) -> None:
        anna, bob = local(tx, "anna"), remote(tx)
        for month, visibility in (("2025/05", Visibility.PUBLIC), ("2025/06", Visibility.UNLISTED)):
            post(tx, anna, month=month, visibility=visibility)
        first = post(tx, anna, month="2025/06")
        post(tx, anna, month="2025/06", visibility=Visibility.FOLLOWERS)
        post(tx, anna, month="2025/07", state="draft")
        assert account_posts.total_of_account(tx, anna.id) == 3
        assert account_posts.months(tx, anna.id) == [("2025/06", 1), ("2025/05", 1)]
        uri = whole(tx, first).uri
        for visibility in Visibility:
            post(tx, bob, in_reply_to=uri, visibility=visibility)
        assert threads.total(tx, first) == 3
        assert (account_posts.total_of_account(tx, 0), account_posts.months(tx, 0), threads.total(tx, 0)) == (
            0,
            [],
            0,
        )

    await db.write(check)


async def test_an_outbox_mixes_what_was_written_and_what_was_passed_on(db: Database) -> None:
    def check(tx: Tx) -> None:
        anna, bob = local(tx, "anna"), remote(tx)
        expected: list[tuple[str, str]] = []
        for n in range(6):
            number = post(tx, anna, uri=URLS.post(n))
            expected.append(("Post", URLS.post(n)))
            passed = post(tx, bob, uri=f"https://far.example/{n}", published=tx.now - 10**9)
            reactions.boost(tx, anna.id, passed, f"u:{n}")
            expected.append(("Boost", f"u:{n}"))
            assert number
        found: list[tuple[str, str]] = []
        before = FAR
        while page := account_posts.timeline(tx, anna.id, 0, Window(before=before, limit=5)):
            found += [(type(each).__name__, each.uri) for each in page]
            before = page[-1].id
        assert found == expected[::-1]
        (first, *_) = account_posts.timeline(tx, anna.id)
        assert isinstance(first, Boost)
        assert (first.account.id, first.created) == (anna.id, tx.now)

    await db.write(check)


@pytest.mark.parametrize(
    ("words", "found"),
    [
        ("Käse", True),
        ("käse", True),
        ("KÄSE", True),
        ("ÄPFEL", True),
        ("äpfel", True),
        ("tea TIME", True),
        ("100%", True),
        ("100_", False),
        ("1%0", False),
        ("under_score", True),
        ("Wow!", True),
        ("absent", False),
    ],
)
async def test_search_finds_text_however_it_is_written(db: Database, words: str, found: bool) -> None:
    def check(tx: Tx) -> list[int]:
        anna = local(tx, "anna")
        post(tx, anna, title="ÄPFEL", content="<p>Käse and Tea Time, 100% under_score, wow!</p>")
        post(tx, remote(tx), content="<p>Käse, but not in anybody's stream</p>")
        post(tx, anna, content=words, state="draft")
        return [each.id for each in search.newest(tx, words, anna.id, FIRST).posts]

    assert len(await db.write(check)) == found


async def test_search_looks_at_what_one_has_read(db: Database) -> None:
    def check(tx: Tx) -> None:
        anna, ben, bob = local(tx, "anna"), local(tx, "ben"), remote(tx)
        follow(tx, anna.id, bob.id)
        read, private = post(tx, bob), post(tx, ben, visibility=Visibility.DIRECT)
        timelines.spread(tx, whole(tx, read))
        assert [each.id for each in search.newest(tx, "HELLO", anna.id, FIRST).posts] == [read]
        assert [each.id for each in search.newest(tx, "hello", ben.id, FIRST).posts] == [private]
        assert search.newest(tx, "hello", 0, FIRST).posts == []

    await db.write(check)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_list_has_an_index(db: Database) -> None:
    def check(tx: Tx) -> list[str]:
        world = random_world(tx, random.Random(1))
        someone, one = world.people[0].id, world.posts[30]
        seen = Watched(tx)
        for viewer in (0, someone):
            account_posts.written(seen, someone, viewer)
            account_posts.timeline(seen, someone, viewer)
            account_posts.pinned(seen, someone, viewer)
            timelines.blog(seen, viewer)
            timelines.tagged(seen, viewer, TagFilter(tag="cats"))
            timelines.tagged(seen, viewer, TagFilter(tag="cats", side="local"))
            account_posts.of_month(seen, someone, "2025/01", viewer)
            comments_of(seen, one.id, viewer)
            threads.ancestors(seen, one, viewer)
            threads.reply_links(seen, one.id, viewer)
            threads.links(seen, one.id, viewer)
            search.newest(seen, "fish", viewer, FIRST)
            search.newest(seen, "#cats", viewer, FIRST)
        home_of(seen, someone)
        account_posts.drafts(seen, someone)
        account_posts.months(seen, someone)
        account_posts.total_of_account(seen, someone)
        threads.total(seen, one.id)
        timelines.spread(seen, one)
        assert len(seen.asked) > 40
        whole_tables = ("post", "account", "follow", "boost", "reaction", "stream", "mention")
        return scans(seen.plans(), *whole_tables, *"pp p t s s2 b m a f f2 o".split())  # noqa: SIM905 - names in SQL

    assert await db.write(check) == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_pages_are_read_in_order_and_not_sorted(db: Database) -> None:
    """Those lists grow for years: a page must cost as much as its posts, not as all there are."""

    def check(tx: Tx) -> list[str]:
        seen = Watched(tx)
        home_of(seen, 1)
        account_posts.written(seen, 1)
        account_posts.timeline(seen, 1)
        timelines.blog(seen)
        timelines.tagged(seen, 0, TagFilter(tag="cats"))
        timelines.tagged(seen, 0, TagFilter(tag="cats", side="local"))
        account_posts.of_month(seen, 1, "2025/01")
        threads.reply_links(seen, 1)
        posts.get(seen, 1)
        return [step for step in seen.plans() if "TEMP B-TREE" in step]

    assert await db.read(check) == []
