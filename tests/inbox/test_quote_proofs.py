"""A post of another server that quotes somebody elsewhere: shown where that one lets it (FEP-044f), else a link."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given

from fediblog.domain.documents import PUBLIC
from fediblog.domain.posts import Post
from fediblog.errors import Unavailable
from fediblog.federation.jobs import JOBS
from fediblog.federation.lookups import resolve
from fediblog.protocol.activities import grantor, quote_authorization
from fediblog.store.posts import posts
from fediblog.store.queues import job_kinds, job_queue
from tests.federation.stranger import Home, Person
from tests.protocol.generated import anything

PROOF = "https://carol.test/authorizations/1"
OLD = ("quoteUri", "quoteUrl", "_misskey_quote")
RULES: dict[str, Any] = {
    "none": None,
    "of answers": {"canReply": {"automaticApproval": PUBLIC}},
    "everybody": {"canQuote": {"automaticApproval": PUBLIC}},
    "everybody, once asked": {"canQuote": {"manualApproval": PUBLIC}},
    "followers": {"canQuote": {"automaticApproval": "https://carol.test/u/carol/followers"}},
    "nobody": {"canQuote": {"automaticApproval": "https://carol.test/u/carol"}},
}


async def work(home: Home) -> None:
    """Look at all authorizations that wait for it."""
    while found := [each for each in await home.site.db.write(job_queue.claim) if each.kind == job_kinds.QUOTE_PROOF]:
        for job in found:
            await JOBS[job.kind](home.site, job)


async def quoted(home: Home, carol: Person, policy: Any = None) -> dict[str, Any]:
    """What carol wrote, as it came here."""
    note = carol.note("quoted", **({} if policy is None else {"interactionPolicy": policy}))
    assert await resolve.post(home.site, note["id"]) is not None
    return note


async def kept(home: Home, note: dict[str, Any]) -> Post:
    found = await home.site.db.read(posts.by_uri, note["id"])
    assert found is not None
    return found


async def is_shown(home: Home, note: dict[str, Any]) -> bool:
    found = await kept(home, note)
    assert found.quote  # there is a link, whatever else
    return found.quoted is not None


def proof(note: dict[str, Any], quoted: dict[str, Any], **changes: Any) -> dict[str, Any]:
    return quote_authorization(PROOF, quoted["attributedTo"], note["id"], quoted["id"]) | changes


@pytest.mark.parametrize("rule", RULES)
@pytest.mark.parametrize("way", ["quote", *OLD])
@pytest.mark.parametrize("boosted", [False, True])
async def test_without_an_authorization(
    at_home: Home, bob: Person, carol: Person, way: str, rule: str, boosted: bool
) -> None:
    theirs = await quoted(at_home, carol, RULES[rule])
    await at_home.follows(bob)
    note = bob.note(1, **{way: theirs["id"]})
    await at_home.send(bob, bob.creates(note)) if not boosted else await resolve.post(at_home.site, note["id"])
    await work(at_home)
    unasked = rule == "everybody" or (way in OLD and rule in ("none", "of answers"))
    assert await is_shown(at_home, note) is unasked


async def test_of_oneself_everybody_quotes(at_home: Home, carol: Person) -> None:
    theirs = await quoted(at_home, carol, RULES["everybody, once asked"])
    note = carol.note("again", quote=theirs["id"])
    await resolve.post(at_home.site, note["id"])
    assert await is_shown(at_home, note)


@pytest.mark.parametrize("rule", ["none", "everybody, once asked", "followers", "nobody"])
async def test_an_authorization_is_asked_for_in_the_background(
    at_home: Home, bob: Person, carol: Person, rule: str
) -> None:
    theirs = await quoted(at_home, carol, RULES[rule])
    await at_home.follows(bob)
    note = bob.note(1, quote=theirs["id"], quoteAuthorization=PROOF)
    at_home.web.put(PROOF, proof(note, theirs))
    await at_home.send(bob, bob.creates(note))
    assert PROOF not in at_home.web.asked
    assert not await is_shown(at_home, note)
    assert (await kept(at_home, note)).quote_state == "pending"
    await work(at_home)
    assert await is_shown(at_home, note)
    await at_home.know(bob)
    await at_home.send(bob, bob.does("Delete", PROOF))
    assert await is_shown(at_home, note)  # it is none of his
    await at_home.send(carol, carol.does("Delete", {"type": "QuoteAuthorization", "id": PROOF}))
    assert not await is_shown(at_home, note)
    await at_home.send(bob, bob.does("Update", {**note, "content": "x", "updated": "2025-07-01T00:00:00Z"}, 2))
    await work(at_home)
    assert not await is_shown(at_home, note)


FORGED: dict[str, Any] = {
    "of another post": {"interactingObject": "https://bob.test/n/bob/2"},
    "of what is not quoted": {"interactionTarget": "https://carol.test/n/carol/2"},
    "by a neighbour": {"attributedTo": "https://carol.test/u/eve"},
    "by the one who quotes": {"attributedTo": "https://bob.test/u/bob"},
    "no authorization": {"type": "Note"},
    "an answer's": {"type": "ReplyAuthorization"},
    "not there": None,
    "elsewhere": {"id": "https://bob.test/authorizations/1"},
}


@pytest.mark.parametrize("forgery", FORGED)
async def test_what_proves_nothing(at_home: Home, bob: Person, carol: Person, forgery: str) -> None:
    theirs = await quoted(at_home, carol)
    await at_home.follows(bob)
    named = PROOF if forgery != "elsewhere" else FORGED[forgery]["id"]
    note = bob.note(1, quote=theirs["id"], quoteAuthorization=named)
    if FORGED[forgery] is not None:
        at_home.web.put(named, proof(note, theirs, **FORGED[forgery]))
    await at_home.send(bob, bob.creates(note))
    await work(at_home)
    assert not await is_shown(at_home, note)
    assert (await kept(at_home, note)).quote_state == ""
    assert (named in at_home.web.asked) is (forgery != "elsewhere")


@pytest.mark.parametrize("updated", [{}, {"updated": "2025-07-01T00:00:00Z"}])
async def test_an_authorization_that_comes_later(at_home: Home, bob: Person, carol: Person, updated: Any) -> None:
    theirs = await quoted(at_home, carol)
    await at_home.follows(bob)
    note = bob.note(1, quote=theirs["id"])
    await at_home.send(bob, bob.creates(note))
    at_home.web.put(PROOF, proof(note, theirs))
    await at_home.send(bob, bob.does("Update", {**note, **updated, "quoteAuthorization": PROOF}))
    await work(at_home)
    assert await is_shown(at_home, note)
    asked = len(at_home.web.asked)
    await at_home.send(bob, bob.does("Update", {**note, **updated, "quoteAuthorization": PROOF}, 2))
    await work(at_home)
    assert await is_shown(at_home, note)
    assert len(at_home.web.asked) == asked
    await at_home.send(bob, bob.does("Update", {**note, "updated": "2025-08-01T00:00:00Z"}, 3))
    assert not await is_shown(at_home, note)


async def test_a_server_that_does_not_answer_is_asked_again(at_home: Home, bob: Person, carol: Person) -> None:
    theirs = await quoted(at_home, carol)
    await at_home.follows(bob)
    note = bob.note(1, quote=theirs["id"], quoteAuthorization=PROOF)
    at_home.web.put(PROOF, proof(note, theirs))
    await at_home.send(bob, bob.creates(note))
    at_home.web.down.add("carol.test")
    (job,) = [each for each in await at_home.site.db.write(job_queue.claim) if each.kind == job_kinds.QUOTE_PROOF]
    with pytest.raises(Unavailable):
        await JOBS[job.kind](at_home.site, job)
    at_home.web.down.clear()
    await JOBS[job.kind](at_home.site, job)
    assert await is_shown(at_home, note)


@given(anything, anything, anything)
def test_any_document_is_read(kind: Any, quoting: Any, author: Any) -> None:
    told = {"type": kind, "interactingObject": quoting, "attributedTo": author, "interactionTarget": "https://a.test/1"}
    assert isinstance(grantor(told, "https://b.test/1", "https://a.test/1"), str)
