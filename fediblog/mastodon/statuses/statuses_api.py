"""Statuses to read: one, several, the thread around one, its source, its history, and who did what with it."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from fediblog.actions import quote_actions
from fediblog.actions.draft_of_post import source_of
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import NotFound
from fediblog.federation import quotas
from fediblog.markup.text import MARKDOWN, PLAIN
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import account_entity
from fediblog.mastodon.entities.base import emojis, moment
from fediblog.mastodon.entities.status_entity import Shown, attachment_of, content, statuses
from fediblog.mastodon.entity_context import EntityContext
from fediblog.protocol.previews import warning
from fediblog.store.id_paging import Window
from fediblog.store.posts import post_writing, posts, quotes, reaction_lists, threads
from fediblog.store.queues import background_fetches, poll_totals
from fediblog.store.tx import Tx

API = Table()
MOST = 40  # statuses that are asked for by number at a time
MOST_BELOW = 4096  # answers in one context


def find(tx: Tx, number: int, viewer: int) -> Shown:
    """The published post of that number, or the boost, if the viewer may see it. Raises NotFound."""
    found = several(tx, [number], viewer)
    if not found:
        raise NotFound()
    return found[0]


def subject(tx: Tx, number: int, viewer: int) -> Post:
    """The post that a number means: its own, or that of a boost of it. Raises NotFound."""
    return find(tx, number, viewer).post


def several(tx: Tx, numbers: Sequence[int], viewer: int) -> list[Shown]:
    """Those of the posts and boosts with these numbers that the viewer may see, in this order."""
    whole = posts.many(tx, numbers, viewer)
    passed_on = reaction_lists.boosts(tx, set(numbers) - set(whole), viewer)
    found = [whole.get(number) or passed_on.get(number) for number in dict.fromkeys(numbers)]
    shown = [Shown.of(each) for each in found if each is not None]
    return [each for each in shown if each.post.state == "published"]


def show(tx: Tx, context: EntityContext, number: int, viewer: int) -> Json:
    """The Status of that number. Raises NotFound."""
    return statuses(tx, context, [find(tx, number, viewer)], viewer)[0]


def text_of(post: Post) -> str:
    """What the author typed, with the title of an article as its first line."""
    return f"# {post.title}\n\n{source_of(post)}" if post.is_article and post.title else source_of(post)


def kind_of(post: Post) -> str:
    """The media type of what the author typed: Markdown or plain text."""
    return MARKDOWN if post.source is not None and post.source.media_type == MARKDOWN else PLAIN


def own(tx: Tx, number: int, account: int) -> Post:
    """A published post of the account's own. Raises NotFound."""
    post = subject(tx, number, account)
    if post.account.id != account:
        raise NotFound()
    return post


@API.get("/api/v1/statuses/{id}", scope="read:statuses", who="anybody", gives="Status", tier=1)
async def one(call: Call) -> Json:
    """A status."""
    found, due = await call.read(_one, call.context, call.number(), call.viewer)
    if due:
        await call.write(poll_totals.refresh, due)
    return found


def _one(tx: Tx, context: EntityContext, number: int, viewer: int) -> tuple[Json, list[int]]:
    """The status, and its number if its poll's totals are to be asked for again."""
    found = find(tx, number, viewer)
    return statuses(tx, context, [found], viewer)[0], poll_totals.stale(tx, [found.post]) if viewer else []


@API.get("/api/v1/statuses", scope="read:statuses", who="anybody", gives="Status[]", tier=1)
async def many(call: Call) -> list[Json]:
    """Several statuses, by id[]; at most 40."""
    numbers = call.params.numbers("id")[:MOST] or call.params.numbers("ids")[:MOST]
    return await call.read(_many, call.context, numbers, call.viewer)


def _many(tx: Tx, context: EntityContext, numbers: Sequence[int], viewer: int) -> list[Json]:
    return statuses(tx, context, several(tx, numbers, viewer), viewer)


@API.get("/api/v1/statuses/{id}/context", scope="read:statuses", who="anybody", gives="Context", tier=1)
async def context(call: Call) -> Json:
    """What a status answers, and all answers below it, each before its own: at most 40 and 4096.

    What is below an answer that was cut off is in the context of that answer.
    """
    found, due = await call.read(_context, call.context, call.number(), call.viewer)
    if due:  # what strangers answered was never delivered here
        await call.write(background_fetches.of_thread, due)
    return found


def _context(tx: Tx, context: EntityContext, number: int, viewer: int) -> tuple[Json, list[int]]:
    """The context, and the posts of other servers in whose threads answers may be missing."""
    post = subject(tx, number, viewer)
    above = threads.ancestors(tx, post, viewer)
    below = threads.descendants(tx, post, viewer, MOST_BELOW)
    found = statuses(tx, context, [*above, *below], viewer)
    due = background_fetches.threads_due(tx, {each.id for each in (post, *above[:1])}) if viewer else []
    return {"ancestors": found[: len(above)], "descendants": found[len(above) :]}, due


@API.get("/api/v1/statuses/{id}/source", scope="read:statuses", gives="StatusSource", tier=2)
async def source(call: Call) -> Json:
    """What the author typed, of a status of one's own."""
    return await call.read(_source, call.number(), call.account)


def _source(tx: Tx, number: int, account: int) -> Json:
    post = own(tx, number, account)
    text = {"text": text_of(post), "spoiler_text": warning(post), "content_type": kind_of(post)}
    return {"id": str(post.id), **text}


@API.get("/api/v1/statuses/{id}/history", scope="read:statuses", who="anybody", gives="StatusEdit[]", tier=2)
async def history(call: Call) -> list[Json]:
    """What a status said before each edit, and what it says now, which alone has its media.

    What it said to fewer people than now is not kept.
    """
    return await call.read(_history, call.context, call.number(), call.viewer)


def _history(tx: Tx, context: EntityContext, number: int, viewer: int) -> list[Json]:
    post = subject(tx, number, viewer)
    author = account_entity.accounts(tx, context, [post.account])[0]
    quote = statuses(tx, context, [post], viewer)[0]["quote"] if post.quote else None
    earlier = [
        (
            replace(post, title=each.title, summary=each.summary, warning=each.warning, content=each.content),
            each.at,
        )
        for each in post_writing.revisions(tx, post.id)
    ]
    versions = [*earlier, (post, post.updated or post.published or post.received)]
    found = [_edit(version, context.urls, at, author, quote) for version, at in versions]
    found[-1]["media_attachments"] = [attachment_of(each, context.urls, post) for each in post.attachments]
    return found


def _edit(post: Post, urls: Urls, at: int, author: Json, quote: Json | None) -> Json:
    edit: Json = {
        "content": content(post, urls),
        "spoiler_text": warning(post),
        "sensitive": post.sensitive,
        "created_at": moment(at),
        "account": author,
        "media_attachments": [],
        "emojis": emojis(post.emoji, urls),
    }
    if post.poll is not None:
        edit["poll"] = {"options": [{"title": option.name} for option in post.poll.options]}
    if quote is not None:  # which no edit changes
        edit["quote"] = quote
    return edit


@API.get("/api/v1/statuses/{id}/card", scope="read:statuses", who="anybody", tier=3)
async def card(call: Call) -> Json:
    """Nothing: there are no previews of links."""
    await call.read(subject, call.number(), call.viewer)
    return {}


@API.get("/api/v1/statuses/{id}/favourited_by", scope="read:accounts", who="anybody", gives="Account[]", tier=2)
async def favourited_by(call: Call) -> Reply:
    """Who likes a status; paged by the account."""
    found, numbers = await call.read(_favourited_by, call.context, call.number(), call.viewer, call.window(40, 80))
    return call.page(found, numbers)


def _favourited_by(
    tx: Tx, context: EntityContext, number: int, viewer: int, window: Window
) -> tuple[list[Json], list[int]]:
    return _people(tx, context, reaction_lists.likers(tx, subject(tx, number, viewer).id, viewer, window))


@API.get("/api/v1/statuses/{id}/reblogged_by", scope="read:accounts", who="anybody", gives="Account[]", tier=2)
async def reblogged_by(call: Call) -> Reply:
    """Who has boosted a status; paged by the boost."""
    found, numbers = await call.read(_reblogged_by, call.context, call.number(), call.viewer, call.window(40, 80))
    return call.page(found, numbers)


def _reblogged_by(
    tx: Tx, context: EntityContext, number: int, viewer: int, window: Window
) -> tuple[list[Json], list[int]]:
    return _people(tx, context, reaction_lists.boosters(tx, subject(tx, number, viewer).id, viewer, window))


def _people(tx: Tx, context: EntityContext, found: Sequence[tuple[int, Account]]) -> tuple[list[Json], list[int]]:
    return account_entity.accounts(tx, context, [account for _, account in found]), [number for number, _ in found]


@API.get("/api/v1/statuses/{id}/quotes", scope="read:statuses", who="anybody", gives="Status[]", tier=2)
async def quoted_by(call: Call) -> Reply:
    """The statuses that quote one of ours and that the reader may see."""
    found, numbers = await call.read(_quoted_by, call.context, call.number(), call.viewer, call.window())
    return call.page(found, numbers)


def _quoted_by(
    tx: Tx, context: EntityContext, number: int, viewer: int, window: Window
) -> tuple[list[Json], list[int]]:
    found = reaction_lists.quoting(tx, subject(tx, number, viewer).id, viewer, window)
    return statuses(tx, context, found, viewer), [post.id for post in found]


@API.post("/api/v1/statuses/{id}/quotes/{quoting}/revoke", scope="write:statuses", gives="Status", tier=3)
async def revoke(call: Call) -> Json:
    """Take back that a status may quote one's own."""
    quotas.use(call.site, call.account, "action")
    ids = (call.number(), call.number("quoting"))
    number = await call.write(_revoke, call.site.urls, call.account, *ids)
    return await call.read(show, call.context, number, call.account)


def _revoke(tx: Tx, urls: Urls, account: int, number: int, quoting_number: int) -> int:
    post, other = own(tx, number, account), subject(tx, quoting_number, account)
    given = quotes.of_post(tx, post.id, other.uri)
    if given is None:
        raise NotFound()
    quote_actions.revoke(tx, urls, account, given.id)
    return other.id
