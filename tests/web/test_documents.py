"""Every document that is published, walked from the tables of routes: its context, its addresses, its pictures."""

from __future__ import annotations

import json
import re
from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.routing import Match, Route

from fediblog.actions import (
    follow_actions,
    moderation_actions,
    post_actions,
    reaction_actions,
    report_actions,
    site_actions,
)
from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.drafts import Draft, File, PollDraft
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.federation.lookups import resolve
from fediblog.store.people import accounts
from fediblog.store.posts import media_files, tags
from fediblog.store.tx import Tx
from fediblog.web.activitypub import activitypub_routes, discovery_routes, follower_sync_route
from tests import wording
from tests.world import JSON, World

A, B = "alice.test", "bob.test"
SHOWN = {"Image", "Document", "Video", "Audio"}
# Told to the servers of followers alone, who sign for it.
SIGNED = {route.path for route in follower_sync_route.ROUTES if isinstance(route, Route)}


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(A, B) as made:
        yield made


async def upload(world: World, account: Account) -> int:
    """A picture with its three files."""
    site = world.sites[A]
    large, small, file = (site.files.save(b"\x89PNG\r\n\x1a\n", ".png") for _ in range(3))

    def action(tx: Tx) -> int:
        return media_files.add(
            tx,
            account.id,
            media_type="image/png",
            file=file,
            large=large,
            small=small,
            width=640,
            height=480,
            blurhash="LKO2",
            size=8,
        )

    return await site.db.write(action)


async def furnish(world: World) -> list[str]:
    """One of everything that is published; the addresses to begin at."""
    ann = await world.person(A, "ann")
    cem = await world.person(A, "cem")
    urls = world.sites[A].urls
    await world.do(A, site_actions.add_emoji, "blob", await upload(world, ann), "")
    pictures = [await upload(world, ann) for _ in range(4)]
    profile = ProfileChanges(
        name="Ann :blob:", fields=(("site", "https://alice.test/"),), icon=pictures[0], image=pictures[1]
    )
    await world.do(A, wording.update_profile, ann.id, profile)
    await world.sites[A].db.write(lambda tx: tags.set_featured(tx, ann.id, "oak", on=True))

    async def publish(by: Account = ann, **draft: Any) -> Post:
        post: Post = await world.do(A, wording.publish, by.id, Draft(**draft))
        return post

    hero, file = File(upload=pictures[2]), File(upload=pictures[3])
    article = await publish(source="On #Oak", title="Oaks", summary="Short.", hero=hero, files=(file,))
    note = await publish(source="Hello :blob:", files=(File(upload=await upload(world, ann), alt="A tree"),))
    poll = await publish(source="Which?", poll=PollDraft(options=("a", "b")))
    answer = await publish(by=cem, source="Yes", reply_to=note.id)
    quoting = await publish(by=cem, source="Look", quote=article.id)
    await world.do(A, follow_actions.follow, cem.id, ann.id)
    closed = await publish(source="For followers to answer", comments="followers")
    allowed = await publish(by=cem, source="I may", reply_to=closed.id)
    for post in (note, article):
        await world.do(A, reaction_actions.like, cem.id, post.id)
        await world.do(A, reaction_actions.boost, cem.id, post.id)
    await world.do(A, post_actions.pin, ann.id, article.id)
    gone = await publish(source="Gone")
    await world.do(A, post_actions.delete, ann.id, gone.id)
    await let_answer(world, closed)
    begin = [each.uri for each in (ann, cem, article, note, poll, answer, quoting, closed, allowed, gone)]
    begin += [document["result"] for document in await sent_by(world) if "result" in document]
    begin += [urls.instance_actor, urls.origin, f"{urls.origin}/.well-known/webfinger?resource=acct:ann@{A}"]
    begin += [f"{urls.origin}/.well-known/{name}" for name in ("nodeinfo", "host-meta", "host-meta.json")]
    return begin


async def meet(world: World) -> tuple[list[Any], set[int]]:
    """All that is only sent, to somebody on another server; every document that went out, and the private posts."""
    ann, ben = await world.person(A, "ann"), await world.person(B, "ben")
    near = world.sites[A]
    here = await resolve.actor(near, ben.uri)

    async def publish(host: str, by: Account, **draft: Any) -> Post:
        post: Post = await world.do(host, wording.publish, by.id, Draft(**draft))
        await world.settle()
        return post

    async def known(host: str, post: Post) -> Post:
        found = await resolve.post(world.sites[host], post.uri)
        assert found is not None
        return found

    await world.do(A, follow_actions.follow, ann.id, here.id)
    closed = await publish(A, ann, source="For followers to answer", comments="followers")
    await let_answer(world, closed)
    poll = await publish(B, ben, source="Which?", poll=PollDraft(options=("a", "b")))
    theirs = await known(A, poll)
    for action in (reaction_actions.like, reaction_actions.boost):
        await world.do(A, action, ann.id, theirs.id)
    await world.do(A, reaction_actions.vote, ann.id, theirs.id, ["a"])
    quoting_post = await publish(A, ann, source="Look", quote=theirs.id)
    await publish(B, ben, source="Look", quote=(await known(B, quoting_post)).id)
    await world.do(A, wording.edit, ann.id, closed.id, Draft(source="Changed", comments="followers"))
    await world.do(A, post_actions.pin, ann.id, closed.id)
    await world.do(A, post_actions.unpin, ann.id, closed.id)
    private = [
        await publish(A, ann, source="@ben@bob.test Private", visibility=each)
        for each in (Visibility.FOLLOWERS, Visibility.DIRECT)
    ]
    await world.do(A, wording.edit, ann.id, private[0].id, Draft(source="Changed", visibility=private[0].visibility))
    await world.do(A, post_actions.delete, ann.id, (await publish(A, ann, source="Gone")).id)
    for action in (reaction_actions.unlike, reaction_actions.unboost):
        await world.do(A, action, ann.id, theirs.id)
    await world.do(A, wording.update_profile, ann.id, ProfileChanges(name="Ann"))
    await world.do(A, report_actions.report, ann.id, report_actions.ReportDraft(target=here.id, forward=True))
    await world.do(A, moderation_actions.block, ann.id, here.id)
    await world.do(A, moderation_actions.unblock, ann.id, here.id)
    return await sent_by(world), {post.id for post in private}


async def sent_by(world: World) -> list[Any]:
    """Every activity that went out."""
    return await world.read(A, lambda tx: [json.loads(row.body) for row in tx.all("select body from outgoing")])


async def let_answer(world: World, post: Post) -> None:
    """Ben, who follows Ann, answers a post of hers that only followers may answer."""
    ben = await world.read(B, accounts.local_by_handle, "ben") or await world.person(B, "ben")
    await world.do(B, follow_actions.follow, ben.id, (await resolve.actor(world.sites[B], post.author)).id)
    await world.settle()
    known = await resolve.post(world.sites[B], post.uri)
    assert known is not None
    await world.do(B, wording.publish, ben.id, Draft(source="I may", reply_to=known.id))
    await world.settle()


def inside(value: Any) -> Iterator[Any]:
    """The value, and all that it is made of."""
    yield value
    if isinstance(value, dict):
        for part in value.values():
            yield from inside(part)
    elif isinstance(value, list):
        for part in value:
            yield from inside(part)


@pytest.fixture
async def walked(world: World) -> dict[str, Any]:
    """The answer of every address that can be reached from there, as programs get it."""
    todo, answers = await furnish(world), {}
    while todo:
        url = todo.pop().partition("#")[0]
        if url in answers:
            continue
        answers[url] = answer = await world.get(A, url, JSON)
        if "json" in answer.headers.get("content-type", ""):
            todo += [each for each in inside(answer.json()) if isinstance(each, str) and leads_on(each)]
    return answers


def leads_on(text: str) -> bool:
    return text.startswith(f"https://{A}/") and "{" not in text and " " not in text


def documents(walked: dict[str, Any]) -> Iterator[tuple[str, Any]]:
    for url, answer in walked.items():
        if answer.headers.get("content-type", "").startswith("application/activity+json"):
            yield url, answer.json()


async def test_no_document_names_an_address_that_is_not_there(walked: dict[str, Any]) -> None:
    missing = sorted(url for url, answer in walked.items() if answer.status_code == 404)
    assert not missing


async def test_no_activity_that_was_sent_names_an_address_that_is_not_there(world: World) -> None:
    """But for what was taken back since, and for what is private: those whom that is for find it."""
    sent, private = await meet(world)
    verbs = {document["type"] for document in sent}
    assert verbs >= {"Follow", "Accept", "Reject", "Block", "Flag", "Undo", "Update", "Delete", "Add", "Remove"}
    assert verbs >= {"Create", "Like", "Announce", "QuoteRequest"}
    assert len({document["id"] for document in sent}) == len(sent)
    seen: dict[str, Any] = {}
    for url in {each.partition("#")[0] for each in inside(sent) if isinstance(each, str) and leads_on(each)}:
        seen[url] = await world.get(A, url, JSON)
    missing = {url for url, answer in seen.items() if answer.status_code == 404}
    taken_back = [document["object"]["id"] for document in sent if document["type"] in ("Undo", "Delete")]
    gone = {int(uri.rpartition("/")[2]) for uri in taken_back if "#" not in uri}
    numbers = [re.search(r"/(?:[pxc]|@ann)/([0-9]+)", url) for url in missing]
    assert None not in numbers
    assert private <= {int(found[1]) for found in numbers if found} <= private | gone
    assert any(url.startswith(f"https://{A}/q/") for url in seen)
    assert any(url.startswith(f"https://{A}/r/") for url in seen)


async def test_ids_of_what_is_only_sent_tell_nothing_but_who_sent_it(world: World) -> None:
    sent, _ = await meet(world)
    served = {"Create", "Like", "Announce"}
    for document in sent:
        vote = document["type"] == "Create" and "name" in document["object"]
        if vote or document["type"] not in served:
            assert re.fullmatch(f"{document['actor']}#x/[0-9]+", document["id"])
        else:
            assert (await world.get(A, document["id"], JSON)).status_code in (200, 404)


async def test_every_document_has_its_context_and_every_picture_its_type(walked: dict[str, Any]) -> None:
    for url, document in documents(walked):
        assert document["@context"][0] == "https://www.w3.org/ns/activitystreams", url
        for part in inside(document):
            if isinstance(part, dict) and part.get("type") in SHOWN:
                assert part.get("mediaType"), (url, part)
            if isinstance(part, dict) and part.get("type") == "Emoji":
                assert {"id", "updated", "icon"} <= set(part), (url, part)


async def test_the_walk_came_to_every_route(walked: dict[str, Any]) -> None:
    routes = [each for each in (*activitypub_routes.ROUTES, *discovery_routes.ROUTES) if isinstance(each, Route)]
    left = {route.path for route in routes if not any(leads_to(route, url) for url in walked)}
    assert left - SIGNED - {"/robots.txt", "/healthz", "/health"} == set()


def leads_to(route: Route, url: str) -> bool:
    scope = {"type": "http", "method": "GET", "path": urlsplit(url).path, "headers": [(b"accept", JSON.encode())]}
    return route.matches(scope)[0] == Match.FULL
