"""What differs between the versions of a post: of short ones at once, of long ones in a process of its own.

A thread would not do: the comparison is Python, so that all else would wait for the interpreter's lock.
"""

from __future__ import annotations

import asyncio
import json
import sys
from collections.abc import Sequence
from itertools import pairwise
from subprocess import DEVNULL, PIPE, SubprocessError, run
from typing import Final

from fediblog.errors import Unavailable
from fediblog.federation.site import Site
from fediblog.markup.differences import ChangedPiece, differences
from fediblog.markup.html import plain
from fediblog.media.child_process import bare_environment
from fediblog.pacing import slot_within

LONG: Final = 10_000
"""Characters of HTML; more take above ten milliseconds."""
AT_ONCE: Final = 1
"""Long posts compared at the same time: each takes a processor."""
PATIENCE: Final = 30.0
"""Seconds that one waits for its turn."""
TIMEOUT: Final = 30.0
"""Seconds for one comparison."""
PROGRAM: Final = (sys.executable, "-I", "-m", "fediblog.federation.difference_program")


def _slots(_site: Site) -> asyncio.Semaphore:
    """For the long posts of a site that are compared at a time."""
    return asyncio.Semaphore(AT_ONCE)


async def compare(site: Site, versions: Sequence[str]) -> list[list[ChangedPiece]]:
    """Of HTML texts, what differs between each and the one before it. Raises Unavailable if that takes too long."""
    if sum(map(len, versions)) <= LONG:
        return [differences(before, after) for before, after in pairwise(map(plain, versions))]
    async with slot_within(site.keep(_slots), PATIENCE, Unavailable("texts-busy", 60)):
        return await asyncio.to_thread(_compare, versions)


def _compare(versions: Sequence[str]) -> list[list[ChangedPiece]]:
    encoded = [each.encode() for each in versions]
    sent = b"".join(part for each in encoded for part in (len(each).to_bytes(4, "big"), each))
    try:
        done = run(  # noqa: S603
            PROGRAM, input=sent, stdout=PIPE, stderr=DEVNULL, env=bare_environment(), timeout=TIMEOUT, check=True
        )
    except SubprocessError:
        raise Unavailable("texts-busy", 60) from None
    return [[ChangedPiece(*each) for each in pieces] for pieces in json.loads(done.stdout)]
