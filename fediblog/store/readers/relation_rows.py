"""All that an account has arranged with others, as rows of the files in which people carry it elsewhere."""

from __future__ import annotations

from fediblog.prepare.relation_csv import truth
from fediblog.store.tx import Tx

_SELECT = {
    "following": (
        "select a.handle || '@' || a.domain as acct, x.reblogs, x.notify, replace(x.languages, ' ', ', ') as languages"
        " from follow x join account a on a.id = x.followed"
        " where x.follower = :id and x.state = 'accepted' and a.state <> 'deleted' order by x.created, a.id"
    ),
    "lists": (
        "select x.title, a.handle || '@' || a.domain as acct from user_list x join list_member m on m.list = x.id"
        " join account a on a.id = m.account where x.account = :id and a.state <> 'deleted' order by x.id, a.id"
    ),
    "muted": (
        "select a.handle || '@' || a.domain as acct, x.notices from mute x join account a on a.id = x.target"
        " where x.account = :id and a.state <> 'deleted' and (x.until is null or x.until > :now)"
        " order by x.created, a.id"
    ),
    "blocked": (
        "select a.handle || '@' || a.domain as acct from block x join account a on a.id = x.target"
        " where x.account = :id and a.state <> 'deleted' order by x.created, a.id"
    ),
    "followers": (
        "select a.handle || '@' || a.domain as acct from follow x join account a on a.id = x.follower"
        " where x.followed = :id and x.state = 'accepted' and a.state <> 'deleted' order by x.created, a.id"
    ),
    "liked": "select p.uri from reaction x join post p on p.id = x.post where x.account = :id order by p.id",
    "servers": "select host from host_mute where account = :id order by id",
    "bookmarks": "select p.uri from bookmark x join post p on p.id = x.post where x.account = :id order by x.id",
}
_FLAGS = ("reblogs", "notify", "notices")


def rows(tx: Tx, account: int, kind: str) -> list[list[str]]:
    """The rows of one of `relation_csv.FILES`, or who follows it, or what it liked; the oldest first."""
    found = tx.all(_SELECT[kind], id=account, now=tx.now)
    return [
        [truth(bool(value)) if name in _FLAGS else str(value) for name, value in row._asdict().items()] for row in found
    ]
