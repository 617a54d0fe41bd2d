"""Hashtags: how often they were used of late, which ones an account follows, and which it shows on its profile."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from fediblog.hashtags import key
from fediblog.store.id_paging import NEWEST, OLDEST, Window
from fediblog.store.ids import number_of
from fediblog.store.tx import Tx
from fediblog.store.visible import NOT_WARNED, OPEN_TO_ALL, OURS_FOR_ALL

DAY = 86_400_000  # ms
DAYS = 7
MOST_USED = 10
Use = tuple[int, int]
"""How many posts, by how many people."""

_FOLLOWED = "select id, tag, name from followed_tag where account = :id and id < :before and id > :after order by id"
_STORED = (
    (
        "select distinct tag from post_tag",
        "insert into post_tag (tag, post, name) select :new, post, name from post_tag where tag = :old"
        " on conflict do nothing",
        "delete from post_tag where tag = :old",
    ),
    (
        "select distinct tag from followed_tag",
        "insert into followed_tag (account, tag, name, id) select account, :new, name, id from followed_tag"
        " where tag = :old on conflict do nothing",
        "delete from followed_tag where tag = :old",
    ),
    (
        "select distinct tag from featured_tag",
        "insert into featured_tag (account, tag, name) select account, :new, name from featured_tag"
        " where tag = :old on conflict do nothing",
        "delete from featured_tag where tag = :old",
    ),
)
"""Every table with hashtags: which there are, and a row under another key in place of one."""
# The posts first: most that have a hashtag are of others.
_TOTALS = (
    "select max(t.name) as name, count(*) as n from post p cross join post_tag t where t.post = p.id"
    f" and {OURS_FOR_ALL} and {NOT_WARNED}"
    " group by t.tag order by count(*) desc, t.tag limit :n"
)
_FOLLOWED_TAGS = (f"{_FOLLOWED} {NEWEST} limit :n", f"{_FOLLOWED} {OLDEST} limit :n")


class Featured(Struct, frozen=True, kw_only=True):
    """A hashtag on a profile, with how many public posts of the account have it, and when the last was published."""

    number: int
    name: str
    posts: int = 0
    latest: int | None = None


def renew_keys(tx: Tx) -> None:
    """Store every hashtag under the key that it has now, where it was stored under another one."""
    for every, copy, drop in _STORED:
        for row in tx.all(every):
            if key(row.tag) != row.tag:
                tx.run(copy, old=row.tag, new=key(row.tag))
                tx.run(drop, old=row.tag)


def history(tx: Tx, tags: Sequence[str]) -> dict[str, dict[int, Use]]:
    """For each hashtag (a `hashtags.key`) the public posts of the last seven days, by the day's beginning (ms)."""
    since = (tx.now // DAY - DAYS + 1) * DAY
    rows = tx.all(
        "select t.tag, t.post / 1048576 / :day as at, count(*) as uses, count(distinct p.account) as people"
        " from post_tag t join post p on p.id = t.post where t.tag in (:tags) and t.post >= :since"
        " and p.state = 'published' and p.visibility = 'public' group by t.tag, t.post / 1048576 / :day",
        tags=sorted(set(tags)),
        since=since << 20,
        day=DAY,
    )
    found: dict[str, dict[int, Use]] = {tag: {} for tag in tags}
    for row in rows:
        found[row.tag][row.at * DAY] = (row.uses, row.people)
    return found


class TagTotal(Struct, frozen=True, kw_only=True):
    """A hashtag as it was written, and how many posts of ours with it everybody finds."""

    name: str
    posts: int


def totals(tx: Tx, limit: int) -> list[TagTotal]:
    """The hashtags of what everybody finds of ours, those used most first. Below a warning they are hidden."""
    rows = tx.all(_TOTALS, n=limit)
    return [TagTotal(name=row.name, posts=row.n) for row in rows]


def name_of(tx: Tx, tag: str) -> str:
    """The hashtag as somebody last wrote it, or as it was asked for."""
    row = tx.one("select name from post_tag where tag = :tag order by post desc limit 1", tag=key(tag))
    return str(row.name) if row else tag


def marked(tx: Tx, account: int, tags: Sequence[str]) -> tuple[set[str], set[str]]:
    """Which of these hashtags (as `hashtags.key` makes them) the account follows, and which it features."""
    wanted = sorted(set(tags))
    followed = tx.all("select tag from followed_tag where account = :id and tag in (:tags)", id=account, tags=wanted)
    featured = tx.all("select tag from featured_tag where account = :id and tag in (:tags)", id=account, tags=wanted)
    return {row.tag for row in followed}, {row.tag for row in featured}


def follow(tx: Tx, account: int, name: str) -> None:
    """Have public posts with the hashtag come into the account's stream from now on."""
    tx.run(
        "insert into followed_tag (account, tag, name, id) values (:id, :tag, :name, :number) on conflict do nothing",
        id=account,
        tag=key(name),
        name=name,
        number=tx.new_id(),
    )


def unfollow(tx: Tx, account: int, name: str) -> None:
    """Take the hashtag back, and out of the stream what is there for its sake alone."""
    gone = tx.run("delete from followed_tag where account = :id and tag = :tag", id=account, tag=key(name))
    if not gone:
        return
    tx.run(
        "delete from stream where account = :id and boost is null and post in (select t.post from post_tag t"
        " join post p on p.id = t.post where t.tag = :tag and p.account <> :id and not exists (select 1 from follow f"
        " where f.follower = :id and f.followed = p.account and f.state = 'accepted') and not exists ("
        " select 1 from post_tag o join followed_tag k on k.account = :id and k.tag = o.tag where o.post = p.id))",
        id=account,
        tag=key(name),
    )


def followed(tx: Tx, account: int, window: Window) -> list[tuple[int, str]]:
    """Hashtags that the account follows, with what paging goes by, the latest first."""
    rows = tx.all(_FOLLOWED_TAGS[window.upwards], id=account, before=window.before, after=window.after, n=window.limit)
    return window.turned([(row.id, row.name) for row in rows])


def spread(tx: Tx, post: int, names: Sequence[str]) -> int:
    """Put a new public post into the streams of those who follow one of its hashtags; returns how many."""
    return tx.run(
        "insert into stream (account, item, post, boost) select distinct k.account, :post, :post, cast(null as integer)"
        " from followed_tag k join account a on a.id = k.account where k.tag in (:tags) and a.state = 'active'"
        " on conflict do nothing",
        post=post,
        tags=sorted({key(name) for name in names}),
    )


def featured_names(tx: Tx, account: int) -> list[str]:
    """Hashtags that the account shows on its profile, as written."""
    return [row.name for row in tx.all("select name from featured_tag where account = :id order by tag", id=account)]


def set_featured(tx: Tx, account: int, name: str, *, on: bool) -> None:
    """Show or hide a hashtag on the profile."""
    if on:
        tx.run(
            "insert into featured_tag (account, tag, name) values (:id, :tag, :name) on conflict do nothing",
            id=account,
            tag=key(name),
            name=name,
        )
    else:
        tx.run("delete from featured_tag where account = :id and tag = :tag", id=account, tag=key(name))


def featured(tx: Tx, account: int) -> list[Featured]:
    """The hashtags on an account's profile, with how they were used."""
    rows = tx.all(
        "select f.tag, f.name, count(p.id) as n, max(p.published) as latest from featured_tag f"
        " left join post_tag t on t.tag = f.tag and t.post in (select id from post where account = :id)"
        f" left join post p on p.id = t.post and p.state = 'published' and p.visibility in {OPEN_TO_ALL}"
        " where f.account = :id group by f.tag, f.name order by f.tag",
        id=account,
    )
    return [Featured(number=number_of(row.tag), name=row.name, posts=row.n, latest=row.latest) for row in rows]


def unfeature(tx: Tx, account: int, number: int) -> bool:
    """Take the hashtag of that number from the profile; False if it is not there."""
    for row in tx.all("select tag from featured_tag where account = :id", id=account):
        if number_of(row.tag) == number:
            set_featured(tx, account, row.tag, on=False)
            return True
    return False


def most_used(tx: Tx, account: int) -> list[str]:
    """Hashtags that the account uses most and does not show on its profile."""
    rows = tx.all(
        "select t.tag, max(t.name) as name, count(*) as n from post_tag t join post p on p.id = t.post"
        f" where p.account = :id and p.state = 'published' and p.visibility in {OPEN_TO_ALL}"
        " and not exists (select 1 from featured_tag f where f.account = :id and f.tag = t.tag)"
        " group by t.tag order by count(*) desc, t.tag limit :n",
        id=account,
        n=MOST_USED,
    )
    return [row.name for row in rows]
