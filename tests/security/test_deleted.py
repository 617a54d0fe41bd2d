"""A private post that was deleted looks as if it had never been there; one that everybody saw says that it is gone."""

from __future__ import annotations

import pytest

from fediblog.actions import post_actions
from fediblog.actions.drafts import Draft
from fediblog.app import create_app
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from tests import wording
from tests.federation.stranger import ACTIVITY, ORIGIN, Home, Person
from tests.security.reading import reader, visitor
from tests.world import add_person, ask, keys_of

OPEN, CLOSED = (Visibility.PUBLIC, Visibility.UNLISTED), (Visibility.FOLLOWERS, Visibility.DIRECT)


def _addresses(post: Post) -> list[tuple[str, str]]:
    """Where it could be, and as what."""
    page = post.url.removeprefix(ORIGIN)
    return [(path, kind) for path in (f"/p/{post.id}", page, f"/x/{post.id}") for kind in ("text/html", ACTIVITY)] + [
        (f"/post/{post.id}", "text/html"),
        (f"/p/{post.id}/replies", ACTIVITY),
        (f"/@alice/{post.id}", "text/html"),
    ]


async def _deleted(home: Home, visibility: Visibility, title: str) -> Post:
    draft = Draft(source="Words @bob@bob.test", visibility=visibility, title=title)
    post = await home.site.db.write(wording.publish, home.site.urls, home.alice.id, draft)
    await home.site.db.write(post_actions.delete, home.site.urls, home.alice.id, post.id)
    return post


@pytest.mark.parametrize("title", ["", "An article"])
@pytest.mark.parametrize("visibility", CLOSED)
async def test_of_a_private_post_nothing_tells_that_it_was(
    at_home: Home, bob: Person, visibility: Visibility, title: str
) -> None:
    """Not even to those who knew it: whether the asker is one of them went with the post."""
    await at_home.know(bob)
    post = await _deleted(at_home, visibility, title)
    app = create_app(at_home.site)
    mallory = await at_home.site.db.write(add_person, at_home.site.urls, "mallory", keys_of("home.test", "mallory"))
    browsers = [
        visitor(at_home.site, app),
        await reader(at_home.site, at_home.alice, app),
        await reader(at_home.site, mallory, app),
    ]
    for path, accept in _addresses(post):
        for browser in browsers:
            gone = await browser.get(path, headers={"accept": accept})
            never = await browser.get(path.replace(str(post.id), str(post.id + 4711)), headers={"accept": accept})
            assert gone.status_code == never.status_code == 404 or gone.status_code in (302, 303), (path, accept)
            assert (gone.status_code, gone.headers.get("cache-control")) == (
                never.status_code,
                never.headers.get("cache-control"),
            )
        signed = at_home.request(bob, b"", path)
        fetched = await ask(app, "GET", ORIGIN + path, {**dict(signed.headers), "accept": accept})
        assert fetched.status_code in (302, 303, 401, 404), path


@pytest.mark.parametrize("title", ["", "An article"])
@pytest.mark.parametrize("visibility", OPEN)
async def test_of_a_public_post_it_is_said_that_it_is_gone(at_home: Home, visibility: Visibility, title: str) -> None:
    post = await _deleted(at_home, visibility, title)
    browser = visitor(at_home.site)
    for path in (f"/p/{post.id}", post.url.removeprefix(ORIGIN)):
        for accept in ("text/html", ACTIVITY):
            assert (await browser.get(path, headers={"accept": accept})).status_code == 410, (path, accept)
    tombstone = await browser.get(f"/p/{post.id}", headers={"accept": ACTIVITY})
    assert tombstone.json()["type"] == "Tombstone"
