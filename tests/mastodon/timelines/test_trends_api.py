"""Trends: what is talked about in the posts of this week."""

from __future__ import annotations

from typing import Any

from fediblog.actions import reaction_actions
from fediblog.domain.documents import Attachment, Picture, Visibility
from fediblog.store.tx import Tx
from tests.mastodon.server import Server
from tests.mastodon.timelines.test_timelines_api import ids
from tests.store import makers


async def test_what_many_use_comes_first_and_what_is_old_or_private_not_at_all(both: Server) -> None:
    server = both
    await server.publish("bob", "Long ago #old <https://example.org/old>")
    server.clock.forward(days=8)
    await server.publish("bob", "#lakes #lakes2 <https://example.org/a>")
    await server.publish("bob", "#lakes again")
    await server.publish("bob", "#secret", visibility=Visibility.FOLLOWERS)
    server.clock.forward(days=1)
    post = await server.publish("bob", "#hills <https://example.org/b>")
    await server.publish("alice", "#Hills too <https://example.org/b>")
    await server.write(reaction_actions.like, server.site.urls, server.people["alice"].id, post.id)
    nobody = await server.api()
    tags = await nobody.get("/api/v1/trends/tags")
    assert [each["name"].lower() for each in tags] == ["hills", "lakes", "lakes2"]
    assert (tags[0]["history"][0]["uses"], tags[0]["history"][0]["accounts"]) == ("2", "2")
    assert tags[1]["history"][1]["uses"] == "2"
    assert len(tags[0]["history"]) == 7
    assert await nobody.get("/api/v1/trends?limit=1&offset=1") == tags[1:2]
    assert await nobody.get("/api/v1/trends/links") == []  # of which no picture is known
    assert ids(await nobody.get("/api/v1/trends/statuses")) == [str(post.id)]
    await server.publish("alice", "#new")
    assert await nobody.get("/api/v1/trends/tags") == tags
    server.clock.forward(minutes=11)
    assert len(await nobody.get("/api/v1/trends/tags")) == 4


def _page(tx: Tx, name: str, **changes: Any) -> str:
    author = makers.remote(tx, "carol", name="Carol", discoverable=True)
    url = f"https://far.example/{name}"
    makers.post(tx, author, url=url, title=name.title(), kind="Article", **changes)
    return url


def _squat(tx: Tx, pages: list[str], picture: Picture) -> None:
    """A stranger's posts that name pages of others as theirs."""
    author = makers.remote(tx, "eve", "eve.example", discoverable=True)
    for page in pages:
        makers.post(tx, author, url=page, title="Eve", kind="Article", image=picture)


async def test_a_link_is_shown_with_the_picture_of_the_post_behind_it_and_never_one_of_ours(both: Server) -> None:
    picture = Picture(url="https://far.example/lake.png", alt="A lake")
    shown = await both.write(_page, "lakes", image=picture)
    file = Attachment(kind="Image", url="https://far.example/hill.png", media_type="image/png", alt="A hill")
    beside = await both.write(_page, "hills", attachments=(file,))
    others = [await both.write(_page, "words"), await both.write(_page, "warned", image=picture, warning="Lakes")]
    others.append(await both.write(_page, "secret", image=picture, visibility=Visibility.FOLLOWERS))
    own = await both.publish("alice", "Ours")
    others.append("https://news.example/front")
    await both.write(_squat, [own.url, *others[-1:]], picture)
    for link in (shown, beside, *others, own.url):
        await both.publish("bob", f"<{link}>")
    await both.publish("alice", f"<{shown}>")
    links = await (await both.api()).get("/api/v1/trends/links")
    assert [(each["url"], each["title"], each["image_description"]) for each in links] == [
        (shown, "Lakes", picture.alt),
        (beside, "Hills", file.alt),
    ]
    assert all(each["image"].startswith(f"{both.site.urls.origin}/media/remote/p") for each in links)
    assert links[0]["author_name"] == "Carol"
