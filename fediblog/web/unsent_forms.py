"""A form that could not be sent as somebody: what was typed is shown again, and sent once that somebody is there.

Nothing of it is stored: it stands in the page, for this browser alone, goes on with the log-in form as hidden fields,
and comes back in the page that follows. So nothing typed is in an address, a cookie, a log or the database.
"""

from __future__ import annotations

from msgspec import Struct
from msgspec.structs import replace
from starlette.datastructures import FormData, UploadFile
from starlette.requests import Request
from starlette.responses import Response

from fediblog.errors import FediblogError
from fediblog.markup.text import one_line
from fediblog.store.tx import Tx
from fediblog.web import forms, sessions
from fediblog.web.components.render import render
from fediblog.web.forms import Form
from fediblog.web.languages import explain, say
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, SessionLogin

_KEPT = "kept."
_DESK = "/write"


class UnsentForm(Struct, frozen=True, kw_only=True):
    """Where a form was to be sent, what was in it, and the number of the account that it was made for, if any.

    `files` are the names of those that were chosen: of a form that nobody has sent no file is kept.
    """

    path: str
    fields: tuple[tuple[str, str], ...]
    files: tuple[str, ...] = ()
    account: int | None = None

    @property
    def hidden(self) -> list[tuple[str, str]]:
        """The fields that carry it through the form that comes first: to log in, or to make an account."""
        return [
            ("kept-path", self.path),
            ("kept-account", str(self.account or "")),
            *(("kept-file", name) for name in self.files),
            *((f"{_KEPT}{name}", value) for name, value in self.fields),
        ]

    @property
    def again(self) -> list[tuple[str, str]]:
        """The fields that send it; what was written at the desk is looked at once more before it is published."""
        if not self.path.startswith(_DESK):
            return list(self.fields)
        written = [(name, value) for name, value in self.fields if name not in ("do", forms.MISSING)]
        return [*written, ("do", "preview"), *((forms.MISSING, name) for name in self.files)]

    @property
    def typed(self) -> list[str]:
        """What to show of it."""
        return [value for name, value in self.fields if name.removeprefix(_KEPT) in forms.TYPED and value.strip()]


def kept_of(form: Form) -> UnsentForm | None:
    """What came along with the log-in form, if its path is one of ours that takes forms."""
    path = forms.own_path(form.text("kept-path")[:2000], "")
    if not path or forms.is_alone(path):
        return None
    pairs: list[tuple[str, str | UploadFile]] = [
        (name.removeprefix(_KEPT), value)
        for name, value in form.data.multi_items()
        if name.startswith(_KEPT) and isinstance(value, str)
    ]
    files = tuple(form.lines("kept-file")[: forms.MOST_FILES])
    return UnsentForm(
        path=path, fields=forms.worth_keeping(FormData(pairs)), files=files, account=form.number("kept-account")
    )


def _of_form(request: Request, form: Form) -> UnsentForm:
    """What a form brought that could not be sent."""
    query = f"?{request.url.query}" if request.url.query else ""
    chosen = (value.filename for _, value in form.data.multi_items() if isinstance(value, UploadFile))
    return UnsentForm(
        path=request.url.path + query,
        fields=forms.worth_keeping(form.data),
        files=tuple(one_line(name, 200) for name in chosen if name),
        account=form.account,
    )


def show(
    request: Request,
    kept: UnsentForm,
    message: str = "",
    status: int = 403,
    *,
    held: SessionLogin | None = None,
    form: Form | None = None,
    token: str = "",
) -> Response:
    """The page that has what was typed, and the way on; `message` stands above it all.

    For who has signed in the way is a button, and with a `token` also where it cannot be asked now whose it is;
    for others the log-in form or, where `held` has no account, that for one: `form` is what stood in these, with what
    was wrong. The page says so to who would send it as another account than it was made for.
    """
    user = sessions.current_user(request)
    wanted = next((each for each in user.accounts if each.id == kept.account), None) if user is not None else None
    if user is not None and wanted is not None:
        request.state.user = replace(user, account=wanted)
    filled = form or Form.empty()
    return render(
        request,
        "unsent.html",
        status,
        private=True,
        headers=filled.headers,
        kept=kept,
        message=message or say(request, "unsent.log-in" if held is None else "unsent.no-account"),
        other=user is not None and kept.account is not None and wanted is None,
        held=held,
        token=token,
        typed={name: filled.line(name) for name in ("name", "handle", "display")},
        errors=filled.errors,
    )


def on_error(request: Request, error: FediblogError, status: int) -> Response | None:
    """The page for an error by which something that was typed is lost, or that a log-in mends; None for others."""
    form = forms.form_of(request)
    if form is None or "text/html" not in request.headers.get("accept", ""):
        return None
    if isinstance(error, forms.Unsent):
        return show(request, _of_form(request, form), explain(request, error), held=error.held)
    message, path = explain(request, error), request.url.path
    if error.key == "error.sign-in":  # nothing was typed: the log-in leads back to where the button is
        login = sessions.login_path(forms.own_path(form.text("next")[:2000]))
        return render(request, "error.html", status, private=True, message=message, login=login)
    if forms.is_alone(path):  # but perhaps it carries another
        kept = kept_of(form) if path == "/login" else None
        return show(request, kept, message, status, form=form) if kept is not None else None
    kept = _of_form(request, form)
    return show(request, kept, message, status, token=form.text("csrf")) if kept.typed else None


async def go_on(request: Request, kept: UnsentForm, token: str, key: str) -> Response:
    """Show what was typed again after a log-in: `show`, for the session of `token`, with the message `key`."""

    def found(tx: Tx) -> tuple[CurrentUser | None, SessionLogin | None]:
        held = sessions.held_by(tx, token)
        return sessions.current_user_of(tx, held) if held is not None else None, held

    user, held = await site_of(request).db.read(found)
    request.state.user, request.state.session_login = user, held
    if user is None and kept.path != sessions.NEW_ACCOUNT:
        key = "unsent.no-account"
    return show(request, kept, say(request, key), 200, held=held)
