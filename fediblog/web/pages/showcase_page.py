"""Where the owner of an account arranges what its profile shows beside posts."""

from __future__ import annotations

from collections.abc import Sequence

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import showcase_actions
from fediblog.actions.showcase_actions import SECTIONS, SectionDraft
from fediblog.errors import Invalid
from fediblog.store.people import showcases
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.render import OWN_FORM, back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, ask_as, page

ADDRESS = "/settings/profile-page"
_LINES = 25_000  # characters of one section


async def edit(request: Request) -> Response:
    """All sections, and an empty one."""
    return _show(request, Form.empty(), await ask_as(request, _drafts))


def _drafts(tx: Tx, user: CurrentUser) -> list[SectionDraft]:
    return [showcase_actions.draft_of(each) for each in showcases.of(tx, user.account.id)]


async def save(request: Request) -> Response:
    """Save the sections, or show the form again with room for another."""
    site, form = site_of(request), await forms.read(request)
    names, lines = form.lines("section-name"), form.blocks("section-lines", _LINES)
    drafts = [SectionDraft(name=name, lines=text) for name, text in zip(names, lines, strict=False)]
    if form.choice("do", ("save", "add")) == "save" and not form.errors:
        try:
            await site.db.write(showcase_actions.save, form.sender.account.id, drafts)
            return back(request, ADDRESS, "profile-saved")
        except Invalid as error:
            form.refuse(error)
    return _show(request, form, drafts)


def _show(request: Request, form: Form, drafts: Sequence[SectionDraft]) -> Response:
    room = [SectionDraft()] if len(drafts) < SECTIONS else []
    return render(
        request,
        "showcase.html",
        form.status,
        headers={"Cache-Control": OWN_FORM, **form.headers},
        drafts=[*drafts, *room],
        most=SECTIONS,
        errors=form.errors,
    )


ROUTES = [
    Route(ADDRESS, page(edit), methods=["GET"]),
    Route(ADDRESS, page(save), methods=["POST"]),
]
