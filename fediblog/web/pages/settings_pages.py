"""The settings of an account and its login: profile, password, aliases, moving, further accounts."""

from __future__ import annotations

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog import passwords
from fediblog.actions import account_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.domain.accounts import Account, Login
from fediblog.errors import Invalid, Refused, TooOften, Unavailable
from fediblog.federation import prepared_actions
from fediblog.federation.keyring import new_keys
from fediblog.media.pictures import Shape
from fediblog.messages import LANGUAGES
from fediblog.store.people import logins, post_preferences
from fediblog.store.people.post_preferences import Defaults
from fediblog.store.tx import Tx
from fediblog.web import forms, sessions
from fediblog.web.components.render import OWN_FORM, back, render
from fediblog.web.forms import Form
from fediblog.web.languages import explain, explain_unreachable
from fediblog.web.negotiation import site_of
from fediblog.web.pages.login_pages import LoginLimits, new_password
from fediblog.web.pages.post_form import ALLOWED, stored_upload
from fediblog.web.sessions import ask_as, page

AUDIENCES = ("public", "unlisted", "followers")
ROWS = 6  # of profile fields in the form
SHAPES: dict[str, Shape] = {"icon": "avatar", "image": "header"}


async def settings(request: Request) -> Response:
    """All settings on one page."""
    await ask_as(request, lambda _tx, _user: None)
    return await _show(request)


async def save_profile(request: Request) -> Response:
    """Change the profile."""
    site, form = site_of(request), await forms.read(request)
    profile = await _profile(request, form)
    if not form.errors:
        try:
            await prepared_actions.update_profile(site, form.sender.account.id, profile)
            return back(request, "/settings", "profile-saved")
        except Invalid as error:
            form.refuse(error)
    return await _show(request, form, profile)


async def _profile(request: Request, form: Form) -> ProfileChanges:
    site, pictures = site_of(request), dict[str, int]()
    for name in ("icon", "image"):
        for chosen in form.files(name)[:1]:
            if upload := await stored_upload(site, form, name, chosen, SHAPES[name]):
                pictures[name] = upload.id
        if form.flag(f"{name}-drop"):  # unless a new one takes its place
            pictures.setdefault(name, account_actions.NO_PICTURE)
    names, values = form.lines("field-name"), form.lines("field-value")
    return ProfileChanges(
        name=form.line("display", 400),
        headline=form.line("headline", 400),
        summary=form.block("summary", 20_000),
        summary_plain=form.flag("plain"),
        fields=tuple(pair for pair in zip(names, values, strict=False) if pair[0]),
        fields_plain=form.flag("plain"),
        icon=pictures.get("icon"),
        image=pictures.get("image"),
        locked=form.flag("locked"),
        discoverable=form.flag("discoverable"),
        indexable=form.flag("indexable"),
        attribution_domains=tuple(form.block("attribution-domains", 20_000).split()),
        language=form.sender.account.language,
        bot=form.flag("bot"),
    )


def profile_of(account: Account) -> ProfileChanges:
    """The profile as the form shows it."""
    return ProfileChanges(
        name=account.name,
        headline=account.headline,
        summary=account.summary_source,
        summary_plain=account.summary_plain,
        fields=account.fields_source,
        locked=account.locked,
        discoverable=account.discoverable,
        indexable=account.indexable,
        attribution_domains=account.attribution_domains,
        language=account.language,
        bot=account.kind == "Service",
    )


async def change_password(request: Request) -> Response:
    """Change the password; all other sessions end, and all tokens of apps."""
    site, form = site_of(request), await forms.read(request)
    login = form.sender.login
    limits, tries = site_of(request).keep(LoginLimits), f"session {form.sender.session.token}"
    if wait := limits.devices.take(tries):
        form.defer("old", TooOften("error.too-often", wait))
        return await _show(request, form)
    stored = await site.db.read(logins.password_hash, login.name)
    if not await passwords.is_right(form.secret("old"), stored):
        form.fault("old", "error.wrong-password")
    password = new_password(form)
    if form.errors:
        return await _show(request, form)
    limits.devices.clear(tries)
    hashed = await passwords.hashed(password)
    if not await site.db.write(_change_password, login, stored, hashed):
        form.fault("old", "error.wrong-password")
        return await _show(request, form)
    request.state.renewed = ""
    response = back(request, "/settings", "password-changed")
    await sessions.begin(request, response, login, hashed)
    return response


def _change_password(tx: Tx, login: Login, old: str | None, new: str) -> bool:
    """Store the new password; False if the old one has been changed by somebody else meanwhile."""
    tx.hold(login.id)
    if logins.password_hash(tx, login.name) != old:
        return False
    logins.set_password(tx, login.id, new)
    return True


async def choose_language(request: Request) -> Response:
    """In which language the login sees the pages."""
    site, form = site_of(request), await forms.read(request)
    await site.db.write(logins.set_language, form.sender.login.id, form.choice("interface", ("", *LANGUAGES)))
    return back(request, "/settings", "language-saved")


async def save_publishing(request: Request) -> Response:
    """What new posts are like where nothing else is said, and whether they can be taken back before they leave."""
    site, form = site_of(request), await forms.read(request)
    wanted = Defaults(
        visibility=form.choice("visibility", AUDIENCES),
        sensitive=form.flag("sensitive"),
        quotes=form.choice("quotes", ALLOWED),
        comments=form.choice("comments", ALLOWED),
        wait=form.flag("wait"),
        trash=form.flag("trash"),
    )
    try:
        await site.db.write(_prefer, form.sender.account.id, wanted, form.line("language", 35))
    except Invalid as error:
        form.refuse(error)
        return await _show(request, form, wanted=wanted)
    return back(request, "/settings", "publishing-saved")


def _prefer(tx: Tx, account: int, wanted: Defaults, language: str) -> None:
    account_actions.write_in(tx, account, language)
    post_preferences.put(tx, account, wanted)


async def add_alias(request: Request) -> Response:
    """Name another account as one's own, before it moves here."""
    site, form = site_of(request), await forms.read(request)
    try:
        await prepared_actions.add_alias(site, form.sender.account.id, form.line("alias"))
    except (Refused, Unavailable) as error:
        form.errors["alias"] = _told(request, error)
        return await _show(request, form)
    return back(request, "/settings", "alias-added")


async def move(request: Request) -> Response:
    """Send the followers to another account."""
    site, form = site_of(request), await forms.read(request)
    if not form.flag("sure"):
        form.fault("sure", "error.sure")
        return await _show(request, form)
    try:
        await prepared_actions.move(site, form.sender.account.id, form.line("target"))
    except (Refused, Unavailable) as error:
        form.errors["target"] = _told(request, error)
        return await _show(request, form)
    return back(request, "/settings", "moved")


def _told(request: Request, error: Refused | Unavailable) -> str:
    return explain(request, error) if isinstance(error, Refused) else explain_unreachable(request, error)


async def add_account(request: Request) -> Response:
    """A further account of the same login."""
    site, form = site_of(request), await forms.read(request)
    user, keys, most = form.sender, await new_keys(), site.settings.accounts_per_login

    def add(tx: Tx) -> None:
        handle, display = form.line("handle"), form.line("display")
        made = account_actions.add_account(tx, site.urls, user.login.id, handle, display, keys, most=most)
        logins.act_as(tx, user.session.token, made.id)

    try:
        await site.db.write(add)
    except Invalid as error:
        form.refuse(error)
        return await _show(request, form)
    return back(request, "/settings", "account-added")


async def _show(
    request: Request, form: Form | None = None, profile: ProfileChanges | None = None, wanted: Defaults | None = None
) -> Response:
    user = sessions.current_user(request)
    if user is None:
        raise sessions.SignInNeeded
    standing = wanted or await site_of(request).db.read(post_preferences.defaults, user.account.id)
    shown = profile or profile_of(user.account)
    rows = [*shown.fields, *[("", "")] * max(ROWS - len(shown.fields), 1)]
    typed = form or Form.empty()
    return render(
        request,
        "settings.html",
        typed.status,
        headers={"Cache-Control": OWN_FORM, **typed.headers},
        profile=shown,
        languages=LANGUAGES,
        rows=rows,
        wanted=standing,
        written_in=typed.line("language") if wanted else user.account.language,
        seconds=site_of(request).settings.take_back_seconds,
        audiences=AUDIENCES,
        allowed=ALLOWED,
        account=user.account,
        errors=typed.errors,
        typed={name: typed.line(name) for name in ("alias", "target", "handle", "display")},
    )


ROUTES = [
    Route("/settings", page(settings), methods=["GET"]),
    Route("/settings", page(save_profile), methods=["POST"]),
    Route("/settings/password", page(change_password), methods=["POST"]),
    Route("/settings/language", page(choose_language), methods=["POST"]),
    Route("/settings/publishing", page(save_publishing), methods=["POST"]),
    Route("/settings/alias", page(add_alias), methods=["POST"]),
    Route("/settings/move", page(move), methods=["POST"]),
    Route("/settings/accounts", page(add_account), methods=["POST"]),
]
