"""Search in what is stored: posts by their words, their authors or their address, hashtags by their beginning.

A member looks through our own posts and those that came into the home timeline, as far as they may be seen; a visitor
through our public ones, of authors who want to be found.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager

from msgspec import Struct
from msgspec.structs import replace

from fediblog.domain.posts import Post
from fediblog.hashtags import SIGNS, is_part, key
from fediblog.markup import search_words
from fediblog.markup.search_words import Query, Term
from fediblog.store.id_paging import Window
from fediblog.store.people.accounts import host_of
from fediblog.store.posts import posts, search_index
from fediblog.store.tx import EngineName, Row, Tx
from fediblog.store.visible import (
    LISTED,
    NOT_EXCLUDED,
    NOT_WARNED,
    OURS_FOR_ALL,
    SEARCHABLE,
    VISIBLE,
    VISIBLE_IN_LISTS,
    has_page,
)

MOST_RANKED = 60
"""Posts that are compared by how well they answer: the newest with the words, and the newest with one in the title."""
MOST_READ = 2_500
"""Posts with all the words that are looked at for what the index does not say: a phrase, and who may see them."""
COMMON = 300
"""Posts with a word from which on it is looked for as it stands, and not as the beginning of longer ones."""
_RANKED_BY = 4_000  # characters of the words of a post
_WITH_WORDS = {
    "sqlite": "select i.rowid as post from post_words_found i where post_words_found match :match"
    " and i.rowid < :before and i.rowid > :after order by i.rowid desc limit :n",
    "postgres": "select w.post, w.words from post_words w where w.found @@ cast(cast(:match as text) as tsquery)"
    " and w.post < :before and w.post > :after order by w.post desc limit :n",
}
# The last row says how many were read, and up to which.
_OF_THESE = {
    "sqlite": "with w as materialized ({those}) select post, 0 as n from post_words"
    " where post in (select post from w) and {exact}"
    " union all select coalesce(min(post), 0), count(*) from w order by n, post desc",
    "postgres": "with w as materialized ({those}) select post, 0 as n from w where {exact}"
    " union all select coalesce(min(post), 0), count(*) from w order by n, post desc",
}
_HAS = {"sqlite": "instr(' ' || words || ' ', :{}) > 0", "postgres": "strpos(' ' || words || ' ', :{}) > 0"}
_SEARCHED = (
    "p.state = 'published' and (p.local = 1 or exists ("
    f"select 1 from stream s where s.account = :viewer and s.post = p.id)) and {VISIBLE_IN_LISTS} and {NOT_EXCLUDED}"
    f" and {SEARCHABLE} and (:viewer <> 0 or {OURS_FOR_ALL})"
)
# One parameter for all of them: a list of so many would be planned each time.
_AMONG = {
    "sqlite": "select value from json_each(:numbers)",
    "postgres": "select cast(value as bigint) from json_array_elements_text(cast(cast(:numbers as text) as json))",
}
_WORDS = {
    engine: f"select post, substr(words, 1, {_RANKED_BY}) as words, marks from post_words where post in ({numbers})"
    for engine, numbers in _AMONG.items()
}
_SEEN = {
    engine: f"select p.id from post p where p.id in ({numbers}) and {_SEARCHED}" for engine, numbers in _AMONG.items()
}
_COUNTED = {
    "sqlite": "select count(*) as n from ("
    "select 1 as yes from post_words_found where post_words_found match :match limit :n) as counted",
    "postgres": "select count(*) as n from ("
    "select 1 as yes from post_words where found @@ cast(cast(:match as text) as tsquery) limit :n) as counted",
}
_NEWEST_BEGUN = (
    "select count(*) as n from (select words from post_words order by post desc limit :n)"
    " where instr(' ' || words, :begun) > 0"
)
_NEWEST, _MANY = 300, 30  # posts that are looked at for the beginning of a word, and how many of them make it common
# A plan for any words would not know how common these are, and whether to walk the newest posts or the index.
_PLAN_FOR = "select set_config('plan_cache_mode', :mode, true) as mode"
_TAGGED = (
    "select p.* from post_tag t join post p on p.id = t.post where t.tag = :tag and t.post < :before"
    " and t.post > :after and p.state = 'published' and (p.visibility = 'public' or p.local = 1"
    " or exists (select 1 from stream s where s.account = :viewer and s.post = p.id))"
    f" and (:account = 0 or p.account = :account) and {VISIBLE_IN_LISTS} and {NOT_EXCLUDED}"
    " order by t.post desc limit :n offset :offset"
)
_OF_PEOPLE = (
    "select p.* from post p where p.state = 'published' and p.account in (:people) and p.visibility = 'public'"
    f" and p.id < :before and p.id > :after and {VISIBLE_IN_LISTS} and {NOT_EXCLUDED} and {SEARCHABLE}"
    " order by p.id desc limit :n"
)
_AT = (
    "select p.* from post p where p.state = 'published' and p.id in (select u.id from post u where u.uri = :page"
    f" union select w.id from post w join account h on h.id = w.account where {has_page('w', 'h')})"
    f" and {VISIBLE} and (:viewer <> 0 or (p.local = 1 and {LISTED})) order by p.local desc, p.id limit 1"
)
_TAGS = (
    "select t.tag, max(t.name) as name from post_tag t join post p on p.id = t.post where t.tag >= :first"
    f" and t.tag < :last and p.visibility = 'public' and p.state = 'published' and {LISTED}"
    f" and (t.tag = :first or {NOT_WARNED})"
    " and exists (select 1 from account a where a.id = p.account and a.state = 'active' and a.limited = 0)"
    " group by t.tag order by case when t.tag = :first then 0 else 1 end, count(*) desc, t.tag limit :n offset :offset"
)


class SearchFilter(Struct, frozen=True, kw_only=True):
    """What a search is narrowed to: posts of an account, articles or notes, of a hashtag (by its key), of a year."""

    account: int = 0
    kind: str = ""
    tag: str = ""
    year: int = 0

    def marks(self) -> Iterator[str]:
        """What stands in the index for it."""
        if self.account:
            yield search_index.of_author(self.account)
        if self.kind:
            yield search_index.of_kind(self.kind)
        if self.tag:  # of letters that no tag has, nothing is found, and both engines understand the question
            yield search_index.of_tag(self.tag if all(map(is_part, self.tag)) else "")
        if self.year:
            yield search_index.of_year(self.year)


ALL = SearchFilter()
"""All that the reader may look through."""


class Answer(Struct, frozen=True, kw_only=True):
    """Some of the posts that were found. `total` is how many were compared, 0 where none are; `is_all` whether there
    are no more, as far as is known; otherwise older ones than `reached` have not been looked at.
    """

    posts: Sequence[Post] = ()
    total: int = 0
    is_all: bool = True
    reached: int = 0


def newest(tx: Tx, wanted: str, viewer: int, window: Window, narrowed: SearchFilter = ALL) -> Answer:
    """Posts with the words in them, newest first; fewer than are asked for where too many others lie between them.

    A hashtag alone means for members also all public posts that are known and have it.
    """
    if viewer and wanted[:1] in SIGNS and (tag := key(wanted)) and not any(letter.isspace() for letter in tag):
        return Answer(posts=_tagged(tx, tag, viewer, window, narrowed.account))
    query = search_words.read_query(wanted)
    if query.is_empty:
        return Answer()
    found = _found(tx, _settled(tx, query, viewer), viewer, window, narrowed)
    return Answer(posts=_shown(tx, found.numbers, viewer), is_all=found.is_all, reached=found.reached)


def ranked(tx: Tx, query: Query, viewer: int, narrowed: SearchFilter, *, limit: int, offset: int) -> Answer:
    """Posts with the words in them, best first: of those that are compared, `limit` from the place `offset` on.

    The same on both engines: neither ranks by itself, since both would look at each post that has a common word.
    """
    if query.is_empty:
        return Answer()
    whole = Window(limit=MOST_RANKED)
    query = _settled(tx, query, viewer)
    found = _found(tx, query, viewer, whole, narrowed)
    numbers = found.numbers
    if not found.is_all and query.terms:
        numbers = sorted({*numbers, *_found(tx, query, viewer, whole, narrowed, titled=True).numbers})
    rows = tx.all(_WORDS[tx.engine], numbers=_as_json(numbers))
    best = sorted(rows, key=lambda row: (-_score(query, row), -row.post))[offset : offset + limit]
    shown = _shown(tx, [row.post for row in best], viewer)
    return Answer(posts=shown, total=len(rows), is_all=found.is_all)


def _shown(tx: Tx, numbers: Sequence[int], viewer: int) -> list[Post]:
    found = posts.many(tx, numbers, viewer)
    return [found[number] for number in numbers if number in found]


def _score(query: Query, row: Row) -> float:
    return search_words.score(query, f" {row.words} ", search_index.title_in(row.marks))


class _Found(Struct, frozen=True):
    """Numbers of posts, the newest first; if these are not all, how far was looked."""

    numbers: list[int]
    is_all: bool
    reached: int


def _found(
    tx: Tx, query: Query, viewer: int, window: Window, narrowed: SearchFilter, *, titled: bool = False
) -> _Found:
    """The posts with all that is looked for; with `titled`, those with some of it in the title."""
    if _is_begun_often(tx, query):
        found = _looked_for(tx, query, viewer, window, narrowed, titled=titled, read=query.terms[-1])
        if found.is_all or len(found.numbers) == window.limit:
            return found
    return _looked_for(tx, query, viewer, window, narrowed, titled=titled)


def _looked_for(
    tx: Tx,
    query: Query,
    viewer: int,
    window: Window,
    narrowed: SearchFilter,
    *,
    titled: bool,
    read: Term | None = None,
) -> _Found:
    """First the index says which posts have the words, then the one rule which of them may be seen, until there are
    enough. In one statement PostgreSQL would think that few may be seen, and look at all that has the words.
    """
    phrases = {f"phrase{n}": _phrase(term) for n, term in enumerate(query.terms) if len(term.words) > 1 or term is read}
    without = {f"without{n}": _phrase(term) for n, term in enumerate(query.without) if len(term.words) > 1}
    has = _HAS[tx.engine]
    exact = [has.format(name) for name in phrases] + [f"not {has.format(name)}" for name in without]
    text = _OF_THESE[tx.engine].format(those=_WITH_WORDS[tx.engine], exact=" and ".join(exact) or "1 = 1")
    match = _match(tx, query, narrowed, viewer, titled, read)
    found, before, wanted = list[int](), window.before, window.offset + window.limit
    size, left = wanted, MOST_READ
    while True:
        size = min(size, left)
        with _planned_anew(tx):
            *rows, read_so_far = tx.all(
                text, match=match, before=before, after=window.after, n=size, **phrases, **without
            )
        found += _seen(tx, [row.post for row in rows], viewer)
        before, left, is_end = read_so_far.post, left - read_so_far.n, read_so_far.n < size
        if is_end or not left or len(found) >= wanted:
            is_all = is_end and len(found) <= wanted
            return _Found(found[window.offset : wanted], is_all, 0 if is_end else before)
        size *= 2


def _seen(tx: Tx, numbers: Sequence[int], viewer: int) -> list[int]:
    """Those of the posts that the reader may look through, in the same order."""
    if not numbers:
        return []
    seen = {row.id for row in tx.all(_SEEN[tx.engine], numbers=_as_json(numbers), viewer=viewer, now=tx.now)}
    return [number for number in numbers if number in seen]


def _as_json(numbers: Iterable[int]) -> str:
    return f"[{','.join(map(str, numbers))}]"


@contextmanager
def _planned_anew(tx: Tx) -> Iterator[None]:
    """PostgreSQL plans each search for its own words: how common these are decides how to go about it."""
    if tx.engine == "postgres":
        tx.one(_PLAN_FOR, mode="force_custom_plan")
    yield
    if tx.engine == "postgres":
        tx.one(_PLAN_FOR, mode="auto")


def _settled(tx: Tx, query: Query, viewer: int) -> Query:
    """The query as it is asked: of a word that is common as it stands nothing longer is looked for.

    For a beginning both engines go through all posts with any of the words that it begins.
    """
    if not query.terms or not query.terms[-1].open or search_words.is_sign(query.terms[-1].words[-1]):
        return query
    last = query.terms[-1]
    match = _every(tx.engine, [last.words[-1], *([] if viewer else [search_index.OPEN])])
    with _planned_anew(tx):
        counted = tx.one(_COUNTED[tx.engine], match=match, n=COMMON)
    if counted is None or counted.n < COMMON:
        return query
    return replace(query, terms=(*query.terms[:-1], replace(last, open=False)))


def _is_begun_often(tx: Tx, query: Query) -> bool:
    """Whether so many of the newest posts have a word that begins as the last one that it is better to read them.

    FTS5 would put together all that there are before it gives the first.
    """
    last = query.terms[-1] if query.terms else None
    if tx.engine != "sqlite" or last is None or not last.open or search_words.is_sign(last.words[-1]):
        return False
    counted = tx.one(_NEWEST_BEGUN, n=_NEWEST, begun=f" {last.words[-1]}")
    return counted is not None and counted.n >= _MANY


def _phrase(term: Term) -> str:
    """What stands in a text, with a space before and after it, where the words of a term follow one another."""
    return f" {' '.join(term.words)}" + ("" if term.open else " ")


class _Syntax(Struct, frozen=True):
    """How an engine's index is asked. No word has a character that means anything there."""

    word: str
    begun: str
    both: str
    either: str
    but_not: str


_ALL_KINDS = f'("{search_index.of_kind("article")}" OR "{search_index.of_kind("note")}")'  # any post, to SQLite
_SYNTAX = {
    "sqlite": _Syntax(word='"{}"', begun='"{}" *', both=" AND ", either=" OR ", but_not=" NOT "),
    "postgres": _Syntax(word="'{}'", begun="'{}':*", both=" & ", either=" | ", but_not=" & !"),
}


def _every(engine: EngineName, words: Iterable[str]) -> str:
    syntax = _SYNTAX[engine]
    return syntax.both.join(map(syntax.word.format, words))


def _words(engine: EngineName, term: Term, form: Callable[[str], str] = str) -> Iterator[str]:
    """Each word of a term, in a form that stands in the index; the last one perhaps as the beginning of others."""
    syntax = _SYNTAX[engine]
    yield from (syntax.word.format(form(word)) for word in term.words[:-1])
    yield (syntax.begun if term.open else syntax.word).format(form(term.words[-1]))


def _match(tx: Tx, query: Query, narrowed: SearchFilter, viewer: int, titled: bool, read: Term | None) -> str:
    """What the index is asked for; phrases are looked at afterwards, and the last word of `read`."""
    syntax = _SYNTAX[tx.engine]
    marks = [*narrowed.marks(), *map(search_index.of_tag, query.tags), *([] if viewer else [search_index.OPEN])]
    asked = [syntax.word.format(mark) for mark in marks]
    titles = [syntax.both.join(_words(tx.engine, term, search_index.of_title)) for term in query.terms if titled]
    for term in query.terms if len(titles) != 1 else ():  # what stands in a title stands in the words
        *before, last = _words(tx.engine, term)
        sign = term.words[-1]  # of a script without spaces, if it is one: in the index it stands alone as well
        last = syntax.word.format(search_index.of_sign(sign)) if search_words.is_sign(sign) else last
        asked += [*before, _ALL_KINDS if term is read else last]
    asked += [f"({syntax.either.join(f'({title})' for title in titles)})"] if titles else []
    without = [*(word for each in query.without if len(each.words) == 1 for word in _words(tx.engine, each))]
    return syntax.both.join(asked) + (f"{syntax.but_not}({syntax.either.join(without)})" if without else "")


def _tagged(tx: Tx, tag: str, viewer: int, window: Window, account: int) -> list[Post]:
    rows = tx.all(
        _TAGGED,
        tag=tag,
        viewer=viewer,
        account=account,
        now=tx.now,
        before=window.before,
        after=window.after,
        n=window.limit,
        offset=window.offset,
    )
    return posts.hydrate(tx, rows, viewer)


def of_people(tx: Tx, people: Collection[int], viewer: int, window: Window) -> list[Post]:
    """Public posts of those accounts, newest first."""
    if not people:
        return []
    rows = tx.all(
        _OF_PEOPLE,
        people=sorted(people),
        viewer=viewer,
        now=tx.now,
        before=window.before,
        after=window.after,
        n=window.limit,
    )
    return posts.hydrate(tx, rows, viewer)


def at(tx: Tx, link: str, viewer: int) -> list[Post]:
    """The post with that id or that web page; for a stranger (0) only of an account of ours that wants to be found."""
    return posts.hydrate(tx, tx.all(_AT, page=link, page_host=host_of(link), viewer=viewer), viewer)


def tags(tx: Tx, beginning: str, window: Window) -> list[str]:
    """Hashtags of public posts that begin so, as somebody wrote them; first the very same, then by use.

    What stands below a warning alone is found by who writes it out, and completed for nobody.
    """
    tag = key(beginning)
    if not tag or any(letter.isspace() for letter in tag):
        return []
    last = tag + "\U0010ffff"
    return [row.name for row in tx.all(_TAGS, first=tag, last=last, n=window.limit, offset=window.offset)]
