"""What one account wrote and passed on: its profile and outbox, its months, and what it has not published yet."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Literal

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.memo import Memo
from fediblog.domain.posts import Boost, Post
from fediblog.hashtags import key
from fediblog.store.id_paging import FIRST, Window, both_ways
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import BOOST_VISIBLE, NOT_EXCLUDED, OPEN_TO_ALL, VISIBLE, VISIBLE_IN_LISTS

_BETWEEN = "p.id < :before and p.id > :after"
_OWN_REPLY = "exists (select 1 from post pp where pp.id = p.parent and pp.account = p.account)"
_WRITTEN = both_ways(
    f"select p.* from post p where p.account = :account and {_BETWEEN} and p.state = 'published' and {VISIBLE}"
    f" and (:replies = 'all' or p.in_reply_to = '' or (:replies = 'own' and {_OWN_REPLY}))"
    " and (:articles = 0 or p.kind = 'Article') and (:letters = 1 or p.visibility <> 'direct')"
    " and (:media = 0 or exists (select 1 from attachment t where t.post = p.id))"
    " and (:tag = '' or exists (select 1 from post_tag g where g.tag = :tag and g.post = p.id))",
    "p.id",
)
_PASSED_ON = both_ways(
    "select b.id as boost_id, b.uri as boost_uri, b.visibility as boost_visibility, b.created as boost_created, p.*"
    " from boost b"
    " join post p on p.id = b.post where b.account = :account and b.id < :before and b.id > :after"
    f" and p.state = 'published' and {VISIBLE_IN_LISTS} and {NOT_EXCLUDED} and {BOOST_VISIBLE}",
    "b.id",
)
_OF_MONTH = both_ways(
    f"select p.* from post p where p.account = :account and p.local = 1 and p.month = :month and {_BETWEEN}"
    f" and p.state = 'published' and {VISIBLE}",
    "p.id",
)
_ARTICLES = (
    f"select p.* from post p where p.account = :account and p.local = 1 and p.kind = 'Article'"
    f" and p.state = 'published' and p.visibility = 'public' and p.in_reply_to = '' and {VISIBLE}"
)
_BEFORE = f"{_ARTICLES} and p.id < :id order by p.id desc limit 1"
_AFTER = f"{_ARTICLES} and p.id > :id order by p.id limit 1"
_SCHEDULED = both_ways(
    f"select p.* from post p where p.account = :account and p.state = 'scheduled' and {_BETWEEN}", "p.id"
)
_MONTHS: Memo[int, list[tuple[str, int]]] = Memo(512)
_TOTALS: Memo[int, int] = Memo(2048)


class ProfileFilter(Struct, frozen=True, kw_only=True):
    """Which of an account's posts are asked for; `own` replies go on with what the account said itself."""

    replies: Literal["all", "own", "none"] = "all"
    boosts: bool = True
    articles: bool = False  # nothing but these
    letters: bool = True  # private messages among them, for those to whom they are
    media: bool = False
    tag: str = ""


ALL = ProfileFilter()


def timeline(
    tx: Tx, account: int, viewer: int = 0, window: Window = FIRST, wanted: ProfileFilter = ALL
) -> list[Post | Boost]:
    """Posts and boosts of an account that the viewer may see, newest first."""
    by_number = {row.id: row for row in _written(tx, account, viewer, window, wanted)}
    passed_on: dict[int, Row] = {}
    if wanted.boosts and not wanted.media and not wanted.tag:
        passed_on = {row.boost_id: row for row in _passed_on(tx, account, viewer, window)}
    numbers = window.cut([*by_number, *passed_on])
    kept = [passed_on.get(number) or by_number[number] for number in numbers]
    whole = dict(zip(numbers, posts.hydrate(tx, kept, viewer), strict=True))
    booster = accounts.get(tx, account) if passed_on else None
    return [
        _boost(passed_on[number], booster, post) if booster and number in passed_on else post
        for number, post in whole.items()
    ]


def written(tx: Tx, account: int, viewer: int = 0, window: Window = FIRST, wanted: ProfileFilter = ALL) -> list[Post]:
    """The same without boosts."""
    return posts.hydrate(tx, _written(tx, account, viewer, window, wanted), viewer)


def _written(tx: Tx, account: int, viewer: int, window: Window, wanted: ProfileFilter) -> list[Row]:
    return window.turned(
        tx.all(
            _WRITTEN[window.upwards],
            account=account,
            viewer=viewer,
            before=window.before,
            after=window.after,
            replies=wanted.replies,
            articles=wanted.articles,
            letters=wanted.letters,
            media=wanted.media,
            tag=key(wanted.tag),
            n=window.limit,
        )
    )


def _passed_on(tx: Tx, account: int, viewer: int, window: Window) -> list[Row]:
    return tx.all(
        _PASSED_ON[window.upwards],
        account=account,
        viewer=viewer,
        before=window.before,
        after=window.after,
        now=tx.now,
        n=window.limit,
    )


def _boost(row: Row, booster: Account, post: Post) -> Boost:
    return Boost(
        id=row.boost_id,
        uri=row.boost_uri,
        account=booster,
        post=post,
        visibility=Visibility(row.boost_visibility),
        created=row.boost_created,
    )


def pinned(tx: Tx, account: int, viewer: int = 0) -> list[Post]:
    """What the account pinned, the latest pin first."""
    rows = tx.all(
        f"select p.* from post p where p.account = :account and p.pinned is not null and p.state = 'published'"
        f" and {VISIBLE} order by p.pinned desc limit 20",
        account=account,
        viewer=viewer,
    )
    return posts.hydrate(tx, rows, viewer)


def neighbours(tx: Tx, post: Post, viewer: int = 0) -> tuple[Post | None, Post | None]:
    """The public articles that its author published before and after a public one; none for one that is not public."""
    if post.visibility != Visibility.PUBLIC:
        return None, None
    before, after = (tx.one(sql, account=post.account.id, id=post.id, viewer=viewer) for sql in (_BEFORE, _AFTER))
    found = {each.id: each for each in posts.hydrate(tx, [row for row in (before, after) if row], viewer)}
    return (found[before.id] if before else None), (found[after.id] if after else None)


def drafts(tx: Tx, account: int) -> list[Post]:
    """Drafts and scheduled posts of the account, newest first."""
    rows = tx.all(
        "select p.* from post p where p.account = :id and p.state in ('draft', 'scheduled') order by p.id desc",
        id=account,
    )
    return posts.hydrate(tx, rows, account)


def scheduled(tx: Tx, account: int, window: Window) -> list[Post]:
    """Posts of the account for later."""
    rows = tx.all(_SCHEDULED[window.upwards], account=account, before=window.before, after=window.after, n=window.limit)
    return posts.hydrate(tx, window.turned(rows), account)


def months(tx: Tx, account: int) -> list[tuple[str, int]]:
    """(YYYY/MM, number of public posts) for each month in which the account posted, newest first.

    Counted again when the account has posted, and else once in a minute.
    """
    made_of = _newest(tx, account)
    kept = _MONTHS.get(account, made_of)
    if kept is None:
        kept = _months(tx, account)
        _MONTHS.put(account, made_of, kept)
    return kept


def _newest(tx: Tx, account: int) -> tuple[int, int]:
    """What totals over the posts of an account are kept with: its newest post, and the minute."""
    row = tx.one("select max(id) as id from post where account = :id", id=account)
    return (row.id or 0 if row else 0, tx.now // 60_000)


def _months(tx: Tx, account: int) -> list[tuple[str, int]]:
    rows = tx.all(
        "select month, count(*) as n from post where account = :id and local = 1 and state = 'published'"
        " and visibility = 'public' and month <> '' group by month order by month desc",
        id=account,
    )
    return [(row.month, row.n) for row in rows]


def of_month(tx: Tx, account: int, month: str, viewer: int = 0, window: Window = FIRST) -> list[Post]:
    """Posts of one month, newest first. `month` is YYYY/MM."""
    rows = tx.all(
        _OF_MONTH[window.upwards],
        account=account,
        month=month,
        viewer=viewer,
        before=window.before,
        after=window.after,
        n=window.limit,
    )
    return posts.hydrate(tx, window.turned(rows), viewer)


def total_of_account(tx: Tx, account: int) -> int:
    """How many public or unlisted posts the account has made here, up to a minute ago or since its newest one."""
    made_of = _newest(tx, account)
    kept = _TOTALS.get(account, made_of)
    if kept is None:
        row = tx.one(
            "select count(*) as n from post where account = :id and state = 'published'"
            f" and visibility in {OPEN_TO_ALL}",
            id=account,
        )
        kept = int(row.n) if row else 0
        _TOTALS.put(account, made_of, kept)
    return kept


def is_so(tx: Tx, account: int, columns: Mapping[str, str | int | None]) -> bool:
    """Whether the account has these columns already."""
    row = tx.one("select * from account where id = :id", id=account)
    stored = row._asdict() if row else {}
    return all(name in stored and stored[name] == value for name, value in columns.items())
