"""How often pages of posts were opened, by day: a number, and nothing of who opened them."""

from __future__ import annotations

from collections.abc import Collection, Mapping

from fediblog.domain.documents import OPEN
from fediblog.store.posts import posts
from fediblog.store.tx import Tx

DAY = 86_400_000  # ms
KEPT = 365  # days


def add(tx: Tx, opened: Mapping[str, int]) -> None:
    """Add to today's numbers of posts of ours that all may see, by their addresses; others count nothing."""
    for address, times in sorted(opened.items()):
        post = posts.by_link(tx, address)
        if post is not None and post.local and post.state == "published" and post.visibility in OPEN:
            tx.run(
                "insert into visit (post, day, times) values (:post, :day, :times)"
                " on conflict (post, day) do update set times = visit.times + excluded.times",
                post=post.id,
                day=tx.now // DAY,
                times=times,
            )


def totals(tx: Tx, numbers: Collection[int]) -> dict[int, int]:
    """How often the pages of these posts were opened, as long as that is kept."""
    rows = tx.all("select post, sum(times) as n from visit where post in (:ids) group by post", ids=sorted(numbers))
    return {row.post: int(row.n) for row in rows}


def sweep(tx: Tx) -> int:
    """Forget days long past; returns how many numbers."""
    return tx.run("delete from visit where day < :old", old=tx.now // DAY - KEPT)
