"""Whom an account follows, who follows it, whom it mutes and blocks: listed, found, changed, and taken along."""

from __future__ import annotations

import re

import pytest

from fediblog.prepare import relation_csv
from fediblog.store.id_paging import Window
from fediblog.store.people import relation_lists, relations
from fediblog.store.posts import reader_marks
from fediblog.store.readers import lists
from fediblog.store.tx import Tx
from tests.web.pages.conftest import Blog, Browser


async def follows(blog: Blog, handle: str, domain: str = "far.example", **fields: str) -> int:
    """The number of somebody whom Alice follows."""
    other = await blog.stranger(handle, domain, **fields)
    await blog.site.db.write(relations.put_follow, blog.alice.id, other.id, f"{other.uri}/f", "accepted")
    return other.id


def shown(page: str) -> list[str]:
    return re.findall(r'class="person h-card u-url" href="/account/(\d+)"', page)


@pytest.mark.parametrize(
    ("words", "found"),
    [("carol", "carol"), ("CAR", "carol"), ("Dwight", "dave"), ("other.exa", "dave"), ("100%", ""), ("_", "")],
)
async def test_a_list_is_searched_by_name_handle_and_server(blog: Blog, words: str, found: str) -> None:
    made = {
        "carol": await follows(blog, "carol"),
        "dave": await follows(blog, "dave", "other.example", name="Dwight the Dave"),
    }
    owner = await blog.owner()
    assert shown((await owner.get("/people")).text) == [str(made["dave"]), str(made["carol"])]
    answer = await owner.get(f"/people?q={words.replace('%', '%25')}")
    assert shown(answer.text) == [str(made[name]) for name in made if name == found]
    assert ("Nobody in this list has that" in answer.text) == (not found)


async def test_a_follow_is_with_boosts_and_notices_or_without(blog: Blog) -> None:
    bob, owner = await follows(blog, "bob"), await blog.owner()
    for button, reblogs, notify in (
        ("notify", True, True),
        ("hide-boosts", False, True),
        ("stop-notify", False, False),
        ("show-boosts", True, False),
    ):
        assert f'action="/account/{bob}/{button}"' in (await owner.get("/people")).text
        assert (await owner.post(f"/account/{bob}/{button}")).status_code == 303
        standing = await blog.site.db.read(relations.follow, blog.alice.id, bob)
        assert standing is not None
        assert (standing.reblogs, standing.notify) == (reblogs, notify), button
    stranger = await blog.stranger("carol")
    assert (await owner.post(f"/account/{stranger.id}/notify")).status_code == 303
    assert await blog.site.db.read(relations.follow, blog.alice.id, stranger.id) is None


async def test_followers_are_removed_or_blocked_and_mutes_say_until_when(blog: Blog) -> None:
    bob, owner = await blog.stranger("bob"), await blog.owner()
    await blog.site.db.write(relations.put_follow, bob.id, blog.alice.id, f"{bob.uri}/f", "accepted")
    page = (await owner.get("/people?show=followers")).text
    assert [f'action="/account/{bob.id}/{each}"' in page for each in ("remove", "block")] == [True, True]
    await blog.site.db.write(relations.mute, blog.alice.id, bob.id, blog.clock.now + 3_600_000)
    assert "Muted until " in (await owner.get("/people?show=muted")).text
    await blog.site.db.write(relations.mute, blog.alice.id, bob.id)
    assert "Muted until you say otherwise" in (await owner.get("/people?show=muted")).text


async def hosts(blog: Blog) -> list[str]:
    found = await blog.site.db.read(relation_lists.muted_hosts, blog.alice.id, Window())
    return [host for _, host in found]


async def test_who_blocks_a_server_is_told_first_which_follows_end(blog: Blog) -> None:
    owner = await blog.owner()
    assert (await owner.post("/people/servers", {"host": "quiet.example"})).status_code == 303
    bob = await follows(blog, "bob")
    answer = await owner.post("/people/servers", {"host": "far.example"})
    assert answer.status_code == 422
    assert "You follow 1 people there, and 0 there follow you." in answer.text
    assert await hosts(blog) == ["quiet.example"]
    assert (await owner.post("/people/servers", {"host": "far.example", "sure": "1"})).status_code == 303
    assert await hosts(blog) == ["far.example", "quiet.example"]
    assert await blog.site.db.read(relations.follow, blog.alice.id, bob) is None
    assert (await owner.post("/people/servers", {"host": "no host"})).status_code == 422
    assert "far.example" in (await owner.get("/people?show=servers")).text
    assert (await owner.post("/people/servers/remove", {"host": "far.example"})).status_code == 303
    assert await hosts(blog) == ["quiet.example"]


async def exported(owner: Browser, kind: str) -> str:
    answer = await owner.get(f"/people/{relation_csv.FILES[kind]}")
    assert answer.status_code == 200
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    return answer.text


async def test_the_lists_leave_as_mastodon_writes_them(blog: Blog) -> None:
    """As `app/models/export.rb` of Mastodon 4.5 has it: headings where it has them, all columns."""
    bob, carol = await follows(blog, "bob"), await follows(blog, "carol")
    dave, post = await blog.stranger("dave"), await blog.write("Kept")

    def arrange(tx: Tx) -> None:
        relation_lists.set_follow(tx, blog.alice.id, carol, reblogs=False, notify=True, languages=["de", "en"])
        lists.put(tx, lists.add(tx, blog.alice.id, 'Close, "dear"', "list", exclusive=False), [bob])
        relations.mute(tx, blog.alice.id, dave.id, notices=False)
        relations.block(tx, blog.alice.id, dave.id, "https://blog.test/block")
        relation_lists.mute_host(tx, blog.alice.id, "loud.example")
        reader_marks.bookmark(tx, blog.alice.id, post.id)

    await blog.site.db.write(arrange)
    owner = await blog.owner()
    assert {kind: await exported(owner, kind) for kind in relation_csv.FILES} == {
        "following": "Account address,Show boosts,Notify on new posts,Languages\nbob@far.example,true,false,\n"
        'carol@far.example,false,true,"de, en"\n',
        "lists": '"Close, ""dear""",bob@far.example\n',
        "muted": "Account address,Hide notifications\ndave@far.example,false\n",
        "blocked": "dave@far.example\n",
        "servers": "loud.example\n",
        "bookmarks": f"{post.uri}\n",
    }
    assert (await blog.browser().get("/people/following_accounts.csv")).status_code == 303


async def test_the_desk_can_be_installed_and_pages_for_everybody_do_not_offer_it(blog: Blog) -> None:
    owner = await blog.owner()
    assert 'rel="manifest"' in (await owner.get("/stream")).text
    visitor = blog.browser()
    assert 'rel="manifest"' not in (await visitor.get("/")).text
    answer = await visitor.get("/manifest.webmanifest")
    assert answer.headers["content-type"] == "application/manifest+json"
    made = answer.json()
    assert (made["name"], made["start_url"], made["display"]) == ("A Test Blog", "/stream", "standalone")
    assert (made["share_target"]["method"], made["share_target"]["enctype"]) == (
        "GET",
        "application/x-www-form-urlencoded",
    )  # a browser warns else
    assert any(each["sizes"] == "any" for each in made["icons"])
    assert [(await visitor.get(each["src"])).status_code for each in made["icons"]] == [200]
    shared = {value: f"{name} of it" for name, value in made["share_target"]["params"].items()}
    page = (await owner.http.get(made["share_target"]["action"], params=shared)).text
    assert "title of it" in page
    assert "manifest-src 'self'" in answer.headers["content-security-policy"]
