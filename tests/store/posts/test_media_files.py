"""Uploads are kept as long as anything shows one of their files."""

from __future__ import annotations

from fediblog.domain.documents import Attachment, Picture
from fediblog.store.engine.database import Database
from fediblog.store.people import accounts
from fediblog.store.posts import media_files, post_writing
from fediblog.store.tx import Tx
from tests.store.makers import URLS, local, post, whole


def upload(tx: Tx, account: int, name: str) -> int:
    return media_files.add(
        tx,
        account,
        media_type="image/webp",
        file=f"{name}.webp",
        large=f"{name}-large.webp",
        small=f"{name}-small.webp",
        width=3,
        height=4,
        blurhash="LEHV6nWB2yk8",
        size=500,
    )


async def test_an_upload_is_its_owners(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, ben = local(tx, "alice"), local(tx, "ben")
        number = upload(tx, alice.id, "a")
        found = media_files.get(tx, number, alice.id)
        assert found is not None
        assert (found.file, found.width, found.bytes, found.created) == ("a.webp", 3, 500, tx.now)
        assert media_files.get(tx, number, ben.id) is None
        assert media_files.names(tx) == {"a.webp", "a-large.webp", "a-small.webp"}
        media_files.remove(tx, number)
        assert media_files.names(tx) == set()

    await db.write(check)


async def test_what_is_shown_in_whatever_size_is_in_use(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice = local(tx)
        numbers = {name: upload(tx, alice.id, name) for name in ("icon", "image", "hero", "post", "a%b", "idle")}
        accounts.update_profile(tx, alice.id, icon=URLS.media("icon-small.webp"), image=URLS.media("image-large.webp"))
        post(tx, alice, image=Picture(url=URLS.media("hero.webp")))
        shown = post(tx, alice, attachments=(Attachment(kind="Image", url=URLS.media("post.webp")),))
        post_writing.claim_media(tx, shown, [numbers["post"]])
        assert media_files.unused(tx, tx.now) == [], "they are too young"
        assert {each.id for each in media_files.unused(tx, tx.now + 1)} == {numbers["idle"], numbers["a%b"]}
        post_writing.remove(tx, whole(tx, shown))
        assert numbers["post"] in {each.id for each in media_files.unused(tx, tx.now + 1)}

    await db.write(check)


async def test_uploads_are_found_by_the_names_of_all_their_sizes(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice, ben = local(tx, "alice"), local(tx, "ben")
        first, second, theirs = upload(tx, alice.id, "a"), upload(tx, alice.id, "b"), upload(tx, ben.id, "c")
        found = media_files.by_names(tx, alice.id, ["a-small.webp", "b.webp", "c.webp", "", "unknown.webp"])
        assert {name: each.id for name, each in found.items()} == {
            **dict.fromkeys(("a.webp", "a-large.webp", "a-small.webp"), first),
            **dict.fromkeys(("b.webp", "b-large.webp", "b-small.webp"), second),
        }
        assert media_files.by_names(tx, ben.id, ["c-large.webp"])["c.webp"].id == theirs
        assert media_files.by_names(tx, ben.id, []) == {}

    await db.write(check)
