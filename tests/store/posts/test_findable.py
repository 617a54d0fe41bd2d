"""What search engines may list: what everybody may see, of who wants to be found."""

from __future__ import annotations

from itertools import product

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.store.engine.database import Database
from fediblog.store.posts import findable
from fediblog.store.tx import Tx
from tests.store import makers


def found(tx: Tx) -> set[str]:
    listed = [each.name for number in range(findable.parts(tx, 3)) for each in findable.part(tx, number + 1, 3)]
    assert len(listed) == len(set(listed))
    return set(listed)


def address(number: int) -> str:
    return f"https://blog.test/@alice/{number}"


def write(tx: Tx, author: Account, number: int, **changes: object) -> None:
    made = {key: changes.pop(key) for key in ("visibility", "state") if key in changes}
    kind = {"kind": "Note", **changes}
    post = makers.post(tx, author, url=address(number), published=number * 1000, **made, **kind)  # type: ignore[arg-type]
    tx.run("update post set local = :local where id = :id", local=int(author.local), id=post)


async def test_only_what_everybody_may_see_and_nothing_that_is_warned_of(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, bob = makers.local(tx), makers.remote(tx)
        tx.run("update account set discoverable = 1, indexable = 1")
        cases = list(
            product(
                Visibility,
                ("published", "draft", "scheduled", "deleted", "held", "hidden"),
                ("Note", "Article"),
                ("", "summary", "warning", "in_reply_to"),
            )
        )
        wanted = set()
        for number, (visibility, state, kind, more) in enumerate(cases, 1):
            changes = {more: "https://far.example/1"} if more else {}
            write(tx, alice, number, visibility=visibility, state=state, kind=kind, **changes)
            told = more == "" or (more == "summary" and kind == "Article")
            if visibility == "public" and state == "published" and told:
                wanted.add(address(number))
        write(tx, bob, 10_001)
        assert len(wanted) == 3
        assert found(tx) == wanted
        assert findable.parts(tx, 3) == len(cases) // 3
        for change in ("discoverable = 0", "discoverable = 1, indexable = 0", "indexable = 1, state = 'suspended'"):
            tx.run(f"update account set {change} where id = :id", id=alice.id)
            assert found(tx) == set()
            assert findable.tags(tx, 100) == []

    await db.write(check)


async def test_hashtags_with_when_they_were_last_used(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice = makers.local(tx)
        tx.run("update account set discoverable = 1, indexable = 1")
        write(tx, alice, 1, hashtags=("Sea", "Moon"))
        write(tx, alice, 2, hashtags=("sea",))
        write(tx, alice, 3, hashtags=("secret",), visibility=Visibility.FOLLOWERS)
        write(tx, alice, 4, hashtags=("dunlin",), summary="Storms")
        assert findable.tags(tx, 100) == [findable.Listed("moon", 1000), findable.Listed("sea", 2000)]
        assert findable.tags(tx, 2) == []  # the newest two

    await db.write(check)


async def test_parts_are_found_by_an_index(db: Database) -> None:
    def check(tx: Tx) -> None:
        watched = makers.Watched(tx)
        makers.post(tx, makers.local(tx))
        findable.parts(watched, 10)
        findable.part(watched, 1, 10)
        findable.tags(watched, 10)
        if tx.engine == "sqlite":
            assert makers.scans(watched.plans(), "post", "p", "t") == []

    await db.write(check)
