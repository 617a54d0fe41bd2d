"""Lists of posts: streams, profiles, tags, archives, threads. Each takes the viewer, and shows only what it may see."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.memo import Kept
from fediblog.domain.posts import Boost, Post
from fediblog.domain.records import record
from fediblog.hashtags import key
from fediblog.store.people import accounts
from fediblog.store.posts import posts, tags
from fediblog.store.queues import events
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import BOOST_VISIBLE, BOOSTER_NOT_SHUNNED, LISTED, NOT_SHUNNED, SHOWN_BELOW, VISIBLE

_FAR = (1 << 63) - 1
THREAD_LIMIT = 500  # answers of a thread, after which no more are looked for elsewhere
DEPTH = 40  # posts above another one that are shown with it
_MONTHS: Kept[int, list[tuple[str, int]]] = Kept(512)
_TOTALS: Kept[int, int] = Kept(2048)


@record(frozen=True, slots=True, kw_only=True)
class Item:
    """One place in a stream; `id` is what paging goes by, `booster` who passed the post on."""

    id: int
    post: Post
    booster: Account | None = None


def home(tx: Tx, account: int, *, before: int | None = None, after: int | None = None, limit: int = 20) -> list[Item]:
    """The stream of those whom the account follows, newest first."""
    rows = tx.all(
        "select s.item, s.boost, p.* from stream s join post p on p.id = s.post where s.account = :viewer"
        f" and s.item < :before and s.item > :after and p.state = 'published' and {VISIBLE} and {NOT_SHUNNED}"
        " and (s.boost is null or exists (select 1 from boost b where b.id = s.boost"
        f" and {BOOST_VISIBLE} and {BOOSTER_NOT_SHUNNED})) order by s.item desc limit :n",
        viewer=account,
        now=tx.now,
        before=before or _FAR,
        after=after or 0,
        n=limit,
    )
    return _items(tx, rows, account)


def of_account(
    tx: Tx,
    account: int,
    viewer: int = 0,
    *,
    before: int | None = None,
    limit: int = 20,
    replies: bool = True,
    articles_only: bool = False,
) -> list[Post]:
    """Posts by one account, newest first."""
    rows = tx.all(
        f"select p.* from post p where p.account = :account and p.id < :before and p.state = 'published' and {VISIBLE}"
        " and (:replies = 1 or p.in_reply_to = '') and (:articles = 0 or p.kind = 'Article')"
        " order by p.id desc limit :n",
        account=account,
        viewer=viewer,
        before=before or _FAR,
        replies=replies,
        articles=articles_only,
        n=limit,
    )
    return posts.hydrate(tx, rows, viewer)


def total_of_account(tx: Tx, account: int) -> int:
    """How many public or unlisted posts the account has made here, up to a minute ago or since its newest one."""
    made_of = _newest(tx, account)
    kept = _TOTALS.get(account, made_of)
    if kept is None:
        row = tx.one(
            "select count(*) as n from post where account = :id and state = 'published'"
            " and visibility in ('public', 'unlisted')",
            id=account,
        )
        kept = int(row.n) if row else 0
        _TOTALS.put(account, made_of, kept)
    return kept


def outbox(tx: Tx, account: int, viewer: int = 0, *, before: int | None = None, limit: int = 20) -> list[Post | Boost]:
    """What the account posted and passed on, newest first."""
    written: list[Post | Boost] = list(of_account(tx, account, viewer, before=before, limit=limit))
    rows = tx.all(
        "select b.id as boost_id, b.uri as boost_uri, b.created as boost_created, p.* from boost b"
        " join post p on p.id = b.post where b.account = :account and b.id < :before and p.state = 'published'"
        f" and {VISIBLE} and {BOOST_VISIBLE} order by b.id desc limit :n",
        account=account,
        viewer=viewer,
        before=before or _FAR,
        n=limit,
    )
    author = accounts.get(tx, account)
    if author:
        for row, post in zip(rows, posts.hydrate(tx, rows, viewer), strict=True):
            boost = Boost(id=row.boost_id, uri=row.boost_uri, account=author, post=post, created=row.boost_created)
            written.append(boost)
    return sorted(written, key=lambda each: each.id, reverse=True)[:limit]


def pinned(tx: Tx, account: int, viewer: int = 0) -> list[Post]:
    """What the account pinned, the latest pin first."""
    rows = tx.all(
        f"select p.* from post p where p.account = :account and p.pinned is not null and p.state = 'published'"
        f" and {VISIBLE} order by p.pinned desc limit 20",
        account=account,
        viewer=viewer,
    )
    return posts.hydrate(tx, rows, viewer)


def local(tx: Tx, viewer: int = 0, *, before: int | None = None, limit: int = 20, replies: bool = False) -> list[Post]:
    """The blog's home: public posts of those of our accounts that want to be found, newest first."""
    rows = tx.all(
        "select p.* from post p where p.local = 1 and p.id < :before and p.state = 'published'"
        f" and p.visibility = 'public' and (:replies = 1 or p.in_reply_to = '') and {VISIBLE} and {LISTED}"
        " order by p.id desc limit :n",
        viewer=viewer,
        before=before or _FAR,
        replies=replies,
        n=limit,
    )
    return posts.hydrate(tx, rows, viewer)


def tagged(
    tx: Tx, tag: str, viewer: int = 0, *, before: int | None = None, limit: int = 20, local: bool = False
) -> list[Post]:
    """Public posts with a hashtag, newest first; only our own if `local`."""
    rows = tx.all(
        "select p.* from post_tag t join post p on p.id = t.post where t.tag = :tag and t.post < :before"
        f" and (:local = 0 or p.local = 1) and p.state = 'published' and p.visibility = 'public' and {VISIBLE}"
        " order by t.post desc limit :n",
        tag=key(tag),
        local=local,
        viewer=viewer,
        before=before or _FAR,
        n=limit,
    )
    return posts.hydrate(tx, rows, viewer)


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


def of_month(
    tx: Tx, account: int, month: str, viewer: int = 0, *, before: int | None = None, limit: int = 50
) -> list[Post]:
    """Posts of one month, newest first. `month` is YYYY/MM."""
    rows = tx.all(
        "select p.* from post p where p.account = :account and p.local = 1 and p.month = :month and p.id < :before"
        f" and p.state = 'published' and {VISIBLE} order by p.id desc limit :n",
        account=account,
        month=month,
        viewer=viewer,
        before=before or _FAR,
        n=limit,
    )
    return posts.hydrate(tx, rows, viewer)


def drafts(tx: Tx, account: int) -> list[Post]:
    """Drafts and scheduled posts of the account, newest first."""
    rows = tx.all(
        "select p.* from post p where p.account = :id and p.state in ('draft', 'scheduled') order by p.id desc",
        id=account,
    )
    return posts.hydrate(tx, rows, account)


def comments(tx: Tx, root: int, viewer: int = 0, limit: int = THREAD_LIMIT) -> list[Post]:
    """Every answer in a thread that is shown to the viewer, oldest first; `parent` says where each hangs."""
    rows = tx.all(
        f"select p.* from post p where p.root = :root and p.state = 'published' and {VISIBLE}"
        f" and (:viewer = 0 or {NOT_SHUNNED}) and {SHOWN_BELOW} order by p.id limit :n",
        root=root,
        viewer=viewer,
        now=tx.now,
        n=limit,
    )
    return posts.hydrate(tx, rows, viewer)


def ancestors(tx: Tx, post: Post, viewer: int = 0, depth: int = DEPTH) -> list[Post]:
    """The posts that this one hangs below, the first of the thread first."""
    chain: list[Post] = []
    parent = post.parent
    while parent is not None and len(chain) < depth:
        above = posts.get(tx, parent, viewer)
        if above is None:
            break
        chain.append(above)
        parent = above.parent
    return chain[::-1]


def reply_rows(tx: Tx, post: int, viewer: int = 0, *, after: int = 0, limit: int = 40) -> list[Row]:
    """Number and id of the direct answers that the viewer may see, oldest first, those above `after`."""
    return tx.all(
        "select p.id, p.uri from post p where p.parent = :post and p.id > :after and p.state = 'published'"
        f" and {VISIBLE} and {SHOWN_BELOW} order by p.id limit :n",
        post=post,
        viewer=viewer,
        after=after,
        n=limit,
    )


def thread_rows(tx: Tx, root: int, viewer: int = 0, *, after: int = 0, limit: int = 40) -> list[Row]:
    """Number and id of all posts of a thread that the viewer may see, oldest first, those above `after`."""
    return tx.all(
        "select p.id, p.uri from post p where (p.root = :root or p.id = :root) and p.id > :after"
        f" and p.state = 'published' and {VISIBLE} and {SHOWN_BELOW} order by p.id limit :n",
        root=root,
        viewer=viewer,
        after=after,
        n=limit,
    )


def thread_total(tx: Tx, root: int) -> int:
    """How many public or unlisted posts a thread has."""
    row = tx.one(
        "select count(*) as n from post p join account a on a.id = p.account and a.state = 'active'"
        " where (p.root = :root or p.id = :root) and p.state = 'published' and p.visibility in ('public', 'unlisted')"
        f" and {SHOWN_BELOW}",
        root=root,
    )
    return int(row.n) if row else 0


def spread(tx: Tx, post: Post, boost: int | None = None, booster: int | None = None) -> int:
    """Put a post (or somebody's boost of it) into the streams of our accounts that follow; returns how many.

    An answer goes only to those who also follow the one who is answered, or are that one; a boost to those who want
    boosts of that person, a post to those who read its language. A public post also goes to who follows its hashtags.
    """
    source = booster if booster is not None else post.account.id
    told = tx.run(
        "insert into stream (account, item, post, boost) select f.follower, :item, :post, :boost from follow f"
        " join account a on a.id = f.follower where f.followed = :source and f.state = 'accepted' and a.local = 1"
        " and (:boost_is = 0 or f.reblogs = 1)"
        " and (:boost_is = 1 or :language = '' or f.languages = ''"
        " or ' ' || f.languages || ' ' like '% ' || :language || ' %')"
        " and (:boost_is = 1 or :answer = 0 or exists (select 1 from post pp where pp.id = :parent and ("
        " pp.account = :source or pp.account = f.follower or exists (select 1 from follow f2"
        " where f2.follower = f.follower and f2.followed = pp.account and f2.state = 'accepted'))))"
        " and (:boost_is = 0 or not exists (select 1 from stream s2 where s2.account = f.follower and s2.post = :post))"
        " on conflict do nothing",
        item=boost if boost is not None else post.id,
        post=post.id,
        boost=boost,
        boost_is=int(boost is not None),
        answer=int(bool(post.in_reply_to)),
        parent=post.parent or 0,
        source=source,
        language=post.language.partition("-")[0].lower(),
    )
    if booster is not None or post.account.local:
        told += _own(tx, post, boost, source)
    if boost is None and post.hashtags and post.visibility == Visibility.PUBLIC:
        told += tags.spread(tx, post.id, post.hashtags)
    events.tell(tx, events.POST if boost is None else events.BOOST, account=source, post=post.id, item=boost or 0)
    return told


def _own(tx: Tx, post: Post, boost: int | None, source: int) -> int:
    return tx.run(
        "insert into stream (account, item, post, boost) select id, :item, :post, :boost from account"
        " where id = :source and local = 1 and login is not null and (:boost_is = 0 or not exists ("
        " select 1 from stream s where s.account = :source and s.post = :post)) on conflict do nothing",
        item=boost if boost is not None else post.id,
        post=post.id,
        boost=boost,
        boost_is=int(boost is not None),
        source=source,
    )


def _items(tx: Tx, rows: list[Row], viewer: int) -> list[Item]:
    whole = posts.hydrate(tx, rows, viewer)
    numbers = {row.boost for row in rows if row.boost is not None}
    found = tx.all("select id, account from boost where id in (:ids)", ids=sorted(numbers)) if numbers else []
    by_boost = {row.id: row.account for row in found}
    people = accounts.many(tx, set(by_boost.values()))
    return [
        Item(id=row.item, post=post, booster=people.get(by_boost.get(row.boost, 0)))
        for row, post in zip(rows, whole, strict=True)
    ]
