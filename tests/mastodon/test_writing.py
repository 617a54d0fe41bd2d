"""Statuses as apps write, change and delete them."""

from __future__ import annotations

import asyncio
from typing import Any

from fediblog.actions import publishing
from fediblog.actions.drafts import Draft, File
from fediblog.domain.documents import Visibility
from fediblog.store import apps, posts
from fediblog.store.tx import Tx
from tests.mastodon.server import Api, Server
from tests.mastodon.test_media import uploaded

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
    for wrong in (
        {"status": ""},
        {"status": "x", "visibility": "friends"},
        {"status": "x", "quoted_status_id": made["id"]},
        {"status": "x", "fediblog": {"comments_policy": "nobody"}},
        {"status": "x", "media_ids": ["1"]},
        {"status": "x", "media_ids": ["x"]},
        {"status": "x", "scheduled_at": "tomorrow"},
        {"status": "x", "poll": {"options": ["a", "b"]}},
        {"status": "x", "fediblog": {"type": "Article"}},
    ):
        answer = await alice.call("POST", "/api/v1/statuses", json=wrong)
        assert (answer.status_code, list(answer.json())) == (422, ["error"]), wrong
    for missing in ("1", "x"):
        assert await alice.status("POST", "/api/v1/statuses", json={"status": "x", "in_reply_to_id": missing}) == 404
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
            "fediblog": {"summary": "In short", "slug": "tide", "categories": ["Moon", "#Sea", "two words"]},
        },
    )
    ours = made["fediblog"]
    assert (ours["type"], ours["title"], ours["slug"], ours["summary"]) == (
        "Article",
        "The *tide*",
        "tide",
        "In short",
    )
    assert sorted(ours["categories"]) == ["Moon", "sea", "two"]
    assert made["spoiler_text"] == "water"
    assert made["url"].endswith("/tide")
    path = f"/api/v1/statuses/{made['id']}"
    assert (await alice.get(f"{path}/source"))["text"] == text
    changed = (await alice.call("PUT", path, json={"status": "# Ebb\n\nIt goes."})).json()
    assert (changed["fediblog"]["title"], changed["fediblog"]["slug"]) == ("Ebb", "tide")
    assert sorted(changed["fediblog"]["categories"]) == ["Moon", "two"]
    post = await server.read(posts.stored, int(made["id"]))
    assert post is not None
    assert post.source is not None
    assert (post.title, post.source.content, post.kind) == ("Ebb", "It goes.", "Article")
    kept = (await alice.call("PUT", path, json={"status": "Only the body", "fediblog": {"categories": []}})).json()
    assert (kept["fediblog"]["title"], kept["fediblog"]["categories"]) == ("Ebb", [])
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
    assert (gone["id"], gone["reblog"]["id"], gone["text"]) == (boost, made["id"], None)
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
    asked: dict[str, Any] = {"status": "*x*", "quote_approval_policy": "nobody", "fediblog": {"categories": ["Moon"]}}
    made = await alice.post("/api/v1/statuses", asked)
    draft = Draft(source="*y* #sea", visibility=Visibility.PUBLIC)
    await server.write(publishing.edit, server.site.urls, server.people["alice"].id, int(made["id"]), draft)
    shown = await alice.get(f"/api/v1/statuses/{made['id']}")
    assert "*y*" in shown["content"]
    assert sorted(each["name"] for each in shown["tags"]) == ["Moon", "sea"]
    assert shown["quote_approval"]["automatic"] == []


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
