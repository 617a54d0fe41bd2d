"""The program that compares the versions of a long post in a process of its own: see `version_differences`.

It reads HTML texts, each four bytes with its length and then UTF-8, until there are no more, and writes as JSON what
differs between each and the one before it.
"""

from __future__ import annotations

import json
import sys
from itertools import pairwise
from typing import Final

from fediblog.markup.differences import differences
from fediblog.markup.html import plain
from fediblog.media.child_process import confine

MEMORY: Final = 1024 * 1024 * 1024
"""Bytes of address space."""
CPU_SECONDS: Final = 20


def main() -> None:
    confine(MEMORY, CPU_SECONDS)
    read, texts = sys.stdin.buffer.read, []
    while size := read(4):
        texts.append(plain(read(int.from_bytes(size, "big")).decode()))
    sys.stdout.write(json.dumps([differences(before, after) for before, after in pairwise(texts)]))


if __name__ == "__main__":
    main()
