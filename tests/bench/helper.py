"""Processes beside the benchmark: started with a configuration, asked and answering in lines of JSON."""

from __future__ import annotations

import asyncio
import json
import os
import sys
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

Answer = dict[str, Any]
_ROOT = Path(__file__).parents[2]


class Helper:
    """The benchmark's end of a helper process."""

    def __init__(self, process: asyncio.subprocess.Process, name: str, log: Path) -> None:
        self._process, self._name, self._log = process, name, log

    @property
    def pid(self) -> int:
        return self._process.pid

    async def ask(self, do: str, **values: object) -> Answer:
        """Ask for one thing and wait for its answer."""
        assert self._process.stdin is not None
        self._process.stdin.write(json.dumps({"do": do, **values}).encode() + b"\n")
        return await self.hear()

    async def hear(self) -> Answer:
        """The next line."""
        assert self._process.stdout is not None
        line = await self._process.stdout.readline()
        if not line:
            tail = self._log.read_text()[-3000:]
            raise RuntimeError(f"{self._name} has ended with {await self._process.wait()}:\n{tail}")
        answer: Answer = json.loads(line)
        return answer

    async def stop(self) -> None:
        """Close its input, which ends it; kill it if it does not."""
        if self._process.returncode is not None:
            return
        assert self._process.stdin is not None
        self._process.stdin.close()
        try:
            async with asyncio.timeout(20):
                await self._process.wait()
        except TimeoutError:
            self._process.kill()
            await self._process.wait()


@asynccontextmanager
async def running(
    name: str, folder: Path, config: Answer, within: Sequence[str] = ()
) -> AsyncIterator[tuple[Helper, Answer]]:
    """`tests.bench.NAME` as a process, perhaps within another program; with the first line that it says."""
    log = folder / f"{name}.log"
    with log.open("ab") as errors:
        process = await asyncio.create_subprocess_exec(
            *within,
            sys.executable,
            "-m",
            f"tests.bench.{name}",
            json.dumps(config),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            stderr=errors,
            cwd=_ROOT,
            env=os.environ | {"PYTHONHASHSEED": "0"} | config.get("environment", {}),
            limit=1 << 26,
        )
    helper = Helper(process, name, log)
    try:
        yield helper, await helper.hear()
    finally:
        await helper.stop()


def say(**values: object) -> None:
    """From within a helper: one answer."""
    print(json.dumps(values), flush=True)


async def obey(answer: Callable[[Answer], Awaitable[Answer]]) -> None:
    """Within a helper: answer each line until the input ends."""
    reader = asyncio.StreamReader()
    await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
    while line := await reader.readline():
        say(**await answer(json.loads(line)))
