"""Copies of other servers' pictures and files: what is fetched of a real second server, and what is kept of it."""

from __future__ import annotations

import asyncio
import re
import struct
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from io import BytesIO
from pathlib import Path
from typing import Any

import httpx
import pytest
from PIL import Image
from PIL.ExifTags import Base

from fediblog.actions import moderation_actions
from fediblog.app import create_app
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Attachment, Emoji, Picture
from fediblog.domain.posts import Post
from fediblog.errors import Unavailable
from fediblog.federation.lookups import media_copies
from fediblog.federation.site import Site, make_policy
from fediblog.federation.worker import Worker
from fediblog.media.file_store import FileStore
from fediblog.net import SocketEngine
from fediblog.settings import Settings
from fediblog.store.people import host_rules
from fediblog.store.people.host_rules import HostRule, Severity
from fediblog.store.posts import posts, remote_media
from fediblog.store.posts.remote_media import MadeCopy, Wanted
from fediblog.web import media_routes
from fediblog.web.components import page_elements
from fediblog.web.components.page_links import Links
from fediblog.web.components.post_text import content
from tests import host_blocks
from tests.conftest import Clock
from tests.store import makers
from tests.world import ask, new_site

ORIGIN = "https://home.test"
DAY = 86_400_000  # ms
Answer = Callable[[asyncio.StreamWriter], Awaitable[None]]


def picture(size: tuple[int, int] = (900, 600), kind: str = "PNG", colour: str = "teal", **options: Any) -> bytes:
    out = BytesIO()
    Image.new("RGB", size, colour).save(out, kind, **options)
    return out.getvalue()


def photo_with_a_place() -> bytes:
    exif = Image.Exif()
    exif[Base.Make.value] = "SECRET-CAMERA"
    return picture((1800, 1200), "JPEG", exif=exif)


def bomb() -> bytes:
    """A PNG of 60 000 pixels squared in a few bytes."""
    header = struct.pack(">IIBBBBB", 60_000, 60_000, 1, 0, 0, 0, 0)
    chunk = b"IHDR" + header
    return b"\x89PNG\r\n\x1a\n" + struct.pack(">I", 13) + chunk + struct.pack(">I", zlib.crc32(chunk))


class Far:
    """A real server that answers as it is told to, or worse."""

    def __init__(self) -> None:
        self.files: dict[str, bytes] = {}
        self.asked: list[str] = []
        self.moved: dict[str, str] = {}
        self.gate = asyncio.Event()  # whoever asks for /slow waits for it

    async def answer(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            head = await reader.readuntil(b"\r\n\r\n")
            path = head.split(b" ", 2)[1].decode()
            self.asked.append(path)
            if path == "/slow":
                await self.gate.wait()
            writer.write(self._of(path))
            if path == "/huge":
                for _ in range(20):  # MB; whoever reads all of it has been told nothing of that
                    writer.write(b"%x\r\n%b\r\n" % (1_000_000, b"\xff" * 1_000_000))
                    await writer.drain()
            await writer.drain()
        except (ConnectionError, asyncio.IncompleteReadError):
            pass
        finally:
            writer.close()

    def _of(self, path: str) -> bytes:
        if path in self.moved:
            return f"HTTP/1.1 302 Found\r\nlocation: {self.moved[path]}\r\ncontent-length: 0\r\n\r\n".encode()
        if path == "/huge":
            return b"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ntransfer-encoding: chunked\r\n\r\n"
        body = self.files.get(path)
        if body is None:
            return b"HTTP/1.1 404 Not Found\r\ncontent-length: 0\r\n\r\n"
        head = f"HTTP/1.1 200 OK\r\ncontent-type: image/png\r\ncontent-length: {len(body)}\r\n\r\n"
        return head.encode() + body


class Here:
    """Our server, which keeps copies of what lies on `far`."""

    def __init__(self, site: Site, clock: Clock, far: Far, host: str) -> None:
        self.site, self.clock, self.far, self.host = site, clock, far, host
        self.app = create_app(site)
        self.worker = Worker(site)

    def url(self, path: str) -> str:
        return f"http://{self.host}{path}"

    async def person(self, **changes: Any) -> Account:
        return await self.site.db.write(lambda tx: makers.remote(tx, "bob", **changes))

    async def post(self, author: Account, **changes: Any) -> Post:
        """A post, which is as long as its author is known."""
        number = await self.site.db.write(lambda tx: makers.post(tx, author, **changes))
        found = await self.site.db.read(posts.stored, number)
        assert found is not None
        return found

    def address(self, owner: Account | Post, path: str, size: str = "") -> str:
        kind = "p" if isinstance(owner, Post) else "a"
        return self.site.urls.copy(f"{kind}{owner.id}", self.url(path), size)

    async def get(self, address: str) -> httpx.Response:
        return await ask(self.app, "GET", address, {})

    async def look(self, address: str) -> httpx.Response:
        """Look at it, let the worker do what follows, and look again."""
        await self.get(address)
        await self.worker.idle()
        return await self.get(address)

    def files(self) -> set[str]:
        return set(self.site.copies.names())

    async def links(self, post: Post) -> list[bool]:
        """Of each file of the post, whether a link is shown in its place."""
        found = await self.site.db.read(posts.stored, post.id)
        assert found is not None
        return [each.unkept for each in found.attachments]

    async def rows(self) -> list[Any]:
        return await self.site.db.read(lambda tx: tx.all("select * from remote_media order by id"))


@pytest.fixture
async def here(tmp_path: Path, database_url: str, clock: Clock, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Here]:
    monkeypatch.setattr(media_routes, "PATIENCE", 0.0)
    monkeypatch.setattr(media_routes, "PATIENCE_OF_PLAYED", 0.0)
    far = Far()
    server = await asyncio.start_server(far.answer, "127.0.0.1", 0)
    host = f"127.0.0.1:{server.sockets[0].getsockname()[1]}"
    other = host.replace("127.0.0.1", "localhost")
    engine: Any = SocketEngine(make_policy(Settings(origin=ORIGIN, loopback_authorities=(host, other)), makers.URLS))
    database = "" if database_url.startswith("sqlite") else database_url
    known = {"loopback_authorities": (host, other)}
    site = await new_site(tmp_path / "data", ORIGIN, engine, clock, database=database, **known)
    try:
        yield Here(site, clock, far, host)
    finally:
        far.gate.set()
        await site.close()
        server.close()
        await server.wait_closed()


def image(url: str, **more: Any) -> Attachment:
    return Attachment(kind="Document", url=url, media_type="image/png", **more)


async def test_what_is_shown_is_fetched_once_and_written_anew(here: Here) -> None:
    here.far.files = {"/icon": picture((800, 800)), "/photo": photo_with_a_place(), "/tea": picture((64, 64))}
    bob = await here.person(icon=Picture(url=here.url("/icon")), emoji=(Emoji(name="tea", url=here.url("/tea")),))
    post = await here.post(
        bob, attachments=(image(here.url("/photo"), blurhash="LEHV6nWB2yk8pyo0adR*.7kCMdnj"), image(here.url("/gone")))
    )
    before = [await here.get(here.address(post, "/photo")), await here.get(here.address(bob, "/icon"))]
    assert [each.headers["content-type"] for each in before] == ["image/png"] * 2
    assert {each.headers["cache-control"] for each in before} == {"private, no-store"}
    assert Image.open(BytesIO(before[0].content)).size == (16, 12)  # the BlurHash
    photo = await here.look(here.address(post, "/photo"))
    assert photo.status_code == 200
    assert photo.headers["content-type"] == "image/jpeg"
    assert photo.headers["x-content-type-options"] == "nosniff"
    assert "sandbox" in photo.headers["content-security-policy"]
    assert "max-age" in photo.headers["cache-control"]
    assert Image.open(BytesIO(photo.content)).size == (1600, 1067)
    assert b"SECRET" not in photo.content
    small = await here.get(here.address(post, "/photo", "small"))
    assert Image.open(BytesIO(small.content)).size == (480, 320)
    icon = await here.look(here.address(bob, "/icon", "small"))
    assert Image.open(BytesIO(icon.content)).size == (120, 120)
    assert (await here.look(here.site.urls.emoji_copy(here.url("/tea")))).status_code == 200
    assert sorted(here.far.asked) == ["/icon", "/photo", "/tea"]
    found = await here.site.db.read(posts.stored, post.id)
    assert found is not None
    assert (found.attachments[0].width, found.attachments[0].height) == (1600, 1067)  # its server did not say
    kept = {name for row in await here.rows() for name in (row.file, row.small) if name}
    assert here.files() == kept
    assert sum(row.bytes for row in await here.rows()) == sum(len(here.site.copies.read(name)) for name in kept)
    # Not there: the description is shown, and it is asked for again after a pause, then less and less often.
    gone = here.address(post, "/gone")
    assert (await here.look(gone)).status_code == 404
    await here.look(gone)
    assert here.far.asked.count("/gone") == 1
    for _ in range(remote_media.MOST_FAILURES - 1):
        here.clock.forward(days=7)
        await here.look(gone)
    assert here.far.asked.count("/gone") == remote_media.MOST_FAILURES
    assert await here.links(post) == [False, True]
    # A month later it is tried again, and there it is.
    here.far.files["/gone"] = picture()
    here.clock.forward(days=8)
    await here.look(gone)
    assert await here.links(post) == [False, False]
    assert (await here.look(gone)).status_code == 200


async def test_that_there_is_but_a_link_is_forgotten_after_a_month(here: Here) -> None:
    post = await here.post(await here.person(), attachments=(image(here.url("/huge")),))
    address = here.address(post, "/huge")
    await here.look(address)
    here.clock.forward(days=29)
    await media_copies.sweep(here.site, 0)
    assert await here.links(post) == [True]
    here.clock.forward(days=2)
    await media_copies.sweep(here.site, 0)
    assert await here.links(post) == [False]
    assert await here.rows() == []


async def test_failures_of_our_own_do_not_count(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    here.far.files = {"/photo": picture()}
    post = await here.post(await here.person(), attachments=(image(here.url("/photo")),))
    address = here.address(post, "/photo")
    with monkeypatch.context() as patch:

        def full(_store: FileStore, _data: bytes, _suffix: str) -> str:
            raise Unavailable("disk-full")

        patch.setattr(FileStore, "save", full)
        for _ in range(remote_media.MOST_FAILURES + 1):
            assert (await here.look(address)).status_code == 404
            here.clock.forward(seconds=remote_media.FIRST_PAUSE // 1000)
    assert [row.failures for row in await here.rows()] == [0]
    assert await here.links(post) == [False]
    assert (await here.look(address)).status_code == 200


async def test_what_must_not_be_shown_now_may_be_later(here: Here) -> None:
    """Each address that a redirect leads to is asked of the block list, not the last alone; and blocks are lifted."""
    here.far.files = {"/end": picture(), "/deleted": picture()}
    there = here.url("/middle").replace("127.0.0.1", "localhost")
    here.far.moved = {"/begin": there, "/middle": here.url("/end")}
    bob = await here.person()
    post = await here.post(bob, attachments=(image(here.url("/begin")),))
    address = here.address(post, "/begin")
    await here.site.db.write(host_blocks.block, "localhost", "")
    await here.get(address)
    await here.worker.idle()
    assert here.far.asked == ["/begin"]
    assert (await here.links(post), await here.rows()) == ([False], [])
    await here.site.db.write(host_rules.lift, "localhost")
    assert (await here.look(address)).status_code == 200
    # So it is with what went, or was hidden, between a look and the fetch.
    other = await here.post(bob, attachments=(image(here.url("/deleted")),))
    address = here.address(other, "/deleted")
    await here.get(address)
    await here.site.db.write(lambda tx: tx.run("update post set state = 'deleted' where id = :id", id=other.id))
    await here.worker.idle()
    assert "/deleted" not in here.far.asked
    await here.site.db.write(lambda tx: tx.run("update post set state = 'published' where id = :id", id=other.id))
    assert await here.links(other) == [False]
    assert (await here.look(address)).status_code == 200


async def test_who_comes_too_late_changes_nothing(here: Here) -> None:
    """A worker whose time ran out, while another one made the copy."""
    post = await here.post(await here.person(), attachments=(image(here.url("/photo")),))
    write, owner = here.site.db.write, f"p{post.id}"

    async def take() -> Wanted:
        await write(remote_media.want, here.url("/photo"), "remote", owner)
        (taken,) = await write(remote_media.take, 1, 1, {})
        return taken

    def made(name: str) -> MadeCopy:
        return MadeCopy(file=name, small="", media_type="image/png", bytes=1, width=9, height=9)

    late = await take()
    here.clock.forward(seconds=remote_media.CLAIM // 1000 + 1)
    assert await write(remote_media.keep, await take(), made("good")) == []
    assert await write(remote_media.keep, late, made("late")) == ["late"]
    await write(remote_media.fail, late, final=True)
    await write(remote_media.put_off, late)
    assert await write(remote_media.give_up, late) == []
    assert [(row.file, row.state, row.failures) for row in await here.rows()] == [("good", "kept", 0)]
    assert await here.links(post) == [False]


async def test_of_a_picture_above_a_post_it_is_learnt_how_large_it_is(here: Here) -> None:
    here.far.files = {"/hero": picture((1800, 900))}
    bob = await here.person()
    post = await here.post(bob, image=Picture(url=here.url("/hero"), alt="A hill"))
    assert (await here.look(here.address(post, "/hero"))).status_code == 200
    found = await here.site.db.read(posts.stored, post.id)
    assert found is not None
    assert found.image == Picture(url=here.url("/hero"), alt="A hill", width=1600, height=800)


async def test_who_looks_first_waits_for_the_worker(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    here.far.files = {"/icon": picture()}
    bob = await here.person(icon=Picture(url=here.url("/icon")), image=Picture(url=here.url("/slow")))
    monkeypatch.setattr(media_routes, "PATIENCE", 30.0)
    here.worker.start()
    try:
        seen = await here.get(here.address(bob, "/icon"))
        assert Image.open(BytesIO(seen.content)).size == (400, 400)
        # One that takes long is not waited for, and the next of its host not at all.
        monkeypatch.setattr(media_routes, "PATIENCE", 0.01)
        assert Image.open(BytesIO((await here.get(here.address(bob, "/slow"))).content)).size == (1, 1)
        monkeypatch.setattr(media_routes, "PATIENCE", 30.0)
        assert Image.open(BytesIO((await here.get(here.address(bob, "/slow"))).content)).size == (1, 1)
    finally:
        here.far.gate.set()
        await here.worker.stop()


@pytest.mark.parametrize("path", ["/huge", "/lie", "/bomb", "/away", "/private", "/loop", "/damaged", "/film"])
async def test_nothing_that_must_not_be_kept_is(here: Here, path: str) -> None:
    here.far.files = {"/lie": b"<script>alert(1)</script>", "/bomb": bomb(), "/damaged": picture()[:60], "/film": b"MZ"}
    here.far.moved = {"/away": "http://10.0.0.1/a.png", "/private": "https://localhost/a.png", "/loop": "/loop"}
    bob = await here.person()
    film = Attachment(kind="Video", url=here.url(path), media_type="video/mp4")
    post = await here.post(bob, attachments=(film if path == "/film" else image(here.url(path)),))
    assert (await here.look(here.address(post, path))).status_code == 404
    found = await here.site.db.read(posts.stored, post.id)
    assert found is not None
    assert [each.unkept for each in found.attachments] == [True]
    assert here.files() == set()
    await here.look(here.address(post, path))
    assert here.far.asked.count(path) == 1


async def test_what_is_slow_is_given_up_and_keeps_nobody_else_waiting(
    here: Here, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(media_copies, "DEADLINE", 0.05)
    monkeypatch.setattr(media_copies, "PER_HOST", 1)
    here.far.files = {"/good": picture()}
    bob = await here.person(icon=Picture(url=here.url("/good")), image=Picture(url=here.url("/slow")))
    await here.get(here.address(bob, "/good"))
    await here.get(here.address(bob, "/slow"))
    await here.worker.idle()
    assert sorted((row.shape, row.state) for row in await here.rows()) == [("avatar", "kept"), ("header", "failed")]


async def test_films_and_sounds_are_kept_as_they_are(here: Here) -> None:
    film = b"\0\0\0\x18ftypmp42" + b"\0" * 4000
    here.far.files = {"/film": film}
    bob = await here.person()
    post = await here.post(bob, attachments=(Attachment(kind="Video", url=here.url("/film"), media_type="video/mp4"),))
    address = here.address(post, "/film")
    answer = await here.look(address)
    assert (answer.status_code, answer.headers["content-type"], answer.content) == (200, "video/mp4", film)
    part = await ask(here.app, "GET", address, {"range": "bytes=4-11"})
    assert (part.status_code, part.content) == (206, b"ftypmp42")


async def test_no_address_can_be_made_up(here: Here) -> None:
    here.far.files = {"/icon": picture(), "/other": picture()}
    bob = await here.person(icon=Picture(url=here.url("/icon")))
    good = here.address(bob, "/icon")
    mark = good.rpartition("/")[2]
    wrong = [
        here.address(bob, "/other"),  # the right key, but bob shows nothing like that
        good.replace(f"a{bob.id}", f"a{bob.id + 1}"),
        good.replace(f"a{bob.id}", f"p{bob.id}"),
        good[:-1] + ("A" if mark[-1] != "A" else "B"),
        f"{ORIGIN}/media/remote/a{'9' * 19}/{mark}",
        f"{ORIGIN}/media/remote/a{bob.id}/{'A' * 22}?url={here.url('/icon')}",
    ]
    assert [(await here.look(each)).status_code for each in wrong] == [404] * len(wrong)
    assert here.far.asked == []
    assert (await here.look(good)).status_code == 200


async def test_an_emoji_has_one_address_whoever_shows_it(here: Here) -> None:
    here.far.files = {"/tea": picture((64, 64)), "/cup": picture((64, 64))}
    emoji, urls = Emoji(name="tea", url=here.url("/tea")), here.site.urls
    bob = await here.person(name="Bob :tea:", emoji=(emoji,))
    written = [await here.post(bob, content=f"<p>{n} :tea:</p>", emoji=(emoji,)) for n in range(2)]
    links = Links.of(urls, signed_in=False)
    shown = [content("en", each, links) for each in written] + [page_elements.named(bob, links)]
    (address,) = {re.findall(r' src="([^"]+)"', each)[0] for each in shown}
    good = f"{ORIGIN}{address}"
    assert good == urls.emoji_copy(emoji.url)
    assert (await here.look(good)).status_code == 200
    mark, encoded = good.split("/")[-2:]
    other = urls.emoji_copy(here.url("/cup")).split("/")[-1]
    wrong = (f"{mark}/{other}", f"{'A' * 22}/{encoded}", f"{mark}.small/{encoded}", f"{mark}/{encoded}A", f"{mark}/_")
    assert {(await here.look(f"{ORIGIN}/media/emoji/{each}")).status_code for each in wrong} == {404}
    assert here.far.asked == ["/tea"]
    # It stays without those who showed it, as long as it is looked at; and goes with the server on which it lies.
    await here.site.db.write(lambda tx: tx.run("update post set state = 'deleted'"))
    await media_copies.sweep(here.site, 0)
    assert len(await here.rows()) == 1
    await here.site.db.write(host_blocks.block, "127.0.0.1", "")
    assert (await here.get(good)).status_code == 404
    await media_copies.sweep(here.site, 0)
    assert (await here.rows(), here.files()) == ([], set())


async def test_what_is_gone_blocked_or_deleted_goes(here: Here) -> None:
    here.far.files = {path: picture() for path in ("/icon", "/a", "/b")}
    bob = await here.person(icon=Picture(url=here.url("/icon")))
    deleted = await here.post(bob, attachments=(image(here.url("/a")),))
    kept = await here.post(bob, attachments=(image(here.url("/b")),))
    addresses = [here.address(bob, "/icon"), here.address(deleted, "/a"), here.address(kept, "/b")]
    assert [(await here.look(each)).status_code for each in addresses] == [200] * 3
    await here.site.db.write(lambda tx: tx.run("update post set state = 'deleted' where id = :id", id=deleted.id))
    assert [(await here.get(each)).status_code for each in addresses] == [200, 404, 200]
    await media_copies.sweep(here.site, 0)
    assert [row.url for row in await here.rows()] == [here.url("/icon"), here.url("/b")]
    assert here.files() == {name for row in await here.rows() for name in (row.file, row.small) if name}
    await here.site.db.write(moderation_actions.block_host, here.site.urls, bob.domain)
    assert [(await here.get(each)).status_code for each in addresses] == [404] * 3
    await here.worker.idle()
    assert await here.rows() == []
    assert here.files() == set()
    # So it is where only the pictures lie on a server that is blocked, and of whoever is suspended.
    await here.site.db.write(moderation_actions.unblock_host, here.site.urls, bob.domain)
    assert (await here.look(addresses[0])).status_code == 200
    await here.site.db.write(host_blocks.block, "127.0.0.1", "")
    assert (await here.get(addresses[0])).status_code == 404
    await here.site.db.write(host_rules.lift, "127.0.0.1")
    assert (await here.get(addresses[0])).status_code == 200
    await here.site.db.write(moderation_actions.suspend, here.site.urls, bob.id)
    assert (await here.get(addresses[0])).status_code == 404


async def test_of_whom_media_are_rejected_only_links_are_shown(here: Here) -> None:
    here.far.files = {path: picture() for path in ("/icon", "/a")}
    bob = await here.person(icon=Picture(url=here.url("/icon")))
    within = f'<p><img src="{here.url("/in")}" alt="within"></p>'
    post = await here.post(bob, attachments=(image(here.url("/a")),), content=within)
    addresses = [here.address(bob, "/icon"), here.address(post, "/a")]
    assert [(await here.look(each)).status_code for each in addresses] == [200] * 2
    rule = HostRule(host=bob.domain, severity=Severity.NONE, reject_media=True)
    await here.site.db.write(host_rules.put, [rule])
    assert [(await here.look(each)).status_code for each in [*addresses, here.address(post, "/in")]] == [404] * 3
    assert "/in" not in here.far.asked
    await media_copies.sweep(here.site, 0)
    assert (await here.rows(), here.files()) == ([], set())
    now = await here.site.db.read(posts.stored, post.id)
    assert now is not None
    assert now.account.icon is None
    assert [(each.url, each.kind, each.unkept) for each in now.attachments] == [(here.url("/a"), "Document", True)]
    assert Links.of(here.site.urls, True).shown_in(now, here.url("/in")) == ""
    await here.site.db.write(host_rules.lift, rule.host)
    again = await here.site.db.read(posts.stored, post.id)
    assert again is not None
    assert (again.account.icon, again.attachments[0].unkept) == (bob.icon, False)
    assert (await here.look(addresses[1])).status_code == 200


async def test_copies_take_so_much_room_and_are_kept_so_long(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    paths = [f"/{n}" for n in range(4)]
    here.far.files = {path: picture((1000 + 10 * n, 900)) for n, path in enumerate(paths)}
    bob = await here.person()
    post = await here.post(bob, attachments=tuple(image(here.url(path)) for path in paths))
    for path in paths:
        here.clock.forward(minutes=1)
        assert (await here.look(here.address(post, path))).status_code == 200
    here.clock.forward(days=2)
    await here.get(here.address(post, "/0"))  # now it is the one that was looked at last
    rows = {row.url: row.bytes for row in await here.rows()}
    room = rows[here.url("/0")] + rows[here.url("/3")]
    gone = await here.site.db.read(remote_media.beyond, room)
    assert {row.url for row in await here.rows() if row.id in gone} == {here.url("/1"), here.url("/2")}
    here.clock.forward(days=29)
    await media_copies.sweep(here.site, 0)
    assert [row.url for row in await here.rows()] == [here.url("/0")]
    assert len(here.files()) == 2
    here.clock.forward(days=31)
    await media_copies.sweep(here.site, 0)
    assert here.files() == set()


async def test_files_and_rows_agree_after_a_crash(here: Here, monkeypatch: pytest.MonkeyPatch) -> None:
    here.far.files = {"/icon": picture((500, 500))}
    bob = await here.person(icon=Picture(url=here.url("/icon")))
    address = here.address(bob, "/icon")
    assert (await here.look(address)).status_code == 200
    # The folder is a cache, which no backup has: what a row speaks of and is not there comes again.
    for name in here.files():
        here.site.copies.remove(name)
    assert Image.open(BytesIO((await here.look(address)).content)).size == (400, 400)
    assert here.far.asked == ["/icon"] * 2
    # So does the sweep see it, before anybody looks: the room that it took is free.
    for name in here.files():
        here.site.copies.remove(name)
    await media_copies.sweep(here.site, 0)
    assert await here.rows() == []
    assert (await here.look(address)).status_code == 200
    # One that is made while the sweep looks stays, whatever else is missing.
    later = here.url("/later")
    here.far.files["/later"] = picture()
    other = await here.post(bob, attachments=(image(later),))
    listed, loop, seen = FileStore.names, asyncio.get_running_loop(), list[int]()

    def slowly(store: FileStore, *part: str) -> Iterator[str]:
        found = list(listed(store, *part))
        if not seen:
            look = asyncio.run_coroutine_threadsafe(here.look(here.address(other, "/later")), loop)
            seen.append(look.result(30).status_code)
        yield from found

    here.site.copies.remove(sorted(here.files())[0])
    with monkeypatch.context() as patch:
        patch.setattr(FileStore, "names", slowly)
        await media_copies.sweep(here.site, 0)
    assert seen == [200]
    assert [row.url for row in await here.rows()] == [later]
    assert (await here.look(address)).status_code == 200
    # A file whose row was never written goes, once it is so old that no fetch can be about to write it.
    lost = here.site.copies.save(picture(), ".png")
    await media_copies.sweep(here.site, 0)
    assert lost in here.files()
    here.clock.now += 10**12
    await here.site.db.write(lambda tx: tx.run("update remote_media set used = :now", now=here.clock.now))
    await media_copies.sweep(here.site, 0)
    assert lost not in here.files()
    assert len(here.files()) == 4
