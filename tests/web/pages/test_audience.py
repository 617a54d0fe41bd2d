"""Who a post is for: said before it is sent, shown wherever it stands, and begun with as its account prefers."""

from __future__ import annotations

import pytest

from fediblog.domain.posts import Post
from fediblog.store.people import accounts, post_preferences
from fediblog.store.posts import account_posts
from fediblog.store.readers import notifications
from fediblog.web.pages import ROUTES
from tests.security.test_privacy import asked, flat
from tests.web.pages.conftest import Blog

READ = sorted({route.path for route in flat(list(ROUTES)) if "GET" in (route.methods or ())})


async def mine(blog: Blog) -> list[Post]:
    return await blog.site.db.read(account_posts.written, blog.alice.id, blog.alice.id)


@pytest.mark.parametrize(
    ("source", "visibility", "said"),
    [
        ("For nobody at all", "direct", "it mentions nobody"),
        ("@nobody psst", "direct", "@nobody cannot be found"),
        ("@bob@far.example and @nobody@gone.example", "direct", "@nobody@gone.example cannot be found"),
        ("@nobody for friends", "followers", "@nobody cannot be found"),
    ],
)
@pytest.mark.parametrize("do", ["publish", "schedule"])
async def test_a_private_post_that_comes_to_nobody_is_not_sent_without_a_word(
    blog: Blog, source: str, visibility: str, said: str, do: str
) -> None:
    await blog.stranger()
    owner = await blog.owner()
    typed = {"source": source, "visibility": visibility, "do": do, "scheduled": "2090-01-01T10:00"}
    answer = await owner.post("/write", typed)
    assert answer.status_code == 422
    assert said in answer.text
    assert source in answer.text
    assert f'<option value="{visibility}" selected>' in answer.text
    assert 'name="anyway"' in answer.text
    assert not await mine(blog)
    assert (await owner.post("/write", {**typed, "anyway": "1"})).status_code == 303
    assert (await owner.post("/write", {**typed, "do": "draft"})).status_code == 303


@pytest.mark.parametrize(
    ("source", "visibility", "said"),
    [
        ("For nobody at all", "direct", "it mentions nobody"),
        ("@bob@far.example and @nobody@gone.example", "direct", "@nobody@gone.example cannot be found"),
        ("@nobody for friends", "followers", "@nobody cannot be found"),
    ],
)
async def test_an_edit_of_a_private_post_asks_the_same(blog: Blog, source: str, visibility: str, said: str) -> None:
    await blog.stranger()
    owner, post = await blog.owner(), await blog.write("@bob@far.example psst", visibility=visibility)
    typed = {"source": source, "visibility": visibility, "do": "publish"}
    answer = await owner.post(f"/write/{post.id}", typed)
    assert (answer.status_code, said in answer.text, source in answer.text) == (422, True, True)
    assert 'name="anyway"' in answer.text
    assert (await mine(blog))[0].source == post.source
    assert (await owner.post(f"/write/{post.id}", {**typed, "anyway": "1"})).status_code == 303
    again = {**typed, "source": "@bob@far.example psst psst"}
    assert (await owner.post(f"/write/{post.id}", again)).status_code == 303


async def test_whom_it_names_gets_it_without_a_question(blog: Blog) -> None:
    await blog.stranger()
    owner = await blog.owner()
    for source, visibility in (
        ("@bob@far.example psst", "direct"),
        ("For friends", "followers"),
        ("@nobody", "public"),
    ):
        answer = await owner.post("/write", {"source": source, "visibility": visibility, "do": "publish"})
        assert answer.status_code == 303, source
    assert len(await mine(blog)) == 3


@pytest.mark.parametrize(
    ("visibility", "label"), [("direct", "Only people mentioned"), ("followers", "Followers only")]
)
async def test_wherever_a_private_post_stands_it_says_so(blog: Blog, visibility: str, label: str) -> None:
    """Walks every page: where its words are, there is who may read them, in words that are seen."""
    bob = await blog.stranger()
    post = await blog.write("canary @bob@far.example #plugh", visibility=visibility)
    kinds = ("mention", "reply", "like", "boost")
    for kind in kinds:
        await blog.site.db.write(notifications.add, blog.alice.id, kind, bob.id, post.id)
    owner, shown = await blog.owner(), set()
    for path in READ:
        for query in ("", "?q=canary", f"?reply={post.id}"):
            page = (await owner.get(asked(path, post) + query)).text
            if "<html" in page and "canary" in page.replace("?q=canary", "").replace('value="canary"', ""):
                shown.add(path)
                marked = page.count(f"{label}</span>\n") + page.count(f"· {label}") + page.count(f">{label}</p>")
                marked += page.count(f"<span>{label}: @")  # at the head of a letter
                marked += page.count(f'<span class="aud {visibility}">')
                assert marked >= (len(kinds) if path == "/notices" else 1), path
                assert f'<span class="hidden">{label}' not in page, path
    listed = "/letters" if visibility == "direct" else "/@{handle:handle}"
    assert {"/notices", listed, "/deliveries"} <= shown, shown


async def test_the_desk_begins_as_the_account_prefers(blog: Blog) -> None:
    public = await blog.write("Hello")
    await blog.site.db.write(
        lambda tx: tx.run(
            "insert into preference (account, visibility, sensitive, quotes) values (:a, 'followers', 1, 'nobody')",
            a=blog.alice.id,
        )
    )
    await blog.site.db.write(lambda tx: accounts.update_profile(tx, blog.alice.id, language="de"))
    assert (await blog.site.db.read(post_preferences.defaults, blog.alice.id)).visibility == "followers"
    owner = await blog.owner()
    for address in ("/write", f"/write?reply={public.id}", f"/write?quote={public.id}"):
        page = (await owner.get(address)).text
        assert '<option value="followers" selected>' in page, address
        assert 'name="sensitive" value="1" checked' in page, address
        assert 'name="language" type="text" value="de"' in page, address
        assert '<option value="nobody" selected>' in page, address
