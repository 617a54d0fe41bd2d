"""Posts of ours: what they look like when they leave, whom they reach, and what never leaves."""

# long because: each action of an author is one story, and they share their stage

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import pytest
from msgspec.structs import replace

from fediblog.actions import post_actions, reaction_actions
from fediblog.actions.draft_of_post import draft_of
from fediblog.actions.drafts import ARTICLE_LIMIT, NOTE_LIMIT, Draft, File, PollDraft
from fediblog.domain.documents import PUBLIC, Visibility
from fediblog.domain.posts import WITHHELD
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.protocol.notes import read_note
from fediblog.protocol.previews import gallery
from fediblog.store.people import accounts
from fediblog.store.posts import account_posts, media_files, post_writing, posts, reactions
from fediblog.store.queues import job_queue
from tests import wording
from tests.actions.stage import URLS, Stage
from tests.store import makers

PUBLIC_POST, UNLISTED, FOLLOWERS, DIRECT = Visibility


async def test_a_public_note(stage: Stage) -> None:
    post = await stage.publish("Hello *world* #Cats", language="en")
    sent = await stage.last()
    create, note = sent.document, sent.object
    assert create["id"] == URLS.activity(post.id)
    assert sent.number == post.id
    assert create["actor"] == note["attributedTo"] == stage.ann.uri
    assert note["id"] == URLS.post(post.id) == sent.subject
    assert create["to"] == note["to"] == [PUBLIC]
    assert create["cc"] == note["cc"] == [stage.ann.followers]
    assert create["published"] == note["published"]
    assert note["type"] == "Note"
    assert "name" not in note
    assert "summary" not in note
    assert "updated" not in note
    assert note["contentMap"] == {"en": note["content"]}
    assert note["source"] == {"content": "Hello *world* #Cats", "mediaType": "text/markdown"}
    assert note["tag"] == [{"type": "Hashtag", "name": "#Cats", "href": URLS.tag("cats")}]
    assert note["url"] == f"https://blog.test/@ann/{post.id}"
    assert (note["replies"]["type"], note["likes"]["totalItems"], note["shares"]["totalItems"]) == ("Collection", 0, 0)
    assert "@context" in create
    assert "@context" not in note
    assert sent.followers
    assert sent.inboxes == frozenset()


@pytest.mark.parametrize(
    ("visibility", "to", "cc", "followers"),
    [
        (PUBLIC_POST, [PUBLIC], ["followers", "ben"], True),
        (UNLISTED, ["followers"], [PUBLIC, "ben"], True),
        (FOLLOWERS, ["followers"], ["ben"], True),
        (DIRECT, ["ben"], [], False),
    ],
)
async def test_visibility_is_where_public_and_followers_stand(
    stage: Stage, visibility: Visibility, to: list[str], cc: list[str], followers: bool
) -> None:
    known = {"followers": stage.ann.followers, "ben": stage.ben.uri}
    await stage.publish("Hello @ben@ben.test", visibility=visibility)
    sent = await stage.last()
    for document in (sent.document, sent.object):
        assert document["to"] == [known.get(each, each) for each in to]
        assert document["cc"] == [known.get(each, each) for each in cc]
    assert sent.object["tag"] == [{"type": "Mention", "href": stage.ben.uri, "name": "@ben@ben.test"}]
    assert sent.followers == followers
    # What is for one person alone goes to that person's own inbox.
    assert sent.inboxes == {stage.ben.inbox if visibility == DIRECT else stage.ben.shared_inbox}


async def test_mentions_of_our_own_people_need_no_delivery(stage: Stage) -> None:
    await stage.publish("Hello @cem", visibility=DIRECT)
    assert await stage.sent() == []
    (notice,) = await stage.told(stage.cem)
    assert notice.kind == "mention"


async def test_handles_that_were_looked_up_are_taken_from_there(stage: Stage) -> None:
    draft = Draft(source="Hello @somebody@else.test")
    post = await stage.do(wording.publish, stage.ann.id, draft, {"somebody@else.test": stage.dan.id})
    assert [each.href for each in post.mentions] == [stage.dan.uri]
    assert (await stage.last()).inboxes == {stage.dan.inbox}


async def test_an_article(stage: Stage) -> None:
    post = await stage.publish("## Part\n\nText", title="On Things", summary="Short & good.", warning="Spiders")
    article = (await stage.last()).object
    assert article["type"] == "Article"
    assert article["name"] == "On Things"
    assert article["summary"] == "Short &amp; good."
    assert article["dcterms:subject"] == "Spiders"
    assert article["sensitive"] is True
    assert article["url"] == post.url == "https://blog.test/@ann/2025/06/on-things"


async def test_how_long_an_article_takes_to_read_is_stored_with_each_edit(stage: Stage) -> None:
    post = await stage.publish("word " * 660, title="Long")
    assert (post.reading_time, (await stage.publish("word " * 30)).reading_time) == (3, 0)
    edited = await stage.do(wording.edit, stage.ann.id, post.id, Draft(source="word " * 1100, title="Longer"))
    assert edited.reading_time == 5


async def test_the_warning_of_an_article_is_its_summary_where_there_is_no_abstract(stage: Stage) -> None:
    """Most servers fold a text away for its `summary` alone; who knows `dcterms:subject` is told it once."""
    await stage.publish("## Part\n\nText", title="On Things", warning="Spiders & <ants>")
    article = (await stage.last()).object
    assert (article["summary"], article["dcterms:subject"]) == ("Spiders &amp; &lt;ants&gt;", "Spiders & <ants>")
    read = read_note(article)
    assert read is not None
    assert (read.summary, read.warning) == ("", "Spiders & <ants>")


async def test_only_what_its_author_wrote_is_the_summary_of_an_article(stage: Stage) -> None:
    """Others take it for a content warning; the beginning of the text stands in the preview."""
    await stage.publish("Once upon a time. " * 100, title="A tale")
    article = (await stage.last()).object
    assert "summary" not in article
    assert "<p>Once upon a time." in article["preview"]["content"]
    await stage.publish("Text", title="Another", summary='Tom & <b>Jerry</b>\'s "house"')
    assert (await stage.last()).object["summary"] == 'Tom &amp; &lt;b>Jerry&lt;/b>\'s "house"'


async def test_a_warning_leaves_nothing_of_the_text_in_the_preview(stage: Stage) -> None:
    await stage.publish("Once upon a time.", title="A tale", warning="Wolves")
    preview = (await stage.last()).object["preview"]
    assert (preview["summary"], preview["sensitive"]) == ("Wolves", True)
    assert "Once" not in preview["content"]


async def test_pictures_in_the_text_are_attached_too(stage: Stage) -> None:
    await stage.publish("![A & B](https://far.example/a.png) ![](/media/ab/c.webp)", title="A tale")
    first, second = (await stage.last()).object["attachment"]
    assert (first["type"], first["mediaType"], first["url"]) == ("Image", "image/png", "https://far.example/a.png")
    assert first["name"] == "A & B"
    assert (second["mediaType"], second["url"]) == ("image/webp", "https://blog.test/media/ab/c.webp")


async def test_own_pictures_within_the_text_belong_to_the_post(stage: Stage) -> None:
    """With their size and description; they go from it with the words that name them."""
    named, chosen, other = [await stage.upload(stage.ann, f"aa/bb/{name}.png") for name in ("in", "both", "small")]
    strange = await stage.upload(stage.cem, "aa/bb/cem.png")
    source = "![A cat](/media/aa/bb/in.png#wide)\n\n![](/media/aa/bb/both.png)\n\n![](/media/aa/bb/smalls.png)"
    files = (File(upload=chosen, alt="Chosen", focus=(0.5, 0)),)
    post = await stage.publish(
        f"{source}\n\n![](/media/aa/bb/cem.png) ![](/media/aa/bb/in.png)", title="T", files=files
    )
    assert [(each.number, each.alt, each.width) for each in post.attachments] == [
        (chosen, "Chosen", 640), (named, "A cat", 640), (other, "", 640),
    ]  # fmt: skip
    assert gallery(post) == []
    sent = (await stage.last()).object["attachment"]
    assert [each["url"].rpartition("/")[2] for each in sent] == ["both.png", "in.png", "small.png", "cem.png"]
    assert sent[1]["name"] == "A cat"
    assert {each.id for each in await stage.db.read(media_files.unused, stage.clock.now + 1)} == {strange}
    draft = await stage.db.read(draft_of, post)
    assert draft.files == ()
    again = await stage.do(wording.edit, stage.ann.id, post.id, replace(draft, source=f"More. {source}"))
    assert set(again.attachments) == set(post.attachments)
    last = await stage.do(wording.edit, stage.ann.id, post.id, replace(draft, source="No more."))
    assert last.attachments == ()


async def test_two_articles_of_one_title_have_two_addresses(stage: Stage) -> None:
    first = await stage.publish("One", title="Same")
    second = await stage.publish("Two", title="Same")
    third = await stage.publish("Three", title="Other", slug="same")
    assert [each.url.rsplit("/", 1)[1] for each in (first, second, third)] == ["same", "same-2", "same-3"]


async def test_the_beginning_of_an_article_is_told_without_its_footnotes(stage: Stage) -> None:
    await stage.publish("It has[^1] notes.\n\nAnd[^2] more.\n\n[^1]: Here.\n[^2]: There.", title="Notes")
    article = (await stage.last()).object
    assert "<p>It has notes. And more.</p>" in article["preview"]["content"]
    assert "There." in article["content"]


async def test_a_content_warning_on_a_note_is_its_summary(stage: Stage) -> None:
    await stage.publish("Boo", warning="Spiders")
    note = (await stage.last()).object
    assert (note["summary"], note["sensitive"]) == ("Spiders", True)


async def test_pictures(stage: Stage) -> None:
    number = await stage.upload(stage.ann)
    await stage.publish("", files=(File(upload=number, alt=" A cat ", focus=(0.1, -0.2)),))
    (image,) = (await stage.last()).object["attachment"]
    assert image["type"] == "Image"
    assert image["url"] == URLS.media("aa/bb/aabb.png")
    assert image["name"] == image["summary"] == "A cat"
    assert (image["width"], image["height"], image["blurhash"]) == (640, 480, "LKO2")
    assert image["focalPoint"] == [0.1, -0.2]


async def test_a_hero_picture(stage: Stage) -> None:
    number = await stage.upload(stage.ann)
    hero = (await stage.publish("Text", title="T", hero=File(upload=number, alt="A cat"))).image
    image = (await stage.last()).object["image"]
    assert (image["type"], image["url"]) == ("Image", URLS.media("aa/bb/aabb.png"))
    assert hero is not None
    assert (hero.preview, hero.width, hero.height) == (URLS.media("aa/bb/aabbs.png"), 640, 480)
    # Of a large one its smaller copy stands above the post.
    await stage.db.write(lambda tx: tx.run("update media set large = 'l.png', width = 3000, height = 2000"))
    hero = (await stage.publish("Text", title="T", hero=File(upload=number))).image
    assert hero is not None
    assert (hero.url, hero.width, hero.height) == (URLS.media("l.png"), 1280, 853)


async def test_somebody_elses_picture_cannot_be_used(stage: Stage) -> None:
    number = await stage.upload(stage.cem)
    for draft in ({"files": (File(upload=number),)}, {"title": "T", "hero": File(upload=number)}):
        with pytest.raises(Invalid):
            await stage.publish("x", **draft)


async def test_a_poll(stage: Stage) -> None:
    post = await stage.publish("Which?", poll=PollDraft(options=("Tea", "Coffee"), seconds=600))
    question = (await stage.last()).object
    assert question["type"] == "Question"
    assert [each["name"] for each in question["oneOf"]] == ["Tea", "Coffee"]
    assert question["votersCount"] == 0
    assert post.poll is not None
    assert post.poll.ends == stage.clock.now + 600_000
    stage.clock.forward(seconds=600)
    (job,) = [each for each in await stage.db.write(job_queue.claim) if each.kind == "close-poll"]
    assert job.subject == str(post.id)


async def test_an_answer_names_and_reaches_whom_it_answers(stage: Stage) -> None:
    theirs = await stage.remote_post(stage.ben, context="https://ben.test/c/1")
    post = await stage.publish("Indeed", reply_to=theirs.id)
    sent = await stage.last()
    assert sent.object["inReplyTo"] == theirs.uri
    assert sent.object["context"] == "https://ben.test/c/1"
    assert sent.object["tag"] == [{"type": "Mention", "href": stage.ben.uri, "name": "@ben@ben.test"}]
    assert sent.inboxes == {stage.ben.shared_inbox}
    assert post.parent == theirs.id


@pytest.mark.parametrize(
    ("theirs", "wanted", "result"),
    [
        (PUBLIC_POST, PUBLIC_POST, PUBLIC_POST),
        (UNLISTED, PUBLIC_POST, PUBLIC_POST),
        (FOLLOWERS, PUBLIC_POST, FOLLOWERS),
        (FOLLOWERS, DIRECT, DIRECT),
        (DIRECT, PUBLIC_POST, DIRECT),
        (DIRECT, FOLLOWERS, DIRECT),
    ],
)
async def test_an_answer_is_never_for_more_than_a_private_question(
    stage: Stage, theirs: Visibility, wanted: Visibility, result: Visibility
) -> None:
    await stage.follows(stage.ann, stage.ben)
    question = await stage.remote_post(stage.ben, theirs)
    answer = await stage.publish("Yes", reply_to=question.id, visibility=wanted)
    assert answer.visibility == result
    assert (PUBLIC in (await stage.last()).document["to"]) == (result == PUBLIC_POST)


async def test_one_cannot_answer_what_one_cannot_see(stage: Stage) -> None:
    hidden = await stage.remote_post(stage.ben, FOLLOWERS)
    for number in (hidden.id, 12345):
        with pytest.raises(NotFound):
            await stage.publish("Yes", reply_to=number)
    assert await stage.sent() == []


@pytest.mark.parametrize(
    ("draft", "field"),
    [
        ({"source": "  "}, "source"),
        ({"source": "x" * (NOTE_LIMIT + 1)}, "source"),
        ({"source": "x" * (ARTICLE_LIMIT + 1), "title": "T"}, "source"),
        ({"source": "x", "title": "T" * 201}, "title"),
        ({"source": "x", "warning": "T" * 1001}, "warning"),
        ({"source": "x", "state": "scheduled"}, "scheduled"),
        ({"source": "x", "state": "scheduled", "scheduled": 1}, "scheduled"),
        ({"source": "x", "state": "scheduled", "scheduled": 1 << 48}, "scheduled"),
        ({"source": "x", "poll": PollDraft(options=("one",))}, "poll"),
        ({"source": "x", "poll": PollDraft(options=("same", "same "))}, "poll"),
        ({"source": "x", "poll": PollDraft(options=("a", "b"), seconds=10)}, "poll"),
        ({"source": "x", "poll": PollDraft(options=("a", "b" * 201))}, "poll"),
        ({"source": "x", "files": (File(upload=12345),)}, "files"),
        ({"source": "x", "files": (File(upload=12345, alt="x" * 1501),)}, "files"),
        ({"source": "x", "title": "T", "hero": File(upload=12345, alt="x" * 1501)}, "files"),
    ],
)
async def test_what_is_wrong_is_named(stage: Stage, draft: Mapping[str, Any], field: str) -> None:
    with pytest.raises(Invalid) as caught:
        await stage.publish(**draft)
    assert caught.value.field == field
    assert caught.value.message
    assert await stage.sent() == []


async def test_only_our_own_people_write(stage: Stage) -> None:
    for number in (stage.ben.id, 12345):
        with pytest.raises(Forbidden):
            await stage.do(wording.publish, number, Draft(source="x"))


async def test_an_edit(stage: Stage) -> None:
    post = await stage.publish("Frist @ben@ben.test")
    stage.clock.forward(minutes=1)
    with pytest.raises(Invalid, match="published meanwhile"):  # words for fewer people go to nobody else
        await stage.do(wording.edit, stage.ann.id, post.id, Draft(source="First, for you", visibility=DIRECT))
    await stage.do(wording.edit, stage.ann.id, post.id, Draft(source="First @dan@dan.test"))
    update = await stage.last()
    assert update.kind == "Update"
    assert update.document["id"] != URLS.activity(post.id)
    note = update.object
    assert note["id"] == post.uri == update.subject
    assert note["updated"] > note["published"]
    assert note["published"] == (await stage.sent())[0].object["published"]
    assert note["url"] == post.url
    assert note["to"] == [PUBLIC]  # the audience stays
    assert stage.ben.shared_inbox in update.inboxes  # who got it must hear of it
    assert stage.dan.inbox in update.inboxes
    (revision,) = await stage.db.read(post_writing.revisions, post.id)
    assert revision.source == "Frist @ben@ben.test"


@pytest.mark.parametrize("state", sorted(WITHHELD))
async def test_its_author_edits_and_deletes_what_is_withheld_and_cannot_publish_it(stage: Stage, state: str) -> None:
    above = await stage.publish("Above")
    post = await stage.publish("Below", reply_to=above.id)
    await stage.db.write(lambda tx: tx.run("update post set state = :s where id = :id", s=state, id=post.id))
    sent = await stage.sent()
    edited = await stage.do(wording.edit, stage.ann.id, post.id, Draft(source="Below, again"))
    assert (edited.id, edited.state, edited.source and edited.source.content) == (post.id, state, "Below, again")
    assert len(await stage.sent()) == len(sent)
    with pytest.raises(NotFound):
        await stage.publish("And below that", reply_to=post.id)
    with pytest.raises(NotFound):
        await stage.do(reaction_actions.like, stage.ann.id, post.id)
    article = await stage.publish("Long\ntext", title="A title", reply_to=above.id)
    await stage.db.write(lambda tx: tx.run("update post set state = :s where id = :id", s=state, id=article.id))
    bare = await stage.do(wording.edit, stage.ann.id, article.id, Draft(source="Long\ntext", title=""))
    assert (bare.kind, bare.title, bare.state) == ("Article", "", state)
    assert "<br" not in bare.content  # it is rendered as what it stays
    await stage.do(post_actions.delete, stage.ann.id, post.id)
    assert await stage.db.read(posts.stored, post.id) is None
    assert await stage.db.read(makers.tombstone, post.uri) is not None


async def test_an_edit_keeps_kind_address_and_place(stage: Stage) -> None:
    theirs = await stage.remote_post(stage.ben, context="https://ben.test/c/1")
    article = await stage.publish("Text", title="One title")
    answer = await stage.publish("Yes", reply_to=theirs.id)
    await stage.db.write(post_writing.remove, theirs)
    stage.clock.forward(days=40)
    edited = await stage.do(wording.edit, stage.ann.id, article.id, Draft(source="Text", title="Another"))
    assert (edited.url, edited.slug, edited.title) == (article.url, article.slug, "Another")
    plain = await stage.do(wording.edit, stage.ann.id, answer.id, Draft(source="No", title="Now a title"))
    assert (plain.kind, plain.title) == ("Note", "")
    assert (plain.in_reply_to, plain.context) == (theirs.uri, "https://ben.test/c/1")


async def test_an_edit_reaches_those_who_reacted(stage: Stage) -> None:
    post = await stage.publish("Hello")
    await stage.db.write(reactions.react, stage.dan.id, post.id, "https://dan.test/like/1")
    await stage.do(wording.edit, stage.ann.id, post.id, Draft(source="Hello!"))
    assert (await stage.last()).inboxes == {stage.dan.inbox}


async def test_a_deletion(stage: Stage) -> None:
    post = await stage.publish("Oops @ben@ben.test")
    await stage.do(post_actions.delete, stage.ann.id, post.id)
    sent = await stage.last()
    assert sent.kind == "Delete"
    assert sent.object == {"id": post.uri, "type": "Tombstone", "formerType": "Note"}
    assert sent.document["to"] == [PUBLIC]
    assert sent.subject == post.uri
    assert sent.followers
    assert sent.inboxes == {stage.ben.shared_inbox}
    assert await stage.db.read(posts.stored, post.id) is None
    assert await stage.db.read(makers.tombstone, post.uri) is not None


async def test_a_direct_post_is_deleted_where_it_went_and_nowhere_else(stage: Stage) -> None:
    post = await stage.publish("Oops @ben@ben.test", visibility=DIRECT)
    await stage.do(post_actions.delete, stage.ann.id, post.id)
    sent = await stage.last()
    assert (sent.kind, sent.followers) == ("Delete", False)
    assert sent.inboxes == {stage.ben.inbox}


async def test_somebody_elses_post_is_not_there(stage: Stage) -> None:
    post = await stage.publish("Mine")
    theirs = await stage.remote_post(stage.ben)
    for number in (post.id, theirs.id, 12345):
        for action in (post_actions.delete, post_actions.pin, post_actions.unpin):
            with pytest.raises(NotFound):
                await stage.do(action, stage.cem.id, number)
        with pytest.raises(NotFound):
            await stage.do(wording.edit, stage.cem.id, number, Draft(source="x"))
    assert await stage.kinds() == ["Create"]


async def test_drafts_and_what_becomes_of_them(stage: Stage) -> None:
    await stage.follows(stage.cem, stage.ann)
    draft = await stage.publish("Not yet @ben@ben.test @cem", state="draft")
    assert await stage.sent() == []
    assert await stage.told(stage.cem) == []
    assert await stage.stream(stage.cem) == []
    assert await stage.db.read(posts.get, draft.id, 0) is None
    assert await stage.db.read(posts.get, draft.id, stage.cem.id) is None

    stage.clock.forward(days=1)
    kept = await stage.do(wording.edit, stage.ann.id, draft.id, Draft(source="Soon", state="draft"))
    assert (kept.id, kept.state) == (draft.id, "draft")
    other = await stage.publish("Meanwhile")
    post = await stage.do(wording.edit, stage.ann.id, draft.id, Draft(source="Now @cem", title="T"))
    assert (post.kind, post.state, post.published, post.updated) == ("Article", "published", stage.clock.now, None)
    assert (await stage.last()).document["id"] == URLS.activity(post.id)
    assert await stage.stream(stage.cem) == [post.id, other.id]  # the newest first
    assert [each.id for each in await stage.db.read(account_posts.drafts, stage.ann.id)] == []
    assert [each.kind for each in await stage.told(stage.cem)] == ["mention"]


async def test_what_nobody_saw_leaves_nothing_behind(stage: Stage) -> None:
    later = stage.clock.now + 3_600_000
    for draft in (
        await stage.publish("Not yet", state="draft"),
        await stage.publish("x", state="scheduled", scheduled=later),
    ):
        post = await stage.do(wording.edit, stage.ann.id, draft.id, Draft(source="Now"))
        assert post.id != draft.id
        assert await stage.db.read(makers.tombstone, draft.uri) is None
        second = await stage.publish("Not yet", state="draft")
        await stage.do(post_actions.delete, stage.ann.id, second.id)
        assert await stage.db.read(makers.tombstone, second.uri) is None
        assert await stage.db.read(posts.stored, second.id) is None


async def test_a_draft_is_deleted_without_a_word(stage: Stage) -> None:
    draft = await stage.publish("Not yet", state="draft")
    await stage.do(post_actions.delete, stage.ann.id, draft.id)
    assert await stage.sent() == []


async def test_a_scheduled_post(stage: Stage) -> None:
    await stage.follows(stage.cem, stage.ann)
    when = stage.clock.now + 86_400_000
    poll = PollDraft(options=("a", "b"), seconds=600)
    early = await stage.publish("Tomorrow @cem", state="scheduled", scheduled=when, poll=poll)
    assert await stage.sent() == []
    assert await stage.db.read(posts.get, early.id, stage.cem.id) is None
    other = await stage.publish("Today")
    stage.clock.forward(days=1)
    due = [(job.kind, job.subject) for job in await stage.db.write(job_queue.claim)]
    assert ("release", str(early.id)) in due
    await stage.do(post_actions.release, early.id)
    await stage.do(post_actions.release, early.id)
    post = await stage.post(early.id)
    assert (post.state, post.published, post.scheduled) == ("published", when, None)
    assert post.poll is not None
    assert post.poll.ends == when + 600_000
    assert await stage.kinds() == ["Create", "Create"]
    assert await stage.stream(stage.cem) == [early.id, other.id]
    assert [each.kind for each in await stage.told(stage.cem)] == ["mention"]


async def test_a_scheduled_post_may_be_put_off_or_taken_back(stage: Stage) -> None:
    when = stage.clock.now + 86_400_000
    first = await stage.publish("Tomorrow", state="scheduled", scheduled=when)
    later = Draft(source="Later", state="scheduled", scheduled=2 * when - stage.clock.now)
    second = await stage.do(wording.edit, stage.ann.id, first.id, later)
    stage.clock.forward(days=1)
    assert await stage.db.write(job_queue.claim) == []
    back = await stage.do(wording.edit, stage.ann.id, second.id, Draft(source="Never", state="draft"))
    stage.clock.forward(days=1)
    assert await stage.db.write(job_queue.claim) == []
    assert back.state == "draft"
    assert await stage.sent() == []


async def test_who_is_suspended_publishes_nothing_that_waited(stage: Stage) -> None:
    """Neither the post nor, later, the end of a poll goes anywhere; the post waits among the drafts."""
    await stage.follows(stage.cem, stage.ann)
    asked = await stage.publish("Which?", poll=PollDraft(options=("a", "b"), seconds=600))
    waiting = await stage.publish("Soon @cem", state="scheduled", scheduled=stage.clock.now + 30_000)
    await stage.db.write(accounts.set_state, stage.ann.id, "suspended")
    sent, told = await stage.kinds(), await stage.told(stage.cem)
    stage.clock.forward(days=1)
    await stage.do(post_actions.release, waiting.id)
    await stage.do(post_actions.send_counts, asked.id)
    assert (await stage.post(waiting.id)).state == "draft"
    assert (await stage.kinds(), await stage.told(stage.cem)) == (sent, told)
    await stage.db.write(accounts.set_state, stage.ann.id, "active")
    await stage.do(post_actions.send_counts, asked.id)
    assert (await stage.kinds())[-1] == "Update"


async def test_pins(stage: Stage) -> None:
    post = await stage.publish("Read me")
    await stage.do(post_actions.pin, stage.ann.id, post.id)
    await stage.do(post_actions.pin, stage.ann.id, post.id)
    await stage.do(post_actions.unpin, stage.ann.id, post.id)
    await stage.do(post_actions.unpin, stage.ann.id, post.id)
    _, add, remove = await stage.sent()
    for sent, kind in ((add, "Add"), (remove, "Remove")):
        assert sent.kind == kind
        assert (sent.document["object"], sent.document["target"]) == (post.uri, stage.ann.featured)
        assert sent.followers
    assert add.subject == remove.subject


async def test_only_a_few_public_posts_can_be_pinned(stage: Stage) -> None:
    for visibility in (FOLLOWERS, DIRECT):
        private = await stage.publish("Hush", visibility=visibility)
        with pytest.raises(Invalid):
            await stage.do(post_actions.pin, stage.ann.id, private.id)
    for _ in range(post_actions.MOST_PINNED):
        await stage.do(post_actions.pin, stage.ann.id, (await stage.publish("Read me")).id)
    with pytest.raises(Invalid):
        await stage.do(post_actions.pin, stage.ann.id, (await stage.publish("Me too")).id)


async def test_counts_are_told_without_an_edit(stage: Stage) -> None:
    post = await stage.publish("Nice?")
    await stage.db.write(reactions.react, stage.dan.id, post.id, "https://dan.test/like/1")
    await stage.do(post_actions.send_counts, post.id)
    sent = await stage.last()
    assert sent.kind == "Update"
    assert sent.object["likes"]["totalItems"] == 1
    assert "updated" not in sent.object


async def test_links_and_pictures_of_ours_are_whole_addresses_elsewhere(stage: Stage) -> None:
    await stage.publish("[here](/about) and ![](/media/aa/bb/aabb.png)", title="T")
    content = (await stage.last()).object["content"]
    assert 'href="https://blog.test/about"' in content
    assert 'href="/' not in content
    assert 'src="/' not in content
