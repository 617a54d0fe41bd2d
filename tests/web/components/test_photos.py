"""Pictures of a post in the sizes that there are of them."""

from __future__ import annotations

import re
from typing import Any

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Attachment, Picture, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.web.components.page_links import Links
from fediblog.web.components.photos import photo, scaled

LINKS = Links.of(Urls("https://blog.test", "blog.test", b"a key"), signed_in=False)
BOB = Account(uri="", kind="Person", handle="bob", inbox="", id=2, domain="far.example")
MEDIA = "https://blog.test/media"


def attributes(local: bool, among: int = 1, **file: Any) -> dict[str, str]:
    """Of the picture that is shown, one of so many."""
    post = Post(uri="", kind="Note", author="", id=7, account=BOB, visibility=Visibility.PUBLIC, local=local)
    shown = photo(Attachment(kind="Image", media_type="image/jpeg", **file), LINKS, post, among)
    return dict(re.findall(r' (\w+)="([^"]*)"', shown.partition("<img")[2]))


def test_an_upload_is_shown_in_two_sizes_and_nothing_jumps() -> None:
    found = attributes(True, url=f"{MEDIA}/a.jpg", preview=f"{MEDIA}/b.jpg", width=3000, height=2000, alt='"A"')
    assert (found["width"], found["height"], found["loading"]) == ("3000", "2000", "lazy")
    assert found["srcset"] == "/media/b.jpg 1280w, /media/a.jpg 3000w"
    assert (found["src"], found["alt"]) == ("/media/a.jpg", "&quot;A&quot;")
    upright = attributes(True, 3, url=f"{MEDIA}/a.jpg", preview=f"{MEDIA}/b.jpg", width=500, height=1000)
    assert upright["srcset"] == "/media/b.jpg 200w, /media/a.jpg 500w"
    assert upright["src"] == "/media/b.jpg"
    assert "50vw" in upright["sizes"]
    small = attributes(True, url=f"{MEDIA}/a.jpg", width=300, height=200)
    assert "srcset" not in small


def test_a_copy_is_shown_in_two_sizes_and_never_its_original() -> None:
    far = "https://far.example/a.jpg"
    found = attributes(False, url=far, preview="https://far.example/small.jpg", width=3200, height=1600)
    here = LINKS.loaded("p7", far)
    assert here.startswith("/media/remote/p7/")
    assert found["srcset"] == f"{here}.small 480w, {here} 1600w"
    assert (found["src"], found["width"], found["height"]) == (here, "3200", "1600")
    unknown = attributes(False, 2, url=far)
    assert "srcset" not in unknown
    assert "width" not in unknown
    assert unknown["src"] == f"{here}.small"
    assert LINKS.loaded("p8", far) != here


def test_a_picture_above_a_post_is_loaded_as_large_as_its_box() -> None:
    own = Picture(url=f"{MEDIA}/a.jpg", preview=f"{MEDIA}/b.jpg", width=1280, height=640, alt='"A"')
    first, listed = (shown(own, local=True, first=each) for each in (True, False))
    for found in (first, listed):
        assert found["srcset"] == "/media/b.jpg 400w, /media/a.jpg 1280w"
        assert (found["width"], found["height"], found["alt"]) == ("1280", "640", "&quot;A&quot;")
    assert (first["src"], first["sizes"], first["fetchpriority"]) == ("/media/a.jpg", "20rem", "high")
    assert "loading" not in first
    assert (listed["src"], listed["sizes"], listed["loading"]) == ("/media/b.jpg", "20rem", "lazy")
    far = "https://far.example/a.jpg"
    here = LINKS.loaded("p7", far)
    assert shown(Picture(url=far, width=800, height=1600))["srcset"] == f"{here}.small 240w, {here} 800w"
    assert shown(Picture(url=far))["src"] == f"{here}.small"  # whatever its size is
    assert shown(Picture(url=far), first=True)["src"] == here
    assert shown(Picture(url=far, width=300, height=200))["src"] == here


def shown(picture: Picture, *, local: bool = False, first: bool = False) -> dict[str, str]:
    post = Post(uri="", kind="Note", author="", id=7, account=BOB, visibility=Visibility.PUBLIC, local=local)
    return dict(re.findall(r'(\w+)="([^"]*)"', scaled(picture, LINKS, post, "20rem", first=first)))
