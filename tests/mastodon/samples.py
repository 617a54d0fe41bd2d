"""A call of every row of the API that writes, made anew each time: what it is about, its path, what is sent with it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fediblog.actions import follow_actions
from fediblog.actions.drafts import PollDraft
from fediblog.domain.documents import Actor, Visibility
from fediblog.mastodon.endpoint_table import Endpoint
from fediblog.store.people import apps, relations
from fediblog.store.posts import quotes
from fediblog.store.readers import announcements, moderation, notifications
from fediblog.store.tx import Tx
from tests.mastodon.server import Api, Server
from tests.mastodon.statuses.test_media_api import picture
from tests.mastodon.test_crossed import KEYS, body
from tests.remote_accounts import save_remote
from tests.store.makers import notices_of

Made = Callable[["Maker"], Awaitable[str]]


class Maker:
    """What the rows are about: made anew for each call of a row."""

    def __init__(self, server: Server, api: Api) -> None:
        self.server, self.api, self.count = server, api, 0
        self.alice, self.bob = server.people["alice"], server.people["bob"]

    async def stranger(self) -> int:
        self.count += 1
        uri = f"https://far{self.count}.test/u"
        actor = Actor(uri=uri, kind="Person", handle="u", inbox=f"{uri}/inbox", followers=f"{uri}/f")
        return (await self.server.write(save_remote, actor, f"far{self.count}.test")).id

    async def post(self, who: str = "bob", **draft: Any) -> str:
        return str((await self.server.publish(who, "Hello", **draft)).id)

    async def filter_(self) -> dict[str, Any]:
        self.count += 1
        wanted = {"title": f"t{self.count}", "context": ["home"], "keywords_attributes": [{"keyword": "k"}]}
        made: dict[str, Any] = await self.api.post("/api/v2/filters", wanted)
        return made

    async def notice(self) -> str:
        actor = await self.stranger()
        await self.server.write(notifications.add, self.alice.id, "follow", actor)
        found = await self.server.read(notices_of, self.alice.id, limit=1)
        return str(found[0].id)

    async def report(self) -> str:
        other = await self.stranger()
        number = await self.server.write(
            lambda tx: moderation.report(tx, f"https://x.test/{other}", self.bob.id, other, [], "spam")
        )
        return str(number)


async def _asked(maker: Maker) -> str:
    """Somebody who asks to follow Alice."""
    other = await maker.stranger()
    uri = f"https://x.test/follow/{other}"
    await maker.server.write(relations.put_follow, other, maker.alice.id, uri, "pending")
    return str(other)


async def _account(maker: Maker) -> str:
    """Somebody whom Alice follows, and who follows her, half of the times."""
    other = await maker.stranger()
    await maker.server.write(relations.put_follow, other, maker.alice.id, f"https://x.test/f/{other}", "accepted")
    return str(other)


async def _followed(maker: Maker) -> str:
    other = int(await _account(maker))

    def action(tx: Tx) -> None:
        follow_actions.follow(tx, maker.server.site.urls, maker.alice.id, other)
        relations.accept(tx, maker.alice.id, other)

    await maker.server.write(action)
    return str(other)


async def _suspended(maker: Maker) -> str:
    other = await maker.stranger()
    answer = await maker.api.call("POST", f"/api/v1/admin/accounts/{other}/action", json={"type": "suspend"})
    assert answer.status_code == 200
    return str(other)


async def _member(maker: Maker) -> str:
    """Another one of this server."""
    maker.count += 1
    return str((await maker.server.person(f"member{maker.count}")).id)


async def _waiting(maker: Maker) -> str:
    """Somebody whose notices Alice has to ask for."""
    other = await maker.stranger()

    def action(tx: Tx) -> None:
        notifications.add(tx, maker.alice.id, "follow", other)
        tx.run("update notice set filtered = 1 where actor = :other", other=other)

    await maker.server.write(action)
    return str(other)


async def _blocked_host(maker: Maker) -> str:
    maker.count += 1
    found = await maker.api.post("/api/v1/admin/domain_blocks", {"domain": f"bad{maker.count}.test"})
    return str(found["id"])


async def _allowed_host(maker: Maker) -> str:
    maker.count += 1
    found = await maker.api.post("/api/v1/admin/domain_allows", {"domain": f"good{maker.count}.test"})
    return str(found["id"])


async def _conversation(maker: Maker) -> str:
    await maker.server.publish("bob", "@alice hello", visibility=Visibility.DIRECT)
    return str((await maker.api.get("/api/v1/conversations"))[0]["id"])


async def _entry(maker: Maker) -> str:
    sieve = await maker.filter_()
    post = await maker.post()
    return str((await maker.api.post(f"/api/v2/filters/{sieve['id']}/statuses", {"status_id": post}))["id"])


async def _keyword(maker: Maker) -> str:
    return str((await maker.filter_())["keywords"][0]["id"])


async def _list(maker: Maker) -> str:
    return str((await maker.api.post("/api/v1/lists", {"title": "A list"}))["id"])


async def _media(maker: Maker) -> str:
    answer = await maker.api.call("POST", "/api/v2/media", files={"file": picture()})
    return str(answer.json()["id"])


async def _announcement(maker: Maker) -> str:
    return str(await maker.server.write(announcements.add, "<p>news</p>", "news", None))


async def _poll(maker: Maker) -> str:
    return await maker.post(poll=PollDraft(options=("a", "b"), multiple=False, seconds=3600))


async def _later(maker: Maker) -> str:
    found = await maker.api.post("/api/v1/statuses", {"status": "x", "scheduled_at": "2035-01-01T00:00:00.000Z"})
    return str(found["id"])


async def _featured(maker: Maker) -> str:
    maker.count += 1
    return str((await maker.api.post("/api/v1/featured_tags", {"name": f"tag{maker.count}"}))["id"])


async def _filter(maker: Maker) -> str:
    return str((await maker.filter_())["id"])


async def _tag(maker: Maker) -> str:
    maker.count += 1
    return f"name{maker.count}"


IDS: dict[str, Made] = {  # by the beginning of the path, the longest that fits
    "/api/v1/admin/accounts/": lambda maker: _account(maker),
    "/api/v1/admin/accounts/{id}/enable": _member,
    "/api/v1/admin/accounts/{id}/unsuspend": _suspended,
    "/api/v1/admin/reports/": lambda maker: maker.report(),
    "/api/v1/admin/domain_blocks/": _blocked_host,
    "/api/v1/admin/domain_allows/": _allowed_host,
    "/api/v1/conversations/": _conversation,
    "/api/v1/statuses/": lambda maker: maker.post(),
    **{
        f"/api/v1/statuses/{{id}}/{each}": lambda maker: maker.post("alice") for each in ("pin", "unpin", "interaction")
    },
    "/api/v1/suggestions/": _account,
    "/api/v2/filters/": _filter,
    "/api/v2/filters/keywords/": _keyword,
    "/api/v2/filters/statuses/": _entry,
    "/api/v1/filters/": _keyword,
    "/api/v2/notifications/{key}": lambda maker: maker.notice(),
    "/api/v1/announcements/": _announcement,
    "/api/v1/lists/": _list,
    "/api/v1/media/": _media,
    "/api/v1/notifications/": lambda maker: maker.notice(),
    "/api/v1/notifications/requests/": _waiting,
    "/api/v1/polls/": _poll,
    "/api/v1/accounts/": _account,
    **{f"/api/v1/accounts/{{id}}/{each}": _followed for each in ("unfollow", "block", "endorse", "pin", "note")},
    "/api/v1/follow_requests/": _asked,
    "/api/v1/scheduled_statuses/": _later,
    "/api/v1/tags/": _tag,
    "/api/v1/featured_tags/": _featured,
}


async def path_of(maker: Maker, row: Endpoint) -> str:
    if "{" not in row.path:
        return row.path
    if row.path.endswith("/revoke"):
        return await _quote(maker)
    if row.path == "/api/v1/statuses/{id}":
        return row.path.replace("{id}", await maker.post("alice"))
    if (row.method, row.path) == ("DELETE", "/api/v1/admin/accounts/{id}"):
        return row.path.replace("{id}", await _suspended(maker))
    beginning = max((each for each in IDS if row.path.startswith(each)), key=len)
    found = await IDS[beginning](maker)
    return row.path.replace("{id}", found).replace("{name}", found).replace("{key}", f"ungrouped-{found}")


async def _quote(maker: Maker) -> str:
    post = await maker.post("alice", quotable="public")
    other = await maker.post(quote=int(post))

    def given(tx: Tx) -> Any:
        return quotes.standing(tx, int(post))

    assert await maker.server.read(given)
    return f"/api/v1/statuses/{post}/quotes/{other}/revoke"


async def options_of(maker: Maker, row: Endpoint) -> dict[str, Any]:
    """What fits the row."""
    maker.count += 1
    if row.path.endswith("/media") and row.method == "POST":
        return {"files": {"file": picture()}}
    if row.path == "/oauth/token":
        return {"json": await _code(maker)}
    endpoint = {"endpoint": f"https://push.test/{maker.count}", "keys": {**KEYS, "auth": "BTBZMqHH6r4Tts7J_aSIgg"}}
    wanted: dict[str, Any] = {
        **body(int(await maker.post()), int(await _followed(maker))),
        "client_name": "An app",
        "redirect_uris": "urn:ietf:wg:oauth:2.0:oob",
        "domain": f"host{maker.count}.test",
        "name": f"tag{maker.count}",
        "home": {"last_read_id": "1"},
        "account_id": await _account(maker),
        "subscription": endpoint,
        "id": await _named(maker, row),
        "token": "unknown",
        "type": "none",
        "for_not_following": "filter",
        "filter_new_accounts": True,
    }
    if row.path != "/api/v1/statuses/{id}" and row.path != "/api/v1/statuses":
        return {"json": wanted}
    return {"json": {"status": f"words {maker.count}"}, "headers": {"idempotency-key": str(maker.count)}}


async def _named(maker: Maker, row: Endpoint) -> str | list[str]:
    """What is meant by `id` in the body."""
    if row.path == "/api/v1/notifications/dismiss":
        return await maker.notice()
    return [await (_waiting if "/requests/" in row.path else _account)(maker)]


async def _code(maker: Maker) -> dict[str, str]:
    """What an app shows to get a token."""
    made = await maker.api.post("/api/v1/apps", {"client_name": "A", "redirect_uris": "urn:ietf:wg:oauth:2.0:oob"})
    code = f"code-{maker.count}"

    def action(tx: Tx) -> None:
        app = apps.app_by_client(tx, made["client_id"])
        assert app is not None
        login = tx.one("select login from account where id = :id", id=maker.alice.id)
        assert login is not None
        apps.add_code(
            tx,
            apps.digest(code),
            apps.Code(
                app=app.id,
                login=login.login,
                account=maker.alice.id,
                scopes=("read",),
                redirect="urn:ietf:wg:oauth:2.0:oob",
                challenge="",
                expires=tx.now + 600_000,
            ),
        )

    await maker.server.write(action)
    return {
        "grant_type": "authorization_code",
        "code": code,
        "client_id": made["client_id"],
        "client_secret": made["client_secret"],
        "redirect_uri": "urn:ietf:wg:oauth:2.0:oob",
    }
