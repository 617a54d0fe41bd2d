"""A wave of spam: what new accounts elsewhere sent to ours, by server and text, and removed in one go."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.actions import wave_actions
from fediblog.domain.posts import Post
from fediblog.protocol.previews import unfolded
from fediblog.store.readers import moderation_log, spam_waves
from fediblog.store.readers.moderation_log import LogEntry
from fediblog.store.tx import Tx
from fediblog.web.components.render import back, render
from fediblog.web.negotiation import site_of
from fediblog.web.pages.admin_pages import check_owner, owners_form
from fediblog.web.sessions import CurrentUser, ask_as, page

PATH = "/moderation/wave"
HOURS = (6, 24, 72)
MOST = 150  # posts at a time: each is a field of the form
_HOUR = 3_600_000


class WaveGroup(Struct, frozen=True):
    """Posts of one server that say the same; mentions are no part of `words`."""

    host: str
    words: str
    posts: Sequence[Post]


async def show(request: Request) -> Response:
    """What new accounts sent, with the boxes ticked if all of it is asked for."""
    asked = request.query_params
    hours = next((each for each in HOURS if str(each) == asked.get("hours")), HOURS[1])
    groups, log = await ask_as(request, _recent, hours)
    return render(
        request,
        "wave.html",
        groups=groups,
        log=log,
        hours=hours,
        choices=HOURS,
        ticked=asked.get("all") == "1",
        total=sum(len(each.posts) for each in groups),
        most=MOST,
    )


def _recent(tx: Tx, user: CurrentUser, hours: int) -> tuple[list[WaveGroup], list[LogEntry]]:
    check_owner(user)
    found = spam_waves.recent(tx, user.account.id, tx.now - hours * _HOUR, MOST)
    waves = [each for each in moderation_log.latest(tx) if each.action == "wave"]
    return grouped(found), waves[:3]


def grouped(found: Sequence[Post]) -> list[WaveGroup]:
    """The posts by server and text, the largest group first."""
    groups: dict[tuple[str, str], list[Post]] = {}
    for post in found:
        words = " ".join(word for word in unfolded(post, 400).split() if not word.startswith("@"))
        groups.setdefault((post.account.domain, words), []).append(post)
    made = [WaveGroup(host, words, posts) for (host, words), posts in groups.items()]
    return sorted(made, key=lambda each: (-len(each.posts), each.host))


async def remove(request: Request) -> Response:
    """Say what removing the chosen posts means; with `sure` do it."""
    site, form = site_of(request), await owners_form(request)
    by, suspend, block = form.sender.account.id, form.flag("suspend"), form.flag("block")
    wanted = await site.db.read(wave_actions.plan, by, form.numbers("post")[:MOST], suspend=suspend, block=block)
    if not wanted.posts:
        return back(request, PATH, "wave-none")
    if not form.flag("sure"):
        return render(request, "wave-sure.html", plan=wanted, suspend=suspend, block=block)
    await site.db.write(wave_actions.remove, site.urls, by, wanted)
    return back(request, PATH, "wave-removed")


async def take_back(request: Request) -> Response:
    """Undo one decision."""
    site, form = site_of(request), await owners_form(request)
    await site.db.write(wave_actions.take_back, site.urls, form.sender.account.id, request.path_params["n"])
    return back(request, PATH, "wave-taken-back")


ROUTES = [
    Route(PATH, page(show), methods=["GET"]),
    Route(PATH, page(remove), methods=["POST"]),
    Route("/moderation/log/{n:number}/undo", page(take_back), methods=["POST"]),
]
