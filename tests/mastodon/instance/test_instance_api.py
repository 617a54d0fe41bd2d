"""What the server tells of itself, and what apps of old and of today need to find in it."""

from __future__ import annotations

import re
from typing import Any

from fediblog.actions import account_actions, site_actions
from fediblog.mastodon.entities.instance_entity import VERSION
from fediblog.protocol.notes import write_note
from fediblog.store.people import post_preferences
from fediblog.store.people.post_preferences import Defaults
from fediblog.store.posts import media_files, posts
from fediblog.store.readers import announcements
from fediblog.store.tx import Tx
from tests import host_blocks, wording
from tests.mastodon.server import Server


def media(tx: Tx, account: int) -> int:
    return media_files.add(
        tx, account, media_type="image/png", file="aa/blob.png", large="", small="aa/still.png", width=9, height=9,
        blurhash="", size=99,
    )  # fmt: skip


async def test_both_versions_of_the_instance(both: Server) -> None:
    await both.publish("alice")
    api = await both.api()
    old, new = await api.get("/api/v1/instance/"), await api.get("/api/v2/instance")
    assert new["version"] == old["version"] == VERSION
    assert (new["domain"], old["uri"]) == ("blog.test", "blog.test")
    # As apps read it: Mastodon.py wants three numbers, Ice Cubes the first three characters, Phanpy a semantic version.
    assert re.match(r"[0-9]+\.[0-9]+\.[0-9]+", VERSION)
    assert float(VERSION[:3]) >= 4.5
    assert "pixelfed" not in VERSION.lower()
    assert new["api_versions"]["mastodon"] >= 7
    assert new["configuration"]["urls"]["streaming"] == old["urls"]["streaming_api"] == "wss://blog.test"
    assert new["contact"]["account"]["acct"] == old["contact_account"]["acct"] == "alice"
    assert new["configuration"]["accounts"]["max_featured_tags"] > 0
    assert (old["stats"]["user_count"], old["stats"]["status_count"]) == (2, 1)
    assert new["usage"]["users"]["active_month"] == 1
    key = new["configuration"]["vapid"]["public_key"]
    assert key == (await api.get("/api/v2/instance"))["configuration"]["vapid"]["public_key"]
    for picture in (old["thumbnail"], new["thumbnail"]["url"], new["icon"][0]["src"]):
        answer = await api.http.get(picture)
        assert (answer.status_code, answer.headers["content-type"]) == (200, "image/png")
    owner = await api.http.get(new["contact"]["account"]["header"])
    assert owner.headers["content-type"] == "image/png"


async def test_the_small_questions(both: Server) -> None:
    await both.publish("alice")
    await both.publish("bob")
    both.clock.forward(days=8)
    await both.publish("alice")
    await both.write(lambda tx: host_blocks.block(tx, "bad.example", "a reason for the owner alone"))
    await both.write(
        lambda tx: tx.run("insert into host (name, changed) values ('far.example', 0), ('bad.example', 0)")
    )
    api = await both.api()
    assert await api.get("/api/v1/instance/peers") == ["far.example"]
    weeks = await api.get("/api/v1/instance/activity")
    assert len(weeks) == 12
    assert [each["statuses"] for each in weeks[:3]] in (["1", "2", "0"], ["1", "0", "2"])
    assert sum(int(each["registrations"]) for each in weeks) == 2
    assert (int(weeks[0]["week"]) + 3 * 86_400) % (7 * 86_400) == 0  # a Monday
    assert await api.get("/api/v1/instance/rules") == []
    assert "fediverse" in (await api.get("/api/v1/instance/extended_description"))["content"]
    assert "hashes" in (await api.get("/api/v1/instance/privacy_policy"))["content"]
    assert await api.get("/api/v1/instance/translation_languages") == {}
    assert await api.status("GET", "/api/v1/instance/terms_of_service") == 404
    assert (await api.http.get("/health")).text == "OK"
    assert await api.status("GET", "/api/v1/instance/domain_blocks") == 401
    blocks = await (await both.api("bob")).get("/api/v1/instance/domain_blocks")
    assert [each["domain"] for each in blocks] == ["bad.example"]
    assert "reason" not in str(blocks)


async def test_programs_in_browsers_may_look_for_the_server(server: Server) -> None:
    api = await server.api()
    for path in (
        *("/.well-known/host-meta", "/.well-known/nodeinfo", "/nodeinfo/2.0", "/nodeinfo/2.1"),
        *("/.well-known/webfinger?resource=acct:alice@blog.test", "/.well-known/oauth-authorization-server"),
        *("/api/v2/instance", "/api/v1/nothing"),
    ):
        answer = await api.http.get(path, headers={"origin": "https://app.example"})
        assert answer.headers.get_list("access-control-allow-origin") == ["*"], path
        assert "access-control-allow-credentials" not in answer.headers
        preflight = await api.http.request("OPTIONS", path)
        assert preflight.status_code == 204, path
    template = (await api.http.get("/.well-known/host-meta")).text
    assert 'template="https://blog.test/.well-known/webfinger?resource={uri}"' in template
    # No other site reads what a cookie shows.
    answer = await api.http.get("/oauth/authorize", headers={"origin": "https://app.example"})
    assert "access-control-allow-origin" not in answer.headers


async def test_preferences_are_ones_own(both: Server) -> None:
    alice, bob = await both.api("alice"), await both.api("bob")
    await both.write(post_preferences.put, both.people["alice"].id, Defaults(visibility="private", sensitive=True))
    found = await alice.get("/api/v1/preferences")
    assert (found["posting:default:visibility"], found["posting:default:sensitive"]) == ("private", True)
    assert (await bob.get("/api/v1/preferences"))["posting:default:visibility"] == "public"
    assert await (await both.api()).status("GET", "/api/v1/preferences") == 401


async def test_announcements_are_read_once(both: Server) -> None:
    number = await both.write(wording.announce, both.site.urls, "A *new* disk.", None)
    soon = both.clock.now + 60_000
    short = await both.write(wording.announce, both.site.urls, "<script>Soon</script>", soon)
    alice, bob = await both.api("alice"), await both.api("bob")
    found = await alice.get("/api/v1/announcements")
    assert [each["id"] for each in found] == [str(short), str(number)]
    assert "<em>new</em>" in found[1]["content"]
    assert "<script" not in found[0]["content"]
    assert not found[0]["read"]
    for _ in range(2):
        assert await alice.post(f"/api/v1/announcements/{number}/dismiss") == {}
    assert [each["id"] for each in await alice.get("/api/v1/announcements")] == [str(short)]
    found = await alice.get("/api/v1/announcements", with_dismissed="true")
    assert [each["read"] for each in found] == [False, True]
    assert len(await bob.get("/api/v1/announcements")) == 2
    both.clock.forward(seconds=60)
    assert len(await bob.get("/api/v1/announcements")) == 1
    assert len(await both.read(announcements.everything)) == 2
    await both.write(site_actions.withdraw, number)
    assert await bob.get("/api/v1/announcements") == []
    assert await bob.status("POST", f"/api/v1/announcements/{number}/dismiss") == 404
    assert await bob.status("PUT", f"/api/v1/announcements/{number}/reactions/x") == 404


async def test_a_custom_emoji_is_offered_shown_and_sent_along(both: Server) -> None:
    alice = both.people["alice"]
    number = await both.write(media, alice.id)
    await both.write(site_actions.add_emoji, both.site.urls, ":blob:", number, "Cats")
    api = await both.api()
    assert await api.get("/api/v1/custom_emojis") == [
        {
            "shortcode": "blob",
            "url": both.site.urls.media("aa/blob.png"),
            "static_url": both.site.urls.media("aa/still.png"),
            "visible_in_picker": True,
            "category": "Cats",
        }
    ]
    post = await both.publish("alice", "A :blob:, not 12:blob:30, and `:none:`")
    assert [each["shortcode"] for each in (await api.get(f"/api/v1/statuses/{post.id}"))["emojis"]] == ["blob"]
    stored = await both.read(lambda tx: posts.stored(tx, post.id))
    assert stored is not None
    document: Any = write_note(stored)
    assert {
        "type": "Emoji",
        "name": ":blob:",
        "icon": {"type": "Image", "mediaType": "image/png", "url": both.site.urls.media("aa/blob.png")},
    } in (document["tag"])
    page = await api.http.get(f"/@alice/{post.id}", headers={"accept": "text/html"})
    assert 'class="emoji"' in page.text
    named = account_actions.ProfileChanges(name="Alice :blob:", summary="Likes :none:")
    await both.write(wording.update_profile, both.site.urls, alice.id, named)
    owner = (await api.get("/api/v2/instance"))["contact"]["account"]
    assert [each["shortcode"] for each in owner["emojis"]] == ["blob"]
    other = await both.publish("alice", "No :none: here, and 12:blob:30")
    assert (await api.get(f"/api/v1/statuses/{other.id}"))["emojis"] == []
    # Its picture is not swept as long as it is one, and is afterwards.
    both.clock.forward(days=400)
    assert await both.read(media_files.unused, both.clock.now) == []
    await both.write(site_actions.remove_emoji, "blob")
    assert [each.id for each in await both.read(media_files.unused, both.clock.now)] == [number]
