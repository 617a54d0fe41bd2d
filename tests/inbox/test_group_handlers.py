"""What forums pass on through their groups: votes, deletes and answers, as NodeBB and PieFed send them."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import pytest

from fediblog.domain.documents import PUBLIC
from fediblog.domain.posts import Post
from fediblog.federation.lookups import resolve, thread_completion
from fediblog.mastodon.entities.status_entity import content
from fediblog.store.posts import posts
from tests.federation.stranger import Home, Person
from tests.store.makers import home_of

Json = dict[str, Any]
Pass = Callable[..., Awaitable[None]]
FORUM = "forum.test"


@pytest.fixture
def group(at_home: Home) -> Person:
    return Person(at_home.web, FORUM, "cats", {"type": "Group"})


@pytest.fixture
def member(at_home: Home) -> Person:
    return Person(at_home.web, FORUM, "mia")


@pytest.fixture
def pass_on(at_home: Home, group: Person) -> Pass:
    """The group passes an activity on."""
    count = iter(range(1, 99))

    async def action(inner: Json, by: Person = group) -> None:
        told = by.does("Announce", inner, next(count), to=[PUBLIC], cc=[f"{by.uri}/followers"])
        assert (await at_home.send(by, told)).status == 202
        await at_home.work()

    return action


async def kinds(at_home: Home) -> list[Any]:
    return await at_home.ask("select r.kind, a.handle from reaction r join account a on a.id = r.account")


@pytest.mark.parametrize("served", ["404", "a page", "the post"])
async def test_what_a_group_is_believed(
    at_home: Home, group: Person, member: Person, pass_on: Pass, served: str
) -> None:
    """Votes, taking them back, and a Delete by the author, though the ids of all these serve something else."""
    await at_home.follows(group)
    page = member.note(type="Page", name="News")
    await pass_on(member.creates(page))
    like, dislike = member.does("Like", page["id"]), member.does("Dislike", page["id"])
    undo, delete = member.does("Undo", like), member.does("Delete", page["id"])
    for each in (like, dislike, undo, delete):
        if served == "a page":
            at_home.web.put(each["id"], "<html>", kind="text/html")
        elif served == "the post":
            at_home.web.put(each["id"], page)
    await pass_on(like)
    assert await kinds(at_home) == [("like", "mia")]
    await pass_on(undo)
    assert await kinds(at_home) == []
    await pass_on(dislike)
    assert await kinds(at_home) == [("dislike", "mia")]
    await pass_on(delete)
    assert await at_home.count("post") == 0


@pytest.mark.parametrize("what", ["person", "other author", "other origin", "other id", "create", "update", "emoji"])
async def test_what_a_group_is_never_believed(
    at_home: Home, group: Person, member: Person, pass_on: Pass, what: str
) -> None:
    """A signer that is no group, somebody else's post, people and ids of another origin, and whatever brings words."""
    await at_home.follows(group)
    page = member.note(type="Page", name="News")
    await pass_on(member.creates(page))
    ours = await at_home.writes()
    stranger, neighbour = Person(at_home.web, "else.test", "eve"), Person(at_home.web, FORUM, "ned")
    mallory = Person(at_home.web, FORUM, "mallory")  # a Person
    if what == "person":
        await at_home.follows(mallory)
        await pass_on(member.does("Like", ours.uri), mallory)
        await pass_on(member.does("Delete", page["id"]), mallory)
    elif what == "other author":
        await pass_on(neighbour.does("Delete", page["id"]))
    elif what == "other origin":
        await pass_on(stranger.does("Like", ours.uri))
        await pass_on({**member.does("Delete", page["id"]), "actor": stranger.uri})
    elif what == "other id":
        await pass_on({**member.does("Like", ours.uri), "id": "https://else.test/x/1"})
        await pass_on({**member.does("Delete", page["id"]), "id": "https://else.test/x/2"})
    elif what == "create":
        hidden = {**page, "id": f"https://{FORUM}/n/none", "content": "forged"}
        await pass_on(member.creates(hidden, 2))
    elif what == "update":
        await pass_on(member.does("Update", {**page, "content": "forged", "updated": "2025-06-02T10:00:00Z"}))
    else:
        await pass_on(member.does("EmojiReact", ours.uri, content="🐈"))
    assert await kinds(at_home) == []
    found = await at_home.site.db.read(posts.by_uri, page["id"])
    assert found is not None
    assert found.content == "<p>note 1</p>"
    assert await at_home.count("post") == 2


async def test_a_tombstone_with_200_is_gone(at_home: Home, group: Person, pass_on: Pass) -> None:
    await at_home.follows(group)
    carol = Person(at_home.web, "carol.test", "carol")
    page = carol.note(type="Page", name="News")
    await pass_on(carol.creates(page))
    at_home.web.put(page["id"], {"id": page["id"], "type": "Tombstone"})
    await pass_on(carol.does("Delete", page["id"]))
    assert await at_home.count("post") == 0


async def test_an_answer_through_a_group_is_told_to_whom_it_answers_or_names(
    at_home: Home, group: Person, member: Person, pass_on: Pass
) -> None:
    await at_home.follows(group)
    ours = await at_home.writes()
    await pass_on(member.creates(member.note(1, inReplyTo=ours.uri)))
    tag = {"type": "Mention", "href": at_home.alice.uri, "name": "@alice@home.test"}
    await pass_on(member.creates(member.note(2, tag=[tag], cc=[at_home.alice.uri]), 2))
    assert await at_home.notices() == [("reply", "mia"), ("mention", "mia")]
    home = await at_home.site.db.read(home_of, at_home.alice.id)
    assert [item.post.uri for item in home if item.booster is None and not item.post.local] == []
    note = member.note(1, inReplyTo=ours.uri, content="<p>new</p>", updated="2025-06-02T10:00:00Z")
    await pass_on(member.does("Update", note))
    assert len(await at_home.notices()) == 2


async def test_answers_do_not_repeat_the_title_of_the_topic(
    at_home: Home, group: Person, member: Person, pass_on: Pass
) -> None:
    await at_home.follows(group)
    root = member.note(1, type="Article", name="Why?")
    await pass_on(member.creates(root))
    answers = [member.note(2, name="Why?", inReplyTo=root["id"])]
    answers.append(member.note(3, name="Re: Why?", inReplyTo=answers[0]["id"]))
    for number, answer in enumerate(answers, 2):
        await pass_on(member.creates(answer, number))
        await pass_on(member.does("Update", answer, number))
        found = await at_home.site.db.read(posts.by_uri, answer["id"])
        assert found is not None
        assert (found.title, content(found, at_home.site.urls)) == ("", f"<p>note {number}</p>")
        member.note(number, **{key: answer[key] for key in ("name", "inReplyTo")}, updated="2025-06-02T10:00:00Z")


@pytest.mark.parametrize("kind", ["Page", "Article", "Event"])
async def test_apps_get_the_beginning_of_what_has_a_title_and_no_abstract(
    at_home: Home, member: Person, kind: str
) -> None:
    await at_home.follows(member)
    for number, more in enumerate(({}, {"dcterms:subject": "Spiders"}, {"summary": "<p>Short</p>"})):
        note = member.note(number, type=kind, name="News", content="<p>One & <b>two</b></p>", **more)
        await at_home.send(member, member.creates(note, number))
        found = await at_home.site.db.read(posts.by_uri, note["id"])
        assert isinstance(found, Post)
        assert ("<p>One &amp; two</p>" in content(found, at_home.site.urls)) is (number == 0)


async def test_a_thread_is_found_by_the_address_of_its_topic(at_home: Home, member: Person) -> None:
    root = member.note(1, type="Article", name="Why?")
    answer = member.note(2, inReplyTo=root["id"])
    topic = f"https://{FORUM}/topic/7"
    items = ["103076", answer["id"], root["id"]]
    at_home.web.put(topic, {"id": topic, "type": "OrderedCollection", "orderedItems": items})
    found = await resolve.anything(at_home.site, topic)
    assert isinstance(found, Post)
    assert found.uri == root["id"]


@pytest.mark.parametrize("order", [(2, 3, 1), (3, 2, 1), (3, 1, 2), (1, 3, 2)])
async def test_nor_do_answers_that_come_before_what_they_answer(
    at_home: Home, group: Person, member: Person, pass_on: Pass, order: tuple[int, ...]
) -> None:
    """Whichever comes first, and also where an earlier one is fetched to complete the thread; own titles stay."""
    await at_home.follows(group)
    notes = {1: member.note(1, type="Article", name="Why?")}
    notes[2] = member.note(2, name="Why?", inReplyTo=notes[1]["id"])
    notes[3] = member.note(3, name="Re: Why?", inReplyTo=notes[2]["id"])
    notes[4] = member.note(4, name="Because", inReplyTo=notes[3]["id"])
    for number in (4, *order):
        note = notes[number]
        await at_home.send(member, member.creates({**note, "cc": [at_home.alice.uri]}, number))
    found = {row[0]: row[1] for row in await at_home.ask("select uri, title from post")}
    assert found == {notes[1]["id"]: "Why?", notes[2]["id"]: "", notes[3]["id"]: "", notes[4]["id"]: "Because"}


async def test_nor_where_the_topic_is_fetched_later(at_home: Home, group: Person, member: Person) -> None:
    root = member.note(1, type="Article", name="Why?")
    answer = member.note(2, name="Re: Why?", inReplyTo=root["id"])
    await at_home.follows(member)
    await at_home.send(member, member.creates(answer))
    [(number,)] = await at_home.ask("select id from post")
    await thread_completion.complete(at_home.site, number)
    assert {row[0] for row in await at_home.ask("select title from post")} == {"Why?", ""}
