"""The showcase of an account comes back as it was stored, and goes with the account."""

from __future__ import annotations

from fediblog.domain.showcase import ShowcaseEntry, ShowcaseSection
from fediblog.store.engine.database import Database
from fediblog.store.people import showcases
from tests.store import makers

WORK = ShowcaseSection(name="Work ✓", entries=(ShowcaseEntry(words="“a”", detail="b", link="https://c.example"),))
TALKS = ShowcaseSection(name="Talks", entries=(ShowcaseEntry(words="a"), ShowcaseEntry(words="'b'")))


async def test_sections_come_back_in_their_order(db: Database) -> None:
    ann, ben = await db.write(lambda tx: (makers.local(tx, "ann").id, makers.local(tx, "ben").id))
    for sections in ((WORK,), (TALKS, WORK), ()):
        await db.write(showcases.put, ann, sections)
        assert await db.read(showcases.of, ann) == sections
        assert await db.read(showcases.of, ben) == ()


async def test_it_goes_with_the_account(db: Database) -> None:
    ann = (await db.write(makers.local, "ann")).id
    await db.write(showcases.put, ann, (WORK,))
    await db.write(lambda tx: tx.run("delete from account where id = :id", id=ann))
    assert await db.read(lambda tx: tx.all("select * from showcase")) == []


def test_what_is_a_quotation() -> None:
    assert [each.is_quotation for each in (*WORK.entries, *TALKS.entries)] == [True, False, True]
