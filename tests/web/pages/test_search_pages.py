"""The search page: what visitors find in posts, how it is shown, narrowed and paged."""

from __future__ import annotations

import re
from html import unescape
from threading import get_ident
from urllib.parse import parse_qs, quote, urlsplit

import pytest

from fediblog.actions import account_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.documents import Note, Visibility
from fediblog.federation.keyring import make_keys
from fediblog.markup.search_words import Piece, Query
from fediblog.protocol import previews
from fediblog.store.posts import search
from fediblog.store.tx import Tx
from tests import wording
from tests.web.pages.conftest import Blog, Browser


def withhold(tx: Tx, post: int, state: str) -> None:
    tx.run("update post set state = :state where id = :id", state=state, id=post)


async def found(browser: Browser, query: str) -> tuple[list[int], str]:
    """Numbers of the posts, best first, and the page."""
    page = (await browser.get(f"/search?{query}")).text
    return [int(number) for number in re.findall(r'<article class="[^"]*hit" id="p(\d+)"', page)], page


async def test_visitors_find_what_is_for_everybody_and_see_why(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    plain = await blog.write("Fish & <b>chips</b>, *fish* again")
    article = await blog.write("Rivers " * 200 + "and fish in them " + "or not " * 200, title="On <fish>")
    warned = await blog.write("Fish that one must not see", warning="About animals")
    for visibility in (Visibility.UNLISTED, Visibility.FOLLOWERS, Visibility.DIRECT):
        await blog.write("Fish for some", visibility=visibility)
    await blog.write("Fish later", state="draft")
    for state in ("held", "hidden", "spam"):
        away = await blog.write(f"Fish {state}")
        await blog.site.db.write(withhold, away.id, state)
    visitor = blog.browser()
    numbers, page = await found(visitor, "q=FISH")
    assert numbers[0] == article.id
    assert set(numbers) == {plain.id, article.id, warned.id}
    assert "3 posts" in page
    assert "On &lt;<mark>fish</mark>&gt;" in page
    assert "<mark>Fish</mark> &amp; &lt;b&gt;chips&lt;/b&gt;, <mark>fish</mark> again" in page
    assert re.search(r"… Rivers.* and <mark>fish</mark> in them or not.* …</p>", page)
    assert "must not see" not in page
    assert "About animals" in page
    assert 'name="robots" content="noindex' in page
    owner = await blog.owner()
    assert len((await found(owner, "q=fish"))[0]) == 6
    monkeypatch.setattr(search, "MOST_READ", 3)  # the withheld ones, which are the newest
    assert "there was nothing in the newest" in (await found(visitor, "q=fish+-rivers"))[1]
    numbers, page = await found(visitor, "q=fish&order=newest")
    assert (numbers, "there was nothing in the newest" in page) == ([], True)
    further = re.search(r'<a [^>]*href="/search\?([^"]*before[^"]*)"', page)
    assert further
    assert (await found(visitor, unescape(further[1])))[0] == [warned.id, article.id, plain.id]
    monkeypatch.undo()
    for nothing in ("q=fish+-rivers+-chips+-animals+-see", "q=%22chips+rivers%22", "q=%22", "q=-fish", "q="):
        assert (await found(visitor, nothing))[0] == [], nothing
    assert (await found(visitor, "q=%22and+fish+in%22"))[0] == [article.id]


async def test_years_are_those_of_what_everybody_finds(blog: Blog) -> None:
    """An earlier post for few does not tell that it is there."""
    early, late = await blog.write("For few", visibility=Visibility.FOLLOWERS), await blog.write("For all")

    def move(tx: Tx) -> None:
        for post, month in ((early, "2019/03"), (late, "2023/03")):
            tx.run("update post set month = :month where id = :id", month=month, id=post.id)

    await blog.site.db.write(move)
    for browser in (blog.browser(), await blog.owner()):
        years = re.findall(r'<option value="(\d+)"', (await browser.get("/search")).text.partition('name="year"')[2])
        assert [year for year in years if len(year) == 4] == ["2025", "2024", "2023"]


async def test_a_search_is_narrowed_and_keeps_its_address(blog: Blog) -> None:
    blog.clock.forward(seconds=1)
    article = await blog.write("Of fish #Sea", title="Long")
    add, urls = account_actions.add_account, blog.site.urls
    ann = await blog.site.db.write(add, urls, blog.alice.login or 0, "ann", "Ann", make_keys())
    hers = await blog.site.db.write(wording.publish, urls, ann.id, Draft(source="Fish of Ann"))
    notes = {(await blog.write(f"Fish {number}")).id for number in range(45)}
    visitor = blog.browser()
    for narrowed, wanted in (
        ("kind=article", [article.id]),
        ("by=ann", [hers.id]),
        ("by=%40Ann&kind=note", [hers.id]),
        ("tag=%23SEA", [article.id]),
        ("tag=sea&kind=note", []),
        ("year=2025&kind=article", [article.id]),
        ("year=2024", []),
        ("by=nobody", []),
    ):
        numbers, page = await found(visitor, f"q=fish&{narrowed}")
        assert numbers == wanted, narrowed
        assert '<details class="fold" open>' in page
        assert wanted or 'href="/search?q=fish"' in page
    for order in ("", "&order=newest"):
        path, seen = f"/search?q=fish&kind=note{order}", list[int]()
        while path:
            numbers, page = await found(visitor, urlsplit(path).query)
            assert len(numbers) <= 20
            seen += numbers
            older = re.search(r'rel="next" href="([^"]*)"', page)
            path = unescape(older[1]) if older else ""
            assert not path or parse_qs(urlsplit(path).query)["kind"] == ["note"]
        assert len(seen) == len(set(seen)) == 46
        assert set(seen) == notes | {hers.id}
    assert seen == sorted(seen, reverse=True)
    assert (await found(visitor, "q=fish&page=9"))[0] == []
    assert (await found(visitor, "q=fish&page=" + "9" * 400))[0] != []
    for letters in ("a\u2474", "a\ufdfa"):  # what letters are written as that no hashtag has
        assert (await found(visitor, f"q=fish&tag={quote(letters)}"))[0] == []
    assert "2 posts" not in (await found(visitor, "q=%F0%9F%A6%8A&year=x&kind=y&by=%00&tag=%2F"))[1]


async def test_what_is_shown_of_what_was_found_is_made_off_the_event_loop(
    blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Long texts are looked through for the place that is shown: others would wait for that."""
    where, around = list[int](), previews.around

    def noted(note: Note, query: Query) -> list[Piece]:
        where.append(get_ident())
        return around(note, query)

    monkeypatch.setattr(previews, "around", noted)
    await blog.write("Fish")
    assert len((await found(blog.browser(), "q=fish"))[0]) == 1
    assert where
    assert get_ident() not in where
