"""What an edit changed: for those who may see the post, and for nobody else."""

from __future__ import annotations

import pytest
from msgspec.structs import replace

from fediblog.actions.drafts import Draft
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.federation import prepared_actions, version_differences
from tests.web.pages.conftest import ORIGIN, Blog


async def edited(blog: Blog, before: str, after: str, **draft: object) -> Post:
    """A post that said something else before."""
    post = await blog.write(before, **draft)
    blog.clock.forward(minutes=5)
    fields = replace(Draft(source=after), **draft) if draft else Draft(source=after)
    return await prepared_actions.edit(blog.site, blog.alice.id, post.id, fields)


async def test_words_that_came_and_went_are_marked_for_everybody(blog: Blog) -> None:
    post = await edited(blog, "A red **house**", "A blue **house** & garden")
    page = await blog.browser().get(f"/post/{post.id}/history")
    assert page.status_code == 200
    assert "A<del> red</del><ins> blue</ins> house<ins> &amp; garden</ins>" in page.text
    assert "A red house" in page.text  # the first version
    assert 'name="robots" content="noindex' in page.text
    shown = await blog.browser().get(post.url.removeprefix(ORIGIN))
    assert f'href="/post/{post.id}/history"' in shown.text
    again = await blog.browser().get(f"/post/{post.id}/history", if_none_match=page.headers["etag"])
    assert again.status_code == 304


async def test_an_article_shows_its_title_and_abstract_too(blog: Blog) -> None:
    post = await edited(blog, "Text", "Text", title="On Tides")
    post = await prepared_actions.edit(
        blog.site, blog.alice.id, post.id, Draft(source="Text", title="On Ebbs", summary="New here")
    )
    page = (await blog.browser().get(f"/post/{post.id}/history")).text
    assert "On<del> Tides</del><ins> Ebbs</ins>" in page
    assert "<ins>New here</ins>" in page


async def test_what_a_warning_hides_stays_below_it(blog: Blog) -> None:
    post = await edited(blog, "He was the gardener", "She was the gardener", warning="Ends of novels")
    page = (await blog.browser().get(f"/post/{post.id}/history")).text
    before, _, after = page.partition('<details class="warning">')
    assert "gardener" not in before
    assert "gardener" in after


async def test_it_is_for_those_who_may_see_the_post(blog: Blog) -> None:
    private = await edited(blog, "Was between us", "Is between us", visibility=Visibility.FOLLOWERS)
    untouched = await blog.write("As it was")
    address = f"/post/{private.id}/history"
    assert (await blog.browser().get(address)).status_code == 404
    owner = await blog.owner()
    own = await owner.get(address)
    assert own.status_code == 200
    assert "etag" not in own.headers
    assert (await owner.get(f"/post/{untouched.id}/history")).status_code == 404


async def test_posts_of_other_servers_are_for_who_has_signed_in(blog: Blog) -> None:
    post = await blog.heard(await blog.stranger(), "<p>Heard</p>", 1, updated=blog.clock.now)
    address = f"/post/{post.id}/history"
    assert (await blog.browser().get(address)).status_code == 404
    assert (await (await blog.owner()).get(address)).status_code == 200


async def test_the_longest_text_is_compared_in_a_process_of_its_own(
    blog: Blog, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And says the same as the way of short ones."""
    post = await edited(blog, "A red house\n\n" * 2_000, "A red house\n\n" * 2_000 + "with a door", title="Long")
    page = (await blog.browser().get(f"/post/{post.id}/history")).text
    assert "<ins>with a door</ins>" in page.replace("\n\nwith", "with")
    assert len(page) < 60_000
    here = await version_differences.compare(blog.site, ["", "<p>A red house</p>", "<p>A blue house</p>"])
    monkeypatch.setattr(version_differences, "LONG", 0)
    assert await version_differences.compare(blog.site, ["", "<p>A red house</p>", "<p>A blue house</p>"]) == here
