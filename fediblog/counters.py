"""What has happened in this process since it began, in numbers: one increment where it happens, read by `/metrics`."""

from __future__ import annotations

from bisect import bisect_left
from collections.abc import Iterator, Sequence

MOST_SERIES = 2_000  # of one counter: routes and their statuses; what comes beyond that counts as "other"

Sample = tuple[str, dict[str, str], float]
"""Name, labels and value of one line."""


class Counter:
    """Something that is counted, apart by its labels. Labels are words of ours, never what others sent."""

    __slots__ = ("_values", "help", "labels", "name")
    kind = "counter"

    def __init__(self, name: str, help: str, *labels: str) -> None:
        self.name, self.help, self.labels = name, help, labels
        self._values: dict[tuple[str, ...], int] = {}

    def add(self, *values: str, by: int = 1) -> None:
        """It has happened."""
        found = self._values.get(values)
        if found is None and len(self._values) >= MOST_SERIES:
            values = ("other",) * len(self.labels)
            found = self._values.get(values)
        self._values[values] = (found or 0) + by

    def value(self, *values: str) -> int:
        """How often it has happened with these labels."""
        return self._values.get(values, 0)

    def total(self) -> int:
        """How often it has happened in all."""
        return sum(self._values.values())

    def samples(self) -> Iterator[Sample]:
        """One line for each combination of labels."""
        for values, number in sorted(self._values.items()):
            yield self.name, dict(zip(self.labels, values, strict=True)), number


class Histogram:
    """Something that is measured: how often it was at most so much."""

    __slots__ = ("_buckets", "_counts", "_sum", "help", "name")
    kind = "histogram"

    def __init__(self, name: str, help: str, buckets: Sequence[float]) -> None:
        self.name, self.help = name, help
        self._buckets = tuple(buckets)
        self._counts = [0] * (len(self._buckets) + 1)
        self._sum = 0.0

    def add(self, value: float) -> None:
        """It was measured."""
        self._counts[bisect_left(self._buckets, value)] += 1
        self._sum += value

    def total(self) -> int:
        """How often it was measured."""
        return sum(self._counts)

    def samples(self) -> Iterator[Sample]:
        """The lines of a histogram: cumulative buckets, their sum and their number."""
        below = 0
        for edge, count in zip((*self._buckets, float("inf")), self._counts, strict=True):
            below += count
            yield f"{self.name}_bucket", {"le": "+Inf" if edge == float("inf") else f"{edge:g}"}, below
        yield f"{self.name}_sum", {}, self._sum
        yield f"{self.name}_count", {}, below


REQUESTS = Counter(
    "fediblog_requests_total", "Requests answered, without those from the page cache.", "route", "status"
)
REQUEST_SECONDS = Histogram(
    "fediblog_request_seconds",
    "Time that a request took, without those from the page cache.",
    (0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 10),
)
PAGE_CACHE = Counter(
    "fediblog_page_cache_total", "Requests for what anybody may see, by whether the page cache had the answer.", "found"
)
TURNED_AWAY = Counter(
    "fediblog_turned_away_total", "Requests answered with come-again-later, by the limit met.", "limit"
)
INBOX = Counter("fediblog_inbox_total", "Activities taken in, by kind and by what came of them.", "kind", "outcome")
REFUSALS = Counter("fediblog_refusals_total", "What was refused, by where and why.", "where", "reason")
DELIVERIES = Counter("fediblog_deliveries_total", "Attempts to deliver, by what came of them.", "verdict")
JOBS = Counter("fediblog_jobs_total", "Jobs worked on, by what came of them.", "kind", "outcome")
COMMITS = Histogram(
    "fediblog_commit_transactions", "Transactions that were committed together.", (1, 2, 4, 8, 16, 32, 64)
)
BUGS = Counter("fediblog_bugs_total", "Mistakes of ours, each with a traceback in the log.", "where")

ALL: tuple[Counter | Histogram, ...] = (
    *(REQUESTS, REQUEST_SECONDS, PAGE_CACHE, TURNED_AWAY, INBOX, REFUSALS, DELIVERIES, JOBS, COMMITS, BUGS),
)
