"""The numbers of an account are its own people's alone; visits are counted without anything of who visits."""

from __future__ import annotations

import re

import pytest

from fediblog.domain.documents import Visibility
from fediblog.store.people import relations
from fediblog.store.posts import reactions
from fediblog.store.readers import account_numbers, visits
from fediblog.web.components.plots import columns
from fediblog.web.visit_counter import VisitCounter, is_program
from tests.web.pages.conftest import Blog
from tests.world import add_person, keys_of

FIREFOX = "Mozilla/5.0 (X11; Linux x86_64; rv:145.0) Gecko/20100101 Firefox/145.0"
DAY = 86_400


@pytest.mark.parametrize(
    ("agent", "program"),
    [
        (FIREFOX, False),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) AppleWebKit/605 Version/19.0 Safari/604.1", False),
        ("", True),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", True),
        ("Mastodon/4.5.0 (http.rb/5; +https://far.example/)", True),
        ("curl/8.5.0", True),
    ],
)
def test_programs_are_no_visitors(agent: str, program: bool) -> None:
    assert is_program(agent.encode()) == program


async def test_of_a_long_name_of_a_browser_little_is_remembered(blog: Blog) -> None:
    """A head has up to 64 kB, and some thousand names are remembered."""
    counter, before = blog.site.keep(VisitCounter), is_program.cache_info().currsize
    for end in (b"a", b"b"):
        counter.note(b"/@alice/1", b"text/html", [(b"user-agent", b"Mozilla/5.0 " + b"x" * 60_000 + end)])
    assert is_program.cache_info().currsize - before <= 1


async def test_visits_are_counted_and_nothing_else(blog: Blog) -> None:
    """Also of pages from the cache; not by programs, apps, or who has a session; nothing of a request is stored."""
    note = await blog.write("A note")
    article = await blog.write("Text", title="Über allem")
    secret = await blog.write("For followers", visibility=Visibility.FOLLOWERS)
    paths = [post.url.removeprefix("https://blog.test") for post in (note, article, secret)]
    visitor = blog.browser()
    visitor.http.headers["user-agent"] = FIREFOX
    for path in (paths[0], paths[0], paths[1], paths[2], "/@alice", "/@alice/99"):
        await visitor.get(path)
    await blog.browser().http.get(paths[0], headers={"user-agent": "curl/8", "accept": "text/html"})
    await visitor.http.get(paths[0], headers={"accept": "application/activity+json"})
    owner = await blog.owner()
    owner.http.headers["user-agent"] = FIREFOX
    await owner.get(paths[0])
    numbers = [note.id, article.id, secret.id]
    assert await blog.site.db.read(visits.totals, numbers) == {}
    await blog.site.keep(VisitCounter).finish()
    assert await blog.site.db.read(visits.totals, numbers) == {note.id: 2, article.id: 1}
    stored = await blog.site.db.read(lambda tx: [row._asdict() for row in tx.all("select * from visit")])
    assert all(set(row) == {"post", "day", "times"} for row in stored)
    page = (await owner.get("/numbers")).text
    assert re.search(r"A note</bdi></a> .*?(?:<td>\d+</td>){4}<td>2</td>", page)
    blog.clock.forward(seconds=400 * DAY)
    assert await blog.site.db.write(visits.sweep) == 2


async def test_followers_are_counted_by_week(blog: Blog) -> None:
    bob, carol = await blog.stranger("bob"), await blog.stranger("carol")
    await blog.site.db.write(relations.put_follow, bob.id, blog.alice.id, f"{bob.uri}/f", "accepted")
    blog.clock.forward(seconds=21 * DAY)
    await blog.site.db.write(relations.put_follow, carol.id, blog.alice.id, f"{carol.uri}/f", "accepted")
    found = (await blog.site.db.read(account_numbers.of_account, blog.alice.id)).followers
    assert len(found) == account_numbers.WEEKS
    assert [total for _, total in found[-5:]] == [0, 1, 1, 1, 2]
    blog.clock.forward(seconds=500 * DAY)
    later = (await blog.site.db.read(account_numbers.of_account, blog.alice.id)).followers
    assert {total for _, total in later} == {2}


async def test_nobody_sees_the_numbers_of_others(blog: Blog) -> None:
    mine = await blog.write("Mine alone")
    bob = await blog.stranger("bob", "servers.example")
    await blog.site.db.write(relations.put_follow, bob.id, blog.alice.id, f"{bob.uri}/f", "accepted")
    await blog.site.db.write(reactions.react, bob.id, mine.id, f"{bob.uri}/l")
    await blog.site.db.write(add_person, blog.site.urls, "bea", keys_of("blog.test", "bea"))
    owner = await blog.owner()
    page = (await owner.get("/numbers")).text
    assert [word in page for word in ("Mine alone", "servers.example", "The whole server")] == [True] * 3
    assert page.count('<svg class="plot"') == 3
    assert "style=" not in page
    assert (await blog.browser().get("/numbers")).status_code == 303


def test_a_plot_says_what_it_shows_and_escapes_it() -> None:
    drawn = str(columns([0, 2, 4], ["<a>", "b", "c"], 'Followers "now"'))
    assert re.findall(r'height="([\d.]+)"><title>', drawn) == ["0.0", "80.0", "160.0"]
    assert "&lt;a&gt;: 0" in drawn
    assert 'aria-label="Followers &#34;now&#34;"' in drawn
    assert columns([], [], "Nothing").count("<rect") == 0


async def test_new_posts_are_as_their_account_prefers_them(blog: Blog) -> None:
    """On the page and from apps, which do not say who may comment."""
    owner = await blog.owner()
    assert "Wait 0 seconds" not in (await owner.get("/settings")).text  # as the server is set
    chosen = {"visibility": "followers", "comments": "nobody", "quotes": "followers", "sensitive": "1", "wait": "1"}
    chosen |= {"language": "gsw"}
    assert (await owner.post("/settings/publishing", chosen)).status_code == 303
    form = (await owner.get("/write")).text
    for name, value in (("visibility", "followers"), ("comments", "nobody"), ("quotable", "followers")):
        select = re.search(rf'<select[^>]* name="{name}".*?</select>', form, re.DOTALL)
        assert select is not None, name
        assert f'value="{value}" selected' in select[0], name
    post = await blog.write("From an app")
    assert (post.repliable, post.quotable, post.language) == ("nobody", "followers", "gsw")
    assert 'name="language" type="text" value="gsw"' in form
    await owner.post("/settings", {"display": "Alice"})  # the profile leaves it as it is
    settings = (await owner.get("/settings")).text
    assert 'name="language" type="text" value="gsw"' in settings
    assert settings.count('value="nobody" selected') == 1
