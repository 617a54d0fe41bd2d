"""Uploads: cleaned, on the disk, and only then known to the database."""

from __future__ import annotations

import asyncio

from fediblog.errors import NotFound
from fediblog.federation import quotas
from fediblog.federation.site import Site
from fediblog.media import pictures
from fediblog.media.files import FileStore
from fediblog.media.pictures import Picture, Shape
from fediblog.store import files
from fediblog.store.files import Upload
from fediblog.store.tx import Tx


async def upload(site: Site, account: int, data: bytes, *, shape: Shape = "post") -> Upload:
    """Take in a picture of one of our people. Raises Invalid that says what is wrong with it, or Unavailable."""
    quotas.use(site, account, "upload")
    picture = await pictures.process(data, shape=shape)
    saved = await asyncio.to_thread(_save, site.files, picture)
    return await site.db.write(_add, account, picture, saved)


def _save(store: FileStore, picture: Picture) -> dict[str, str]:
    """Names of the files by variant. If the row never follows, the sweep finds them."""
    return {each.name: store.save(each.data, each.suffix) for each in picture.variants}


def _add(tx: Tx, account: int, picture: Picture, saved: dict[str, str]) -> Upload:
    number = files.add(
        tx,
        account,
        media_type=picture.media_type,
        file=saved["full"],
        large=saved.get("large", ""),
        small=saved.get("small", ""),
        width=picture.width,
        height=picture.height,
        blurhash=picture.blurhash,
        size=sum(len(each.data) for each in picture.variants),
    )
    found = files.get(tx, number, account)
    if found is None:
        raise NotFound()
    return found
