"""The cache of names, and the order in which addresses are tried."""

from __future__ import annotations

import asyncio

from fediblog.net.dns import Names, SystemResolver, tried


class Service:
    """A name service that counts."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self.ready = asyncio.Event()
        self.ready.set()

    async def __call__(self, host: str, port: int) -> list[str]:
        self.asked.append(host)
        await self.ready.wait()
        return ["1.1.1.1"] if host == "known.example" else []


async def test_an_answer_is_believed_for_its_time() -> None:
    now = 0.0
    service = Service()
    names = Names(service, 60, lambda: now)
    for host, half in (("known.example", False), ("nowhere.example", True)):
        service.asked.clear()
        now = 0.0
        first = await names.addresses(host, 443)
        now = 29.0 if half else 59.0
        assert await names.addresses(host, 443) == first
        assert len(service.asked) == 1
        now = 31.0 if half else 61.0
        await names.addresses(host, 443)
        assert len(service.asked) == 2


async def test_callers_share_a_look_up_and_one_may_give_up() -> None:
    service = Service()
    service.ready.clear()
    names = Names(service)
    first, second = (asyncio.create_task(names.addresses("known.example", 443)) for _ in range(2))
    while not service.asked:
        await asyncio.sleep(0)
    first.cancel()
    service.ready.set()
    assert await second == ("1.1.1.1",)
    assert service.asked == ["known.example"]
    assert first.cancelled()


async def test_closing_ends_a_look_up() -> None:
    service = Service()
    service.ready.clear()
    names = Names(service)
    task = asyncio.create_task(names.addresses("known.example", 443))
    while not service.asked:
        await asyncio.sleep(0)
    names.close()
    assert await task == ()


async def test_the_system_knows_this_machine() -> None:
    system = SystemResolver()
    assert set(await system("localhost", 80)) <= {"127.0.0.1", "::1"}
    system.close()


def test_both_families_get_a_try() -> None:
    assert tried(["2::1", "2::2", "2::3", "2::4", "1.1.1.1", "1.1.1.2"]) == ("2::1", "1.1.1.1", "2::2", "1.1.1.2")
    assert tried(["1.1.1.1", "1.1.1.2", "2::1"]) == ("1.1.1.1", "2::1", "1.1.1.2")
    assert tried(["1.1.1.1"]) == ("1.1.1.1",)
    assert tried([]) == ()
