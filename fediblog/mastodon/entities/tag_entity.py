"""Tag and FeaturedTag: hashtags as apps see them."""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.domain.accounts import Account
from fediblog.hashtags import key
from fediblog.mastodon.entities.base import Json, day
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.ids import number_of
from fediblog.store.posts import tags as stored
from fediblog.store.posts.tags import Featured
from fediblog.store.tx import Tx


def tags(tx: Tx, context: EntityContext, names: Sequence[str], viewer: int) -> list[Json]:
    """Tag entities with how they were used in the last seven days, in the order given."""
    keys = [key(name) for name in names]
    used = stored.history(tx, keys)
    followed, featured = stored.marked(tx, viewer, keys) if viewer else (set[str](), set[str]())
    today = tx.now // stored.DAY * stored.DAY
    days = [today - back * stored.DAY for back in range(stored.DAYS)]
    found: list[Json] = []
    for name, tag in zip(names, keys, strict=True):
        entity: Json = {
            "id": str(number_of(tag)),
            "name": name,
            "url": context.urls.tag(name),
            "history": [_day(at, *used[tag].get(at, (0, 0))) for at in days],
        }
        if viewer:
            entity |= {"following": tag in followed, "featuring": tag in featured}
        found.append(entity)
    return found


def _day(at: int, uses: int, people: int) -> Json:
    return {"day": str(at // 1000), "uses": str(uses), "accounts": str(people)}


def featured(context: EntityContext, account: Account, found: Sequence[Featured]) -> list[Json]:
    """FeaturedTag entities of an account."""
    return [
        {
            "id": str(each.number),
            "name": each.name,
            "url": context.urls.tag(each.name) if account.local else f"{account.url or account.uri}/tagged/{each.name}",
            "statuses_count": str(each.posts),
            "last_status_at": day(each.latest),
        }
        for each in found
    ]
