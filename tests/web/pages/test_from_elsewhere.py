"""Where other servers and programs lead our people: to follow or answer somebody, and to write about a page."""

from __future__ import annotations

from urllib.parse import parse_qs, quote, urlsplit

import pytest

from fediblog.federation import quotas
from fediblog.store.people import relations
from tests.web.pages.conftest import Blog


async def test_who_was_found_elsewhere_can_be_followed_and_answered_here(blog: Blog) -> None:
    bob = await blog.stranger()
    heard = await blog.heard(bob, "<p>Nice</p>", 1, url="https://far.example/@bob/1")
    ours = await blog.write("Ours", title="Ours")
    owner = await blog.owner()
    led = {
        "uri=acct%3Abob%40far.example": f"/account/{bob.id}",
        "acct=bob%40far.example": f"/account/{bob.id}",
        f"uri={quote(bob.uri)}": f"/account/{bob.id}",
        f"uri={quote(heard.uri)}": f"/post/{heard.id}",
        f"uri={quote(heard.url)}": f"/post/{heard.id}",
        f"uri={quote(ours.uri)}": ours.url.removeprefix("https://blog.test"),
        "uri=acct%3Aalice%40blog.test": "/@alice",
    }
    for query, where in led.items():
        answer = await owner.get(f"/authorize_interaction?{query}")
        assert (answer.status_code, answer.headers["location"]) == (303, where), query
    page = (await owner.get(f"/account/{bob.id}")).text
    assert f'action="/account/{bob.id}/follow"' in page
    finger = await blog.browser().get("/.well-known/webfinger?resource=acct:alice@blog.test")
    assert "https://blog.test/authorize_interaction?uri={uri}" in finger.text


async def test_what_leads_nowhere_is_said_in_words(blog: Blog) -> None:
    bob = await blog.stranger()
    secret = await blog.heard(bob, "<p>plover</p>", 1)
    await blog.site.db.write(relations.block, bob.id, blog.alice.id, "https://far.example/b")
    owner = await blog.owner()
    for uri in ("https://blog.test/@nobody", "javascript:alert(1)", "//evil.example/", "hello", secret.uri):
        answer = await owner.get(f"/authorize_interaction?uri={quote(uri)}")
        assert answer.status_code == 422, uri
        assert 'id="q-problem"' in answer.text
        assert "plover" not in answer.text
    for path, where in (("/authorize_interaction", "/search"), ("/share?text=+", "/write")):
        assert (await owner.get(path)).headers["location"] == where


async def test_who_looks_up_by_the_form_uses_their_quota(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    """An address of a post as well as a handle."""
    monkeypatch.setitem(quotas.LIMITS, "action", (3, 5.0))
    bob = await blog.stranger()
    heard = await blog.heard(bob, "<p>Nice</p>", 1)
    owner = await blog.owner()
    for _ in range(3):
        led = await owner.post("/find", {"q": heard.uri})
        assert (led.status_code, led.headers["location"]) == (303, f"/post/{heard.id}")
    for wanted in (heard.uri, "bob@far.example"):
        refused = await owner.post("/find", {"q": wanted})
        assert (refused.status_code, int(refused.headers["retry-after"]) > 0) == (429, True), wanted
    assert (await owner.get(f"/authorize_interaction?uri={quote(heard.uri)}")).status_code == 429


async def test_visitors_log_in_first_and_go_on(blog: Blog) -> None:
    for path in ("/authorize_interaction?uri=https%3A%2F%2Ffar.example%2F%40bob", "/share?text=Hello+there&url=a"):
        answer = await blog.browser().get(path)
        assert answer.status_code == 303
        led = urlsplit(answer.headers["location"])
        assert (led.netloc, led.path, parse_qs(led.query)["next"]) == ("", "/login", [path])


async def test_what_is_shared_stands_in_the_form_and_nowhere_else(blog: Blog) -> None:
    owner = await blog.owner()
    page = await owner.get("/share?title=A+%3Cb%3Epage&text=Worth+%22reading%22&url=https%3A%2F%2Ffar.example%2F")
    assert page.status_code == 200
    assert "A &lt;b&gt;page\n\nWorth &#34;reading&#34;\n\nhttps://far.example/" in page.text
    assert "Worth" not in (await blog.browser().get("/")).text
