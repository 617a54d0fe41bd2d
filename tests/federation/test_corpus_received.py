"""Every real document, sent by its own actor: none makes an error, whatever is in it."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator
from functools import partial
from pathlib import Path
from typing import Any

import pytest

from fediblog import inbox
from fediblog.domain.accounts import Account
from fediblog.domain.documents import ACTOR_KINDS, POST_KINDS, Activity
from fediblog.errors import Refused
from fediblog.inbox import Sender
from fediblog.inbox.note_storage import store_post
from fediblog.prepare.note_cleaner import harmless
from fediblog.protocol import json_values
from fediblog.protocol.activities import VERBS, read_activity
from fediblog.protocol.actors import read_actor
from fediblog.protocol.notes import read_note
from fediblog.store.people import accounts, relations
from fediblog.store.people.accounts import host_of
from fediblog.store.tx import Tx
from tests.corpus import documents, needs_corpus
from tests.federation.stranger import ORIGIN, Home, home
from tests.known import facts_of
from tests.remote_accounts import save_remote

pytestmark = needs_corpus
CASES = [(path, body) for path, body, entry in documents() if path.suffix == ".json"]


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as place:
        yield place


def parsed() -> list[tuple[str, Any]]:
    found = []
    for path, body in CASES:
        try:
            found.append((str(path), json.loads(body)))
        except ValueError:
            continue
    return found


def make_actor(tx: Tx, uri: str) -> Account:
    """The account of whoever is the actor of a document."""
    known = accounts.by_uri(tx, uri)
    if known is not None:
        return known
    document = {"id": uri, "type": "Person", "preferredUsername": "someone", "inbox": uri, "followers": f"{uri}/f"}
    actor = read_actor(document)
    assert actor is not None, uri
    return save_remote(tx, actor, host_of(uri))


def handle(tx: Tx, home: Home, activity: Activity, *, followed: bool) -> str:
    """What happens to an activity that is proven to be its actor's."""
    urls = home.site.urls
    actor = make_actor(tx, activity.actor)
    if followed:
        relations.put_follow(tx, home.alice.id, actor.id, urls.activity(tx.new_id()), "accepted")
    handler = inbox.handler_of(activity)
    if handler is None:
        return "nobody"
    needs = handler.needs_of(handler.read(activity))
    handler.concerns(tx, urls, activity, Sender(actor=actor))
    inner = [activity.object, activity.inner.object if activity.inner else None]
    notes = {note.uri: note for note in map(read_note, inner) if note is not None}
    people = {note.author: make_actor(tx, note.author) for note in notes.values()}
    told = {activity.inner.uri: activity.inner} if activity.inner else {}
    people |= {each.actor: make_actor(tx, each.actor) for each in told.values()}
    people |= {uri: make_actor(tx, uri) for uri in needs.fresh_accounts}
    facts = facts_of(actor, activity, notes=notes, accounts=people, activities=told, gone=frozenset(needs.gone))
    try:
        return inbox.apply(tx, urls, activity, facts).value
    except Refused as refusal:
        return refusal.reason


@pytest.mark.parametrize("followed", [True, False])
async def test_every_activity_is_handled(at_home: Home, followed: bool) -> None:
    outcomes: dict[str, int] = {}
    for name, document in parsed():
        activity = read_activity(document)
        if activity is None or activity.kind not in VERBS or activity.actor.startswith(ORIGIN):
            continue
        try:
            outcome = await at_home.site.db.write(partial(handle, home=at_home, activity=activity, followed=followed))
        except Exception as error:
            raise AssertionError(name) from error
        outcomes[outcome] = outcomes.get(outcome, 0) + 1
    assert outcomes.get("done", 0) > 80, outcomes


async def test_every_post_is_stored(at_home: Home) -> None:
    stored = 0
    for name, document in parsed():
        if not json_values.kind_of(json_values.fields(document), POST_KINDS):
            continue
        note = read_note(document)
        if note is None:
            continue

        def action(tx: Tx, note: Any = note) -> int:
            author = make_actor(tx, note.author)
            with_it = accounts.by_uri(tx, note.uri) is None and tx.one("select 1 from post where uri = :u", u=note.uri)
            return 0 if with_it else int(store_post(tx, at_home.site.urls, note, author, harmless(note)) is not None)

        try:
            stored += await at_home.site.db.write(action)
        except Exception as error:
            raise AssertionError(name) from error
    assert stored > 100


async def test_every_actor_is_stored(at_home: Home) -> None:
    stored = 0
    for name, document in parsed():
        if (
            json_values.kind_of(json_values.fields(document), ACTOR_KINDS)
            and (actor := read_actor(document)) is not None
        ):
            try:
                await at_home.site.db.write(save_remote, actor, host_of(actor.uri))
            except Exception as error:
                raise AssertionError(name) from error
            stored += 1
    assert stored > 100
