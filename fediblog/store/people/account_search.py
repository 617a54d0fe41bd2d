"""People to be found: by what one types, by what they wrote last, by whom one's own people follow."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.store.people import accounts
from fediblog.store.tx import Tx
from fediblog.store.visible import at_host, has_page

NEWEST_POSTS = 4_000  # of which the authors count as active
FRIENDS = 500  # whose follows are looked through

_NOT_EXCLUDED = f"""(
  not exists (select 1 from block sb where sb.account = :viewer and sb.target = a.id)
  and not exists (select 1 from block sc where sc.account = a.id and sc.target = :viewer)
  and not exists (select 1 from mute sm where sm.account = :viewer and sm.target = a.id
    and (sm.until is null or sm.until > :now))
  and not exists (select 1 from host_mute sh where sh.account = :viewer and {at_host("sh.host", "a")}))"""
_FOUND = """(a.state = 'active' and (a.local = 0 or a.login is not null)
  and (:viewer <> 0 or (a.local = 1 and a.discoverable = 1 and a.limited = 0))
  and not exists (select 1 from block fb where fb.account = a.id and fb.target = :viewer))"""
# Who is limited is found by who follows them, and by the whole address.
_UNLIMITED = (
    "(a.limited = 0 or a.id = :viewer or f.followed is not null or a.uri = :page"
    f" or (a.handle_key = :handle and a.domain = :whole_domain) or {has_page('a', 'a')})"
)
# `lower` knows only ASCII in SQLite, and in PostgreSQL what its locale knows: so three ways to write the words.
_NAMED = "n.name like :within escape '!' or n.name like :title escape '!' or lower(n.name) like :small escape '!'"
_OURS = "n.local = 1"
_OPEN = (
    "a.state = 'active' and a.discoverable = 1 and a.limited = 0 and a.moved_to = ''"
    " and (a.local = 0 or a.login is not null)"
)

_PEOPLE = (
    "select a.*, case when a.handle_key = :handle then 0 else 1 end as far, case when f.followed is null then 1"
    " else 0 end as unfollowed from account a left join follow f on f.follower = :viewer and f.followed = a.id"
    f" and f.state = 'accepted' where {_FOUND} and (:following = 0 or f.followed is not null) and {_UNLIMITED}"
    " and a.id in ("
    # the range lets both engines use the index; what it holds too much the pattern sorts out
    " select h.id from account h where h.handle_key >= :handle and h.handle_key <= :last"
    " and h.handle_key like :start escape '!' and h.domain like :domain escape '!'"
    f" union select n.id from account n where {_OURS} and ({_NAMED})"
    " union select n.id from follow o join account n on n.id = o.followed"
    f" where o.follower = :viewer and ({_NAMED})"
    " union select n.id from follow o join account n on n.id = o.follower"
    f" where o.followed = :viewer and ({_NAMED})"
    " union select u.id from account u where u.uri = :page"
    f" union select w.id from account w where {has_page('w', 'w')})"
    " order by far, unfollowed, a.local desc, a.id limit :n offset :skip"
)
_PEOPLE_BY_NAME = _PEOPLE.replace(_OURS, "n.name <> ''")


def people(
    tx: Tx,
    words: str,
    viewer: int,
    *,
    limit: int = 40,
    offset: int = 0,
    following: bool = False,
    by_name: bool = False,
) -> list[Account]:
    """Accounts whose handle begins with the words or whose address they are, and of those near whose name has them.

    With `by_name` any account whose name has them; that looks at all, so it is not for each letter that is typed.

    The handle may have the beginning of a domain behind an @. The exact handle first, then those one follows. Nobody
    who blocks the viewer is found; a stranger (0) finds only accounts of this server that want to be found.
    """
    wanted = words.strip()
    handle, _, domain = wanted.lstrip("@").lower().partition("@")
    if not handle:
        return []
    rows = tx.all(
        _PEOPLE_BY_NAME if by_name and viewer else _PEOPLE,
        handle=handle,
        last=handle + "z" * 30,
        start=_escaped(handle) + "%",
        domain=_escaped(domain) + "%",
        whole_domain=domain,
        page=wanted,
        page_host=accounts.host_of(wanted),
        within=f"%{_escaped(wanted)}%",
        small=f"%{_escaped(wanted.lower())}%",
        title=f"%{_escaped(wanted.title())}%",
        viewer=viewer,
        following=following,
        n=limit,
        skip=offset,
    )
    return [accounts.from_row(row) for row in rows]


def _escaped(words: str) -> str:
    return words.replace("!", "!!").replace("%", "!%").replace("_", "!_")


def newest(tx: Tx, viewer: int, *, local: bool, limit: int, offset: int) -> list[Account]:
    """Those who want to be found, the latest that this server got to know first."""
    rows = tx.all(
        f"select a.* from account a where {_OPEN} and {_NOT_EXCLUDED} and (:local = 0 or a.local = 1)"
        " order by a.id desc limit :n offset :skip",
        viewer=viewer,
        now=tx.now,
        local=local,
        n=limit,
        skip=offset,
    )
    return [accounts.from_row(row) for row in rows]


def active(tx: Tx, viewer: int, *, local: bool, limit: int, offset: int) -> list[Account]:
    """Those who want to be found and have written lately, the latest first."""
    rows = tx.all(
        "select a.* from (select account, max(id) as latest from (select id, account from post where"
        " state = 'published' and visibility = 'public' and (:local = 0 or local = 1) order by id desc limit :posts)"
        f" as lately group by account) as w join account a on a.id = w.account where {_OPEN} and {_NOT_EXCLUDED}"
        " order by w.latest desc limit :n offset :skip",
        viewer=viewer,
        now=tx.now,
        local=local,
        posts=NEWEST_POSTS,
        n=limit,
        skip=offset,
    )
    return [accounts.from_row(row) for row in rows]


def suggested(tx: Tx, viewer: int, limit: int = 40) -> list[tuple[Account, int]]:
    """Whom one may want to follow, and how many of those one follows do: no stranger who did not ask to be found."""
    rows = tx.all(
        "select a.*, c.friends from (select x.id, max(x.friends) as friends from ("
        " select f.followed as id, count(*) as friends from follow f where f.state = 'accepted' and f.follower in"
        " (select m.followed from follow m where m.follower = :viewer and m.state = 'accepted'"
        " order by m.created desc limit :most) group by f.followed"
        " union all select id, 0 as friends from account where local = 1 and login is not null) as x"
        " group by x.id) as c join account a on a.id = c.id"
        f" where a.id <> :viewer and {_OPEN} and {_NOT_EXCLUDED}"
        " and not exists (select 1 from follow mine where mine.follower = :viewer and mine.followed = a.id)"
        " and not exists (select 1 from suggestion_dismissed d where d.account = :viewer and d.target = a.id)"
        " order by c.friends desc, a.id desc limit :n",
        viewer=viewer,
        now=tx.now,
        most=FRIENDS,
        n=limit,
    )
    return [(accounts.from_row(row), row.friends) for row in rows]


def dismiss(tx: Tx, viewer: int, target: int) -> None:
    """Suggest somebody no more."""
    tx.run(
        "insert into suggestion_dismissed (account, target) select :a, id from account where id = :b"
        " on conflict do nothing",
        a=viewer,
        b=target,
    )
