"""Every document that is published, walked from the tables of routes: its context, its addresses, its pictures."""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from typing import Any
from urllib.parse import urlsplit

import pytest
from starlette.routing import Match, Route

from fediblog.actions import following, furnishing, people, publishing, reacting
from fediblog.actions.drafts import Draft, File, PollDraft
from fediblog.actions.people import Profile
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.store import files, tags
from fediblog.store.tx import Tx
from fediblog.web import activitypub, discovery, synchronization
from tests.world import JSON, World

A, B = "alice.test", "bob.test"
SHOWN = {"Image", "Document", "Video", "Audio"}
# Told to the servers of followers alone, who sign for it.
SIGNED = {route.path for route in synchronization.ROUTES if isinstance(route, Route)}
ELSEWHERE = {"/r/{number:number}"}  # proofs for answers of other servers: only an Accept names them


@pytest.fixture
async def world() -> AsyncIterator[World]:
    async with World(A, B) as made:
        yield made


async def upload(world: World, account: Account) -> int:
    """A picture with its three files."""
    site = world.sites[A]
    large, small, file = (site.files.save(b"\x89PNG\r\n\x1a\n", ".png") for _ in range(3))

    def deed(tx: Tx) -> int:
        return files.add(
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

    return await site.db.write(deed)


async def furnish(world: World) -> list[str]:
    """One of everything that is published; the addresses to begin at."""
    ann = await world.person(A, "ann")
    cem = await world.person(A, "cem")
    urls = world.sites[A].urls
    await world.do(A, furnishing.add_emoji, "blob", await upload(world, ann), "")
    pictures = [await upload(world, ann) for _ in range(4)]
    profile = Profile(name="Ann :blob:", fields=(("site", "https://alice.test/"),), icon=pictures[0], image=pictures[1])
    await world.do(A, people.update_profile, ann.id, profile)
    await world.sites[A].db.write(lambda tx: tags.set_featured(tx, ann.id, "oak", on=True))

    async def publish(by: Account = ann, **draft: Any) -> Post:
        post: Post = await world.do(A, publishing.publish, by.id, Draft(**draft))
        return post

    hero, file = File(upload=pictures[2]), File(upload=pictures[3])
    article = await publish(source="On #Oak", title="Oaks", summary="Short.", hero=hero, files=(file,))
    note = await publish(source="Hello :blob:", files=(File(upload=await upload(world, ann), alt="A tree"),))
    poll = await publish(source="Which?", poll=PollDraft(options=("a", "b")))
    answer = await publish(by=cem, source="Yes", reply_to=note.id)
    quoting = await publish(by=cem, source="Look", quote=article.id)
    await world.do(A, following.follow, cem.id, ann.id)
    closed = await publish(source="For followers to answer", comments="followers")
    allowed = await publish(by=cem, source="I may", reply_to=closed.id)
    for post in (note, article):
        await world.do(A, reacting.like, cem.id, post.id)
        await world.do(A, reacting.boost, cem.id, post.id)
    await world.do(A, publishing.pin, ann.id, article.id)
    gone = await publish(source="Gone")
    await world.do(A, publishing.delete, ann.id, gone.id)
    begin = [each.uri for each in (ann, cem, article, note, poll, answer, quoting, closed, allowed, gone)]
    begin += [urls.instance_actor, urls.origin, f"{urls.origin}/.well-known/webfinger?resource=acct:ann@{A}"]
    begin += [f"{urls.origin}/.well-known/{name}" for name in ("nodeinfo", "host-meta", "host-meta.json")]
    return begin


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


async def test_every_document_has_its_context_and_every_picture_its_type(walked: dict[str, Any]) -> None:
    for url, document in documents(walked):
        assert document["@context"][0] == "https://www.w3.org/ns/activitystreams", url
        for part in inside(document):
            if isinstance(part, dict) and part.get("type") in SHOWN:
                assert part.get("mediaType"), (url, part)
            if isinstance(part, dict) and part.get("type") == "Emoji":
                assert {"id", "updated", "icon"} <= set(part), (url, part)


async def test_the_walk_came_to_every_route(walked: dict[str, Any]) -> None:
    routes = [each for each in (*activitypub.ROUTES, *discovery.ROUTES) if isinstance(each, Route)]
    left = {route.path for route in routes if not any(leads_to(route, url) for url in walked)}
    assert left - SIGNED - ELSEWHERE - {"/robots.txt", "/healthz", "/health"} == set()


def leads_to(route: Route, url: str) -> bool:
    scope = {"type": "http", "method": "GET", "path": urlsplit(url).path, "headers": [(b"accept", JSON.encode())]}
    return route.matches(scope)[0] == Match.FULL
