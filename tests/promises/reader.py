"""A visitor in a process of its own who turns pages, and says for each its status and the milliseconds that it took."""

from __future__ import annotations

import http.client
import json
import sys
import time
from itertools import cycle

PAGES = ("/", "/stream", "/@ann")


def main() -> None:
    """Read until the process is ended."""
    told = json.loads(sys.stdin.readline())
    line = http.client.HTTPConnection("127.0.0.1", told["port"], timeout=60)
    for path in cycle(PAGES):
        own = {"cookie": told["cookie"]} if path == "/stream" else {}
        began = time.monotonic()
        line.request("GET", path, headers={"host": told["host"], "accept": "text/html", **own})
        answer = line.getresponse()
        answer.read()
        took = round((time.monotonic() - began) * 1000, 1)
        sys.stdout.write(f"{json.dumps([answer.status, took])}\n")
        sys.stdout.flush()


if __name__ == "__main__":
    main()
