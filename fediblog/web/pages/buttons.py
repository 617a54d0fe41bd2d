"""The buttons: what one does to a post or an account with one press, and where one is then."""

from __future__ import annotations

from collections.abc import Callable

from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import (
    approval_actions,
    follow_actions,
    moderation_actions,
    post_actions,
    quote_actions,
    reaction_actions,
    reader_actions,
)
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid
from fediblog.federation import quotas
from fediblog.store.people import relation_lists
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.render import back, render
from fediblog.web.languages import explain
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import Handler, page

Action = Callable[[Tx, Urls, int, int], object]

ON_POSTS: dict[str, Action] = {
    "like": reaction_actions.like,
    "unlike": reaction_actions.unlike,
    "boost": reaction_actions.boost,
    "unboost": reaction_actions.unboost,
    "bookmark": reader_actions.bookmark,
    "unbookmark": reader_actions.unbookmark,
    "mute": reader_actions.mute_thread,
    "unmute": reader_actions.unmute_thread,
    "pin": post_actions.pin,
    "unpin": post_actions.unpin,
}


def _set_follow(*, reblogs: bool | None = None, notify: bool | None = None) -> Action:
    """Say how one follows somebody; who is not followed stays so."""

    def change(tx: Tx, _urls: Urls, account: int, target: int) -> None:
        relation_lists.set_follow(tx, account, target, reblogs=reblogs, notify=notify)

    return change


ON_ACCOUNTS: dict[str, Action] = {
    "follow": follow_actions.follow,
    "unfollow": follow_actions.unfollow,
    "accept": follow_actions.accept,
    "refuse": follow_actions.refuse,
    "remove": follow_actions.remove_follower,
    "block": moderation_actions.block,
    "unblock": moderation_actions.unblock,
    "mute": moderation_actions.mute,
    "unmute": moderation_actions.unmute,
    "show-boosts": _set_follow(reblogs=True),
    "hide-boosts": _set_follow(reblogs=False),
    "notify": _set_follow(notify=True),
    "stop-notify": _set_follow(notify=False),
}


def button(action: Action, message: str = "") -> Handler:
    """The handler that applies the action of a button, and leads back with that message."""

    async def pressed(request: Request) -> Response:
        return await _finish(request, await forms.read(request), action, message)

    return page(pressed)


async def vote(request: Request) -> Response:
    """Vote in a poll."""
    form = await forms.read(request)
    choices = form.lines("choice")

    def cast(tx: Tx, urls: Urls, account: int, post: int) -> None:
        reaction_actions.vote(tx, urls, account, post, choices)

    return await _finish(request, form, cast, "voted")


async def _finish(request: Request, form: forms.Form, action: Action, message: str) -> Response:
    site, number = site_of(request), request.path_params["n"]
    quotas.use(site, form.sender.account.id, "action")
    try:
        await site.db.write(action, site.urls, form.sender.account.id, number)
    except Invalid as error:
        return render(request, "error.html", 422, message=explain(request, error))
    return back(request, forms.own_path(form.line("next", 2000)), message)


ROUTES = [
    Route("/post/{n:number}/vote", page(vote), methods=["POST"]),
    Route("/reply/{n:number}/revoke", button(approval_actions.revoke, "reply-revoked"), methods=["POST"]),
    Route("/quote/{n:number}/revoke", button(quote_actions.revoke, "quote-revoked"), methods=["POST"]),
    *(Route(f"/post/{{n:number}}/{name}", button(action), methods=["POST"]) for name, action in ON_POSTS.items()),
    *(
        Route(f"/account/{{n:number}}/{name}", button(action, f"did-{name}"), methods=["POST"])
        for name, action in ON_ACCOUNTS.items()
    ),
]
