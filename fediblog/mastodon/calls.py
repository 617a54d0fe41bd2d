"""One call of the API: who makes it, through which app, with which parameters, and what it is answered."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Concatenate, ParamSpec, TypeVar
from urllib.parse import quote, urlencode

from msgspec import Struct, field
from msgspec.json import Encoder
from starlette.requests import Request
from starlette.responses import Response

from fediblog.domain.scopes import covers
from fediblog.errors import NotFound, Refused
from fediblog.federation.site import Site
from fediblog.mastodon.entity_context import EntityContext
from fediblog.mastodon.params import Params, whole
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people.apps import AccessToken
from fediblog.store.tx import Tx

P = ParamSpec("P")
T = TypeVar("T")
Json = dict[str, Any]
MOST_LINK = 2000  # characters of an address in a header
_IN_PATH = "/:@!$&'()*+,;=~"  # beside letters and digits (RFC 3986 §3.3)
_ENCODER = Encoder()


class Unauthorized(Refused):
    """No token, or none that is good any more."""

    def __init__(self, key: str = "api.token-invalid") -> None:
        super().__init__("token-invalid", key=key)


class Reply(Struct):
    """An answer with more to it than its entity. `body` is JSON, or bytes that are JSON already."""

    body: Any
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


class Call(Struct):
    """What an endpoint is given."""

    request: Request
    site: Site
    token: AccessToken | None
    params: Params
    path: Mapping[str, str]
    asked: int = 0  # entries of the page that `window` was made for

    @property
    def context(self) -> EntityContext:
        """The addresses and caches with which entities of this site are made."""
        return self.site.keep(EntityContext)

    @property
    def viewer(self) -> int:
        """The account that looks, 0 if it is nobody in particular."""
        return (self.token.account or 0) if self.token else 0

    @property
    def account(self) -> int:
        """The account that acts. Raises Unauthorized if the call is nobody's."""
        if self.token is None or self.token.account is None:
            raise Unauthorized("api.needs-user")
        return self.token.account

    @property
    def login(self) -> int:
        """The login whose token it is. Raises Unauthorized if the call is nobody's."""
        if self.token is None or self.token.login is None:
            raise Unauthorized("api.needs-user")
        return self.token.login

    def may(self, scope: str) -> bool:
        """Whether the token covers a scope beyond that of the endpoint."""
        return self.token is not None and covers(self.token.scopes, scope)

    def number(self, name: str = "id") -> int:
        """A number in the path. Raises NotFound for anything else there."""
        found = whole(self.path[name])
        if found is None:
            raise NotFound("api.not-found")
        return found

    def limit(self, otherwise: int = 20, most: int = 40) -> int:
        """How many are asked for."""
        return max(1, min(self.params.number("limit") or otherwise, most))

    def window(self, otherwise: int = 20, most: int = 40) -> Window:
        """Which piece of a list is asked for."""
        lowest, since = self.params.number("min_id"), self.params.number("since_id")
        self.asked = self.limit(otherwise, most)
        return Window(
            before=self.params.number("max_id") or FAR,
            after=lowest if lowest is not None else since or 0,
            limit=self.asked,
            upwards=lowest is not None,
        )

    async def read(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the database."""
        return await self.site.db.read(fn, *args, **kwargs)

    async def scan(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Ask the database what takes long: never on the event loop."""
        return await self.site.db.scan(fn, *args, **kwargs)

    async def write(self, fn: Callable[Concatenate[Tx, P], T], /, *args: P.args, **kwargs: P.kwargs) -> T:
        """Change the database. What the same account does at the same time waits, so that each looks, then writes."""

        def alone(tx: Tx) -> T:
            if self.viewer:
                tx.hold(-self.viewer)
            return fn(tx, *args, **kwargs)

        return await self.site.db.write(alone)

    def page(self, body: Any, numbers: Sequence[int], *, full: bool | None = None) -> Reply:
        """A piece of a list with the links to the pieces beside it; `numbers` are what paging goes by (RFC 8288).

        They are those of all that the query found, shown or not. Only below a full page there may be more: one that has
        as many as were asked for, unless `full` says otherwise.
        """
        if not numbers:
            return Reply(body)
        base = f"{self.site.urls.origin}{quote(self.request.scope['path'], safe=_IN_PATH)}"
        kept = [pair for pair in self.request.query_params.multi_items() if self._is_kept(*pair)]
        older = urlencode([*kept, ("max_id", str(min(numbers)))])
        newer = urlencode([*kept, ("min_id", str(max(numbers)))])
        if len(base) + len(older) > MOST_LINK:  # nobody asks so: a proxy would answer 502 for us
            return Reply(body)
        links = [f'<{base}?{newer}>; rel="prev"']
        if len(numbers) >= self.asked if full is None else full:
            links.insert(0, f'<{base}?{older}>; rel="next"')
        return Reply(body, headers={"Link": ", ".join(links)})

    def _is_kept(self, name: str, value: str) -> bool:
        """Whether a parameter counts for the pieces beside this one too: it was asked for, and is not the place."""
        known = name.partition("[")[0]
        if known == "limit":
            return whole(value) is not None
        return known in self.params.asked and known not in ("max_id", "min_id", "since_id")


def encode(body: Any) -> bytes:
    """JSON as it is sent."""
    return body if isinstance(body, bytes) else _ENCODER.encode(body)


def respond(reply: Reply) -> Response:
    """The HTTP answer. Nothing in between may keep it: it is for one reader."""
    headers = {"Cache-Control": "private, no-store", **reply.headers}
    return Response(encode(reply.body), reply.status, headers=headers, media_type="application/json; charset=utf-8")
