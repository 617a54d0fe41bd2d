"""Whatever happens between two servers, in whatever order, and however the network fails: in the end they agree."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, precondition, rule, run_state_machine_as_test

from fediblog.actions import follow_actions, moderation_actions, post_actions, reaction_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account
from fediblog.errors import Refused
from fediblog.federation import prepared_actions
from fediblog.store.tx import Tx
from tests import wording
from tests.world import Sent, World, ask

T = TypeVar("T")
A, B = "a.test", "b.test"
EXAMPLES = int(os.environ.get("FEDIBLOG_TEST_EXAMPLES", "40"))
STEPS = int(os.environ.get("FEDIBLOG_TEST_STEPS", "30"))
SHRINK = bool(os.environ.get("FEDIBLOG_TEST_SHRINK"))  # a short story takes its time
# What was taken back counts again if it is said again: only as the very last word is it a mere duplicate.
_REPEATABLE = frozenset({"Create", "Update", "Delete", "Undo", "Accept", "Reject"})


class Servers(RuleBasedStateMachine):
    """Ann writes on A. On B Ben reads, likes and passes on, Cat always follows, and Dan is blocked now and then."""

    def __init__(self) -> None:
        super().__init__()
        self.loop = asyncio.new_event_loop()
        self.world = World(A, B)
        self.people: dict[str, Account] = {}
        self.posts: list[tuple[int, str]] = []  # of Ann: number and id
        self.words = 0

    def run(self, work: Coroutine[Any, Any, T]) -> T:
        return self.loop.run_until_complete(work)

    @initialize()
    def begin(self) -> None:
        self.run(self._begin())

    async def _begin(self) -> None:
        await self.world.__aenter__()
        for host, name in ((A, "ann"), (B, "ben"), (B, "cat"), (B, "dan")):
            self.people[name] = await self.world.person(host, name)
        await prepared_actions.follow(self.world.sites[B], self.people["cat"].id, "ann@a.test")
        await self.world.settle()

    def teardown(self) -> None:
        try:
            if self.people:
                self.run(self._come_to_rest())
                self.run(self._compare())
        finally:
            self.run(self.world.__aexit__(None, None, None))
            self.loop.close()

    # --- what people do ---

    @rule(who=st.sampled_from(["ben", "dan"]))
    def follow(self, who: str) -> None:
        self.run(self._on_b(follow_actions.follow, who, self._known(B, "ann")))

    @rule(who=st.sampled_from(["ben", "dan"]))
    def unfollow(self, who: str) -> None:
        self.run(self._on_b(follow_actions.unfollow, who, self._known(B, "ann")))

    @rule()
    def publish(self) -> None:
        self.words += 1
        made = self.run(self.world.do(A, wording.publish, self.people["ann"].id, Draft(source=f"Words {self.words}")))
        self.posts.append((made.id, made.uri))

    @precondition(lambda self: self.posts)
    @rule(data=st.data())
    def edit(self, data: st.DataObject) -> None:
        self.words += 1
        self.world.clock.forward(seconds=2)
        draft = Draft(source=f"Other words {self.words}")
        self._try(self.world.do(A, wording.edit, self.people["ann"].id, self._post(data)[0], draft))

    @precondition(lambda self: self.posts)
    @rule(data=st.data())
    def delete(self, data: st.DataObject) -> None:
        self._try(self.world.do(A, post_actions.delete, self.people["ann"].id, self._post(data)[0]))

    @precondition(lambda self: self.posts)
    @rule(
        data=st.data(),
        action=st.sampled_from(
            [reaction_actions.like, reaction_actions.unlike, reaction_actions.boost, reaction_actions.unboost]
        ),
    )
    def react(self, data: st.DataObject, action: Callable[..., object]) -> None:
        number = self.run(self._number(B, "select id from post where uri = :uri", uri=self._post(data)[1]))
        if number:
            self._try(self._on_b(action, "ben", number))

    @rule(action=st.sampled_from([moderation_actions.block, moderation_actions.unblock]))
    def turn_away(self, action: Callable[..., object]) -> None:
        dan = self._known(A, "dan")
        if dan:
            self._try(self.world.do(A, action, self.people["ann"].id, dan))

    # --- what the world does ---

    @rule()
    def settle(self) -> None:
        self.run(self.world.settle())

    @rule(minutes=st.integers(1, 20))
    def wait(self, minutes: int) -> None:
        self.world.clock.forward(minutes=minutes)

    @rule(host=st.sampled_from([A, B]), times=st.integers(1, 3))
    def lose_answers(self, host: str, times: int) -> None:
        self.world.network.lose(host, times)

    @rule(host=st.sampled_from([A, B]), times=st.integers(1, 3))
    def overload(self, host: str, times: int) -> None:
        self.world.network.fail(host, 503, times)

    @rule(host=st.sampled_from([A, B]))
    def cut_or_mend(self, host: str) -> None:
        self.world.network.down ^= {host}

    @rule(host=st.sampled_from([A, B]))
    def restart(self, host: str) -> None:
        self.run(self._restart(host))

    async def _restart(self, host: str) -> None:
        await self.world.crash(host)
        await self.world.restart(host)

    @rule(data=st.data())
    def repeat(self, data: st.DataObject) -> None:
        """What was sent comes once more."""
        sent = self.world.network.posts()
        able = [each for each in sent if each.kind in _REPEATABLE] + sent[-1:]
        if able:
            index = data.draw(st.integers(0, len(able) - 1))
            self.run(self._again(able[index]))

    async def _again(self, sent: Sent) -> None:
        answer = await ask(self.world.network.apps[sent.host], "POST", sent.url, sent.headers, sent.body)
        assert answer.status_code != 500, answer.text  # 503 if it cannot ask whose key that is

    # --- and what must be so in the end ---

    async def _come_to_rest(self) -> None:
        network = self.world.network
        network.down.clear()
        network.answers.clear()
        network.lost.clear()
        for host in (A, B):
            await self._restart(host)  # what could not be fetched is forgotten: that clock is not the world's
        for _ in range(4):
            self.world.clock.forward(hours=9)
            await self.world.settle()

    async def _compare(self) -> None:
        waiting = (
            "select d.inbox, d.tries, d.error, h.failures, h.next_try, h.leased, h.pending, h.last_error"
            " from delivery d left join host h on h.name = d.host where d.state = 'waiting'"
        )
        for host in (A, B):
            assert await self._rows(host, waiting) == []
            assert await self._rows(host, "select kind, error from job where state = 'dead'") == []
            assert await self._rows(host, "select uri, error from incoming") == []
        assert await self._on_both(
            "select p.uri, p.content from post p join account a on a.id = p.account"
            " where a.handle = 'ann' and p.state = 'published' order by p.uri"
        )
        assert await self._on_both(
            "select p.uri, a.handle, r.kind from reaction r join post p on p.id = r.post"
            " join account a on a.id = r.account order by p.uri, a.handle, r.kind"
        )
        assert await self._on_both(
            "select p.uri, a.handle, b.uri from boost b join post p on p.id = b.post"
            " join account a on a.id = b.account order by p.uri, a.handle"
        )
        assert await self._on_both(
            "select a.handle, b.handle from follow f join account a on a.id = f.follower"
            " join account b on b.id = f.followed where f.state = 'accepted' order by a.handle, b.handle"
        )

    async def _on_both(self, sql: str) -> bool:
        there, here = await self._rows(A, sql), await self._rows(B, sql)
        assert there == here
        return True

    # --- helpers ---

    async def _on_b(self, action: Callable[..., object], who: str, target: int) -> None:
        if target:
            with suppress(Refused):
                await self.world.do(B, action, self.people[who].id, target)

    def _try(self, work: Coroutine[Any, Any, object]) -> None:
        with suppress(Refused):  # it has been deleted, say
            self.run(work)

    def _post(self, data: st.DataObject) -> tuple[int, str]:
        return self.posts[data.draw(st.integers(0, len(self.posts) - 1))]

    def _known(self, host: str, name: str) -> int:
        return self.run(self._number(host, "select id from account where uri = :uri", uri=self.people[name].uri))

    async def _number(self, host: str, sql: str, **params: Any) -> int:
        rows = await self._rows(host, sql, **params)
        return int(rows[0][0]) if rows else 0

    async def _rows(self, host: str, sql: str, **params: Any) -> list[tuple[Any, ...]]:
        def question(tx: Tx) -> list[tuple[Any, ...]]:
            return [tuple(row) for row in tx.all(sql, **params)]

        return await self.world.read(host, question)


def test_two_servers_agree_in_the_end() -> None:
    run_state_machine_as_test(
        Servers,
        settings=settings(
            max_examples=EXAMPLES,
            stateful_step_count=STEPS,
            derandomize="FEDIBLOG_TEST_EXAMPLES" not in os.environ,
            deadline=None,
            database=None,
            suppress_health_check=list(HealthCheck),
            phases=[Phase.generate, *([Phase.shrink] if SHRINK else [])],
        ),
    )
