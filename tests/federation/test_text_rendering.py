"""Texts rendered before the transaction: here or in another process, and again if they do not fit by then."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import AsyncIterator, Mapping
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest

from fediblog.actions import post_actions
from fediblog.actions.drafts import Draft, kind_of, text_of
from fediblog.errors import Invalid
from fediblog.federation import prepared_actions, text_rendering
from fediblog.markup.html import MentionTarget
from fediblog.prepare.wording import Outdated, Text, Wording
from fediblog.store.people import accounts
from fediblog.store.tx import Tx
from tests.federation.stranger import Home, Person, home

BOB = MentionTarget("https://b.test/users/bob", "https://b.test/@bob", "bob@b.test")
SOURCE = "## Head :blob:\n\nHi @bob@b.test, see #Sea[^1] and [all](/about).\n\n[^1]: A *note*, @nobody.\n"


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as place:
        yield place


async def test_a_long_text_is_rendered_as_a_short_one(at_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    texts = (Text(source=SOURCE), Text(source="*plain*\n@bob@b.test", kind="text/plain", inline_images=False))
    asked = []

    async def look(names: tuple[str, ...]) -> Mapping[str, MentionTarget]:
        asked.append(names)
        return {"bob@b.test": BOB}

    begun_in = []

    def begun(*words: Any, **options: Any) -> Popen[bytes]:
        begun_in.append(threading.get_ident())
        return Popen(*words, **options)

    here = await text_rendering.render(at_home.site, texts, look)
    monkeypatch.setattr(text_rendering, "LONG", 0)
    monkeypatch.setattr(text_rendering, "Popen", begun)
    assert await text_rendering.render(at_home.site, texts, look) == here
    assert asked == [("bob@b.test", "nobody")] * 2
    assert len(begun_in) == 1
    assert begun_in[0] != threading.get_ident()  # the event loop would wait until the program runs
    words = here[2]
    assert (words[0].hashtags, words[0].emoji, words[1].anchor) == (("Sea",), ("blob",), "")
    assert 'id="sec-p7-head' in words[0].numbered("p7")
    assert 'href="#fn-p7-1"' in words[0].numbered("p7")
    assert 'href="#fn-1"' in words[0].numbered("")
    assert 'class="u-url mention"' in words[1].html


async def test_what_renders_too_long_is_refused_and_ended(at_home: Home, monkeypatch: pytest.MonkeyPatch) -> None:
    async def look(_: tuple[str, ...]) -> Mapping[str, MentionTarget]:
        return {}

    monkeypatch.setattr(text_rendering, "LONG", 0)
    with monkeypatch.context() as patch:
        patch.setattr(text_rendering, "TIMEOUT", 0.0)
        with pytest.raises(Invalid, match="takes too long"):
            await text_rendering.render(at_home.site, (Text(source="x"),), look)
    task = asyncio.create_task(text_rendering.render(at_home.site, (Text(source="x"),), look))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await text_rendering.render(at_home.site, (Text(source="x"),), look))[2][0].html == "<p>x</p>\n"


async def test_a_post_with_ids_has_its_number_in_them(at_home: Home) -> None:
    post = await prepared_actions.publish(at_home.site, at_home.alice.id, Draft(source=SOURCE, title="T"))
    assert f'id="sec-p{post.id}-head-blob"' in post.content
    assert f'href="#fn-p{post.id}-1"' in post.content
    longer = Draft(source=SOURCE + "More", title="T")
    after = await prepared_actions.edit(at_home.site, at_home.alice.id, post.id, longer)
    assert f'id="sec-p{post.id}-head-blob"' in after.content


async def test_a_wording_that_does_not_fit_any_more_is_refused(at_home: Home) -> None:
    bob = await at_home.know(Person(at_home.web, "far.example", "bob", {"url": "https://far.example/@bob"}))
    draft = Draft(source="Hi @bob@far.example")
    wording = await prepared_actions.word(at_home.site, (text_of(draft, kind_of(draft)),))
    assert [*wording.people] == ["bob@far.example"]

    def publish(tx: Tx, draft: Draft, wording: Wording) -> None:
        post_actions.publish(tx, at_home.site.urls, at_home.alice.id, draft, wording)

    with pytest.raises(Outdated):  # it is of another text
        await at_home.site.db.write(publish, Draft(source="Else"), wording)
    await at_home.site.db.write(lambda tx: accounts.set_state(tx, bob.id, "suspended"))
    with pytest.raises(Outdated):  # the link would lead to somebody who is shown to nobody
        await at_home.site.db.write(publish, draft, wording)


async def test_what_changes_meanwhile_is_rendered_again(at_home: Home) -> None:
    bob = await at_home.know(Person(at_home.web, "far.example", "bob", {"url": "https://far.example/@bob"}))
    times = 0

    def act(tx: Tx, _urls: object, wording: Wording) -> str:
        nonlocal times
        times += 1
        return post_actions.publish(tx, at_home.site.urls, at_home.alice.id, draft, wording).content

    draft = Draft(source="Hi @bob@far.example")

    async def texts() -> tuple[Text, ...]:
        if times:
            return (text_of(draft, kind_of(draft)),)
        return (text_of(replaced, kind_of(replaced)),)

    replaced = Draft(source="Hi", title="T")
    assert bob.url in await prepared_actions.with_wording(at_home.site, texts, act)
    assert times == 2
    assert len(await at_home.site.db.read(lambda tx: tx.all("select 1 from post where local = 1"))) == 1
