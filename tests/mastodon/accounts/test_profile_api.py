"""One's own account: verify_credentials, and every way in which a profile is changed."""

from __future__ import annotations

from io import BytesIO

import pytest
from PIL import Image

from fediblog.actions import account_actions
from fediblog.store.people import accounts, logins
from tests import wording
from tests.mastodon.server import Server

UPDATE = "/api/v1/accounts/update_credentials"


def picture(color: str) -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 48), color).save(out, "PNG")
    return out.getvalue()


async def test_who_one_is(both: Server) -> None:
    api = await both.api("alice", "profile")
    me = await api.get("/api/v1/accounts/verify_credentials")
    assert (me["acct"], me["role"]["name"], me["source"]["privacy"]) == ("alice", "Owner", "public")
    assert int(me["role"]["permissions"]) & 1
    assert (me["source"]["follow_requests_count"], me["source"]["language"]) == (0, None)
    member = await (await both.api("bob")).get("/api/v1/accounts/verify_credentials")
    assert (member["role"]["permissions"], member["role"]["highlighted"]) == ("0", False)
    assert await (await both.api("bob", "write")).status("GET", "/api/v1/accounts/verify_credentials") == 403
    assert await (await both.api()).status("GET", "/api/v1/accounts/verify_credentials") == 401


async def test_a_profile_is_changed_in_json_form_and_multipart(both: Server) -> None:
    api = await both.api("alice")
    answer = await api.call(
        "PATCH",
        UPDATE,
        json={
            "display_name": "Alice B.",
            "note": "I *write*",
            "locked": True,
            "bot": True,
            "discoverable": False,
            "indexable": False,
            "attribution_domains": ["Example.org", "https://blog.example/", "example.org"],
            "fields_attributes": [{"name": "Home", "value": "https://alice.example"}, {"name": "", "value": "x"}],
            "source": {"privacy": "private", "sensitive": True, "language": "de", "quote_policy": "nobody"},
        },
    )
    me = answer.json()
    assert answer.status_code == 200
    assert (me["display_name"], me["locked"], me["bot"], me["discoverable"]) == ("Alice B.", True, True, False)
    assert me["note"] == "<p>I *write*</p>\n"
    assert me["source"]["note"] == "I *write*"
    assert (me["source"]["privacy"], me["source"]["sensitive"]) == ("private", True)
    assert (me["source"]["language"], me["source"]["quote_policy"]) == ("de", "nobody")
    assert [each["name"] for each in me["fields"]] == ["Home"]
    assert me["source"]["attribution_domains"] == ["example.org", "blog.example"]
    assert (await api.get("/api/v1/profile"))["attribution_domains"] == ["example.org", "blog.example"]
    assert await api.status("PATCH", UPDATE, json={"attribution_domains": ["no site"]}) == 422
    assert me["source"]["fields"][0]["value"] == "https://alice.example"
    form = {
        "bot": "false",
        "fields_attributes[0][name]": "A",
        "fields_attributes[0][value]": "1",
        "source[language]": "",
    }
    me = (await api.call("PATCH", UPDATE, data=form)).json()
    assert (me["bot"], me["locked"], me["display_name"], me["source"]["language"]) == (False, True, "Alice B.", None)
    assert [(each["name"], each["value"]) for each in me["source"]["fields"]] == [("A", "1")]
    assert me["source"]["attribution_domains"] == ["example.org", "blog.example"]  # as nothing was said of them
    files = {"avatar": ("a.png", picture("teal"), "image/png"), "header": ("h.png", picture("plum"), "image/png")}
    answer = await api.call("PATCH", UPDATE, data={"avatar_description": "teal", "note": ""}, files=files)
    me = answer.json()
    assert answer.status_code == 200, me
    assert "/media/" in me["avatar"]
    assert "/media/" in me["header"]
    assert (me["avatar_description"], me["note"], me["source"]["privacy"]) == ("teal", "", "private")
    assert await api.status("PATCH", UPDATE, files={"avatar": ("a.png", b"no picture", "image/png")}) == 422
    assert await api.status("PATCH", UPDATE, json={"source": {"privacy": "everybody"}}) == 422
    for wrong in ("deutsch bitte", "Deutsch", "de_AT"):
        assert await api.status("PATCH", UPDATE, json={"source": {"language": wrong}}) == 422
    assert await api.status("PATCH", UPDATE, json={"note": "x" * 6000}) == 422
    assert (await api.get("/api/v1/accounts/verify_credentials"))["display_name"] == "Alice B."


NOTE = "I *write* <b>\nand _sail_ with @bob\n\n1. #Tea at https://alice.example/*x"
SHOWN = (
    '<p>I *write* &lt;b&gt;<br>\nand _sail_ with <span class="h-card" translate="no"><a href="{bob}"'
    ' class="u-url mention">@<span>bob</span></a></span></p>\n<p>1. '
)
BOTH_WAYS = (UPDATE, "/api/v1/profile")


@pytest.mark.parametrize("address", BOTH_WAYS)
async def test_a_profile_from_an_app_is_plain_text(both: Server, address: str) -> None:
    """Lines and signs stay as they were typed; addresses, mentions and hashtags are links, in fields as well."""
    api = await both.api("alice")
    fields = [{"name": "Friend", "value": "@bob *and* #tea"}, {"name": "Home", "value": "https://alice.example"}]
    answer = await api.call("PATCH", address, json={"note": NOTE, "fields_attributes": fields})
    assert answer.status_code == 200
    me = await api.get("/api/v1/accounts/verify_credentials")
    bob = both.people["bob"]
    assert me["note"].startswith(SHOWN.format(bob=bob.url)), me["note"]
    assert 'class="mention hashtag"' in me["note"]
    assert 'href="https://alice.example/*x"' in me["note"]
    assert me["source"]["note"] == NOTE
    friend, home = (each["value"] for each in me["fields"])
    assert f'href="{bob.url}"' in friend
    assert "*and*" in friend
    assert "/tags/tea" in friend
    assert 'href="https://alice.example"' in home
    assert [each["value"] for each in me["source"]["fields"]] == [each["value"] for each in fields]
    assert (await api.get("/api/v1/profile"))["note"] == NOTE


@pytest.mark.parametrize("address", BOTH_WAYS)
async def test_what_an_app_sends_back_stays_the_markdown_that_it_was(both: Server, address: str) -> None:
    """Only what is changed in the app becomes plain text."""
    alice, api = both.people["alice"], await both.api("alice")
    written = account_actions.ProfileChanges(
        summary="I *write*", fields=(("A", "[a](https://a.example)"), ("B", "*b*"))
    )
    before = await both.write(wording.update_profile, both.site.urls, alice.id, written)
    me = await api.get("/api/v1/accounts/verify_credentials")
    sent = {"note": me["source"]["note"], "fields_attributes": me["source"]["fields"], "display_name": "Alice"}
    assert (await api.call("PATCH", address, json=sent | {"locked": True})).status_code == 200
    after = await both.read(accounts.get, alice.id)
    assert after is not None
    assert (after.locked, after.summary, after.fields) == (True, before.summary, before.fields)
    sent["fields_attributes"][1] = {"name": "B", "value": "*c*"}
    assert (await api.call("PATCH", address, json=sent)).status_code == 200
    after = await both.read(accounts.get, alice.id)
    assert after is not None
    assert (after.summary, after.fields[0], after.fields[1].value) == (before.summary, before.fields[0], "*c*")
    assert (await api.call("PATCH", address, json={"note": "I *write*!"})).status_code == 200
    assert (await api.call("PATCH", address, json={"display_name": "A"})).status_code == 200
    me = await api.get("/api/v1/accounts/verify_credentials")
    assert (me["note"], me["fields"][1]["value"]) == ("<p>I *write*!</p>\n", "*c*")


async def test_a_stranger_named_in_a_profile_is_looked_up(server: Server) -> None:
    await server.world.open("far.test")
    dave = await server.world.person("far.test", "dave")
    api = await server.api("alice")
    me = (await api.call("PATCH", UPDATE, json={"note": "Friend of @dave@far.test and @none@far.test"})).json()
    assert f'href="{dave.url}"' in me["note"]
    assert "and @none@far.test" in me["note"]


async def test_the_profile_as_it_was_written(server: Server) -> None:
    api = await server.api("alice")
    shown = await api.get("/api/v1/profile")
    assert (shown["avatar"], shown["header"], shown["note"]) == (None, None, "")
    files = {"avatar": ("a.png", picture("teal"), "image/png"), "header": ("h.png", picture("plum"), "image/png")}
    answer = await api.call("PATCH", "/api/v1/profile", data={"note": "Hi", "header_description": "plum"}, files=files)
    assert (answer.json()["note"], answer.json()["header_description"]) == ("Hi", "plum")
    for name in ("avatar", "header"):
        me = (await api.call("DELETE", f"/api/v1/profile/{name}")).json()
        assert me[name].endswith(f"/static/{name}.png")
    shown = await api.get("/api/v1/profile")
    assert (shown["avatar"], shown["header"], shown["header_description"], shown["note"]) == (None, None, "", "Hi")
    assert await (await server.api("alice", "read")).status("DELETE", "/api/v1/profile/avatar") == 403


async def test_nobody_changes_what_is_anothers(server: Server) -> None:
    """A token is one account's, also where the login has two, and only as long as both are good."""
    await server.person("second", "alice")
    api = await server.api("second")
    assert (await api.call("PATCH", UPDATE, json={"display_name": "Two"})).json()["acct"] == "second"
    first = await (await server.api("alice")).get("/api/v1/accounts/verify_credentials")
    assert first["display_name"] == "Alice"
    await server.write(accounts.set_state, server.people["second"].id, "suspended")
    assert await api.status("GET", "/api/v1/accounts/verify_credentials") == 401
    bob = await server.api("bob")
    login = await server.read(logins.by_name, "bob")
    assert login is not None
    await server.write(logins.set_disabled, login.id, disabled=True)
    assert await bob.status("GET", "/api/v1/accounts/verify_credentials") == 401
