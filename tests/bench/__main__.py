"""`python -m tests.bench [NAMES…] [--small | --instructions] [--postgres] [--posts N] [--json FILE]`."""

from __future__ import annotations

import argparse
import json
import os
import platform
import sys
import time
from dataclasses import asdict
from pathlib import Path

import uvloop

from tests.bench import api, deliver, long, machine, pages, process, receive, scale, search
from tests.bench.lab import Lab, open_lab
from tests.bench.measure import Row, as_table

GROUPS = {
    "process": process,
    "deliver": deliver,
    "receive": receive,
    "pages": pages,
    "api": api,
    "long": long,
    "scale": scale,
    "search": search,
}
NAMES = {name: group for group, module in GROUPS.items() for name in module.NAMES}


def read_arguments(arguments: list[str]) -> argparse.Namespace:
    """What to measure and how."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description=__doc__)
    choices = f"a group ({', '.join(GROUPS)}) or one of: {', '.join(NAMES)}"
    parser.add_argument("names", nargs="*", metavar="NAMES", help=choices)
    parser.add_argument("--small", action="store_true", help="few operations, done within a minute")
    parser.add_argument("--instructions", action="store_true", help="count these with valgrind instead of the time")
    parser.add_argument("--postgres", action="store_true", help="PostgreSQL instead of SQLite, started for this run")
    parser.add_argument("--posts", type=int, metavar="N", help="posts in the home timeline; 10000 if not said")
    parser.add_argument("--json", type=Path, metavar="FILE", help="write the numbers there too")
    parsed = parser.parse_args(arguments)
    unknown = set(parsed.names) - set(NAMES) - set(GROUPS)
    if unknown:
        parser.error(f"unknown: {', '.join(sorted(unknown))}; expected {choices}")
    return parsed


def wanted_of(names: list[str]) -> dict[str, set[str]]:
    """The chosen benchmarks by group; all of them if none is named."""
    chosen = {name for name, group in NAMES.items() if not names or name in names or group in names}
    found = {group: {name for name in chosen if NAMES[name] == group} for group in GROUPS}
    return {group: members for group, members in found.items() if members}


async def measure(lab: Lab, wanted: dict[str, set[str]]) -> list[Row]:
    """All rows, each told as soon as it is known."""
    rows = await machine.rows(lab)
    for group, names in wanted.items():
        async for row in GROUPS[group].run(lab, names):
            cpu = f"{row.cpu:.3f} ms of CPU each" if row.cpu is not None else ""
            cpu += f"{row.instructions:.3f} M instructions each" if row.instructions is not None else ""
            print(f"{row.name}: {cpu} {row.remark}", file=sys.stderr, flush=True)
            rows.append(row)
    return rows


async def main(arguments: argparse.Namespace) -> None:
    started = time.monotonic()
    small = arguments.small or arguments.instructions
    posts = arguments.posts or (1000 if small else 10_000)
    options = {"use_postgres": arguments.postgres, "counts": arguments.instructions}
    async with open_lab(small=small, posts=posts, **options) as lab:
        rows = await measure(lab, wanted_of(arguments.names))
    print(as_table(rows))
    about = {
        "python": platform.python_version(),
        "cores": os.cpu_count(),
        "engine": "postgres" if arguments.postgres else "sqlite",
        "seconds": round(time.monotonic() - started, 1),
    }
    print(", ".join(f"{name} {value}" for name, value in about.items()))
    if arguments.json:
        arguments.json.write_text(json.dumps(about | {"rows": [asdict(row) for row in rows]}, indent=1))


if __name__ == "__main__":
    uvloop.run(main(read_arguments(sys.argv[1:])))
