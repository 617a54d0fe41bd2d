"""R18: killed between file and row, the server has a file too many, never a row too many; the sweep finds it."""

from __future__ import annotations

import os
import signal
from io import BytesIO
from pathlib import Path

from PIL import Image

from fediblog.media.file_store import FileStore
from fediblog.store.posts import media_files
from tests.promises.servers import Server, run
from tests.world import World

_PROGRAM = """
import asyncio, json, os, signal, sys
from pathlib import Path
from fediblog.federation import uploads
from fediblog.federation.site import open_site
from fediblog.settings import Settings

async def main(told):
    site = await open_site(Settings(data=Path(told["data"])))
    def die(*_): os.kill(os.getpid(), signal.SIGKILL)
    if told["dies"]:
        uploads._add = die
    found = await uploads.upload(site, told["account"], bytes.fromhex(told["picture"]))
    await site.close()
    print("stored", found.file)

asyncio.run(main(json.loads(sys.stdin.readline())))
"""


def _picture() -> bytes:
    out = BytesIO()
    Image.new("RGB", (64, 64), "teal").save(out, "PNG")
    return out.getvalue()


async def _upload(server: Server, *, dies: bool) -> int:
    assert server.account is not None
    told = {"data": str(server.folder), "account": server.account.id, "picture": _picture().hex(), "dies": dies}
    return await (await run("-c", _PROGRAM, told=told)).wait()


async def test_killed_between_file_and_row(tmp_path: Path) -> None:
    server = Server(tmp_path)
    await server.furnish()
    assert await _upload(server, dies=False) == 0
    assert await _upload(server, dies=True) == -signal.SIGKILL
    store = FileStore(tmp_path / "media")
    known = await server.do(media_files.names)
    on_disk = set(store.names())
    assert known < on_disk  # each row has its file, and some files have no row
    assert all(store.read(name) for name in known)

    now = max(place.stat().st_mtime for place in store.folder.rglob("*")) * 1000
    assert store.sweep(known.__contains__, round(now) - 1000) == []  # a row may still come
    removed = store.sweep(known.__contains__, round(now) + 1000)
    assert set(removed) == on_disk - known
    assert set(store.names()) == known


async def test_the_hourly_sweep_does_it(tmp_path: Path) -> None:
    async with World("one.test") as world:
        site = world.sites["one.test"]
        orphan = site.files.save(b"a picture", ".png")
        unfinished = site.files.path(orphan).with_suffix(".unfinished")
        unfinished.write_bytes(b"half a pic")
        seconds = world.clock.now / 1000
        for place in (site.files.path(orphan), unfinished):
            os.utime(place, (seconds, seconds))
        worker = world.workers["one.test"]
        await worker.recover()
        world.clock.forward(hours=1)
        await worker.idle()
        assert list(site.files.names()) == [orphan]  # the post that shows it may still be sent
        world.clock.forward(hours=24)
        await worker.idle()
        assert list(site.files.names()) == []
        assert not unfinished.exists()
