"""The Fedify peer proves itself against another of its kind, so that later a failure is ours."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import trustme

from tests.peers.fedify_peer import DRAFT, RFC9421, FedifyPeer, Knock, PeerError, running
from tests.peers.node import require_node

pytestmark = [pytest.mark.node, pytest.mark.slow]

Pair = tuple[FedifyPeer, FedifyPeer]


@pytest.fixture(scope="module")
def ca() -> trustme.CA:
    require_node()
    return trustme.CA()


@pytest.fixture(params=[DRAFT, RFC9421])
def knock(request: pytest.FixtureRequest) -> Knock:
    chosen: Knock = request.param
    return chosen


@pytest.fixture
async def pair(ca: trustme.CA, tmp_path: Path, knock: Knock) -> AsyncIterator[Pair]:
    """Ann, who is known by a port, and Bob, whose server has a bare name and shows notes to signed requests only."""
    async with (
        running(ca, tmp_path, host="ann.fedi.test", username="ann", first_knock=knock) as ann,
        running(ca, tmp_path, host="bob.fedi.test", username="bob", first_knock=knock, bare=True, secure=True) as bob,
    ):
        await ann.route("bob.fedi.test", bob.port)
        yield ann, bob


async def follow(follower: FedifyPeer, followed: FedifyPeer) -> None:
    await follower.follow(followed.handle)
    await follower.wait("handled", "Accept", actor=followed.uri)


async def test_follow_post_like_reply(pair: Pair, knock: Knock) -> None:
    ann, bob = pair
    await follow(ann, bob)
    assert (await bob.state())["followers"] == {ann.uri: "accepted"}
    assert (await ann.state())["following"] == {bob.uri: "accepted"}

    posted = await bob.post("<p>Hello</p>", summary="Greeting", tags=["cats"])
    arrived = await ann.wait("received", "Create", id=posted["activity"])
    assert arrived["status"] == 202
    assert (arrived["signature"]["http"]["scheme"], arrived["signature"]["http"]["verified"]) == (knock, True)
    assert arrived["signature"]["proof"] == {"cryptosuites": ["eddsa-jcs-2022"], "verified": True}
    assert arrived["signature"]["linkedData"] == {"verified": True}
    await ann.wait("handled", "Create", id=posted["activity"])
    assert (await ann.state())["known"][posted["note"]]["content"] == "<p>Hello</p>"

    await ann.like(posted["note"])
    await bob.wait("handled", "Like", object=posted["note"])
    assert (await bob.state())["likes"] == {posted["note"]: [ann.uri]}
    reply = await ann.post("<p>Hello yourself</p>", reply_to=posted["note"], mention=[bob.handle])
    await bob.wait("handled", "Create", id=reply["activity"])
    document = (await bob.state())["known"][reply["note"]]
    assert document["inReplyTo"] == posted["note"]
    assert {"type": "Mention", "href": bob.uri, "name": bob.handle} in [document["tag"]]


async def test_edit_delete_and_undo(pair: Pair) -> None:
    ann, bob = pair
    await follow(ann, bob)
    note = (await bob.post("<p>One</p>"))["note"]
    await ann.wait("handled", "Create")
    await bob.edit(note, content="<p>Two</p>")
    await ann.wait("handled", "Update")
    assert (await ann.state())["known"][note]["content"] == "<p>Two</p>"

    await ann.boost(note)
    await bob.wait("handled", "Announce", object=note)
    assert (await bob.state())["boosts"] == {note: [ann.uri]}
    await ann.unboost(note)
    undone = await bob.wait("handled", "Undo")
    assert (await bob.state())["boosts"] == {note: []}

    await bob.delete(note)
    await ann.wait("handled", "Delete", object=note)
    assert (await ann.state())["known"] == {}
    assert (await ann.lookup(note))["type"] is None
    await ann.unfollow(bob.uri)
    await bob.wait("handled", "Undo", after=undone["n"])
    assert (await bob.state())["followers"] == {}


async def test_lookups(pair: Pair) -> None:
    ann, bob = pair
    note = (await bob.post("<p>Hello</p>"))["note"]
    actor = await ann.lookup(bob.handle)
    assert (actor["type"], actor["id"]) == ("Person", bob.uri)
    assert actor["webfinger"]["subject"] == "acct:bob@bob.fedi.test"
    assert (await bob.lookup(ann.handle))["webfinger"]["subject"] == f"acct:{ann.handle.removeprefix('@')}"
    assert (await ann.lookup(note))["understood"]["content"] == "<p>Hello</p>"
    assert (await ann.lookup(f"{bob.origin}/@bob/1"))["id"] == note  # by the page that names it
    outbox = await ann.collection(f"{bob.uri}/outbox")
    assert (outbox["total"], outbox["items"]) == (1, [{"type": "Create", "id": f"{note}/activity"}])
    assert (await ann.nodeinfo(bob.origin))["understood"]["software"]["name"] == "fedify-peer"


async def test_who_may_see(pair: Pair) -> None:
    ann, bob = pair
    private = await bob.post("<p>Only followers</p>", visibility="followers")
    assert private["recipients"] == []
    assert (await ann.lookup(private["note"]))["type"] is None
    await follow(ann, bob)
    assert (await ann.lookup(private["note"]))["type"] == "Note"
    direct = await bob.post("<p>You</p>", visibility="direct", mention=[ann.handle])
    event = await ann.wait("handled", "Create", id=direct["activity"])
    assert (event["understood"]["to"], event["understood"].get("cc")) == (ann.uri, None)


async def test_profile_any_activity_and_leaving(pair: Pair) -> None:
    ann, bob = pair
    await follow(ann, bob)
    await bob.profile(name="Robert", fields=[["Home", "Here"]])
    update = await ann.wait("handled", "Update", object=bob.uri)
    assert update["understood"]["object"]["name"] == "Robert"
    flag = {"@context": "https://www.w3.org/ns/activitystreams", "type": "Flag", "object": bob.uri, "content": "Rude"}
    await ann.send(flag, to=[bob.handle])
    assert (await bob.wait("handled", "Flag"))["understood"]["content"] == "Rude"
    await bob.leave()
    await ann.wait("received", "Delete", actor=bob.uri)
    assert (await ann.lookup(bob.uri))["type"] is None


async def test_second_knock(ca: trustme.CA, tmp_path: Path, knock: Knock) -> None:
    other = DRAFT if knock == RFC9421 else RFC9421
    async with (
        running(ca, tmp_path, host="cat.fedi.test", username="cat", first_knock=knock) as cat,
        running(ca, tmp_path, host="dan.fedi.test", username="dan", refuses=knock) as dan,
    ):
        await follow(cat, dan)
        followed = [event for event in await dan.events() if event["kind"] == "received"]
        assert [event["signature"]["http"]["scheme"] for event in followed] == [other]
        asked = [event for event in await dan.events() if event["kind"] == "asked" and event["path"] == "/users/dan"]
        assert [(event["status"], event["signature"]["scheme"]) for event in asked[:2]] == [(401, knock), (200, other)]


async def test_foreign_names_stay_out_of_reach(ca: trustme.CA, tmp_path: Path) -> None:
    async with running(ca, tmp_path, host="cat.fedi.test", username="cat") as cat:
        unknown = {"@context": "https://context.example/ns", "type": "Flag", "object": cat.uri}
        with pytest.raises(PeerError, match=r"https://context\.example/ns"):
            await cat.send(unknown, to=[cat.handle])
        with pytest.raises(PeerError, match="no actor at"):
            await cat.follow("@nobody@elsewhere.example")


async def test_approval_by_hand_and_failures(ca: trustme.CA, tmp_path: Path) -> None:
    async with (
        running(ca, tmp_path, host="cat.fedi.test", username="cat") as cat,
        running(ca, tmp_path, host="dan.fedi.test", username="dan", approves="manual") as dan,
    ):
        await cat.follow(dan.handle)
        await dan.wait("handled", "Follow")
        assert (await dan.state())["followers"] == {cat.uri: "pending"}
        await dan.reject(cat.uri)
        await cat.wait("handled", "Reject")
        assert (await cat.state())["following"] == {dan.uri: "rejected"}
        await dan.accept(cat.uri)
        await cat.wait("handled", "Accept")
        await cat.stop()
        lost = await dan.post("<p>Anybody?</p>")
        assert (await dan.wait("failed", activity=lost["activity"]))["error"]
