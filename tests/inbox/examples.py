"""One activity for each row of `HANDLERS`, by somebody of another server, and what must have come before it."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

from fediblog.actions import follow_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.documents import ACTOR_KINDS, POST_KINDS, PUBLIC
from fediblog.store.people import accounts, relations
from fediblog.store.posts import posts
from fediblog.store.tx import Tx
from tests.federation.stranger import Home, Json, Person
from tests.wording import publish

Route = tuple[str, str | None]
Maker = Callable[[Home, Person], Awaitable[Json]]
MAKERS: dict[Route, Maker] = {}
_REACTIONS = ("Like", "EmojiReact", "Dislike")


def makes(*routes: Route) -> Callable[[Callable[..., Awaitable[Json]]], None]:
    """Enters a function once for each of the rows; it is told which one it is for."""

    def enter(make: Callable[..., Awaitable[Json]]) -> None:
        for verb, kind in routes:
            MAKERS[verb, kind] = lambda home, who, verb=verb, kind=kind: make(home, who, verb, kind)  # type: ignore[misc]

    return enter


def _number(home: Home) -> int:
    home.clock.forward(seconds=1)
    return home.clock.now // 1000


def _mention(home: Home, who: Person, kind: str = "Note", **more: Any) -> Json:
    """A post by somebody who names Alice."""
    tag = {"type": "Mention", "href": home.alice.uri, "name": "@alice@home.test"}
    options = {"oneOf": [{"type": "Note", "name": each} for each in "ab"]} if kind == "Question" else {}
    fields = {"type": kind, "to": [PUBLIC, home.alice.uri], "tag": [tag], "name": "A title", **options, **more}
    return who.note(_number(home), **fields)


async def _came(home: Home, who: Person, activity: Json) -> Json:
    """It is done before."""
    assert (await home.send(who, activity)).status == 202
    await home.work()
    return activity


async def _followed(home: Home, who: Person, *, accepted: bool) -> Json:
    """Alice's Follow of somebody."""
    account = await home.know(who)

    def action(tx: Tx) -> str:
        relations.unblock(tx, account.id, home.alice.id)  # who blocks cannot be followed
        follow_actions.unfollow(tx, home.site.urls, home.alice.id, account.id)
        follow_actions.follow(tx, home.site.urls, home.alice.id, account.id)
        if accepted:
            relations.accept(tx, home.alice.id, account.id)
        standing = relations.follow(tx, home.alice.id, account.id)
        assert standing is not None
        return standing.uri

    home.clock.forward(seconds=1)
    uri = await home.site.db.write(action)
    return {"id": uri, "type": "Follow", "actor": home.alice.uri, "object": who.uri}


async def _quoted(home: Home, who: Person) -> Json:
    """Alice's QuoteRequest for a post of somebody's."""
    note = _mention(home, who, interactionPolicy={"canQuote": {"manualApproval": PUBLIC}})
    await _came(home, who, who.creates(note, _number(home)))

    def action(tx: Tx) -> Any:
        found = posts.by_uri(tx, note["id"])
        assert found is not None
        written = publish(tx, home.site.urls, home.alice.id, Draft(source="Look", quote=found.id))
        return tx.one("select uri from quote_request where post = :id", id=written.id), written.uri

    row, written = await home.site.db.write(action)
    return {
        "id": row.uri,
        "type": "QuoteRequest",
        "actor": home.alice.uri,
        "object": note["id"],
        "instrument": written,
    }


@makes(("Follow", None), ("Block", None))
async def _about_alice(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    return who.does(verb, home.alice.uri, _number(home))


@makes(("Accept", "Follow"), ("Reject", "Follow"))
async def _answer(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    return who.does(verb, await _followed(home, who, accepted=False), _number(home))


@makes(("Accept", None), ("Reject", None))
async def _answer_by_id(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    return who.does(verb, (await _followed(home, who, accepted=False))["id"], _number(home))


@makes(("Undo", "Accept"))
async def _accept_undone(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    accept = who.does("Accept", await _followed(home, who, accepted=True), _number(home))
    return who.does(verb, accept, _number(home))


@makes(("Accept", "QuoteRequest"), ("Reject", "QuoteRequest"))
async def _quote_answered(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    proof = f"https://{who.host}/quotes/{_number(home)}"
    return who.does(verb, await _quoted(home, who), _number(home), result=proof)


@makes(("Delete", "QuoteAuthorization"))
async def _quote_disallowed(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    accept = await _quote_answered_for(home, who)
    return who.does(verb, {"id": accept["result"], "type": "QuoteAuthorization"}, _number(home))


async def _quote_answered_for(home: Home, who: Person) -> Json:
    return await _came(home, who, await MAKERS["Accept", "QuoteRequest"](home, who))


@makes(("QuoteRequest", None))
async def _quote_asked(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    post = await home.writes(quotable="public")
    note = _mention(home, who, quote=post.uri)
    return who.does(verb, post.uri, _number(home), instrument=note)


@makes(("ReplyRequest", None))
async def _reply_asked(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    post = await home.writes()
    return who.does(verb, post.uri, _number(home), instrument=_mention(home, who, inReplyTo=post.uri))


@makes(("LikeRequest", None), ("AnnounceRequest", None))
async def _action_asked(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    post, kind = await home.writes(), verb.removesuffix("Request")
    action = who.does(kind, post.uri, _number(home), to=[PUBLIC])
    return who.does(verb, post.uri, _number(home), instrument=action)


@makes(*(("Delete", f"{kind}Authorization") for kind in ("Announce", "Like", "Reply")))
async def _action_disallowed(home: Home, who: Person, verb: str, kind: str | None) -> Json:
    proof = f"https://{who.host}/authorizations/{_number(home)}"
    note = who.note(_number(home), cc=[home.alice.uri])
    await _came(home, who, who.creates(note, _number(home)))
    mine = await home.writes(reply_to=note["id"])
    await _came(home, who, who.does("Accept", mine.uri, _number(home), result=proof))
    return who.does(verb, {"id": proof, "type": kind}, _number(home))


@makes(("Undo", "Follow"), ("Undo", "Block"))
async def _about_alice_undone(home: Home, who: Person, verb: str, kind: str | None) -> Json:
    return who.does(verb, await _came(home, who, who.does(str(kind), home.alice.uri, _number(home))), _number(home))


@makes(*((verb, None) for verb in (*_REACTIONS, "Announce")))
async def _reacted(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    more = {"content": "🎉"} if verb == "EmojiReact" else {"to": [PUBLIC]}
    return who.does(verb, (await home.writes()).uri, _number(home), **more)


@makes(*(("Undo", kind) for kind in (*_REACTIONS, "Announce")))
async def _reaction_undone(home: Home, who: Person, verb: str, kind: str | None) -> Json:
    done = await _came(home, who, await MAKERS[str(kind), None](home, who))
    return who.does(verb, done, _number(home))


@makes(("Undo", None))
async def _undone_by_id(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    return who.does(verb, (await _came(home, who, await MAKERS["Like", None](home, who)))["id"], _number(home))


@makes(("Create", None))
async def _created_by_id(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    return who.does(verb, _mention(home, who)["id"], _number(home), to=[home.alice.uri])


@makes(*(("Create", kind) for kind in sorted(POST_KINDS)))
async def _created(home: Home, who: Person, _verb: str, kind: str | None) -> Json:
    return who.creates(_mention(home, who, str(kind)), _number(home))


@makes(*(("Update", kind) for kind in (None, *sorted(POST_KINDS))))
async def _updated(home: Home, who: Person, verb: str, kind: str | None) -> Json:
    note = _mention(home, who, kind or "Note")
    await _came(home, who, who.creates(note, _number(home)))
    changed = {**note, "content": "<p>other words</p>", "updated": "2025-06-01T11:00:00Z"}
    who.web.put(str(note["id"]), changed)
    return who.does(verb, changed if kind else note["id"], _number(home), to=[PUBLIC])


@makes(*(("Update", kind) for kind in sorted(ACTOR_KINDS)))
async def _profile_changed(home: Home, who: Person, verb: str, kind: str | None) -> Json:
    who.publish(type=kind, name=f"Name {_number(home)}")
    return who.does(verb, {key: value for key, value in who.document.items() if key != "@context"}, _number(home))


@makes(("Delete", None))
async def _deleted(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    note = _mention(home, who)
    await _came(home, who, who.creates(note, _number(home)))
    return who.does(verb, {"id": note["id"], "type": "Tombstone"}, _number(home))


@makes(*(("Announce", kind) for kind in ("Create", "Update", "Delete", *_REACTIONS, "Undo")))
async def _passed_on(home: Home, who: Person, verb: str, kind: str | None) -> Json:
    """Of somebody who posts in the group that `who` is."""
    await _followed(home, who, accepted=True)
    writer = Person(who.web, "writer.test", "writer")
    await home.know(writer)
    note = _mention(home, writer)
    if kind in ("Create", "Update"):
        inner = writer.does(str(kind), note, _number(home))
    elif kind == "Delete":
        await _came(home, writer, writer.creates(note, _number(home)))
        who.web.put(str(note["id"]), {"id": note["id"], "type": "Tombstone"}, status=410)
        inner = writer.does("Delete", note["id"], _number(home))
    else:
        like = await MAKERS["Like" if kind == "Undo" else str(kind), None](home, writer)
        inner = writer.does("Undo", await _came(home, writer, like), _number(home)) if kind == "Undo" else like
        who.web.put(str(inner["id"]), inner)
    return who.does(verb, inner, _number(home), to=[PUBLIC])


@makes(("Add", None), ("Remove", None))
async def _shown(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    await _followed(home, who, accepted=True)
    note = _mention(home, who)
    await _came(home, who, who.creates(note, _number(home)))
    return who.does(verb, note["id"], _number(home), target=f"{who.uri}/featured")


@makes(("Move", None))
async def _moved(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    await _followed(home, who, accepted=True)
    new = Person(who.web, "new.test", f"{who.name}2", {"alsoKnownAs": [who.uri]})
    return who.does(verb, who.uri, _number(home), target=new.uri)


@makes(("Flag", None))
async def _reported(home: Home, who: Person, verb: str, _kind: str | None) -> Json:
    return who.does(verb, [home.alice.uri], _number(home), content="Look at this")


async def number_of(home: Home, who: Person) -> int:
    """The number of an account that is known."""
    found = await home.site.db.read(accounts.by_uri, who.uri)
    assert found is not None
    return found.id
