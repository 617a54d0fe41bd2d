"""A wave of spam is seen by server and text, removed in one go, and taken back in one go."""

from __future__ import annotations

import re

from fediblog.domain.documents import Note, Visibility
from fediblog.domain.posts import Post
from fediblog.markup.clean import clean
from fediblog.store.people import accounts, hosts
from fediblog.store.posts import post_writing, posts
from fediblog.store.posts.post_columns import Placement
from fediblog.store.readers import moderation_log
from fediblog.store.tx import Tx
from fediblog.web.pages.server.wave_page import HOURS
from tests.web.pages.conftest import Blog

PATH = "/moderation/wave"


async def mention(
    blog: Blog, handle: str, domain: str, text: str, visibility: Visibility = Visibility.PUBLIC, to: int = 0
) -> Post:
    author = await blog.stranger(handle, domain)

    def store(tx: Tx) -> Post:
        note = Note(uri=f"{author.uri}/1", kind="Note", author=author.uri, content=clean(f"<p>@alice {text}</p>"))
        number = post_writing.insert(tx, note, author, Placement(visibility=visibility))
        post_writing.address(tx, number, [(to or blog.alice.id, "", False)])
        found = posts.stored(tx, number)
        assert found is not None
        return found

    return await blog.site.db.write(store)


async def states(blog: Blog, wave: list[Post]) -> set[str]:
    found = [await blog.site.db.read(posts.stored, each.id) for each in wave]
    return {each.state for each in found if each is not None}


async def test_a_wave_is_removed_and_taken_back(blog: Blog) -> None:
    old = await mention(blog, "friend", "old.example", "An old friend")
    blog.clock.forward(seconds=(HOURS[-1] + 1) * 3600)
    wave = [await mention(blog, f"spam{n}", f"s{n % 2}.example", f"Buy it {n % 2}") for n in range(6)]
    kind = await mention(blog, "kind", "kind.example", "Good morning")
    owner = await blog.owner()
    page = (await owner.get(f"{PATH}?all=1")).text
    assert (
        len(re.findall(r'name="post" value="\d+" checked', page)),
        page.count("<fieldset>"),
        "An old friend" in page,
    ) == (7, 3, False)
    assert page.count("Buy it 1") == 1
    assert not re.search(r'name="post" value="\d+" checked', (await owner.get(PATH)).text)
    nothing = await owner.post(PATH, {"post": [str(old.id)[:5], "1"]})
    assert nothing.status_code == 303
    chosen = {"post": [str(each.id) for each in wave], "suspend": "1", "block": "1"}
    asked = await owner.post(PATH, chosen)
    for line in ("6 posts are removed", "6 accounts are suspended", "The server s0.example is blocked"):
        assert line in asked.text
    assert await states(blog, wave) == {"published"}
    await owner.post(PATH, {**chosen, "sure": "1"})
    assert await states(blog, wave) == {"spam"}
    assert await states(blog, [kind, old]) == {"published"}
    assert await blog.site.db.read(accounts.state, wave[0].account.id) == "suspended"
    assert await blog.site.db.read(hosts.is_blocked, "s1.example")
    page = (await owner.get(PATH)).text
    assert "Good morning" in page
    assert "Buy it" not in page
    [undo] = re.findall(r'action="(/moderation/log/\d+/undo)"', page)
    assert (await owner.post(undo)).status_code == 303
    assert await states(blog, wave) == {"published"}
    assert await blog.site.db.read(accounts.state, wave[0].account.id) == "active"
    assert not await blog.site.db.read(hosts.is_blocked, "s1.example")
    assert (await owner.post(undo)).status_code == 404
    assert [each.action for each in await blog.site.db.read(moderation_log.latest)] == ["take-back", "wave"]


async def test_what_was_decided_since_stands(blog: Blog) -> None:
    wave = [await mention(blog, f"spam{n}", "s.example", "Buy it") for n in range(2)]
    owner = await blog.owner()
    await owner.post(PATH, {"post": [str(each.id) for each in wave], "suspend": "1", "sure": "1"})
    await owner.post(f"/moderation/post/{wave[0].id}", {"do": "remove"})
    await owner.post("/moderation/block", {"host": "s.example"})
    [entry] = [each for each in await blog.site.db.read(moderation_log.latest) if each.action == "wave"]
    await owner.post(f"/moderation/log/{entry.id}/undo")
    assert await blog.site.db.read(posts.stored, wave[0].id) is None
    assert await blog.site.db.read(accounts.state, wave[1].account.id) == "suspended"


async def test_letters_to_others_are_told_to_nobody(blog: Blog) -> None:
    """Neither shown nor touched by their number; a letter to the owner is the owner's to read."""
    other = await blog.stranger("zoe", "elsewhere.example")
    secret = await mention(blog, "spam1", "s.example", "For Zoe alone", Visibility.DIRECT, other.id)
    mine = await mention(blog, "spam2", "s.example", "For Alice", Visibility.DIRECT)
    owner = await blog.owner()
    page = (await owner.get(f"{PATH}?all=1")).text
    assert ("For Zoe alone" in page, "For Alice" in page, str(secret.id) in page) == (False, True, False)
    await owner.post(PATH, {"post": [str(secret.id), str(mine.id)], "sure": "1"})
    assert (await states(blog, [secret]), await states(blog, [mine])) == ({"published"}, {"spam"})
