"""Policies: whose notices one of our accounts would rather hear of only once it has said so."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from typing import Literal

from msgspec import Struct

from fediblog.store.id_paging import Window
from fediblog.store.tx import Row, Tx

Verdict = Literal["accept", "filter", "drop"]
VERDICTS: tuple[Verdict, ...] = ("accept", "filter", "drop")
RULES = ("not_following", "not_followers", "new_accounts", "private_mentions", "limited_accounts")
_NEW = 30 * 86_400_000  # ms: an account that is younger is new
_RECENT = 3 * 86_400_000  # ms: somebody who follows only since then counts as no follower yet
DEFAULTS: Mapping[str, Verdict] = {**dict.fromkeys(RULES, "accept"), "limited_accounts": "filter"}
"""What is done for an account that has set no policy."""
# Kinds that are told because of what the account did itself, or by those who look after the server.
UNASKED = frozenset({"poll", "status", "move", "warning", "answer"})
_FIRST = (
    f"insert into notice_policy (account, {', '.join(RULES)}) values (:account, :{', :'.join(RULES)})"
    " on conflict do nothing"
)
_PUT = {rule: f"update notice_policy set {rule} = :verdict where account = :account" for rule in RULES}
_ABOUT = (
    "select exists (select 1 from follow where follower = :account and followed = :actor and state = 'accepted')"
    " as following, exists (select 1 from follow where follower = :actor and followed = :account"
    " and state = 'accepted' and created <= :recent) as followed_by, coalesce(a.published, a.created) as since,"
    " exists (select 1 from notice_consent where account = :account and actor = :actor) as welcome,"
    " (select p.visibility from post p where p.id = :post) as visibility,"
    " exists (select 1 from post p join post above on above.id = p.parent where p.id = :post"
    " and above.account = :account) as answered, a.limited from account a where a.id = :actor"
)
_GROUPED = (
    "select n.actor, count(*) as n, min(n.created) as first, max(n.created) as last, max(n.post) as post"
    " from notice n join account a on a.id = n.actor where n.account = :account and n.filtered = 1"
    " and a.state = 'active'"
)
_PENDING = (
    f"{_GROUPED} and n.actor < :before and n.actor > :after group by n.actor order by n.actor desc limit :n",
    f"{_GROUPED} and n.actor < :before and n.actor > :after group by n.actor order by n.actor asc limit :n",
)


class NotificationRequest(Struct, frozen=True, kw_only=True):
    """Somebody whose notices wait; `post` is the latest that they are about. Times in UTC ms."""

    actor: int
    total: int
    first: int
    last: int
    post: int | None


def get(tx: Tx, account: int) -> dict[str, Verdict]:
    """What is done, by rule."""
    row = tx.one("select * from notice_policy where account = :account", account=account)
    return {rule: row._asdict()[rule] if row else DEFAULTS[rule] for rule in RULES}


def put(tx: Tx, account: int, changes: Mapping[str, Verdict]) -> None:
    """Change what is done by some of the rules."""
    tx.run(_FIRST, account=account, **DEFAULTS)
    for rule, verdict in changes.items():
        tx.run(_PUT[rule], account=account, verdict=verdict)


def judge(tx: Tx, account: int, kind: str, actor: int, post: int | None) -> Verdict:
    """What is done with a notice that is about to be told."""
    if kind in UNASKED:
        return "accept"
    about = tx.one(_ABOUT, account=account, actor=actor, post=post or 0, recent=tx.now - _RECENT)
    if about is None or about.welcome:
        return "accept"
    policy = get(tx, account)
    verdicts = {policy[rule] for rule in _applying(tx.now, about)}
    return "drop" if "drop" in verdicts else "filter" if "filter" in verdicts else "accept"


def _applying(now: int, about: Row) -> list[str]:
    applies = {
        "not_following": not about.following,
        "not_followers": not about.followed_by,
        "new_accounts": about.since > now - _NEW and not about.following,
        "private_mentions": about.visibility == "direct" and not about.following and not about.answered,
        "limited_accounts": about.limited and not about.following,
    }
    return [rule for rule, is_so in applies.items() if is_so]


def pending(tx: Tx, account: int) -> tuple[int, int]:
    """From how many people notices wait, and how many."""
    row = tx.one(
        "select count(distinct n.actor) as people, count(*) as n from notice n join account a on a.id = n.actor"
        " where n.account = :account and n.filtered = 1 and a.state = 'active'",
        account=account,
    )
    return (row.people, row.n) if row else (0, 0)


def requests(tx: Tx, account: int, window: Window) -> list[NotificationRequest]:
    """Whose notices wait, by the number of the person."""
    rows = tx.all(_PENDING[window.upwards], account=account, before=window.before, after=window.after, n=window.limit)
    return [
        NotificationRequest(actor=row.actor, total=row.n, first=row.first, last=row.last, post=row.post)
        for row in window.turned(rows)
    ]


def waiting(tx: Tx, account: int, actors: Collection[int]) -> list[int]:
    """Those of the people whose notices wait."""
    rows = tx.all(
        "select distinct actor from notice where account = :account and filtered = 1 and actor in (:actors)",
        account=account,
        actors=sorted(set(actors)),
    )
    return sorted(row.actor for row in rows)


def accept(tx: Tx, account: int, actors: Collection[int]) -> None:
    """Hear these people from now on, and what they have said so far."""
    tx.many(
        "insert into notice_consent (account, actor) values (:account, :actor) on conflict do nothing",
        [{"account": account, "actor": actor} for actor in actors],
    )
    tx.run(
        "update notice set filtered = 0 where account = :account and filtered = 1 and actor in (:actors)",
        account=account,
        actors=sorted(actors),
    )


def dismiss(tx: Tx, account: int, actors: Collection[int]) -> None:
    """Forget the notices of these people that wait."""
    tx.run(
        "delete from notice where account = :account and filtered = 1 and actor in (:actors)",
        account=account,
        actors=sorted(actors),
    )
