"""Quotes as readers see them, and what an author can do about them."""

from __future__ import annotations

from typing import Literal

import pytest

from fediblog.actions import reaction_actions
from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, InteractionPolicy, Rule
from fediblog.domain.posts import Post
from fediblog.store.people import accounts, relations
from fediblog.store.posts import account_posts, approvals, posts, quotes
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx
from tests.web.pages.conftest import Blog

ACTIVITY = "application/activity+json"


async def permitted(blog: Blog, post: Post, other: Account, quoting: str) -> int:
    number = await blog.site.db.write(quotes.grant, post.id, other.id, quoting)
    assert number is not None
    return number


async def test_a_quoted_post_that_is_here_is_shown_with_its_author(blog: Blog) -> None:
    bob = await blog.stranger("bob")
    ours = await blog.write("The tide is **late** today")
    quote = await blog.heard(bob, "<p>Look</p>", 1, quote=ours.uri, in_reply_to=ours.uri)
    await permitted(blog, ours, bob, quote.uri)
    page = (await blog.browser().get(ours.url)).text
    assert page.count("The tide is late today") >= 1
    assert 'class="quoted h-cite u-quotation-of"' in page
    assert "Quotes another post" not in page
    owner = await blog.owner()
    page = (await owner.get(f"/post/{quote.id}")).text
    assert "Alice Marlow" in page
    assert "The tide is late today" in page


async def test_a_quoted_post_that_is_not_here_is_a_link(blog: Blog) -> None:
    bob = await blog.stranger("bob")
    quote = await blog.heard(bob, "<p>Look</p>", 1, quote="https://third.example/p/9?a=1&b=2")
    page = (await (await blog.owner()).get(f"/post/{quote.id}")).text
    assert 'href="https://third.example/p/9?a=1&amp;b=2"' in page
    assert "Quotes another post" in page


async def test_what_a_reader_may_not_see_is_not_shown_by_quoting_it(blog: Blog) -> None:
    bob, carol = await blog.stranger("bob"), await blog.stranger("carol", "third.example")
    hidden = await blog.write("Between us", visibility="followers")
    seen = await blog.heard(carol, "<p>Carol said so</p>", 1)
    root = await blog.write("Begin")
    await blog.heard(bob, "<p>Look</p>", 2, quote=hidden.uri, in_reply_to=root.uri)
    quote = await blog.heard(bob, "<p>Look</p>", 3, quote=seen.uri, in_reply_to=root.uri)
    page = (await blog.browser().get(root.url)).text
    assert "Between us" not in page
    assert "Carol said so" in page
    owner = await blog.owner()
    await blog.site.db.write(relations.mute, blog.alice.id, carol.id)
    assert "Carol said so" not in (await owner.get(f"/post/{quote.id}")).text
    await blog.site.db.write(accounts.set_state, carol.id, "suspended")
    assert "Carol said so" not in (await blog.browser().get(root.url)).text


async def test_the_author_sees_who_may_quote_and_takes_it_back(blog: Blog) -> None:
    bob = await blog.stranger("bob")
    post = await blog.write("Quote me")
    quote = await blog.heard(bob, "<p>Look</p>", 1, quote=post.uri, in_reply_to=post.uri)
    number = await permitted(blog, post, bob, quote.uri)
    proof = await blog.browser().get(f"/q/{number}", accept=ACTIVITY)
    assert proof.headers["content-type"].startswith(ACTIVITY)
    found = proof.json()
    assert found["@context"]
    assert {key: value for key, value in found.items() if key != "@context"} == {
        "id": blog.site.urls.authorization(number),
        "type": "QuoteAuthorization",
        "attributedTo": blog.alice.uri,
        "interactingObject": quote.uri,
        "interactionTarget": post.uri,
    }
    assert "1 post quotes this" not in (await blog.browser().get(post.url)).text
    owner = await blog.owner()
    page = (await owner.get(post.url)).text
    assert "1 post quotes this" in page
    assert page.count("quoted h-cite") == 1
    answer = await owner.post(f"/quote/{number}/revoke", {"next": post.url.removeprefix(blog.site.urls.origin)})
    assert answer.status_code == 303
    page = (await owner.get(post.url)).text
    assert "Withdrawn." in page
    assert "quoted h-cite" not in page
    assert "Quotes another post" in page
    assert (await blog.browser().get(f"/q/{number}", accept=ACTIVITY)).status_code == 410
    assert (await owner.post(f"/quote/{number + 1}/revoke")).status_code == 404


async def test_a_proof_is_for_those_who_may_see_the_post(blog: Blog) -> None:
    bob = await blog.stranger("bob")
    hidden = await blog.write("Between us", visibility="followers")
    number = await permitted(blog, hidden, bob, f"{bob.uri}/posts/1")
    for path in (f"/q/{number}", f"/q/{number + 1}"):
        assert (await blog.browser().get(path, accept=ACTIVITY)).status_code == 404


async def test_somebody_who_quotes_is_a_notice(blog: Blog) -> None:
    bob = await blog.stranger("bob")
    post = await blog.write("Quote me")
    quote = await blog.heard(bob, "<p>What a thought</p>", 1, quote=post.uri)
    await blog.site.db.write(notifications.add, blog.alice.id, "quote", bob.id, quote.id)
    page = (await (await blog.owner()).get("/notices")).text
    assert "quoted your post" in page
    assert "What a thought" in page


def _answer(tx: Tx, state: str) -> None:
    tx.run("update quote_request set state = :state", state=state)


async def test_a_quote_is_written_and_shown(blog: Blog) -> None:
    bob = await blog.stranger("bob")
    seen = await blog.heard(bob, "<p>The tide is late</p>", 1, policy=InteractionPolicy(quote=Rule(manual=(PUBLIC,))))
    ours = await blog.write("Fish & <chips>", title="Supper")
    owner = await blog.owner()
    for quoted, shown in ((ours, "Supper"), (seen, "The tide is late")):
        page = (await owner.get(f"/post/{quoted.id}" if quoted is seen else quoted.url)).text
        assert f'href="/write?quote={quoted.id}"' in page
        page = (await owner.get(f"/write?quote={quoted.id}")).text
        assert shown in page
        assert f'name="quote" value="{quoted.id}"' in page
        typed = {"source": "Look", "quote": str(quoted.id), "visibility": "public"}
        assert shown in (await owner.post("/write", {**typed, "do": "preview"})).text
        assert (await owner.post("/write", {**typed, "do": "publish"})).status_code == 303
    assert (await owner.get("/write?quote=12")).status_code == 404
    found = await blog.site.db.read(account_posts.written, blog.alice.id, blog.alice.id)
    pending, accepted = found[:2]
    assert 'class="quoted h-cite' in (await blog.browser().get(accepted.url)).text
    feed = (await blog.browser().get("/feed.json")).json()
    assert (
        f'<p>RE: <a href="{ours.url}">'
        in next(each for each in feed["items"] if each["id"] == accepted.uri)["content_html"]
    )
    page = (await blog.browser().get(pending.url)).text
    assert "The tide is late" not in page
    assert "Quotes another post" in page
    assert "has not agreed yet" in (await owner.get(pending.url)).text
    for state, words in (("rejected", "does not want that"), ("revoked", "does not want that")):
        await blog.site.db.write(_answer, state)
        page = (await blog.browser().get(pending.url)).text
        assert words in page
        assert seen.uri not in page
    page = (await owner.get(f"/write/{pending.id}")).text
    assert 'name="quote"' not in page


async def test_what_cannot_be_quoted_is_said_in_the_form(blog: Blog) -> None:
    bob = await blog.stranger("bob")
    seen = await blog.heard(bob, "<p>Open</p>", 1)
    owner = await blog.owner()
    typed = {"source": "For a few", "quote": str(seen.id), "visibility": "followers", "do": "publish"}
    answer = await owner.post("/write", typed)
    assert answer.status_code == 422
    assert "only its own author and people it mentions" in answer.text
    own = await blog.write("Between us", visibility="followers")
    page = (await owner.get(f"/write?quote={own.id}")).text
    assert '<option value="followers" selected>' in page
    await owner.post("/write", {"source": "Not yet", "quote": str(own.id), "visibility": "followers", "do": "draft"})
    (draft,) = await blog.site.db.read(account_posts.drafts, blog.alice.id)
    assert "Between us" in (await owner.get(f"/write/{draft.id}")).text
    closed = await blog.write("Nobody quotes this", quotable="nobody")
    assert f"/write?quote={closed.id}" in (await owner.get(closed.url)).text


async def test_who_may_comment_is_chosen_and_said(blog: Blog) -> None:
    owner = await blog.owner()
    for policy, words in (("followers", "Only followers may comment."), ("nobody", "Comments are closed.")):
        typed = {"source": "Read only", "comments": policy, "quotable": policy, "do": "publish"}
        answer = await owner.post("/write", typed)
        path = answer.headers["location"]
        page = (await blog.browser().get(path)).text
        assert words in page
        assert ("Reply from the fediverse" in page) == (policy == "followers")
        page = (await owner.get(path)).text
        assert (words in page) == (policy == "nobody")  # its author may, and is told who may not
        assert "Write a reply" in page
        number = int(path.rpartition("/")[2].partition("?")[0])
        assert (await owner.get(f"/write/{number}")).text.count(f'<option value="{policy}" selected>') == 2
    await owner.post(f"/write/{number}", {"source": "Read only", "comments": "public", "do": "publish"})
    kept = await blog.site.db.read(posts.stored, number)
    assert kept is not None
    assert (kept.repliable, kept.quotable) == ("public", "nobody")
    assert "Reply from the fediverse" in (await blog.browser().get(path)).text


async def test_the_author_sees_which_replies_are_approved_and_takes_that_back(blog: Blog) -> None:
    bob = await blog.stranger("bob")
    post = await blog.write("Ask me")
    answer = await blog.heard(bob, "<p>May I?</p>", 1, in_reply_to=post.uri)
    await blog.site.db.write(approvals.authorize_reply, post.id, bob.id, answer.uri)
    owner, visitor = await blog.owner(), blog.browser()
    page = (await owner.get(post.url)).text
    assert "1 reply stands here by your approval" in page
    assert "by your approval" not in (await visitor.get(post.url)).text
    number = int(page.split('action="/reply/')[1].split("/")[0])
    found = (await visitor.get(f"/r/{number}", accept=ACTIVITY)).json()
    assert {key: value for key, value in found.items() if key != "@context"} == {
        "id": blog.site.urls.reply_authorization(number),
        "type": "ReplyAuthorization",
        "attributedTo": blog.alice.uri,
        "interactingObject": answer.uri,
        "interactionTarget": post.uri,
    }
    assert "May I?" in (await visitor.get(post.url)).text
    assert (await owner.post(f"/reply/{number + 1}/revoke")).status_code == 404
    back = {"next": post.url.removeprefix(blog.site.urls.origin)}
    assert (await owner.post(f"/reply/{number}/revoke", back)).status_code == 303
    for browser in (owner, visitor):
        assert "May I?" not in (await browser.get(post.url)).text
    assert (await visitor.get(f"/r/{number}", accept=ACTIVITY)).status_code == 404


@pytest.mark.parametrize(
    ("state", "words"),
    [("pending", "waits for the approval"), ("accepted", "has approved"), ("rejected", "turned it down")],
)
async def test_what_an_author_elsewhere_says_of_an_answer_is_told_to_who_wrote_it(
    blog: Blog, state: Literal["pending", "accepted", "rejected"], words: str
) -> None:
    bob = await blog.stranger("bob")
    above = await blog.heard(bob, "<p>Ask first</p>", 1)
    answer = await blog.write("May I?", reply_to=above.id)
    owner, visitor = await blog.owner(), blog.browser()
    assert words not in (await owner.get(answer.url)).text
    await blog.site.db.write(approvals.settle, answer.uri, above.id, state, "")
    assert words in (await owner.get(answer.url)).text
    assert words not in (await visitor.get(answer.url)).text


async def test_a_like_and_a_boost_that_wait_are_marked_for_who_gave_them(blog: Blog) -> None:
    bob = await blog.stranger("bob")
    rule = Rule(manual=(PUBLIC,))
    seen = await blog.heard(bob, "<p>Slow water</p>", 1, policy=InteractionPolicy(like=rule, announce=rule))
    urls, owner = blog.site.urls, await blog.owner()
    words = ("Your like waits", "Your boost waits")

    async def shown() -> list[bool]:
        page = (await owner.get(f"/post/{seen.id}")).text
        return [each in page for each in words]

    assert await shown() == [False, False]
    await blog.site.db.write(reaction_actions.like, urls, blog.alice.id, seen.id)
    await blog.site.db.write(reaction_actions.boost, urls, blog.alice.id, seen.id)
    assert await shown() == [True, True]
    assert await blog.site.db.read(approvals.waiting, bob.id, seen.id) == []
    uri = await blog.site.db.read(lambda tx: tx.all("select uri from reaction")[0].uri)
    await blog.site.db.write(approvals.settle, uri, seen.id, "accepted", "https://far.example/1")
    assert await shown() == [False, True]
    await blog.site.db.write(reaction_actions.unboost, urls, blog.alice.id, seen.id)
    assert await shown() == [False, False]
