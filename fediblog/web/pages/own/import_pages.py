"""Files of relations from elsewhere: brought, asked about where anything ends by them, and how far they have got."""

from __future__ import annotations

import asyncio

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import import_actions
from fediblog.errors import Invalid, TooOften
from fediblog.federation import quotas
from fediblog.markup.text import one_line
from fediblog.messages.stored import unpack
from fediblog.prepare import relation_csv
from fediblog.prepare.relation_csv import RelationLine
from fediblog.store.queues import relation_imports
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.render import PRIVATE, back, render
from fediblog.web.forms import Form
from fediblog.web.languages import language_of, say
from fediblog.web.middleware import MOST
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, ask_as, page

PATH = "/people/import"
SHOWN = 100  # lines that cannot be used, on the page


async def overview(request: Request) -> Response:
    """The form to bring a file, and those that were brought."""
    return await _show(request, Form.empty())


async def bring(request: Request) -> Response:
    """Keep a file, and begin it unless it has to be asked about first."""
    site, form = site_of(request), await forms.read(request)
    kind, account = form.choice("kind", ("", *relation_csv.FILES)), form.sender.account.id
    files = form.files("list")
    if not files:
        form.fault("list", "import.none-chosen")
    else:
        name = one_line(files[0].filename or "", 100)
        kind, looks_like, found = await asyncio.to_thread(_read, kind, name, await files[0].read())
        if not kind:
            form.fault("kind", "import.kind-unknown")
        else:
            try:
                quotas.use(site, account, "upload")
                number = await site.db.write(
                    lambda tx: import_actions.bring(
                        tx, account, kind, name, looks_like, found, overwrite=form.text("mode") == "overwrite"
                    )
                )
                return back(request, f"{PATH}/{number}")
            except TooOften as error:
                form.defer("list", error)
            except Invalid as error:
                form.refuse(error)
    return await _show(request, form)


def _read(kind: str, name: str, data: bytes) -> tuple[str, str, list[RelationLine]]:
    looks_like = relation_csv.kind_of(name, data)
    kind = kind or looks_like
    return kind, looks_like, relation_csv.read(kind, data) if kind else []


async def _show(request: Request, form: Form) -> Response:
    found = await ask_as(request, lambda tx, user: relation_imports.of_account(tx, user.account.id))
    return render(
        request,
        "import.html",
        form.status,
        headers=form.headers,
        imports=found,
        kinds=tuple(relation_csv.FILES),
        kind=form.text("kind"),
        mode=form.text("mode"),
        lines=relation_csv.MOST_LINES,
        megabytes=MOST // 1_000_000,
        errors=form.errors,
    )


async def one(request: Request) -> Response:
    """How far a file has got; what ends by it, as long as it has not been begun; and what of it cannot be used."""
    user = await ask_as(request, lambda _tx, user: user)
    # Of all lines is asked what ends by them, which takes too long for the event loop.
    brought, ending, failed = await site_of(request).db.scan(_one, user.account.id, request.path_params["n"])
    return render(
        request, "import-file.html", brought=brought, ending=ending, failed=failed[:SHOWN], is_cut=len(failed) > SHOWN
    )


def _one(
    tx: Tx, account: int, number: int
) -> tuple[relation_imports.RelationImport, import_actions.Ending | None, list[relation_imports.FailedLine]]:
    brought = import_actions.own(tx, account, number)
    ending = import_actions.ending(tx, brought) if brought.begun is None else None
    return brought, ending, relation_imports.failed(tx, number, SHOWN + 1)


async def begin(request: Request) -> Response:
    """Go through a file, whatever ends by it."""
    form, number = await forms.read(request), request.path_params["n"]
    await site_of(request).db.write(import_actions.begin, form.sender.account.id, number)
    return back(request, f"{PATH}/{number}")


async def remove(request: Request) -> Response:
    """Forget a file, or go no further with it."""
    form = await forms.read(request)
    await site_of(request).db.write(relation_imports.remove, form.sender.account.id, request.path_params["n"])
    return back(request, PATH, "import-removed")


async def unused(request: Request) -> Response:
    """The lines that cannot be used, as a file that can be brought again, with the number and the reason of each."""
    number = request.path_params["n"]

    def both(tx: Tx, user: CurrentUser) -> tuple[str, list[relation_imports.FailedLine]]:
        brought = import_actions.own(tx, user.account.id, number)
        return brought.kind, relation_imports.failed(tx, number, relation_csv.MOST_LINES)

    kind, failed = await ask_as(request, both)
    language, more = language_of(request), (say(request, "import.line"), say(request, "import.reason"))
    missing = [""] * len(relation_csv.COLUMNS[kind])
    rows = (
        [*each.cells, *missing[len(each.cells) :], str(each.number), unpack(language, each.problem)] for each in failed
    )
    written = await asyncio.to_thread(relation_csv.write, kind, rows, more)
    named = f'attachment; filename="{relation_csv.FILES[kind]}"'  # by which it is known again
    headers = {"Cache-Control": PRIVATE, "Content-Disposition": named}
    return Response(written, headers=headers, media_type="text/csv; charset=utf-8")


ROUTES = [
    Route(PATH, page(overview), methods=["GET"]),
    Route(PATH, page(bring), methods=["POST"]),
    Route(f"{PATH}/{{n:number}}", page(one), methods=["GET"]),
    Route(f"{PATH}/{{n:number}}/begin", page(begin), methods=["POST"]),
    Route(f"{PATH}/{{n:number}}/remove", page(remove), methods=["POST"]),
    Route(f"{PATH}/{{n:number}}/unused.csv", page(unused), methods=["GET"]),
]
