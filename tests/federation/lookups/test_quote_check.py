"""Posts of ours that quote: between two real servers, and against strangers who answer for others."""

from __future__ import annotations

from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import pytest

from fediblog.actions import post_actions, quote_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.documents import PUBLIC, Visibility
from fediblog.domain.posts import Post
from fediblog.errors import Invalid, NotFound
from fediblog.federation import prepared_actions
from fediblog.inbox import Outcome
from fediblog.store.posts import posts, quotes
from tests import wording
from tests.federation.pair import Pair
from tests.federation.stranger import Home, Person, home
from tests.federation.test_two_servers import replay
from tests.world import add_person, keys_of


async def quoted_by_ben(pair: Pair, ours: Post, **more: Any) -> Post:
    """Ben quotes a post of Ann's that his server knows."""
    there = await pair.there(ours)
    assert there is not None
    written = await prepared_actions.publish(
        pair.world.sites[pair.far], pair.ben.id, Draft(source="Look", quote=there.id, **more)
    )
    await pair.world.settle()
    return await at_ben(pair, written)


async def at_ben(pair: Pair, post: Post) -> Post:
    found = await pair.there(post)
    assert found is not None
    return found


async def document(pair: Pair, post: Post) -> dict[str, Any]:
    found: dict[str, Any] = (await pair.world.get(pair.far, post.uri)).json()
    return found


async def test_a_quote_is_asked_for_granted_shown_and_taken_back(pair: Pair) -> None:
    await pair.follow()
    ours = await pair.publish("The tide is late")
    quote = await quoted_by_ben(pair, ours)
    (given,) = await pair.world.read(pair.near, quotes.standing, ours.id)
    approval = pair.world.sites[pair.near].urls.authorization(given.id)
    assert (quote.quote_state, quote.quote_approval, given.quoting) == ("accepted", approval, quote.uri)
    assert quote.quoted is not None
    assert quote.quoted.uri == ours.uri
    told = await document(pair, quote)
    assert (told["quote"], told["quoteUri"], told["quoteAuthorization"]) == (ours.uri, ours.uri, approval)
    assert told["content"].startswith(f'<p class="quote-inline">RE: <a href="{ours.url}">')
    assert [(each.kind, each.post.uri if each.post else "") for each in await pair.notices_of_ann()] == [
        ("quote", quote.uri),
        ("follow", ""),
    ]
    copy = await pair.here(quote)
    assert copy is not None
    assert copy.quoted is not None
    (updated,) = pair.world.network.posts(pair.near, "Update")
    assert updated.document["object"]["quoteAuthorization"] == approval
    await replay(pair, pair.near)
    await replay(pair, pair.far)
    assert len(await pair.world.read(pair.near, quotes.standing, ours.id)) == 1

    await pair.world.do(pair.near, quote_actions.revoke, pair.ann.id, given.id)
    await pair.world.settle()
    await replay(pair, pair.far)
    quote = await at_ben(pair, quote)
    assert (quote.quote_state, quote.quoted) == ("revoked", None)
    told = await document(pair, quote)
    assert "quote" not in told
    assert "RE:" not in told["content"]
    copy = await pair.here(quote)
    assert copy is not None
    assert (copy.quote, copy.quoted) == ("", None)


async def test_whom_the_author_does_not_let_quote(pair: Pair) -> None:
    await pair.follow()
    closed = await pair.publish("Not to be quoted", quotable="nobody")
    with pytest.raises(Invalid):  # his server knows what she said of it
        await quoted_by_ben(pair, closed)
    followers = await pair.publish("For followers to quote", quotable="followers")
    assert (await quoted_by_ben(pair, followers)).quote_state == "accepted"


async def test_quotes_end_with_either_post(pair: Pair) -> None:
    await pair.follow()
    ours = await pair.publish("Soon gone")
    quote, other = await quoted_by_ben(pair, ours), await quoted_by_ben(pair, ours)
    await pair.world.do(pair.far, wording.edit, pair.ben.id, quote.id, Draft(source="Look again"))
    await pair.world.settle()
    assert (await at_ben(pair, quote)).quote_state == "accepted"
    copy = await pair.here(quote)
    assert copy is not None
    assert copy.quoted is not None
    await pair.world.do(pair.far, post_actions.delete, pair.ben.id, quote.id)
    await pair.world.settle()
    assert await pair.here(quote) is None
    assert [each.quoting for each in await pair.world.read(pair.near, quotes.standing, ours.id)] == [other.uri]
    await pair.world.do(pair.near, post_actions.delete, pair.ann.id, ours.id)
    await pair.world.settle()
    other = await at_ben(pair, other)
    assert (other.quote_state, other.quoted) == ("deleted", None)


async def test_who_is_not_meant_is_not_asked(pair: Pair) -> None:
    """Whom a post quotes gets all of it: so one for a few can only quote those whom it names."""
    await pair.follow()
    ours = await pair.publish("Open")
    there = await pair.there(ours)
    assert there is not None
    far, before = pair.world.sites[pair.far], len(pair.world.network.posts(pair.near))
    for visibility in (Visibility.FOLLOWERS, Visibility.DIRECT):
        draft = Draft(source="For a few", quote=there.id, visibility=visibility)
        with pytest.raises(Invalid, match="people it mentions"):
            await prepared_actions.publish(far, pair.ben.id, draft)
        assert len(pair.world.network.posts(pair.near)) == before
    told = Draft(source=f"@{pair.ann.acct} look", quote=there.id, visibility=Visibility.DIRECT)
    written = await prepared_actions.publish(far, pair.ben.id, told)
    await pair.world.settle()
    assert (await at_ben(pair, written)).quote_state == "accepted"
    assert {sent.url for sent in pair.world.network.posts(pair.near)[before:]} == {pair.ann.inbox}


@pytest.fixture
async def at_home(tmp_path: Path) -> AsyncIterator[Home]:
    async with home(tmp_path) as place:
        yield place


@pytest.fixture
def bob(at_home: Home) -> Person:
    return Person(at_home.web, "bob.test", "bob")


@pytest.fixture
def carol(at_home: Home) -> Person:
    return Person(at_home.web, "carol.test", "carol")


async def pending(home: Home, bob: Person, number: int = 1) -> tuple[Post, str]:
    """A post of Alice's that quotes one of Bob's, and the id of what he is asked."""
    await home.follows(bob)
    policy = {"canQuote": {"automaticApproval": [PUBLIC]}}
    await home.send(bob, bob.creates(bob.note(number, interactionPolicy=policy), number))
    seen = await home.site.db.read(posts.by_uri, f"https://bob.test/n/bob/{number}")
    assert seen is not None
    post = await home.writes(quote=seen.id)
    asked = await home.site.db.read(quotes.request, post.id)
    assert asked is not None
    assert (asked.state, asked.author) == ("pending", bob.uri)
    return post, asked.uri


async def state(home: Home, post: Post) -> tuple[str, bool]:
    """How the quote stands, and whether it is shown."""
    found = await home.site.db.read(posts.get, post.id, post.account.id)
    assert found is not None
    return found.quote_state, found.quoted is not None


def question(home: Home, post: Post, uri: str) -> dict[str, Any]:
    return {"id": uri, "type": "QuoteRequest", "actor": home.alice.uri, "object": post.quote, "instrument": post.uri}


async def test_what_is_sent_before_an_answer(at_home: Home, bob: Person) -> None:
    post, uri = await pending(at_home, bob)
    assert await state(at_home, post) == ("pending", False)
    rows = await at_home.ask(
        "select o.kind, o.uri, d.inbox from outgoing o join delivery d on d.outgoing = o.id"
        " where o.kind in ('Create', 'QuoteRequest') order by o.id"
    )
    assert [(kind, inbox) for kind, _, inbox in rows] == [
        ("Create", "https://bob.test/inbox"),
        ("QuoteRequest", f"{bob.uri}/inbox"),
    ]
    assert rows[1][1] == uri


async def test_only_whom_we_asked_may_answer(at_home: Home, bob: Person, carol: Person) -> None:
    post, uri = await pending(at_home, bob)
    await at_home.know(carol)
    asked, grant = question(at_home, post, uri), "https://bob.test/q/1"
    forged = [
        (carol, carol.does("Accept", asked, 1, result="https://carol.test/q/1")),
        (carol, carol.does("Accept", uri, 2, result=grant)),
        (carol, carol.does("Reject", asked, 3)),
        (carol, carol.does("Reject", uri, 4)),
        (bob, bob.does("Accept", asked, 5, result="https://carol.test/q/1")),
        (bob, bob.does("Accept", asked, 6)),
        (bob, bob.does("Accept", {**asked, "id": "https://home.test/x/1"}, 7, result="https://home.test/q/1")),
    ]
    for sender, activity in forged:
        assert (await at_home.send(sender, activity)).status == 403
        assert await state(at_home, post) == ("pending", False)
    assert set(await at_home.refusals()) == {"not-asked", "authorization-foreign"}
    assert (await at_home.send(bob, bob.does("Accept", uri, 8, result=grant))).status == 202
    assert await state(at_home, post) == ("accepted", True)
    again = bob.does("Accept", asked, 9, result="https://bob.test/q/2")
    assert await at_home.apply(bob, again) == Outcome.DUPLICATE
    assert (await at_home.send(carol, carol.does("Delete", grant, 10))).status == 403
    assert await state(at_home, post) == ("accepted", True)
    await at_home.send(bob, bob.does("Delete", grant, 11))
    assert await state(at_home, post) == ("revoked", False)
    await at_home.send(bob, bob.does("Accept", asked, 12, result=grant))
    assert await state(at_home, post) == ("revoked", False)


async def test_one_authorization_is_for_one_post(at_home: Home, bob: Person) -> None:
    first, uri = await pending(at_home, bob, 1)
    second, other = await pending(at_home, bob, 2)
    await at_home.send(bob, bob.does("Accept", uri, 1, result="https://bob.test/q/1"))
    assert (await at_home.send(bob, bob.does("Accept", other, 2, result="https://bob.test/q/1"))).status == 403
    assert await state(at_home, first) == ("accepted", True)
    assert await state(at_home, second) == ("pending", False)
    for number in (31, 32):
        await at_home.send(bob, bob.does("Reject", question(at_home, second, other), number))
    await at_home.send(bob, bob.does("Reject", uri, 4))
    assert await state(at_home, first) == ("revoked", False)
    assert await state(at_home, second) == ("rejected", False)
    third, last = await pending(at_home, bob, 3)
    proof = {"id": "https://bob.test/q/3", "type": "QuoteAuthorization", "attributedTo": bob.uri}
    await at_home.send(bob, bob.does("Delete", proof, 5))
    await at_home.send(bob, bob.does("Accept", last, 6, result=proof))
    assert await state(at_home, third) == ("revoked", False)


async def test_our_own_people_quote_each_other_and_themselves(at_home: Home) -> None:
    site = at_home.site
    dora = await site.db.write(add_person, site.urls, "dora", keys_of("home.test", "dora"))
    ours = await at_home.writes()
    quote = await site.db.write(wording.publish, site.urls, dora.id, Draft(source="Look", quote=ours.id))
    (given,) = await site.db.read(quotes.standing, ours.id)
    assert (quote.quote, given.quoting) == (ours.uri, quote.uri)
    assert await state(at_home, quote) == ("accepted", True)
    assert await at_home.notices() == [("quote", "dora")]
    await site.db.write(quote_actions.revoke, site.urls, at_home.alice.id, given.id)
    assert await state(at_home, quote) == ("revoked", False)
    await site.db.write(wording.edit, site.urls, dora.id, quote.id, Draft(source="Still there"))
    assert await state(at_home, quote) == ("revoked", False)
    for policy in ("nobody", "followers"):
        closed = await at_home.writes(quotable=policy)
        with pytest.raises(Invalid, match="does not want"):
            await site.db.write(wording.publish, site.urls, dora.id, Draft(source="Look", quote=closed.id))
    own = await at_home.writes(visibility=Visibility.FOLLOWERS)
    again = await at_home.writes(quote=own.id)
    assert again.visibility == Visibility.FOLLOWERS
    assert await state(at_home, again) == ("accepted", True)
    with pytest.raises(NotFound):
        await site.db.write(wording.publish, site.urls, dora.id, Draft(source="Look", quote=own.id))
    secret = await at_home.writes(visibility=Visibility.DIRECT)
    with pytest.raises(Invalid, match="everybody may see"):
        await at_home.writes(quote=secret.id)


async def test_a_post_for_later_asks_when_it_appears(at_home: Home) -> None:
    site, ours = at_home.site, await at_home.writes()
    closing = await at_home.writes()
    waiting = [
        await at_home.writes(quote=each.id, state="scheduled", scheduled=at_home.clock.now + 60_000)
        for each in (ours, closing)
    ]
    assert await site.db.read(quotes.standing, ours.id) == []
    kept = await site.db.write(
        wording.edit, site.urls, at_home.alice.id, waiting[0].id, Draft(source="A draft now", state="draft")
    )
    assert kept.quote == ours.uri
    published = await site.db.write(wording.edit, site.urls, at_home.alice.id, kept.id, Draft(source="Now"))
    assert await state(at_home, published) == ("accepted", True)
    await site.db.write(post_actions.delete, site.urls, at_home.alice.id, closing.id)
    await site.db.write(post_actions.release, site.urls, waiting[1].id)
    assert await state(at_home, waiting[1]) == ("rejected", False)
