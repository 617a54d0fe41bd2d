"""An account that does not want to be found is in nothing that shows the server as a whole, for visitors."""

from __future__ import annotations

import httpx
import pytest

from fediblog.app import ROUTES
from fediblog.domain.accounts import Account
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.store.people import accounts
from fediblog.store.posts import reactions
from fediblog.store.tx import Tx
from tests.mastodon.server import HOST, Server
from tests.security.test_privacy import flat

PAGES = sorted({r.path for r in flat(ROUTES) if "GET" in (r.methods or ()) and "{" not in r.path.replace(":feed", "")})
FEEDS = ["/feed.atom", "/feed.rss", "/feed.json"]
CALLS = sorted({row.path for row in ENDPOINTS if row.method == "GET" and "{" not in row.path})
QUERIES = ("", "local=true", "only_media=false", "order=new&local=true", "order=active", "q=plover", "q=bob", "next=/")


@pytest.fixture
async def hidden(both: Server) -> Account:
    """Bob, with a post that many like and pass on; and another of Alice's."""
    bob = both.people["bob"]
    post = await both.publish("bob", "plover https://example.org/plover #plover")
    shown = await both.publish("alice", "canary")

    def like(tx: Tx) -> None:
        for each in (post, shown):
            reactions.react(tx, both.people["alice"].id, each.id, f"{each.uri}/like")
            reactions.boost(tx, bob.id, each.id, f"{each.uri}/boost")
        accounts.update_profile(tx, bob.id, discoverable=0, name="Plover", summary="plover")

    await both.write(like)
    return bob


@pytest.mark.slow
async def test_nothing_that_shows_the_whole_server_shows_it(both: Server, hidden: Account) -> None:
    """Walks every page and call whose address names no account, post, tag or link."""
    shown = set()
    async with httpx.AsyncClient(
        transport=httpx.ASGITransport(both.app, client=("127.0.0.1", 5000)), base_url=f"https://{HOST}"
    ) as visitor:
        for path in [*PAGES, *FEEDS, *CALLS]:
            for query in QUERIES:
                for accept in ("text/html", "application/activity+json"):
                    answer = await visitor.get(f"{path}?{query}", headers={"accept": accept})
                    found = answer.text.replace(f"q={query[2:]}", "").lower()
                    assert "plover" not in found or query == "q=plover", (path, query)
                    assert "@bob" not in found, (path, query)
                    assert f"/{hidden.id}" not in found, (path, query)
                    shown |= {path} if "canary" in found else set()
    assert {"/", "/api/v1/timelines/public", "/api/v1/trends/statuses", *FEEDS} <= shown


async def test_members_see_it_and_its_own_page_is_there(both: Server, hidden: Account) -> None:
    member, nobody = await both.api("alice"), await both.api()
    for side in ("", "?local=true"):
        assert "plover" in str(await member.get(f"/api/v1/timelines/public{side}"))
    assert await nobody.status("GET", f"/api/v1/accounts/{hidden.id}") == 200
    page = await nobody.http.get("/@bob", headers={"accept": "text/html"})
    assert page.text.count('rel="me"') == 1


async def test_the_owner_who_hides_is_no_contact(both: Server) -> None:
    await both.write(accounts.update_profile, both.people["alice"].id, discoverable=0)
    nobody = await both.api()
    assert (await nobody.get("/api/v1/instance"))["contact_account"] is None
    assert (await nobody.get("/api/v2/instance"))["contact"]["account"] is None


async def test_the_home_links_nobody_as_itself_but_an_only_author(both: Server) -> None:
    nobody = await both.api()
    assert 'rel="me"' not in (await nobody.http.get("/", headers={"accept": "text/html"})).text
    await both.write(accounts.update_profile, both.people["bob"].id, discoverable=0)
    page = (await nobody.http.get("/", headers={"accept": "text/html"})).text
    assert '<link rel="me" href="https://blog.test/@alice">' in page
