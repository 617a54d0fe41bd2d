"""What was deleted is kept by its account alone, with its pictures, and goes when it is old enough: on both engines."""

from __future__ import annotations

from fediblog.store.engine.database import Database
from fediblog.store.id_paging import Window
from fediblog.store.people import post_preferences
from fediblog.store.people.post_preferences import Defaults
from fediblog.store.posts import media_files
from fediblog.store.readers import trash
from fediblog.store.readers.trash import KEPT, Trashed
from fediblog.store.tx import Tx
from tests.conftest import Clock
from tests.store.makers import local


def _put(tx: Tx, account: int, word: str) -> None:
    names = {"file": f"{word}.png", "large": "", "small": f"{word}-small.png"}
    made = media_files.add(tx, account, media_type="image/png", **names, width=1, height=1, blurhash="", size=1)
    trash.put(tx, account, words=word, visibility="public", draft=f'{{"source":"{word}"}}', pictures=[made])


def _all(tx: Tx, account: int) -> list[Trashed]:
    return trash.listed(tx, account, Window(), whole=True)


async def test_what_is_kept_is_its_accounts_own_and_is_swept(db: Database, clock: Clock) -> None:
    ann, bob = await db.write(local, "ann"), await db.write(local, "bob")
    await db.write(_put, ann.id, "old")
    clock.forward(seconds=60)
    for account, word in ((ann, "new"), (bob, "his")):
        await db.write(_put, account.id, word)
    new, old = await db.read(_all, ann.id)
    assert (new.words, new.draft, old.ends) == ("new", '{"source":"new"}', old.deleted + KEPT)
    assert [each.draft for each in await db.read(trash.listed, ann.id, Window(before=new.id))] == [""]
    assert await db.read(trash.get, bob.id, new.id) is None
    pictures = await db.read(trash.pictures, new.id)
    assert [each.names for each in pictures] == [["new.png", "new-small.png"]]
    assert await db.read(media_files.get, pictures[0].id, ann.id) is None
    assert await db.read(media_files.many, [pictures[0].id], ann.id) == {}
    assert await db.read(media_files.by_names, ann.id, ["new.png"]) == {}
    assert await db.read(media_files.unused, clock.now + 9 * KEPT) == []
    assert "new.png" in await db.read(media_files.names)

    clock.now = old.ends
    assert await db.write(trash.sweep) == []
    clock.forward(seconds=1)
    assert sorted(await db.write(trash.sweep)) == ["old-small.png", "old.png"]
    await db.write(trash.let_out, new.id)
    assert await db.read(_all, ann.id) == []
    kept = await db.read(media_files.get, pictures[0].id, ann.id)
    assert kept is not None
    assert (kept.trash, kept.created) == (None, clock.now)
    assert sorted(await db.write(trash.remove, bob.id)) == ["his-small.png", "his.png"]
    assert await db.read(media_files.names) == {"new.png", "new-small.png"}


async def test_an_account_says_whether_it_keeps_what_it_deletes(db: Database) -> None:
    ann = await db.write(local, "ann")
    assert (await db.read(post_preferences.defaults, ann.id)).trash
    await db.write(post_preferences.put, ann.id, Defaults(trash=False))
    assert not (await db.read(post_preferences.defaults, ann.id)).trash
