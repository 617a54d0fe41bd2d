"""Word filters: what an account would rather not see, where, and whether it is folded or left out."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import reader_actions
from fediblog.actions.reader_actions import FilterDraft
from fediblog.errors import Invalid
from fediblog.store.readers import filters
from fediblog.store.readers.filters import CONTEXTS, Filter
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.render import back, render
from fediblog.web.forms import Form
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, ask_as, page

PLACE = "/settings/filters"
ACTIONS = ("warn", "hide")
PERIODS = ("", "1800", "3600", "21600", "86400", "604800", "2592000")  # seconds after which it ends; "": never
KEEP = "keep"  # the end that it has


class FilterFields(Struct, frozen=True, kw_only=True):
    """The fields of the form."""

    title: str = ""
    words: str = ""  # one a line
    whole_word: bool = True
    contexts: tuple[str, ...] = CONTEXTS
    action: str = "warn"
    period: str = ""


def _fields(each: Filter) -> FilterFields:
    return FilterFields(
        title=each.title,
        words="\n".join(word.keyword for word in each.keywords),
        whole_word=all(word.whole_word for word in each.keywords),
        contexts=each.contexts,
        action=each.action if each.action in ACTIONS else "warn",
        period=KEEP if each.expires else "",
    )


async def every(request: Request) -> Response:
    """All filters, and an empty one."""
    return await _show_all(request, Form.empty(), FilterFields())


async def _show_all(request: Request, form: Form, fields: FilterFields) -> Response:
    found = await ask_as(request, lambda tx, user: filters.of_account(tx, user.account.id))
    return _show(request, form, fields, found)


def _show(
    request: Request, form: Form, fields: FilterFields, found: Sequence[Filter] = (), opened: Filter | None = None
) -> Response:
    return render(
        request,
        "filters.html",
        form.status,
        fields=fields,
        contexts=CONTEXTS,
        actions=ACTIONS,
        periods=PERIODS,
        errors=form.errors,
        filters=found,
        number=opened.id if opened else None,
        expires=opened.expires if opened else None,
    )


async def one(request: Request) -> Response:
    """One filter, to be changed."""
    found = await ask_as(request, _own, request.path_params["n"])
    return _show(request, Form.empty(), _fields(found), opened=found)


def _own(tx: Tx, user: CurrentUser, number: int) -> Filter:
    return reader_actions.own_filter(tx, user.account.id, number)


async def save(request: Request) -> Response:
    """Make a filter, change one, or delete it."""
    site, form = site_of(request), await forms.read(request)
    account, number = form.sender.account.id, request.path_params.get("n")
    before = await site.db.read(_own, form.sender, number) if number is not None else None
    if before is not None and form.line("do") == "delete":
        await site.db.write(reader_actions.remove_filter, account, before.id)
        return back(request, PLACE, "filter-deleted")
    fields = FilterFields(
        title=form.line("title", 1000),
        words=form.block("words", 50_000),
        whole_word=form.flag("whole-word"),
        contexts=tuple(each for each in CONTEXTS if each in form.lines("context")),
        action=form.choice("action", ACTIONS),
        period=form.choice("period", (*PERIODS, KEEP)),
    )
    ends = before.expires if fields.period == KEEP and before else None
    if fields.period.isdigit():
        ends = site.clock() + int(fields.period) * 1000
    draft = FilterDraft(
        title=fields.title,
        words=fields.words.splitlines(),
        whole_word=fields.whole_word,
        contexts=fields.contexts,
        action=fields.action,
        expires=ends,
    )
    if not form.errors:
        try:
            await site.db.write(reader_actions.save_filter, account, number, draft)
        except Invalid as error:
            form.refuse(error)
    if not form.errors:
        return back(request, PLACE, "filter-saved")
    return _show(request, form, fields, opened=before) if before else await _show_all(request, form, fields)


ROUTES = [
    Route(PLACE, page(every), methods=["GET"]),
    Route(PLACE, page(save), methods=["POST"]),
    Route(f"{PLACE}/{{n:number}}", page(one), methods=["GET"]),
    Route(f"{PLACE}/{{n:number}}", page(save), methods=["POST"]),
]
