"""Reply control as GoToSocial knows it: our leave to answer, and what others say to our likes, boosts and answers."""

from __future__ import annotations

import json
from typing import Any

import pytest

from fediblog.actions import approval_actions, moderation_actions, post_actions, reaction_actions
from fediblog.domain.documents import PUBLIC, Visibility
from fediblog.domain.posts import Post
from fediblog.errors import Invalid, NotFound
from fediblog.federation.outbound import delivery_results
from fediblog.federation.outbound.delivery_results import BatchResults
from fediblog.outgoing.own_documents import post_document
from fediblog.protocol.retry import Verdict
from fediblog.store.posts import approvals, posts, threads
from fediblog.store.queues import job_queue, leases
from fediblog.store.tx import Tx
from tests.federation.stranger import Home, Person

Json = dict[str, Any]


async def sent(home: Home, *kinds: str) -> list[Json]:
    rows = await home.ask("select kind, body from outgoing order by id")
    return [json.loads(body) for kind, body in rows if kind in kinds]


async def answer_of(home: Home, bob: Person, post: Post, number: int = 1) -> Json:
    return bob.note(number, inReplyTo=post.uri, tag=[], cc=[home.alice.uri])


async def proof(home: Home, document: Json) -> int:
    """How the server answers for an authorization."""
    number = int(document["result"].rsplit("/", 1)[1])
    return int(await home.site.db.read(lambda tx: approvals.reply_authorization(tx, number) is not None))


async def test_who_may_answer_is_told_so(at_home: Home, bob: Person) -> None:
    post = await at_home.writes(comments="followers")
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    note = await answer_of(at_home, bob, post)
    await at_home.send(bob, bob.creates(note))
    _, accept = await sent(at_home, "Accept")
    assert (accept["object"], accept["target"], accept["actor"]) == (note["id"], post.uri, at_home.alice.uri)
    assert await proof(at_home, accept)
    await at_home.send(bob, bob.does("Delete", note["id"]))
    assert not await proof(at_home, accept)
    second = await answer_of(at_home, bob, post, 2)
    request = bob.does("ReplyRequest", post.uri, instrument=second, to=[at_home.alice.uri])
    await at_home.send(bob, request)  # who asks first is told once, of the request
    assert [each["object"]["id"] for each in (await sent(at_home, "Accept"))[2:]] == [request["id"]]


@pytest.mark.parametrize("end", ["delete", "block"])
async def test_the_authorization_ends(at_home: Home, bob: Person, end: str) -> None:
    post, urls = await at_home.writes(comments="followers"), at_home.site.urls
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    await at_home.send(bob, bob.creates(await answer_of(at_home, bob, post)))
    _, accept = await sent(at_home, "Accept")
    assert await proof(at_home, accept)
    if end == "delete":
        await at_home.site.db.write(post_actions.delete, urls, at_home.alice.id, post.id)
    else:
        account = await at_home.know(bob)
        await at_home.site.db.write(moderation_actions.block, urls, at_home.alice.id, account.id)
    assert not await proof(at_home, accept)


async def test_where_all_may_answer_nothing_is_sent(at_home: Home, bob: Person) -> None:
    await at_home.send(bob, bob.creates(await answer_of(at_home, bob, await at_home.writes())))
    assert await sent(at_home, "Accept") == []


@pytest.mark.parametrize("comments", ["public", "followers", "nobody"])
async def test_who_asks_first_is_answered(at_home: Home, bob: Person, comments: str) -> None:
    post = await at_home.writes(comments=comments)
    note = await answer_of(at_home, bob, post)
    request = bob.does("ReplyRequest", post.uri, instrument=note, to=[at_home.alice.uri])
    await at_home.send(bob, request)
    found = [each for each in await sent(at_home, "Accept", "Reject") if each["object"] != note["id"]]
    assert [each["type"] for each in found] == ["Accept" if comments == "public" else "Reject"]
    assert (found[0]["object"]["type"], found[0]["object"]["id"]) == ("ReplyRequest", request["id"])
    assert await at_home.count("post") == (2 if comments == "public" else 1)
    assert ("result" in found[0]) is (comments == "public")


POLICIES: list[tuple[str, Json, str]] = [
    (action, {f"can{name}": rule}, verdict)
    for action, name in (("like", "Like"), ("boost", "Announce"), ("reply", "Reply"))
    for rule, verdict in (
        ({"automaticApproval": [PUBLIC]}, "automatic"),
        ({"always": PUBLIC, "approvalRequired": []}, "automatic"),
        ({"automaticApproval": ["https://bob.test/u/bob"], "manualApproval": PUBLIC}, "manual"),
        ({"always": ["https://bob.test/u/bob"], "approvalRequired": [PUBLIC]}, "manual"),
        ({"automaticApproval": ["https://bob.test/u/bob"]}, "denied"),
        ({"automaticApproval": ["https://bob.test/u/bob", "https://bob.test/u/bob/followers"]}, "automatic"),
        (None, "automatic"),
    )
]


async def _acts(home: Home, action: str, post: Post) -> str:
    """Alice does that to a post; the id of what she did."""
    if action == "reply":
        return (await home.writes(reply_to=post.uri)).uri
    act = reaction_actions.like if action == "like" else reaction_actions.boost
    await home.site.db.write(act, home.site.urls, home.alice.id, post.id)
    rows = await home.ask("select uri from reaction union all select uri from boost")
    return str(rows[0][0])


async def _heard(home: Home, bob: Person, policy: Json | None) -> Post:
    await home.follows(bob)
    note = bob.note(interactionPolicy=policy)
    await home.send(bob, bob.creates(note))
    found = await home.site.db.read(posts.by_uri, note["id"])
    assert found is not None
    return found


@pytest.mark.parametrize(("action", "policy", "verdict"), POLICIES)
async def test_what_authors_let_others_do_is_obeyed(
    at_home: Home, bob: Person, action: str, policy: Json, verdict: str
) -> None:
    post = await _heard(at_home, bob, policy)
    if verdict == "denied":
        with pytest.raises(Invalid):
            await _acts(at_home, action, post)
        return
    uri = await _acts(at_home, action, post)
    found = await at_home.site.db.read(approvals.of, uri)
    assert (found.state if found else "automatic") == {"manual": "pending"}.get(verdict, verdict)


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("action", ["like", "boost", "reply"])
async def test_what_the_author_says_is_kept(
    at_home: Home, bob: Person, carol: Person, action: str, inline: bool
) -> None:
    post = await _heard(at_home, bob, None)
    await at_home.know(carol)
    uri = await _acts(at_home, action, post)
    kind = {"like": "Like", "boost": "Announce", "reply": "Note"}[action]
    thing: Any = {"type": kind, "id": uri, "actor": at_home.alice.uri} if inline else uri
    grant = "https://bob.test/authorizations/1"
    for person, result in ((carol, "https://carol.test/1"), (bob, "https://carol.test/1")):
        assert (await at_home.send(person, person.does("Accept", thing, result, result=result))).status == 403
    assert await at_home.site.db.read(approvals.of, uri) is None
    await at_home.send(bob, bob.does("Accept", thing, 3, result=grant, target=post.uri))
    found = await at_home.site.db.read(approvals.of, uri)
    assert found is not None
    assert (found.state, found.proof) == ("accepted", grant)
    if action == "reply":
        await _sends_counts(at_home)
        document = (await sent(at_home, "Update"))[-1]["object"]
        assert document["replyAuthorization"] == document["approvedBy"] == grant
    await at_home.send(bob, bob.does("Reject", thing, 4))
    found = await at_home.site.db.read(approvals.of, uri)
    assert found is not None
    assert found.state == "rejected"
    assert await at_home.count("reaction") == await at_home.count("boost") == 0
    if action == "reply":
        await _sends_counts(at_home)
        assert "replyAuthorization" not in (await sent(at_home, "Update"))[-1]["object"]


@pytest.mark.parametrize("result", ["https://bob.test/authorizations/1", ""])
async def test_an_accept_alone_is_no_authorization(at_home: Home, bob: Person, result: str) -> None:
    post = await _heard(at_home, bob, None)
    uri = await _acts(at_home, "reply", post)
    accept = bob.does("Accept", uri, target=post.uri, **({"result": result} if result else {}))
    await at_home.send(bob, accept)
    await _sends_counts(at_home)
    (update,) = await sent(at_home, "Update")
    served = await at_home.site.db.read(_served, at_home, uri)
    for document in (update["object"], served):
        assert document.get("replyAuthorization", "") == result
        assert document["approvedBy"] == (result or accept["id"])
    await at_home.send(bob, bob.does("Delete", result or accept["id"], 5))
    served = await at_home.site.db.read(_served, at_home, uri)
    assert not served.keys() & {"replyAuthorization", "approvedBy"}


def _served(tx: Tx, home: Home, uri: str) -> Json:
    post = posts.by_uri(tx, uri)
    assert post is not None
    return post_document(tx, home.site.urls, post)


async def _sends_counts(home: Home) -> None:
    for job in await home.site.db.write(job_queue.claim):
        if job.kind == "send-counts":
            await home.site.db.write(post_actions.send_counts, home.site.urls, int(job.subject))
        await home.site.db.write(job_queue.done, job.id)


@pytest.mark.parametrize("status", [403, 404, 500])
async def test_a_like_that_is_forbidden_is_taken_back(at_home: Home, bob: Person, status: int) -> None:
    post = await _heard(at_home, bob, None)
    await _acts(at_home, "like", post)

    def ended(tx: Tx) -> None:
        row = tx.one("select d.id from delivery d join outgoing o on o.id = d.outgoing where o.kind = 'Like'")
        assert row is not None
        (found,) = [each for batch in leases.lease(tx) for each in batch.deliveries if each.id == row.id]
        verdict = Verdict.LATER if status == 500 else Verdict.FINAL
        learned = BatchResults(host="bob.test", done=[delivery_results.DeliveryResult(found, verdict, status, "")])
        delivery_results.settle(tx, [learned], tx.now, lambda: 0.5)

    await at_home.site.db.write(ended)
    assert await at_home.count("reaction") == int(status != 403)


async def test_a_request_to_quote_goes_only_where_it_is_understood(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    for number, policy in enumerate((None, {"canReply": {"always": PUBLIC}}, {"canQuote": {"manualApproval": PUBLIC}})):
        note = bob.note(number, interactionPolicy=policy)
        await at_home.send(bob, bob.creates(note, number))
        quoted = await at_home.site.db.read(posts.by_uri, note["id"])
        assert quoted is not None
        mine = await at_home.site.db.read(posts.stored, (await at_home.writes(quote=quoted.id)).id)
        assert mine is not None
        asks = policy is not None and "canQuote" in policy
        assert len(await sent(at_home, "QuoteRequest")) == int(asks)
        assert (mine.quote_state, mine.quoted) == ("pending" if asks else "unauthorized", None)
    closed = bob.note(9, interactionPolicy={"canQuote": {"automaticApproval": bob.uri}})
    await at_home.send(bob, bob.creates(closed, 9))
    quoted = await at_home.site.db.read(posts.by_uri, closed["id"])
    assert quoted is not None
    with pytest.raises(Invalid):
        await at_home.writes(quote=quoted.id)


ACTIONS = {"Like": "reaction", "Announce": "boost"}


@pytest.mark.parametrize("visibility", ["public", "followers"])
@pytest.mark.parametrize("kind", ACTIONS)
async def test_who_asks_to_like_or_boost_is_answered(at_home: Home, bob: Person, kind: str, visibility: str) -> None:
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    post = await at_home.writes(visibility=Visibility(visibility))
    action = {"type": kind, "id": f"{bob.uri}/{kind}/1", "attributedTo": bob.uri, "object": post.uri, "to": [PUBLIC]}
    request = bob.does(f"{kind}Request", post.uri, instrument=action, to=[at_home.alice.uri])
    await at_home.send(bob, request)
    answer = [each for each in await sent(at_home, "Accept", "Reject") if each["object"]["type"] == f"{kind}Request"]
    may = kind == "Like" or visibility == "public"
    assert [each["type"] for each in answer] == ["Accept" if may else "Reject"]
    assert (answer[0]["object"]["id"], answer[0]["object"]["instrument"]) == (request["id"], action["id"])
    assert await at_home.count(ACTIONS[kind]) == int(may)
    assert ("result" in answer[0]) is may
    if may:
        assert await proof(at_home, answer[0])
        await at_home.send(bob, bob.does("Undo", action, 9))
        assert not await proof(at_home, answer[0])


WRONG: list[Json] = [
    {"id": "https://carol.test/1"},
    {"object": "https://home.test/p/1"},
    {"object": None},
    {"attributedTo": "https://bob.test/u/eve"},
    {"actor": "https://bob.test/u/eve"},
    {"attributedTo": None},
    {"type": "Dislike"},
    {"type": "Note"},
]


@pytest.mark.parametrize("named", [False, True])
@pytest.mark.parametrize("wrong", [{}, *WRONG])
@pytest.mark.parametrize("kind", ACTIONS)
async def test_nobody_asks_for_others(at_home: Home, bob: Person, kind: str, wrong: Json, named: bool) -> None:
    """What comes along is the sender's own action on that post; what is only named says so itself at its origin."""
    post = await at_home.writes()
    author = {"actor": bob.uri} if named and "attributedTo" not in wrong else {"attributedTo": bob.uri}
    action: Json = {"type": kind, "id": f"{bob.uri}/{kind}/1", "object": post.uri, **author, **wrong}
    at_home.web.put(action["id"], action)
    await at_home.send(bob, bob.does(f"{kind}Request", post.uri, instrument=action["id"] if named else action))
    await at_home.work()
    assert await at_home.count(ACTIONS[kind]) == int(not wrong)
    answers = await sent(at_home, "Accept", "Reject")
    assert [each["type"] for each in answers] == ["Reject" if wrong else "Accept"]


@pytest.mark.parametrize("kind", ACTIONS)
async def test_what_cannot_be_fetched_does_not_stand(at_home: Home, bob: Person, kind: str) -> None:
    post = await at_home.writes()
    uri = f"{bob.uri}/{kind}/1"
    await at_home.send(bob, bob.does(f"{kind}Request", post.uri, instrument=uri))
    await at_home.work()
    assert uri in at_home.web.asked
    assert await at_home.count(ACTIONS[kind]) == 0
    assert [each["type"] for each in await sent(at_home, "Accept", "Reject")] == ["Reject"]


@pytest.mark.parametrize("known", [False, True])
@pytest.mark.parametrize("whose", ["bob", "carol"])
async def test_an_answer_may_be_named_alone(at_home: Home, bob: Person, carol: Person, whose: str, known: bool) -> None:
    post, author = await at_home.writes(), bob if whose == "bob" else carol
    note = await answer_of(at_home, author, post)
    if known:
        await at_home.send(author, author.creates(note))
    await at_home.send(bob, bob.does("ReplyRequest", post.uri, instrument=note["id"]))
    await at_home.work()
    assert at_home.web.asked.count(note["id"]) == int(not known)
    assert [each["type"] for each in await sent(at_home, "Accept", "Reject")] == [
        "Accept" if whose == "bob" else "Reject"
    ]


@pytest.mark.parametrize("inline", [False, True])
@pytest.mark.parametrize("action", ["like", "boost", "reply"])
async def test_an_authorization_that_is_deleted_is_a_reject(
    at_home: Home, bob: Person, carol: Person, action: str, inline: bool
) -> None:
    post = await _heard(at_home, bob, None)
    await at_home.know(carol)
    uri, grant = await _acts(at_home, action, post), "https://bob.test/authorizations/1"
    await at_home.send(bob, bob.does("Accept", uri, result=grant))
    kind = {"like": "Like", "boost": "Announce", "reply": "Reply"}[action]
    thing: Any = {"id": grant, "type": f"{kind}Authorization"} if inline else grant
    assert (await at_home.send(carol, carol.does("Delete", thing))).status == 403
    found = await at_home.site.db.read(approvals.of, uri)
    assert found is not None
    assert found.state == "accepted"
    await at_home.send(bob, bob.does("Delete", thing))
    found = await at_home.site.db.read(approvals.of, uri)
    assert found is not None
    assert found.state == "rejected"
    assert await at_home.count("reaction") == await at_home.count("boost") == 0


async def test_a_boost_that_is_rejected_is_undone_everywhere(at_home: Home, bob: Person, carol: Person) -> None:
    await at_home.send(carol, carol.does("Follow", at_home.alice.uri))
    post = await _heard(at_home, bob, None)
    uri = await _acts(at_home, "boost", post)
    await at_home.send(bob, bob.does("Reject", uri, 4))
    await at_home.send(bob, bob.does("Reject", uri, 5))
    (undo,) = await sent(at_home, "Undo")
    assert (undo["object"]["id"], undo["object"]["type"], undo["object"]["object"]) == (uri, "Announce", post.uri)
    assert undo["to"] == [at_home.alice.followers, bob.uri]
    (boost,) = await sent(at_home, "Announce")
    assert [undo["object"][key] for key in ("to", "cc")] == [boost[key] for key in ("to", "cc")]
    (number,) = await at_home.ask("select id from outgoing where kind = 'Undo'")
    waiting = [job.payload for job in await at_home.site.db.write(job_queue.claim) if job.kind == "fanout"]
    assert number[0] in [each["outgoing"] for each in waiting]
    found = await at_home.ask("select inbox from delivery where outgoing = :id", id=number[0])
    assert found == [("https://bob.test/inbox",)]


async def test_a_reply_that_is_no_longer_approved_is_gone_from_below(at_home: Home, bob: Person) -> None:
    post, urls = await at_home.writes(comments="followers"), at_home.site.urls
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    note = await answer_of(at_home, bob, post)
    await at_home.send(bob, bob.creates(note))
    below = bob.note(2, inReplyTo=note["id"], cc=[at_home.alice.uri])
    await at_home.send(bob, bob.creates(below, 2))
    _, accept = await sent(at_home, "Accept")
    number = int(accept["result"].rsplit("/", 1)[1])
    assert len(await at_home.site.db.read(threads.links, post.id)) == 3
    await at_home.site.db.write(approval_actions.revoke, urls, at_home.alice.id, number)
    assert not await proof(at_home, accept)
    (delete,) = await sent(at_home, "Delete")
    told = delete["object"]
    assert (told["type"], told["id"], told["interactingObject"]) == ("ReplyAuthorization", accept["result"], note["id"])
    assert len(await at_home.site.db.read(threads.links, post.id)) == 1
    seen = await at_home.site.db.read(posts.stored, post.id)
    assert seen is not None
    assert seen.comments == 0
    await at_home.send(bob, bob.does("ReplyRequest", post.uri, instrument=note))
    await at_home.send(bob, bob.does("Update", {**note, "content": "x", "updated": "2025-07-01T00:00:00Z"}, 3))
    await at_home.send(bob, bob.creates(await answer_of(at_home, bob, post, 4), 4))
    assert len(await at_home.site.db.read(threads.links, post.id)) == 2
    assert [each["type"] for each in await sent(at_home, "Reject")] == ["Reject"]
    with pytest.raises(NotFound):
        await at_home.site.db.write(approval_actions.revoke, urls, at_home.alice.id, number)
