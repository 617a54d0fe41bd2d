"""The frame of the blog: what its owner decides shows at once, and to visitors alone."""

from __future__ import annotations

import re
from urllib.parse import quote

import pytest
from markupsafe import Markup
from msgspec.structs import replace

from fediblog.actions import account_actions, post_actions, reaction_actions
from fediblog.actions.page_actions import PageDraft
from fediblog.domain.blog import DEFAULT_MENU, LOOKS, MenuItem
from fediblog.domain.blog import Blog as Chosen
from fediblog.domain.documents import Attachment
from fediblog.domain.posts import Post
from fediblog.federation import prepared_actions
from fediblog.federation.keyring import make_keys
from fediblog.federation.outbound import websub_pings
from fediblog.store.people import accounts, blog_settings, relations
from fediblog.store.posts import free_pages, media_files
from fediblog.web.components.action_bar import Reader
from fediblog.web.components.entries import blog_list
from fediblog.web.components.page_links import Links
from tests.web.pages.conftest import Blog
from tests.web.pages.test_desk import picture

FORM = {"title": "Notes from the Desk", "tagline": "On libraries", "look": "quiet", "place": [], "css": ""}


def linked(page: str) -> list[str]:
    """Where the menu leads."""
    menu = re.search(r'<nav class="bar nav"[^>]*>(.*?)</nav>', page, re.DOTALL)
    assert menu is not None
    return re.findall(r'<a href="([^"]+)"', menu[1])


async def test_what_the_owner_decides_shows_at_once(blog: Blog) -> None:
    owner, visitor = await blog.owner(), blog.browser()
    before = (await visitor.get("/")).text
    assert linked(before) == ["/?show=articles", "/?show=notes", "/archive", "/about"]
    menu = {
        "order": ["2", "1", "3", "x"],
        "place": ["notes", "other", "", "articles"],
        "label": ["", "Poetry", "", "Essays"],
        "address": ["", "/tags/poetry", "", ""],
    }
    own = {"css": ".entry { color: red }", "accent-on": "1", "accent": "#ffff00"}
    files = {"icon": ("icon.png", picture(), "image/png")}
    answer = await owner.post("/settings/blog", {**FORM, **menu, **own}, files=files)
    assert answer.status_code == 303
    after = (await visitor.get("/")).text
    assert "<h1><bdi>Notes from the Desk</bdi></h1>" in after
    assert ">On libraries</bdi></p>" in after
    assert linked(after) == ["/tags/poetry", "/?show=notes", "/?show=articles"]
    assert ">Poetry</a>" in after
    assert "looks/quiet.css" in after
    sheet = re.search(r'href="(/look\.css\?v=[0-9a-f]+)"', after)
    icon = re.search(r'<link rel="icon" href="(/media/[^"]+)"', after)
    assert sheet is not None
    assert icon is not None
    css = await visitor.get(sheet[1])
    assert css.headers["content-type"].startswith("text/css")
    assert css.headers["cache-control"] == "public, max-age=86400"
    for other in ("/look.css", "/look.css?v=0123456789ab"):  # a page that was made before the last change
        assert (await visitor.get(other)).headers["cache-control"] == "max-age=0, must-revalidate"
    assert ".entry { color: red }" in css.text
    assert (await visitor.get(icon[1])).status_code == 200
    # Never where somebody signs in, agrees or writes.
    for page in ("/login", "/settings/blog", "/write"):
        found = (await (visitor if page == "/login" else owner).get(page)).text
        assert "look.css" not in found
        assert not re.search(r"looks/[\w-]+\.css", found)
    assert blog.site.title == "Notes from the Desk"
    assert "Notes from the Desk" in (await visitor.get("/feed.atom")).text
    named = await visitor.get("/api/v2/instance", accept="application/json")
    assert named.json()["title"] == "Notes from the Desk"


async def test_mistakes_keep_what_was_typed(blog: Blog) -> None:
    owner = await blog.owner()
    wrong = {"order": ["1"], "place": ["other"], "label": ["Evil"], "address": ["javascript:alert(1)"]}
    answer = await owner.post("/settings/blog", {**FORM, **wrong, "accent-on": "1", "accent": "red"})
    assert answer.status_code == 422
    assert "javascript:alert(1)" in answer.text
    assert "Notes from the Desk" in answer.text
    assert await blog.site.db.read(blog_settings.get) == Chosen()


async def test_a_mistake_keeps_pictures_and_ticks(blog: Blog) -> None:
    """Also what stands twice in the menu is one, and rows stand as they were typed."""
    owner = await blog.owner()
    files = {"logo": ("logo.png", picture(), "image/png")}
    assert (await owner.post("/settings/blog", FORM, files=files)).status_code == 303
    twice = {
        "order": ["2", "1", "7"],
        "place": ["about", "about", "other"],
        "label": ["", "Who", "Unsent"],
        "address": ["", "", "/unsent"],
    }
    ticks = {"accent-on": "1", "accent": "red", "logo-drop": "1", "time-zone": "Mars/Base", "websub-hub": "hub"}
    files = {"icon": ("icon.png", picture(), "image/png")}
    answer = await owner.post("/settings/blog", {**FORM, **twice, **ticks}, files=files)
    assert answer.status_code == 422
    assert "“Who” stands twice in the menu." in answer.text
    for kept in (
        *('name="accent-on" value="1" checked', 'name="logo-drop" value="1" checked', 'value="/unsent"'),
        *('value="7"', 'value="Mars/Base"', 'value="hub"', 'id="time-zone-problem"', 'id="websub-hub-problem"'),
    ):
        assert kept in answer.text, kept
    icon = re.search(r'name="icon-kept" value="(\d+)"', answer.text)
    assert icon is not None
    wrong = await owner.post("/settings/blog", {**FORM, "icon-kept": icon[1], "accent-on": "1", "accent": "red"})
    assert f'name="icon-kept" value="{icon[1]}"' in wrong.text
    saved = await owner.post("/settings/blog", {**FORM, "logo-drop": "1", "icon-kept": icon[1]})
    assert saved.status_code == 303
    upload = await blog.site.db.read(media_files.get, int(icon[1]), blog.alice.id)
    chosen = await blog.site.db.read(blog_settings.get)
    assert upload is not None
    assert (chosen.icon, chosen.logo) == (upload.file, "")
    bob = await blog.stranger()
    other = await blog.site.db.write(media_files.promise, bob.id)
    assert (await owner.post("/settings/blog", {**FORM, "icon-kept": str(other)})).status_code == 303
    assert (await blog.site.db.read(blog_settings.get)).icon == upload.file


async def test_crawlers_hub_and_time_zone_are_chosen_while_the_server_runs(blog: Blog) -> None:
    """What the settings file says counts until then, and again where the choice is taken back."""
    post = await blog.write("Late in the day", title="Late")
    await blog.site.db.write(
        lambda tx: tx.run("update post set published = :at where id = :id", at=1_749_945_600_000 - 60_000, id=post.id)
    )
    owner, visitor = await blog.owner(), blog.browser()
    assert "14 June 2025, 23:59 UTC" in (await visitor.get(post.url)).text
    assert "Disallow: /\n\nSitemap" in (await visitor.get("/robots.txt")).text
    assert "hub" not in (await visitor.get("/feed.atom")).text
    chosen = {"time-zone": "Europe/Berlin", "ai-crawlers": "allow", "websub-hub": "https://hub.example/"}
    assert (await owner.post("/settings/blog", {**FORM, **chosen})).status_code == 303
    page = (await visitor.get(post.url)).text
    assert ("15 June 2025, 01:59 CEST" in page, "UTC" in page) == (True, False)
    assert 'datetime="2025-06-14T23:59:00Z"' in page
    assert "15 June 2025" in (await visitor.get("/")).text
    assert "Disallow: /\n\nSitemap" not in (await visitor.get("/robots.txt")).text
    assert 'rel="hub" href="https://hub.example/"' in (await visitor.get("/feed.atom")).text
    await websub_pings.put_down(blog.site, (await blog.write("Something new")).id)
    assert await blog.site.db.read(lambda tx: len(tx.all("select id from job where kind = 'websub'"))) == 1
    form = (await owner.get("/settings/blog")).text
    assert 'value="Europe/Berlin"' in form
    assert '<option value="allow" selected>' in form
    assert (await owner.post("/settings/blog", FORM)).status_code == 303
    assert "14 June 2025, 23:59 UTC" in (await visitor.get(post.url)).text
    assert "Disallow: /\n\nSitemap" in (await visitor.get("/robots.txt")).text


@pytest.mark.parametrize("address", ["//evil.example", "https://", "/a b", "data:text/html,x", ""])
async def test_a_menu_leads_to_pages(blog: Blog, address: str) -> None:
    owner = await blog.owner()
    row = {"order": ["1"], "place": ["other"], "label": ["There"], "address": [address]}
    assert (await owner.post("/settings/blog", {**FORM, **row})).status_code == 422


async def test_a_menu_leads_to_pages_that_stand_by_themselves(blog: Blog) -> None:
    """Each is a choice with its own title; the one about who writes has its place already, and stands there once."""
    owner = await blog.owner()
    for title, role in (("Who I am", "about"), ("My walks", "")):
        sent = {"title": title, "role": role, "source": "x", "do": "publish"}
        assert (await owner.post("/settings/pages/new", sent)).status_code == 303
    form = (await owner.get("/settings/blog")).text
    assert '<option value="/my-walks">My walks</option>' in form
    assert 'value="/who-i-am"' not in form
    rows = {
        "order": ["1", "2", "3"],
        "place": ["about", "/my-walks", "other"],
        "label": ["", "", "Tea"],
        "address": ["", "", "tea"],
    }
    assert (await owner.post("/settings/blog", {**FORM, **rows})).status_code == 303
    home = (await blog.browser().get("/")).text
    assert linked(home) == ["/who-i-am", "/my-walks", "/tea"]
    assert ">My walks</a>" in home
    form = (await owner.get("/settings/blog")).text
    assert '<option value="/my-walks" selected>My walks</option>' in form
    rows = {"order": ["1", "2"], "place": ["about", "other"], "label": ["", "Who"], "address": ["", "/about"]}
    twice = await owner.post("/settings/blog", {**FORM, **rows})
    assert twice.status_code == 422
    assert re.search(r'value="/about"[^>]* aria-invalid="true" aria-describedby="menu-2-problem" autofocus', twice.text)


async def test_each_look_is_shown_before_it_is_chosen(blog: Blog) -> None:
    owner = await blog.owner()
    shown = re.findall(r'<img src="(/static/looks/[^"]+)"', (await owner.get("/settings/blog")).text)
    assert len(shown) == len(LOOKS)
    for address in shown:
        assert (await owner.get(address)).headers["content-type"] == "image/webp"


async def test_only_the_owner_decides(blog: Blog) -> None:
    member = blog.browser()
    await blog.site.db.write(lambda tx: tx.run("update login set role = 'member'"))
    assert (await member.log_in()).status_code == 303
    assert (await member.get("/settings/blog")).status_code == 403
    assert (await member.post("/settings/blog", FORM)).status_code == 403
    assert (await blog.browser().get("/settings/blog")).status_code == 303


async def test_a_later_version_may_have_chosen_something_else(blog: Blog) -> None:
    await blog.site.db.write(lambda tx: tx.run("insert into setting (name, value) values ('blog', '{\"menu\": 7}')"))
    assert linked((await blog.browser().get("/")).text) == [
        *("/?show=articles", "/?show=notes", "/archive", "/about"),
    ]
    assert len(DEFAULT_MENU) == 4
    assert LOOKS[0] == Chosen(menu=(MenuItem("about"),)).look


async def test_kinds_of_posts(blog: Blog) -> None:
    article = await blog.write("Long", title="An article")
    note = await blog.write("A short note")
    bob = await blog.stranger()
    theirs = await blog.heard(bob, "<p>What Bob says</p>", 1)
    answer = await blog.write("My answer", reply_to=theirs.id)
    hidden = await blog.heard(bob, "<p>For few</p>", 2)
    await blog.site.db.write(lambda tx: tx.run("update post set visibility = 'followers' where id = :id", id=hidden.id))
    await blog.site.db.write(reaction_actions.boost, blog.site.urls, blog.alice.id, theirs.id)
    visitor = blog.browser()

    async def shown(kind: str) -> set[int]:
        page = (await visitor.get(f"/?show={kind}" if kind else "/")).text
        return {int(found) for found in re.findall(r'<article [^>]*id="p(\d+)"', page)}

    assert await shown("") == await shown("all") == await shown("nonsense") == {article.id, note.id}
    assert await shown("articles") == {article.id}
    assert await shown("notes") == {note.id}
    assert await shown("answers") == {answer.id}
    assert await shown("boosts") == {theirs.id}
    await blog.site.db.write(lambda tx: tx.run("update account set discoverable = 0 where id = :id", id=blog.alice.id))
    for kind in ("all", "articles", "notes", "answers", "boosts"):
        assert await shown(kind) == set(), kind


async def test_the_latest_article_leads_unless_something_is_pinned(blog: Blog) -> None:
    first = await blog.write("Old", title="An old one")
    latest = await blog.write("Long", title="The latest one")
    note = await blog.write("A note afterwards")
    visitor = blog.browser()

    async def order() -> list[int]:
        page = (await visitor.get("/")).text
        return [int(found) for found in re.findall(r'<article [^>]*id="p(\d+)"', page)]

    assert await order() == [latest.id, note.id, first.id]
    await blog.site.db.write(post_actions.pin, blog.site.urls, blog.alice.id, first.id)
    assert await order() == [first.id, note.id, latest.id]


async def test_the_way_to_follow_from_elsewhere(blog: Blog) -> None:
    visitor = blog.browser()
    page = await visitor.get("/follow?account=alice&server=%20Social.Example%20")
    assert page.status_code == 200
    assert 'href="https://social.example/authorize_interaction?uri=acct%3Aalice%40blog.test"' in page.text
    for typed in ("@me@social.example", "https://social.example/@me", "me@social.example"):
        found = await visitor.get(f"/follow?account=alice&server={quote(typed)}")
        assert 'href="https://social.example/authorize' in found.text, typed
    for typed in ("javascript:alert(1)", "here", "a b.example", "social.example/evil?x"):
        wrong = await visitor.get(f"/follow?account=alice&server={quote(typed)}")
        assert wrong.status_code == 422, typed
        assert "authorize_interaction" not in wrong.text
    assert (await visitor.get("/follow?account=nobody&server=social.example")).status_code == 404


async def test_boosts_of_whom_the_reader_avoids_are_not_on_the_home(blog: Blog) -> None:
    """Visitors see them; a reader who muted or blocked the booster, or is blocked by that one, does not."""
    bob = await blog.stranger()
    theirs = await blog.heard(bob, "<p>What Bob says</p>", 1)
    owner, visitor = await blog.owner(), blog.browser()
    ann = await blog.site.db.write(
        account_actions.add_account, blog.site.urls, blog.alice.login or 0, "ann", "Ann", make_keys()
    )
    await blog.site.db.write(reaction_actions.boost, blog.site.urls, ann.id, theirs.id)

    async def shown() -> tuple[bool, bool]:
        pages = [(await browser.get("/?show=boosts")).text for browser in (visitor, owner)]
        return ("What Bob says" in pages[0], "What Bob says" in pages[1])

    alice, act = blog.alice.id, blog.site.db.write
    assert await shown() == (True, True)
    await act(relations.mute, alice, ann.id)
    assert await shown() == (True, False)
    await act(relations.unmute, alice, ann.id)
    assert await shown() == (True, True)
    for who, whom in ((alice, ann.id), (ann.id, alice)):
        await act(relations.block, who, whom, "https://blog.test/b/1")
        assert await shown() == (True, False)
        await act(relations.unblock, who, whom)
    assert await shown() == (True, True)


async def test_the_foot_names_about_once(blog: Blog) -> None:
    """Whether it is a profile or a page, and whatever the page is called."""
    visitor = blog.browser()

    async def named() -> list[str]:
        foot = (await visitor.get("/")).text.partition("<footer")[2]
        return re.findall(r'<li><a href="(/[^"]*)" dir="auto">(?:About|Who writes)', foot)

    assert await named() == ["/about"]
    for title, slug in (("About", ""), ("Who writes", "who")):
        page = PageDraft(title=title, slug=slug, source="Me", published=True, role="about")
        kept = [each.id for each in await blog.site.db.read(free_pages.every)]
        await prepared_actions.save_page(blog.site, kept[0] if kept else None, page, ())
        assert await named() == [f"/{slug or 'about'}"]


async def test_about_leads_to_who_writes(blog: Blog) -> None:
    visitor = blog.browser()
    assert (await visitor.get("/about")).headers["location"] == "/@alice"
    await blog.site.db.write(lambda tx: tx.run("update account set discoverable = 0"))
    assert await blog.site.db.read(accounts.listed) == []
    assert (await visitor.get("/about")).status_code == 404


async def test_an_article_leads_to_its_neighbours(blog: Blog) -> None:
    first = await blog.write("One", title="First")
    secret = await blog.write("For few", title="Secret", visibility="followers")
    middle = await blog.write("Two", title="Middle")
    last = await blog.write("Three", title="Last")
    page = (await blog.browser().get(middle.url)).text
    assert f'rel="prev" href="{first.url.removeprefix("https://blog.test")}"' in page
    assert f'rel="next" href="{last.url.removeprefix("https://blog.test")}"' in page
    assert "Secret" not in page
    own = (await (await blog.owner()).get(secret.url)).text
    assert 'rel="prev"' not in own


async def test_where_pictures_come_first_lists_show_those_of_texts(blog: Blog) -> None:
    """Studio alone: elsewhere a list shows the picture that was chosen to stand above the text."""
    hill = Attachment(url="https://blog.test/media/a.png", media_type="image/png", kind="Image", alt="A hill")
    post = await blog.write("Text", title="A walk")
    links = Links(blog.site.urls, signed_in=False)

    def listed(post: Post, *, tiled: bool) -> str:
        reader = Reader.at("/", links, None, "")
        return str(blog_list("en", [post], reader, False, False, tiled, lambda _post: Markup()))

    post = replace(post, attachments=(hill,))
    assert 'alt="A hill"' not in listed(post, tiled=False)
    assert 'alt="A hill"' in listed(post, tiled=True)
    assert "<img" not in listed(replace(post, sensitive=True), tiled=True)
