"""What our people ask for that takes a look at other servers; and uploads."""

from __future__ import annotations

import io
from collections.abc import AsyncIterator

import pytest
from PIL import Image

from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.errors import Forbidden, Invalid, Refused, Unavailable
from fediblog.federation import prepared_actions
from fediblog.federation.uploads import upload
from fediblog.store.people import accounts
from fediblog.store.posts import media_files
from tests.federation.pair import Pair
from tests.world import World


@pytest.fixture
async def pair() -> AsyncIterator[Pair]:
    async with World("one.test", "two.test") as world:
        yield Pair(
            world, "one.test", "two.test", await world.person("one.test", "ann"), await world.person("two.test", "ben")
        )


async def publish(pair: Pair, source: str, **more: str) -> Post:
    return await prepared_actions.publish(pair.world.sites["one.test"], pair.ann.id, Draft(source=source, **more))  # type: ignore[arg-type]


async def test_who_is_mentioned_is_looked_up(pair: Pair) -> None:
    post = await publish(pair, "Hello @ben@two.test!")
    assert [each.href for each in post.mentions] == [pair.ben.uri]
    assert pair.ben.uri in post.cc
    assert f'href="{pair.ben.url}"' in post.content


async def test_whoever_is_not_found_stays_text(pair: Pair) -> None:
    pair.world.network.down.add("gone.test")
    post = await publish(pair, "Hello @ben@two.test, @nobody@two.test, @x@gone.test and @y@nowhere.test")
    assert [each.name for each in post.mentions] == ["@ben@two.test"]
    assert "@nobody@two.test" in post.content
    assert "@x@gone.test" in post.content


async def test_an_author_does_not_wait_for_a_server_that_hangs(pair: Pair, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(prepared_actions, "PATIENCE", 0.0)
    pair.world.network.stall = lambda sent: True
    post = await publish(pair, "Hello @ben@two.test")
    assert post.mentions == ()


async def test_a_known_account_and_a_draft_need_no_look(pair: Pair) -> None:
    await publish(pair, "Hello @ben@two.test")
    asked = len(pair.world.network.sent)
    again = await publish(pair, "And again, @ben@two.test")
    assert len(again.mentions) == 1
    await publish(pair, "One day, @else@three.test", state="draft")
    assert len(pair.world.network.sent) == asked


async def test_a_draft_that_is_published_is_looked_up(pair: Pair) -> None:
    draft = await publish(pair, "Hello @ben@two.test", state="draft")
    assert draft.mentions == ()
    site = pair.world.sites["one.test"]
    post = await prepared_actions.edit(site, pair.ann.id, draft.id, Draft(source="Hello @ben@two.test"))
    assert [each.href for each in post.mentions] == [pair.ben.uri]


@pytest.mark.parametrize("text", ["@ben@two.test", "ben@two.test", " @BEN@Two.Test ", "uri", "url"])
async def test_an_account_is_found_by_handle_or_address(pair: Pair, text: str) -> None:
    wanted = {"uri": pair.ben.uri, "url": pair.ben.url}.get(text, text)
    found = await prepared_actions.follow(pair.world.sites["one.test"], pair.ann.id, wanted)
    assert found.uri == pair.ben.uri


async def test_a_post_is_found_by_its_address(pair: Pair) -> None:
    post = await publish(pair, "Look at this")
    for text in (post.uri, post.url):
        found = await prepared_actions.find(pair.world.sites["two.test"], text)
        assert isinstance(found, Post)
        assert found.uri == post.uri


async def test_what_is_no_account_cannot_be_followed(pair: Pair) -> None:
    post = await publish(pair, "A post is no account")
    site = pair.world.sites["two.test"]
    for text in (post.uri, "just words", ""):
        with pytest.raises(Invalid) as caught:
            await prepared_actions.follow(site, pair.ben.id, text)
        assert caught.value.field == "handle"
    with pytest.raises((Refused, Unavailable)):
        await prepared_actions.follow(site, pair.ben.id, "@nobody@one.test")
    with pytest.raises(Invalid):
        await prepared_actions.follow(site, pair.ben.id, "@ben@two.test")


async def test_only_ones_own_account_acts(pair: Pair) -> None:
    await prepared_actions.follow(pair.world.sites["one.test"], pair.ann.id, "@ben@two.test")
    there: Account | None = await pair.world.read("one.test", accounts.by_uri, pair.ben.uri)
    assert there is not None
    with pytest.raises(Forbidden):
        await prepared_actions.publish(pair.world.sites["one.test"], there.id, Draft(source="I am Ben"))


def picture(width: int, height: int) -> bytes:
    made = io.BytesIO()
    Image.effect_noise((width, height), 64).convert("RGB").save(made, "JPEG")
    return made.getvalue()


async def test_an_upload_is_on_the_disk_before_it_is_known(pair: Pair) -> None:
    site = pair.world.sites["one.test"]
    stored = await upload(site, pair.ann.id, picture(2600, 1400))
    assert stored.blurhash
    assert stored.width is not None
    assert stored.width > 0
    names = {name for name in (stored.file, stored.large, stored.small) if name}
    assert len(names) >= 2
    assert sum(len(site.files.read(name)) for name in names) == stored.bytes
    assert await site.db.read(media_files.names) == names == set(site.files.names())


async def test_a_file_that_is_no_picture_is_refused(pair: Pair) -> None:
    site = pair.world.sites["one.test"]
    with pytest.raises(Invalid):
        await upload(site, pair.ann.id, b"GIF89a, not really")
    assert list(site.files.names()) == []
