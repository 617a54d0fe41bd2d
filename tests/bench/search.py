"""Full-text search by visitors and members over very many posts, whatever words they look for."""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Sequence
from dataclasses import dataclass, replace
from urllib.parse import urlencode

from msgspec.structs import replace as changed

from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, Note, Visibility
from fediblog.store.engine.database import Database
from fediblog.store.posts import post_columns, search_index
from fediblog.store.posts.post_columns import Placement
from fediblog.store.tx import Tx
from tests.bench import fill, load
from tests.bench.lab import HOST, ORIGIN, Lab, World, world
from tests.bench.measure import Row

POSTS = (100_000, 2_000)  # in a whole and in a small run
WORDS = 20_000  # that there are; the n-th is as common as 1/n
LENGTH = 60  # words of a post; of each hundredth, an article, ten times as many
NAMES = ("search-rare", "search-common", "search-several", "search-begun", "search-phrase", "search-seldom",
         "search-narrowed", "search-newest", "search-member")  # fmt: skip
_HTML = "text/html,application/xhtml+xml"
_ROWS = 1000  # in one transaction


@dataclass(frozen=True, slots=True)
class Filled:
    """Authors with posts, the first of whom has signed in, and all words there are, the most common first."""

    authors: Sequence[Account]
    words: Sequence[str]


async def run(lab: Lab, wanted: set[str]) -> AsyncIterator[Row]:
    """The rows of this group."""
    async with world(lab, "search", _fill) as (place, filled):
        for name, queries in _queries(filled).items():
            if name in wanted:
                yield await _asked(place, name, queries)
        yield place.memory("memory after search")


def _queries(filled: Filled) -> dict[str, list[dict[str, str]]]:
    """What is looked for, by the name of the row; several of each, since words differ."""
    word = filled.words
    common = [word[n] for n in range(8)]
    return {
        "search-rare": [{"q": f"{word[8000 + n]} {word[n]}"} for n in range(8)],
        "search-common": [{"q": f"{each} "} for each in common],
        "search-several": [{"q": f"{word[n]} {word[n + 20]} {word[n + 90]}"} for n in range(8)],
        "search-begun": [{"q": each[:3]} for each in common],
        "search-phrase": [{"q": f'"{word[n]} {word[n + 1]}"'} for n in range(8)],
        "search-seldom": [{"q": f'"{word[n]} {word[n + 1]} {word[n + 2]} {word[n]}"'} for n in range(8)],
        "search-narrowed": [{"q": each, "kind": "article", "by": filled.authors[-1].handle} for each in common],
        "search-newest": [{"q": each, "order": "newest"} for each in common],
        "search-member": [{"q": f"{word[n]} {word[n + 20]}"} for n in range(8)],
    }


async def _asked(place: World, name: str, queries: Sequence[dict[str, str]]) -> Row:
    cookie = {"Cookie": f"__Host-session={fill.TOKEN}-reader"} if name == "search-member" else {}
    requests = [
        load.get(HOST, f"/search?{urlencode(query)}", _HTML, **cookie)
        for _ in range(place.lab.size(10, 2))
        for query in queries
    ]
    measured, result = await place.measure(name, requests, 200, warm=len(queries), concurrency=1)
    found = result.last.count(b"<article")
    return replace(measured, remark=f"{place.lab.size(*POSTS)} posts; {found} shown of such as {queries[-1]['q']}")


async def _fill(lab: Lab, db: Database) -> Filled:
    dice = random.Random(1)
    letters = "aaabcdeeeefghiiijklmnnooprrssttuuvwyzäöü"
    made = ("".join(dice.choices(letters, k=dice.randint(3, 10))) for _ in range(WORDS * 2))
    words = list(dict.fromkeys(made))[:WORDS]
    weights = [1 / (n + 2) for n in range(len(words))]
    authors = [await fill.account(db, handle) for handle in ("reader", "ann", "ben")]

    def save(tx: Tx, first: int) -> None:
        rows = [_row(tx, authors[n % 3], n, dice.choices(words, weights, k=LENGTH * (10 if n % 100 == 0 else 1)))
                for n in range(first, min(first + _ROWS, lab.size(*POSTS)))]  # fmt: skip
        tx.many(post_columns.INSERT, rows)
        search_index.put(tx, [int(str(row["id"])) for row in rows])

    for first in range(0, lab.size(*POSTS), _ROWS):
        await db.write(save, first)
    await db.write(lambda tx: tx.run("analyze"))
    return Filled(authors, words)


def _row(tx: Tx, author: Account, number: int, words: Sequence[str]) -> post_columns.Values:
    at = tx.now - number * 600_000
    note = Note(uri=f"{ORIGIN}/p/s{number}", kind="Note", author=author.uri, to=(PUBLIC,), published=at,
                url=f"{ORIGIN}/@{author.handle}/s{number}", content=f"<p>{' '.join(words)}</p>")  # fmt: skip
    if number % 100 == 0:
        note = changed(note, kind="Article", title=" ".join(words[:4]))
    return {"id": tx.new_id(at), "account": author.id, "local": 1, "published": at, "received": at, "parent": None,
            "root": None} | post_columns.inserted(note, Placement(visibility=Visibility.PUBLIC))  # fmt: skip
