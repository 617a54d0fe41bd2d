"""Letters: a conversation is read and answered by those who take part, and by nobody else."""

from __future__ import annotations

import re

from fediblog.actions import account_actions
from fediblog.domain.documents import Visibility
from fediblog.federation.keyring import make_keys
from fediblog.passwords import hash_password
from fediblog.store.posts import conversations, posts
from fediblog.store.tx import Tx
from tests.web.pages.conftest import PASSWORD, Blog, Browser

NOBODY = "Nobody can read this but you: no one is named."


async def second(blog: Blog) -> Browser:
    """A browser of somebody else who writes here."""

    def make(tx: Tx) -> None:
        login = account_actions.add_login(tx, "carol", hash_password(PASSWORD))
        account_actions.add_account(tx, blog.site.urls, login.id, "carol", "Carol", make_keys())

    await blog.site.db.write(make)
    browser = blog.browser("192.0.2.9")
    assert (await browser.log_in("carol")).status_code == 303
    return browser


async def test_a_letter_is_written_answered_and_read(blog: Blog) -> None:
    carol, owner = await second(blog), await blog.owner()
    page = (await owner.get("/letters/new")).text
    assert 'name="to"' in page
    sent = await owner.post("/letters/new", {"to": "@carol", "source": "May I borrow it?"})
    assert sent.status_code == 303
    where = sent.headers["location"]
    assert re.fullmatch(r"/letters/\d+", where)
    mine = (await owner.get(where)).text
    assert "Only Carol and you can read this." in mine
    assert "Send to Carol" in mine
    listed = (await carol.get("/letters")).text
    assert 'class="badge private">new' in listed
    theirs = re.search(r'<a href="(/letters/\d+)"><bdi>Alice Marlow', listed)
    assert theirs is not None
    opened = (await carol.get(theirs[1])).text
    assert "May I borrow it?" in opened
    assert "/boost" not in opened
    assert 'class="badge private">new' not in (await carol.get("/letters")).text, "to have seen it is to have read it"
    answered = await carol.post(theirs[1], {"source": "Take it."})
    assert answered.headers["location"].startswith(f"{theirs[1]}#p")
    both = (await owner.get(where)).text
    assert both.index("May I borrow it?") < both.index("Take it.") < both.index('name="source"')
    number = int(answered.headers["location"].rpartition("#p")[2])
    stored = await blog.site.db.read(posts.stored, number)
    assert stored is not None
    assert (stored.visibility, stored.addressed) == (Visibility.DIRECT, frozenset({blog.alice.id}))


async def test_a_letter_that_reaches_nobody_is_not_sent(blog: Blog) -> None:
    owner = await blog.owner()
    for to, text, said in (
        ("", "Words", NOBODY),
        ("@", "Words", NOBODY),
        ("@nobody_here", "Words", "@nobody_here"),
        ("alice", "", "Write something"),
    ):
        answer = await owner.post("/letters/new", {"to": to, "source": text})
        assert answer.status_code == 422, to
        assert said in answer.text, to
        assert f">\n{text}</textarea>" in answer.text
    assert "No letters." in (await owner.get("/letters")).text
    to = (await owner.get(f"/letters/new?to={(await blog.stranger()).id}")).text
    assert 'value="@bob@far.example"' in to
    assert (await owner.get("/letters/new?to=77")).status_code == 404


async def test_nobody_opens_or_answers_the_letters_of_others(blog: Blog) -> None:
    bob = await blog.stranger()
    post = await blog.write(f"@{bob.acct} Between us", visibility="direct")
    [own] = await blog.site.db.read(conversations.of_posts, blog.alice.id, [post.id])
    carol = await second(blog)
    for number in (own.id, own.id + 1, post.id):
        assert (await carol.get(f"/letters/{number}")).status_code == 404
        assert (await carol.post(f"/letters/{number}", {"source": "Me, too"})).status_code == 404
    assert (await blog.browser().get(f"/letters/{own.id}")).status_code == 303


async def test_what_is_private_looks_private_wherever_it_is_shown(blog: Blog) -> None:
    bob, owner = await blog.stranger(), await blog.owner()
    post = await blog.write(f"@{bob.acct} Between us", visibility="direct")
    page = (await owner.get(f"/post/{post.id}", accept="text/html")).headers["location"]
    assert 'is-note letter" id="p' in (await owner.get(page)).text
    assert "Only people mentioned: @alice@blog.test" in (await owner.get(page)).text


async def test_a_profile_lists_no_letters_and_numbers_count_none(blog: Blog) -> None:
    """They stand among the conversations alone, for those to whom they are too."""
    post = await blog.write("For everybody")
    await blog.write("A letter to myself", visibility="direct")
    owner = await blog.owner()
    assert "A letter to myself" in (await owner.get("/letters")).text
    for path in ("/@alice", "/@alice?show=replies", "/numbers"):
        page = (await owner.get(path)).text
        assert ("A letter to myself" in page, path) == (False, path)
    assert f"/post/{post.id}" in (await owner.get("/numbers")).text or "For everybody" in page
