"""Lists of statuses as the bytes that are sent, put together from what is remembered of each post.

Remembered is the JSON of what `status_entity.fixed` says, together with all rows that it was made of: as long as these
are the same, so is the JSON. What changes without the post (totals, the author's profile, the reader's own marks) is
asked for each time and put in. Posts with a poll or a quote and the reader's own answers, of which there are few, are
made as everywhere else.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence, Set
from functools import cache

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.mastodon.calls import encode
from fediblog.mastodon.entities import account_entity, filter_entity
from fediblog.mastodon.entities.base import Json
from fediblog.mastodon.entities.status_entity import (
    Quoters,
    RelatedData,
    Shown,
    fixed,
    names_some,
    passed_on,
    quote_approval,
    quote_policy,
    standing,
    statuses,
)
from fediblog.mastodon.entity_context import CachedPost, EntityContext
from fediblog.store.json_columns import policy_from
from fediblog.store.people import accounts, relations
from fediblog.store.posts import post_extras, posts, timelines
from fediblog.store.posts.post_extras import AccountRow
from fediblog.store.posts.timelines import Entry
from fediblog.store.readers import filter_matching
from fediblog.store.readers.filter_matching import FilterMatcher
from fediblog.store.tx import Row, Tx

_BOOL = (b"false", b"true")
_TOTALS = b'"replies_count":%d,"reblogs_count":%d,"favourites_count":%d,"quotes_count":%d'
_LIVING = b'%b,"account":%b,' + _TOTALS + b',"quote_approval":%b%b'
_MARKS = b',"favourited":%b,"reblogged":%b,"bookmarked":%b,"muted":%b,"filtered":%b%b'
_PINNED = (b',"pinned":false', b',"pinned":true')
_ROW = 2  # columns of a timeline's row before those of the post


class _Page(Struct):
    """All that one list is made of; the totals by number of the post."""

    context: EntityContext
    viewer: int
    people: dict[int, bytes]
    matcher: FilterMatcher
    kept: dict[int, CachedPost]
    totals: tuple[dict[int, int], ...]  # answers, boosts, likes, quotes
    followed: set[int]  # authors, see `Beside`
    choosy: dict[int, Account]  # authors who let only some quote them
    marks: tuple[dict[int, int], ...]  # liked, boosted, kept, and of threads: muted


def listed(tx: Tx, context: EntityContext, rows: Sequence[Entry], viewer: int) -> bytes:
    """Status[] of a timeline, as `viewer` (0: anybody) sees them."""
    plain: list[Entry] = []
    rest: list[Entry] = []
    for row in rows:  # the author of an answer sees whether it was approved
        own_answer = row.account == viewer and row.in_reply_to
        (rest if row.poll is not None or row.quote or own_answer else plain).append(row)
    page = _gather(tx, context, plain, viewer) if plain else None
    other = dict(zip((row.item for row in rest), _made(tx, context, rest, viewer), strict=True))
    pieces = [other[row.item] if page is None or row.item in other else _status(page, row) for row in rows]
    return b"[%b]" % b",".join(pieces)


def _made(tx: Tx, context: EntityContext, rows: Sequence[Entry], viewer: int) -> list[bytes]:
    """The statuses as JSON, made anew, one for each row in the order given."""
    if not rows:
        return []
    shown = [Shown.of(each) for each in timelines.whole(tx, rows, viewer)]
    return [encode(entity) for entity in statuses(tx, context, shown, viewer)]


def _gather(tx: Tx, context: EntityContext, rows: Sequence[Entry], viewer: int) -> _Page:
    by_number = {row.id: row for row in rows}
    found = post_extras.extras_of(tx, list(by_number.values()), viewer)
    authors = {row.account for row in rows} | {row.booster for row in rows if row.booster is not None}
    faces = post_extras.faces(tx, sorted(authors))
    rejected = {number for number, face in faces.items() if face.media_rejected}
    parents = posts.authors_of(tx, {row.parent for row in rows if row.parent is not None}, viewer)
    choosy = {
        row.account
        for row in rows
        if row.quotable == "followers" or (row.policy and names_some(policy_from(row.policy)))
    }
    return _Page(
        context=context,
        viewer=viewer,
        people=_people(tx, context, faces),
        matcher=filter_matching.matcher(tx, viewer),
        kept=_remembered(context, by_number, found, parents, rejected),
        followed=relations.following_among(tx, viewer, choosy),
        choosy=accounts.many(tx, choosy) if choosy else {},
        totals=tuple(found.counts(what) for what in ("comment", "boost", "like", "quote")),
        marks=tuple(found.counts(what) for what in ("liked", "boosted", "kept", "muted")),
    )


def _people(tx: Tx, context: EntityContext, faces: Mapping[int, AccountRow]) -> dict[int, bytes]:
    """Account entities as JSON. Of those who moved, the other account is a part, so they are made each time."""
    totals = account_entity.totals_of(tx, context, faces.keys())
    known = context.people.get_all(faces)
    made: dict[int, bytes] = {}
    for number, face in faces.items():
        kept = known.get(number)
        if kept is not None and kept[1] == totals[number] and kept[0] == face and not face.moved_to:
            made[number] = kept[2]
    new = [number for number in faces if number not in made]
    if new:
        for number, entity in account_entity.by_number(tx, context, new).items():
            made[number] = encode(entity)
            context.people.put(number, (faces[number], totals[number], made[number]))
    return made


def _remembered(
    context: EntityContext,
    rows: Mapping[int, Row],
    found: post_extras.PostExtras,
    parents: Mapping[int, int],
    rejected: Set[int],
) -> dict[int, CachedPost]:
    """By number; of the accounts among `rejected` without their media."""
    kept = context.posts.get_all(rows)
    for number, row in rows.items():
        known, own, above = kept.get(number), tuple(row)[_ROW:], parents.get(row.parent or 0)
        is_rejected = row.account in rejected
        parts = found.parts(number, linked=is_rejected)
        if is_rejected:
            own = (*own, 1)  # so that nothing is taken for it that was made before
        if known is None or known.row != own or known.parts != parts or known.above != above:
            post = posts.bare(row, parts, rejected=is_rejected)
            entity = fixed(context, post, RelatedData(accounts=_named(parts[0] or ()), parents=parents))
            head = encode(entity | {"poll": None, "quote": None})[:-1]
            kept[number] = CachedPost(row=own, parts=parts, above=above, entity=entity, head=head)
            context.posts.put(number, kept[number], weight=3 * len(head) + 6000)
    return kept


def _named(mentions: Sequence[Row]) -> dict[int, Json]:
    """Of the accounts that a post names, what its mentions say."""
    return {
        row.account: {
            "id": str(row.account),
            "username": row.handle,
            "url": row.url or row.uri,
            "acct": row.handle if row.local else f"{row.handle}@{row.domain}",
            "uri": row.uri,
        }
        for row in mentions
    }


def _status(page: _Page, row: Entry) -> bytes:
    kept, number = page.kept[row.id], row.id
    answers, boosts, likes, quotes = page.totals
    end = _marks(page, row, kept) if page.viewer else b""
    values = (
        max(answers.get(number, 0), row.replies_told or 0),
        max(boosts.get(number, 0), row.boosts_told or 0),
        max(likes.get(number, 0), row.likes_told or 0),
        quotes.get(number, 0),
        _approval(
            _quotable(row, page) if row.policy else _quotable_here(row.local, row.visibility, row.quotable),
            standing(page.viewer, row.account, page.followed),
        ),
    )
    inner = _LIVING % (kept.head, page.people[row.account], *values, end) + b"}"
    if row.booster is None:
        return inner
    changed = passed_on(page.context, row.item, row.item >> 20, row.url or row.uri)
    over = {name: value for name, value in kept.entity.items() if name not in changed and name != "reblog"}
    outer = _LIVING % (encode(over | changed)[:-1], page.people[row.booster], *values, end)
    return b'%b,"reblog":%b}' % (outer, inner)


def _quotable(row: Row, page: _Page) -> Quoters:
    author = page.choosy.get(row.account)
    return quote_policy(row.local, row.visibility, row.quotable, policy_from(row.policy), author)


@cache
def _quotable_here(local: int, visibility: str, quotable: str) -> Quoters:
    """Who may quote a post of ours, or one of another server that came without a policy."""
    return quote_policy(bool(local), visibility, quotable, None, None)


@cache
def _approval(quoters: Quoters, viewer: str) -> bytes:
    return encode(quote_approval(quoters, viewer))


def _marks(page: _Page, row: Row, kept: CachedPost) -> bytes:
    liked, boosted, bookmarked, muted = page.marks
    return _MARKS % (
        _BOOL[row.id in liked],
        _BOOL[row.id in boosted],
        _BOOL[row.id in bookmarked],
        _BOOL[(row.root or row.id) in muted],
        _filtered(page.matcher, row, kept) if page.matcher else b"[]",
        _PINNED[row.pinned is not None] if row.account == page.viewer else b"",
    )


def _filtered(matcher: FilterMatcher, row: Row, kept: CachedPost) -> bytes:
    if kept.text is None:
        alts = [each.alt for each in kept.parts[2] or ()]
        kept.text = filter_matching.text_of((row.warning, row.title), (row.summary, row.content), alts)
    results = filter_entity.results(matcher, row.id, row.account, kept.text)
    return encode(results) if results else b"[]"
