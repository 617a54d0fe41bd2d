"""Processor time, memory and latency, and the table they are shown in."""

from __future__ import annotations

import time
from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

_HEAD = ("benchmark", "operations", "CPU ms/op", "database", "M instructions/op", "ops/s", "p50 ms", "p99 ms", "remark")


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One line of the table. `cpu` is the server's time for one operation, `database` PostgreSQL's share of it."""

    name: str
    operations: int
    cpu: float | None = None  # ms, PostgreSQL's included
    database: float | None = None  # ms
    instructions: float | None = None  # millions
    rate: float | None = None  # operations a second
    p50: float | None = None  # ms
    p99: float | None = None  # ms
    remark: str = ""


def row(name: str, count: int, spent: Spent, latencies: Iterable[float] = (), remark: str = "") -> Row:
    """The line for `count` operations; latencies in seconds."""
    if spent.instructions is not None:  # all the rest is as slow as the counting makes it
        return Row(name=name, operations=count, instructions=spent.instructions / 1e6 / count, remark=remark)
    ordered = sorted(latencies)
    return Row(
        name=name,
        operations=count,
        cpu=(spent.server + spent.database) * 1000 / count,
        database=spent.database * 1000 / count if spent.database else None,
        rate=count / spent.seconds if spent.seconds else None,
        p50=percentile(ordered, 0.5),
        p99=percentile(ordered, 0.99),
        remark=remark,
    )


def percentile(ordered: Sequence[float], share: float) -> float | None:
    """In milliseconds, of sorted seconds."""
    return ordered[min(int(len(ordered) * share), len(ordered) - 1)] * 1000 if ordered else None


def as_table(rows: Sequence[Row]) -> str:
    """The lines as Markdown, which reads well in a terminal too. Columns without a value are left out."""
    cells = [_HEAD, *([_shown(value) for value in asdict(each).values()] for each in rows)]
    used = [i for i in range(len(_HEAD)) if any(line[i] for line in cells[1:])]
    widths = {i: max(len(line[i]) for line in cells) for i in used}
    lines = [" | ".join(_padded(line[i], widths[i], i) for i in used) for line in cells]
    rule = " | ".join("-" * widths[i] if i in (0, len(_HEAD) - 1) else "-" * (widths[i] - 1) + ":" for i in used)
    return "\n".join(f"| {line} |" for line in (lines[0], rule, *lines[1:]))


def _padded(text: str, width: int, column: int) -> str:
    return text.ljust(width) if column in (0, len(_HEAD) - 1) else text.rjust(width)


def _shown(value: str | float | None) -> str:
    if value is None:
        return ""
    if isinstance(value, float):
        return f"{value:.3f}" if value < 10 else f"{value:.1f}" if value < 1000 else f"{value:.0f}"
    return str(value)


@dataclass(frozen=True, slots=True)
class Spent:
    """What passed between two looks: seconds of processor time, and seconds on the wall."""

    server: float
    database: float
    seconds: float
    instructions: int | None = None  # of the server's process, if these were counted and not the time


class Meter:
    """Processor time of the server's processes and of PostgreSQL's, by their first processes."""

    def __init__(self, server: int, database: int | None = None) -> None:
        self._server, self._database = server, database
        self.start()

    def start(self) -> None:
        """Count from here."""
        self._before = self._look()

    def stop(self) -> Spent:
        """What was spent since."""
        after = self._look()
        server, database, seconds = (new - old for new, old in zip(after, self._before, strict=True))
        return Spent(server, database, seconds)

    def _look(self) -> tuple[float, float, float]:
        database = cpu_of_family(self._database) if self._database else 0.0
        return cpu_of_family(self._server), database, time.monotonic()


def cpu_of_family(pid: int) -> float:
    """Seconds that a process and its children have used, those that have ended included."""
    return sum(map(_cpu, family(pid)))


def _cpu(pid: int) -> float:
    try:
        ended = _stat(pid)[13:15]  # cutime, cstime: children that have been waited for, in ticks of 10 ms
        # The clock of another process, to the nanosecond: clock_getcpuclockid(3) as Linux encodes it.
        return time.clock_gettime(~pid << 3 | 2) + sum(map(int, ended)) / 100
    except OSError:  # it ended just now
        return 0.0


def family(pid: int) -> list[int]:
    """A process and its descendants."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                children.setdefault(int(_stat(int(entry.name))[1]), []).append(int(entry.name))
            except OSError:
                continue
    found = [pid]
    for each in found:
        found += children.get(each, [])
    return found


def _stat(pid: int) -> list[str]:
    """The fields of /proc/PID/stat from the third (the state) on; the second, the name, may hold spaces."""
    return Path(f"/proc/{pid}/stat").read_text().rpartition(") ")[2].split()


def memory(pid: int) -> tuple[float, float]:
    """PSS and RSS of a process with its children, MB."""
    pss = rss = 0
    for each in family(pid):
        for line in Path(f"/proc/{each}/smaps_rollup").read_text().splitlines():
            name, _, value = line.partition(":")
            pss += int(value.split()[0]) if name == "Pss" else 0
            rss += int(value.split()[0]) if name == "Rss" else 0
    return pss / 1024, rss / 1024
