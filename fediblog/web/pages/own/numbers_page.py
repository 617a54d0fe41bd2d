"""The numbers of one's own account, and those of the server for its owner: plots, with a table beside each."""

from __future__ import annotations

from msgspec import Struct
from starlette.requests import Request
from starlette.responses import Response
from starlette.routing import Route

from fediblog.store.people import server_statistics
from fediblog.store.people.server_statistics import Week
from fediblog.store.readers import account_numbers
from fediblog.store.readers.account_numbers import AccountNumbers
from fediblog.store.tx import Tx
from fediblog.web import sessions
from fediblog.web.components.page_elements import day
from fediblog.web.components.plots import columns
from fediblog.web.components.render import render
from fediblog.web.languages import language_of, say
from fediblog.web.negotiation import site_of
from fediblog.web.sessions import CurrentUser, page


class Numbers(Struct, frozen=True, kw_only=True):
    """What the page shows; `weeks` of the whole server for its owner alone."""

    own: AccountNumbers
    weeks: list[Week]


async def numbers(request: Request) -> Response:
    """Followers over time, how far posts got, deliveries by server."""
    await sessions.ask_as(request, lambda _tx, _user: None)
    user = sessions.current_user(request)
    if user is None:
        raise sessions.SignInNeeded
    found, language = await site_of(request).db.scan(_numbers, user), language_of(request)
    followers, posts, weeks = found.own.followers, found.own.posts[::-1], found.weeks[::-1]
    return render(
        request,
        "numbers.html",
        numbers=found,
        counted=site_of(request).settings.count_visits,
        plots={
            "followers": columns(
                [total for _, total in followers],
                [day(language, begins) for begins, _ in followers],
                say(request, "numbers.followers"),
            ),
            "posts": columns(
                [each.servers for each in posts],
                [day(language, each.post.published or 0) for each in posts],
                say(request, "numbers.posts"),
            ),
            "weeks": columns(
                [each.posts for each in weeks],
                [day(language, each.begins) for each in weeks],
                say(request, "numbers.server"),
            ),
        },
    )


def _numbers(tx: Tx, user: CurrentUser) -> Numbers:
    return Numbers(
        own=account_numbers.of_account(tx, user.account.id), weeks=server_statistics.weeks(tx) if user.is_owner else []
    )


ROUTES = [Route("/numbers", page(numbers))]
