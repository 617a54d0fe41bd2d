"""What each app calls before it shows anything, call by call, in the forms in which it does."""

from __future__ import annotations

import re
from collections.abc import Callable
from typing import Any
from urllib.parse import urlencode
from xml.etree import ElementTree

import httpx
import pytest

from fediblog.actions import oauth_grants
from fediblog.store.tx import Tx
from tests.mastodon.oauth.test_oauth_api import CHALLENGE, VERIFIER
from tests.mastodon.server import Api, Server
from tests.mastodon.sockets import Socket

Json = dict[str, Any]
OOB = oauth_grants.OOB
WEB = {"origin": "https://app.example"}  # an app in a browser calls from its own origin


async def _allow(server: Server, asked: Json) -> str:
    """Alice presses Allow; the page itself is tested elsewhere."""

    def grant(tx: Tx) -> str:
        found = oauth_grants.check_request(oauth_grants.check_client(tx, asked), asked)
        return oauth_grants.grant(tx, found, server.people["alice"].login or 0, server.people["alice"].id)

    return await server.write(grant)


async def _preflight(api: Api, method: str, path: str, *headers: str) -> None:
    """What a browser asks before such a call from elsewhere (Fetch §4.8)."""
    asked = {**WEB, "access-control-request-method": method, "access-control-request-headers": ", ".join(headers)}
    answer = await api.http.options(path, headers=asked)
    assert answer.status_code == 204, path
    assert answer.headers["access-control-allow-origin"] == "*"
    assert method in answer.headers["access-control-allow-methods"]
    allowed = answer.headers["access-control-allow-headers"].lower().split(", ")
    assert {each.lower() for each in headers} <= set(allowed)


async def _readable(api: Api, path: str) -> httpx.Response:
    """Something that a page of another origin may read."""
    answer = await api.call("GET", path, headers=WEB)
    assert answer.status_code == 200, path
    assert answer.headers["access-control-allow-origin"] == "*", path
    return answer


async def _swap(api: Api, app: Json, code: str, *, how: str, redirect: str, **more: str) -> Json:
    form = {
        "grant_type": "authorization_code",
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        "redirect_uri": redirect,
        "code": code,
        **more,
    }
    body: Json = {"json": form} if how == "json" else {"data": form}
    if how == "multipart":
        body = {"files": {name: (None, value) for name, value in form.items()}}
    found: Json = await api.post("/oauth/token", **body)
    api.http.headers["authorization"] = f"Bearer {found['access_token']}"
    return found


async def phanpy(server: Server, api: Api) -> None:
    meta = ElementTree.fromstring((await _readable(api, "/.well-known/host-meta")).text)
    link = next(each for each in meta.iter() if each.tag.endswith("Link"))
    assert link.attrib["template"].startswith(f"{server.site.urls.origin}/")
    await _preflight(api, "POST", "/api/v1/apps", "content-type")
    back, scopes = "https://phanpy.example/", "read write follow push"
    app = await api.post("/api/v1/apps", data={"client_name": "Phanpy", "redirect_uris": back, "scopes": scopes})
    known = (await _readable(api, "/.well-known/oauth-authorization-server")).json()
    assert known["code_challenge_methods_supported"] == ["S256"]
    code = await _allow(
        server,
        {
            **{"client_id": app["client_id"], "redirect_uri": back, "response_type": "code", "scope": scopes},
            **{"code_challenge": CHALLENGE, "code_challenge_method": "S256", "force_login": "true"},
        },
    )
    await _swap(api, app, code, how="form", redirect=back, code_verifier=VERIFIER)
    await _preflight(api, "GET", "/api/v1/preferences", "authorization")
    await api.get("/api/v1/preferences")
    assert re.match(r"\d+\.\d+(\.\d+)?", (await api.get("/api/v2/instance"))["version"])
    links = (await _readable(api, "/.well-known/nodeinfo")).json()["links"]
    href = next(each["href"] for each in links if each["rel"].endswith("/schema/2.0"))
    document = (await _readable(api, href.removeprefix(server.site.urls.origin))).json()
    assert (document["version"], document["software"]["name"]) == ("2.0", "fediblog")


async def elk(server: Server, api: Api) -> None:
    back = "https://elk.example/api/blog.test/oauth/https%3A%2F%2Felk.example"
    wanted = {
        "client_name": "Elk",
        "website": "https://elk.example",
        "redirect_uris": back,
        "scopes": "read write follow push",
    }
    app = await api.post("/api/v1/apps", json=wanted)
    assert (await api.get("/api/v2/instance"))["configuration"]["vapid"]["public_key"]
    asked = {"client_id": app["client_id"], "redirect_uri": back, "response_type": "code", "scope": wanted["scopes"]}
    code = await _allow(server, {**asked, "lang": "en", "force_login": "false"})
    await _swap(api, app, code, how="json", redirect=back, scope=wanted["scopes"])
    await _preflight(api, "POST", "/api/v1/statuses", "authorization", "content-type", "idempotency-key")
    assert (await api.get("/api/v2/instance"))["configuration"]["urls"]["streaming"].startswith("wss://")
    await api.get("/api/v1/preferences")


async def tusky(server: Server, api: Api) -> None:
    back = "oauth2redirect://com.keylesspalace.tusky/"
    app = await api.post(
        "/api/v1/apps", data={"client_name": "Tusky", "redirect_uris": back, "scopes": "read write follow push"}
    )
    asked = {"client_id": app["client_id"], "redirect_uri": back, "response_type": "code"}
    code = await _allow(server, {**asked, "scope": "read write follow push"})
    await _swap(api, app, code, how="form", redirect=back)
    for path in ("announcements", "custom_emojis", "lists", "follow_requests"):
        assert await api.get(f"/api/v1/{path}") == []
    assert isinstance((await api.get("/api/v2/instance"))["configuration"]["accounts"]["max_featured_tags"], int)
    assert await api.get("/api/v2/filters") == []
    keys = {"p256dh": "BCVxsr7N_eNgVRqvHtD0zTZsEc6-VV-JvLexhqUzORcxaOzi6-AYWXvTBHm4bjyPjs7Vd8pZGH6SRpkNtoIAiw4"}
    form = {
        "subscription[endpoint]": "https://push.example/1",
        "subscription[keys][p256dh]": keys["p256dh"],
        "subscription[keys][auth]": "BTBZMqHH6r4Tts7J_aSIgg",
        "data[alerts][mention]": "true",
    }
    assert (await api.post("/api/v1/push/subscription", data=form))["alerts"]["mention"] is True


async def ice_cubes(server: Server, api: Api) -> None:
    back = "icecubesapp://"
    wanted = {"client_name": "IceCubesApp", "redirect_uris": back, "scopes": "read write follow push"}
    app = await api.post("/api/v1/apps", json=wanted)
    asked = {"client_id": app["client_id"], "redirect_uri": back, "response_type": "code", "scope": wanted["scopes"]}
    token = await _swap(api, app, await _allow(server, asked), how="json", redirect=back)
    assert isinstance(token["created_at"], int)
    for path in ("instance/peers", "lists", "followed_tags", "follow_requests"):
        assert isinstance(await api.get(f"/api/v1/{path}"), list)
    found = await api.get("/api/v2/instance")
    assert float(found["version"][:3]) == 4.5
    assert isinstance(found["contact"]["email"], str)
    assert found["thumbnail"]["url"]
    await api.get("/api/v1/markers", **{"timeline[]": "home"})
    async with Socket(server.app, token=token["access_token"], by="subprotocol") as socket:
        socket.say(type="subscribe", stream="user")
        await socket.obeyed()


async def mastodon_py(server: Server, api: Api) -> None:
    scopes = "read write follow push"
    app = await api.post("/api/v1/apps", data={"client_name": "App", "scopes": scopes, "redirect_uris": OOB})
    asked = {"client_id": app["client_id"], "redirect_uri": OOB, "response_type": "code", "scope": scopes}
    code = await _allow(server, {**asked, "force_login": "False", "state": "None", "lang": "None"})
    token = await _swap(api, app, code, how="form", redirect=OOB, scope=scopes)
    assert set(token["scope"].split()) == set(scopes.split())
    for version in ("v1", "v2"):
        answer = await api.call("GET", f"/api/{version}/instance/")
        assert re.match(r"\d+\.\d+\.\d+", answer.json()["version"])
        limits = {name for name in answer.headers if name.startswith("x-ratelimit-")}
        assert limits == {"x-ratelimit-limit", "x-ratelimit-remaining", "x-ratelimit-reset"}


async def toot(server: Server, api: Api) -> None:
    assert (await api.get("/api/v1/instance"))["uri"] == "blog.test"
    app = await api.post(
        "/api/v1/apps",
        json={
            "client_name": "toot",
            "redirect_uris": OOB,
            "scopes": "read write follow",
            "website": "https://x.example",
        },
    )
    asked = {"response_type": "code", "redirect_uri": OOB, "scope": "read write follow", "client_id": app["client_id"]}
    page = await api.http.get(f"/oauth/authorize/?{urlencode(asked)}", headers={"accept": "text/html"})
    assert page.status_code == 303  # to sign in first
    assert page.headers["location"].startswith("/login?")
    await _swap(api, app, await _allow(server, asked), how="form", redirect=OOB)
    headers = {"idempotency-key": "once"}
    first = await api.post("/api/v1/statuses", {"status": "Hello"}, headers=headers)
    assert (await api.post("/api/v1/statuses", {"status": "Hello"}, headers=headers))["id"] == first["id"]
    assert await api.get("/api/v1/notifications", **{"types[]": ["mention"], "exclude_types[]": ["poll"]}) == []


async def tut(server: Server, api: Api) -> None:
    form = {"client_name": "tut-tui", "redirect_uris": OOB, "scopes": "read write follow", "website": ""}
    app = await api.post("/api/v1/apps", files={name: (None, value) for name, value in form.items()})
    asked = {"response_type": "code", "redirect_uri": OOB, "scope": form["scopes"], "client_id": app["client_id"]}
    token = await _swap(api, app, await _allow(server, asked), how="multipart", redirect=OOB)
    assert (await api.get("/api/v1/instance"))["urls"]["streaming_api"].startswith("wss://")
    async with Socket(server.app, token=token["access_token"], by="query", stream="user") as socket:
        await socket.obeyed()


@pytest.mark.parametrize("app", [phanpy, elk, tusky, ice_cubes, mastodon_py, toot, tut])
async def test_an_app_gets_in(server: Server, app: Callable[[Server, Api], Any]) -> None:
    api = await server.api()
    await app(server, api)
    assert (await api.get("/api/v1/accounts/verify_credentials"))["acct"] == "alice"
    post = await server.publish("alice", "Here it is")
    assert str(post.id) in [each["id"] for each in await api.get("/api/v1/timelines/home/")]


async def test_what_is_missing_is_missing_for_apps_in_browsers_too(server: Server) -> None:
    """Tusky and Elk go on to older calls after a 404 alone."""
    api = await server.api()
    for path in ("/api/v3/instance", "/api/v1/nothing/", "/api/v1/statuses/1/translate"):
        answer = await api.http.get(path, headers=WEB)
        assert (answer.status_code, list(answer.json())) == (404, ["error"])
        assert answer.headers["access-control-allow-origin"] == "*"
