"""The words of posts, by which full-text search finds them: kept with the posts, in the same transactions.

What is here is a table and, by its triggers or its index, what each engine makes of it: FTS5 in SQLite, a `tsvector` in
PostgreSQL. Both have the words that `markup.search_words` makes. All our own posts but drafts are in it, and of others
what somebody here has in the home timeline: what a search looks through. Who may see a post is not asked here.
"""

from __future__ import annotations

from collections.abc import Collection, Sequence
from datetime import UTC, datetime

from fediblog.domain.documents import Visibility
from fediblog.hashtags import is_part
from fediblog.markup.search_words import LONGEST_TEXT, MOST_WORDS, signs_of, text_of, words_of
from fediblog.store.id_paging import FAR
from fediblog.store.json_columns import poll_from
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Row, Tx

_POSTS = (
    "select id, account, local, kind, visibility, published, title, summary, warning, image_alt, image_caption, poll,"
    f" substr(content, 1, {LONGEST_TEXT}) as content from post"
    " where id in (:ids) and state not in ('draft', 'scheduled', 'deleted')"
)
_BESIDE = (  # one statement, since most posts have at most one of these
    "select post, 'tag' as what, tag as text, 0 as number from post_tag where post in (:ids)"
    " union all select post, 'file', alt, position from attachment where post in (:ids) and alt <> ''"
    " union all select f.post, 'category', c.name, c.id from post_category f join category c on c.id = f.category"
    " where f.post in (:ids) order by post, what, number, text"
)
_PUT = (
    "insert into post_words (post, words, marks) values (:post, :words, :marks)"
    " on conflict (post) do update set words = excluded.words, marks = excluded.marks"
)
_SEARCHED = "(p.local = 1 or exists (select 1 from stream s where s.post = p.id))"
_UNINDEXED = (
    "select p.id, length(p.content) as size from post p where p.id in (:ids)"
    f" and p.state not in ('draft', 'scheduled', 'deleted') and {_SEARCHED}"
    " and not exists (select 1 from post_words w where w.post = p.id) order by p.id desc"
)
_FILED = {
    "sqlite": "select p.id, length(p.content) as size from post_words_found i cross join post p on p.id = i.rowid"
    " where post_words_found match :mark and i.rowid < :before order by i.rowid desc limit :n",
    "postgres": "select p.id, length(p.content) as size from post_words w join post p on p.id = w.post"
    " where w.found @@ cast(cast(:mark as text) as tsquery) and w.post < :before order by w.post desc limit :n",
}
_SPAN = "select id from post where id < :before order by id desc limit :n"
_QUOTE = {"sqlite": '"', "postgres": "'"}  # around a word, where an index is asked for it
OPEN = ":open"
"""The mark of a post of ours for everybody."""


def of_author(account: int) -> str:
    """The mark of the posts of an account."""
    return f":by{account}"


def of_kind(kind: str) -> str:
    """The mark of articles or of notes."""
    return f":{kind}"


def of_tag(tag: str) -> str:
    """The mark of the posts with a hashtag, which is given as `hashtags.key` makes it."""
    return f":tag{tag}"


def of_category(category: int) -> str:
    """The mark of what is filed under a category, given by its number."""
    return f":filed{category}"


def of_year(year: int) -> str:
    """The mark of what was published in a year (UTC)."""
    return f":in{year}"


def of_title(word: str) -> str:
    """The mark of a word that stands in the title."""
    return f"={word}"


def of_sign(sign: str) -> str:
    """The mark of a character of a script without spaces, wherever it stands in a text."""
    return f"::{sign}"


def put(tx: Tx, numbers: Collection[int]) -> None:
    """Index those of these posts that are no drafts, as they are stored now."""
    rows = tx.all(_POSTS, ids=sorted(numbers))
    if not rows:
        return
    beside: dict[int, list[Row]] = {}
    for row in tx.all(_BESIDE, ids=sorted(row.id for row in rows)):
        beside.setdefault(row.post, []).append(row)
    tx.many(_PUT, [_indexed(row, beside.get(row.id, ())) for row in rows])


def add(tx: Tx, post: int) -> None:
    """Index a post that came into somebody's home timeline, if it is not in the index yet."""
    if not _is_in(tx, post):
        put(tx, (post,))


def renew(tx: Tx, post: int) -> None:
    """Index a post anew that was changed, if it is in the index."""
    if _is_in(tx, post):
        put(tx, (post,))


def _is_in(tx: Tx, post: int) -> bool:
    return tx.one("select 1 as yes from post_words where post = :id", id=post) is not None


def fill(tx: Tx, before: int, span: int, most: int) -> int | None:
    """Index posts with numbers below `before` that should be in the index and are not: of the next `span` those whose
    texts have together at most `most` characters, and at least one. From where to go on; None at the end.
    """
    ids = [row.id for row in tx.all(_SPAN, before=before, n=span)]
    return _put_some(tx, tx.all(_UNINDEXED, ids=ids) if ids else (), most, ids[-1] if len(ids) == span else None)


def renew_filed(tx: Tx, category: int, before: int, span: int, most: int) -> int | None:
    """Index anew, in the same steps as `fill`, what is filed under a category, or was when it was last indexed."""
    rows = tx.all(
        _FILED[tx.engine], mark=f"{_QUOTE[tx.engine]}{of_category(category)}{_QUOTE[tx.engine]}", before=before, n=span
    )
    return _put_some(tx, rows, most, rows[-1].id if len(rows) == span else None)


def _put_some(tx: Tx, rows: Sequence[Row], most: int, end: int | None) -> int | None:
    """Index the first of the posts, as many as may be; the last of these if others are left, else `end`."""
    chosen = list[int]()
    for row in rows:
        most -= row.size
        if chosen and most < 0:
            put(tx, chosen)
            return chosen[-1]
        chosen.append(row.id)
    put(tx, chosen)
    return end


def fill_later(tx: Tx) -> None:
    """Have the worker index what is stored, if there is anything."""
    if tx.one("select 1 as yes from post limit 1") is not None:
        job_queue.add(tx, job_kinds.INDEX_POSTS, "all", {"before": FAR})


def renew_filed_later(tx: Tx, category: int) -> None:
    """Have the worker index anew what is filed under a category: it is called otherwise, or it is gone."""
    # By the time as well: a second change begins again at the newest.
    payload = {"before": FAR, "category": category}
    job_queue.add(tx, job_kinds.INDEX_POSTS, f"{of_category(category)} {tx.now}", payload)


def _indexed(row: Row, beside: Sequence[Row]) -> dict[str, int | str]:
    title = words_of(row.title)
    tags = [each.text for each in beside if each.what == "tag"]
    poll = poll_from(row.poll) if row.poll else None
    plain = [row.image_alt, row.image_caption, *(each.name for each in (poll.options if poll else ()))]
    plain += [each.text for each in beside if each.what != "tag"]
    parts = [" ".join(words_of(text_of(text))) for text in (row.warning, row.summary, row.content) if text]
    parts += [" ".join(words_of(text)) for text in plain if text]
    marks = [of_author(row.account), of_kind("article" if row.kind == "Article" else "note")]
    marks += [of_year(datetime.fromtimestamp(row.published / 1000, UTC).year)] if row.published is not None else []
    marks += [OPEN] if row.local and row.visibility == Visibility.PUBLIC else []
    marks += [of_tag(tag) for tag in tags if all(map(is_part, tag))]
    marks += [of_category(each.number) for each in beside if each.what == "category"]
    words = " | ".join(filter(None, (" ".join(title), *parts)))[:MOST_WORDS]  # no phrase goes on after the bar
    marks += map(of_sign, sorted(signs_of(words)))
    return {"post": row.id, "words": words, "marks": " ".join([*marks, *dict.fromkeys(map(of_title, title))])}


def title_in(marks: str) -> str:
    """The words of the title, with a space before, between and after them."""
    sign = of_title("")
    return f" {marks.partition(f' {sign}')[2].replace(sign, '')} "
