"""What is talked about: hashtags, posts and links in the public posts of the last seven days that are known here."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from msgspec import Struct

from fediblog.store.people.accounts import host_of
from fediblog.store.posts.tags import DAY, DAYS, Use
from fediblog.store.posts.timelines import Entry, entries
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import NOT_EXCLUDED, NOT_WARNED, VISIBLE_IN_LISTS

MOST = 40

# People who do not want to be found are not shown to those who do not look for them.
_POSTED = (
    "select p.id, p.account, p.id / 90596966400000 as day from post p join account a on a.id = p.account"
    " where p.id >= :since and p.state = 'published' and p.visibility = 'public' and a.state = 'active'"
    " and a.discoverable = 1 and a.limited = 0{} order by p.id desc limit 5000"
)  # 90596966400000: a day in ms, in the part of a number that is the time
_RECENT = f"({_POSTED.format('')}) r"
_TOLD = f"({_POSTED.format(f' and {NOT_WARNED}')}) r"  # what stands below a warning is listed to nobody
_TAGS = (
    f"select t.tag as word, r.day, count(*) as uses, count(distinct r.account) as people from {_TOLD}"
    " join post_tag t on t.post = r.id group by t.tag, r.day"
)
_LINKS = (
    f"select l.link as word, r.day, count(*) as uses, count(distinct r.account) as people from {_TOLD}"
    " join post_link l on l.post = r.id group by l.link, r.day"
)
_POSTS = (
    "select s.id from (select r.id, (select count(distinct x.account) from reaction x"
    " where x.post = r.id and x.kind <> 'dislike')"
    f" + 2 * (select count(*) from boost b where b.post = r.id) as score from {_RECENT}) s"
    " where s.score > 0 order by s.score desc, s.id desc limit :n"
)


_PAGES = (
    "select p.id, p.uri, p.url, p.title, p.language, a.name, a.host, coalesce(nullif(p.image, ''), f.url) as picture,"
    " case when p.image <> '' then p.image_alt else coalesce(f.alt, '') end as alt,"
    " case when p.image <> '' then '' else coalesce(f.blurhash, '') end as blurhash"
    " from post p join account a on a.id = p.account left join attachment f on f.id = (select x.id from attachment x"
    " where x.post = p.id and x.media_type like 'image/%' order by x.position limit 1)"
    " where (p.uri in (:links) or p.url in (:links)) and p.local = 0"
    " and p.state = 'published' and p.visibility = 'public' and p.sensitive = 0"
    f" and {NOT_WARNED} and a.state = 'active' and a.discoverable = 1 and a.limited = 0"
    " and a.media_rejected = 0"
)


class PreviewCard(Struct, frozen=True, kw_only=True):
    """What is known of a page that is linked to: the post that it is of, and the address of its picture."""

    title: str
    language: str
    author: str
    post: int
    picture: str
    alt: str
    blurhash: str


class Trend(Struct, frozen=True, kw_only=True):
    """A hashtag (in lower case) or a link, and its use by the day's beginning (ms)."""

    word: str
    days: Mapping[int, Use]

    @property
    def weight(self) -> tuple[int, int]:
        """What it is sorted by: people first, so that nobody lifts something alone."""
        return sum(people for _, people in self.days.values()), sum(uses for uses, _ in self.days.values())


def tags(tx: Tx) -> list[Trend]:
    """Hashtags, the most used first."""
    return _ranked(tx.all(_TAGS, since=_since(tx)))


def links(tx: Tx) -> list[Trend]:
    """Links, the most shared first."""
    return _ranked(tx.all(_LINKS, since=_since(tx)))


def preview_cards(tx: Tx, links: Sequence[str]) -> dict[str, PreviewCard]:
    """Those of the links that are posts of other servers with a picture, which everybody may see without a warning."""
    rows = tx.all(_PAGES, links=links)
    return {
        link: PreviewCard(
            title=row.title,
            language=row.language,
            author=row.name,
            post=row.id,
            picture=row.picture,
            alt=row.alt,
            blurhash=row.blurhash,
        )
        for row in rows
        for link in (row.uri, row.url)
        if row.picture and host_of(link) == row.host
    }


def posts(tx: Tx) -> list[int]:
    """Numbers of posts, the most liked and passed on first."""
    return [row.id for row in tx.all(_POSTS, since=_since(tx), n=MOST)]


def rows_of(tx: Tx, viewer: int, numbers: Sequence[int]) -> list[Entry]:
    """Those of the posts that the viewer may see, in the order of the numbers, as a timeline."""
    rows = tx.all(
        "select p.id as item, null as booster, p.* from post p where p.id in (:ids) and p.state = 'published'"
        f" and p.visibility = 'public' and {VISIBLE_IN_LISTS} and {NOT_EXCLUDED}",
        ids=numbers,
        viewer=viewer,
        now=tx.now,
    )
    found = {row.id: row for row in rows}
    return entries([found[number] for number in numbers if number in found])


def _since(tx: Tx) -> int:
    return (tx.now // DAY - DAYS + 1) * DAY << 20


def _ranked(rows: Sequence[Row]) -> list[Trend]:
    days: dict[str, dict[int, Use]] = {}
    for row in rows:
        days.setdefault(row.word, {})[row.day * DAY] = (row.uses, row.people)
    found = [Trend(word=word, days=each) for word, each in days.items()]
    return sorted(found, key=lambda each: (each.weight, each.word), reverse=True)[:MOST]
