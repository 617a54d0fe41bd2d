"""Word filters: set on a page, they fold or leave out posts wherever their reader sees them, and for nobody else."""

from __future__ import annotations

import re

import pytest

from fediblog.store.people import relations
from fediblog.store.posts import timelines
from fediblog.store.readers import filters, notifications
from tests.web.pages.conftest import Blog
from tests.web.pages.test_letters import second

EVERYWHERE = {"context": ["home", "notifications", "public", "thread", "account"], "whole-word": "1"}


async def test_a_filter_is_made_changed_and_deleted(blog: Blog) -> None:
    owner = await blog.owner()
    made = {"words": "plover\n\nplugh plugh\nplover", "title": "", **EVERYWHERE, "action": "warn", "period": "3600"}
    assert (await owner.post("/settings/filters", made)).headers["location"] == "/settings/filters"
    [found] = await blog.site.db.read(filters.of_account, blog.alice.id)
    assert [each.keyword for each in found.keywords] == ["plover", "plugh plugh"]
    assert (found.title, found.action, found.expires) == ("plover, plugh plugh", "warn", blog.clock.now + 3_600_000)
    where = f"/settings/filters/{found.id}"
    assert ">\nplover\nplugh plugh</textarea>" in (await owner.get(where)).text
    changed = {**made, "words": "plugh plugh\nxyzzy", "title": "Magic", "action": "hide", "period": "keep"}
    assert (await owner.post(where, {**changed, "context": ["home"]})).status_code == 303
    [after] = await blog.site.db.read(filters.of_account, blog.alice.id)
    assert (after.title, after.action, after.contexts, after.expires) == ("Magic", "hide", ("home",), found.expires)
    assert after.keywords[0].id == found.keywords[1].id, "what stays is the same one for apps"
    for wrong, said in (({"words": " "}, "One word is enough"), ({"context": []}, "Choose where it counts")):
        answer = await owner.post("/settings/filters", {**made, **wrong})
        assert (answer.status_code, said in answer.text) == (422, True)
    carol = await second(blog)
    assert (await carol.get(where)).status_code == 404
    assert (await carol.post(where, {"do": "delete"})).status_code == 404
    assert "Magic" not in (await carol.get("/settings/filters")).text
    await owner.post(where, {"do": "delete"})
    assert await blog.site.db.read(filters.of_account, blog.alice.id) == []


@pytest.mark.parametrize("action", ["warn", "hide"])
async def test_it_counts_on_every_page(blog: Blog, action: str) -> None:
    bob, owner = await blog.stranger(), await blog.owner()
    await blog.site.db.write(relations.put_follow, blog.alice.id, bob.id, "https://blog.test/f", "accepted")
    mine = await blog.write("About #birds")
    heard = await blog.heard(bob, "<p>A plover, #birds</p>", 1, in_reply_to=mine.uri, hashtags=("birds",))
    other = await blog.heard(bob, "<p>A plovers’ nest #birds</p>", 2, hashtags=("birds",))
    for post in (heard, other):
        await blog.site.db.write(timelines.spread, post)
    await blog.site.db.write(notifications.add, blog.alice.id, "reply", bob.id, heard.id)
    pages = ("/stream", mine.url.removeprefix("https://blog.test"), f"/account/{bob.id}?show=replies", "/tags/birds")
    for path in (*pages, "/notices"):
        assert "A plover," in (await owner.get(path)).text, path
    words = {"words": "plover", "title": "Birds", **EVERYWHERE, "action": action}
    assert (await owner.post("/settings/filters", words)).status_code == 303
    carol = await second(blog)
    for path in (*pages, "/notices"):
        page = (await owner.get(path)).text
        folded = re.findall(r'<details class="filtered"><summary>Filtered: Birds</summary>', page)
        assert len(folded) == (action == "warn"), path
        assert ("A plover," in page) == (action == "warn"), path
        if path in ("/stream", "/tags/birds"):
            assert "A plovers’ nest" in page, "whole words only"
        if path not in ("/stream", "/notices"):
            assert "Filtered" not in (await carol.get(path)).text, path
            assert "A plover," in (await carol.get(path)).text, path
