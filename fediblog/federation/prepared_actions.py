"""What our people ask for that needs a look at other servers first: posts that mention, handles to follow, moves."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Container, Mapping, Sequence
from typing import TypeVar

from fediblog import log
from fediblog.actions import account_actions, follow_actions, page_actions, post_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.drafts import Draft, check_length, kind_of, text_of
from fediblog.actions.page_actions import PageDraft
from fediblog.actions.post_of_draft import people_named, targets
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, Refused, Unavailable
from fediblog.federation import quotas, text_rendering
from fediblog.federation.lookups import resolve
from fediblog.federation.outbound import websub_pings
from fediblog.federation.site import Site
from fediblog.markup.html import MentionTarget
from fediblog.markup.markdown import MENTIONS
from fediblog.prepare.wording import Outdated, Text, Wording
from fediblog.store.people import accounts
from fediblog.store.posts.free_pages import FreePage
from fediblog.store.tx import Tx

T = TypeVar("T")
Publish = Callable[[Tx, Urls, int, Draft, Wording], Post]
Edit = Callable[[Tx, Urls, int, int, Draft, Wording], Post]

PATIENCE = 10.0  # seconds that an author waits for the people mentioned to be found
TRIES = 3  # that a text is rendered, if what it names or is changes meanwhile


async def publish(site: Site, account: int, draft: Draft, action: Publish = post_actions.publish) -> Post:
    """Make a post. Who is mentioned in it is looked up first; whoever is not found in time stays plain text.

    `action` publishes in one transaction, where more than the post itself belongs to it.
    """
    quotas.use(site, account, "post")
    check_length(draft)
    texts, find = (text_of(draft, kind_of(draft)),), draft.state != "draft"  # drafts can wait

    def act(tx: Tx, urls: Urls, wording: Wording) -> Post:
        return action(tx, urls, account, draft, wording)

    post = await with_wording(site, lambda: _same(texts), act, find=find)
    await websub_pings.put_down(site, post.id)
    return post


async def edit(
    site: Site, account: int, post: int, draft: Draft, action: Edit = post_actions.edit, *, find: bool = True
) -> Post:
    """Change a post; who is mentioned and not known here is looked up first unless `find` is false.

    `action` changes it in one transaction, where more than the post itself belongs to it.
    """
    quotas.use(site, account, "edit")
    check_length(draft)

    async def texts() -> tuple[Text, ...]:
        return (await site.db.read(post_actions.edited_text, account, post, draft),)

    def act(tx: Tx, urls: Urls, wording: Wording) -> Post:
        return action(tx, urls, account, post, draft, wording)

    changed = await with_wording(site, texts, act, find=find and draft.state != "draft")
    await websub_pings.put_down(site, changed.id)
    return changed


async def _same(texts: tuple[Text, ...]) -> tuple[Text, ...]:
    return texts


async def with_wording(
    site: Site,
    texts: Callable[[], Awaitable[tuple[Text, ...]]],
    act: Callable[[Tx, Urls, Wording], T],
    *,
    find: bool = True,
) -> T:
    """Render the texts, then act in one transaction; both again if the wording does not fit any more by then.

    With `find` people who are named and not known here are looked up first.
    """
    for _ in range(TRIES):
        wording = await word(site, await texts(), find=find)
        try:
            return await site.db.write(act, site.urls, wording)
        except Outdated:
            log.event("text-outdated")
    raise Unavailable("text-outdated", 1)


async def word(site: Site, texts: tuple[Text, ...], *, find: bool = True) -> Wording:
    """The texts rendered, with those whom they name, as far as they are known here or are found in time."""
    found: dict[str, int] = {}

    async def look(names: tuple[str, ...]) -> Mapping[str, MentionTarget]:
        if not names:
            return {}
        if find:
            found.update(await _found(site, names))
        return await site.db.read(_targets, site.urls, names, found)

    names, people, words = await text_rendering.render(site, texts, look)
    return Wording(texts=texts, words=words, names=names, people=people, found=found)


def _targets(tx: Tx, urls: Urls, names: Sequence[str], found: Mapping[str, int]) -> dict[str, MentionTarget]:
    return targets(people_named(tx, urls, names, found))


async def find(site: Site, text: str) -> Account | Post | None:
    """What a pasted handle or address means. Raises Refused or Unavailable that say why it cannot be had."""
    return await resolve.anything(site, text)


async def follow(site: Site, account: int, text: str) -> Account:
    """Follow whom a handle or address means."""
    quotas.use(site, account, "action")
    other = await _account(site, text, "handle")
    await site.db.write(follow_actions.follow, site.urls, account, other.id)
    return other


async def move(site: Site, account: int, text: str) -> Account:
    """Send the followers to another account, which must name this one as an alias now."""
    other = await _account(site, text, "target")
    if not other.local:
        other = await resolve.actor(site, other.uri, fresh=True)
    await site.db.write(account_actions.move, site.urls, account, other.id)
    return other


async def add_alias(site: Site, account: int, text: str) -> Account:
    """Say that another account is the same person."""
    other = await _account(site, text, "alias")
    return await site.db.write(account_actions.add_alias, site.urls, account, other.uri)


async def _account(site: Site, text: str, field: str) -> Account:
    found = await find(site, text.strip())
    if not isinstance(found, Account):
        raise Invalid(field, "account.not-found-by-name")
    return found


async def update_profile(site: Site, account: int, profile: ProfileChanges) -> Account:
    """Change what an account shows; who is mentioned in it and not known here is looked up first."""

    async def texts() -> tuple[Text, ...]:
        return await site.db.read(account_actions.texts_to_render, account, profile)

    def act(tx: Tx, urls: Urls, wording: Wording) -> Account:
        return account_actions.update_profile(tx, urls, account, profile, wording)

    return await with_wording(site, texts, act)


async def save_page(site: Site, number: int | None, draft: PageDraft, reserved: Container[str]) -> FreePage:
    """Make a page, or change that of the number; the words `reserved` are no address of one."""
    texts = page_actions.texts_of(draft)

    def act(tx: Tx, urls: Urls, wording: Wording) -> FreePage:
        return page_actions.save(tx, urls, number, draft, wording, reserved)

    return await with_wording(site, lambda: _same(texts), act, find=False)


async def _found(site: Site, names: Sequence[str]) -> dict[str, int]:
    """Numbers of those who are named and whom this server did not know, by the handle as written.

    Whoever is not found within `PATIENCE` is left out.
    """
    unknown = await site.db.read(_unknown, site.urls, names[:MENTIONS])
    found: dict[str, int] = {}

    async def look(name: str) -> None:
        try:
            found[name] = (await resolve.by_handle(site, name)).id
        except (Refused, Unavailable) as error:
            log.event("mention-unknown", name=name, reason=error.reason)

    tasks = [asyncio.create_task(look(name)) for name in unknown]
    try:
        if tasks:
            await asyncio.wait(tasks, timeout=PATIENCE)
    finally:
        for task in tasks:
            task.cancel()
    for outcome in await asyncio.gather(*tasks, return_exceptions=True):
        if isinstance(outcome, Exception):  # a mistake of ours, for which no post should be lost
            log.trouble("mention-failed", outcome)
    return found


def _unknown(tx: Tx, urls: Urls, names: Sequence[str]) -> list[str]:
    """Handles of other servers that are not stored."""
    remote = [name for name in names if name.partition("@")[2] not in ("", urls.handle_domain)]
    return [name for name in remote if accounts.by_acct(tx, *name.split("@", 1)) is None]
