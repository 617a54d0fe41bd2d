"""Sessions, and who is looking: stored on the server, the cookie that names them, and what a form must prove."""

from __future__ import annotations

import hashlib
import hmac
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from types import MappingProxyType
from typing import Concatenate, ParamSpec, TypeVar
from urllib.parse import quote

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import RedirectResponse, Response

from fediblog import formdata
from fediblog.domain.accounts import Account, Login
from fediblog.errors import Forbidden, Refused, Unavailable
from fediblog.federation.site import LiveBlog, Site
from fediblog.store.people import logins, relation_lists, second_factors
from fediblog.store.people.logins import Session
from fediblog.store.posts import conversations
from fediblog.store.readers import filter_matching, moderation, notification_lists
from fediblog.store.readers.filter_matching import NOTHING, FilterMatcher
from fediblog.store.tx import Tx
from fediblog.web import cookies, known_devices
from fediblog.web.components import time_zone
from fediblog.web.negotiation import site_of

P = ParamSpec("P")
T = TypeVar("T")
Handler = Callable[[Request], Awaitable[Response]]
Proof = Callable[[Tx], bool]
"""Asked in the transaction that begins a session, with its login held: whether the one who asks may still have it."""

EDGES = 6  # colours that tell the accounts of a login apart
LASTS = 30 * 86_400_000  # ms after the last use
NEW_ACCOUNT = "/new-account"  # where those are led who have a login, but no account any more
_LONGEST = 8000  # characters of an address in a header
_RENEWED_AFTER = 3_600_000  # ms: a session in use is prolonged once an hour, not with each page


class SignInNeeded(Refused):
    """The page is for those who have signed in."""

    def __init__(self) -> None:
        super().__init__("sign-in-needed", key="error.sign-in")


class CurrentUser(Struct, frozen=True, kw_only=True):
    """A signed-in visitor: the account that acts, all those of the login, and what waits to be looked at.

    `reports` wait for the owner. `elsewhere` says for each other account of the login how much waits there.
    """

    session: Session
    login: Login
    account: Account
    accounts: tuple[Account, ...]
    unread: int = 0
    requests: int = 0
    letters: int = 0
    reports: int = 0
    elsewhere: Mapping[int, int] = MappingProxyType({})
    filters: FilterMatcher = NOTHING

    def edge(self, account: Account) -> int:
        """The colour of an account of the login, from 1 to EDGES: by its place among them."""
        return 1 + [each.id for each in self.accounts].index(account.id) % EDGES

    @property
    def is_owner(self) -> bool:
        """Whether the visitor may moderate the whole server."""
        return self.login.role == "owner"


class SessionLogin(Struct, frozen=True, kw_only=True):
    """A session and whose it is: also of a login that has no account any more, and so cannot act."""

    session: Session
    login: Login


def current_user(request: Request) -> CurrentUser | None:
    """Who the visitor is, as far as it has been asked in this request."""
    user: CurrentUser | None = getattr(request.state, "user", None)
    return user


async def ask(
    request: Request, question: Callable[Concatenate[Tx, int, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """One read: who the visitor is, then `question(tx, viewer, …)`, where the viewer is 0 for anybody."""
    user, answer = await site_of(request).db.read(_of_visitor, request, question, *args, **kwargs)
    await _note_use(request, user)
    return answer


async def ask_long(
    request: Request, question: Callable[Concatenate[Tx, int, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """As `ask`, for a question that takes long: never on the event loop (`Database.scan`)."""
    user, answer = await site_of(request).db.scan(_of_visitor, request, question, *args, **kwargs)
    await _note_use(request, user)
    return answer


def _of_visitor(
    tx: Tx,
    request: Request,
    question: Callable[Concatenate[Tx, int, P], T],
    /,
    *args: P.args,
    **kwargs: P.kwargs,
) -> tuple[CurrentUser | None, T]:
    user = _recognise(request, tx)
    return user, question(tx, user.account.id if user else 0, *args, **kwargs)


async def ask_as(
    request: Request, question: Callable[Concatenate[Tx, CurrentUser, P], T], /, *args: P.args, **kwargs: P.kwargs
) -> T:
    """One read for the pages of those who have signed in: `question(tx, user, …)`. Raises SignInNeeded."""

    def both(tx: Tx) -> tuple[CurrentUser | None, tuple[T] | None]:
        user = _recognise(request, tx)
        return user, (question(tx, user, *args, **kwargs),) if user else None

    user, answer = await site_of(request).db.read(both)
    await _note_use(request, user)
    if answer is None:
        raise SignInNeeded
    return answer[0]


async def visitor(request: Request) -> CurrentUser | None:
    """Who the visitor is."""
    await ask(request, lambda _tx, _viewer: None)
    return current_user(request)


def _recognise(request: Request, tx: Tx) -> CurrentUser | None:
    """Remember for the rest of the request who the visitor is: also for the page that tells of an error."""
    site_of(request).keep(LiveBlog).read(tx)
    held = request.state.session_login = held_by(tx, token_of(request))
    request.state.user = user = current_user_of(tx, held) if held is not None else None
    return user


async def session_login(request: Request) -> SessionLogin | None:
    """Whose session it is, whether or not that login has an account."""
    request.state.session_login = await site_of(request).db.read(held_by, token_of(request))
    return session_login_of(request)


def session_login_of(request: Request) -> SessionLogin | None:
    """The session and whose it is, as far as it has been asked in this request."""
    held: SessionLogin | None = getattr(request.state, "session_login", None)
    return held


def held_by(tx: Tx, token: str) -> SessionLogin | None:
    """The session behind a cookie, and whose it is."""
    session = logins.session(tx, hashed(token)) if token else None
    login = logins.get(tx, session.login) if session else None
    return SessionLogin(session=session, login=login) if session and login else None


def current_user_of(tx: Tx, held: SessionLogin) -> CurrentUser | None:
    """The user, None without an account. An account that is no longer the login's gives way to its first."""
    session, login = held.session, held.login
    own = [account for account in logins.accounts_of(tx, login.id) if account.state == "active"]
    chosen = next((account for account in own if account.id == session.account), own[0] if own else None)
    if chosen is None:
        return None
    return CurrentUser(
        session=session,
        login=login,
        account=chosen,
        accounts=tuple(own),
        unread=notification_lists.unread_total(tx, chosen.id),
        requests=relation_lists.requests_total(tx, chosen.id),
        letters=conversations.unread_total(tx, chosen.id),
        reports=moderation.open_total(tx) if login.role == "owner" else 0,
        filters=filter_matching.matcher(tx, chosen.id),
        elsewhere={each.id: _waiting(tx, each.id) for each in own if each.id != chosen.id},
    )


def _waiting(tx: Tx, account: int) -> int:
    return notification_lists.unread_total(tx, account) + relation_lists.requests_total(tx, account)


def page(handler: Handler) -> Handler:
    """A handler whose visitor is led to the log-in page where that is needed, and after which files are closed."""

    async def guarded(request: Request) -> Response:
        try:
            return await handler(request)
        except SignInNeeded:
            if request.method not in ("GET", "HEAD"):
                raise Forbidden("error.sign-in") from None
            back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
            headers = {"Cache-Control": "private, no-store", "Vary": "Cookie"}
            where = NEW_ACCOUNT if await session_login(request) is not None else login_path(back)
            return RedirectResponse(where, 303, headers=headers)
        finally:
            await formdata.close(request)

    return guarded


def login_path(onward: str) -> str:
    """The log-in page that leads on to a path of ours; a path too long for a header (a proxy's 502) is left out."""
    where = f"/login?next={quote(onward)}"
    return where if len(where) <= _LONGEST else "/login"


async def begin(request: Request, response: Response, login: Login, password: str) -> None:
    """Begin another session where one has just proved everything, unless that hash of the password is outdated now."""
    if token := await opened(request, login, lambda tx: logins.password_hash(tx, login.name) == password):
        give(request, response, login, token, logins.mark_of(password))


def password_proof(login: Login, password: str) -> Proof:
    """That the hash that was looked at is still that of the password, and that the password alone is enough."""

    def proof(tx: Tx) -> bool:
        return logins.password_hash(tx, login.name) == password and not second_factors.is_on(tx, login.id)

    return proof


async def opened(request: Request, login: Login, proof: Proof) -> str:
    """Begin a session: its token, for `give`, is new whatever the browser brought, so that nobody can hand it one.

    '' if the proof does not hold, such as of a password that is not that of the login any more.
    """
    site, token, old = site_of(request), secrets.token_urlsafe(32), token_of(request)
    agent = request.headers.get("user-agent", "")[:200]
    is_new = not known_devices.device_of(request, login.name, login.mark)
    return token if await site.db.write(_begin, login, proof, token, old, agent, is_new=is_new) else ""


def give(request: Request, response: Response, login: Login, token: str, mark: str) -> None:
    """Let the browser have the session that was begun, and know it again as long as the password has that mark."""
    set_cookie(site_of(request), response, token)
    known_devices.remember(request, response, login.name, mark)


def _begin(tx: Tx, login: Login, proof: Proof, token: str, old: str, agent: str, *, is_new: bool = False) -> bool:
    tx.hold(login.id)  # before a look at the password: who changes it ends the sessions that there are
    if not proof(tx):
        return False
    if old:
        logins.close_session(tx, hashed(old))
    if is_new:
        logins.tell_of(tx, login.id, agent or "-")
    first = next(iter(logins.accounts_of(tx, login.id)), None)
    logins.open_session(
        tx,
        Session(
            token=hashed(token),
            login=login.id,
            account=first.id if first else None,
            csrf=secrets.token_urlsafe(24),
            created=tx.now,
            seen=tx.now,
            expires=tx.now + LASTS,
            agent=agent,
        ),
    )
    return True


async def end(request: Request, response: Response) -> None:
    """Sign out: here and in the browser."""
    site = site_of(request)
    if token := token_of(request):
        await site.db.write(logins.close_session, hashed(token))
    cookies.drop(site, response, cookie_name(site))


def cookie_name(site: Site) -> str:
    """The cookie's name; the prefix makes browsers refuse one that another host or plain http has set."""
    return cookies.name_of(site, "session", "__Host-")


def set_cookie(site: Site, response: Response, token: str) -> None:
    """Give the browser its session."""
    cookies.put(site, response, cookie_name(site), token, seconds=LASTS // 1000)


def hashed(token: str) -> str:
    """What the database knows a token by, so that who reads the database cannot sign in with it."""
    return hashlib.sha256(token.encode()).hexdigest()


def comes_from_here(request: Request) -> bool:
    """Whether the browser says that one of our own pages sent the form.

    `Sec-Fetch-Site` comes from every browser of today over https, `Origin` from all of them with a POST. A client
    that sends neither is no browser with somebody's cookie.
    """
    fetch_site = request.headers.get("sec-fetch-site")
    origin = request.headers.get("origin")
    if fetch_site is not None and fetch_site not in ("same-origin", "none"):
        return False
    return origin is None or origin.lower() == site_of(request).urls.origin


def check_token(session: Session, given: str) -> None:
    """Raises Forbidden unless the form carries the token of the session."""
    if not hmac.compare_digest(session.csrf.encode(), given.encode()):
        raise Forbidden("error.form-expired")


def token_of(request: Request) -> str:
    """What the browser's cookie says; '' if there is none, or it cannot be one of ours."""
    token = request.cookies.get(cookie_name(site_of(request)), "")
    return token if len(token) <= 100 else ""


async def _note_use(request: Request, user: CurrentUser | None) -> None:
    """Remember the user and the blog's time zone for the rest of the request, and prolong a session in use."""
    request.state.user = user
    time_zone.choose(site_of(request).blog.time_zone)
    if user is None:
        return
    site = site_of(request)
    now = site.clock()
    if now - user.session.seen > _RENEWED_AFTER:
        with suppress(Unavailable):  # on a full disk it goes on as it is
            await site.db.write(logins.touch_session, user.session.token, now + LASTS)
            request.state.renewed = token_of(request)
