"""One post, or many with all that hangs on them."""

from __future__ import annotations

import pytest

from fediblog.domain.documents import Attachment, Visibility
from fediblog.store.engine.database import Database
from fediblog.store.posts import posts, reactions, search
from fediblog.store.tx import Tx
from tests.store.makers import URLS, Watched, local, post, remote, scans, whole


def rich(tx: Tx, amount: int) -> list[int]:
    """Posts by many people with everything that a post can have."""
    numbers: list[int] = []
    for n in range(amount):
        author, reader = remote(tx, f"author{n}"), remote(tx, f"reader{n}")
        picture = Attachment(kind="Image", url=f"https://far.example/{n}.png")
        number = post(tx, author, mentioned=[reader.id], hashtags=("one", "two"), attachments=(picture,))
        post(tx, reader, in_reply_to=whole(tx, number).uri)
        reactions.react(tx, reader.id, number, f"{reader.uri}/like")
        reactions.boost(tx, reader.id, number, f"{reader.uri}/boost")
        numbers.append(number)
    return numbers


async def test_many_posts_take_as_many_queries_as_one(db: Database) -> None:
    def asked(tx: Tx, numbers: list[int], viewer: int) -> int:
        seen = Watched(tx)
        found = posts.hydrate(seen, tx.all("select * from post where id in (:ids)", ids=numbers), viewer)
        assert len(found) == len(numbers)
        for each in found:
            assert (each.comments, each.like_total, each.boost_total) == (1, 1, 1)
            assert (len(each.mentions), len(each.hashtags), len(each.attachments)) == (1, 2, 1)
        return len(seen.asked)

    numbers = await db.write(rich, 50)
    for viewer in (0, 1):
        one = await db.read(asked, numbers[:1], viewer)
        assert await db.read(asked, numbers, viewer) == one <= 9


async def test_a_list_of_a_post_twice_holds_it_twice(db: Database) -> None:
    def check(tx: Tx) -> None:
        number = post(tx, remote(tx))
        row = tx.one("select * from post where id = :id", id=number)
        assert row is not None
        assert [each.id for each in posts.hydrate(tx, [row, row])] == [number, number]
        assert posts.hydrate(tx, []) == []

    await db.write(check)


async def test_totals_are_what_everybody_may_know(db: Database) -> None:
    def check(tx: Tx) -> None:
        author, reader = local(tx), remote(tx)
        number = post(tx, author)
        for visibility in Visibility:
            post(tx, reader, in_reply_to=whole(tx, number).uri, visibility=visibility)
        post(tx, author, in_reply_to=whole(tx, number).uri, state="draft")
        reactions.react(tx, reader.id, number, "u:1")
        reactions.react(tx, reader.id, number, "u:2", kind="emoji", content="🐈")
        stored = posts.get(tx, number, reader.id)
        assert stored is not None
        assert (stored.comments, stored.like_total, stored.boost_total) == (2, 1, 0)
        assert (stored.liked, stored.boosted) == (True, False)
        shown = posts.with_counts(stored)
        assert (shown.reply_count, shown.like_count, shown.share_count) == (2, 1, 0)
        assert posts.with_counts(stored, 7).reply_count == 7

    await db.write(check)


async def test_slugs_are_unique_in_their_month(db: Database) -> None:
    def check(tx: Tx) -> None:
        author, other = local(tx), local(tx, "other")
        first = post(tx, author, month="2025/06", slug="tea")
        assert posts.free_slug(tx, author.id, "2025/06", "tea") == "tea-2"
        assert posts.free_slug(tx, author.id, "2025/06", "tea", first) == "tea"
        assert posts.free_slug(tx, author.id, "2025/07", "tea") == "tea"
        assert posts.free_slug(tx, other.id, "2025/06", "tea") == "tea"
        post(tx, author, month="2025/06", slug="tea-2")
        assert posts.free_slug(tx, author.id, "2025/06", "tea") == "tea-3"
        found = posts.by_slug(tx, author.id, "2025/06", "tea")
        assert found is not None
        assert found.id == first
        post(tx, author)  # a note has no slug, and is not to be found by none
        assert posts.by_slug(tx, author.id, "", "") is None
        assert posts.by_slug(tx, author.id, "2025/07", "tea") is None

    await db.write(check)


async def test_a_private_post_is_missing_for_those_it_is_not_for(db: Database) -> None:
    def check(tx: Tx) -> None:
        author, friend = local(tx), remote(tx)
        number = post(tx, author, visibility=Visibility.DIRECT, mentioned=[friend.id], month="2025/06", slug="x")
        assert posts.get(tx, number) is None
        assert posts.by_slug(tx, author.id, "2025/06", "x") is None
        assert posts.get(tx, number, friend.id) is not None
        assert posts.by_slug(tx, author.id, "2025/06", "x", friend.id) is not None
        uri = whole(tx, number).uri
        assert posts.seen_by(tx, uri, 0) is None
        assert posts.seen_by(tx, uri, friend.id) is not None

    await db.write(check)


async def test_ids_links_and_places(db: Database) -> None:
    def check(tx: Tx) -> None:
        author, us = remote(tx), local(tx)
        first = post(tx, us, uri=URLS.post(1))
        number = post(tx, author, uri="https://far.example/1", url="https://far.example/page", in_reply_to=URLS.post(1))
        assert posts.known(tx, ["https://far.example/1", "https://far.example/2"]) == {"https://far.example/1"}
        assert posts.known(tx, []) == set()
        assert posts.by_uri(tx, "https://far.example/page") is None
        link = posts.by_link(tx, "https://far.example/page")
        assert link is not None
        assert link.id == number
        assert posts.by_link(tx, "") is None
        article, evil = post(tx, us, url="https://blog.example/@alice/2026/01/a"), remote(tx, "evil", "evil.example")
        for page in ("https://far.example/page", "https://blog.example/@alice/2026/01/a", "https://vic.example/1"):
            post(tx, evil, url=page)  # a page of another host is no name of a post
        for page, meant in ((link.url, number), ("https://blog.example/@alice/2026/01/a", article)):
            named = posts.by_link(tx, page)
            assert named is not None
            assert named.id == meant
            assert [each.id for each in search.at(tx, page, us.id)] == [meant]
        assert posts.by_link(tx, "https://vic.example/1") is None
        assert search.at(tx, "https://vic.example/1", us.id) == []
        place = posts.place(tx, "https://far.example/1")
        assert place is not None
        assert (place.id, place.account, place.root, place.ours) == (number, author.id, first, 1)

    await db.write(check)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_no_question_about_a_post_reads_a_whole_table(db: Database) -> None:
    def check(tx: Tx) -> list[str]:
        seen = Watched(tx)
        number = rich(tx, 2)[0]
        uri = whole(tx, number).uri
        for _ in (posts.get(seen, number), posts.get(seen, number, 5), posts.many(seen, [number], 5)):
            pass
        posts.stored(seen, number)
        posts.by_uri(seen, uri)
        posts.by_link(seen, "https://far.example/none")
        posts.known(seen, [uri])
        posts.by_slug(seen, 1, "2025/06", "x")
        posts.free_slug(seen, 1, "2025/06", "x")
        posts.place(seen, uri)
        posts.seen_by(seen, uri, 0)
        tables = ("p", "post", "m", "a", "account", "mention", "post_tag", "attachment", "reaction", "boost")
        return scans(seen.plans(), *tables)

    assert await db.write(check) == []
