"""Everything that is refused is counted by a code that stays the same, logged, and shown to the owner within bounds."""

from __future__ import annotations

import ast
import json
import logging
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest
from msgspec.structs import replace

from fediblog.counters import INBOX, MOST_SERIES, REFUSALS, Counter
from fediblog.errors import Refused
from fediblog.federation.inbound import refusals
from fediblog.federation.inbound.receive import receive
from fediblog.federation.inbound.refusals import EVERY, note
from fediblog.store.readers import moderation
from tests.federation.stranger import Home, Person, home
from tests.promises.servers import Server, free_port, run

SOURCE = Path(__file__).parents[2] / "fediblog"
CODE = re.compile(r"[a-z0-9]+(-[a-z0-9]+)*-?\Z")


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as made:
        yield made


@pytest.fixture
def bob(at_home: Home) -> Person:
    return Person(at_home.web, "far.test", "bob")


async def test_each_kind_of_refusal_is_counted_logged_and_kept(
    at_home: Home, bob: Person, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(logging.getLogger("fediblog"), "propagate", True)
    caplog.set_level(logging.INFO, "fediblog")
    post = await at_home.writes()
    like = bob.does("Like", post.uri)
    forged = bob.does("Like", post.uri) | {"actor": "https://other.test/u/eve"}
    digest = {"Digest": "SHA-256=" + "A" * 43 + "="}
    wanted: list[tuple[str, Any]] = [
        ("content-type", lambda: at_home.send(bob, like, headers={"content-type": "text/plain"})),
        ("json-", lambda: at_home.send(bob, b"{")),
        ("not-an-activity", lambda: at_home.send(bob, {"id": "https://far.test/1", "type": "Like"})),
        ("too-large", lambda: at_home.send(bob, b'{"a":"' + b"a" * 1_100_000 + b'"}')),
        ("actor-is-ours", lambda: at_home.send(bob, like | {"actor": at_home.alice.uri})),
        ("digest", lambda: receive_with(at_home, bob, like, digest)),
        ("signer", lambda: at_home.send(bob, forged)),
    ]
    for code, send in wanted:
        before, kept = _refusals(), len(await at_home.refusals())
        receipt = await send()
        assert 400 <= receipt.status < 500, code
        assert receipt.reason.startswith(code), receipt
        after = _refusals()
        assert after.get(receipt.reason, 0) == before.get(receipt.reason, 0) + 1
        assert (await at_home.refusals())[kept:] == [receipt.reason]
        [line] = [each for each in caplog.records if each.getMessage() == "inbox.refused"]
        assert getattr(line, "facts", {})["reason"] == receipt.reason
        caplog.clear()
    assert INBOX.value("Like", "refused") >= 1
    assert INBOX.value("other", "refused") >= 1  # no word of theirs becomes a label


async def receive_with(at_home: Home, sender: Person, activity: Any, headers: dict[str, str]) -> Any:
    """Delivered with a header put in after signing."""
    made = at_home.request(sender, json.dumps(activity).encode())
    changed = {name.lower(): value for name, value in headers.items()}
    kept = tuple((name, changed.get(name, value)) for name, value in made.headers)
    return await receive(at_home.site, replace(made, headers=kept))


def _refusals() -> dict[str, int]:
    return {labels["reason"]: int(value) for _, labels, value in REFUSALS.samples() if labels["where"] == "inbox"}


async def test_the_same_refusal_of_the_same_server_is_kept_once_a_minute_with_how_often_it_was(
    at_home: Home, bob: Person
) -> None:
    for _ in range(50):
        assert (await at_home.send(bob, b'{"type": 1}')).status == 400
    await at_home.send(bob, b"{")  # something else is kept at once
    rows = await at_home.ask("select reason, times from refusal order by id")
    assert rows[0][1] == 1
    assert len(rows) == 2
    at_home.clock.forward(ms=EVERY)
    await at_home.send(bob, b'{"type": 1}')
    rows = await at_home.ask("select reason, times from refusal order by id")
    assert rows[2] == (rows[0][0], 50)
    totals = dict(await at_home.site.db.read(moderation.refusal_totals, 0))
    assert totals[rows[0][0]] == 51


async def test_who_is_refused_under_ever_new_names_cannot_make_us_write_without_end(at_home: Home) -> None:
    before = REFUSALS.value("inbox", "some-reason")
    for i in range(2_000):
        await note(at_home.site, Refused("some-reason"), f"https://h{i}.test/u/x", "Like")
    rows = await at_home.ask("select count(*) from refusal")
    assert rows[0][0] <= 310
    assert REFUSALS.value("inbox", "some-reason") == before + 2_000
    assert len(at_home.site.keep(refusals.RefusalCounts)) <= refusals.MOST_NOTED


def test_a_counter_does_not_grow_without_end() -> None:
    counter = Counter("made_up", "For this test.", "label")
    for i in range(MOST_SERIES + 100):
        counter.add(f"value {i}")
    assert len(list(counter.samples())) <= MOST_SERIES + 1
    assert counter.value("other") == 100
    assert counter.total() == MOST_SERIES + 100


def test_every_reason_is_a_constant_code() -> None:
    """Of each `Refused(…)` in the code the reason is written there, in words that can be a label."""
    wrong = []
    for path in sorted(SOURCE.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and isinstance(node.func, ast.Name) and node.func.id == "Refused":
                first = node.args[0] if node.args else None
                literal = isinstance(first, ast.Constant) and isinstance(first.value, str) and CODE.match(first.value)
                # An error that is raised once more, or an own name for one of several codes.
                passed_on = isinstance(first, ast.Attribute | ast.Name) and ast.unparse(first).endswith("reason")
                parts = isinstance(first, ast.IfExp | ast.JoinedStr)
                if not (literal or passed_on or parts):
                    wrong.append(f"{path.name}:{node.lineno} {ast.unparse(node)[:80]}")
    assert wrong == []


async def test_a_worker_of_its_own_counts_as_well(tmp_path: Path) -> None:
    """What it sends is counted in its process alone, so it shows that where it is told to listen."""
    token, port = "a-token-of-some-length", free_port()
    async with Server(tmp_path / "data", port=port) as server:
        await server.furnish()
        (tmp_path / "data" / "fediblog.toml").write_text(f'metrics_token = "{token}"\n')
        words = ("-m", "fediblog", "serve", "--data", str(server.folder), "--role", "worker")
        worker = await run(*words, "--listen", f"127.0.0.1:{port}")
        await worker.until(f"/metrics: 127.0.0.1:{port}")
        client = server.client()
        answer = await client.get("/metrics", headers={"authorization": f"Bearer {token}"})
        assert "fediblog_deliveries_total" in answer.text
        assert (await client.get("/metrics")).status_code == 401
        assert (await client.get("/")).status_code == 404

        taken = free_port()
        with socket.create_server(("127.0.0.1", taken)):
            await worker.end()
            other = await run(*words, "--listen", f"127.0.0.1:{taken}")
            await other.until("has no page /metrics")
            await other.until("delivers and fetches")  # it works all the same
            assert await other.end() == 0

        (server.folder / "fediblog.toml").unlink()  # without a token it listens to nobody
        silent = await run(*words, "--listen", f"127.0.0.1:{port}")
        assert (await silent.until("delivers and fetches")).endswith("delivers and fetches.")
        with socket.create_server(("127.0.0.1", port)):
            assert await silent.end() == 0

        words = ("-m", "fediblog", "serve", "--data", str(tmp_path / "other"), "--role", "worker")
        (tmp_path / "other").mkdir()
        (tmp_path / "other" / "fediblog.toml").write_text(f'metrics_token = "{token}"\n')
        lost = await run(*words, "--listen", f"127.0.0.1:{port}")
        assert await lost.wait() == 2  # where its numbers are is not where the site is
        assert "No origin is known yet" in "".join(lost.lines)
