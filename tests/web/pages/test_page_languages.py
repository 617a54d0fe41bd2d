"""In which language people are answered, and that what is kept for one language is never shown in another."""

from __future__ import annotations

import re
from html import escape, unescape
from string import Formatter
from typing import Any

import pytest
from msgspec.structs import replace

from fediblog.actions import account_actions
from fediblog.app import create_app
from fediblog.errors import Unavailable
from fediblog.messages import LANGUAGES, catalogue
from fediblog.messages.stored import pack
from fediblog.store.people import operator_alerts
from fediblog.store.queues import delivery_queue
from fediblog.store.readers import moderation
from fediblog.store.tx import Tx
from fediblog.web.components import comments
from tests import host_blocks
from tests.web.pages import test_whole_pages
from tests.web.pages.conftest import Blog, Browser

_SAID = re.compile(r'<html lang="([^"]*)" dir="ltr">')


def language_of(page: str) -> str:
    """What a page says of itself, when its words are of that language, too."""
    found = _SAID.search(page)
    assert found, page[:200]
    skip = {language: escape(str(catalogue(language).messages["page.skip"])) for language in LANGUAGES}
    assert [language for language, words in skip.items() if f">{words}<" in page] == [found[1]]
    return found[1]


async def test_the_browser_says_the_language(blog: Blog) -> None:
    await blog.write("Hallo")
    browser = blog.browser()
    german, english = await browser.get("/", accept_language="de-CH, en;q=0.5"), await browser.get("/")
    assert [language_of(page.text) for page in (german, english)] == ["de", "en"]
    assert "15. Juni 2025" in german.text
    assert "15 June 2025" in english.text
    for language, day in (("fr", "15 juin 2025"), ("es", "15 de junio de 2025")):
        page = await browser.get("/", accept_language=f"{language}-CH")
        assert (language_of(page.text), day in page.text) == (language, True)
    assert german.headers["etag"] != english.headers["etag"]
    assert german.headers["vary"] == english.headers["vary"] == "Accept, Cookie, Signature, Accept-Language"
    again = await browser.get("/", accept_language="de", if_none_match=english.headers["etag"])
    assert (again.status_code, language_of(again.text)) == (200, "de")


async def test_the_setting_of_the_login_goes_before_the_browser(blog: Blog) -> None:
    owner = await blog.owner()
    await owner.get("/settings")
    saved = await owner.post("/settings/language", {"interface": "de"})
    assert saved.headers["location"] == "/settings"
    page = await owner.get("/settings", accept_language="en")
    assert language_of(page.text) == "de"
    assert "Die Sprache ist gespeichert" in page.text
    wrong = await owner.post("/settings/password", {"old": "x", "password": "y" * 20, "password-again": "y" * 20})
    assert "Der Name oder das Passwort stimmt nicht." in wrong.text
    assert language_of((await blog.browser().get("/")).text) == "en"
    for other, expected in (("", "en"), ("klingon", "en"), ("en", "en")):
        await owner.post("/settings/language", {"interface": other})
        assert language_of((await owner.get("/stream")).text) == expected
        answer = await owner.get("/stream", accept_language="de")
        assert language_of(answer.text) == ("en" if other == "en" else "de")

    # Also where that login has no account any more.
    await owner.post("/settings/language", {"interface": "de"})
    await blog.site.db.write(account_actions.delete_account, blog.site.urls, blog.alice.id)
    for path in ("/new-account", "/", "/@nobody"):
        assert language_of((await owner.get(path, accept_language="en")).text) == "de", path
    assert language_of((await owner.post("/new-account", {"handle": "?"})).text) == "de"
    assert language_of((await owner.post("/write", {"source": "x"})).text) == "de"


async def test_the_site_speaks_to_those_who_ask_for_nothing(blog: Blog) -> None:
    site = replace(blog.site, settings=replace(blog.site.settings, language="de"))
    browser = Browser(site, create_app(site))
    assert language_of((await browser.get("/")).text) == "de"
    assert language_of((await browser.get("/", accept_language="en-GB")).text) == "en"
    assert language_of((await browser.get("/", accept_language="pt")).text) == "de"
    post = await blog.write("Bom dia", language="pt")  # of an account that writes in yet another
    for path in (post.url, "/@alice"):
        page = (await browser.get(path, accept_language="pt")).text
        assert language_of(page) == "de"
        assert re.search(r'lang="pt"[^>]*><p>Bom dia', page)
    inbox = await browser.http.post("/inbox", content=b"{}", headers={"content-type": "application/activity+json"})
    assert inbox.json()["error"] == "That is no activity with an actor."  # a server is answered as ever
    assert (await browser.http.get("/api/v1/instance")).json()["languages"] == ["de"]


async def test_errors_are_told_in_the_language_of_who_asks(blog: Blog) -> None:
    browser = blog.browser()
    page = await browser.get("/nothing/at/all", accept_language="de")
    assert (page.status_code, language_of(page.text)) == (404, "de")
    assert "Hier ist nichts" in page.text
    for headers, error in (({"accept-language": "de"}, "Eintrag nicht gefunden"), ({}, "Record not found")):
        answer = await browser.http.get("/api/v1/statuses/1", headers={"accept": "application/json", **headers})
        assert (answer.status_code, answer.json()["error"]) == (404, error)
    owner = await blog.owner()
    form = await owner.post("/write", {"source": "", "do": "publish"}, headers={"accept-language": "de"})
    assert "Schreibe etwas oder füge ein Bild hinzu." in form.text


async def test_what_was_made_of_a_comment_is_made_for_each_language(
    blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    post = await blog.write("A question")
    bob = await blog.stranger()
    await blog.heard(bob, "<p>An answer</p>", 1, in_reply_to=post.uri)
    browser, path = blog.browser(), post.url.removeprefix(blog.site.urls.origin)
    made, shown = list[str](), comments._shown

    def counted(language: str, *given: Any) -> str:
        made.append(language)
        return shown(language, *given)

    monkeypatch.setattr(comments, "_shown", counted)
    for number, (language, words) in enumerate(
        (("en", "Original on far.example"), ("de", "Original auf far.example")) * 2
    ):
        page = await browser.get(f"{path}?number={number}", accept_language=language)  # no whole page that was kept
        assert words in page.text
        assert page.text.count("Original ") == 1
    assert made == ["en", "de"]  # each is kept beside the other


_WORDS = re.compile(r">([^<]+)<|(?:title|aria-label|placeholder|alt|content)=\"([^\"]+)\"")


def _pieces(message: str | tuple[str, ...]) -> set[str]:
    """The words of a message, between its values."""
    forms = (message,) if isinstance(message, str) else message
    return {text.strip(" :.·") for form in forms for text, _, _, _ in Formatter().parse(form)} - {""}


def _english(page: str, ours: frozenset[str]) -> list[str]:
    """What a page says in English: whole messages, or several words of one, that are in no German one."""
    said = {unescape(one or other).strip(" :.·\n") for one, other in _WORDS.findall(page)}
    long = [words for words in ours if words.count(" ") > 1]
    return [text for text in said if text in ours or any(words in text for words in long)]


def troubled(tx: Tx, account: int) -> None:
    """What the owner's pages tell: servers that do not answer or are blocked, and what only people can mend."""
    sent = delivery_queue.latest(tx, account)[0]
    delivery_queue.add_deliveries(tx, sent.id, ["https://far.example/inbox", "https://gone.example/inbox"])
    expired = Unavailable("tls", detail="far.example: expired")
    delivery_queue.host_failed(tx, "far.example", expired.packed(), lambda _failures, _since: tx.now + 60_000)
    delivery_queue.refuse_all(tx, "gone.example", pack("delivery.blocked"))
    moderation.refused(tx, "far.example", "https://far.example/users/eve", "Create", "signature-bad")
    host_blocks.block(tx, "worse.example", "")
    operator_alerts.note(tx, operator_alerts.DISK, pack("trouble.disk-spare-used", n=5))
    operator_alerts.note(tx, operator_alerts.DAMAGE, pack("damage.index", name="post_by_tag"))
    operator_alerts.note_clock(tx, "two.test", -3_600_000)


@pytest.mark.slow
async def test_every_page_is_in_german_throughout(blog: Blog) -> None:
    """By what the browser asks for, and by the setting of the login in a browser that asks for English."""
    posts = await test_whole_pages.furnished(blog)
    await blog.site.db.write(troubled, blog.alice.id)
    walked = test_whole_pages.addresses(posts, posts[-1].account.id)
    german = {words for message in catalogue("de").messages.values() for words in _pieces(message)}
    english = {words for message in catalogue("en").messages.values() for words in _pieces(message)}
    ours = frozenset(words for words in english - german if not any(words in each for each in german))
    assert len(ours) > 500
    assert _english((await blog.browser().get("/login")).text, ours)  # it would be noticed
    # Of an address each: together they look at more pages than one address may in so short a time.
    owner, set_to_german = await blog.owner("192.0.2.8"), await blog.owner("192.0.2.9")
    left, seen = {}, set[str]()
    for browser, asked in ((blog.browser(), "de"), (owner, "de"), (set_to_german, "en")):
        if asked == "en":
            await set_to_german.post("/settings/language", {"interface": "de"})

        for address in (*walked, "/setup?token=x", "/people?show=muted", "/nothing"):
            page = await browser.get(address, accept_language=asked)
            if page.headers.get("content-type", "").startswith("text/html") and page.status_code != 303:
                seen.add(address)
                assert language_of(page.text) == "de", (address, asked)
                left.update({(address, asked, text): page.status_code for text in _english(page.text, ours)})
    assert left == {}
    assert len(seen) > 40
    told = (await set_to_german.get("/deliveries", accept_language="en")).text
    for said in ("Keine sichere Verbindung (far.example: expired)", "Der Server ist hier blockiert.", "two.test geht"):
        assert said in told
