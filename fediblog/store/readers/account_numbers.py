"""How one account fares, for its own people: who follows it since when, how far its posts got, and to which servers."""

from __future__ import annotations

from typing import Final

from msgspec import Struct

from fediblog.domain.posts import Post
from fediblog.store.id_paging import Window
from fediblog.store.posts import account_posts
from fediblog.store.posts.account_posts import ProfileFilter
from fediblog.store.readers import visits
from fediblog.store.tx import Tx

WEEK: Final = 7 * 86_400_000  # ms
_MONDAY: Final = 3 * 86_400_000  # ms: the first day of 1970 was a Thursday
WEEKS: Final = 52
POSTS: Final = 30
SERVERS: Final = 50


class Reach(Struct, frozen=True):
    """A post, how many servers took it in, and how often its page was opened in the last year."""

    post: Post
    servers: int
    visits: int


class ServerReach(Struct, frozen=True, kw_only=True):
    """Another server: how many there follow the account, and how many of its activities wait or were given up."""

    host: str
    followers: int = 0
    waiting: int = 0
    failed: int = 0


class AccountNumbers(Struct, frozen=True, kw_only=True):
    """`followers` are (Monday in ms, how many of those who follow now did so by its end), the oldest first."""

    followers: list[tuple[int, int]]
    posts: list[Reach]
    servers: list[ServerReach]


def of_account(tx: Tx, account: int) -> AccountNumbers:
    """All numbers of the account."""
    return AccountNumbers(followers=_followers(tx, account), posts=_posts(tx, account), servers=_servers(tx, account))


def _followers(tx: Tx, account: int) -> list[tuple[int, int]]:
    this = (tx.now + _MONDAY) // WEEK
    first = this - WEEKS + 1
    rows = tx.all(
        "select (created + :shift) / :week as week, count(*) as n from follow where followed = :id"
        " and state = 'accepted' group by (created + :shift) / :week",
        id=account,
        shift=_MONDAY,
        week=WEEK,
    )
    begun = {row.week: row.n for row in rows}
    total, found = sum(n for week, n in begun.items() if week < first), []
    for week in range(first, this + 1):
        total += begun.get(week, 0)
        found.append((week * WEEK - _MONDAY, total))
    return found


def _posts(tx: Tx, account: int) -> list[Reach]:
    found = account_posts.written(
        tx, account, account, Window(limit=POSTS), ProfileFilter(replies="none", letters=False)
    )
    numbers = [post.id for post in found]
    if not numbers:
        return []
    rows = tx.all("select post, reached from outgoing where post in (:ids) and kind = 'Create'", ids=numbers)
    reached, opened = {row.post: row.reached for row in rows}, visits.totals(tx, numbers)
    return [Reach(post, reached.get(post.id, 0), opened.get(post.id, 0)) for post in found]


def _servers(tx: Tx, account: int) -> list[ServerReach]:
    """Those with the most failures first, then those with the most followers."""
    following = tx.all(
        "select a.host, count(*) as n from follow f join account a on a.id = f.follower where f.followed = :id"
        " and f.state = 'accepted' and a.local = 0 group by a.host order by n desc, a.host limit :most",
        id=account,
        most=SERVERS,
    )
    open_ones = tx.all(
        "select d.host, sum(case when d.state = 'waiting' then 1 else 0 end) as waiting,"
        " sum(case when d.state = 'failed' then 1 else 0 end) as failed from outgoing o join delivery d"
        " on d.outgoing = o.id where o.account = :id and d.state in ('waiting', 'failed') group by d.host"
        " order by failed desc, waiting desc, d.host limit :most",
        id=account,
        most=SERVERS,
    )
    followers = {row.host: row.n for row in following}
    troubled = {row.host: (int(row.waiting), int(row.failed)) for row in open_ones}
    made = [
        ServerReach(host=host, followers=followers.get(host, 0), waiting=waiting, failed=failed)
        for host in followers | troubled
        for waiting, failed in (troubled.get(host, (0, 0)),)
    ]
    return sorted(made, key=lambda each: (-each.failed, -each.followers, each.host))
