"""Search: what is found, by whom, and what a pasted address means."""

from __future__ import annotations

from threading import get_ident
from typing import Any

import pytest

from fediblog.actions import moderation_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.documents import Visibility
from fediblog.federation import prepared_actions
from fediblog.store.people import accounts
from fediblog.store.posts import search
from tests import wording
from tests.mastodon.server import Server
from tests.mastodon.timelines.test_timelines_api import ids

SEARCH = "/api/v2/search"


async def test_people_posts_and_hashtags_are_found(both: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    server = both
    bob = server.people["bob"]
    await server.write(lambda tx: accounts.update_profile(tx, bob.id, name="Robert Hill"))
    one = await server.publish("bob", "Fog on the Hills #Hillside 100%")
    two = await server.publish("alice", "More hills #hill #hillside")
    await server.publish("bob", "Secret hills", visibility=Visibility.FOLLOWERS)
    api, nobody = await server.api("alice"), await server.api()
    found = await api.get(SEARCH, q="hill")
    assert [each["acct"] for each in found["accounts"]] == ["bob"]
    assert ids(found["statuses"]) == [str(two.id), str(one.id)]
    assert [each["name"].lower() for each in found["hashtags"]] == ["hill", "hillside"]
    await server.publish("alice", "Steep #hillclimb", warning="Heights")  # a warning hides its hashtags with the text
    assert len((await nobody.get(SEARCH, q="hill"))["hashtags"]) == 2
    assert [each["name"] for each in (await nobody.get(SEARCH, q="hillclimb"))["hashtags"]] == ["hillclimb"]
    await server.write(lambda tx: tx.run("delete from post where summary <> ''"))
    await server.publish("alice", "Hills for those who have the address", visibility=Visibility.UNLISTED)
    assert ids((await nobody.get(SEARCH, q="hill"))["statuses"]) == [str(two.id), str(one.id)]
    await server.write(lambda tx: accounts.update_profile(tx, bob.id, discoverable=0))
    assert ids((await nobody.get(SEARCH, q="hill", type="statuses"))["statuses"]) == [str(two.id)]
    await server.write(lambda tx: accounts.update_profile(tx, bob.id, discoverable=1))
    await server.write(lambda tx: tx.run("delete from post where visibility = 'unlisted'"))
    only = await api.get(SEARCH, q="hill", type="statuses", limit=1, offset=1)
    assert (ids(only["statuses"]), only["accounts"], only["hashtags"]) == ([str(one.id)], [], [])
    mine = await api.get(SEARCH, q="hill", type="statuses", account_id=str(bob.id))
    assert ids(mine["statuses"]) == [str(one.id)]
    assert ids((await api.get(SEARCH, q="100%"))["statuses"]) == [str(one.id)]
    assert ids((await api.get(SEARCH, q="@bo"))["accounts"]) == [str(bob.id)]
    assert (await api.get(SEARCH, q="bo", type="accounts", following="true"))["accounts"] == []
    tagged = await api.get(SEARCH, q="#hillside")
    assert tagged["hashtags"][0]["name"].lower() == "hillside"
    assert ids(tagged["statuses"]) == [str(two.id), str(one.id)]
    await server.write(moderation_actions.block, server.site.urls, bob.id, server.people["alice"].id)
    assert (await api.get(SEARCH, q="robert"))["accounts"] == []
    newest, threads = search.newest, list[int]()

    def noted(*args: Any, **narrowed: Any) -> Any:
        threads.append(get_ident())
        return newest(*args, **narrowed)

    monkeypatch.setattr(search, "newest", noted)
    await nobody.get(SEARCH, q="hill")
    assert threads
    assert get_ident() not in threads  # others would wait for what many words take
    for wrong in ({"q": ""}, {"q": "x", "type": "things"}):
        assert await api.status("GET", SEARCH, params=wrong) == 422
    assert await api.status("GET", "/api/v1/search", params={"q": "x"}) == 404


async def test_a_pasted_address_is_looked_up_for_those_who_have_an_account(server: Server) -> None:
    post = await server.publish("bob", "Hello")
    hidden = await server.publish("bob", "For followers", visibility=Visibility.FOLLOWERS)
    api, nobody = await server.api("alice"), await server.api()
    for address in (post.uri, post.url):
        found = await api.get(SEARCH, q=address, resolve="true")
        assert ids(found["statuses"]) == [str(post.id)]
    assert (await api.get(SEARCH, q=hidden.uri, resolve="true"))["statuses"] == []
    handle = f"@bob@{server.site.urls.handle_domain}"
    assert [each["acct"] for each in (await api.get(SEARCH, q=handle, resolve="true"))["accounts"]] == ["bob"]
    assert (await nobody.get(SEARCH, q=post.uri, resolve="true"))["statuses"] == []
    assert (await api.get(SEARCH, q="https://nowhere.test/x", resolve="true"))["statuses"] == []


async def test_what_is_on_another_server_is_fetched_and_its_private_posts_become_conversations(server: Server) -> None:
    far = "far.test"
    await server.world.open(far)
    dave = await server.world.person(far, "dave")
    there = server.world.sites[far]
    post = await there.db.write(wording.publish, there.urls, dave.id, Draft(source="Far hills <https://x.test/a>"))
    api, nobody = await server.api("alice"), await server.api()
    assert (await nobody.get(SEARCH, q=post.uri, resolve="true"))["statuses"] == []
    (found,) = (await api.get(SEARCH, q=post.uri, resolve="true"))["statuses"]
    assert found["account"]["acct"] == "dave@far.test"
    assert found["uri"] == post.uri
    people = await api.get(SEARCH, q="@dave@far.test", resolve="true", type="accounts")
    assert [each["uri"] for each in people["accounts"]] == [dave.uri]
    await server.write(lambda tx: tx.run("update account set name = 'David Moor' where uri = :uri", uri=dave.uri))
    assert [each["uri"] for each in (await api.get(SEARCH, q="moor"))["accounts"]] == [dave.uri], "a stranger, by name"
    assert (await api.get("/api/v1/accounts/search", q="moor")) == [], "letter by letter only those one has to do with"
    assert (await nobody.get(SEARCH, q="moor"))["accounts"] == []
    assert ids(await api.get("/api/v1/timelines/public?remote=true")) == [found["id"]]
    assert ids(await api.get("/api/v1/timelines/link", url="https://x.test/a")) == [found["id"]]
    draft = Draft(source="Psst @alice@blog.test", visibility=Visibility.DIRECT)
    await prepared_actions.publish(there, dave.id, draft)
    await server.world.settle()
    (talk,) = await api.get("/api/v1/conversations")
    assert (talk["unread"], [each["acct"] for each in talk["accounts"]]) == (True, ["dave@far.test"])
    assert [each["type"] for each in await api.get("/api/v1/notifications")] == ["mention"]
