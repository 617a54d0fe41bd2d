"""Our people report an account: to those who look after this server and, if they want so, to its own server."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from fediblog.actions.drafts import author_of
from fediblog.actions.follow_actions import other_of
from fediblog.domain.accounts import Account
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, Refused
from fediblog.markup.text import tidy
from fediblog.outgoing import sent_accounts
from fediblog.store.people import accounts
from fediblog.store.posts import posts
from fediblog.store.readers import moderation
from fediblog.store.readers.moderation import Report
from fediblog.store.tx import Tx

CATEGORIES = ("spam", "legal", "violation", "other")
COMMENT_LIMIT = 1_000  # characters
MOST_POSTS = 50


class ReportDraft(Struct, frozen=True, kw_only=True):
    """What somebody says about an account; `posts` are numbers of its posts, `rules` those of this server."""

    target: int
    posts: tuple[int, ...] = ()
    comment: str = ""
    category: str = "other"
    rules: tuple[str, ...] = ()
    forward: bool = False


def report(tx: Tx, urls: Urls, account: int, complaint: ReportDraft) -> Report:
    """Keep a report. It is forwarded in the name of the server: who reported is nobody's business elsewhere."""
    actor, other = author_of(tx, account), other_of(tx, complaint.target)
    if other.id == actor.id:
        raise Invalid("account_id", "report.oneself")
    if complaint.category not in CATEGORIES:
        raise Invalid("category", "report.category", choices=", ".join(CATEGORIES))
    found = posts.many(tx, complaint.posts[:MOST_POSTS], account)
    named = [post.uri for post in found.values() if post.account.id == other.id]
    activity = tx.new_id()
    number = moderation.report(
        tx,
        urls.transient_activity(urls.instance_actor, activity),
        account,
        other.id,
        named,
        tidy(complaint.comment, COMMENT_LIMIT),
        category=complaint.category,
        rules=complaint.rules,
        forwarded=complaint.forward and not other.local,
    )
    kept = moderation.get_report(tx, number) if number is not None else None
    if kept is None:
        raise Refused("reported-already")
    if kept.forwarded:
        _forward(tx, urls, activity, other, kept.posts, kept.content)
    return kept


def report_by_visitor(tx: Tx, urls: Urls, target: int, named: Sequence[str], comment: str) -> None:
    """Keep what a visitor says about an account of ours, or a post of it; one of very many says nothing new."""
    uri = urls.transient_activity(urls.instance_actor, tx.new_id())
    moderation.report(tx, uri, None, target, named, tidy(comment, COMMENT_LIMIT))


def _forward(tx: Tx, urls: Urls, number: int, other: Account, named: Sequence[str], comment: str) -> None:
    speaker = accounts.instance(tx, urls)
    if speaker is not None:
        sent_accounts.flag(tx, urls, speaker, other, named, comment, number)
