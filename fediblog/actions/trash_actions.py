"""Deleting a post so that its author can write it anew: what was written is kept for that one alone."""

from __future__ import annotations

from collections.abc import Mapping

import msgspec
from msgspec.structs import replace

from fediblog.actions import post_actions
from fediblog.actions.draft_of_post import chosen_slug, draft_of
from fediblog.actions.drafts import Draft, author_of
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import NotFound, Unavailable
from fediblog.prepare.wording import Wording
from fediblog.protocol import previews
from fediblog.store.people import post_preferences
from fediblog.store.posts import categories, media_files, posts
from fediblog.store.posts.media_files import Upload
from fediblog.store.readers import trash
from fediblog.store.readers.trash import Trashed
from fediblog.store.tx import Tx

WORDS = 200  # characters by which a post is called

Copies = Mapping[str, str]
"""The name of the copy of each file, by that of the file; empty where there was no file any more."""


def pictures_to_keep(tx: Tx, account: int, post: int) -> list[Upload]:
    """The pictures that are copied before an account deletes a post of its own; none if nothing of it is kept."""
    whole = _kept(tx, account, post)
    return [] if whole is None else _pictures(tx, whole)


def _kept(tx: Tx, account: int, post: int) -> Post | None:
    """The post if it is the account's own, and that likes to keep what it deletes."""
    whole = posts.stored(tx, post)
    if whole is None or whole.account.id != account or not post_preferences.defaults(tx, account).trash:
        return None
    return whole


def delete(tx: Tx, urls: Urls, account: int, post: int, copies: Copies) -> list[str]:
    """Delete a post of one's own and keep what was written, if its author likes, with copies of its pictures.

    Returns the names of files that nothing shows any more: they go after the commit. Raises NotFound, and Unavailable
    if other pictures have to be copied by now.
    """
    uploads = keep(tx, account, post, copies)
    post_actions.delete(tx, urls, account, post)
    tx.hold(*(each.id for each in uploads))
    idle = [each for each in uploads if not (media_files.is_shown(tx, each) or media_files.is_being_written(tx, each))]
    for each in idle:
        media_files.remove(tx, each.id)
    return [name for each in idle for name in each.names]


def delete_for_another(tx: Tx, urls: Urls, account: int, post: int, copies: Copies) -> list[str]:
    """The same, but its pictures stay for a day: an app deletes also what it lets its author write anew at once."""
    keep(tx, account, post, copies)
    media_files.let_go(tx, post)
    post_actions.delete(tx, urls, account, post)
    return []


def keep(tx: Tx, account: int, post: int, copies: Copies) -> list[Upload]:
    """Put what was written into the trash, if it is a post of the account's own and that likes it.

    Returns the pictures that were copied. Raises Unavailable as `delete` does.
    """
    author_of(tx, account)
    tx.hold(post)
    whole = _kept(tx, account, post)
    if whole is None:
        return []
    uploads = _pictures(tx, whole)
    if not all(name in copies for each in uploads for name in each.names):
        raise Unavailable("text-outdated", 1)
    draft = draft_of(tx, whole)
    said = {each.number: each.alt for each in whole.attachments} | (
        {draft.hero.upload: draft.hero.alt} if draft.hero else {}
    )
    renewed = {
        each.id: _copy(tx, account, replace(each, alt=said.get(each.id, each.alt)), copies)
        for each in uploads
        if copies[each.file]
    }
    source = draft.source
    for name, other in copies.items():
        source = source.replace(name, other) if other else source
    kept = replace(
        draft,
        source=source,
        files=tuple(replace(each, upload=renewed[each.upload]) for each in draft.files if each.upload in renewed),
        hero=replace(draft.hero, upload=renewed[draft.hero.upload])
        if draft.hero and draft.hero.upload in renewed
        else None,
        slug=chosen_slug(whole),
        state="draft",
        scheduled=None,
        dated=whole.published if whole.is_dated_back else None,
    )
    trash.put(
        tx,
        account,
        words=previews.label(whole, WORDS),
        visibility=whole.visibility.value,
        draft=msgspec.json.encode(kept).decode(),
        pictures=sorted(renewed.values()),
    )
    return uploads


def _pictures(tx: Tx, post: Post) -> list[Upload]:
    """The uploads that a post carries, has in its text or above it."""
    shown = [each.url for each in post.attachments] + ([post.image.url] if post.image else [])
    found = media_files.by_names(tx, post.account.id, [each.partition("/media/")[2] for each in shown])
    return list({each.id: each for each in found.values() if each.file}.values())


def _copy(tx: Tx, account: int, upload: Upload, copies: Copies) -> int:
    """Store an upload of the files that are copies of another's, described as that; returns its number."""
    number = media_files.add(
        tx,
        account,
        media_type=upload.media_type,
        file=copies[upload.file],
        large=copies.get(upload.large, ""),
        small=copies.get(upload.small, ""),
        width=upload.width,
        height=upload.height,
        blurhash=upload.blurhash,
        size=upload.bytes,
    )
    media_files.describe(tx, number, upload.alt, upload.focus)
    return number


def written(trashed: Trashed) -> Draft:
    """What its author handed in, as a draft."""
    return msgspec.json.decode(trashed.draft, type=Draft)


def to_restore(tx: Tx, account: int, number: int) -> Draft:
    """The draft that is made of what is in the trash, without what is not there any more. Raises NotFound."""
    kept = trash.get(tx, account, number)
    if kept is None:
        raise NotFound
    draft, tree = written(kept), categories.tree(tx)
    return replace(
        draft,
        reply_to=draft.reply_to if _is_there(tx, account, draft.reply_to) else None,
        quote=draft.quote if _is_there(tx, account, draft.quote) else None,
        categories=tuple(each for each in draft.categories or () if tree.get(each) is not None),
    )


def _is_there(tx: Tx, account: int, number: int | None) -> bool:
    post = posts.get(tx, number, account) if number is not None else None
    return post is not None and post.state == "published"


def restore(tx: Tx, urls: Urls, account: int, number: int, draft: Draft, wording: Wording) -> Post:
    """Make a new draft of what is in the trash: nothing of the post that it was comes back. Raises NotFound."""
    tx.hold(number)
    if trash.get(tx, account, number) is None:
        raise NotFound
    trash.let_out(tx, number)
    return post_actions.publish(tx, urls, account, draft, wording)
