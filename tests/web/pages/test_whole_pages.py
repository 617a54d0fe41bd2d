"""Every page as a whole: its elements stand where HTML allows them, its title is its own, words have their direction.

And nothing of it is loaded from another server.

The pages are those of the routes, filled with something of everything.
"""

from __future__ import annotations

import re
from html import unescape
from html.parser import HTMLParser
from typing import Any

import pytest
from msgspec.structs import replace
from starlette.routing import Route

from fediblog.actions import category_actions, post_actions, report_actions, showcase_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.drafts import PollDraft
from fediblog.actions.page_actions import PageDraft
from fediblog.actions.report_actions import ReportDraft
from fediblog.actions.showcase_actions import SectionDraft
from fediblog.app import ROUTES
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Attachment, Emoji, Option, Picture, Poll
from fediblog.domain.posts import Category, Post
from fediblog.errors import Unavailable
from fediblog.federation import prepared_actions
from fediblog.federation.lookups import resolve
from fediblog.markup.tokens import names
from fediblog.store.people import relations
from fediblog.store.posts import categories, reactions, timelines
from fediblog.store.queues import background_fetches, poll_totals, profile_totals, stale_accounts
from fediblog.store.readers import notifications
from fediblog.web.pages import (
    admin_pages,
    archive_pages,
    blog_pages,
    category_pages,
    letter_pages,
    notice_pages,
    people_pages,
    profile_page,
    search_pages,
    stream_pages,
    timeline_pages,
)
from tests import wording
from tests.security.test_privacy import flat
from tests.web.pages.conftest import Blog, Browser

WORD = "שלום"
_SIGN = re.compile(r"\s*[@#](\w|$)")  # of a handle or a tag: beside other scripts it would stand at the wrong end
_PART = re.compile(r"{(\w+)(?::\w+)?}")
_LINKED = names("stylesheet icon preload modulepreload prefetch preconnect dns-prefetch manifest apple-touch-icon")
_FAR = "https://far.example"
_VOID = names("meta link img input br hr wbr area base col source track path")
_BLOCKS = names(
    "address article aside blockquote details div dl fieldset figure footer form h1 h2 h3 h4 h5 h6"
    " header hr main nav ol p pre section table ul li dt dd tr td th thead tbody figcaption legend"
    " summary"
)
_PHRASES = names(
    "p span h1 h2 h3 h4 h5 h6 button label bdi em strong i b time legend dt code pre small abbr sup"
    " sub del s option title summary"
)
_PRESSED = frozenset(("a", "button", "input", "select", "textarea", "label", "details"))
_CHILDREN = {
    "ul": {"li"},
    "ol": {"li"},
    "dl": {"dt", "dd", "div"},
    "select": {"option", "optgroup"},
    "table": {"thead", "tbody", "tr", "caption"},
    "tr": {"td", "th"},
    "thead": {"tr"},
    "tbody": {"tr"},
}
_PARENTS = {"li": {"ul", "ol"}, "dt": {"dl", "div"}, "dd": {"dl", "div"}, "tr": {"table", "thead", "tbody"}}
_PARENTS |= {"td": {"tr"}, "th": {"tr"}, "option": {"select", "optgroup"}, "legend": {"fieldset"}}
_PARENTS |= {"summary": {"details"}, "figcaption": {"figure"}}


def loaded(tag: str, given: dict[str, str]) -> list[str]:
    """What a browser loads for an element."""
    found = [given[name] for name in ("src", "poster", "data") if name in given]
    found += [each.split()[0] for each in given.get("srcset", "").split(",") if each.strip()]
    return [*found, given["href"]] if tag == "link" and not _LINKED.isdisjoint(given["rel"].split()) else found


class Page(HTMLParser):
    """What is wrong with a page, by the content models of the HTML standard (section 4)."""

    def __init__(self, page: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[tuple[str, bool]] = []  # and whether its text has a direction of its own
        self.faults: list[str] = []
        self.undirected: list[str] = []
        self.loaded: list[str] = []
        self.marked: list[str] = []  # where links lead that say one is there already
        self.title = ""
        self.metas: dict[str, str] = {}
        self.links: dict[str, list[str]] = {}  # by their rel, those of the head alone
        self.feed(page)
        self.close()
        self.faults += [f"<{tag}> is never closed" for tag, _ in self.open]

    def _names(self) -> list[str]:
        return [tag for tag, _ in self.open]

    def _note_link(self, tag: str, given: dict[str, str]) -> None:
        if tag == "a" and "aria-current" in given:
            self.marked.append(given["href"])
        if tag == "link":
            self.links.setdefault(given["rel"], []).append(given["href"])

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        given, inside = {name: value or "" for name, value in attrs}, self._names()
        if tag == "meta" and "content" in given:
            self.metas[given.get("name") or given.get("property", "")] = given["content"]
        self._note_link(tag, given)
        self.loaded += loaded(tag, given)
        if "svg" in inside:
            if tag not in _VOID:
                self.open.append((tag, False))
            return
        parent = inside[-1] if inside else ""
        around = next((each for each in reversed(inside) if each not in ("a", "bdi")), "")
        heading = around == "summary" and tag in ("h1", "h2", "h3", "h4", "h5", "h6")
        if tag in _BLOCKS and around in _PHRASES and not heading:
            self.faults.append(f"<{tag}> in <{around}>")
        if tag in _PRESSED and {"a", "button"} & set(inside) and dict(attrs).get("type") != "hidden":
            self.faults.append(f"<{tag}> in something that is pressed: {inside[-4:]}")
        if tag in ("form", "label") and tag in inside:
            self.faults.append(f"<{tag}> in <{tag}>")
        if parent in _CHILDREN and tag not in _CHILDREN[parent]:
            self.faults.append(f"<{tag}> as a child of <{parent}>")
        if tag in _PARENTS and parent not in _PARENTS[tag]:
            self.faults.append(f"<{tag}> as a child of <{parent}>")
        typed = WORD in (dict(attrs).get("value") or "") and dict(attrs).get("type") in ("text", "search", None)
        if typed and tag == "input" and dict(attrs).get("dir") != "auto":
            self.undirected.append(f"input {attrs}")
        if tag not in _VOID:
            unseen = dict(attrs).get("class") == "hidden" or "hidden" in dict(attrs) or tag == "script"
            self.open.append((tag, tag == "bdi" or unseen or dict(attrs).get("dir") == "auto"))

    def handle_endtag(self, tag: str) -> None:
        if tag in _VOID:
            return
        if not self.open or self.open[-1][0] != tag:
            self.faults.append(f"</{tag}> closes {self._names()[-3:]}")
        if self.open:
            self.open.pop()

    def handle_data(self, data: str) -> None:
        if "title" in self._names() and "svg" not in self._names():
            self.title += data
        elif (WORD in data or _SIGN.match(data)) and not any(directed for _, directed in self.open):
            hidden = "option" in self._names()
            self.undirected += [] if hidden else [f"{self._names()[-3:]} {data.strip()[:80]}"]

    def lacks(self) -> list[str]:
        """What machines look for and do not find in the head."""
        indexed = "noindex" not in self.metas.get("robots", "")
        wanted = {
            "title": self.title,
            "description": self.metas.get("description"),
            "canonical": not indexed or len(self.links.get("canonical", ())) == 1,
            "feeds": {"/feed.atom", "/feed.rss", "/feed.json"} <= {*self.links.get("alternate", ())},
            "card": not indexed
            or all(self.metas.get(f"og:{name}") for name in ("type", "title", "description", "url")),
        }
        return [name for name, found in wanted.items() if not found]


async def furnished(blog: Blog) -> list[Post]:
    """Posts of each kind, people who do something, all with a word that is written from right to left."""
    alice, site = blog.alice.id, blog.site
    profile = ProfileChanges(
        name=f"{WORD} a", headline=f"{WORD} h", summary=f"{WORD} b", fields=((f"{WORD} c", f"{WORD} d"),)
    )
    await site.db.write(wording.update_profile, site.urls, alice, profile)
    lines = f"{WORD} t | https://t.example | {WORD} u\n“{WORD} v” | {WORD} w"
    await site.db.write(showcase_actions.save, alice, [SectionDraft(name=f"{WORD} s", lines=lines)])
    pictures: dict[str, Any] = {"icon": Picture(url=f"{_FAR}/i.png"), "image": Picture(url=f"{_FAR}/h.png")}
    tea = (Emoji(name="tea", url=f"{_FAR}/tea.png"),)
    bob = await blog.stranger(name=f"{WORD} :tea:", summary=f"<p>{WORD} :tea:</p>", emoji=tea, **pictures)
    eve = await blog.stranger("eve")
    await site.db.write(relations.put_follow, alice, bob.id, "https://blog.test/x/1", "accepted")
    await site.db.write(relations.put_follow, bob.id, alice, "https://far.example/x/0", "accepted")
    await site.db.write(relations.put_follow, eve.id, alice, "https://far.example/x/1", "pending")
    text = f"{WORD} one ![{WORD}]({_FAR}/own.png) #sea\n\n- {WORD}\n\n> {WORD}\n\n```\n{WORD}\n```"
    article = await blog.write(f"## {WORD}\n\n{text}[^1]\n\n[^1]: {WORD}", title=f"{WORD} T", summary=f"{WORD} S")
    shelf = Category(id=0, name=f"{WORD} C", slug=article.slug, description=f"{WORD} about")
    top = await site.db.write(category_actions.add, shelf)
    below = await site.db.write(category_actions.add, Category(id=0, name=f"{WORD} B", slug="b", parent=top.id))
    await site.db.write(categories.file_under, article.id, [top.id, below.id])
    page = PageDraft(title=f"{WORD} P", slug=article.slug, source=text, published=True)
    await prepared_actions.save_page(site, None, page, ())
    warned = await blog.write(text, title=f"{WORD} U", warning=f"{WORD} W", reply_to=article.id)
    note = await blog.write(f"{text} two", reply_to=article.id)
    veiled = await blog.write(f"{text} three", warning=f"{WORD} W", quote=note.id)
    poll = await blog.write(f"{WORD}?", poll=PollDraft(options=(f"{WORD} 1", f"{WORD} 2")), quote=article.id)
    await site.db.write(categories.file_under, poll.id, [top.id])
    draft = await blog.write(f"{WORD} not yet", state="draft", title=f"{WORD} D", warning=f"{WORD} W")
    await site.db.write(post_actions.pin, site.urls, alice, article.id)
    file = Attachment(kind="Image", url=f"{_FAR}/a.png", media_type="image/png", alt=WORD, width=900, height=600)
    film = Attachment(kind="Video", url=f"{_FAR}/a.mp4", media_type="video/mp4", preview=f"{_FAR}/a.jpg")
    sound = Attachment(kind="Audio", url=f"{_FAR}/a.mp3", media_type="audio/mpeg", alt=WORD)
    files = (file, replace(file, url=f"{_FAR}/b.png"), film, sound)
    heard = await blog.heard(bob, f"<p>{WORD} :tea: #sea</p>", 1, in_reply_to=note.uri, attachments=files, emoji=tea)
    other = await blog.heard(bob, f"<p>{WORD}</p>", 2, summary=f"{WORD} W", in_reply_to=heard.uri, sensitive=True)
    inside = f'<p>{WORD} <img src="{_FAR}/inside.png" alt="{WORD}"></p>'
    more: dict[str, Any] = {"kind": "Article", "title": f"{WORD} A", "image": Picture(url=f"{_FAR}/hero.png")}
    told = await blog.heard(bob, inside, 4, pictures=True, in_reply_to=note.uri, **more)
    fox: dict[str, Any] = {"kind": "emoji", "content": ":fox:", "emoji_url": f"{_FAR}/fox.png"}
    await site.db.write(reactions.react, bob.id, article.id, f"{_FAR}/l/1", **fox)
    for number, each in enumerate((heard, other)):
        await site.db.write(timelines.spread, each)
        await site.db.write(notifications.add, alice, ("reply", "mention")[number], bob.id, each.id)
    for kind, each in (("like", note), ("boost", article), ("quote", veiled)):
        await site.db.write(notifications.add, alice, kind, bob.id, each.id)
    await site.db.write(notifications.add, alice, "follow_request", eve.id)
    await site.db.write(
        report_actions.report, site.urls, alice, ReportDraft(target=bob.id, posts=(heard.id,), comment=f"{WORD} R")
    )
    owner = await blog.owner()
    await owner.post(f"/write/{note.id}", {"source": f"{text} four", "do": "publish"})
    return [article, warned, note, veiled, poll, draft, told, heard, other]


def addresses(posts: list[Post], account: int) -> list[str]:
    """The address of every page, once for each post that may stand in it."""
    found: dict[str, None] = {}
    for route in flat(ROUTES):
        if "GET" not in (route.methods or ()):
            continue
        for post in posts:
            found[filled(route, post, account)] = None
    own = (f"/write?reply={posts[0].id}", f"/write?quote={posts[0].id}", f"/search?q={WORD}", "/people?show=requests")
    return [*found, *own, "/@alice?show=articles", "/@alice?show=replies"]


def filled(route: Route, post: Post, account: int) -> str:
    parts = post.url.removeprefix("https://blog.test").split("/")
    number = account if route.path.startswith("/account/") else post.id
    known = {"n": number, "number": number, "handle": "alice", "slug": parts[-1], "name": "sea", "format": "atom"}
    known |= {"year": parts[2] if len(parts) > 3 else "2025", "month": parts[3] if len(parts) > 3 else "06"}
    return _PART.sub(lambda match: str(known.get(match[1], "x")), route.path)


async def walked(blog: Blog) -> dict[tuple[str, str], Page]:
    """Every page that is shown, by who looks and its address."""
    posts = await furnished(blog)
    shown: dict[tuple[str, str], Page] = {}
    browsers: dict[str, Browser] = {"owner": await blog.owner(), "visitor": blog.browser()}
    for who, browser in browsers.items():
        for address in addresses(posts, posts[-1].account.id):
            answer = await browser.get(address)
            if answer.status_code == 200 and answer.headers.get("content-type", "").startswith("text/html"):
                shown[who, address] = Page(answer.text)
    assert len(shown) > 30
    return shown


@pytest.mark.slow
async def test_every_page_as_a_whole(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    shown = await walked(blog)
    await _are_readable_on_a_full_disk(blog, [address for who, address in shown if who == "owner"], monkeypatch)
    assert {where: page.faults for where, page in shown.items() if page.faults} == {}
    assert {where: page.lacks() for where, page in shown.items() if page.lacks()} == {}
    assert {where: far for where, page in shown.items() if (far := [*filter(_is_far, page.loaded)])} == {}
    every = {url for page in shown.values() for url in page.loaded}
    assert len({url for url in every if url.startswith("/media/remote/")}) > 10
    assert {where: page.undirected for where, page in shown.items() if page.undirected} == {}
    settings = {where: page.marked for (who, where), page in shown.items() if who == "owner" and "/settings" in where}
    assert len(settings) > 12
    assert [where for where, marked in settings.items() if not _stands_among(where, marked)] == []
    for viewer in ("owner", "visitor"):
        titles: dict[str, list[str]] = {}
        for (who, address), page in shown.items():
            if who == viewer:
                titles.setdefault(page.title, []).append(address)
        assert {title: same for title, same in titles.items() if len(same) > 1} == {}


def _stands_among(where: str, marked: list[str]) -> bool:
    """Whether the navigation of all settings is there, and has the page, or the one that it belongs to, marked."""
    return any(where == each or where.startswith(f"{each}/") for each in marked if each.startswith("/settings"))


def _is_far(url: str) -> bool:
    return not (url.startswith("/") and not url.startswith("//")) and not url.startswith("https://blog.test/")


async def _are_readable_on_a_full_disk(blog: Blog, pages: list[str], monkeypatch: pytest.MonkeyPatch) -> None:
    """Reads go on, though they would leave something behind: what was read, whom or what to ask for again."""
    # Of an address each: together they look at more pages than one address may in so short a time.
    owners, bob = [await blog.owner(f"192.0.2.{number}") for number in (11, 12)], await blog.stranger()
    poll = Poll(options=(Option(name="A"), Option(name="B")))
    asked = await blog.heard(bob, "<p>?</p>", 3, poll=poll)
    await blog.site.db.write(notifications.add, blog.alice.id, "mention", bob.id, asked.id)
    refused: list[object] = []

    async def refuse(_db: object, act: object, /, *_: object, **__: object) -> None:
        refused.append(act)
        raise Unavailable("disk-full")

    blog.clock.forward(days=8)
    monkeypatch.setattr(type(blog.site.db), "write", refuse)
    for number, address in enumerate((*pages, f"/post/{asked.id}", f"/account/{bob.id}", "/notices")):
        assert (await owners[number % 2].get(address)).status_code == 200, address
    assert {*refused} >= {
        *(notifications.mark_read, background_fetches.of_thread, stale_accounts.renew),
        *(profile_totals.refresh, poll_totals.refresh),
    }
    found = await resolve.anything(blog.site, bob.uri)
    assert isinstance(found, Account)
    assert found.id == bob.id
    monkeypatch.undo()


@pytest.mark.slow
async def test_each_page_of_a_list_has_a_title_of_its_own(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    modules = (blog_pages, category_pages, people_pages, profile_page, search_pages, stream_pages, admin_pages)
    for module in (*modules, letter_pages, notice_pages, timeline_pages):
        monkeypatch.setattr(module, "SIZE", 1)
    monkeypatch.setattr(archive_pages, "MONTH_SIZE", 1)
    posts = await furnished(blog)
    for number in range(3):
        other = await blog.stranger(f"follower{number}")
        await blog.site.db.write(relations.put_follow, other.id, blog.alice.id, f"{other.uri}/f", "accepted")
        asking = await blog.stranger(f"asking{number}")
        await blog.site.db.write(relations.put_follow, asking.id, blog.alice.id, f"{asking.uri}/f", "pending")
        blocked = await blog.stranger(f"blocked{number}")
        await blog.site.db.write(relations.block, blog.alice.id, blocked.id, f"https://blog.test/b/{number}")
        await blog.site.db.write(relations.mute, blog.alice.id, blocked.id)
    bob = posts[-1].account
    await blog.heard(bob, "<p>One</p>", 8)
    await blog.heard(bob, "<p>Two</p>", 9)
    owner, turned, titles = await blog.owner(), set[str](), dict[str, str]()
    lists = [*addresses(posts, bob.id), *(f"/people?show={each}" for each in ("followers", "muted", "blocked"))]
    while lists:
        address = lists.pop()
        answer = await owner.get(address)
        if answer.status_code != 200 or not answer.headers.get("content-type", "").startswith("text/html"):
            continue
        assert titles.setdefault(Page(answer.text).title, address) == address
        assert len(titles) < 300
        if more := re.search(r'rel="next" href="([^"]+)"', answer.text):
            turned.add(address.partition("?")[0])
            lists.append(unescape(more[1]))
    month = posts[0].url.removeprefix("https://blog.test").rpartition("/")[0]
    stranger = f"/account/{bob.id}"
    wanted = {"/", "/stream", "/notices", "/people", "/search", "/deliveries", "/tags/sea", "/@alice", month, stranger}
    wanted |= {"/stream/local", "/archive/2025/06", f"/category/{posts[0].url.rpartition('/')[2]}"}
    assert turned == wanted
    assert "Stream – page 2 – A Test Blog" in titles
    far = await owner.get("/stream?before=9&page=99999999999999999999")
    assert Page(far.text).title == "Stream – page 2 – A Test Blog"
    assert Page((await owner.get("/stream?page=7")).text).title == "Stream – A Test Blog"


async def test_a_title_says_what_a_page_is_about(blog: Blog) -> None:
    browser = blog.browser()
    wanted = {
        "On tides – A Test Blog": await blog.write("Text", title="On tides"),
        "On boats – A Test Blog": await blog.write("Text", title="On boats", warning="Storms"),
        "Alice Marlow: Hello there – A Test Blog": await blog.write("*Hello* there"),
        "Alice Marlow: Storms (15 June 2025, 15:10 UTC) – A Test Blog": await blog.write("Waves", warning="Storms"),
    }
    for title, post in wanted.items():
        assert Page((await browser.get(post.url)).text).title == title
