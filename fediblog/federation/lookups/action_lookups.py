"""What our people ask for that needs a look at other servers first: posts that mention, handles to follow, moves."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence

from fediblog import log
from fediblog.actions import account_actions, follow_actions, post_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, Refused, Unavailable
from fediblog.federation import quotas
from fediblog.federation.lookups import resolve
from fediblog.federation.site import Site
from fediblog.markup.markdown import MENTIONS, find_mentions
from fediblog.store.people import accounts
from fediblog.store.tx import Tx

Publish = Callable[[Tx, Urls, int, Draft, Mapping[str, int]], Post]

PATIENCE = 10.0  # seconds that an author waits for the people mentioned to be found


async def publish(site: Site, account: int, draft: Draft, deed: Publish = post_actions.publish) -> Post:
    """Make a post. Who is mentioned in it is looked up first; whoever is not found in time stays plain text.

    `deed` is what does it in one transaction, where something belongs to it.
    """
    quotas.use(site, account, "post")
    found = await _people_in(site, draft)
    return await site.db.write(deed, site.urls, account, draft, found)


async def edit(site: Site, account: int, post: int, draft: Draft) -> Post:
    """Change a post, with people looked up likewise."""
    quotas.use(site, account, "edit")
    found = await _people_in(site, draft)
    return await site.db.write(post_actions.edit, site.urls, account, post, draft, found)


async def find(site: Site, text: str) -> Account | Post | None:
    """What a pasted handle or address means. Raises Refused or Unavailable that say why it cannot be had."""
    return await resolve.anything(site, text)


async def follow(site: Site, account: int, text: str) -> Account:
    """Follow whom a handle or address means."""
    quotas.use(site, account, "deed")
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
        raise Invalid(field, "There is no account under this name. Expected something like @name@example.org.")
    return found


async def _people_in(site: Site, draft: Draft) -> dict[str, int]:
    """Those mentioned in a post. Drafts can wait."""
    return {} if draft.state == "draft" else await find_people(site, [draft.source], draft.kind_of_source)


async def find_people(site: Site, texts: Iterable[str], kind: str) -> dict[str, int]:
    """Numbers of those mentioned that this server did not know, by the handle as written.

    `kind` is MARKDOWN or PLAIN. Whoever is not found within `PATIENCE` is left out.
    """
    names = {name: None for text in texts for name in find_mentions(text, kind)}
    unknown = await site.db.read(_unknown, site.urls, list(names)[:MENTIONS]) if names else []
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
