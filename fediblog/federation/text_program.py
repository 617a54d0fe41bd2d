"""The program that renders long texts in a process of its own, so that the event loop never waits for them.

It reads the texts and writes the names in them; reads the accounts behind those; and writes the HTML. Each message is
four bytes with its length, then JSON.
"""

from __future__ import annotations

import json
import sys
from typing import Any, Final

from fediblog.domain.urls import Urls
from fediblog.markup.html import MentionTarget
from fediblog.media.child_process import confine
from fediblog.prepare import texts as prepare
from fediblog.prepare.wording import Text

MEMORY: Final = 1024 * 1024 * 1024
"""Bytes of address space."""
CPU_SECONDS: Final = 60


def main() -> None:
    confine(MEMORY, CPU_SECONDS)
    texts = [
        Text(source=source, kind=kind, breaks=breaks, inline_images=pictures)
        for source, kind, breaks, pictures in _read()
    ]
    parsed = prepare.read(texts)
    _write(prepare.names(parsed))
    origin, handle_domain, known = _read()
    people = {name: MentionTarget(*each) for name, each in known.items()}
    words = prepare.words(texts, parsed, people, Urls(origin, handle_domain))
    _write([[each.html, each.hashtags, each.emoji, each.anchor] for each in words])


def _read() -> Any:
    size = int.from_bytes(sys.stdin.buffer.read(4), "big")
    return json.loads(sys.stdin.buffer.read(size))


def _write(message: object) -> None:
    body = json.dumps(message).encode()
    sys.stdout.buffer.write(len(body).to_bytes(4, "big") + body)
    sys.stdout.buffer.flush()


if __name__ == "__main__":
    main()
