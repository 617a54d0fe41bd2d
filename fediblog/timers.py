"""What is done if something takes too long. Hardly anything does, so one timer serves all that is waited for."""

from __future__ import annotations

import asyncio
from collections.abc import Callable


class Timers:
    """Calls that are made once their time has come, unless they were cancelled."""

    def __init__(self) -> None:
        self._set: dict[int, tuple[float, Callable[[], object]]] = {}
        self._numbers = 0
        self._timer: asyncio.TimerHandle | None = None  # for the first of them, or for one that was cancelled
        self._rings = 0.0

    def set(self, seconds: float, call: Callable[[], object]) -> int:
        """`call` in so many seconds; the number is for `cancel`."""
        loop = asyncio.get_running_loop()
        due = loop.time() + seconds
        self._numbers += 1
        self._set[self._numbers] = (due, call)
        if self._timer is None or due < self._rings:
            self._wind(loop, due)
        return self._numbers

    def cancel(self, number: int) -> None:
        """Take a call off: what it was for ended in time."""
        self._set.pop(number, None)

    def timeout(self, seconds: float) -> Timeout:
        """A context in which the task may wait so long, as with `asyncio.timeout`; then TimeoutError."""
        return Timeout(self, seconds)

    def _wind(self, loop: asyncio.AbstractEventLoop, due: float) -> None:
        if self._timer is not None:
            self._timer.cancel()
        self._timer, self._rings = loop.call_at(due, self._ring, loop), due

    def _ring(self, loop: asyncio.AbstractEventLoop) -> None:
        self._timer = None
        now = loop.time()
        for _, number in sorted((due, number) for number, (due, _) in self._set.items() if due <= now):
            if number in self._set:  # unless a call before it has cancelled it
                _, call = self._set.pop(number)
                call()
        if self._set:
            self._wind(loop, min(due for due, _ in self._set.values()))


class Timeout:
    """Cancels the task that entered it once the time is over, and says TimeoutError instead at the end."""

    __slots__ = ("_cancelling", "_number", "_over", "_seconds", "_task", "_timers")

    def __init__(self, timers: Timers, seconds: float) -> None:
        self._timers, self._seconds = timers, seconds
        self._over = False

    def __enter__(self) -> None:
        task = asyncio.current_task()
        if task is None:
            raise RuntimeError("Only a task can be cancelled.")
        self._task, self._cancelling = task, task.cancelling()
        self._number = self._timers.set(self._seconds, self._end)

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, _: object) -> None:
        self._timers.cancel(self._number)
        # Somebody else may have cancelled it as well, and must not be kept from it.
        if self._over and self._task.uncancel() <= self._cancelling and kind is asyncio.CancelledError:
            raise TimeoutError from error

    def _end(self) -> None:
        self._over = True
        self._task.cancel()
