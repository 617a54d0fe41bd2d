"""Files that people bring along: decided by us what they are, served as nothing else, and never carried out."""

from __future__ import annotations

import io
import re

import pytest
from PIL import Image

from fediblog.protocol.negotiate import is_activity_type
from tests.web.pages.conftest import Blog, Browser

PAYLOAD = b'<script>alert(1)</script>{"@context":"https://www.w3.org/ns/activitystreams","id":"https://blog.test/a/1"}'
NAMES = [
    "a.html",
    "a.svg",
    "a.php",
    "../../../etc/x.png",
    "a.png\x00.html",
    "a.js",
    ".htaccess",
    "a\r\nx: y.png",
    "\u202egnp.exe",
]
KINDS = ["PNG", "JPEG", "WEBP"]
CLAIMS = ["text/html", "image/svg+xml", "application/activity+json", 'application/ld+json; profile="x"', "", "text/xml"]


def picture(kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 24), "teal").save(out, kind)
    return out.getvalue()


async def published(blog: Blog, browser: Browser, name: str, data: bytes, claim: str) -> list[str]:
    """The addresses of all files that belong to what was uploaded."""
    files = {"upload": (name, data, claim)}
    answer = await browser.post("/write", {"source": "See", "do": "publish"}, files=files)
    assert answer.status_code in (303, 422), answer.status_code
    rows = await blog.site.db.read(lambda tx: tx.all("select file, large, small from media order by id"))
    return [f"/media/{part}" for row in rows for part in row if part]


@pytest.mark.parametrize("claim", CLAIMS)
async def test_the_type_is_what_we_found_and_not_what_was_said(blog: Blog, claim: str) -> None:
    owner = await blog.owner()
    paths = await published(blog, owner, "a.html", picture(KINDS[CLAIMS.index(claim) % 3]) + PAYLOAD, claim)
    assert paths
    for path in paths:
        answer = await blog.browser().get(path)
        assert answer.status_code == 200
        assert answer.headers["content-type"] in ("image/png", "image/jpeg", "image/webp")
        assert not is_activity_type(answer.headers["content-type"])
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.headers["content-security-policy"] == "default-src 'none'; sandbox"
        assert b"<script" not in answer.content
        assert answer.content[:4] in (b"\x89PNG", b"\xff\xd8\xff\xe0", b"RIFF")


async def test_names_of_others_are_no_names_of_ours(blog: Blog) -> None:
    owner = await blog.owner()
    for name in NAMES:
        paths = await published(blog, owner, name, picture(), "image/png")
    assert paths
    assert all(re.fullmatch(r"/media/[0-9a-f]{2}/[0-9a-f]{2}/[0-9a-f]{32}\.(png|jpg|webp)", path) for path in paths)
    folder = blog.site.settings.media.resolve()
    assert all(place.resolve().is_relative_to(folder) for place in folder.rglob("*"))


@pytest.mark.parametrize(
    "data",
    [
        b"<svg xmlns='http://www.w3.org/2000/svg' onload='alert(1)'/>",
        b"<!doctype html><script>alert(1)</script>",
        b"<?xml version='1.0'?><!DOCTYPE x [<!ENTITY e SYSTEM 'file:///etc/passwd'>]><svg>&e;</svg>",
        b"%!PS-Adobe-3.0\n%%BoundingBox: 0 0 9 9\n",
        b"push graphic-context\nviewbox 0 0 1 1\nimage over 0,0 1,1 'url(https://evil.test/)'\n",
        b"GIF89a" + PAYLOAD,
        b"BM" + PAYLOAD,
        PAYLOAD,
        b"",
    ],
    ids=lambda data: repr(data[:12]),
)
async def test_what_is_no_picture_is_not_kept(blog: Blog, data: bytes) -> None:
    assert await published(blog, await blog.owner(), "a.png", data, "image/png") == []
    assert not [place for place in blog.site.settings.media.rglob("*") if place.is_file()]


WRONG = [
    "../fediblog.db",
    "../outside.png",
    "..%2foutside.png",
    "x/..%2f..%2foutside.png",
    "%2e%2e/outside.png",
    "..%2f..%2ffediblog.db",
    "%2e%2e/fediblog.db",
    "/etc/passwd",
    "ab/cd",
    "ab/cd/",
    "%00",
    "ab/cd/x.html",
    "ab/cd/abcd0000000000000000000000000000.html",
    "ab/cd/abcd0000000000000000000000000000.svg",
    "ab\\cd\\x.png",
    "ab/cd/abcd0000000000000000000000000000.unfinished",
    "ab/cd/abcd0000000000000000000000000000.png/../../x",
]


async def test_no_address_leads_out_of_the_folder(blog: Blog) -> None:
    """The database and the secret lie one folder above, and a picture does, too."""
    outside = blog.site.settings.media.parent / "outside.png"
    outside.write_bytes(b"\x89PNG SQLite")
    blog.site.settings.media.mkdir(exist_ok=True)
    for path in (f"{base}/{name}" for name in WRONG for base in ("/media", "/static", "/static/../..")):
        answer = await blog.browser().http.get(path)
        assert answer.status_code in (400, 404), path
        assert b"SQLite" not in answer.content
