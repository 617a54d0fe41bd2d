"""A server as apps reach it: accounts, tokens, and a client that holds every answer against its schema."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, field
from functools import cache
from typing import Any, TypeVar

import httpx
from jsonschema import Draft202012Validator, FormatChecker

from fediblog.actions import follow_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account, AccountRole
from fediblog.domain.posts import Post
from fediblog.domain.scopes import SCOPES
from fediblog.federation.site import Site
from fediblog.mastodon.endpoint_table import Finder
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.mastodon.schemas import definitions
from fediblog.store.people import access, apps, logins
from fediblog.store.tx import Tx
from tests import wording
from tests.conftest import Clock
from tests.world import World

T = TypeVar("T")
HOST = "blog.test"
WIDE = ("read", "write", "follow", "push", "profile", "admin:read", "admin:write")
_FINDER = Finder(ENDPOINTS)


def schema_of(gives: str) -> dict[str, Any]:
    """The schema of an answer: `Status`, `Status[]` for a list, nothing for an empty object."""
    name = gives.removesuffix("[]")
    inner = {"$ref": f"#/$defs/{name}"} if name else {"type": "object"}
    whole = {"type": "array", "items": inner} if gives.endswith("[]") else inner
    return {"$schema": "https://json-schema.org/draft/2020-12/schema", "$defs": definitions(), **whole}


@cache
def _validator(gives: str) -> Draft202012Validator:
    return Draft202012Validator(schema_of(gives), format_checker=FormatChecker())


def conform(gives: str, value: Any, where: str) -> None:
    """Fails where a value is not such an entity, or such a list."""
    for error in _validator(gives).iter_errors(value):
        raise AssertionError(f"{where}: {error.json_path}: {error.message[:300]}")


def hold(method: str, path: str, answer: httpx.Response) -> None:
    """Fails where an answer is not what its row of the table promises, or a refusal is no Error."""
    plain = path.partition("?")[0].rstrip("/")
    found = _FINDER.find("GET" if method == "HEAD" else method, plain)
    refused = answer.status_code >= 400 and (found is not None or plain.startswith("/api/"))
    if method == "HEAD" or answer.status_code in (204, 304) or not (refused or found):
        return
    conform("Error" if refused or found is None else found[0].gives, answer.json(), f"{method} {path}")


class Api:
    """One app with a token (or without): `await api.get("/api/v1/…")`."""

    def __init__(self, app: Any, origin: str, token: str = "", address: str = "192.0.2.9") -> None:
        transport = httpx.ASGITransport(app, raise_app_exceptions=True, client=(address, 5000))
        headers = {"authorization": f"Bearer {token}"} if token else {}
        self.token = token
        self.http = httpx.AsyncClient(transport=transport, base_url=origin, headers=headers)

    async def call(self, method: str, path: str, **options: Any) -> httpx.Response:
        """One call; `json=`, `data=`, `params=`, `files=` and `headers=` as in httpx."""
        answer = await self.http.request(method, path, **options)
        hold(method, path, answer)
        return answer

    async def get(self, path: str, **params: Any) -> Any:
        """The JSON of something that must be there."""
        answer = await self.call("GET", path, params=params or None)
        assert answer.status_code == 200, f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    async def post(self, path: str, json: Any = None, **options: Any) -> Any:
        """The JSON of something that must succeed."""
        answer = await self.call("POST", path, **({"json": json} if json is not None else {}), **options)
        assert answer.status_code in (200, 202), f"{path}: {answer.status_code} {answer.text[:300]}"
        return answer.json()

    async def status(self, method: str, path: str, **options: Any) -> int:
        """Only how it ended."""
        return (await self.call(method, path, **options)).status_code


@dataclass(slots=True)
class Server:
    """One server, its people by handle (each with a login of the same name), and what they do."""

    world: World
    people: dict[str, Account] = field(default_factory=dict)

    @property
    def site(self) -> Site:
        return self.world.sites[HOST]

    @property
    def app(self) -> Any:
        return self.world.network.apps[HOST]

    @property
    def clock(self) -> Clock:
        return self.world.clock

    async def person(self, handle: str, login: str = "") -> Account:
        """Somebody new, of a login of that name or of another one that is there."""
        account = await self.world.person(HOST, handle)
        if login:
            await self.write(_give, account.id, login)
        self.people[handle] = account
        return account

    async def token(self, handle: str, *scopes: str) -> str:
        """A token for an account, with wide scopes unless others are named."""
        account, secret = self.people[handle], f"token-{handle}-{len(scopes)}-{self.clock.random.getrandbits(64)}"
        await self.write(_token, secret, account.id, scopes or WIDE)
        return secret

    async def api(self, handle: str = "", *scopes: str) -> Api:
        """An app of that person, or of nobody."""
        return Api(self.app, self.site.urls.origin, await self.token(handle, *scopes) if handle else "")

    async def publish(self, handle: str, source: str = "Hello", **draft: Any) -> Post:
        """A post."""
        return await self.write(wording.publish, self.site.urls, self.people[handle].id, Draft(source=source, **draft))

    async def follow(self, follower: str, followed: str) -> None:
        """One follows the other."""
        await self.write(follow_actions.follow, self.site.urls, self.people[follower].id, self.people[followed].id)

    async def write(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await self.site.db.write(fn, *args, **kwargs)

    async def read(self, fn: Callable[..., T], *args: Any, **kwargs: Any) -> T:
        return await self.site.db.read(fn, *args, **kwargs)


def _token(tx: Tx, secret: str, account: int, scopes: tuple[str, ...]) -> int:
    row = tx.one("select login from account where id = :id", id=account)
    assert set(scopes) <= set(SCOPES)
    return apps.add_token(tx, apps.digest(secret), scopes, login=row.login if row else None, account=account)


def _give(tx: Tx, account: int, login: str) -> None:
    owner = logins.by_name(tx, login)
    assert owner is not None
    access.give(tx, owner.id, account, AccountRole.OWNER)


__all__ = ["HOST", "Api", "Server", "conform", "hold"]
