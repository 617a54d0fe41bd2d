"""What a stranger must not know of is not here for it: whatever it sends, the answer is that of what is missing."""

from __future__ import annotations

from typing import Any

import pytest

from fediblog.actions import moderation_actions, post_actions, reaction_actions
from fediblog.actions.drafts import Draft, PollDraft
from fediblog.app import create_app
from fediblog.domain.documents import ACTOR_KINDS, POST_KINDS, PUBLIC, Visibility
from fediblog.domain.posts import Post
from fediblog.inbox import HANDLERS
from fediblog.store.people import relations
from fediblog.store.posts import posts, reaction_lists
from tests import wording
from tests.federation.stranger import ORIGIN, Home, Json, Person
from tests.inbox.examples import Route
from tests.security.reading import reader, visitor

FOLLOWERS = Visibility.FOLLOWERS
COUNTED = ("outgoing", "notice", "reaction", "boost", "poll_vote", "reply_authorization", "report")
EVERYBODY = [PUBLIC]


async def hidden(home: Home, bob: Person) -> dict[str, Post | str]:
    """What Carol must not know of, by what it is: a post of Alice's, or an id."""
    note = bob.note("talk")
    await home.follows(bob)
    await home.send(bob, bob.creates(note, "talk"))
    poll = PollDraft(options=("Tea", "Milk"), multiple=False, seconds=3600)
    gone = await home.writes(title="Gone", visibility=FOLLOWERS, comments="nobody")
    found: dict[str, Post | str] = {
        "followers": await home.writes(title="Layoffs in spring", visibility=FOLLOWERS, comments="nobody"),
        "direct": await home.writes(visibility=Visibility.DIRECT, comments="nobody"),
        "draft": await home.writes(title="Layoffs in autumn", state="draft", comments="nobody"),
        "poll": await home.writes(visibility=FOLLOWERS, poll=poll),
        "answer": await home.writes(visibility=FOLLOWERS, reply_to=note["id"]),
        "deleted": gone,
    }
    await home.site.db.write(post_actions.delete, home.site.urls, home.alice.id, gone.id)
    open_to_all = await home.site.db.read(posts.by_uri, note["id"])
    assert open_to_all is not None
    await home.site.db.write(reaction_actions.boost, home.site.urls, home.alice.id, open_to_all.id, FOLLOWERS)
    boost = await home.site.db.read(reaction_lists.own_boost, home.alice.id, open_to_all.id)
    assert boost is not None
    return found | {"boost": boost.uri}


def about(who: Person, alice: str, route: Route, target: str, number: str) -> Json:
    """An activity of that row, with `target` wherever one may stand."""
    verb, kind = route
    note = who.note(number, inReplyTo=target, quote=target, name="Tea", to=[PUBLIC, alice])
    if verb in ("Create", "Update") and (kind in POST_KINDS or verb == "Create"):
        thing: Any = note | {"type": kind or "Note"}
    elif kind is None or kind in ACTOR_KINDS:
        thing = target if kind is None else {"id": target, "type": kind}
    else:
        actor = alice if verb in ("Accept", "Reject") else who.uri
        thing = {"id": target, "type": kind, "actor": actor, "object": target, "instrument": target}
    action = who.does(verb.removesuffix("Request"), target, f"inner-{number}")
    asked = note if verb in ("QuoteRequest", "ReplyRequest") else action
    place = f"{who.uri}/featured" if verb in ("Add", "Remove") else alice
    more = {"instrument": asked, "target": place, "content": "👍", "to": [PUBLIC, alice]}
    return who.does(verb, thing, number, result=f"https://{who.host}/proof/{number}", **more)


def missing(target: str) -> str:
    """An address of ours of the same shape, at which nothing ever was."""
    return f"{target[:-1]}{(int(target[-1]) + 1) % 10}" if target[-1].isdigit() else f"{target}-x"


@pytest.mark.slow
async def test_every_activity_about_what_is_hidden_is_answered_as_about_what_is_missing(
    at_home: Home, bob: Person, carol: Person
) -> None:
    """Whoever adds a row of `HANDLERS` that looks at a post before it asks who sends it fails here."""
    things = await hidden(at_home, bob)
    await at_home.know(carol)
    app = create_app(at_home.site)
    browser = visitor(at_home.site, app)

    async def totals() -> list[int]:
        return [(await at_home.ask(f"select count(*) from {table}"))[0][0] for table in COUNTED]

    async def answer(route: Route, target: str, number: str) -> tuple[Any, ...]:
        before = await totals()
        activity = about(carol, at_home.alice.uri, route, target, number)
        receipt = await at_home.send(carol, activity)
        await at_home.work()
        changed = [after - was for after, was in zip(await totals(), before, strict=True)]
        if route == ("Flag", None):
            changed[-1] = 0  # for moderators alone: a server reports in its own name what one of its people saw
        rows = await at_home.ask("select id from post where uri = :uri", uri=f"https://carol.test/n/carol/{number}")
        shown = [(await browser.get(f"/api/v1/statuses/{row[0]}")).json() for row in rows]
        told = await at_home.notices()
        parents = [(each["in_reply_to_id"], each["in_reply_to_account_id"]) for each in shown]
        return receipt.status, receipt.reason, changed, parents, told[-changed[1] :] if changed[1] else []

    for at, route in enumerate(HANDLERS):
        for name, thing in things.items():
            addresses = [thing] if isinstance(thing, str) else [thing.uri]
            if route == ("Create", "Note") and isinstance(thing, Post) and thing.title:
                addresses.append(thing.url or f"{ORIGIN}/@alice/2025/06/{thing.slug}")
            for each, address in enumerate(addresses):
                there = await answer(route, address, f"{at}-{name}-{each}-there")
                not_there = await answer(route, missing(address), f"{at}-{name}-{each}-missing")
                assert there == not_there, (route, name, address)
    draft = things["draft"]
    assert isinstance(draft, Post)
    assert [each for (each,) in await at_home.ask("select posts from report") if draft.uri in each] == []


async def test_what_a_hidden_post_answers_is_shown_to_whom_may_see_it(
    at_home: Home, bob: Person, carol: Person
) -> None:
    """Bob follows Alice and answers for all to read; Carol guesses, and is told nothing."""
    account = await at_home.know(bob)
    await at_home.site.db.write(relations.put_follow, account.id, at_home.alice.id, "https://bob.test/f", "accepted")
    post = await at_home.writes(title="Layoffs in spring", visibility=FOLLOWERS)
    for who in (bob, carol):
        note = who.note(1, inReplyTo=post.url, to=[PUBLIC, at_home.alice.uri])
        await at_home.send(who, who.creates(note))
        await at_home.work()
    assert await at_home.notices() == [("reply", "bob")]
    answers = await at_home.ask("select id from post where local = 0 order by id")
    app = create_app(at_home.site)
    alice, anybody = await reader(at_home.site, at_home.alice, app), visitor(at_home.site, app)
    theirs = [(await anybody.get(f"/api/v1/statuses/{row[0]}")).json()["in_reply_to_id"] for row in answers]
    assert theirs == [None, None]
    parents = await at_home.ask("select parent from post where local = 0 order by uri")
    assert parents == [(post.id,), (None,)]
    shown = await alice.get(post.url)
    assert "note 1" in shown.text


@pytest.mark.parametrize("barred", ["closed", "followers", "blocked", "hidden"])
async def test_an_answer_that_came_before_its_post_is_asked_what_one_afterwards_is(
    at_home: Home, bob: Person, carol: Person, barred: str
) -> None:
    """Nor does what hangs below an answer that may stand come in with it."""
    account, _ = await at_home.know(bob), await at_home.know(carol)
    alice, db = at_home.alice.id, at_home.site.db
    await db.write(relations.put_follow, account.id, alice, "https://bob.test/f", "accepted")
    if barred == "blocked":
        other = await at_home.know(carol)
        await db.write(moderation_actions.block, at_home.site.urls, alice, other.id)
    page = f"{ORIGIN}/@alice/2025/06/annual-report"
    to = [PUBLIC, at_home.alice.uri]
    may = bob.note("may", inReplyTo=page, to=to)
    below, planted = carol.note("below", inReplyTo=may["id"], to=to), carol.note("planted", inReplyTo=page, to=to)
    for who, note in ((bob, may), (carol, below), (carol, planted)):
        assert (await at_home.send(who, who.creates(note, note["id"][-4:]))).status == 202
    await at_home.work()
    sql = "select uri from post where local = 0 and (parent = :id or root = :id) order by uri"
    draft = await at_home.writes(title="Annual report", state="draft")
    assert await at_home.ask(sql, id=draft.id) == []
    await db.write(post_actions.delete, at_home.site.urls, alice, draft.id)
    limits: dict[str, Any] = {
        "closed": {"comments": "nobody"},
        "followers": {"comments": "followers"},
        "blocked": {},
        "hidden": {"visibility": FOLLOWERS},
    }
    post = await at_home.writes(title="Annual report", **limits[barred])
    assert post.url == page
    stands = [] if barred == "closed" else [(may["id"],)]
    if barred == "hidden":  # as afterwards: below Bob's answer Bob's server decides
        stands.append((below["id"],))
    assert await at_home.ask(sql, id=post.id) == stands
    assert await at_home.ask("select parent, root from post where uri = :uri", uri=planted["id"]) == [(None, None)]


async def test_an_edit_for_more_people_takes_what_was_said_to_fewer_with_it(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    note = bob.note(1, to=[f"{bob.uri}/followers"], cc=[], content="<p>plover</p>")
    await at_home.send(bob, bob.creates(note))
    browser = visitor(at_home.site, create_app(at_home.site))

    async def said(number: int, **changes: Any) -> list[str]:
        later = note | {"updated": f"2025-06-02T10:00:0{number}Z"} | changes
        at_home.web.put(note["id"], later)
        assert (await at_home.send(bob, bob.does("Update", later, number))).status == 202
        await at_home.work()
        [(row,)] = await at_home.ask("select id from post where uri = :uri", uri=note["id"])
        return [
            row[0] for row in await at_home.ask("select content from revision where post = :id order by id", id=row)
        ]

    assert await said(1, content="<p>plugh</p>") == ["<p>plover</p>"]
    assert await said(2, to=EVERYBODY, content="<p>one</p>") == []
    assert await said(3, to=EVERYBODY, content="<p>two</p>") == ["<p>one</p>"]
    [(number,)] = await at_home.ask("select id from post where uri = :uri", uri=note["id"])
    told = (await browser.get(f"/api/v1/statuses/{number}/history")).json()
    assert [each["content"] for each in told] == ["<p>one</p>", "<p>two</p>"]
    fewer = await at_home.writes(visibility=Visibility.DIRECT)
    edit, urls = wording.edit, at_home.site.urls
    await at_home.site.db.write(edit, urls, at_home.alice.id, fewer.id, Draft(source="More"))
    assert await at_home.ask("select count(*) from revision where post = :id", id=fewer.id) == [(1,)]
    await at_home.site.db.write(edit, urls, at_home.alice.id, fewer.id, Draft(source="Even more @bob@bob.test"))
    assert await at_home.ask("select count(*) from revision where post = :id", id=fewer.id) == [(0,)]
