"""Actions that need a text rendered, with the rendering, in one transaction: for tests that ask what the action does.

The server renders before the transaction (`federation.prepared_actions`); so do tests of that.
"""

from __future__ import annotations

from collections.abc import Mapping

from fediblog.actions import account_actions, post_actions, site_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.drafts import Draft, kind_of, text_of
from fediblog.actions.post_of_draft import people_named, targets
from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.prepare import texts as prepare
from fediblog.prepare.wording import Text, Wording
from fediblog.store.tx import Tx


def word(tx: Tx, urls: Urls, texts: tuple[Text, ...], found: Mapping[str, int] | None = None) -> Wording:
    """The texts rendered; `found` are numbers of accounts by the names that mean them."""
    parsed = prepare.read(texts)
    names = prepare.names(parsed)
    people = targets(people_named(tx, urls, names, found or {}))
    words = prepare.words(texts, parsed, people, urls)
    return Wording(texts=texts, words=words, names=names, people=people, found=found or {})


def publish(tx: Tx, urls: Urls, account: int, draft: Draft, found: Mapping[str, int] | None = None) -> Post:
    wording = word(tx, urls, (text_of(draft, kind_of(draft)),), found)
    return post_actions.publish(tx, urls, account, draft, wording)


def edit(tx: Tx, urls: Urls, account: int, post: int, draft: Draft, found: Mapping[str, int] | None = None) -> Post:
    wording = word(tx, urls, (post_actions.edited_text(tx, account, post, draft),), found)
    return post_actions.edit(tx, urls, account, post, draft, wording)


def update_profile(tx: Tx, urls: Urls, account: int, profile: ProfileChanges) -> Account:
    wording = word(tx, urls, account_actions.texts_to_render(tx, account, profile))
    return account_actions.update_profile(tx, urls, account, profile, wording)


def announce(tx: Tx, urls: Urls, source: str, ends: int | None) -> int:
    wording = word(tx, urls, site_actions.announcement_texts(source))
    return site_actions.announce(tx, urls, source, ends, wording)
