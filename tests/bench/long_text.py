"""`python -m tests.bench.long_text [DATABASE]`: what everybody else feels of 400 kB that an author writes.

While they are published, edited and previewed: the longest hold of the event loop, and the longest short write.
"""

from __future__ import annotations

import asyncio
import sys
import tempfile
import time
from collections.abc import Awaitable, Callable
from dataclasses import replace
from pathlib import Path

import uvloop

from fediblog.actions.drafts import Draft, kind_of, text_of
from fediblog.federation.lookups import action_lookups
from fediblog.federation.site import Site, open_site
from fediblog.settings import Settings
from fediblog.store.people import server_state
from tests.bench import fill

PARAGRAPH = "Some *words* about a [thing](https://example.org/a) and `code`; #tag{0} here.\n\n## Part {0}\n\n- one\n\n"
SIZE = 399_000  # characters


async def main(database: str | None) -> None:
    with tempfile.TemporaryDirectory() as folder:
        settings = Settings(data=Path(folder), origin="https://bench.test", title="Bench")
        site = await open_site(replace(settings, database=database) if database else settings)
        author = (await fill.account(site.db, "author")).id
        text = "".join(PARAGRAPH.replace("{0}", str(n)) for n in range(4000))[:SIZE]
        first = Draft(source=text, title="Long")
        again = replace(first, source=f"{text} again")
        made = []

        async def publish() -> None:
            made.append(await action_lookups.publish(site, author, first))

        await watch(site, "nothing", lambda: asyncio.sleep(1))
        await watch(site, "publish", publish)
        await watch(site, "edit", lambda: action_lookups.edit(site, author, made[0].id, again))
        texts = (text_of(first, kind_of(first)),)
        await watch(site, "preview", lambda: action_lookups.word(site, texts, find=False))
        await site.close()


async def watch(site: Site, name: str, work: Callable[[], Awaitable[object]]) -> None:
    """Print how long the loop was held and a write took while that was done."""
    holds, waits = [0.0], [0.0]

    async def turn() -> None:
        while True:
            started = time.perf_counter()
            await asyncio.sleep(0.001)
            holds.append(time.perf_counter() - started - 0.001)

    async def write() -> None:
        while True:
            started = time.perf_counter()
            await site.db.write(server_state.put, "bench", str(started))
            waits.append(time.perf_counter() - started)
            await asyncio.sleep(0.01)

    others = [asyncio.create_task(turn()), asyncio.create_task(write())]
    started = time.perf_counter()
    await work()
    took = time.perf_counter() - started
    for each in others:
        each.cancel()
    await asyncio.gather(*others, return_exceptions=True)
    hold, wait = max(holds) * 1000, max(waits) * 1000
    print(f"{site.db.engine} {name}: {took:.1f} s; the loop was held for {hold:.0f} ms, a write took {wait:.0f} ms")


if __name__ == "__main__":
    uvloop.run(main(sys.argv[1] if len(sys.argv) > 1 else None))
