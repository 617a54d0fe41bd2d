"""The buttons: what one does to a post or an account with one press, and where one is then."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
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
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.federation import quotas
from fediblog.messages import text
from fediblog.store.people import accounts, post_preferences, relation_lists
from fediblog.store.posts import custom_emoji, posts
from fediblog.store.posts.custom_emoji import OwnEmoji
from fediblog.store.tx import Tx
from fediblog.web import forms
from fediblog.web.components.action_bar import EMOJI, Reader, foot
from fediblog.web.components.page_links import Links
from fediblog.web.components.render import PRIVATE, back, forms_token, render
from fediblog.web.languages import explain, language_of
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, Handler, ask_as, page

Action = Callable[[Tx, Urls, int, int], object]

ON_POSTS: dict[str, Action] = {
    "like": reaction_actions.like,
    "unlike": reaction_actions.unlike,
    "boost": reaction_actions.boost,
    "unboost": reaction_actions.unboost,
    "unreact": reaction_actions.unreact,
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

TAKEN_BACK = {"did-mute": "unmute", "did-block": "unblock"}
"""By what is said of a button about an account that hides its posts: the button that shows them again."""


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


async def react(request: Request) -> Response:
    """Set an emoji beside a post."""
    form = await forms.read(request)
    emoji = form.line("emoji", 100)

    def set_emoji(tx: Tx, urls: Urls, account: int, post: int) -> None:
        reaction_actions.react(tx, urls, account, post, emoji)

    return await _finish(request, form, set_emoji, "")


async def emoji_page(request: Request) -> Response:
    """The emoji that one may set beside a post, those of this server among them, and a field for any other."""
    post, custom = await ask_as(request, _emoji_for, request.path_params["n"])
    back_to = forms.own_path(request.headers.get("referer", "").removeprefix(site_of(request).urls.origin), "")
    return render(request, "react.html", to_read=True, post=post, choice=EMOJI, custom=custom, back=back_to)


def _emoji_for(tx: Tx, user: CurrentUser, number: int) -> tuple[Post, list[OwnEmoji]]:
    return reaction_actions.seen(tx, user.account.id, number), custom_emoji.offered(tx)


async def take_back(request: Request) -> Response:
    """Make a draft again of a post that has not left yet; of one that has, offer to delete it."""
    site, form = site_of(request), await forms.read(request)
    account, number = form.sender.account.id, request.path_params["n"]
    try:
        await site.db.write(post_actions.take_back, account, number)
    except Invalid:
        post = await site.db.read(posts.stored, number)
        if post is None or post.account.id != account:
            raise NotFound from None
        keeps = (await site.db.read(post_preferences.defaults, account)).trash
        return render(request, "delete.html", 409, post=post, keeps=keeps, late=True)
    return back(request, f"/write/{number}", "taken-back")


async def _finish(request: Request, form: forms.Form, action: Action, message: str) -> Response:
    """Do it, and lead back to the place on the page where the button is.

    A script gets the foot of the post anew, or what is said of the account.
    """
    site, number, user = site_of(request), request.path_params["n"], form.sender
    quotas.use(site, user.account.id, "action")
    in_place = request.headers.get("accept") == "application/json"
    place = forms.own_path(form.line("next", 2000))
    try:
        await site.db.write(action, site.urls, user.account.id, number)
    except Invalid as error:
        said = explain(request, error)
        if in_place:
            return JSONResponse({"problem": said}, 422, headers={"Cache-Control": PRIVATE})
        return render(request, "error.html", 422, message=said)
    if in_place and message.startswith("did-"):
        told = await _told(request, number, message, user)
        return JSONResponse(told, headers={"Cache-Control": PRIVATE})
    post = await site.db.read(posts.get, number, user.account.id) if in_place else None
    if post is None:
        return back(request, place, message)
    links = Links.of(site.urls, True)
    reader = Reader.at(place.partition("#")[0], links, user.account.id, forms_token(user))
    shown = foot(language_of(request), post, reader)
    return JSONResponse({"foot": shown}, headers={"Cache-Control": PRIVATE})


async def _told(request: Request, number: int, message: str, user: CurrentUser) -> dict[str, str]:
    """In JSON, what is said of an account after a button: `told`, and where that can be undone the form `undo`."""
    language, undo = language_of(request), TAKEN_BACK.get(message)
    told = {"told": text(language, f"flash.{message}")}
    account = await site_of(request).db.read(accounts.get, number)
    if undo is not None and account is not None:
        name = f"{escape(text(language, f'people.{undo}'))} <bdi>{escape(account.shown_name)}</bdi>"
        fields = f'<input type="hidden" name="csrf" value="{escape(forms_token(user))}">'
        start = f'<form method="post" action="/account/{number}/{undo}">{fields}'
        told["undo"] = f'{start}<button class="button">{name}</button></form>'
    return told


ROUTES = [
    Route("/post/{n:number}/take-back", page(take_back), methods=["POST"]),
    Route("/post/{n:number}/react", page(emoji_page), methods=["GET"]),
    Route("/post/{n:number}/react", page(react), methods=["POST"]),
    Route("/post/{n:number}/vote", page(vote), methods=["POST"]),
    Route("/reply/{n:number}/revoke", button(approval_actions.revoke, "reply-revoked"), methods=["POST"]),
    Route("/quote/{n:number}/revoke", button(quote_actions.revoke, "quote-revoked"), methods=["POST"]),
    *(Route(f"/post/{{n:number}}/{name}", button(action), methods=["POST"]) for name, action in ON_POSTS.items()),
    *(
        Route(f"/account/{{n:number}}/{name}", button(action, f"did-{name}"), methods=["POST"])
        for name, action in ON_ACCOUNTS.items()
    ),
]
