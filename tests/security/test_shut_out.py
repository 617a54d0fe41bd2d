"""Whoever an author of ours blocks is gone from below that author's posts, for everybody and on every route."""

from __future__ import annotations

from collections.abc import Callable

import httpx
import pytest

from fediblog.actions import moderation_actions
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.mastodon.endpoints import ENDPOINTS
from fediblog.store.posts import approvals, quotes, reactions
from tests.security.reading import reader
from tests.security.test_privacy import READ, asked
from tests.web.pages.conftest import Blog, Browser

CALLS = sorted({row.path for row in ENDPOINTS if row.method == "GET" and "/statuses/{id}" in row.path})
ACTIVITY = "application/activity+json"


class Thread:
    """A post of Alice's with what Eve and others did below it."""

    def __init__(self, blog: Blog, post: Post, eve: Account, bad: Post, member: httpx.AsyncClient) -> None:
        self.blog, self.post, self.eve, self.bad, self.member = blog, post, eve, bad, member

    async def told(self) -> dict[str, str]:
        """What each route says of the post, to visitors and to somebody else who has signed in."""
        found = {}
        nobody = self.blog.browser("127.0.0.1")
        paths = [asked(path, self.post).replace("plugh", "sea") for path in READ if "/media" not in path]
        paths += [path.replace("{id}", str(self.post.id)) for path in CALLS]
        for path in paths:
            for accept in ("text/html", ACTIVITY):
                for query in ("", "?page=0"):
                    found[f"{path}{query} {accept}"] = (await nobody.get(path + query, accept=accept)).text
        for path in (self.post.url.removeprefix(self.blog.site.urls.origin), f"/post/{self.post.id}"):
            for query in ("", f"?branch={self.bad.id}", f"?focus={self.bad.id}"):
                found[f"{path}{query} text/html"] = (await nobody.get(path + query)).text
                found[f"{path}{query} signed in"] = (await self.member.get(path + query)).text
        return found

    async def numbers(self) -> tuple[int, ...]:
        nobody = Browser(self.blog.site, self.blog.app, "127.0.0.1")
        status = (await nobody.get(f"/api/v1/statuses/{self.post.id}")).json()
        totals = [status["replies_count"], status["favourites_count"], status["reblogs_count"]]
        for name in ("replies", "likes", "shares"):
            document = (await nobody.get(f"/p/{self.post.id}/{name}", accept=ACTIVITY)).json()
            totals.append(document["totalItems"])
        context = (await nobody.get(f"/api/v1/statuses/{self.post.id}/context")).json()
        return (*totals, len(context["descendants"]))


@pytest.fixture
async def thread(blog: Blog) -> Thread:
    post = await blog.write("The tides #sea")
    eve, bob = await blog.stranger("eve", "evil.example", name="Plover"), await blog.stranger("bob")
    bad = await blog.heard(eve, "<p>plover</p>", 1, in_reply_to=post.uri)
    await blog.heard(bob, "<p>A good answer</p>", 1, in_reply_to=bad.uri)
    await blog.heard(bob, "<p>Another</p>", 2, in_reply_to=post.uri)
    for who in (eve, bob):
        await blog.site.db.write(reactions.react, who.id, post.id, f"{who.uri}/like")
        await blog.site.db.write(reactions.boost, who.id, post.id, f"{who.uri}/boost")
    return Thread(blog, post, eve, bad, await reader(blog.site, blog.alice, blog.app))


Action = Callable[[Thread], tuple[Callable[..., object], tuple[object, ...]]]


def _mutual(name: str) -> tuple[Action, Action]:
    def person(undo: str) -> Action:
        return lambda t: (getattr(moderation_actions, undo + "block"), (t.blog.site.urls, t.blog.alice.id, t.eve.id))

    def host(undo: str) -> Action:
        return lambda t: (
            getattr(moderation_actions, undo + "mute_host"),
            (t.blog.site.urls, t.blog.alice.id, "Evil.example:443"),
        )

    def server(undo: str) -> Action:
        return lambda t: (getattr(moderation_actions, undo + "block_host"), (t.blog.site.urls, "evil.example"))

    def suspended(undo: str) -> Action:
        return lambda t: (getattr(moderation_actions, undo + "suspend"), (t.blog.site.urls, t.eve.id))

    made = {"person": person, "host": host, "server": server, "suspended": suspended}[name]
    return made(""), made("un")


@pytest.mark.parametrize("kind", ["person", "host", "server", "suspended"])
async def test_who_is_blocked_is_gone_on_every_route_and_comes_back(thread: Thread, kind: str) -> None:
    do, undo = _mutual(kind)
    before = await thread.told()
    shown = {path for path, text in before.items() if "plover" in text.lower() or f"{thread.eve.uri}/" in text}
    assert len(shown) > 8, shown
    assert await thread.numbers() == (3, 2, 2, 3, 2, 2, 3)
    call, given = do(thread)
    await thread.blog.site.db.write(call, *given)
    for path, text in (await thread.told()).items():
        assert "plover" not in text.lower(), path
        assert f"{thread.eve.uri}/like" not in text, path
        assert f"{thread.eve.uri}/boost" not in text, path
        if "text/html" in path and "A good answer" in text and path.startswith("/@alice/") and "/feed." not in path:
            assert text.count("A comment that is not shown.") == 1
    assert await thread.numbers() == (2, 1, 1, 2, 1, 1, 2)
    call, given = undo(thread)
    await thread.blog.site.db.write(call, *given)
    assert await thread.numbers() == (3, 2, 2, 3, 2, 2, 3)


async def test_answers_of_others_stay_below_a_comment_that_is_not_shown(thread: Thread) -> None:
    blog = thread.blog
    await blog.site.db.write(moderation_actions.block, blog.site.urls, blog.alice.id, thread.eve.id)
    page = (await blog.browser().get(thread.post.url.removeprefix(blog.site.urls.origin))).text
    unseen, answer = page.index("A comment that is not shown."), page.index("A good answer")
    assert unseen < answer
    assert page.index('<div class="kids">') < answer
    assert ">2 comments<" in page


async def test_a_mute_changes_nothing_for_others(thread: Thread) -> None:
    blog = thread.blog
    await blog.site.db.write(moderation_actions.mute, blog.site.urls, blog.alice.id, thread.eve.id)
    assert await thread.numbers() == (3, 2, 2, 3, 2, 2, 3)
    page = (await blog.browser().get(thread.post.url.removeprefix(blog.site.urls.origin))).text
    assert "Plover" in page


@pytest.mark.parametrize("kind", ["person", "host", "server", "suspended"])
async def test_quotes_of_who_is_blocked_are_gone_as_well(thread: Thread, kind: str) -> None:
    """Quotes of the post, the words of the blocked in a quote below it, and the proofs that they had of its author."""
    blog, post, eve = thread.blog, thread.post, thread.eve
    bob = await blog.stranger("bob")
    words = await blog.heard(eve, "<p>plover elsewhere</p>", 7)
    quoting = await blog.heard(eve, "<p>plover quotes</p>", 8, quote=post.uri)
    await blog.heard(bob, "<p>An answer that quotes</p>", 9, in_reply_to=post.uri, quote=words.uri)
    answer = await blog.heard(eve, "<p>plover answers</p>", 10, in_reply_to=post.uri)
    granted = await blog.site.db.write(quotes.grant, post.id, eve.id, quoting.uri)
    allowed = await blog.site.db.write(approvals.authorize_reply, post.id, eve.id, answer.uri)
    nobody = Browser(blog.site, blog.app, "127.0.0.1")

    async def seen() -> tuple[int, int, int, int, bool]:
        status = (await nobody.get(f"/api/v1/statuses/{post.id}")).json()
        listed = (await nobody.get(f"/api/v1/statuses/{post.id}/quotes")).json()
        proofs = [(await nobody.get(path, accept=ACTIVITY)).status_code for path in (f"/q/{granted}", f"/r/{allowed}")]
        other = await nobody.get(f"/api/v1/statuses/{quoting.id}")
        return status["quotes_count"], len(listed), *proofs, "The tides" in other.text

    assert await seen() == (1, 1, 200, 200, True)
    do, undo = _mutual(kind)
    call, given = do(thread)
    await blog.site.db.write(call, *given)
    assert await seen() == (0, 0, 404, 404, False)
    told = await thread.told()
    for path, text in told.items():
        assert "plover" not in text.lower(), path
    assert any("An answer that quotes" in text for text in told.values())
    call, given = undo(thread)
    await blog.site.db.write(call, *given)
    assert await seen() == (1, 1, 200, 200, True)
