"""Posts of others: which are kept, what becomes of them, who is told."""

from __future__ import annotations

from typing import Any

import pytest

from fediblog.actions.drafts import PollDraft
from fediblog.domain.documents import PUBLIC, Visibility
from fediblog.domain.posts import WITHHELD, Post
from fediblog.federation.inbound import receive
from fediblog.store.people import relations
from fediblog.store.posts import post_writing, posts, reactions, threads
from tests.federation.stranger import Home, Person
from tests.store.makers import home_of


async def stored(home: Home, note: dict[str, Any]) -> Post | None:
    return await home.site.db.read(posts.by_uri, str(note["id"]))


async def kept(home: Home, note: dict[str, Any]) -> Post:
    found = await stored(home, note)
    assert found is not None
    return found


def mention(home: Home) -> dict[str, Any]:
    return {"type": "Mention", "href": home.alice.uri, "name": "@alice@home.test"}


async def test_a_post_by_somebody_followed_comes_into_the_stream(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    note = bob.note(content='<p onclick="x()">Hi <script>evil()</script><a href="javascript:x">there</a></p>')
    assert (await at_home.send(bob, bob.creates(note))).status == 202
    post = await kept(at_home, note)
    assert "onclick" not in post.content
    assert "evil" not in post.content
    assert "javascript" not in post.content
    assert post.visibility == Visibility.PUBLIC
    items = await at_home.site.db.read(home_of, at_home.alice.id)
    assert [item.post.uri for item in items] == [note["id"]]


async def test_a_post_that_concerns_nobody_here_is_dropped(at_home: Home, bob: Person) -> None:
    await at_home.know(bob)
    before = len(at_home.web.asked)
    note = bob.note()
    assert (await at_home.send(bob, bob.creates(note))).status == 202
    assert await stored(at_home, note) is None
    assert len(at_home.web.asked) == before
    assert await at_home.count("incoming") == 0


async def test_ten_copies_make_one_post_and_one_notice(at_home: Home, bob: Person) -> None:
    note = bob.note(tag=mention(at_home), cc=[at_home.alice.uri])
    for _ in range(10):
        assert (await at_home.send(bob, bob.creates(note))).status == 202
    assert await at_home.count("post") == 1
    assert await at_home.notices() == [("mention", "bob")]


async def test_an_answer_to_ours_is_kept_and_told(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    note = bob.note(inReplyTo=post.uri, tag=[mention(at_home)], cc=[at_home.alice.uri])
    await at_home.send(bob, bob.creates(note))
    answer = await kept(at_home, note)
    assert (answer.parent, answer.root) == (post.id, post.id)
    assert await at_home.notices() == [("reply", "bob")]


async def test_an_answer_deeper_in_a_thread_of_ours_is_kept(at_home: Home, bob: Person, carol: Person) -> None:
    post = await at_home.writes()
    first = bob.note(inReplyTo=post.uri)
    second = carol.note(inReplyTo=first["id"])
    await at_home.send(bob, bob.creates(first))
    await at_home.send(carol, carol.creates(second))
    assert (await kept(at_home, second)).root == post.id


async def test_an_answer_to_what_its_author_cannot_see_is_dropped(at_home: Home, bob: Person) -> None:
    post = await at_home.writes(visibility=Visibility.FOLLOWERS)
    note = bob.note(inReplyTo=post.uri)
    await at_home.send(bob, bob.creates(note))
    assert await stored(at_home, note) is None


async def test_whom_we_block_does_not_answer_us(at_home: Home, bob: Person) -> None:
    account = await at_home.know(bob)
    post = await at_home.writes()
    await at_home.site.db.write(relations.block, at_home.alice.id, account.id, "https://home.test/x/1")
    note = bob.note(inReplyTo=post.uri, tag=[mention(at_home)], cc=[at_home.alice.uri])
    await at_home.send(bob, bob.creates(note))
    assert await stored(at_home, note) is None
    assert await at_home.notices() == []


@pytest.mark.parametrize(
    ("to", "cc", "visibility"),
    [
        (["as:Public"], [], "public"),
        ("Public", None, "public"),
        (["{followers}"], [PUBLIC], "unlisted"),
        (["{followers}", "{alice}"], [], "followers"),
        (["{alice}"], [], "direct"),
    ],
)
async def test_whom_a_post_is_for(at_home: Home, bob: Person, to: Any, cc: Any, visibility: str) -> None:
    await at_home.follows(bob)

    def filled(value: Any) -> Any:
        names = {"{followers}": f"{bob.uri}/followers", "{alice}": at_home.alice.uri}
        return [names.get(each, each) for each in value] if isinstance(value, list) else value

    note = bob.note(to=filled(to), cc=filled(cc))
    await at_home.send(bob, bob.creates(note))
    assert (await kept(at_home, note)).visibility.value == visibility


async def test_a_direct_post_is_seen_by_whom_it_is_for(at_home: Home, bob: Person) -> None:
    note = bob.note(to=[at_home.alice.uri], cc=[], tag=[mention(at_home)])
    await at_home.send(bob, bob.creates(note))
    post = await kept(at_home, note)
    assert await at_home.site.db.read(posts.get, post.id, at_home.alice.id) is not None
    assert await at_home.site.db.read(posts.get, post.id) is None
    assert await at_home.notices() == [("mention", "bob")]


@pytest.mark.parametrize("at_once", [64, 0])
async def test_a_blind_copy_is_seen_by_whose_inbox_it_came_to(
    at_home: Home, bob: Person, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receive, "AT_ONCE", at_once)
    note = bob.note(to=[], cc=[])
    await at_home.send(bob, bob.creates(note), inbox=f"/a/{at_home.alice.id}/inbox", inbox_owner=at_home.alice.id)
    await at_home.work()
    post = await kept(at_home, note)
    assert post.visibility == Visibility.DIRECT
    assert await at_home.site.db.read(posts.get, post.id, at_home.alice.id) is not None


async def test_addressed_without_being_named_is_no_notice(at_home: Home, bob: Person) -> None:
    note = bob.note(cc=[at_home.alice.uri])
    await at_home.send(bob, bob.creates(note))
    assert at_home.alice.id in (await kept(at_home, note)).addressed
    assert await at_home.notices() == []


async def test_markdown_and_plain_text_become_html(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    marked = bob.note(1, content="**bold** <b>x</b>", mediaType="text/markdown")
    bare = bob.note(2, content="a < b", mediaType="text/plain")
    await at_home.send(bob, bob.creates(marked, 1))
    await at_home.send(bob, bob.creates(bare, 2))
    assert "<strong>bold</strong>" in (await kept(at_home, marked)).content
    assert "a &lt; b" in (await kept(at_home, bare)).content


@pytest.mark.parametrize("kind", ["Note", "Article", "Page", "Question", "Video", "Audio", "Image", "Event"])
async def test_every_kind_of_post_is_kept(at_home: Home, bob: Person, kind: str) -> None:
    await at_home.follows(bob)
    note = bob.note(type=kind, name="A title", summary="<p>short</p>", oneOf=[{"type": "Note", "name": "yes"}])
    await at_home.send(bob, bob.creates(note))
    post = await kept(at_home, note)
    assert post.kind == kind
    assert post.title == "A title"
    assert (post.poll is not None) == (kind == "Question")
    assert post.summary == ("short" if kind in ("Note", "Question") else "<p>short</p>")


async def test_an_update_replaces_the_words_and_keeps_the_old(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    note = bob.note()
    await at_home.send(bob, bob.creates(note))
    later = {**note, "content": "<p>new</p>", "updated": "2025-06-01T11:00:00Z"}
    await at_home.send(bob, bob.does("Update", later))
    post = await kept(at_home, note)
    assert post.content == "<p>new</p>"
    assert [each.content for each in await at_home.site.db.read(post_writing.revisions, post.id)] == ["<p>note 1</p>"]
    older = {**note, "content": "<p>old</p>", "updated": "2025-06-01T10:30:00Z"}
    await at_home.send(bob, bob.does("Update", older, 2))
    await at_home.send(bob, bob.does("Update", {**later, "content": "<p>same time</p>"}, 3))
    assert (await kept(at_home, note)).content == "<p>new</p>"


@pytest.mark.parametrize("state", sorted(WITHHELD))
async def test_an_edit_publishes_nothing_that_is_withheld(at_home: Home, bob: Person, state: str) -> None:
    await at_home.follows(bob)
    note = bob.note()
    await at_home.send(bob, bob.creates(note))
    number = (await kept(at_home, note)).id
    await at_home.site.db.write(lambda tx: tx.run("update post set state = :s where id = :id", s=state, id=number))
    told = await at_home.ask("select id from notice")
    changed = {**note, "content": "<p>new</p>", "updated": "2025-06-01T11:00:00Z", "to": [PUBLIC, at_home.alice.uri]}
    changed["tag"] = [mention(at_home)]
    await at_home.send(bob, bob.does("Update", changed))
    post = await kept(at_home, note)
    assert (post.content, post.state) == ("<p>new</p>", state)
    assert await at_home.ask("select id from notice") == told
    assert await at_home.site.db.read(posts.get, post.id, at_home.alice.id) is None
    await at_home.send(bob, bob.does("Delete", note["id"]))
    assert await stored(at_home, note) is None
    await at_home.send(bob, bob.creates(note, 2))
    assert await stored(at_home, note) is None


async def test_an_update_with_an_id_that_was_seen_counts(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    poll = bob.note(type="Question", oneOf=[{"type": "Note", "name": "yes"}])
    await at_home.send(bob, bob.creates(poll))
    for votes in (1, 2):
        option = {"type": "Note", "name": "yes", "replies": {"type": "Collection", "totalItems": votes}}
        await at_home.send(bob, bob.does("Update", {**poll, "oneOf": [option]}))
        found = (await kept(at_home, poll)).poll
        assert found is not None
        assert found.options[0].votes == votes


async def test_an_update_far_in_the_future_is_not_the_last(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    note = bob.note()
    await at_home.send(bob, bob.creates(note))
    await at_home.send(bob, bob.does("Update", {**note, "content": "a", "updated": "9999-01-01T00:00:00Z"}, 1))
    at_home.clock.forward(hours=1)
    await at_home.send(bob, bob.does("Update", {**note, "content": "b", "updated": "9999-01-01T00:00:00Z"}, 2))
    assert (await kept(at_home, note)).content == "b"


async def test_a_date_in_the_future_is_now(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    note = bob.note(published="2999-01-01T00:00:00Z")
    await at_home.send(bob, bob.creates(note))
    assert (await kept(at_home, note)).published == at_home.clock.now


@pytest.mark.parametrize("shape", ["id", "tombstone", "whole"])
async def test_a_deleted_post_does_not_come_back(at_home: Home, bob: Person, shape: str) -> None:
    await at_home.follows(bob)
    note = bob.note()
    await at_home.send(bob, bob.creates(note))
    thing = {"id": note["id"], "tombstone": {"type": "Tombstone", "id": note["id"]}, "whole": note}[shape]
    assert (await at_home.send(bob, bob.does("Delete", thing))).status == 202
    assert await stored(at_home, note) is None
    await at_home.send(bob, bob.creates(note, 2))
    assert await stored(at_home, note) is None


async def test_a_delete_before_its_create_wins(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    note = bob.note()
    await at_home.send(bob, bob.does("Delete", note["id"]))
    await at_home.send(bob, bob.creates(note))
    await at_home.send(bob, bob.creates(note, 2))
    assert await stored(at_home, note) is None


async def test_a_vote_is_counted_once_and_is_no_post(at_home: Home, bob: Person) -> None:
    poll = await at_home.writes(poll=PollDraft(options=("red", "blue")))

    def ballot(choice: str, number: int) -> dict[str, Any]:
        note = bob.note(f"vote-{number}", to=[at_home.alice.uri], cc=[], inReplyTo=poll.uri, name=choice)
        del note["content"]
        return bob.creates(note, number)

    await at_home.send(bob, ballot("red", 1))
    await at_home.send(bob, ballot("red", 2))
    await at_home.send(bob, ballot("blue", 3))
    await at_home.send(bob, ballot("green", 4))
    post = await at_home.site.db.read(posts.stored, poll.id)
    assert post is not None
    assert post.poll is not None
    assert [(each.name, each.votes) for each in post.poll.options] == [("red", 1), ("blue", 0)]
    assert post.poll.voters == 1
    assert await at_home.count("post") == 1
    assert ("send-counts", str(poll.id)) in await at_home.ask("select kind, subject from job")


async def test_a_vote_after_the_end_does_not_count(at_home: Home, bob: Person) -> None:
    poll = await at_home.writes(poll=PollDraft(options=("red", "blue"), seconds=300))
    at_home.clock.forward(minutes=6)
    note = bob.note("vote", to=[at_home.alice.uri], cc=[], inReplyTo=poll.uri, name="red", content="")
    await at_home.send(bob, bob.creates(note))
    assert await at_home.count("poll_vote") == 0


@pytest.mark.parametrize("content", [None, "", "<br>", "<p>red</p>", "I take red"])
async def test_a_note_named_like_an_option_of_our_poll_is_a_vote_whatever_else_it_says(
    at_home: Home, bob: Person, content: str | None
) -> None:
    poll = await at_home.writes(poll=PollDraft(options=("red", "blue")))
    note = bob.note("vote", to=[at_home.alice.uri], cc=[], inReplyTo=poll.uri, name="red", content=content)
    await at_home.send(bob, bob.creates(note))
    await at_home.send(bob, bob.does("Announce", note["id"], to=[PUBLIC]))  # nor does it come in by another way
    await at_home.work()
    assert await at_home.ask("select choice from poll_vote") == [("red",)]
    assert await at_home.count("post") == 1
    assert await at_home.notices() == []


async def test_a_note_with_any_other_name_is_an_answer(at_home: Home, bob: Person) -> None:
    poll = await at_home.writes(poll=PollDraft(options=("red", "blue")))
    plain = await at_home.writes()
    for number, above in enumerate((poll, plain)):
        await at_home.send(bob, bob.creates(bob.note(number, inReplyTo=above.uri, name="green"), number))
    assert await at_home.count("poll_vote") == 0
    assert await at_home.ask("select title, content from post where local = 0 order by content") == [
        ("green", "<p>note 0</p>"),
        ("green", "<p>note 1</p>"),
    ]
    assert await at_home.notices() == [("reply", "bob"), ("reply", "bob")]


async def test_votes_sent_together_all_count(at_home: Home, bob: Person) -> None:
    poll = await at_home.writes(poll=PollDraft(options=("red", "blue", "green"), multiple=True))
    ballots = [
        {
            "id": f"{bob.uri}#votes/{number}",
            "type": "Note",
            "attributedTo": bob.uri,
            "to": at_home.alice.uri,
            "inReplyTo": poll.uri,
            "name": name,
        }
        for number, name in enumerate(("red", "green", "violet"))
    ]
    await at_home.send(bob, bob.does("Create", ballots, to=[at_home.alice.uri]))
    assert await at_home.ask("select choice from poll_vote order by choice") == [("green",), ("red",)]
    assert await at_home.count("post") == 1


async def test_a_vote_in_a_poll_that_is_gone_is_no_private_message(at_home: Home, bob: Person) -> None:
    gone = f"{at_home.site.urls.origin}/p/1"
    note = bob.note("vote", to=[at_home.alice.uri], cc=[], inReplyTo=gone, name="red", content=None)
    await at_home.send(bob, bob.creates(note))
    assert await at_home.count("post") == 0


@pytest.mark.parametrize("edited", [False, True])
@pytest.mark.parametrize(
    ("change", "stays"),
    [
        ({}, True),
        ({"votersCount": 7}, True),
        ({"endTime": "2030-01-01T00:00:00Z"}, True),
        ({"closed": "2025-06-02T00:00:00Z"}, True),
        ({"oneOf": [{"type": "Note", "name": name, "replies": {"totalItems": 3}} for name in ("yes", "no")]}, True),
        ({"oneOf": [{"type": "Note", "name": name} for name in ("no", "yes")]}, False),
        ({"oneOf": [{"type": "Note", "name": name} for name in ("yes", "perhaps")]}, False),
        ({"oneOf": [{"type": "Note", "name": name} for name in ("yes", "no", "perhaps")]}, False),
        ({"oneOf": None, "anyOf": [{"type": "Note", "name": name} for name in ("yes", "no")]}, False),
    ],
)
async def test_votes_go_only_with_the_answers_that_they_were_for(
    at_home: Home, bob: Person, change: dict[str, Any], stays: bool, edited: bool
) -> None:
    await at_home.follows(bob)
    asked = bob.note(type="Question", oneOf=[{"type": "Note", "name": "yes"}, {"type": "Note", "name": "no"}])
    await at_home.send(bob, bob.creates(asked))
    post = await kept(at_home, asked)
    await at_home.site.db.write(reactions.vote, at_home.alice.id, post.id, "yes", "https://home.test/x/1#vote")
    later = {"updated": "2025-06-01T11:00:00Z"} if edited else {}
    await at_home.send(bob, bob.does("Update", {**asked, **change, **later}))
    assert await at_home.count("poll_vote") == int(stays)
    assert (await at_home.site.db.read(posts.many, [post.id], at_home.alice.id))[post.id].voted is stays


async def test_a_post_sent_as_an_id_is_fetched_by_the_worker(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    note = bob.note()
    assert (await at_home.send(bob, bob.does("Create", note["id"]))).status == 202
    assert await stored(at_home, note) is None
    await at_home.work()
    assert (await kept(at_home, note)).content == "<p>note 1</p>"
    assert await at_home.count("incoming") == 0


async def test_a_post_whose_parent_is_unknown_has_its_thread_fetched(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    note = bob.note(inReplyTo="https://else.test/1")
    await at_home.send(bob, bob.creates(note))
    assert ("thread", str((await kept(at_home, note)).id)) in await at_home.ask("select kind, subject from job")


def counted(replies: int, likes: int, shares: int) -> dict[str, Any]:
    """Totals as they stand in a post."""
    given = {"replies": replies, "likes": likes, "shares": shares}
    return {name: {"type": "Collection", "totalItems": total} for name, total in given.items()}


async def test_the_totals_of_the_origin_are_shown_where_more_is_known_there(at_home: Home, bob: Person) -> None:
    account = await at_home.follows(bob)
    note = bob.note(**counted(7, 12, 3))
    await at_home.send(bob, bob.creates(note))
    post = await kept(at_home, note)
    assert (post.comments, post.like_total, post.boost_total) == (7, 12, 3)
    await at_home.send(bob, bob.does("Update", {**note, **counted(0, 13, 3)}, to=[PUBLIC]))
    post = await kept(at_home, note)
    assert (post.comments, post.like_total, post.boost_total) == (0, 13, 3)
    await at_home.site.db.write(reactions.react, at_home.alice.id, post.id, "https://home.test/x/1")
    assert (await kept(at_home, note)).like_total == 13
    await at_home.send(bob, bob.does("Update", {**note, **counted(0, 0, 0)}, to=[PUBLIC]))  # under the same id
    post = await kept(at_home, note)
    assert (post.comments, post.like_total, post.boost_total) == (0, 1, 0), "what is counted here stays"
    assert post.account.id == account.id


async def test_an_edit_without_totals_keeps_those_that_were_told(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    note = bob.note(**counted(7, 12, 3))
    await at_home.send(bob, bob.creates(note))
    plain = {name: value for name, value in note.items() if name not in counted(0, 0, 0)}
    edited = {**plain, "content": "<p>new</p>", "updated": "2025-06-02T10:00:00Z"}
    await at_home.send(bob, bob.does("Update", edited, to=[PUBLIC]))
    post = await kept(at_home, note)
    assert (post.content, post.comments, post.like_total, post.boost_total) == ("<p>new</p>", 7, 12, 3)
    older = {**note, **counted(1, 1, 1), "updated": "2025-06-01T10:00:00Z"}
    await at_home.send(bob, bob.does("Update", older, 2, to=[PUBLIC]))
    assert (await kept(at_home, note)).like_total == 12


async def test_nobody_tells_totals_of_what_is_not_theirs(at_home: Home, bob: Person, carol: Person) -> None:
    await at_home.follows(bob)
    note = bob.note(**counted(1, 1, 1))
    await at_home.send(bob, bob.creates(note))
    await at_home.send(carol, carol.does("Update", {**note, **counted(9, 9, 9)}, to=[PUBLIC]))
    await at_home.work()
    assert (await kept(at_home, note)).like_total == 1
    ours = await at_home.writes()
    assert (ours.like_count, ours.like_total) == (None, 0)


async def test_more_answers_are_looked_for_only_as_long_as_they_would_be_shown(
    at_home: Home, bob: Person, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(threads, "THREAD_LIMIT", 3)
    post = await at_home.writes()
    looked_for = []
    for number in range(1, 5):
        note = bob.note(number, inReplyTo=post.uri, replies=f"https://bob.test/n/bob/{number}/replies")
        assert (await at_home.send(bob, bob.creates(note, number))).status == 202
        job = ("thread", str((await kept(at_home, note)).id))
        looked_for.append(job in await at_home.ask("select kind, subject from job"))
    assert looked_for == [True, True, False, False]
