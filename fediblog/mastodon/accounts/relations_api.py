"""What one account is to others: follow, block, mute, note, endorse, and whole servers that one does not want."""

from __future__ import annotations

import re
from collections.abc import Callable

from fediblog.actions import follow_actions, moderation_actions
from fediblog.domain.urls import Urls
from fediblog.errors import Forbidden, Invalid
from fediblog.federation import quotas
from fediblog.mastodon.accounts.accounts_api import find, people
from fediblog.mastodon.calls import Call, Json, Reply
from fediblog.mastodon.endpoint_table import Table
from fediblog.mastodon.entities import account_entity
from fediblog.mastodon.entities.base import maybe_moment
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.id_paging import Window
from fediblog.store.people import relation_lists, relations
from fediblog.store.people.relation_lists import ListedAccount
from fediblog.store.tx import Tx

API = Table()
NOTE_LIMIT = 2_000  # characters
LONGEST_MUTE = 100 * 366 * 86_400  # seconds
MOST_AT_ONCE = 200
_LANGUAGE = re.compile(r"[a-z]{2,3}\Z")
Action = Callable[[Tx, Urls, int, int], object]
Source = Callable[[Tx, int, Window], list[ListedAccount]]


@API.get("/api/v1/accounts/relationships", scope="read:follows", gives="Relationship[]", tier=1)
async def relationships(call: Call) -> list[Json]:
    """What one is to these accounts."""
    numbers = list(dict.fromkeys(call.params.numbers("id")))[:MOST_AT_ONCE]
    return await call.read(account_entity.relationships, call.account, numbers)


@API.get("/api/v1/accounts/familiar_followers", scope="read:follows", gives="FamiliarFollowers[]", tier=1)
async def familiar_followers(call: Call) -> list[Json]:
    """Who follows these accounts of those whom one follows oneself."""
    numbers = list(dict.fromkeys(call.params.numbers("id")))[:MOST_AT_ONCE]
    return await call.read(_familiar, call.context, call.account, numbers)


def _familiar(tx: Tx, context: EntityContext, viewer: int, numbers: list[int]) -> list[Json]:
    known = relation_lists.mutual(tx, viewer, numbers)
    everybody = {each.id: each for found in known.values() for each in found}
    shown = dict(zip(everybody, account_entity.accounts(tx, context, list(everybody.values())), strict=True))
    return [{"id": str(number), "accounts": [shown[each.id] for each in known.get(number, ())]} for number in numbers]


async def _do(call: Call, action: Action) -> Json:
    """Apply an action to the account in the path, and answer with the Relationship to it."""
    quotas.use(call.site, call.account, "action")
    return await call.write(_done, call.site.urls, call.account, call.number(), action)


def _done(tx: Tx, urls: Urls, account: int, target: int, action: Action) -> Json:
    find(tx, target)
    action(tx, urls, account, target)
    return account_entity.relationships(tx, account, [target])[0]


@API.post("/api/v1/accounts/{id}/follow", scope="write:follows", gives="Relationship")
async def follow(call: Call) -> Json:
    """Follow, or say anew how: with boosts (`reblogs`), with a notice of each post (`notify`), in which `languages`."""
    reblogs, notify = call.params.maybe_flag("reblogs"), call.params.maybe_flag("notify")
    spoken = call.params.texts("languages") if call.params.has("languages") else None
    languages = None if spoken is None else [_language(each) for each in spoken if each][:20]

    def action(tx: Tx, urls: Urls, account: int, target: int) -> None:
        if find(tx, target).state != "active":
            raise Forbidden("api.suspended")
        follow_actions.follow(tx, urls, account, target)
        relation_lists.set_follow(tx, account, target, reblogs=reblogs, notify=notify, languages=languages)

    return await _do(call, action)


def _language(name: str) -> str:
    main = name.partition("-")[0].partition("_")[0].lower()
    if not _LANGUAGE.match(main):
        raise Invalid("languages", "error.language")
    return main


@API.post("/api/v1/accounts/{id}/unfollow", scope="write:follows", gives="Relationship")
async def unfollow(call: Call) -> Json:
    """Follow no more."""
    return await _do(call, follow_actions.unfollow)


@API.post("/api/v1/accounts/{id}/block", scope="write:blocks", gives="Relationship")
async def block(call: Call) -> Json:
    """Block."""
    return await _do(call, moderation_actions.block)


@API.post("/api/v1/accounts/{id}/unblock", scope="write:blocks", gives="Relationship")
async def unblock(call: Call) -> Json:
    """Block no more."""
    return await _do(call, moderation_actions.unblock)


@API.post("/api/v1/accounts/{id}/mute", scope="write:mutes", gives="Relationship")
async def mute(call: Call) -> Json:
    """Mute, for `duration` seconds or for good, with their notices unless `notifications` is false."""
    seconds, notices = call.params.number("duration") or 0, call.params.flag("notifications", True)

    def action(tx: Tx, urls: Urls, account: int, target: int) -> None:
        until = tx.now + min(seconds, LONGEST_MUTE) * 1000 if seconds else None
        moderation_actions.mute(tx, urls, account, target, until, notices=notices)

    return await _do(call, action)


@API.post("/api/v1/accounts/{id}/unmute", scope="write:mutes", gives="Relationship")
async def unmute(call: Call) -> Json:
    """Mute no more."""
    return await _do(call, moderation_actions.unmute)


@API.post("/api/v1/accounts/{id}/note", scope="write:accounts", gives="Relationship")
async def note(call: Call) -> Json:
    """Keep a private remark about an account."""
    comment = call.params.text("comment").strip()
    if len(comment) > NOTE_LIMIT:
        raise Invalid("comment", "api.too-long", n=NOTE_LIMIT)

    def action(tx: Tx, _urls: Urls, account: int, target: int) -> None:
        relation_lists.set_note(tx, account, target, comment)

    return await _do(call, action)


@API.post("/api/v1/accounts/{id}/remove_from_followers", scope="write:follows", gives="Relationship")
async def remove_from_followers(call: Call) -> Json:
    """Have somebody follow one no more."""
    return await _do(call, _remove)


def _remove(tx: Tx, urls: Urls, account: int, target: int) -> None:
    if relations.follow(tx, target, account) is not None:
        follow_actions.remove_follower(tx, urls, account, target)


@API.post(
    "/api/v1/accounts/{id}/endorse",
    "/api/v1/accounts/{id}/pin",
    scope="write:accounts",
    gives="Relationship",
    tier=3,
)
async def endorse(call: Call) -> Json:
    """Show somebody whom one follows on one's profile."""
    return await _do(call, _endorse)


def _endorse(tx: Tx, _urls: Urls, account: int, target: int) -> None:
    if not relations.is_following(tx, account, target):
        raise Invalid("id", "api.not-following")
    relation_lists.endorse(tx, account, target)


@API.post(
    "/api/v1/accounts/{id}/unendorse",
    "/api/v1/accounts/{id}/unpin",
    scope="write:accounts",
    gives="Relationship",
    tier=3,
)
async def unendorse(call: Call) -> Json:
    """Show somebody on one's profile no more."""
    return await _do(call, lambda tx, _urls, account, target: relation_lists.unendorse(tx, account, target))


async def _listed(call: Call, source: Source) -> Reply:
    return call.page(*await call.read(_page, call.context, call.account, call.window(40, 80), source))


def _page(tx: Tx, context: EntityContext, account: int, window: Window, source: Source) -> tuple[list[Json], list[int]]:
    found = source(tx, account, window)
    return people(tx, context, found), [each.mark for each in found]


@API.get("/api/v1/blocks", scope="read:blocks", gives="Account[]", tier=3)
async def blocks(call: Call) -> Reply:
    """Whom one blocks."""
    return await _listed(call, relation_lists.blocked)


@API.get("/api/v1/mutes", scope="read:mutes", gives="MutedAccount[]", tier=3)
async def mutes(call: Call) -> Reply:
    """Whom one mutes, and until when."""
    return call.page(*await call.read(_mutes, call.context, call.account, call.window(40, 80)))


def _mutes(tx: Tx, context: EntityContext, account: int, window: Window) -> tuple[list[Json], list[int]]:
    found = relation_lists.muted(tx, account, window)
    shown = zip(people(tx, context, found), found, strict=True)
    ends = [entity | {"mute_expires_at": maybe_moment(each.until)} for entity, each in shown]
    return ends, [each.mark for each in found]


@API.get("/api/v1/endorsements", scope="read:accounts", gives="Account[]", tier=3)
async def endorsements(call: Call) -> Reply:
    """Whom one shows on one's profile."""
    return await _listed(call, relation_lists.endorsed)


@API.get("/api/v1/follow_requests", scope="read:follows", gives="Account[]")
async def follow_requests(call: Call) -> Reply:
    """Who asks to follow."""
    return await _listed(call, relation_lists.requests)


@API.post("/api/v1/follow_requests/{id}/authorize", scope="write:follows", gives="Relationship")
async def authorize(call: Call) -> Json:
    """Let somebody follow who asked."""
    return await _do(call, follow_actions.accept)


@API.post("/api/v1/follow_requests/{id}/reject", scope="write:follows", gives="Relationship")
async def reject(call: Call) -> Json:
    """Let somebody not follow who asked."""
    return await _do(call, follow_actions.refuse)


@API.get("/api/v1/domain_blocks", scope="read:blocks", gives="Domain[]", tier=3)
async def domain_blocks(call: Call) -> Reply:
    """Servers whose people one does not want to see."""
    found = await call.read(relation_lists.muted_hosts, call.account, call.window(100, 200))
    return call.page([host for _, host in found], [number for number, _ in found])


@API.get("/api/v1/domain_blocks/preview", scope="read:blocks", gives="DomainBlockPreview", tier=3)
async def preview_domain(call: Call) -> Json:
    """Whom one follows at a server, and who follows from there: these follows would end."""
    following, followers = await call.read(
        moderation_actions.preview_host, call.site.urls, call.account, call.params.text("domain")
    )
    return {"following_count": following, "followers_count": followers}


@API.post("/api/v1/domain_blocks", scope="write:blocks", tier=3)
async def block_domain(call: Call) -> None:
    """See nobody of a server any more; follows between them and oneself end, and none begins."""
    quotas.use(call.site, call.account, "action")
    await call.write(moderation_actions.mute_host, call.site.urls, call.account, call.params.text("domain"))


@API.delete("/api/v1/domain_blocks", scope="write:blocks", tier=3)
async def unblock_domain(call: Call) -> None:
    """See the people of a server again."""
    await call.write(moderation_actions.unmute_host, call.site.urls, call.account, call.params.text("domain"))
