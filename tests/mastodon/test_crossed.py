"""Two people with two accounts each, all ids crossed: whatever Bob's token calls, it gets nothing that is not Bob's.

Every row of the API with a place in its path is called with every number that there is, and what the others own is
looked at again after each row. Bob's own second account is another account like any other.
"""

from __future__ import annotations

from typing import Any

import pytest

from fediblog.actions import account_actions
from fediblog.domain.documents import Visibility
from fediblog.mastodon.endpoint_table import Endpoint
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.store.people import apps
from fediblog.store.tx import Tx
from tests.mastodon.server import Api, Server
from tests.mastodon.statuses.test_media_api import picture

pytestmark = pytest.mark.slow

SECRET = "onlyforme"
VICTIMS = ("alice", "alice2", "bob2")
KEYS = {"p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"}
OWNED = (
    *("user_list", "word_filter", "media", "marker", "bookmark", "preference", "followed_tag", "account_note"),
    *("endorsement", "thread_mute", "host_mute", "mute", "block", "conversation", "notice_policy", "notice_consent"),
    *("push_subscription", "token", "featured_tag", "suggestion_dismissed"),
)
BELOW = {
    "list_member": "select m.* from list_member m join user_list l on l.id = m.list where l.account in (:own)",
    "filter_keyword": "select k.* from filter_keyword k join word_filter f on f.id = filter where account in (:own)",
    "filter_post": "select k.* from filter_post k join word_filter f on f.id = filter where account in (:own)",
    "post": "select * from post where account in (:own)",
    "account": "select id, name, summary, icon, locked, state, login from account where id in (:own)",
    "follow": "select * from follow where follower in (:own)",
    "reaction": "select * from reaction where account in (:own)",
    "boost": "select * from boost where account in (:own)",
    "poll_vote": "select * from poll_vote where account in (:own)",
    "login": "select * from login",
    "blocked_host": "select * from blocked_host",
    "announcement": "select * from announcement",
    "report": "select id, closed from report",
}


async def furnish(server: Server, name: str) -> None:
    """Everything that only one account may see or change, with the secret word in it."""
    api = await server.api(name)
    me = server.people[name].id
    friend = server.people["alice" if name == "bob2" else "alice2" if name == "alice" else "alice"]
    made = await api.post("/api/v1/lists", {"title": f"{SECRET} list"})
    await server.follow(name, friend.handle)
    await api.post(f"/api/v1/lists/{made['id']}/accounts", {"account_ids": [str(friend.id)]})
    sieve = {"title": f"{SECRET} filter", "context": ["home"], "keywords_attributes": [{"keyword": f"{SECRET} word"}]}
    await api.post("/api/v2/filters", sieve)
    file = await api.call("POST", "/api/v2/media", files={"file": picture()}, data={"description": f"{SECRET} alt"})
    assert file.status_code == 200
    private = await server.publish(name, f"{SECRET} for followers", visibility=Visibility.FOLLOWERS)
    await server.publish(name, f"@{friend.handle} {SECRET} direct", visibility=Visibility.DIRECT)
    await api.post("/api/v1/statuses", {"status": f"{SECRET} later", "scheduled_at": "2035-01-01T00:00:00.000Z"})
    poll = {"options": [f"{SECRET} a", f"{SECRET} b"], "expires_in": 3600}
    await api.post("/api/v1/statuses", {"status": f"{SECRET} poll", "visibility": "private", "poll": poll})
    await server.publish(name, f"{SECRET} draft", state="draft")
    await api.post(f"/api/v1/statuses/{private.id}/bookmark")
    await api.post("/api/v1/markers", {"home": {"last_read_id": str(private.id)}})
    await api.post(f"/api/v1/accounts/{friend.id}/note", {"comment": f"{SECRET} note"})
    await api.post(f"/api/v1/tags/{SECRET}/follow")
    await api.post("/api/v1/featured_tags", {"name": "open"})
    keys = {**KEYS, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}
    wanted = {"endpoint": f"https://push.test/{SECRET}", "keys": keys}
    await api.post("/api/v1/push/subscription", {"subscription": wanted, "data": {"alerts": {"follow": True}}})
    assert me


def state(tx: Tx, own: list[int]) -> dict[str, list[tuple[Any, ...]]]:
    """All that the victims own."""
    found = {
        name: sorted(map(tuple, tx.all(f"select * from {name} where account in (:own)", own=own)), key=repr)
        for name in OWNED
    }
    return found | {name: sorted(map(tuple, tx.all(sql, own=own)), key=repr) for name, sql in BELOW.items()}


def numbers(tx: Tx) -> list[int]:
    """Every number that might stand in a path."""
    tables = ("post", "user_list", "word_filter", "filter_keyword", "filter_post", "media", "conversation", "notice")
    found = [row.id for name in (*tables, "attachment", "boost", "report") for row in tx.all(f"select id from {name}")]
    return sorted({*found, *(row.id for row in tx.all("select id from account"))})


def body(post: int, victim: int) -> dict[str, Any]:
    """What fits most of the rows, so that no call fails only because something is missing."""
    return {
        "title": "mine now",
        "context": ["home"],
        "phrase": "mine",
        "keyword": "mine",
        "status": "mine now",
        "status_id": str(post),
        "account_ids": [str(victim)],
        "choices": [0],
        "scheduled_at": "2036-01-01T00:00:00.000Z",
        "description": "mine now",
        "comment": "mine now",
        "reason": "mine",
        "type": "suspend",
        "quote_approval_policy": "nobody",
    }


async def call_all(server: Server, api: Api, row: Endpoint, given: list[int], post: int, victim: int) -> None:
    """One row with every number; nothing that comes back may hold the secret word."""
    name = row.path[row.path.index("{") + 1 : row.path.index("}")]
    places = [str(number) for number in given] if name in ("id", "post", "quoting_id") else [SECRET, "open"]
    for place in places:
        path = row.path
        while "{" in path:
            path = path[: path.index("{")] + place + path[path.index("}") + 1 :]
        options: dict[str, Any] = {} if row.method == "GET" else {"json": body(post, victim)}
        answer = await api.call(row.method, path, **options)
        assert answer.status_code < 500, f"{row.method} {path}: {answer.text}"
        assert answer.status_code != 429, f"{row.method} {path}: {answer.text}, which must not be what protects"
        told = answer.text.replace(f"/tags/{SECRET}", "").replace(f'"name":"{SECRET}"', "")
        assert SECRET not in told.lower(), f"{row.method} {path} tells {answer.text[:500]}"


async def test_nobody_reads_or_changes_what_is_not_theirs(server: Server) -> None:
    await server.person("alice2", login="alice")
    await server.person("bob2", login="bob")
    for name in VICTIMS:
        await furnish(server, name)
    own = [server.people[name].id for name in VICTIMS]
    given = await server.read(numbers)
    private = await server.read(lambda tx: tx.one("select id from post where visibility = 'followers'"))
    before = await server.read(state, own)
    api = Api(server.app, server.site.urls.origin, await server.token("bob"), address="127.0.0.1")
    for row in ENDPOINTS:
        if "{" not in row.path:
            continue
        server.clock.forward(hours=1)  # nobody may write more in an hour than a person does
        await call_all(server, api, row, given, private.id if private else 0, own[0])
        after = await server.read(state, own)
        for table, rows in before.items():
            if table == "follow":  # who is blocked or removed follows no more: that is theirs to decide
                assert set(after[table]) <= set(rows), f"{row.method} {row.path} changed {table}"
            else:
                assert after[table] == rows, f"{row.method} {row.path} changed {table}"
        before = after


async def test_lists_without_a_place_show_only_ones_own(server: Server) -> None:
    await server.person("alice2", login="alice")
    await server.person("bob2", login="bob")
    for name in VICTIMS:
        await furnish(server, name)
    api = await server.api("bob")
    for row in ENDPOINTS:
        if row.method != "GET" or "{" in row.path:
            continue
        answer = await api.call("GET", row.path, params={"q": SECRET, "url": "https://x.example", "acct": "alice"})
        told = answer.text.replace(f"/tags/{SECRET}", "").replace(f'"name":"{SECRET}"', "")
        assert answer.status_code < 500, row.path
        assert SECRET not in told.lower(), f"{row.path} tells {answer.text[:500]}"


async def test_a_token_ends_with_what_it_stands_for(server: Server) -> None:
    """Revoked, moved to another login, or the account deleted: nothing works with it any more."""
    await server.person("bob2", login="bob")
    path = "/api/v1/accounts/verify_credentials"
    one, other, third = await server.api("bob"), await server.api("bob2"), await server.api("bob")
    token = await server.read(apps.token, apps.digest(one.token))
    assert token is not None
    await server.write(apps.revoke, token.id)
    assert [await each.status("GET", path) for each in (one, other, third)] == [401, 200, 200]
    await server.write(account_actions.delete_account, server.site.urls, server.people["bob2"].id)
    assert [await each.status("GET", path) for each in (other, third)] == [401, 200]
    await server.write(lambda tx: tx.run("update login set disabled = 1 where name = 'bob'"))
    assert await third.status("GET", path) == 401
