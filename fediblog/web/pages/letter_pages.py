"""Letters: private posts by conversation, one conversation with a field to answer, and how one begins another."""

from __future__ import annotations

import re
from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.errors import Invalid, NotFound, Refused, TooOften, Unavailable
from fediblog.federation import prepared_actions, quotas
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import accounts, post_preferences
from fediblog.store.posts import conversations, posts, timelines
from fediblog.store.posts.conversations import Conversation
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components import paging
from fediblog.web.components.render import OWN_FORM, back, render
from fediblog.web.forms import Form
from fediblog.web.languages import explain, explain_unreachable
from fediblog.web.negotiation import site_of
from fediblog.web.pages import post_form
from fediblog.web.sessions import CurrentUser, ask_as, page

SIZE = 30
MOST_NAMED = 20  # to whom one letter is written
_BETWEEN = re.compile(r"[\s,;]+")


class ListedConversation(Struct, frozen=True, kw_only=True):
    """A conversation in the list: its last post, and who takes part but oneself."""

    conversation: Conversation
    post: Post
    people: Sequence[Account]


class OpenConversation(Struct, frozen=True, kw_only=True):
    """One conversation: a page of its posts, newest first; `last` is the post that an answer is to."""

    conversation: Conversation
    posts: Sequence[Post]
    last: Post
    people: Sequence[Account]


async def letters(request: Request) -> Response:
    """All conversations, the one with the latest post first."""
    found = await ask_as(request, _listed, paging.window(request, SIZE))
    shown = paging.page(request, found, SIZE, lambda each: each.conversation.last)
    return render(request, "letters.html", letters=shown)


def _listed(tx: Tx, user: CurrentUser, window: Window) -> list[ListedConversation]:
    viewer = user.account.id
    last = {each.id: each.post for each in timelines.whole(tx, conversations.last_posts(tx, viewer, window), viewer)}
    people = accounts.many(tx, {number for post in last.values() for number in _others(post, viewer)})
    return [
        ListedConversation(conversation=each, post=last[each.last], people=_known(people, last[each.last], viewer))
        for each in conversations.of_posts(tx, viewer, list(last))
    ]


def _others(post: Post, account: int) -> list[int]:
    """The numbers of all who take part but the account, the author first."""
    return [number for number in (post.account.id, *sorted(post.addressed - {post.account.id})) if number != account]


def _known(people: dict[int, Account], post: Post, account: int) -> list[Account]:
    return [people[number] for number in _others(post, account) if number in people]


async def letter(request: Request) -> Response:
    """One conversation: it counts as read from then on."""
    window = paging.window(request, SIZE)
    account, found = await ask_as(request, _open_own, request.path_params["n"], window)
    response = _show(request, found)
    if found.conversation.unread:
        await site_of(request).write_aside(_read, account, found.conversation.id)
    return response


def _read(tx: Tx, account: int, number: int) -> None:
    conversations.mark(tx, account, number, unread=False)


def _open_own(tx: Tx, user: CurrentUser, number: int, window: Window) -> tuple[int, OpenConversation]:
    return user.account.id, _open(tx, user, number, window)


def _open(tx: Tx, user: CurrentUser, number: int, window: Window) -> OpenConversation:
    """Raises NotFound for a conversation that is not the user's, or of which nothing is shown to it any more."""
    viewer = user.account.id
    own = conversations.own(tx, viewer, number)
    found = timelines.whole(tx, conversations.posts_of(tx, viewer, own.root, window), viewer) if own else []
    if own is None or not found:
        raise NotFound
    last = posts.get(tx, own.last, viewer) or found[0].post
    people = accounts.many(tx, _others(last, viewer))
    return OpenConversation(
        conversation=own, posts=[each.post for each in found], last=last, people=_known(people, last, viewer)
    )


def _show(request: Request, found: OpenConversation, form: Form | None = None) -> Response:
    sent = form or Form.empty()
    return render(
        request,
        "letter.html",
        sent.status,
        headers={"Cache-Control": OWN_FORM, **sent.headers},
        letter=found,
        shown=paging.page(request, found.posts, SIZE, lambda post: post.id),
        typed=sent.text("source"),
        errors=sent.errors,
    )


async def answer(request: Request) -> Response:
    """Answer in a conversation: to all who take part in it, and to nobody else."""
    site, form = site_of(request), await forms.read(request)
    number, latest = request.path_params["n"], Window(before=FAR, limit=SIZE + 1)
    found = await site.db.read(_open, form.sender, number, latest)
    draft = await site.db.read(_answer, form.sender.account, found.last, form.block("source"))
    post = await _send(request, form, draft)
    if post is None:
        return _show(request, found, form)
    return back(request, f"/letters/{number}#p{post.id}", "letter-sent")


def _answer(tx: Tx, account: Account, parent: Post, text: str) -> Draft:
    fields = post_form.blank(account, post_preferences.defaults(tx, account.id), parent)
    return Draft(
        source=f"{fields.source}{text}" if text.strip() else "",
        warning=fields.warning,
        visibility=Visibility.DIRECT,
        language=fields.language,
        reply_to=parent.id,
        must_reach=True,
    )


async def _send(request: Request, form: Form, draft: Draft) -> Post | None:
    """The letter, sent; None if it could not be, and what is wrong stands at the fields of the form."""
    if form.errors:
        return None
    try:
        return await prepared_actions.publish(site_of(request), form.sender.account.id, draft)
    except Invalid as error:
        form.refuse(error)
    except TooOften as error:
        form.defer("source", error)
    except NotFound as error:
        form.errors["source"] = error.sentence(form.language)
    return None


async def new(request: Request) -> Response:
    """An empty letter, to the account of the number `to` if there is one."""
    number = forms.whole(request.query_params.get("to", "")) or 0
    other = await ask_as(request, lambda tx, _user: accounts.get(tx, number) if number else None)
    if number and (other is None or other.state != "active"):
        raise NotFound("error.account-unknown")
    return _show_new(request, Form.empty(), f"@{other.acct}" if other else "")


def _show_new(request: Request, form: Form, to: str) -> Response:
    headers = {"Cache-Control": OWN_FORM, **form.headers}
    return render(
        request, "letter-new.html", form.status, headers=headers, to=to, typed=form.text("source"), errors=form.errors
    )


async def write(request: Request) -> Response:
    """Write to those whose handles or addresses stand in the field `to`."""
    site, form = site_of(request), await forms.read(request)
    to, text = form.line("to", 2000), form.block("source")
    wanted = [each for each in _BETWEEN.split(to) if each.strip("@")][:MOST_NAMED]
    if not wanted:
        form.fault("to", "letters.to-nobody")
    names = [await _name(request, form, each) for each in wanted]
    fields = await site.db.read(_blank, form.sender.account)
    draft = Draft(
        source=f"{' '.join(names)} {text}" if text.strip() else "",
        visibility=Visibility.DIRECT,
        language=fields.language,
        must_reach=True,
    )
    post = await _send(request, form, draft)
    if post is None:
        if "people" in form.errors:
            form.errors.setdefault("to", form.errors["people"])
        return _show_new(request, form, to)
    begun = await site.db.read(conversations.of_posts, form.sender.account.id, [post.id])
    return back(request, f"/letters/{begun[0].id}" if begun else "/letters", "letter-sent")


def _blank(tx: Tx, account: Account) -> post_form.PostFields:
    return post_form.blank(account, post_preferences.defaults(tx, account.id), None)


async def _name(request: Request, form: Form, wanted: str) -> str:
    """The handle as a text names it; that of an address is looked up, and what is wrong is noted at `to`."""
    if not wanted.startswith(("https://", "http://")):
        return f"@{wanted.removeprefix('acct:').lstrip('@')}"
    site = site_of(request)
    try:
        quotas.use(site, form.sender.account.id, "action")
        found = await prepared_actions.find(site, wanted)
    except TooOften as error:
        form.defer("to", error)
    except Refused as error:
        form.errors["to"] = explain(request, error)
    except Unavailable as error:
        form.errors["to"] = explain_unreachable(request, error)
    else:
        if isinstance(found, Account):
            return f"@{found.acct}"
        form.fault("to", "search.nothing-there")
    return ""


ROUTES = [
    Route("/letters", page(letters)),
    Route("/letters/new", page(new), methods=["GET"]),
    Route("/letters/new", page(write), methods=["POST"]),
    Route("/letters/{n:number}", page(letter), methods=["GET"]),
    Route("/letters/{n:number}", page(answer), methods=["POST"]),
]
