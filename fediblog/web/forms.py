"""What people send with a form: read within limits, proven to come from our own page, never lost by a mistake."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Iterable
from posixpath import normpath
from typing import TypeVar
from urllib.parse import unquote, urlsplit

from msgspec import Struct, field
from msgspec.structs import replace
from starlette.datastructures import FormData, UploadFile
from starlette.exceptions import HTTPException
from starlette.requests import Request

from fediblog import formdata
from fediblog.errors import Forbidden, Invalid, Refused, TooOften, Unavailable
from fediblog.formdata import FormTooLarge, Limits
from fediblog.markup.text import one_line, tidy
from fediblog.messages import ENGLISH, text
from fediblog.store.people.logins import Session
from fediblog.web import sessions
from fediblog.web.languages import language_of, say
from fediblog.web.sessions import CurrentUser, SessionLogin, SignInNeeded

T = TypeVar("T")

MOST_FILES = 8
MOST_FIELDS = 200
FORM_BYTES = 2_500_000  # the longest article in Markdown, in UTF-8, and what stands beside it
KEPT_BYTES = 1_600_000  # of a form of who has no session: it goes on with the log-in form, which must not be larger
MISSING = "missing"  # names the files that were chosen, and were not kept while somebody logged in again
ACCOUNT_MARK = "~"  # between a form's token and the number of the account that it was made for
_SECRET = frozenset(
    {"csrf", "password", "password-again", "old", "token", "code", "second-code", "nonce", "passkey", "signed"}
)
# The fields that people type into: where one of them has something in it, nothing may be lost.
TYPED = frozenset(
    (
        *("source", "title", "warning", "summary", "alt", "new-alt", "hero-alt", "answer", "language", "scheduled"),
        *("slug", "hero-caption", "new-category", "tags", "description", "attribution-domains", "headline"),
        *("section-name", "section-lines", "tagline", "css", "label", "address", "time-zone", "websub-hub"),
        *("name", "bio", "field-name", "field-value", "handle", "display", "alias", "target", "host", "reason"),
        *("dated", "to", "tag", "who", "emoji", "comment", "words", "text", "category", "uses", "days", "q", "allowed"),
    )
)
_ANY = Limits(fields=MOST_FIELDS, files=MOST_FILES, size=FORM_BYTES)
_OF_NOBODY = Limits(fields=MOST_FIELDS - 20, files=MOST_FILES, size=KEPT_BYTES, files_kept=False)


class Form(Struct):
    """The fields of a form, what is wrong with them (by name), and who sent it."""

    data: FormData
    language: str = ENGLISH  # of what is said about it
    user: CurrentUser | None = None
    errors: dict[str, str] = field(default_factory=dict)
    wait: int = 0  # seconds after which it may be sent again, where that was too often

    @classmethod
    def empty(cls) -> Form:
        """A form that nobody has filled in."""
        return cls(FormData())

    @property
    def sender(self) -> CurrentUser:
        """Who sent it; raises SignInNeeded if that is nobody in particular."""
        if self.user is None:
            raise SignInNeeded
        return self.user

    @property
    def token(self) -> str:
        """The token of the session in which the form was made."""
        return self.text("csrf").partition(ACCOUNT_MARK)[0]

    @property
    def account(self) -> int | None:
        """The number of the account that it was made for, which stands behind the token."""
        return whole(self.text("csrf").partition(ACCOUNT_MARK)[2])

    def line(self, name: str, limit: int = 500) -> str:
        """A field of one line."""
        return one_line(self._raw(name), limit)

    def block(self, name: str, limit: int = 500_000) -> str:
        """A field of several lines; an overlong one is refused rather than cut."""
        value = tidy(self._raw(name))
        if len(value) > limit:
            self.errors.setdefault(name, text(self.language, "error.too-long", n=limit))
        return value

    def blocks(self, name: str, limit: int) -> list[str]:
        """All values of a field of several lines that comes several times; none may be longer."""
        found = [tidy(value) for value in self.data.getlist(name) if isinstance(value, str)]
        if any(len(value) > limit for value in found):
            self.errors.setdefault(name, text(self.language, "error.too-long", n=limit))
        return found

    def text(self, name: str) -> str:
        """A field of ours, exactly as it came."""
        return self._raw(name)

    def secret(self, name: str) -> str:
        """A field as it was typed, such as a password."""
        return self._raw(name)[:1000]

    def flag(self, name: str) -> bool:
        """Whether a box is ticked or a button was pressed."""
        return bool(self._raw(name))

    def choice(self, name: str, choices: tuple[str, ...], otherwise: str = "") -> str:
        """One of the choices; where something else came, `otherwise` or the first."""
        value = self._raw(name)
        return value if value in choices else otherwise or choices[0]

    def number(self, name: str) -> int | None:
        """A number of ours."""
        return whole(self._raw(name))

    def numbers(self, name: str) -> list[int]:
        """All numbers of a field that comes several times."""
        found = (whole(value) for value in self.lines(name))
        return [number for number in found if number is not None]

    def lines(self, name: str) -> list[str]:
        """All values of a field that comes several times."""
        return [one_line(value, 2000) for value in self.data.getlist(name) if isinstance(value, str)]

    def files(self, name: str) -> list[UploadFile]:
        """The files that were chosen; an empty chooser is sent as a file without a name."""
        return [each for each in self.data.getlist(name) if isinstance(each, UploadFile) and each.filename]

    def refuse(self, error: Invalid) -> None:
        """Note what a lower floor found wrong."""
        self.errors.setdefault(error.field, error.sentence(self.language))

    def defer(self, name: str, error: TooOften) -> None:
        """Note at a field that this was too often."""
        self.errors[name] = error.sentence(self.language)
        self.wait = error.wait

    @property
    def status(self) -> int:
        """The status of the page that shows the form again with its mistakes."""
        return 429 if self.wait else 422 if self.errors else 200

    @property
    def headers(self) -> dict[str, str]:
        """The headers of the page that shows the form again: when to come back, where it was too often."""
        return {"Retry-After": str(self.wait)} if self.wait else {}

    def fault(self, name: str, key: str, /, **values: object) -> None:
        """Note what is wrong with a field, by the key of a message."""
        self.errors[name] = text(self.language, key, **values)

    def _raw(self, name: str) -> str:
        value = self.data.get(name, "")
        return value if isinstance(value, str) else ""


class Unsent(Forbidden):
    """A form that cannot be sent as its sender wants, and in which something was typed.

    `held` is the session of who has logged in, but has no account any more.
    """

    def __init__(self, key: str, held: SessionLogin | None) -> None:
        super().__init__(key)
        self.held = held


async def read(request: Request) -> Form:
    """The form of somebody who has signed in, acting as the account that the form was made for.

    Raises Forbidden if our own page did not send it; SignInNeeded, or Unsent where something was typed, if nobody has
    signed in, if it was made in another session, or if its account is none of theirs any more.
    """
    user = await _known(request, sessions.visitor)
    if user is None:
        raise await _no_account(request)
    form = await _read(request, user.session)
    if form.account is not None and form.account != user.account.id:
        own = next((each for each in user.accounts if each.id == form.account), None)
        if own is None:
            raise _unsent(request, form, Forbidden("error.account-gone"))
        user = replace(user, account=own)
    form.user = request.state.user = user
    return form


async def read_held(request: Request) -> tuple[Form, SessionLogin]:
    """The form of somebody who has signed in, though perhaps without an account to act as. Raises like `read`."""
    held = await _known(request, sessions.session_login)
    if held is None:
        raise await _nobody(request)
    user = await sessions.visitor(request)
    return await _read(request, held.session, held if user is None else None), held


async def _known(request: Request, who: Callable[[Request], Awaitable[T]]) -> T:
    """Who has signed in, if anybody. Where the database is away the form is read all the same, for the error page."""
    try:
        return await who(request)
    except Unavailable:
        if not is_alone(request.url.path):
            await read_open(request, _OF_NOBODY)
        raise


async def _read(request: Request, session: Session, held: SessionLogin | None = None) -> Form:
    """The form, made in that session; `held` for who has no account."""
    form = await read_open(request)
    try:
        sessions.check_token(session, form.token)
    except Forbidden as error:
        raise _unsent(request, form, error, held, "unsent.expired") from None
    return form


async def _no_account(request: Request) -> Refused:
    """What to say to who cannot act as anybody: not signed in, or without an account."""
    held = await sessions.session_login(request)
    if held is None:
        return await _nobody(request)
    if is_alone(request.url.path):
        return SignInNeeded()
    form = await _read(request, held.session, held)
    return _unsent(request, form, SignInNeeded(), held)


async def _nobody(request: Request) -> Refused:
    """What to say to who has not signed in, or not any more: no cookie tells which. The body is read without files."""
    if is_alone(request.url.path):
        return SignInNeeded()
    return _unsent(request, await read_open(request, _OF_NOBODY), SignInNeeded())


def _unsent(request: Request, form: Form, error: Refused, held: SessionLogin | None = None, key: str = "") -> Refused:
    if is_alone(request.url.path) or not is_typed(worth_keeping(form.data)):
        return error
    if isinstance(error, SignInNeeded):
        key = "unsent.log-in" if held is None else "unsent.no-account"
    return Unsent(key or error.key, held)


def is_alone(path: str) -> bool:
    """Whether a form is never sent again by itself: consent to an app, log-in, log-out, set-up, another account.

    `path` is compared as the router will see it once a browser has sent it: decoded, without dot segments or query.
    """
    routed = normpath(unquote(path.partition("#")[0].partition("?")[0])).lstrip("/")
    return f"/{routed}/".startswith(("/oauth/", "/login", "/logout", "/setup", "/invited/", "/session/"))


def is_typed(fields: Iterable[tuple[str, str]]) -> bool:
    """Whether somebody has typed any of it."""
    return any(name in TYPED and value.strip() for name, value in fields)


def worth_keeping(data: FormData) -> tuple[tuple[str, str], ...]:
    """The fields of a form that may be shown again: no secrets, no files."""
    pairs = ((name, value) for name, value in data.multi_items() if isinstance(value, str))
    return tuple((name, value) for name, value in pairs if name not in _SECRET)


async def read_open(request: Request, limits: Limits = _ANY) -> Form:
    """A form that needs no session, such as the one that begins one; it must come from our own page all the same."""
    if not sessions.comes_from_here(request):
        raise Forbidden("error.foreign-form")
    if formdata.kind_of(request) not in (formdata.URLENCODED, formdata.MULTIPART):
        raise HTTPException(415, say(request, "error.form-type"))
    try:
        form = request.state.form = Form(await formdata.read(request, limits), language_of(request))
    except FormTooLarge as error:
        raise Refused(error.reason, key="error.form-too-large", limit=error.again()) from None
    return form


def form_of(request: Request) -> Form | None:
    """The form that has been read in this request."""
    form: Form | None = getattr(request.state, "form", None)
    return form


def own_path(address: str, otherwise: str = "/") -> str:
    """The address if it is a path of this site, so that nobody can be led astray through us."""
    decoded = unquote(address)
    plain = decoded.isprintable() and "\\" not in decoded and not decoded.startswith("//")
    if not (address.startswith("/") and plain) or address.startswith("//"):
        return otherwise
    parts = urlsplit(address)
    return otherwise if parts.scheme or parts.netloc else address


def whole(value: str) -> int | None:
    """A whole number of at most 19 digits, as our own are."""
    if not (value.isascii() and value.isdigit() and len(value) <= 19):
        return None
    number = int(value)
    return number if number < 1 << 63 else None
