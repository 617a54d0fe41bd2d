"""`fediblog demo`: two servers on this machine that follow, write to and answer each other before your eyes."""

from __future__ import annotations

import asyncio
import signal
import tempfile
from argparse import ArgumentParser, Namespace
from collections.abc import Coroutine
from pathlib import Path

from msgspec import Struct, field

from fediblog import log
from fediblog.cli.command import Command
from fediblog.cli.demo_stage import Crossing, CrossingListener, Party, stage
from fediblog.cli.demo_steps import Play, Step
from fediblog.cli.terminal import language, say, tell, translated
from fediblog.errors import FediblogError

NAMES = ("ann", "ben")


class Result(Struct, frozen=True):
    """How a step went."""

    title: str
    seen: bool
    crossings: list[Crossing] = field(default_factory=list)


def run(args: Namespace) -> int:
    """Run the demo; 0 if every step was seen on the other side."""
    log.configure("error")
    with tempfile.TemporaryDirectory(prefix="fediblog-demo-") as folder:
        try:
            return asyncio.run(_until_ended(_play(Path(folder), once=args.once)))
        except (KeyboardInterrupt, asyncio.CancelledError):
            say()
            tell("demo.ended")
            return 0


async def _until_ended(play: Coroutine[None, None, int]) -> int:
    """Play it; SIGTERM ends it as SIGINT does, so that the servers and the folder go."""
    task = asyncio.ensure_future(play)
    asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, task.cancel)
    return await task


async def _play(folder: Path, *, once: bool) -> int:
    tell("demo.starting")
    async with stage(folder, NAMES, _tell) as (ann, ben, listener):
        for party in (ann, ben):
            say(f"  {translated('demo.is', name=party.name, handle=party.account.acct, origin=party.site.urls.origin)}")
        play = Play(ann, ben)
        results = [await _show(number, step, listener) for number, step in enumerate(play.steps(), 1)]
        pages = await _pages(play)
        _sum_up(results)
        say()
        tell("demo.pages" if once else "demo.pages-to-open")
        width = max(len(title) for title, _, _ in pages)
        for title, address, status in pages:
            say(f"  {title:{width}} {address}{'' if status == 200 else f'  ({status})'}")
        if not once:
            await _stay(ann, ben)
    good = all(result.seen for result in results) and all(status == 200 for _, _, status in pages)
    return 0 if good else 1


async def _show(number: int, step: Step, listener: CrossingListener) -> Result:
    """Show one step: say it, do it, wait until the other side has it."""
    say(f"\n{number:2}. {step.title}")
    first = len(listener.crossings)
    try:
        await step.does()
        seen = await listener.until(step.seen, step.kinds, first)
    except FediblogError as error:
        say(f"      {error.sentence(language())}")
        seen = False
    say(f"      {translated('demo.seen' if seen else 'demo.unseen')}")
    return Result(step.title, seen, listener.crossings[first:])


def _tell(crossing: Crossing) -> None:
    say(f"      {crossing.kind:9} {crossing.sender} -> {crossing.receiver}   HTTP {crossing.status}")


async def _pages(play: Play) -> list[tuple[str, str, int]]:
    """Title, address and status of the pages worth a look."""
    wrote = play.wrote
    wanted = [
        (translated("demo.blog", name="ann"), play.ann.account.url),
        (translated("demo.article"), wrote["article"].url if "article" in wrote else ""),
        (translated("demo.thread"), wrote["note"].url if "note" in wrote else ""),
        (translated("demo.blog", name="ben"), play.ben.account.url),
        (translated("demo.picture"), wrote["picture"].url if "picture" in wrote else ""),
    ]
    return [(title, address, await _status(play.ann, address)) for title, address in wanted if address]


async def _status(party: Party, address: str) -> int:
    try:
        return (await party.site.client.fetch(address, accept="text/html", fresh=True)).status
    except FediblogError:
        return 0


def _sum_up(results: list[Result]) -> None:
    marks = (translated("demo.step-failed"), translated("demo.step-good"))
    width = max(len(result.title) for result in results)
    say()
    tell("demo.crossed")
    for result in results:
        crossed = ", ".join(f"{each.kind} {each.sender}->{each.receiver} {each.status}" for each in result.crossings)
        say(f"  {marks[result.seen]:{len(max(marks, key=len))}}  {result.title:{width}}  {crossed}")
    good = sum(result.seen for result in results)
    say(f"  {translated('demo.steps-seen', good=good, n=len(results))}")


async def _stay(ann: Party, ben: Party) -> None:
    say()
    tell("demo.sign-in")
    for party in (ann, ben):
        say(f"  {party.site.urls.origin}/login   {translated('demo.login', name=party.name, password=party.password)}")
    say()
    tell("demo.how-to-end")
    await asyncio.Event().wait()


def _arguments(parser: ArgumentParser) -> None:
    parser.add_argument("--once", action="store_true", help=translated("argument.once"))


COMMANDS = (
    Command(
        words=("demo",),
        usage="[--once]",
        examples=("fediblog demo", "fediblog demo --once"),
        arguments=_arguments,
        options=(),
        run=run,
    ),
)
