"""Renders what our people typed: short texts where they are, long ones in a process of their own.

A thread would not do: the parser is Python, so that all else would wait for the interpreter's lock.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from subprocess import DEVNULL, PIPE, Popen
from typing import Any, Final

from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, Unavailable
from fediblog.federation.site import Site
from fediblog.markup.html import Html, MentionTarget
from fediblog.media.child_process import bare_environment
from fediblog.pacing import slot_within
from fediblog.prepare import texts as prepare
from fediblog.prepare.wording import Text, Words

LONG: Final = 2_000
"""Characters; more take above ten milliseconds."""
AT_ONCE: Final = 2
"""Long texts rendered at the same time: each takes a processor."""
PATIENCE: Final = 30.0
"""Seconds that a text waits for a slot."""
TIMEOUT: Final = 60.0
"""Seconds for one reading, and for one writing."""
PROGRAM: Final = (sys.executable, "-I", "-m", "fediblog.federation.text_program")

People = Mapping[str, MentionTarget]
FindMentioned = Callable[[tuple[str, ...]], Awaitable[People]]
"""Finds whom the names mean that are typed in a text: name -> account."""


def _slots(_site: Site) -> asyncio.Semaphore:
    """For the long texts of a site that are rendered at a time."""
    return asyncio.Semaphore(AT_ONCE)


async def render(
    site: Site, texts: tuple[Text, ...], find: FindMentioned
) -> tuple[tuple[str, ...], People, tuple[Words, ...]]:
    """Whom the texts name, whom `find` takes them for, and the texts as HTML."""
    if sum(len(each.source) for each in texts) <= LONG:
        parsed = prepare.read(texts)
        names = prepare.names(parsed)
        people = await find(names)
        return names, people, prepare.words(texts, parsed, people, site.urls)
    async with slot_within(site.keep(_slots), PATIENCE, Unavailable("texts-busy", 60)):
        return await _render_apart(site.urls, texts, find)


async def _render_apart(
    urls: Urls, texts: tuple[Text, ...], find: FindMentioned
) -> tuple[tuple[str, ...], People, tuple[Words, ...]]:
    process = await _started()
    try:
        question = [[each.source, each.kind, each.breaks, each.inline_images] for each in texts]
        names = tuple(await _ask(process, question))
        people = await find(names)
        known = {name: [each.uri, each.url, each.handle] for name, each in people.items()}
        answer = await _ask(process, [urls.origin, urls.handle_domain, known])
        return names, people, tuple(_words(*each) for each in answer)
    except TimeoutError:
        raise Invalid("source", "post.text-too-slow") from None
    except (EOFError, BrokenPipeError, ConnectionResetError):
        raise Invalid("source", "post.text-too-hard") from None
    finally:
        process.kill()
        await asyncio.to_thread(_end, process)


def _words(html: str, hashtags: list[str], emoji: list[str], anchor: str) -> Words:
    return Words(html=Html(html), hashtags=tuple(hashtags), emoji=tuple(emoji), anchor=anchor)


async def _started() -> Popen[bytes]:
    """The program, begun in a thread: to make a process holds the event loop until the other program runs."""
    starting = asyncio.get_running_loop().run_in_executor(None, _start)
    try:
        return await asyncio.shield(starting)
    except asyncio.CancelledError:
        starting.add_done_callback(_end_started)
        raise


def _end_started(starting: asyncio.Future[Popen[bytes]]) -> None:
    """Nobody waits for it any more."""
    if starting.exception() is None:
        _end(starting.result())


async def _ask(process: Popen[bytes], question: Any) -> Any:
    """What the program answers. Raises EOFError or BrokenPipeError if it has ended, TimeoutError if it is too slow."""
    async with asyncio.timeout(TIMEOUT):
        return await asyncio.to_thread(_exchange, process, question)


# Below: on a thread.


def _start() -> Popen[bytes]:
    return Popen(PROGRAM, stdin=PIPE, stdout=PIPE, stderr=DEVNULL, env=bare_environment())  # noqa: S603


def _exchange(process: Popen[bytes], question: Any) -> Any:
    """Send one message and read the answer: each is four bytes with its length, then JSON."""
    assert process.stdin is not None
    body = json.dumps(question).encode()
    process.stdin.write(len(body).to_bytes(4, "big") + body)
    process.stdin.flush()
    return json.loads(_read(process, int.from_bytes(_read(process, 4), "big")))


def _read(process: Popen[bytes], size: int) -> bytes:
    assert process.stdout is not None
    found = process.stdout.read(size)
    if len(found) < size:
        raise EOFError
    return found


def _end(process: Popen[bytes]) -> None:
    process.kill()
    process.wait()
    for pipe in (process.stdin, process.stdout):
        with suppress(OSError):  # what was not taken is lost
            if pipe is not None:
                pipe.close()
