"""What an account wrote and passed on, as its profile shows it page by page; and what its new posts are like."""

from __future__ import annotations

from collections.abc import Mapping

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Boost, Post
from fediblog.domain.records import record
from fediblog.hashtags import key
from fediblog.store.id_paging import NEWEST, OLDEST, Window
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from fediblog.store.posts.reader_marks import Defaults
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import BOOST_VISIBLE, NOT_SHUNNED, VISIBLE

_OWN_REPLY = "exists (select 1 from post pp where pp.id = p.parent and pp.account = p.account)"
_WRITTEN = (
    "select p.* from post p where p.account = :account and p.id < :before and p.id > :after and p.state = 'published'"
    f" and {VISIBLE} and (:replies = 1 or p.in_reply_to = '' or {_OWN_REPLY})"
    " and (:media = 0 or exists (select 1 from attachment t where t.post = p.id))"
    " and (:tag = '' or exists (select 1 from post_tag g where g.tag = :tag and g.post = p.id)) order by p.id"
)
_POSTS = (f"{_WRITTEN} {NEWEST} limit :n", f"{_WRITTEN} {OLDEST} limit :n")
_PASSED_ON = (
    "select b.id as boost_id, b.uri as boost_uri, b.created as boost_created, p.* from boost b"
    " join post p on p.id = b.post where b.account = :account and b.id < :before and b.id > :after"
    f" and p.state = 'published' and {VISIBLE} and {NOT_SHUNNED} and {BOOST_VISIBLE} order by b.id"
)
_BOOSTS = (f"{_PASSED_ON} {NEWEST} limit :n", f"{_PASSED_ON} {OLDEST} limit :n")


@record(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which of an account's posts are asked for."""

    replies: bool = True  # without them those to oneself stay: they go on with what one said
    boosts: bool = True
    media: bool = False
    tag: str = ""


def timeline(tx: Tx, account: int, viewer: int, window: Window, wanted: Wanted) -> list[Post | Boost]:
    """Posts and boosts of an account that the viewer may see, newest first."""
    rows = tx.all(
        _POSTS[window.upwards],
        account=account,
        viewer=viewer,
        before=window.before,
        after=window.after,
        replies=wanted.replies,
        media=wanted.media,
        tag=key(wanted.tag),
        n=window.limit,
    )
    by_number = {row.id: row for row in rows}
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


def _passed_on(tx: Tx, account: int, viewer: int, window: Window) -> list[Row]:
    return tx.all(
        _BOOSTS[window.upwards],
        account=account,
        viewer=viewer,
        before=window.before,
        after=window.after,
        now=tx.now,
        n=window.limit,
    )


def _boost(row: Row, booster: Account, post: Post) -> Boost:
    return Boost(id=row.boost_id, uri=row.boost_uri, account=booster, post=post, created=row.boost_created)


def set_preference(tx: Tx, account: int, what: Defaults) -> None:
    """Say what the account's new posts are like."""
    tx.run(
        "insert into preference (account, visibility, sensitive, quotes) values (:id, :visibility, :sensitive, :quotes)"
        " on conflict (account) do update set visibility = excluded.visibility, sensitive = excluded.sensitive,"
        " quotes = excluded.quotes",
        id=account,
        visibility=what.visibility,
        sensitive=what.sensitive,
        quotes=what.quotes,
    )


def is_so(tx: Tx, account: int, columns: Mapping[str, str | int | None]) -> bool:
    """Whether the account has these columns already."""
    row = tx.one("select * from account where id = :id", id=account)
    stored = row._asdict() if row else {}
    return all(name in stored and stored[name] == value for name, value in columns.items())
