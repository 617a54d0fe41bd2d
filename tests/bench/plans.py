"""`python -m tests.bench.plans [--write]`: how the databases go about the main questions, for docs/performance.md.

SQLite's plans follow from the schema alone, because it is given no statistics: a small database shows them as well.
"""

from __future__ import annotations

import asyncio
import re
import sys
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

from fediblog import inbox
from fediblog.domain.accounts import Account
from fediblog.inbox import Facts
from fediblog.protocol.activities import read_activity
from fediblog.store.engine.database import connect
from fediblog.store.id_paging import Window
from fediblog.store.people import relations
from fediblog.store.posts import posts, timelines
from fediblog.store.queues import delivery_queue, incoming_queue, job_queue, leases
from fediblog.store.tx import Param, Tx
from fediblog.web.pages.post_page import WantedComments, thread_of
from tests import postgres
from tests.store import makers
from tests.store.makers import URLS, Watched, local, remote

PAGE = Path(__file__).parents[2] / "docs" / "performance.md"
HEADING = "## Plans"
HOSTS = 100
_INNERMOST = re.compile(r"\([^()]*\)")

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Scene:
    """Who and what the questions are about."""

    author: Account
    liker: Account
    post: int
    outgoing: int


def furnish(tx: Tx) -> Scene:
    """An author whom people on many servers follow, and who follows them; a post with comments, on its way."""
    author = local(tx)
    people = [remote(tx, f"p{n}", f"h{n}.example") for n in range(HOSTS)]
    for each in people:
        relations.put_follow(tx, each.id, author.id, f"{each.uri}/follow", "accepted")
        relations.put_follow(tx, author.id, each.id, f"{URLS.origin}/x/{each.id}", "accepted")
        seen = makers.post(tx, each)
        tx.run("insert into stream (account, item, post) values (:a, :p, :p)", a=author.id, p=seen)
    post = makers.post(tx, author, uri=URLS.post(tx.new_id()))
    for each in people[:20]:
        makers.post(tx, each, in_reply_to=makers.whole(tx, post).uri)
    outgoing = tx.new_id()
    delivery_queue.emit(
        tx, author.id, URLS.activity(outgoing), "Create", "u:1", "{}", number=outgoing, post=post, followers=True
    )
    delivery_queue.add_deliveries(tx, outgoing, [each.shared_inbox for each in people])
    return Scene(author, people[0], post, outgoing)


def home(tx: Tx, scene: Scene) -> None:
    viewer = scene.author.id
    timelines.whole(tx, timelines.home(tx, viewer, Window(limit=31)), viewer)


def post_page(tx: Tx, scene: Scene) -> None:
    post = posts.get(tx, scene.post)
    assert post is not None
    thread_of(tx, 0, post, WantedComments())


def spread(tx: Tx, scene: Scene) -> None:
    found = relations.inboxes_of_followers(tx, scene.author.id, after=scene.liker.id)
    delivery_queue.add_deliveries(tx, scene.outgoing, [inbox for _, inbox in found] + ["https://new.example/inbox"])
    delivery_queue.forget_reached(tx, scene.outgoing, 1000)


def lease(tx: Tx, _scene: Scene) -> None:
    leases.next_due(tx)
    leases.lease(tx, hosts=1, probes=1)
    job_queue.claim(tx)
    incoming_queue.claim(tx)


def settle(tx: Tx, _scene: Scene) -> None:
    delivery = leases.lease(tx, hosts=1)[0].deliveries[0]
    asked = len(tx.asked) if isinstance(tx, Watched) else 0
    makers.delivered(tx, delivery)
    makers.host_answered(tx, delivery.host)
    if isinstance(tx, Watched):
        del tx.asked[:asked]  # taking it is a question of its own


def sweep(tx: Tx, _scene: Scene) -> None:
    delivery_queue.sweep(tx, failed_before=1, sent_before=1)


def like(tx: Tx, scene: Scene) -> None:
    uri = makers.whole(tx, scene.post).uri
    document = {"id": f"{scene.liker.uri}/likes/1", "type": "Like", "actor": scene.liker.uri, "object": uri}
    activity = read_activity(document)
    assert activity is not None
    standing = incoming_queue.standing(tx, activity.uri, "h0.example", "h0.example", f"{scene.liker.uri}#main-key")
    assert standing.held is not None
    inbox.apply(tx, URLS, activity, Facts(actor=standing.held[1]))


QUESTIONS: dict[str, Callable[[Tx, Scene], None]] = {
    "Home timeline": home,
    "Page of a post, with its comments": post_page,
    "One step of a fan-out": spread,
    "What the worker takes: due hosts, their messages, jobs, activities": lease,
    "A delivery that was taken in": settle,
    "What the hourly sweep forgets of it": sweep,
    "The inbox: a like by a known actor": like,
}


def describe(tx: Tx, scene: Scene) -> str:
    """All questions with their plans, as Markdown."""
    parts = []
    for title, statements in asked(tx, scene).items():
        lines = []
        for sql, params in statements.items():
            steps = [row.detail for row in tx.all(f"explain query plan {sql}", **params)]
            lines += [shorten(sql), *(f"    {step}" for step in steps)] if steps else []
        parts.append(f"{title}:\n```\n" + "\n".join(lines) + "\n```\n")
    return "\n".join(parts)


def whole_tables(tx: Tx, scene: Scene) -> list[str]:
    """Statements for which PostgreSQL would read a table from its begin to its end though it was told to avoid that."""
    found: dict[str, None] = {}
    for statements in asked(tx, scene).values():
        tx.run("set local enable_seqscan = off")
        for sql, params in statements.items():
            steps = [row[0] for row in tx.all(f"explain {sql}", **params)]
            if any("Seq Scan" in step for step in steps):
                found[shorten(sql)] = None
    return list(found)


def asked(tx: Tx, scene: Scene) -> dict[str, dict[str, dict[str, Param]]]:
    """The statements of each question with their parameters."""
    found: dict[str, dict[str, dict[str, Param]]] = {}
    for title, ask in QUESTIONS.items():
        watched = Watched(tx)
        ask(watched, scene)
        found[title] = dict(watched.asked)
    return found


def shorten(sql: str) -> str:
    """What the statement does to which table, and the head of its condition; what is in parentheses is left out."""
    text, changed = sql, True
    while changed:
        text, changed = _INNERMOST.sub("…", text), bool(_INNERMOST.search(text))
    found = re.match(r"(select|insert(?: or ignore)? into|update|delete from)\b(?:.*?\bfrom)? *([\w…]*)", text)
    where = re.search(r"\bwhere (.{1,90}[\w…]*)", text)
    verb, table = found.groups() if found else ("", "")
    return f"{verb} {table}" + (f" where {where[1].strip()}" if where else "")


async def section() -> str:
    """The section of the page."""
    with tempfile.TemporaryDirectory() as folder:
        told = await _on(f"sqlite:///{folder}/plans.db", describe)
    intro = (
        "How SQLite goes about the questions that are asked most: `SEARCH … USING INDEX` finds its rows, `SCAN` of a\n"
        "table would read all of it (of `CONSTANT ROW`, `o`, `v` or `times` it reads a result at hand; `shut_out` has\n"
        "one row at most). Statements are shown by their beginnings.\n"
        "Written by `python -m tests.bench.plans --write`.\n"
    )
    return f"{HEADING}\n\n{intro}\n{told}{await _on_postgres()}"


async def _on(url: str, question: Callable[[Tx, Scene], T]) -> T:
    db = await connect(url)
    try:
        scene = await db.write(furnish)
        return await db.write(question, scene)
    finally:
        await db.close()


async def _on_postgres() -> str:
    """What it does depends on how much is in the tables: here is whether it could do without reading them whole."""
    programs = postgres.programs()
    if programs is None:
        return "\nPostgreSQL was not installed where this was written.\n"
    with postgres.running_cluster(programs) as cluster:
        found = await _on(cluster.url(cluster.create()), whole_tables)
    if not found:
        return "\nPostgreSQL finds an index for every one of these statements (asked with `enable_seqscan = off`).\n"
    listed = "\n".join(found)
    return (
        f"\nPostgreSQL finds an index for all of these but (asked with `enable_seqscan = off`):\n```\n{listed}\n```\n"
    )


def write(text: str) -> None:
    """Put the section in the place of the one that is there, or at the end."""
    head, _, rest = PAGE.read_text().partition(f"\n{HEADING}\n")
    _, next_heading, after = rest.partition("\n## ")
    PAGE.write_text(f"{head.rstrip()}\n\n{text}{next_heading}{after}")


if __name__ == "__main__":
    made = asyncio.run(section())
    if "--write" in sys.argv[1:]:
        write(made)
    else:
        print(made)
