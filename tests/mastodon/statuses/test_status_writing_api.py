"""Statuses as apps write, change and delete them."""

from __future__ import annotations

import asyncio
from typing import Any

import pytest

from fediblog.actions import category_actions
from fediblog.actions.drafts import Draft, File
from fediblog.domain.documents import PUBLIC, InteractionPolicy, Rule, Visibility
from fediblog.domain.posts import Category
from fediblog.store.people import apps, relations
from fediblog.store.posts import post_writing, posts
from fediblog.store.tx import Tx
from tests import wording
from tests.mastodon.server import Api, Server
from tests.mastodon.statuses.test_media_api import uploaded
from tests.store import makers

PLAIN = "Hello *world* _x_ # no\n# head\n- a <b>&amp;\n\n#Tag @bob https://e.example/a_b_c?x=1."


async def test_plain_text_comes_out_as_it_was_typed(server: Server) -> None:
    alice = await server.api("alice")
    made = await alice.post("/api/v1/statuses", {"status": PLAIN})
    assert made["content"].startswith("<p>Hello *world* _x_ # no<br>\n# head<br>\n- a &lt;b&gt;&amp;amp;</p>\n<p>")
    assert '"https://e.example/a_b_c?x=1">https://e.example/a_b_c?x=1</a>.' in made["content"]
    assert [each["name"] for each in made["tags"]] == ["Tag"]
    assert [each["acct"] for each in made["mentions"]] == ["bob"]
    source = await alice.get(f"/api/v1/statuses/{made['id']}/source")
    assert source == {"id": made["id"], "text": PLAIN, "spoiler_text": "", "content_type": "text/plain"}
    document = (await server.world.get("blog.test", f"/p/{made['id']}")).json()
    assert document["source"] == {"content": PLAIN, "mediaType": "text/plain"}
    form = await alice.post("/api/v1/statuses", data={"status": "*a*", "content_type": "text/markdown"})
    assert "<em>a</em>" in form["content"]
    changed = await alice.call("PUT", f"/api/v1/statuses/{form['id']}", json={"status": "**b**"})
    assert "<strong>b</strong>" in changed.json()["content"]
    assert await alice.status("POST", "/api/v1/statuses", json={"status": "x", "content_type": "text/html"}) == 422


async def test_what_a_status_says_of_itself(server: Server) -> None:
    alice = await server.api("alice")
    made = await alice.post(
        "/api/v1/statuses",
        {"status": "x", "spoiler_text": "care", "visibility": "private", "language": "de", "sensitive": True},
    )
    shown = (made["spoiler_text"], made["visibility"], made["language"], made["sensitive"], made["application"])
    assert shown == ("care", "private", "de", True, None)
    answer = await alice.post("/api/v1/statuses", {"status": "y", "in_reply_to_id": made["id"]})
    assert (answer["in_reply_to_id"], answer["visibility"]) == (made["id"], "private")
    await server.write(_prefer, server.people["alice"].id)
    assert (await alice.post("/api/v1/statuses", {"status": "z"}))["visibility"] == "unlisted"
    for language, expected in (("Deutsch, bitte", None), ("Deutsch", None), ("zh_TW", None), ("pt-BR", "pt-BR")):
        assert (await alice.post("/api/v1/statuses", {"status": "z", "language": language}))["language"] == expected
    for wrong in (
        {"status": ""},
        {"status": "x", "visibility": "friends"},
        {"status": "x", "fediblog": {"comments_policy": "friends"}},
        {"status": "x", "media_ids": ["1"]},
        {"status": "x", "media_ids": ["x"]},
        {"status": "x", "scheduled_at": "tomorrow"},
        {"status": "x", "poll": {"options": ["a", "b"]}},
        {"status": "x", "fediblog": {"type": "Article"}},
    ):
        answer = await alice.call("POST", "/api/v1/statuses", json=wrong)
        assert (answer.status_code, list(answer.json())) == (422, ["error"]), wrong
    for missing in ("1", "x"):
        for name in ("in_reply_to_id", "quoted_status_id"):
            assert await alice.status("POST", "/api/v1/statuses", json={"status": "x", name: missing}) == 404
    bare = {"status": "x", "media_ids[]": "", "in_reply_to_id": "", "poll[options][]": [], "scheduled_at": ""}
    assert await alice.status("POST", "/api/v1/statuses", data=bare) == 200


def _prefer(tx: Tx, account: int) -> None:
    tx.run("insert into preference (account, visibility) values (:id, 'unlisted')", id=account)


async def test_the_app_that_wrote_it_is_named(both: Server) -> None:
    secret = await both.write(_app_token, both.people["alice"].id)
    alice = Api(both.app, both.site.urls.origin, secret)
    made = await alice.post("/api/v1/statuses", {"status": "x"})
    assert made["application"] == {"name": "Tusk", "website": "https://tusk.example"}
    await alice.call("PUT", f"/api/v1/statuses/{made['id']}", json={"status": "y"})
    shown = await (await both.api()).get(f"/api/v1/statuses/{made['id']}")
    assert shown["application"]["name"] == "Tusk"


def _app_token(tx: Tx, account: int) -> str:
    row = tx.one("select login from account where id = :id", id=account)
    assert row is not None
    app = apps.add_app(
        tx, client="c", secret="s", name="Tusk", website="https://tusk.example", redirects=["x"], scopes=["write"]
    )
    apps.add_token(tx, apps.digest("t"), ["read", "write"], app=app, login=row.login, account=account)
    return "t"


async def test_a_first_line_with_a_title_makes_an_article(server: Server) -> None:
    alice = await server.api("alice")
    text = "# The *tide*\n\nIt comes.\n\n## When\n\nSoon. #sea"
    made = await alice.post(
        "/api/v1/statuses",
        {
            "status": text,
            "content_type": "text/markdown",
            "spoiler_text": "water",
            "fediblog": {"summary": "In short", "slug": "tide", "tags": ["Moon", "#Sea", "two words"]},
        },
    )
    ours = made["fediblog"]
    assert (ours["type"], ours["title"], ours["slug"], ours["summary"]) == (
        "Article",
        "The *tide*",
        "tide",
        "In short",
    )
    assert sorted(ours["tags"]) == ["Moon", "sea", "two"]
    assert made["spoiler_text"] == "water"
    assert made["url"].endswith("/tide")
    path = f"/api/v1/statuses/{made['id']}"
    assert (await alice.get(f"{path}/source"))["text"] == text
    changed = (await alice.call("PUT", path, json={"status": "# Ebb\n\nIt goes."})).json()
    assert (changed["fediblog"]["title"], changed["fediblog"]["slug"]) == ("Ebb", "tide")
    assert sorted(changed["fediblog"]["tags"]) == ["Moon", "two"]
    post = await server.read(posts.stored, int(made["id"]))
    assert post is not None
    assert post.source is not None
    assert (post.title, post.source.content, post.kind) == ("Ebb", "It goes.", "Article")
    kept = (await alice.call("PUT", path, json={"status": "Only the body", "fediblog": {"tags": []}})).json()
    assert (kept["fediblog"]["title"], kept["fediblog"]["tags"]) == ("Ebb", [])
    named = await alice.post("/api/v1/statuses", {"status": "# x\n*y*", "fediblog": {"title": "Named"}})
    assert (named["fediblog"]["type"], named["fediblog"]["title"]) == ("Article", "Named")
    assert (await alice.get(f"/api/v1/statuses/{named['id']}/source"))["text"] == "# Named\n\n# x\n*y*"
    note = await alice.post(
        "/api/v1/statuses",
        {"status": "# Head\n\nx", "content_type": "text/markdown", "fediblog": {"type": "Note"}},
    )
    assert (note["fediblog"]["type"], "<h1" in note["content"]) == ("Note", True)
    note = (await alice.call("PUT", f"/api/v1/statuses/{note['id']}", json={"status": "# Again\n\nx"})).json()
    assert (note["fediblog"]["type"], note["fediblog"]["title"]) == ("Note", None)


async def test_a_request_that_is_sent_twice_is_done_once(both: Server) -> None:
    alice, bob = await both.api("alice"), await both.api("bob")
    headers = {"Idempotency-Key": "k" * 500}

    async def post(api: Api) -> str:
        return str((await api.post("/api/v1/statuses", {"status": "once"}, headers=headers))["id"])

    made = set(await asyncio.gather(*(post(alice) for _ in range(5))))
    assert len(made) == 1
    assert await post(alice) in made
    assert await post(bob) not in made
    assert await both.read(lambda tx: tx.one("select count(*) as n from post").n) == 2
    await alice.call("DELETE", f"/api/v1/statuses/{made.pop()}")
    assert await alice.status("POST", "/api/v1/statuses", json={"status": "once"}, headers=headers) == 404
    wrong = {"Idempotency-Key": "w"}
    assert await alice.status("POST", "/api/v1/statuses", json={"status": ""}, headers=wrong) == 422
    assert await alice.status("POST", "/api/v1/statuses", json={"status": "now"}, headers=wrong) == 200


async def test_deleting_gives_back_what_is_needed_to_write_it_anew(server: Server) -> None:
    alice, bob = await server.api("alice"), await server.api("bob")
    picture = await uploaded(server, "alice", alt="teal", focus=(0.5, -0.5))
    made = await alice.post("/api/v1/statuses", {"status": "*one*", "media_ids": [picture]})
    assert made["media_attachments"][0]["description"] == "teal"
    assert made["media_attachments"][0]["meta"]["focus"] == {"x": 0.5, "y": -0.5}
    boost = (await bob.post(f"/api/v1/statuses/{made['id']}/reblog"))["id"]
    form = {"status": "two", "media_ids[]": picture, "media_attributes[][id]": picture}
    form |= {"media_attributes[][description]": "blue", "media_attributes[][focus]": "0,1"}
    edited = await alice.call("PUT", f"/api/v1/statuses/{made['id']}", data=form)
    assert edited.json()["media_attachments"][0]["description"] == "blue"
    assert (await alice.call("DELETE", f"/api/v1/statuses/{boost}")).status_code == 404
    gone = (await bob.call("DELETE", f"/api/v1/statuses/{boost}")).json()
    assert (gone["id"], gone["reblog"]["id"], gone["text"]) == (boost, made["id"], "")
    assert (await bob.get(f"/api/v1/statuses/{made['id']}"))["reblogged"] is False
    gone = (await alice.call("DELETE", f"/api/v1/statuses/{made['id']}")).json()
    assert (gone["text"], gone["media_attachments"][0]["id"]) == ("two", picture)
    assert await alice.status("GET", f"/api/v1/statuses/{made['id']}") == 404
    again = await alice.post("/api/v1/statuses", {"status": gone["text"], "media_ids": [picture]})
    assert again["media_attachments"][0]["description"] == "blue"
    bare = await alice.call("PUT", f"/api/v1/statuses/{again['id']}", json={"status": "two"})
    assert bare.json()["media_attachments"] == []


async def test_pictures_of_others_do_not_go_with_a_post(server: Server) -> None:
    picture = await uploaded(server, "bob")
    alice = await server.api("alice")
    assert await alice.status("POST", "/api/v1/statuses", json={"status": "x", "media_ids": [picture]}) == 422


async def test_the_website_keeps_what_an_app_said(server: Server) -> None:
    """An edit that says nothing of the kind of text, of tags and of who may quote leaves them."""
    alice = await server.api("alice")
    asked: dict[str, Any] = {"status": "*x*", "quote_approval_policy": "nobody", "fediblog": {"tags": ["Moon"]}}
    made = await alice.post("/api/v1/statuses", asked)
    draft = Draft(source="*y* #sea", visibility=Visibility.PUBLIC)
    await server.write(wording.edit, server.site.urls, server.people["alice"].id, int(made["id"]), draft)
    shown = await alice.get(f"/api/v1/statuses/{made['id']}")
    assert "*y*" in shown["content"]
    assert sorted(each["name"] for each in shown["tags"]) == ["Moon", "sea"]
    assert shown["quote_approval"]["automatic"] == []


async def test_an_app_files_a_post_and_gives_it_another_address(server: Server) -> None:
    alice = await server.api("alice")
    for name in ("Walks", "High hills"):
        await server.write(category_actions.add, Category(id=0, name=name, slug=""))
    ours: dict[str, Any] = {"title": "A walk", "categories": ["walks", "high-hills"]}
    made = await alice.post("/api/v1/statuses", {"status": "Text", "fediblog": ours})
    assert made["fediblog"]["categories"] == ["High hills", "Walks"]
    listed = await alice.get("/api/v1/timelines/public", local="true")
    assert listed[0]["fediblog"]["categories"] == ["High hills", "Walks"]
    path = f"/api/v1/statuses/{made['id']}"
    kept = (
        await alice.call("PUT", path, json={"status": "Text", "fediblog": {"title": "A walk", "slug": "hike"}})
    ).json()
    assert (kept["fediblog"]["slug"], kept["fediblog"]["categories"]) == ("hike", ["High hills", "Walks"])
    fewer = {"status": "Text", "fediblog": {"title": "A walk", "categories": ["WALKS"]}}
    assert (await alice.call("PUT", path, json=fewer)).json()["fediblog"]["categories"] == ["Walks"]
    listed = await alice.get("/api/v1/timelines/public", local="true")
    assert (listed[0]["fediblog"]["slug"], listed[0]["fediblog"]["categories"]) == ("hike", ["Walks"])
    unknown = {"status": "Text", "fediblog": {"title": "A walk", "categories": ["Sea"]}}
    answer = await alice.call("POST", "/api/v1/statuses", json=unknown)
    assert (answer.status_code, "There is no category called Sea" in answer.text) == (422, True)


async def test_an_edit_leaves_what_an_app_cannot_say(server: Server) -> None:
    """The picture above an article stays; an abstract that is only its beginning follows the text."""
    hero = File(upload=int(await uploaded(server, "alice")), alt="sea")
    for summary, after in (("", "New beginning."), ("Mine", "Mine")):
        post = await server.publish("alice", "Old beginning.", title="T", hero=hero, summary=summary)
        alice = await server.api("alice")
        changed = await alice.call("PUT", f"/api/v1/statuses/{post.id}", json={"status": "# T\n\nNew beginning."})
        assert changed.json()["fediblog"]["summary"] == after
        stored = await server.read(posts.stored, post.id)
        assert stored is not None
        assert stored.image == post.image
    assert post.image is not None
    shown = await alice.get("/api/oembed", url=post.url)
    assert (shown["thumbnail_url"], shown["thumbnail_width"]) == (post.image.url, post.image.width)
    assert "thumbnail_url" not in await alice.get("/api/oembed", url=post.url, maxwidth=1)


async def test_a_status_quotes_another(both: Server) -> None:
    alice, bob, anybody = await both.api("alice"), await both.api("bob"), await both.api()
    posts_of = {
        policy: await both.publish("alice", policy, quotable=policy) for policy in ("public", "followers", "nobody")
    }
    far = await both.write(_stranger_writes)

    async def current(api: Api, number: int) -> str:
        shown = (await api.get(f"/api/v1/statuses/{number}"))["quote_approval"]["current_user"]
        if api is bob:
            listed = await api.get("/api/v1/timelines/public")
            assert {each["id"]: each["quote_approval"]["current_user"] for each in listed}[str(number)] == shown
        return str(shown)

    numbers = [*(each.id for each in posts_of.values()), far]
    assert [await current(alice, each) for each in numbers] == ["automatic", "automatic", "automatic", "manual"]
    assert [await current(bob, each) for each in numbers] == ["automatic", "denied", "denied", "manual"]
    assert [await current(anybody, each) for each in numbers] == ["denied"] * 4
    await both.follow("bob", "alice")
    assert [await current(bob, each) for each in numbers] == ["automatic", "automatic", "denied", "manual"]
    secret = await both.publish("alice", "Between us", visibility=Visibility.DIRECT)
    assert await current(alice, secret.id) == "denied"

    made = {}
    for name, number in zip(("public", "followers", "nobody", "far"), numbers, strict=True):
        answer = await bob.call("POST", "/api/v1/statuses", json={"status": name, "quoted_status_id": str(number)})
        assert answer.status_code == (422 if name == "nobody" else 200)
        made[name] = answer.json()
    assert made["public"]["quote"]["state"] == made["followers"]["quote"]["state"] == "accepted"
    assert made["public"]["quote"]["quoted_status"]["id"] == str(numbers[0])
    assert made["far"]["quote"] == {"state": "pending", "quoted_status": None}
    (listed,) = await alice.get(f"/api/v1/statuses/{numbers[0]}/quotes")
    assert (listed["id"], listed["quote"]["state"]) == (made["public"]["id"], "accepted")
    (told,) = [each for each in await alice.get("/api/v1/notifications") if each["type"] == "quote"][1:]
    assert told["status"]["id"] == made["public"]["id"]
    edited = await bob.call("PUT", f"/api/v1/statuses/{made['public']['id']}", json={"status": "changed"})
    assert edited.json()["quote"]["state"] == "accepted"
    revoked = await alice.post(f"/api/v1/statuses/{numbers[0]}/quotes/{made['public']['id']}/revoke")
    assert revoked["quote"] == {"state": "revoked", "quoted_status": None}
    assert await alice.get(f"/api/v1/statuses/{numbers[0]}/quotes") == []
    for state in ("rejected", "accepted"):
        await both.write(_answer, state)
        shown = await bob.get(f"/api/v1/statuses/{made['far']['id']}")
        assert shown["quote"]["state"] == state
    await both.write(_remove, far)
    assert (await bob.get(f"/api/v1/statuses/{made['far']['id']}"))["quote"]["state"] == "deleted"
    wanted = {"status": "later", "quote_id": str(numbers[1]), "scheduled_at": "2031-01-01T00:00:00Z"}
    later = await bob.post("/api/v1/statuses", wanted)
    assert later["params"]["quoted_status_id"] == str(numbers[1])
    moved = await bob.call(
        "PUT", f"/api/v1/scheduled_statuses/{later['id']}", json={"scheduled_at": "2031-01-02T00:00:00Z"}
    )
    assert moved.json()["params"]["quoted_status_id"] == str(numbers[1])


ELSE = "unsupported_policy"
# automatic, manual, the two lists as apps get them, and what they mean to somebody else and to a follower
QUOTERS = [
    ("", "", [], [], "unknown", "unknown"),  # not told at all
    ("self", "", [], [], "denied", "denied"),
    ("followers", "", ["followers"], [], "denied", "automatic"),
    ("self followers", "", ["followers"], [], "denied", "automatic"),
    ("public", "", ["public"], [], "automatic", "automatic"),
    ("self public", "followers", ["public"], [], "automatic", "automatic"),
    ("", "public", [], ["public"], "manual", "manual"),
    ("self", "public", [], ["public"], "manual", "manual"),
    ("", "followers", [], ["followers"], "denied", "manual"),
    ("followers", "public", ["followers"], ["public"], "manual", "automatic"),
    ("other", "", [ELSE], [], "unknown", "unknown"),
    ("self", "other", [], [ELSE], "unknown", "unknown"),
    ("other followers", "public", [ELSE, "followers"], ["public"], "manual", "automatic"),
    ("followers", "other", ["followers"], [ELSE], "unknown", "automatic"),
]


@pytest.mark.parametrize("visibility", ["public", "followers"])
@pytest.mark.parametrize(("automatic", "manual", "at_once", "asked", "stranger", "follower"), QUOTERS)
async def test_who_may_quote_a_post_of_another_server(
    both: Server,
    automatic: str,
    manual: str,
    at_once: list[str],
    asked: list[str],
    stranger: str,
    follower: str,
    visibility: str,
) -> None:
    """As its `canQuote` says, before and after one follows its author; alone and in a list."""

    def written(tx: Tx) -> tuple[int, int]:
        author = makers.remote(tx, "choosy")
        ids = {"followers": author.followers, "self": author.uri, "public": PUBLIC, "other": author.following or "x:y"}
        rules = [tuple(map(ids.__getitem__, each.split())) for each in (automatic, manual)]
        told = Rule(automatic=rules[0], manual=rules[1])
        policy = (
            InteractionPolicy(quote=told) if automatic or manual else InteractionPolicy(like=Rule(automatic=(PUBLIC,)))
        )
        return author.id, makers.post(tx, author, policy=policy, visibility=Visibility(visibility))

    author, number = await both.write(written)
    bob, anybody = await both.api("bob"), await both.api()
    for is_following in (False, True):
        if is_following:
            await both.write(relations.put_follow, both.people["bob"].id, author, "https://blog.test/x/f", "accepted")
        elif visibility == "followers":
            continue  # it is not seen
        (listed,) = await bob.get(f"/api/v1/accounts/{author}/statuses")
        shown = (await bob.get(f"/api/v1/statuses/{number}"))["quote_approval"]
        assert listed["quote_approval"] == shown
        wanted = {"automatic": at_once, "manual": asked, "current_user": follower if is_following else stranger}
        private = {"automatic": [], "manual": [], "current_user": "denied"}
        assert shown == (wanted if visibility == "public" else private)
    if visibility == "public":
        shown = (await anybody.get(f"/api/v1/statuses/{number}"))["quote_approval"]
        assert shown == {"automatic": at_once, "manual": asked, "current_user": "denied"}


def _stranger_writes(tx: Tx) -> int:
    policy = InteractionPolicy(quote=Rule(manual=(PUBLIC,)))
    return makers.post(tx, makers.remote(tx, "stranger"), content="<p>Far</p>", policy=policy)


def _answer(tx: Tx, state: str) -> None:
    tx.run("update quote_request set state = :state", state=state)


def _remove(tx: Tx, number: int) -> None:
    post = posts.stored(tx, number)
    assert post is not None
    post_writing.remove(tx, post)


async def test_comments_can_be_closed(server: Server) -> None:
    alice, bob = await server.api("alice"), await server.api("bob")
    asked = {"status": "Read only", "fediblog": {"comments_policy": "nobody"}}
    made = await alice.post("/api/v1/statuses", asked)
    assert made["fediblog"]["comments_policy"] == "nobody"
    path, answer = f"/api/v1/statuses/{made['id']}", {"status": "x", "in_reply_to_id": made["id"]}
    refused = await bob.call("POST", "/api/v1/statuses", json=answer)
    assert (refused.status_code, "Comments are closed" in refused.json()["error"]) == (422, True)
    kept = await alice.call("PUT", path, json={"status": "Still"})
    assert kept.json()["fediblog"]["comments_policy"] == "nobody"
    for policy, status in (("followers", 422), ("everyone", 200)):
        changed = await alice.call("PUT", path, json={"status": "Still", "fediblog": {"comments_policy": policy}})
        assert changed.json()["fediblog"]["comments_policy"] == policy
        assert await bob.status("POST", "/api/v1/statuses", json=answer) == status
    listed = await bob.get("/api/v1/timelines/public")
    assert [each["fediblog"]["comments_policy"] for each in listed] == ["everyone"]
