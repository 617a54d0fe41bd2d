"""How an app comes to a token, and everything that must not get it one."""

from __future__ import annotations

import base64
import hashlib
from typing import Any
from urllib.parse import parse_qs, urlsplit

import httpx
import pytest

from fediblog.actions import oauth_grants
from fediblog.actions.oauth_grants import AuthorizationRequest, Denied
from fediblog.domain.urls import Urls
from fediblog.errors import Forbidden, Invalid
from fediblog.store.people import apps
from fediblog.store.tx import Tx
from tests.mastodon.server import Api, Server

BACK = "https://app.example/back?kept=1"
VERIFIER = "v" * 20 + "-._~" + "0" * 40
CHALLENGE = base64.urlsafe_b64encode(hashlib.sha256(VERIFIER.encode()).digest()).rstrip(b"=").decode()
Json = dict[str, Any]


async def make_app(api: Api, **changes: Any) -> Json:
    """A program that makes itself known."""
    asked = {"client_name": "An App", "redirect_uris": BACK, "scopes": "read write follow", **changes}
    made: Json = await api.post("/api/v1/apps", json=asked)
    return made


async def code_for(server: Server, app: Json, who: str = "alice", **asked: str) -> str:
    """A yes, as the web page gives it."""
    params = {"client_id": app["client_id"], "redirect_uri": BACK, "response_type": "code", "scope": "read", **asked}

    def grant(tx: Tx) -> str:
        found = oauth_grants.check_request(oauth_grants.check_client(tx, params), params)
        account = server.people[who]
        return oauth_grants.grant(tx, found, account.login or 0, account.id)

    return await server.write(grant)


def swap_form(app: Json, code: str, **changes: str) -> dict[str, str]:
    form = {
        "grant_type": "authorization_code",
        "code": code,
        "redirect_uri": BACK,
        "client_id": app["client_id"],
        "client_secret": app["client_secret"],
        **changes,
    }
    return {name: value for name, value in form.items() if value}


def is_refused(answer: httpx.Response, error: str, status: int = 400) -> bool:
    body = answer.json()
    assert answer.headers["cache-control"] == "no-store"
    return (answer.status_code, body["error"]) == (status, error) and bool(body["error_description"])


async def test_from_registration_to_the_last_call(both: Server) -> None:
    api = await both.api()
    app = await make_app(api, website="https://app.example", redirect_uris=[BACK, oauth_grants.OOB])
    assert app["redirect_uri"] == f"{BACK}\n{oauth_grants.OOB}"
    assert (app["website"], app["scopes"]) == ("https://app.example", ["read", "write", "follow"])
    code = await code_for(
        both, app, scope="read write:statuses", code_challenge=CHALLENGE, code_challenge_method="S256"
    )
    token = await api.post("/oauth/token", data=swap_form(app, code, code_verifier=VERIFIER))
    assert token["scope"] == "read write:statuses"
    assert token["created_at"] == both.clock.now // 1000
    own = Api(both.app, both.site.urls.origin, token["access_token"])
    assert (await own.get("/api/v1/apps/verify_credentials"))["name"] == "An App"
    found = await own.get("/oauth/userinfo")
    assert (found["preferred_username"], found["sub"]) == ("alice", both.people["alice"].uri)
    assert (await own.post("/oauth/userinfo/")) == found
    # Nothing that opens anything is in the database as it is.
    rows = await both.read(lambda tx: tx.all("select t.token, t.code, a.secret, a.client from token t, app a"))
    kept = str([tuple(row) for row in rows])
    assert not [secret for secret in (token["access_token"], app["client_secret"], code) if secret in kept]
    # What the app gives back is gone at once; what is no token is no trouble.
    await api.post("/oauth/revoke", data=swap_form(app, "", token=token["access_token"]))
    assert await own.status("GET", "/oauth/userinfo") == 401
    assert await api.post("/oauth/revoke", data=swap_form(app, "", token=token["access_token"])) == {}
    # A token of the app's own stands for nobody.
    lone = await api.post("/oauth/token", data=swap_form(app, "", grant_type="client_credentials", scope="read"))
    nobody = Api(both.app, both.site.urls.origin, lone["access_token"])
    await nobody.get("/api/v1/apps/verify_credentials")
    assert await nobody.status("GET", "/oauth/userinfo") == 401
    for _ in range(oauth_grants.MOST_TOKENS):
        await api.post("/oauth/token", data=swap_form(app, "", grant_type="client_credentials"))
    assert await nobody.status("GET", "/api/v1/apps/verify_credentials") == 401  # the oldest has ended
    await both.write(apps.sweep)
    assert await both.read(lambda tx: len(tx.all("select id from app"))) == 1
    both.clock.forward(days=31)
    await both.write(apps.sweep)
    assert await both.read(lambda tx: len(tx.all("select id from app"))) == 0


@pytest.mark.parametrize("kind", ["json", "form", "multipart", "basic"])
async def test_a_token_is_asked_for_in_any_way(server: Server, kind: str) -> None:
    api = await server.api()
    app = await make_app(api)
    form = swap_form(app, await code_for(server, app))
    options: dict[str, Any] = {"data": form}
    if kind == "json":
        options = {"json": form}
    elif kind == "multipart":
        options = {"files": {name: (None, value) for name, value in form.items()}}
    elif kind == "basic":
        secret = f"{form.pop('client_id')}:{form.pop('client_secret')}"
        options["headers"] = {"authorization": f"Basic {base64.b64encode(secret.encode()).decode()}"}
    answer = await api.call("POST", "/oauth/token/", **options)
    assert answer.status_code == 200, answer.text
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["cache-control"] == "no-store"


async def test_what_gets_no_token(server: Server) -> None:
    api = await server.api()
    app, other = await make_app(api), await make_app(api)
    code = await code_for(server, app)

    async def ask(*, app: Json = app, code: str = code, **changes: str) -> httpx.Response:
        return await api.call("POST", "/oauth/token", data=swap_form(app, code, **changes))

    assert is_refused(await ask(app=other), "invalid_grant")  # the code of another app
    for near in (f"{BACK}&x=1", BACK.upper(), "https://app.example/back", f"{BACK}/", BACK.replace("app", "app.app")):
        assert is_refused(await ask(redirect_uri=near), "invalid_grant"), near
    assert is_refused(await ask(client_secret="wrong"), "invalid_client", 401)
    assert is_refused(await ask(client_id="nobody"), "invalid_client", 401)
    assert is_refused(await ask(client_secret=""), "invalid_client", 401)  # no secret and no PKCE
    assert is_refused(await ask(code_verifier=VERIFIER), "invalid_grant")  # a verifier where no challenge was
    assert is_refused(await ask(code="guessed"), "invalid_grant")
    assert is_refused(await ask(grant_type="password", username="alice", password="-"), "unsupported_grant_type")
    assert is_refused(await ask(grant_type=""), "invalid_request")
    assert is_refused(await ask(grant_type="client_credentials", client_secret=""), "invalid_client", 401)
    assert is_refused(await ask(grant_type="client_credentials", scope="push"), "invalid_scope")
    basic = {"authorization": "Basic !!!"}
    answer = await api.call("POST", "/oauth/token", data=swap_form(app, code), headers=basic)
    assert is_refused(answer, "invalid_client", 401)
    assert answer.headers["www-authenticate"].startswith("Basic")
    server.clock.forward(seconds=599)
    assert (await ask()).status_code == 200
    late = await code_for(server, app)
    server.clock.forward(seconds=600)
    assert is_refused(await ask(code=late), "invalid_grant")


async def test_pkce_holds_without_a_secret_too(server: Server) -> None:
    api = await server.api()
    app = await make_app(api)
    code = await code_for(server, app, code_challenge=CHALLENGE, code_challenge_method="S256")
    for wrong in ("", "short", VERIFIER[:-1] + "1", CHALLENGE, "x" * 129):
        answer = await api.call("POST", "/oauth/token", data=swap_form(app, code, code_verifier=wrong))
        assert is_refused(answer, "invalid_grant"), wrong
    form = swap_form(app, code, code_verifier=VERIFIER, client_secret="")
    assert (await api.call("POST", "/oauth/token", data=form)).status_code == 200
    with pytest.raises(Denied):
        await code_for(server, app, code_challenge=VERIFIER, code_challenge_method="plain")
    with pytest.raises(Denied):
        await code_for(server, app, code_challenge=CHALLENGE)  # the method left out means plain


async def test_a_code_used_twice_takes_back_what_it_gave(both: Server) -> None:
    api = await both.api()
    app = await make_app(api)
    form = swap_form(app, await code_for(both, app))
    token = (await api.post("/oauth/token", data=form))["access_token"]
    mine = Api(both.app, both.site.urls.origin, token)
    assert await mine.status("GET", "/oauth/userinfo") == 200
    assert is_refused(await api.call("POST", "/oauth/token", data=form), "invalid_grant")
    assert await mine.status("GET", "/oauth/userinfo") == 401


async def test_a_token_is_of_one_account_and_ends_with_it(server: Server) -> None:
    api = await server.api()
    app = await make_app(api)
    with pytest.raises(Forbidden):
        await server.write(
            oauth_grants.grant,
            AuthorizationRequest(
                app=await server.read(_app, app), redirect=BACK, scopes=("read",), state="", challenge=""
            ),
            server.people["bob"].login or 0,
            server.people["alice"].id,
        )
    code = await code_for(server, app, "bob")
    first = (await api.post("/oauth/token", data=swap_form(app, code)))["access_token"]
    waiting = await code_for(server, app, "bob")
    await server.write(lambda tx: tx.run("update login set disabled = 1 where name = 'bob'"))
    assert await Api(server.app, server.site.urls.origin, first).status("GET", "/oauth/userinfo") == 401
    assert is_refused(await api.call("POST", "/oauth/token", data=swap_form(app, waiting)), "invalid_grant")


def _app(tx: Tx, made: Json) -> apps.App:
    found = apps.app_by_client(tx, made["client_id"])
    assert found is not None
    return found


async def test_a_token_is_given_back_by_its_own_app_alone(server: Server) -> None:
    api = await server.api()
    app, other = await make_app(api), await make_app(api)
    token = (await api.post("/oauth/token", data=swap_form(app, await code_for(server, app))))["access_token"]
    for wrong, status in (
        (swap_form(other, "", token=token), 403),
        ({"token": token}, 403),
        (swap_form(app, "", token=token, client_secret="wrong"), 401),
    ):
        assert await api.status("POST", "/oauth/revoke", data=wrong) == status
    assert await api.post("/oauth/revoke", data={"token": "nothing"}) == {}
    assert await Api(server.app, server.site.urls.origin, token).status("GET", "/oauth/userinfo") == 200


async def test_scopes_are_never_wider_than_asked_for(server: Server) -> None:
    api = await server.api()
    app = await make_app(api, scopes="read:statuses write")
    with pytest.raises(Denied):
        await code_for(server, app, scope="read")
    with pytest.raises(Denied):
        await code_for(server, app, scope="read:statuses nonsense")
    code = await code_for(server, app, scope="read:statuses")
    token = (await api.post("/oauth/token", data=swap_form(app, code)))["access_token"]
    narrow = Api(server.app, server.site.urls.origin, token)
    post = await server.publish("alice")
    assert await narrow.status("GET", f"/api/v1/statuses/{post.id}") == 200
    assert await narrow.status("GET", "/oauth/userinfo") == 403
    assert await narrow.status("GET", "/api/v1/preferences") == 403
    unsaid = await code_for(server, app, scope="")
    token = (await api.post("/oauth/token", data=swap_form(app, unsaid)))["scope"]
    assert token == "read:statuses write"


@pytest.mark.parametrize(
    "address",
    [
        *("javascript:alert(1)", "JavaScript:alert(1)", "data:text/html,x", "vbscript:x", "file:///etc/x", "blob:x"),
        *("https://app.example/#part", "https://app.example/back#", "/back", "back", "https:///x", "https://"),
        *("http://app.example/", "https://user@app.example/", "https://a b/", "https://app.example/\nx", "https://[/"),
        *("https://app.example;script-src/", "https://app.example:99999/", "view-source:https://x", "urn:ietf:wg:x"),
        *("https://app.example\\@evil.example/", "about:blank", "intent://x", "https://ä.example/"),
    ],
)  # fmt: skip
def test_addresses_to_which_no_code_is_sent(address: str) -> None:
    with pytest.raises(Invalid):
        oauth_grants.check_redirect(Urls("https://blog.test", "blog.test"), address)


async def test_addresses_that_apps_really_have(server: Server) -> None:
    api = await server.api()
    for address, source in (
        ("https://elk.zone/api/x.social/oauth/https%3A%2F%2Felk.zone", "https://elk.zone"),
        ("http://localhost:5314/", "http://localhost:5314"),
        ("http://[::1]:8080/cb", "http:"),
        ("tusky.oauth2redirect://com.keylesspalace.tusky/", "tusky.oauth2redirect:"),
        ("icecubesapp://", "icecubesapp:"),
        ("com.example.app:/oauth", "com.example.app:"),
        (oauth_grants.OOB, ""),
    ):
        assert (await make_app(api, redirect_uris=address))["redirect_uri"] == address
        assert oauth_grants.source_of(address) == source
    form = {"client_name": "\u202eA\u200b", "redirect_uris[]": [BACK], "scopes": "read+push", "website": "javascript:x"}
    made = await api.post("/api/v1/apps/", data=form)
    assert (made["name"], made["scopes"], made["website"]) == ("A", ["read", "push"], None)
    for wrong in (
        {"client_name": ""},
        {"redirect_uris": ""},
        {"scopes": "read everything"},
        {"redirect_uris": "data:x"},
    ):
        asked = {"client_name": "An App", "redirect_uris": BACK, **wrong}
        answer = await api.call("POST", "/api/v1/apps", json=asked)
        assert answer.status_code == 422, wrong
        assert answer.json()["error"].startswith("Validation failed")


async def test_an_address_registers_so_many_apps_and_asks_so_often(server: Server) -> None:
    api = await server.api()
    statuses = [
        await api.status("POST", "/api/v1/apps", json={"client_name": "A", "redirect_uris": BACK}) for _ in range(31)
    ]
    assert statuses == [200] * 30 + [429]
    other = Api(server.app, server.site.urls.origin, address="192.0.2.77")
    await make_app(other)
    tries = [await other.call("POST", "/oauth/token", data={"grant_type": "x"}) for _ in range(61)]
    assert [each.status_code for each in tries] == [400] * 60 + [429]
    assert tries[-1].headers["retry-after"]


async def test_the_metadata_names_what_is_there(server: Server) -> None:
    api = await server.api()
    answer = await api.call("GET", "/.well-known/oauth-authorization-server")
    assert answer.status_code == 200
    assert answer.headers["access-control-allow-origin"] == "*"
    found = answer.json()
    assert {urlsplit(value).netloc for name, value in found.items() if name.endswith("_endpoint")} == {"blog.test"}
    assert await api.status("GET", "/oauth/nothing") == 404
    sent = oauth_grants.answer_to(BACK, code="c d", state="", iss=found["issuer"])
    assert parse_qs(urlsplit(sent).query) == {"kept": ["1"], "code": ["c d"], "iss": ["https://blog.test/"]}
