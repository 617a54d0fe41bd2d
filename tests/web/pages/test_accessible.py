"""Everybody can use the pages: headings in order, fields with names, no id twice, colours that can be read."""

from __future__ import annotations

import re
from html.parser import HTMLParser
from importlib.resources import files

import pytest

from fediblog.actions import category_actions, post_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.page_actions import PageDraft
from fediblog.domain.blog import LOOKS
from fediblog.domain.documents import Option, Poll
from fediblog.domain.posts import Category
from fediblog.federation import prepared_actions
from fediblog.store.people import relations
from fediblog.store.posts import categories, timelines
from fediblog.store.readers import notifications
from tests import wording
from tests.web.pages.conftest import Blog
from tests.web.pages.test_desk import picture

_VOID = {"input", "img", "meta", "link", "br", "hr"}
_UNNAMED = {"hidden", "submit"}


class Page(HTMLParser):
    """What a screen reader would ask of a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.levels: list[int] = []
        self.ids: list[str] = []
        self.fields: list[dict[str, str]] = []
        self.labelled: set[str] = set()
        self.told: list[str] = []  # ids that something refers to
        self.wrong: list[str] = []
        self.language = ""
        self._open: list[tuple[str, dict[str, str]]] = []
        self._words: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        found = {name: value or "" for name, value in attrs}
        if "id" in found:
            self.ids.append(found["id"])
        for name in ("aria-describedby", "aria-labelledby", "for"):
            self.told += found.get(name, "").split()
        self._look(tag, found)
        if tag not in _VOID:
            self._open.append((tag, found))
        if tag in ("a", "button"):
            self._words = []

    def _look(self, tag: str, found: dict[str, str]) -> None:
        if tag == "html":
            self.language = found.get("lang", "")
        elif re.fullmatch("h[1-6]", tag):
            self.levels.append(int(tag[1]))
        elif tag == "img" and "alt" not in found:
            self.wrong.append("a picture without alt")
        elif tag == "label" and "for" in found:
            self.labelled.add(found["for"])
        elif tag in ("input", "textarea", "select") and found.get("type") not in _UNNAMED:
            inside = any(each == "label" for each, _ in self._open)
            self.fields.append(found | ({"aria-label": "its label"} if inside else {}))
        elif tag == "meter" and not found.keys() & {"aria-label", "aria-hidden"}:
            self.wrong.append("a meter without a name")

    def handle_data(self, data: str) -> None:
        self._words.append(data)

    def handle_endtag(self, tag: str) -> None:
        while self._open and tag not in _VOID:
            opened, found = self._open.pop()
            named = "".join(self._words).strip() or found.get("aria-label") or found.get("tabindex") == "-1"
            if opened in ("a", "button") and not named and "class" in found and "picture" not in found["class"]:
                self.wrong.append(f"{opened} without words: {found}")
            if opened == tag:
                return

    def faults(self) -> list[str]:
        """What keeps somebody from using it."""
        found = list(self.wrong)
        if not self.language:
            found.append("no language")
        if self.levels.count(1) != 1 or self.levels[0] != 1:
            found.append(f"headings: {self.levels}")
        leaps = (f"h{a} then h{b}" for a, b in zip(self.levels, self.levels[1:], strict=False) if b > a + 1)
        found += [*leaps, *(f"id {each} twice" for each in {*self.ids} if self.ids.count(each) > 1)]
        found += [f"nothing has the id {each}" for each in self.told if each not in self.ids]
        nameless = (each for each in self.fields if each.get("id") not in self.labelled and "aria-label" not in each)
        return found + [f"field without a name: {each.get('name')}" for each in nameless]


async def furnished(blog: Blog) -> list[str]:
    """A blog with something of everything; returns the addresses of its pages."""
    alice, site = blog.alice.id, blog.site
    profile = ProfileChanges(name="Alice", summary="I *sail*.", fields=(("Web", "https://alice.example"),))
    await site.db.write(wording.update_profile, site.urls, alice, profile)
    bob, eve = await blog.stranger(name="Bob"), await blog.stranger("eve")
    await site.db.write(relations.put_follow, alice, bob.id, "https://blog.test/x/1", "accepted")
    await site.db.write(relations.put_follow, eve.id, alice, "https://far.example/x/1", "pending")
    article = await blog.write("## First\n\nText #sea\n\n### Deeper", title="On Tides", warning="Water")
    await site.db.write(post_actions.pin, site.urls, alice, article.id)
    note = await blog.write("A note", warning="Careful")
    draft = await blog.write("Not yet", state="draft")
    poll = Poll(options=(Option(name="Tea", votes=2), Option(name="Coffee", votes=1)))
    heard = await blog.heard(bob, "<p>Tea?</p>", 1, poll=poll, in_reply_to=article.uri)
    await site.db.write(timelines.spread, heard)
    await site.db.write(notifications.add, alice, "reply", bob.id, heard.id)
    await site.db.write(notifications.add, alice, "follow_request", eve.id)
    numbers = (f"/write/{article.id}", f"/write/{draft.id}", f"/write?reply={heard.id}", f"/post/{draft.id}/delete")
    shelf = await site.db.write(category_actions.add, Category(id=0, name="Walks", slug=""))
    await site.db.write(categories.file_under, note.id, [shelf.id])
    page = await prepared_actions.save_page(site, None, PageDraft(title="Imprint", source="## Who", published=True), ())
    ordered = ("/categories", "/category/walks", "/tags", "/archive", "/archive/2025", "/archive/2025/06", "/imprint")
    shared = ("/", "/@alice", "/@alice/archive", "/@alice/2025/06", "/tags/sea", "/nothing", *ordered)
    own = (
        "/stream",
        "/notices",
        "/people",
        "/people?show=requests",
        "/write",
        "/drafts",
        "/write/pictures",
        "/deliveries",
        "/search?q=@a",
    )
    pages = [article.url, note.url, f"/post/{heard.id}", f"/account/{bob.id}", *numbers, *shared, *own]
    arranged = [f"/settings/categories/{shelf.id}", "/settings/categories", "/settings/pages", "/settings/pages/new"]
    return [*pages, *arranged, f"/settings/pages/{page.id}", "/settings", "/moderation", "/refusals"]


async def test_everybody_can_use_every_page(blog: Blog) -> None:
    addresses = await furnished(blog)
    owner, visitor = await blog.owner(), blog.browser()
    files = {"icon": ("me.png", picture(), "image/png"), "image": ("top.png", picture(), "image/png")}
    await owner.post("/settings", {"display": "Alice"}, files=files)
    faults = {}
    for browser in (owner, visitor):
        for address in ("/login", *addresses):
            answer = await browser.get(address)
            if answer.status_code != 303 and (found := Page(answer.text).faults()):
                faults[f"{address} {'in' if browser is owner else 'out'}"] = found
    assert faults == {}


async def test_mistakes_are_told_where_they_are(blog: Blog) -> None:
    owner = await blog.owner()
    long = "x" * 25_000
    wrong = await owner.post("/write", {"source": long, "answer": ["One"], "summary": long, "do": "publish"})
    assert wrong.status_code == 422
    assert Page(wrong.text).faults() == []
    settings = await owner.post("/settings", {"summary": long})
    assert settings.status_code == 422
    assert 'aria-describedby="summary-problem"' in settings.text
    assert Page(settings.text).faults() == []


def colours(look: str, dark: bool) -> dict[str, str]:
    """The colours of a look by name: of the first style sheet, and what that of the look puts in their place."""
    static = files("fediblog.web").joinpath("static")
    blocks = re.findall(r":root \{(.*?)\}", static.joinpath("style.css").read_text(), re.DOTALL)
    style = static.joinpath("looks", f"{look}.css").read_text() if look != LOOKS[0] else ""
    found: dict[str, str] = {}
    for text in (*blocks[: 1 + dark], style):
        for name, value in re.findall(r"--([a-z-]+): (#[0-9a-f]{6}|light-dark\([^)]*\));", text):
            shades = re.findall("#[0-9a-f]{6}", value)
            found[name] = shades[dark] if len(shades) == 2 else shades[0]
    return found


def contrast(one: str, other: str) -> float:
    """The contrast of two colours (WCAG 2.2)."""

    def light(colour: str) -> float:
        parts = [int(colour[i : i + 2], 16) / 255 for i in (1, 3, 5)]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return 0.2126 * red + 0.7152 * green + 0.0722 * blue

    low, high = sorted((light(one), light(other)))
    return (high + 0.05) / (low + 0.05)


@pytest.mark.parametrize("dark", [False, True], ids=["light", "dark"])
@pytest.mark.parametrize("look", LOOKS)
def test_colours_can_be_told_apart(look: str, dark: bool) -> None:
    """Words at 4.5 : 1 (WCAG 1.4.3); the edges of fields and what shows the focus at 3 : 1 (1.4.11)."""
    named = colours(look, dark)
    words = {
        "ink": ("paper", "wash", "raised", "bad-wash", "accent-wash"),
        "quiet": ("paper", "wash", "raised"),
        "accent": ("paper", "wash", "raised", "accent-wash"),
        "accent-ink": ("accent",),
        "letter-ink": ("letter",),
        "held-ink": ("held",),
        "bad": ("paper", "raised", "bad-wash"),
        "ok": ("paper",),
        "paper": ("ink",),
    }
    pairs = [(front, back, 4.5) for front, backs in words.items() for back in backs]
    pairs += [("edge", back, 3.0) for back in ("paper", "raised")]
    weak = {(front, back) for front, back, least in pairs if contrast(named[front], named[back]) < least}
    assert weak == set()


def test_hints_in_empty_fields_are_as_strong_as_other_quiet_words() -> None:
    style = files("fediblog.web").joinpath("static", "style.css").read_text()
    assert "::placeholder { color: var(--quiet); opacity: 1; }" in style
