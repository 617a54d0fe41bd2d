"""Pictures that apps upload."""

from __future__ import annotations

import io
from tempfile import SpooledTemporaryFile

import pytest
from PIL import Image

from fediblog.federation import uploads
from fediblog.mastodon.statuses import media_api
from fediblog.media.pictures import AT_ONCE, UPLOAD_LIMIT
from fediblog.store.posts import media_files
from fediblog.store.tx import Tx
from tests.mastodon.server import Server


def picture(kind: str = "PNG") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (32, 24), "teal").save(out, kind)
    return out.getvalue()


def _add(tx: Tx, account: int, alt: str, focus: tuple[float, float] | None) -> int:
    number = media_files.add(
        tx,
        account,
        media_type="image/png",
        file=f"aa/bb/{tx.new_id():032x}.png",
        large="",
        small="",
        width=32,
        height=24,
        blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj",
        size=100,
    )
    media_files.describe(tx, number, alt, focus)
    return number


async def uploaded(server: Server, handle: str, alt: str = "", focus: tuple[float, float] | None = None) -> str:
    """The number of a picture of that person, without decoding one."""
    return str(await server.write(_add, server.people[handle].id, alt, focus))


async def test_a_picture_is_uploaded_with_its_description(server: Server) -> None:
    alice = await server.api("alice")
    sent = {"file": ("a.png", picture(), "image/png")}
    made = await alice.post("/api/v2/media", files=sent, data={"description": "Teal ", "focus": "0.5,-2"})
    assert (made["type"], made["description"], made["meta"]["focus"]) == ("image", "Teal", {"x": 0.5, "y": -1.0})
    assert made["meta"]["original"]["size"] == "32x24"
    page = await server.world.get("blog.test", made["url"])
    assert page.headers["content-type"] == "image/png"
    older = await alice.post("/api/v1/media", files=sent)
    assert older["description"] is None
    post = await alice.post("/api/v1/statuses", {"status": "", "media_ids": [made["id"], older["id"]]})
    assert [each["id"] for each in post["media_attachments"]] == [made["id"], older["id"]]
    assert [each["description"] for each in post["media_attachments"]] == ["Teal", None]


async def test_what_is_no_picture_is_refused_with_a_reason(
    server: Server, spooled: list[SpooledTemporaryFile[bytes]]
) -> None:
    alice = await server.api("alice")
    await alice.post("/api/v2/media", files={"file": ("a.png", picture(), "image/png")})
    for data in (b"GIF89a nothing", b"\x00\x00\x00\x18ftypmp42", b"ID3", b""):
        answer = await alice.call("POST", "/api/v2/media", files={"file": ("a.mp4", data, "video/mp4")})
        assert answer.status_code == 422, data
        assert answer.json()["error"]
    large = {"file": ("a.png", b"x" * (UPLOAD_LIMIT + 1), "image/png")}
    assert "16 MB" in (await alice.call("POST", "/api/v2/media", files=large)).json()["error"]
    assert [file.closed for file in spooled] == [True] * 6
    assert await alice.status("POST", "/api/v2/media", data={"file": "text"}) == 422
    assert await alice.status("POST", "/api/v2/media", json={}) == 422
    broken = {"content-type": "multipart/form-data; boundary=x"}
    assert await alice.status("POST", "/api/v2/media", content=b"--x\r\nnonsense", headers=broken) in (400, 422)
    narrow = await server.api("alice", "write:statuses")
    assert await narrow.status("POST", "/api/v2/media", files={"file": ("a.png", picture())}) == 403
    assert await (await server.api()).status("POST", "/api/v2/media", files={"file": ("a.png", picture())}) == 401


async def test_it_is_described_and_thrown_away_by_its_owner_alone(server: Server) -> None:
    number = await uploaded(server, "alice", "one")
    path = f"/api/v1/media/{number}"
    alice, bob = await server.api("alice"), await server.api("bob")
    assert (await alice.get(path))["description"] == "one"
    changed = await alice.call("PUT", path, json={"focus": "0.1,0.2"})
    assert (changed.json()["description"], changed.json()["meta"]["focus"]) == ("one", {"x": 0.1, "y": 0.2})
    assert (await alice.call("PUT", path, data={"description": ""})).json()["description"] is None
    assert await alice.status("PUT", path, json={"description": "x" * 1501}) == 422
    for method in ("GET", "PUT", "DELETE"):
        assert await bob.status(method, path, json={"description": "x"}) == 404
    post = await alice.post("/api/v1/statuses", {"status": "x", "media_ids": [number]})
    assert await alice.status("PUT", path, json={"description": "late"}) == 404
    assert await alice.status("DELETE", path) == 422
    await alice.call("DELETE", f"/api/v1/statuses/{post['id']}")
    assert await alice.status("DELETE", path) == 200
    assert await alice.status("GET", path) == 404


async def test_the_pictures_of_a_deleted_post_wait_for_a_day(both: Server) -> None:
    number = await uploaded(both, "alice")
    alice = await both.api("alice")
    post = await alice.post("/api/v1/statuses", {"status": "x", "media_ids": [number]})
    both.clock.forward(seconds=3 * 86_400)
    await alice.call("DELETE", f"/api/v1/statuses/{post['id']}")
    assert await both.read(media_files.unused, both.clock() - 86_400_000) == []
    both.clock.forward(seconds=86_401)
    assert [each.id for each in await both.read(media_files.unused, both.clock() - 86_400_000)] == [int(number)]


async def test_what_takes_long_is_finished_while_nobody_waits(both: Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(media_api, "PATIENCE", 0.0)
    alice, slots = await both.api("alice"), both.site.keep(uploads._slots)
    for _ in range(AT_ONCE):  # other pictures are decoded first, for as long as the test likes
        await slots.acquire()
    answer = await alice.call(
        "POST", "/api/v2/media", files={"file": ("a.png", picture(), "image/png")}, data={"description": "Teal"}
    )
    made = answer.json()
    assert (answer.status_code, made["url"], made["description"]) == (202, None, "Teal")
    path = f"/api/v1/media/{made['id']}"
    assert await alice.status("GET", path) == 206
    early = await alice.call("POST", "/api/v1/statuses", json={"status": "x", "media_ids": [made["id"]]})
    assert (early.status_code, "still being worked on" in early.text) == (422, True)
    slots.release()
    await both.site.keep(uploads.Unfinished).finish()
    ready = await alice.get(path)
    assert ready["meta"]["original"]["size"] == "32x24"
    assert ready["description"] == "Teal"
    post = await alice.post("/api/v1/statuses", {"status": "x", "media_ids": [made["id"]]})
    assert post["media_attachments"][0]["url"] == ready["url"]


async def test_what_is_no_picture_after_all_or_was_left_behind_is_said(
    server: Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_api, "PATIENCE", 0.0)
    alice = await server.api("alice")
    bad = await alice.post("/api/v2/media", files={"file": ("a.png", b"GIF89a nothing", "image/png")})
    await server.site.keep(uploads.Unfinished).finish()
    answer = await alice.call("GET", f"/api/v1/media/{bad['id']}")
    assert answer.status_code == 422
    assert "picture" in answer.json()["error"]
    left = await server.write(media_files.promise, server.people["alice"].id)
    assert await alice.status("GET", f"/api/v1/media/{left}") == 206
    server.clock.forward(minutes=11)
    assert await alice.status("GET", f"/api/v1/media/{left}") == 422
