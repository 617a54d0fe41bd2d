"""fediblog and Fedify, over real HTTP: what each does, and what the other makes of it.

Everybody of ours in these tests is a new person, so tests share the servers and nothing else.
"""

# long because: starting the peers is what costs time, so that all of their tests share them

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from typing import Any

import pytest
import pytest_asyncio
import trustme
from PIL import Image

from fediblog.actions import account_actions, follow_actions, moderation_actions, post_actions, reaction_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.drafts import Draft, File, PollDraft
from fediblog.domain.documents import PUBLIC, Visibility
from fediblog.domain.posts import Post
from fediblog.federation import prepared_actions
from fediblog.federation.uploads import upload
from fediblog.store.people import relations
from fediblog.store.posts import post_writing, posts, reaction_lists
from fediblog.store.readers import moderation
from tests import wording
from tests.peers.fediblog_server import FediblogServer, serving
from tests.peers.fedify_peer import DRAFT, RFC9421, Json
from tests.peers.meeting import PEERS, Lab, Meeting, meet, running_peer
from tests.peers.node import require_node
from tests.store.makers import comments_of, home_of

pytestmark = [pytest.mark.node, pytest.mark.slow, pytest.mark.asyncio(loop_scope="module")]

CONTEXT = "https://www.w3.org/ns/activitystreams"
AS = f"{CONTEXT}#"
TOOT = "http://joinmastodon.org/ns#"
GTS = "https://gotosocial.org/ns#"


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def lab(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Lab]:
    require_node()
    ca, folder = trustme.CA(), tmp_path_factory.mktemp("fediblog")
    async with AsyncExitStack() as stack:
        starting = [stack.enter_async_context(running_peer(ca, folder, name)) for name in PEERS]
        peers = dict(zip(PEERS, await asyncio.gather(*starting), strict=True))
        open_ = await stack.enter_async_context(serving(ca, folder))
        strict = await stack.enter_async_context(serving(ca, folder, host="strict.fedi.test", authorized_fetch=True))
        yield Lab(open_, strict, peers)


async def _meeting(server: FediblogServer, lab: Lab, name: str) -> AsyncIterator[Meeting]:
    meeting = await meet(server, lab, name)
    before = len(await meeting.peer.events())
    yield meeting
    trouble = [
        each for each in (await meeting.peer.events())[before:] if each["kind"] in ("failed", "refused", "broken")
    ]
    assert trouble == []


@pytest_asyncio.fixture(loop_scope="module", params=["old", "both", "new"])
async def meeting(lab: Lab, request: pytest.FixtureRequest) -> AsyncIterator[Meeting]:
    async for each in _meeting(lab.open, lab, request.param):
        yield each


@pytest_asyncio.fixture(loop_scope="module", params=["old", "both", "new"])
async def guarded(lab: Lab, request: pytest.FixtureRequest) -> AsyncIterator[Meeting]:
    """On the server that answers signed requests only."""
    async for each in _meeting(lab.strict, lab, request.param):
        yield each


@pytest_asyncio.fixture(loop_scope="module")
async def one(lab: Lab) -> AsyncIterator[Meeting]:
    """With one peer, for what does not depend on signatures."""
    async for each in _meeting(lab.open, lab, "both"):
        yield each


async def picture(meeting: Meeting) -> int:
    data = io.BytesIO()
    Image.new("RGB", (320, 200), "teal").save(data, "PNG")
    return (await upload(meeting.server.site, meeting.me.id, data.getvalue())).id


def values(expanded: Json, term: str) -> list[Any]:
    """What an expanded document says under a full name, without the JSON-LD around it."""
    return [each.get("@value", each.get("@id", each)) for each in expanded.get(term, [])]


# --- follows ---


async def test_both_follow_and_stop(meeting: Meeting) -> None:
    await meeting.followed()
    assert (await meeting.peer.state())["following"][meeting.me.uri] == "accepted"
    there = await meeting.server.account(meeting.peer.uri)
    assert await meeting.server.read(relations.is_following, there.id, meeting.me.id)
    assert await meeting.notices() == ["follow"]

    assert (await meeting.follow()).id == there.id
    assert (await meeting.peer.state())["followers"][meeting.me.uri] == "accepted"
    assert await meeting.server.read(relations.is_following, meeting.me.id, there.id)

    before = len(meeting.server.book.entries)
    await meeting.peer.unfollow(meeting.handle)
    await meeting.heard("Undo", after=before)
    assert not await meeting.server.read(relations.is_following, there.id, meeting.me.id)
    await meeting.do(follow_actions.unfollow, there.id)
    await meeting.told("Undo")
    assert meeting.me.uri not in (await meeting.peer.state())["followers"]


async def test_a_locked_account_decides(one: Meeting) -> None:
    await one.do(wording.update_profile, ProfileChanges(name="Ann", locked=True))
    await one.peer.follow(one.handle)
    await one.heard("Follow", one.me.uri)
    there = await one.server.account(one.peer.uri)
    assert (await one.peer.state())["following"][one.me.uri] == "pending"
    await one.do(follow_actions.accept, there.id)
    await one.told("Accept")
    assert (await one.peer.state())["following"][one.me.uri] == "accepted"
    await one.do(follow_actions.remove_follower, there.id)
    await one.told("Reject")
    assert (await one.peer.state())["following"][one.me.uri] == "rejected"


# --- what we write ---


async def test_a_note_keeps_its_meaning(meeting: Meeting) -> None:
    await meeting.followed()
    told = await meeting.posted(f"Hello {meeting.peer.handle}, *really* \N{CAT} #Cats", language="de")
    note = told.object
    assert (note["type"], note["to"], note["attributedTo"]) == ("Note", "as:Public", meeting.me.uri)
    assert set(note["cc"]) == {meeting.me.followers, meeting.peer.uri}
    assert "<em>really</em> \N{CAT}" in note["contentMap"]["de"]
    assert note["source"] == {"content": told.activity["object"]["source"]["content"], "mediaType": "text/markdown"}
    mention = {"type": "Mention", "href": meeting.peer.uri, "name": meeting.peer.handle}
    hashtag = {"type": "Hashtag", "name": "#Cats", "href": f"{meeting.server.origin}/tags/cats"}
    assert note["tag"] == [mention, hashtag]
    assert note["sensitive"] is False
    assert note["interactionPolicy"]["canQuote"]["automaticApproval"] == "as:Public"
    assert {note[name]["totalItems"] for name in ("replies", "likes", "shares")} == {0}
    post = await meeting.stored(note["id"])
    assert (note["url"], note["context"]) == (post.url, post.context)


async def test_every_term_is_declared(one: Meeting) -> None:
    await one.followed()
    stored = await picture(one)
    file = File(upload=stored, alt="All teal", focus=(0.5, -0.5))
    told = await one.posted("Look #Cats", files=(file,), warning="eek", language="de")
    note = (await one.peer.expand(told.activity))[AS + "object"][0]
    assert values(note, AS + "sensitive") == [True]
    assert values(note, AS + "summary") == ["eek"]
    assert {each.get("@language") for each in note[AS + "content"]} == {None, "de"}
    assert {each["@type"][0] for each in note[AS + "tag"]} == {AS + "Hashtag"}
    (image,) = note[AS + "attachment"]
    assert image["@type"] == [AS + "Image"]
    assert values(image, TOOT + "blurhash") == [told.activity["object"]["attachment"][0]["blurhash"]]
    assert [each["@value"] for each in image[TOOT + "focalPoint"][0]["@list"]] == [0.5, -0.5]
    assert (values(image, AS + "width"), values(image, AS + "name")) == ([320], ["All teal"])
    policy = note[GTS + "interactionPolicy"][0][GTS + "canQuote"][0]
    assert values(policy, GTS + "automaticApproval") == [PUBLIC]

    actor = await one.peer.expand((await one.peer.fetch(one.me.uri))["document"])
    assert values(actor, TOOT + "featured") == [one.me.featured]
    assert values(actor, TOOT + "indexable") == [True]
    assert values(actor, "https://purl.archive.org/socialweb/webfinger#webfinger") == [one.me.acct]
    assert actor["https://w3id.org/security#assertionMethod"][0]["@type"] == ["https://w3id.org/security#Multikey"]


async def test_a_picture_and_a_warning(meeting: Meeting) -> None:
    await meeting.followed()
    told = await meeting.posted("Look", files=(File(upload=await picture(meeting), alt="All teal"),), warning="eek")
    note, image = told.object, told.object["attachment"]
    assert (note["sensitive"], note["summary"]) == (True, "eek")
    assert (image["type"], image["name"], image["width"], image["height"]) == ("Image", "All teal", 320, 200)
    response = await meeting.server.get(image["url"], "image/*")
    assert (response.status_code, response.headers["content-type"]) == (200, image["mediaType"])


async def test_an_article_and_a_poll(meeting: Meeting) -> None:
    await meeting.followed()
    draft = {"title": "On <things>", "summary": "In short.", "warning": "long", "language": "en"}
    told = await meeting.posted(
        "# One\n\nText with `code`.", hero=File(upload=await picture(meeting), alt="Hero"), **draft
    )
    article = told.object
    assert (article["type"], article["name"], article["sensitive"]) == ("Article", "On <things>", True)
    assert "<code>code</code>" in article["contentMap"]["en"]
    assert (article["summary"], article["image"]["name"]) == ("In short.", "Hero")
    assert (article["preview"]["type"], article["preview"]["summary"]) == ("Note", "long")
    expanded = (await meeting.peer.expand(told.activity))[AS + "object"][0]
    assert values(expanded, "http://purl.org/dc/terms/subject") == ["long"]

    told = await meeting.posted("Which?", poll=PollDraft(options=("Tea", "Coffee")))
    assert told.object["type"] == "Question"
    assert [each["name"] for each in told.object["oneOf"]] == ["Tea", "Coffee"]
    assert (told.object["votersCount"], bool(told.object["endTime"])) == (0, True)


async def test_who_may_see(meeting: Meeting) -> None:
    hidden = await meeting.publish("For followers", visibility=Visibility.FOLLOWERS)
    assert (await meeting.peer.lookup(hidden.uri))["type"] is None
    await meeting.followed()
    assert (await meeting.peer.lookup(hidden.uri))["understood"]["to"] == meeting.me.followers
    assert (await meeting.server.get(hidden.uri)).status_code == 404

    told = await meeting.posted("For followers too", visibility=Visibility.FOLLOWERS)
    assert (told.inbox, told.object["to"], "cc" in told.object) == ("/inbox", meeting.me.followers, False)
    assert told.object["interactionPolicy"]["canQuote"]["automaticApproval"] == meeting.me.uri
    told = await meeting.posted(f"{meeting.peer.handle} psst", visibility=Visibility.DIRECT)
    own = f"/users/{meeting.peer.username}/inbox"
    assert (told.inbox, told.object["to"], "cc" in told.object) == (own, meeting.peer.uri, False)
    assert told.object["tag"]["href"] == meeting.peer.uri
    told = await meeting.posted("Quietly", visibility=Visibility.UNLISTED)
    assert (told.object["to"], told.object["cc"]) == (meeting.me.followers, "as:Public")


async def test_edited_and_deleted(meeting: Meeting) -> None:
    await meeting.followed()
    told = await meeting.posted("Frist")
    post = await meeting.stored(told.object["id"])
    await prepared_actions.edit(meeting.server.site, meeting.me.id, post.id, Draft(source="First"))
    await meeting.server.settle()
    update = await meeting.told("Update")
    assert update.object["content"] == "<p>First</p>\n"
    assert update.object["updated"] >= update.object["published"]
    assert (await meeting.peer.state())["known"][post.uri]["content"] == "<p>First</p>\n"

    await meeting.do(post_actions.delete, post.id)
    delete = await meeting.told("Delete")
    assert (delete.object["type"], delete.object["id"]) == ("Tombstone", post.uri)
    assert post.uri not in (await meeting.peer.state())["known"]
    assert (await meeting.server.get(post.uri)).status_code == 410
    assert (await meeting.peer.lookup(post.uri))["type"] in (None, "Tombstone")


# --- what the peer writes ---


async def test_posts_of_the_peer(meeting: Meeting) -> None:
    await meeting.follow()
    files = [{"url": "https://old.fedi.test/a.png", "mediaType": "image/png", "name": "A"}]
    written = await meeting.wrote(
        "<p>Hello<script>x()</script></p>", summary="eek", sensitive=True, tags=["Cats"], attachments=files
    )
    assert (written.content, written.summary, written.sensitive) == ("<p>Hello</p>", "eek", True)
    assert (written.hashtags, written.attachments[0].alt) == (("Cats",), "A")
    assert written.visibility == Visibility.PUBLIC
    article = await meeting.wrote("<h2>One</h2>", type="Article", name="A title")
    assert (article.kind, article.title) == ("Article", "A title")
    private = await meeting.wrote("<p>Followers</p>", visibility="followers")
    direct = await meeting.wrote("<p>You</p>", visibility="direct", mention=[meeting.handle])
    assert (private.visibility, direct.visibility) == (Visibility.FOLLOWERS, Visibility.DIRECT)
    assert await meeting.server.read(posts.get, direct.id, meeting.me.id) is not None
    assert await meeting.server.read(posts.get, direct.id) is None
    stream = [item.post.uri for item in await meeting.server.read(home_of, meeting.me.id)]
    assert stream == [private.uri, article.uri, written.uri]
    assert await meeting.notices() == ["mention"]


async def test_emoji_of_the_peer(one: Meeting) -> None:
    await one.follow()
    uri = f"{one.peer.origin}/notes/emoji-{one.me.id}"
    icon = {"type": "Image", "url": f"{one.peer.origin}/blob.png"}
    note: Json = {"id": uri, "type": "Note", "attributedTo": one.peer.uri, "to": PUBLIC, "content": "<p>:blob:</p>"}
    note["tag"] = [{"type": "Emoji", "id": f"{one.peer.origin}/emoji/blob", "name": ":blob:", "icon": icon}]
    context = [CONTEXT, {"toot": TOOT, "Emoji": "toot:Emoji"}]
    await one.peer.send({"@context": context, "type": "Create", "to": PUBLIC, "object": note}, to=[one.handle])
    await one.heard("Create", uri)
    assert [(each.name, each.url) for each in (await one.stored(uri)).emoji] == [("blob", icon["url"])]


async def test_a_conversation(meeting: Meeting) -> None:
    """Comments and their answers, on a post and on its page, edited and deleted."""
    post = await meeting.publish("What do you think?", title="A question")
    first = await meeting.wrote("<p>Much</p>", reply_to=post.uri, mention=[meeting.handle])
    assert (first.parent, first.root) == (post.id, post.id)
    assert await meeting.notices() == ["reply"]
    assert "<p>Much</p>" in await meeting.page(post)

    answer = await meeting.publish("Tell me more", reply_to=first.id)
    told = await meeting.told("Create", meeting.server.site.urls.activity(answer.id))
    assert told.object["inReplyTo"] == first.uri
    assert meeting.peer.uri in (told.object["cc"], *told.object["cc"])
    assert told.object["tag"]["href"] == meeting.peer.uri
    assert told.object["context"] == post.context
    last = await meeting.wrote("<p>No more</p>", reply_to=answer.uri)
    assert (last.parent, last.root) == (answer.id, post.id)
    comments = await meeting.server.read(comments_of, post.id)
    assert [each.uri for each in comments] == [first.uri, answer.uri, last.uri]
    page = await meeting.page(post)
    assert page.index("Much") < page.index("Tell me more") < page.index("No more")
    assert (await meeting.peer.lookup(post.uri))["understood"]["replies"]["totalItems"] == 3  # all below it
    found = await meeting.peer.collection(f"{post.uri}/replies")
    assert ([each["id"] for each in found["items"]], found["total"]) == ([first.uri], 3)
    found = await meeting.peer.collection(post.context)
    assert [each["id"] for each in found["items"]] == [post.uri, first.uri, answer.uri, last.uri]

    await meeting.peer.edit(first.uri, content="<p>Little</p>")
    await meeting.heard("Update", first.uri)
    assert "<p>Little</p>" in await meeting.page(post)
    (revision,) = await meeting.server.read(post_writing.revisions, first.id)
    assert revision.content == "<p>Much</p>"
    await meeting.peer.delete(first.uri)
    await meeting.heard("Delete", first.uri)
    assert await meeting.server.post(first.uri) is None
    page = await meeting.page(post)
    assert "Little" not in page
    assert "No more" in page


async def test_a_thread_is_fetched_from_a_link(meeting: Meeting) -> None:
    """By the page's address, with what is above it, from a server that answers only to signatures."""
    above = await meeting.peer.post("<p>Above</p>")
    below = await meeting.peer.post("<p>Below</p>", reply_to=above["note"])
    number = below["note"].rpartition("/")[2]
    found = await prepared_actions.find(meeting.server.site, f"{meeting.peer.origin}/@{meeting.peer.username}/{number}")
    assert isinstance(found, Post)
    assert (found.uri, found.content) == (below["note"], "<p>Below</p>")
    assert found.parent == (await meeting.stored(above["note"])).id
    asked = [each for each in await meeting.peer.events() if each.get("path") == f"/notes/{number}"]
    assert (asked[-1]["status"], asked[-1]["signature"]["scheme"]) == (200, meeting.wish)


# --- reactions ---


async def test_likes_and_boosts_of_the_peer(meeting: Meeting) -> None:
    post = await meeting.publish("Nice?")

    async def totals() -> tuple[int, int]:
        found = await meeting.stored(post.uri)
        return found.like_total, found.boost_total

    await meeting.peer.like(post.uri)
    await meeting.heard("Like", post.uri)
    await meeting.peer.boost(post.uri)
    await meeting.heard("Announce", post.uri)
    assert await totals() == (1, 1)
    assert sorted(await meeting.notices()) == ["boost", "like"]
    assert (await meeting.peer.lookup(post.uri))["understood"]["shares"]["totalItems"] == 1
    before = len(meeting.server.book.entries)
    await meeting.peer.unlike(post.uri)
    await meeting.heard("Undo", after=before)
    before = len(meeting.server.book.entries)
    await meeting.peer.unboost(post.uri)
    await meeting.heard("Undo", after=before)
    assert await totals() == (0, 0)
    assert await meeting.notices() == []


async def test_our_likes_and_boosts(meeting: Meeting) -> None:
    await meeting.follow()
    post = await meeting.wrote("<p>Nice?</p>")
    for action, kind, undo, name in (
        (reaction_actions.like, "Like", reaction_actions.unlike, "likes"),
        (reaction_actions.boost, "Announce", reaction_actions.unboost, "boosts"),
    ):
        await meeting.do(action, post.id)
        told = await meeting.told(kind)
        assert told.understood["object"] == post.uri
        assert (await meeting.peer.state())[name][post.uri] == [meeting.me.uri]
        await meeting.do(undo, post.id)
        undone = await meeting.told("Undo", after=told.n)
        assert (undone.object["type"], undone.object["id"]) == (kind, told.understood["id"])
        assert (await meeting.peer.state())[name][post.uri] == []


async def test_votes(one: Meeting) -> None:
    await one.followed()
    await one.follow()
    ours = await one.publish("Which?", poll=PollDraft(options=("Tea", "Coffee")))
    ballot: Json = {"id": f"{one.peer.origin}/votes/{ours.id}", "type": "Note", "attributedTo": one.peer.uri}
    ballot |= {"name": "Tea", "inReplyTo": ours.uri, "to": one.me.uri}
    await one.peer.send({"@context": CONTEXT, "type": "Create", "to": one.me.uri, "object": ballot}, to=[one.handle])
    await one.heard("Create", ballot["id"])
    counted = await one.stored(ours.uri)
    assert counted.poll is not None
    assert [each.votes for each in counted.poll.options] == [1, 0]
    assert await one.server.read(comments_of, ours.id) == []

    options = [{"type": "Note", "name": name, "replies": {"type": "Collection", "totalItems": 0}} for name in "AB"]
    question: Json = {"id": f"{one.peer.origin}/polls/{ours.id}", "type": "Question", "attributedTo": one.peer.uri}
    question |= {"content": "Which?", "to": PUBLIC, "oneOf": options, "endTime": "2100-01-01T00:00:00Z"}
    await one.peer.send({"@context": CONTEXT, "type": "Create", "to": PUBLIC, "object": question}, to=[one.handle])
    await one.heard("Create", question["id"])
    theirs = await one.stored(question["id"])
    before = len(await one.peer.events())
    await one.do(reaction_actions.vote, theirs.id, ["B"])
    told = await one.told("Create", after=before)
    assert (told.object["name"], told.object["inReplyTo"], told.object["to"]) == ("B", theirs.uri, one.peer.uri)
    assert (told.inbox, "content" in told.object) == (f"/users/{one.peer.username}/inbox", False)


async def test_emoji_reactions(one: Meeting) -> None:
    post = await one.publish("Nice?")
    context = [CONTEXT, {"litepub": "http://litepub.social/ns#", "EmojiReact": "litepub:EmojiReact"}]
    react = {"@context": context, "type": "EmojiReact", "object": post.uri, "content": "\N{CAT}", "to": one.me.uri}
    await one.peer.send(react, to=[one.handle])
    await one.heard("EmojiReact", post.uri)
    (reaction,) = await one.server.read(reaction_lists.first_reactions, post.id)
    assert (reaction.kind, reaction.content, reaction.account.uri) == ("emoji", "\N{CAT}", one.peer.uri)


# --- people ---


async def test_a_report_and_a_block(one: Meeting) -> None:
    await one.followed()
    there = await one.follow()
    post = await one.publish("Rude")
    flag = {"@context": CONTEXT, "type": "Flag", "object": [one.me.uri, post.uri], "content": "Rude"}
    await one.peer.send(flag, to=[one.handle])
    await one.heard("Flag")
    (report,) = [each for each in await one.server.read(moderation.reports) if each.target.id == one.me.id]
    assert (report.content, report.posts) == ("Rude", (post.uri,))

    await one.peer.send({"@context": CONTEXT, "type": "Block", "object": one.me.uri}, to=[one.handle])
    await one.heard("Block", one.me.uri)
    relation = await one.server.read(relations.between, one.me.id, there.id)
    assert (relation.following, relation.followed_by) == (False, False)
    let_go = await one.told("Undo")  # so that neither keeps a follow that the other ended
    assert let_go.object["type"] == "Follow"

    await one.do(moderation_actions.block, there.id)
    assert (await one.told("Block")).understood["object"] == one.peer.uri
    await one.do(moderation_actions.unblock, there.id)
    assert (await one.told("Undo", after=let_go.n)).object["type"] == "Block"


async def test_profiles(meeting: Meeting) -> None:
    await meeting.followed()
    await meeting.follow()
    fields = (("Home", "https://ann.example"),)
    await meeting.do(
        wording.update_profile, ProfileChanges(name="Ann the Second", summary="I *am*.", fields=fields, bot=True)
    )
    me = (await meeting.told("Update")).object
    assert (me["type"], me["name"], me["summary"]) == ("Service", "Ann the Second", "<p>I <em>am</em>.</p>\n")
    assert (me["attachment"]["type"], me["attachment"]["name"]) == ("PropertyValue", "Home")
    assert (me["publicKey"]["id"], me["assertionMethod"][0]["type"]) == (f"{me['id']}#main-key", "Multikey")

    name = f"Renamed {meeting.me.id}"
    before = len(meeting.server.book.entries)
    await meeting.peer.profile(name=name, summary="<p>Bio</p>", fields=[["Home", "Here"]])
    await meeting.heard("Update", meeting.peer.uri, before)
    there = await meeting.server.account(meeting.peer.uri)
    assert (there.name, there.summary) == (name, "<p>Bio</p>")
    assert [(each.name, each.value) for each in there.fields] == [("Home", "Here")]


async def test_lookups(meeting: Meeting) -> None:
    await meeting.followed()
    await meeting.follow()
    me = meeting.me
    for what in (meeting.handle, me.uri, me.url):
        found = await meeting.peer.lookup(what)
        assert (found["type"], found["id"]) == ("Person", me.uri)
        assert found["webfinger"]["subject"] == f"acct:{me.acct}"
    assert found["understood"]["endpoints"]["sharedInbox"] == f"{meeting.server.origin}/inbox"
    written = [await meeting.publish(f"Number {n}") for n in range(21)]
    assert (await meeting.peer.lookup(written[0].url))["id"] == written[0].uri
    assert (await meeting.peer.lookup(meeting.server.site.urls.activity(written[0].id)))["type"] == "Create"
    outbox = await meeting.peer.collection(me.outbox)
    assert outbox["total"] == 21
    assert [each["id"] for each in outbox["items"]] == [
        meeting.server.site.urls.activity(each.id) for each in reversed(written)
    ]
    for uri, total in ((me.followers, 1), (me.following, 1), (me.featured, 0)):
        found = await meeting.peer.collection(uri)
        assert (found["type"], found["total"]) == ("OrderedCollection", total)
    await meeting.do(post_actions.pin, written[3].id)
    assert (await meeting.told("Add")).understood["target"] == me.featured
    assert [each["id"] for each in (await meeting.peer.collection(me.featured))["items"]] == [written[3].uri]
    thread = await meeting.peer.collection(written[3].context)
    assert [each["id"] for each in thread["items"]] == [written[3].uri]


async def test_nodeinfo_and_the_servers_own_actor(one: Meeting) -> None:
    told = await one.peer.nodeinfo(one.server.origin)
    assert (told["document"]["version"], told["understood"]["software"]["name"]) == ("2.1", "fediblog")
    assert told["understood"]["protocols"] == ["activitypub"]
    assert (await one.peer.lookup(f"{one.server.origin}/actor"))["type"] == "Application"


async def test_we_move(one: Meeting) -> None:
    await one.followed()
    await one.peer.profile(aliases=[one.me.uri])
    await prepared_actions.move(one.server.site, one.me.id, one.peer.handle)
    await one.server.settle()
    told = await one.told("Move")
    assert (told.understood["object"], told.understood["target"]) == (one.me.uri, one.peer.uri)
    assert (await one.told("Update")).object["movedTo"] == one.peer.uri
    await one.peer.profile(aliases=[])


async def test_an_account_of_ours_is_deleted(meeting: Meeting) -> None:
    await meeting.followed()
    told = await meeting.posted("Farewell")
    await meeting.do(account_actions.delete_account)
    assert (await meeting.told("Delete")).understood["object"] == meeting.me.uri
    assert (await meeting.peer.lookup(meeting.me.uri))["type"] in (None, "Tombstone")
    assert (await meeting.server.get(meeting.me.uri)).status_code == 410
    assert (await meeting.server.get(told.object["id"])).status_code == 410


# --- signatures ---


async def test_signed_requests_only(guarded: Meeting) -> None:
    """Fedify signs the path of a GET without its query in one scheme, and with it in the other."""
    posted = [await guarded.publish(f"Number {n}") for n in range(21)]
    for uri in (posted[0].uri, guarded.me.outbox, f"{posted[0].uri}/replies", guarded.me.followers):
        assert (await guarded.server.get(uri)).status_code == 401
    found = await guarded.peer.lookup(guarded.handle)
    assert found["id"] == guarded.me.uri
    assert (await guarded.peer.lookup(posted[0].uri))["type"] == "Note"
    assert len((await guarded.peer.collection(guarded.me.outbox))["items"]) == 21
    asked = [each for each in guarded.server.book.entries if each.target.startswith(f"/a/{guarded.me.id}/outbox?")]
    assert {(each.status, each.scheme) for each in asked} == {(200, guarded.knock)}
    assert (await guarded.server.get(guarded.me.uri)).status_code == 200  # the key, without which nobody can sign


async def test_between_two_that_answer_signed_requests_only(guarded: Meeting) -> None:
    await guarded.followed()
    await guarded.follow()
    # On a server where nothing was refused to it, the peer has no reason to sign otherwise than it tries first.
    assert {(await guarded.heard(kind)).scheme for kind in ("Follow", "Accept")} == {guarded.knock}
    told = await guarded.posted(f"Hello {guarded.peer.handle}")
    answer = await guarded.wrote("<p>Hello</p>", reply_to=told.object["id"])
    assert answer.parent == (await guarded.stored(told.object["id"])).id


async def test_a_peer_that_changes_its_mind_about_signatures(lab: Lab) -> None:
    """What was learned about a host does not bind for ever: the second knock goes in either direction."""
    meeting = await meet(lab.open, lab, "both")
    await meeting.followed()
    schemes = []
    try:
        for refused in (DRAFT, RFC9421, DRAFT):
            await meeting.peer.refuse(refused)
            post = await meeting.publish(f"Not in {refused}, please")
            event = await meeting.peer.wait(
                "received", "Create", id=meeting.server.site.urls.activity(post.id), status=202
            )
            schemes.append((event["signature"]["http"]["scheme"], event["signature"]["http"]["verified"]))
    finally:
        await meeting.peer.refuse(RFC9421)
        await meeting.publish("As before")
        await meeting.peer.refuse(None)
    assert schemes == [(RFC9421, True), (DRAFT, True), (RFC9421, True)]


# --- a peer that decides, and leaves ---


async def test_a_peer_that_decides_and_leaves(lab: Lab) -> None:
    meeting = await meet(lab.open, lab, "careful")
    there = await prepared_actions.follow(meeting.server.site, meeting.me.id, meeting.peer.handle)
    await meeting.server.settle()
    await meeting.told("Follow")
    assert (await meeting.server.read(relations.between, meeting.me.id, there.id)).requested
    await meeting.peer.reject(meeting.me.uri)
    await meeting.heard("Reject")
    assert not (await meeting.server.read(relations.between, meeting.me.id, there.id)).requested
    await prepared_actions.follow(meeting.server.site, meeting.me.id, meeting.peer.handle)
    await meeting.server.settle()
    await meeting.peer.wait("handled", "Follow", after=len(await meeting.peer.events()) - 1)
    await meeting.peer.accept(meeting.me.uri)
    await meeting.heard("Accept")
    assert (await meeting.server.read(relations.between, meeting.me.id, there.id)).following

    written = await meeting.wrote("<p>Farewell</p>")
    await meeting.peer.leave()
    await meeting.heard("Delete", meeting.peer.uri)
    assert await meeting.server.post(written.uri) is None
    assert (await meeting.server.account(meeting.peer.uri)).state == "deleted"
