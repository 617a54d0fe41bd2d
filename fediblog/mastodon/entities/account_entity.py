"""Account, CredentialAccount, Relationship: people as apps see them."""

from __future__ import annotations

from collections.abc import Collection, Sequence

from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import ProfileField
from fediblog.mastodon.entities.base import Json, day, emojis, maybe_moment, midnight
from fediblog.mastodon.entity_context import EntityContext
from fediblog.store.people import account_counts, logins, post_preferences, relation_lists
from fediblog.store.people import accounts as stored
from fediblog.store.tx import Tx

_ALL = (1 << 21) - 1  # every permission that a role can have in Mastodon
FRESH = 60_000  # ms for which the numbers beside a name may be those of before


def accounts(tx: Tx, context: EntityContext, found: Sequence[Account]) -> list[Json]:
    """Account entities, in the order given."""
    totals = totals_of(tx, context, {each.id for each in found})
    moved = _moved(tx, context, found)
    return [shape(context, each, totals[each.id], moved.get(each.moved_to)) for each in found]


def by_number(tx: Tx, context: EntityContext, numbers: Collection[int]) -> dict[int, Json]:
    """Account entities by the account's number; those that are not there are left out."""
    found = list(stored.many(tx, numbers).values())
    return {each.id: entity for each, entity in zip(found, accounts(tx, context, found), strict=True)}


def one(tx: Tx, context: EntityContext, account: Account) -> Json:
    """The Account entity of one account, its numbers counted now."""
    totals = account_counts.totals(tx, [account.id])
    context.counts.put(account.id, totals[account.id], tx.now)
    return accounts(tx, context, [account])[0]


def totals_of(tx: Tx, context: EntityContext, numbers: Collection[int]) -> dict[int, account_counts.Totals]:
    """The numbers beside the names of these accounts, at most so old."""
    known = context.counts.get_all(numbers, tx.now - FRESH)
    missing = [number for number in numbers if number not in known]
    counted = account_counts.totals(tx, missing) if missing else {}
    for number, totals in counted.items():
        context.counts.put(number, totals, tx.now)
    return known | counted


def _moved(tx: Tx, context: EntityContext, found: Sequence[Account]) -> dict[str, Json]:
    uris = {each.moved_to for each in found if each.moved_to}
    targets = stored.by_uris(tx, uris) if uris else {}
    numbers = totals_of(tx, context, {each.id for each in targets.values()})
    return {uri: shape(context, each, numbers[each.id], None) for uri, each in targets.items()}


def acct(account: Account) -> str:
    """`name` of one of ours, `name@domain` of others."""
    return account.handle if account.local else account.acct


def shape(context: EntityContext, account: Account, totals: account_counts.Totals, moved: Json | None) -> Json:
    """The Account entity of what is known of an account."""
    followers, following, posts, latest = totals
    if account.state != "active":
        account, moved = _bare(account), None
    owner = f"a{account.id}"
    avatar = context.urls.copy(owner, account.icon.url) if account.icon else context.avatar
    header = context.urls.copy(owner, account.image.url) if account.image else context.header
    entity: Json = {
        "id": str(account.id),
        "username": account.handle,
        "acct": acct(account),
        "display_name": account.name,
        "locked": account.locked,
        "bot": account.kind in ("Service", "Application"),
        "discoverable": account.discoverable,
        "indexable": account.indexable,
        "group": account.kind == "Group",
        "created_at": midnight(account.published if account.published is not None else account.created),
        "note": account.summary,
        "url": account.url or account.uri,
        "uri": account.uri,
        "avatar": avatar,
        "avatar_static": avatar,
        "avatar_description": account.icon.alt if account.icon else "",
        "header": header,
        "header_static": header,
        "header_description": account.image.alt if account.image else "",
        "followers_count": followers,
        "following_count": following,
        "statuses_count": posts,
        "last_status_at": day(latest),
        "hide_collections": False,
        "noindex": not account.is_findable,
        "emojis": emojis(account.emoji, context.urls),
        "roles": [],
        "fields": [_field(each.name, each.value, each) for each in account.fields],
    }
    if moved is not None:
        entity["moved"] = moved
    if account.state == "suspended":
        entity["suspended"] = True
    if account.limited:
        entity["limited"] = True
    if account.memorial:
        entity["memorial"] = True
    return entity


def _field(name: str, value: str, shown: ProfileField) -> Json:
    return {"name": name, "value": value, "verified_at": maybe_moment(shown.verified)}


def _fields_source(account: Account) -> list[Json]:
    """The fields as they were typed."""
    return [_field(*typed, shown) for typed, shown in zip(account.fields_source, account.fields, strict=False)]


def _bare(account: Account) -> Account:
    """The Account entity without all but the name, of one who is suspended or deleted, as Mastodon does it."""
    return replace(
        account,
        name="",
        summary="",
        fields=(),
        emoji=(),
        icon=None,
        image=None,
        locked=False,
        discoverable=False,
        kind="Group" if account.kind == "Group" else "Person",
    )


def credential(tx: Tx, context: EntityContext, account: Account) -> Json:
    """CredentialAccount: the account of the token, with what only its owner may see."""
    wanted = post_preferences.defaults(tx, account.id)
    login = logins.get(tx, account.login) if account.login is not None else None
    source = {
        "privacy": wanted.visibility,
        "sensitive": wanted.sensitive,
        "language": account.language or None,
        "quote_policy": wanted.quotes,
        "note": account.summary_source,
        "fields": _fields_source(account),
        "follow_requests_count": relation_lists.requests_total(tx, account.id),
        "hide_collections": False,
        "discoverable": account.discoverable,
        "indexable": account.indexable,
        "attribution_domains": list(account.attribution_domains),
    }
    return one(tx, context, account) | {"source": source, "role": role(login.role if login else "")}


def role(name: str) -> Json:
    """Role of a login: owners look after the server, and may do everything that the API knows of."""
    if name == "owner":
        return {"id": "3", "name": "Owner", "permissions": str(_ALL), "color": "", "highlighted": True}
    return {"id": "-99", "name": "", "permissions": "0", "color": "", "highlighted": False}


def profile(context: EntityContext, account: Account, tags: list[Json]) -> Json:
    """Profile: what its owner can change of it, as it was written."""
    avatar, header = account.icon, account.image
    return {
        "id": str(account.id),
        "display_name": account.name,
        "note": account.summary_source,
        "fields": _fields_source(account),
        "avatar": avatar.url if avatar else None,
        "avatar_static": avatar.url if avatar else None,
        "avatar_description": avatar.alt if avatar else "",
        "header": header.url if header else None,
        "header_static": header.url if header else None,
        "header_description": header.alt if header else "",
        "locked": account.locked,
        "bot": account.kind in ("Service", "Application"),
        "hide_collections": False,
        "discoverable": account.discoverable,
        "indexable": account.indexable,
        "show_media": True,
        "show_media_replies": True,
        "show_featured": True,
        "attribution_domains": list(account.attribution_domains),
        "featured_tags": tags,
    }


def relationships(tx: Tx, viewer: int, numbers: Sequence[int]) -> list[Json]:
    """Relationship entities of the viewer to these accounts, in the order given."""
    bonds = account_counts.bonds(tx, viewer, numbers)
    return [_relationship(number, bonds[number]) for number in numbers if number in bonds]


def _relationship(number: int, bond: account_counts.AccountRelation) -> Json:
    return {
        "id": str(number),
        "following": bond.following,
        "showing_reblogs": bond.following and bond.reblogs,
        "notifying": bond.following and bond.notify,
        "languages": bond.languages.split() or None,
        "followed_by": bond.followed_by,
        "blocking": bond.blocking,
        "blocked_by": bond.blocked_by,
        "muting": bond.muting,
        "muting_notifications": bond.muting and bond.muting_notices,
        "muting_expires_at": maybe_moment(bond.muted_until) if bond.muting else None,
        "requested": bond.requested,
        "requested_by": bond.requested_by,
        "domain_blocking": bond.host_muted,
        "endorsed": bond.endorsed,
        "note": bond.note,
    }
