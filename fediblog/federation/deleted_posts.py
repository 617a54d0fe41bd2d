"""Posts that our people delete and may want back: pictures are copied under names that nobody has seen, then it goes.

A crash in between loses nothing: copies that no row names go with the sweep of files, as what was shown does.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable
from pathlib import PurePath

from fediblog.actions import trash_actions
from fediblog.actions.trash_actions import Copies
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import NotFound
from fediblog.federation import prepared_actions
from fediblog.federation.site import Site
from fediblog.media.file_store import FileStore
from fediblog.prepare.wording import Wording
from fediblog.store.posts.media_files import Upload
from fediblog.store.readers import trash
from fediblog.store.tx import Tx

Delete = Callable[[Tx, Urls, int, int, Copies], list[str]]


async def delete(site: Site, account: int, post: int, action: Delete = trash_actions.delete) -> None:
    """Delete a post of one's own, and keep what was written if its author likes. Raises NotFound and Unavailable.

    `action` deletes in one transaction, where more than the post itself belongs to it.
    """
    shown = await site.db.read(trash_actions.pictures_to_keep, account, post)
    copies = await asyncio.to_thread(_copied, site.files, shown) if shown else {}
    await forget_files(site, await site.db.write(action, site.urls, account, post, copies))


def _copied(files: FileStore, shown: Iterable[Upload]) -> Copies:
    copies = {}
    for name in (name for each in shown for name in each.names):
        try:
            copies[name] = files.save(files.read(name), PurePath(name).suffix)
        except NotFound:  # of a backup without its pictures
            copies[name] = ""
    return copies


async def restore(site: Site, account: int, number: int) -> Post:
    """Make a new draft of what is in the trash. Raises NotFound."""
    draft = await site.db.read(trash_actions.to_restore, account, number)

    def act(tx: Tx, urls: Urls, account: int, _: object, wording: Wording) -> Post:
        return trash_actions.restore(tx, urls, account, number, draft, wording)

    return await prepared_actions.publish(site, account, draft, act)


async def remove(site: Site, account: int, number: int = 0) -> None:
    """Delete for good what the account has in the trash under that number, or all of it."""
    await forget_files(site, await site.db.write(trash.remove, account, number))


async def sweep(site: Site) -> list[str]:
    """Delete for good what has been in the trash long enough; the names of its files."""
    return await forget_files(site, await site.db.write(trash.sweep))


async def forget_files(site: Site, names: list[str]) -> list[str]:
    """Remove files that no row names any more; their names."""
    for name in names:
        await asyncio.to_thread(site.files.remove, name)
    return names
