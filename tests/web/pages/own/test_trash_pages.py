"""What an author deletes is gone for everybody at once, and waits for the author alone for thirty days."""

from __future__ import annotations

import re
import zipfile

import pytest

from fediblog.actions import account_actions, category_actions
from fediblog.actions.drafts import File, PollDraft
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Category, Post
from fediblog.errors import NotFound
from fediblog.federation import account_export, deleted_posts, uploads
from fediblog.store.id_paging import Window
from fediblog.store.people import post_preferences
from fediblog.store.posts import media_files, posts, tombstones
from fediblog.store.posts.media_files import Upload
from fediblog.store.readers import trash
from fediblog.store.readers.trash import Trashed
from tests.security.test_unsent import act_as, another
from tests.web.pages.conftest import Blog, Browser
from tests.web.pages.test_desk import picture

DAY = 86_400


async def thrown(blog: Blog) -> list[Trashed]:
    return await blog.site.db.read(lambda tx: trash.listed(tx, blog.alice.id, Window(), whole=True))


async def copies(blog: Blog) -> list[Upload]:
    """The pictures of what was deleted last."""
    return await blog.site.db.read(trash.pictures, (await thrown(blog))[0].id)


async def delete(owner: Browser, post: Post, **more: str) -> None:
    await owner.get(f"/post/{post.id}/delete")
    assert (await owner.post(f"/post/{post.id}/delete", more)).status_code == 303


async def is_served(blog: Blog, upload: Upload) -> list[bool]:
    browser = blog.browser()
    return [(await browser.get(f"/media/{name}")).status_code == 200 for name in upload.names]


async def article(blog: Blog) -> tuple[Post, list[Upload]]:
    made = [await uploads.upload(blog.site, blog.alice.id, picture(each)) for each in ("teal", "navy", "red")]
    below, above, within = made
    shelf = await blog.site.db.write(category_actions.add, Category(id=0, name="Shelf", slug=""))
    post = await blog.write(
        f"About zqxjk\n\n![A red square](/media/{within.file})",
        title="On shelves",
        summary="In short",
        warning="Dust",
        language="de",
        tags=("dusty",),
        categories=(shelf.id,),
        files=(File(upload=below.id, alt="A teal square"),),
        hero=File(upload=above.id, alt="A navy square", caption="Navy"),
        comments="followers",
        visibility=Visibility.UNLISTED,
    )
    return post, made


async def test_a_deleted_post_is_kept_for_its_author_and_made_a_draft_again(blog: Blog) -> None:
    owner, (post, made) = await blog.owner(), await article(blog)
    await delete(owner, post)
    assert [await is_served(blog, each) for each in made] == [[False] * len(each.names) for each in made]
    anybody = blog.browser()
    assert (await anybody.get(post.url)).status_code == 410
    assert await blog.site.db.read(tombstones.of_page, post.url) is not None
    assert (await anybody.get("/trash")).status_code == 303
    library = (await owner.get("/write/pictures")).text
    assert not any(each.file in library for each in (*made, *await copies(blog)))

    listed = (await owner.get("/trash")).text
    assert "On shelves" in listed
    kept = (await thrown(blog))[0]
    page = (await owner.get(f"/trash/{kept.id}")).text
    for told in ("zqxjk", "In short", "Dust", "#dusty", "Shelf", "A teal square", "A navy square", "A red square"):
        assert told in page
    assert page.count("<img src=") - (await owner.get("/trash")).text.count("<img src=") == 3
    assert all(each.file not in page for each in made)

    answer = await owner.post(f"/trash/{kept.id}/restore")
    number = int(answer.headers["location"].rpartition("/")[2].partition("?")[0])
    draft = await blog.site.db.read(posts.stored, number)
    assert draft is not None
    assert (draft.state, draft.id == post.id, draft.uri == post.uri) == ("draft", False, False)
    assert (draft.title, draft.warning, draft.language, draft.visibility) == ("On shelves", "Dust", "de", "unlisted")
    assert (draft.repliable, draft.hashtags, [each.name for each in draft.categories]) == (
        "followers",
        ("dusty",),
        ["Shelf"],
    )
    assert draft.image is not None
    assert (draft.image.alt, draft.image.caption) == ("A navy square", "Navy")
    assert sorted(each.alt for each in draft.attachments) == ["A red square", "A teal square"]
    for each in draft.attachments:
        assert (await anybody.get(each.url)).status_code == 200
    assert await thrown(blog) == []
    assert (await owner.post(f"/trash/{kept.id}/restore")).status_code == 404
    assert (await anybody.get(post.url)).status_code == 410


async def test_a_picture_that_something_else_shows_stays_where_it_is(blog: Blog) -> None:
    owner = await blog.owner()
    made = await uploads.upload(blog.site, blog.alice.id, picture())
    one = await blog.write("One", files=(File(upload=made.id, alt="Teal"),))
    await blog.write("Two", files=(File(upload=made.id),))
    await delete(owner, one)
    assert all(await is_served(blog, made))
    copy = (await copies(blog))[0]
    assert (copy.alt, copy.file != made.file, await is_served(blog, copy)) == ("Teal", True, [True] * len(copy.names))
    assert await blog.site.db.read(media_files.get, copy.id, blog.alice.id) is None


async def test_a_poll_and_a_letter_are_kept_as_they_were(blog: Blog) -> None:
    owner, bob = await blog.owner(), await blog.stranger()
    poll = await blog.write("Which?", poll=PollDraft(options=("one", "two"), multiple=True, seconds=3600))
    letter = await blog.write(f"@{bob.acct} zqxjk", visibility="direct")
    await delete(owner, poll)
    await delete(owner, letter)
    for _ in range(2):
        kept = (await thrown(blog))[-1]
        answer = await owner.post(f"/trash/{kept.id}/restore")
        draft = await blog.site.db.read(posts.stored, int(answer.headers["location"].rpartition("/")[2]))
        assert draft is not None
        if draft.poll:
            assert [each.name for each in draft.poll.options] == ["one", "two"]
            assert draft.poll.multiple
        else:
            assert draft.visibility is Visibility.DIRECT


async def test_nothing_is_kept_where_its_author_does_not_like(blog: Blog) -> None:
    owner = await blog.owner()
    one, two, draft = await blog.write("One"), await blog.write("Two"), await blog.write("Three", state="draft")
    assert "for-good" in (await owner.get(f"/post/{one.id}/delete")).text
    await delete(owner, one, **{"for-good": "1"})
    assert await thrown(blog) == []
    await delete(owner, draft)
    assert [each.words for each in await thrown(blog)] == ["Three"]
    await owner.post("/settings/publishing", {"visibility": "public", "quotes": "public", "comments": "public"})
    assert not (await blog.site.db.read(post_preferences.defaults, blog.alice.id)).trash
    assert "for-good" not in (await owner.get(f"/post/{two.id}/delete")).text
    await delete(owner, two)
    assert [each.words for each in await thrown(blog)] == ["Three"]


async def test_it_is_deleted_for_good_one_by_one_all_at_once_and_after_thirty_days(blog: Blog) -> None:
    owner = await blog.owner()

    async def throw() -> Upload:
        made = await uploads.upload(blog.site, blog.alice.id, picture())
        await delete(owner, await blog.write("x", files=(File(upload=made.id),)))
        return (await copies(blog))[0]

    one = await throw()
    await owner.post(f"/trash/{(await thrown(blog))[0].id}/delete")
    assert not any(await is_served(blog, one))
    two = await throw()
    await owner.post("/trash/empty")
    assert len(await thrown(blog)) == 1
    await owner.post("/trash/empty", {"sure": "1"})
    assert (await thrown(blog), await is_served(blog, two)) == ([], [False] * len(two.names))
    three = await throw()
    blog.clock.forward(seconds=30 * DAY - 60)
    assert await deleted_posts.sweep(blog.site) == []
    assert await blog.site.db.read(media_files.unused, blog.clock.now) == []
    blog.clock.forward(seconds=120)
    assert sorted(await deleted_posts.sweep(blog.site)) == sorted(three.names)
    assert (await thrown(blog), any(await is_served(blog, three))) == ([], False)


async def test_the_trash_of_another_account_is_nowhere(blog: Blog) -> None:
    owner = await blog.owner()
    await delete(owner, await blog.write("zqxjk"))
    kept = (await thrown(blog))[0]
    await act_as(blog, owner, await another(blog))
    assert "zqxjk" not in (await owner.get("/trash")).text
    assert (await owner.get(f"/trash/{kept.id}")).status_code == 404
    for end in ("restore", "delete"):
        await owner.post(f"/trash/{kept.id}/{end}")
    await owner.post("/trash/empty", {"sure": "1"})
    assert await thrown(blog) == [kept]


async def test_it_is_exported_and_goes_with_the_account(blog: Blog) -> None:
    owner, (post, _) = await blog.owner(), await article(blog)
    await delete(owner, post)
    name, _ = await account_export.make(blog.site, blog.alice)
    with zipfile.ZipFile(blog.site.settings.exports / name) as archive:
        entry = next(each for each in archive.namelist() if each.startswith("trash/"))
        text = archive.read(entry).decode()
        for told in ('title: "On shelves"', 'audience: "unlisted"', "zqxjk", "A teal square", '"Shelf"'):
            assert told in text
        named = re.findall(r"media/[0-9a-f/]+\.\w+", text)
        assert set(named) <= set(archive.namelist())
        assert len(set(named)) == 3
    await blog.site.db.write(account_actions.delete_account, blog.site.urls, blog.alice.id)
    assert await thrown(blog) == []


async def test_a_crash_before_the_post_is_deleted_loses_nothing(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    made = await uploads.upload(blog.site, blog.alice.id, picture())
    post = await blog.write("x", files=(File(upload=made.id),))

    def killed(*_: object) -> list[str]:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        await deleted_posts.delete(blog.site, blog.alice.id, post.id, killed)
    assert await blog.site.db.read(posts.stored, post.id) is not None
    assert all(await is_served(blog, made))
    with pytest.raises(NotFound):
        await deleted_posts.restore(blog.site, blog.alice.id, post.id)
