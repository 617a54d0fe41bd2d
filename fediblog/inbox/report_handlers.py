"""Reports of our accounts and posts by people elsewhere."""

from __future__ import annotations

from fediblog.domain.documents import Activity
from fediblog.domain.urls import Urls
from fediblog.inbox.follow_handlers import ours
from fediblog.inbox.handler import Facts, Handler, Outcome, Sender
from fediblog.markup.html import plain
from fediblog.protocol.activities import CONTENT_LIMIT, object_uris
from fediblog.store.people import host_rules
from fediblog.store.people.accounts import host_of
from fediblog.store.posts import posts
from fediblog.store.readers import moderation
from fediblog.store.tx import Tx

MOST_OBJECTS = 50


def _concerns(_tx: Tx, urls: Urls, activity: Activity, _sight: Sender) -> bool:
    return any(urls.owns(uri) for uri in object_uris(activity)[:MOST_OBJECTS])


def _reported(tx: Tx, urls: Urls, activity: Activity, facts: Facts) -> Outcome:
    """One report for each of our accounts that is named, or whose published posts are."""
    if host_rules.rejects_reports(tx, facts.actor.domain, host_of(facts.actor.uri)):
        return Outcome.IGNORED
    named: dict[int, list[str]] = {}
    for uri in object_uris(activity)[:MOST_OBJECTS]:
        account, post = ours(tx, urls, uri), posts.place(tx, uri) if urls.owns(uri) else None
        if account is not None:
            named.setdefault(account.id, [])
        elif post is not None and post.local:
            named.setdefault(post.account, []).append(uri)
    uri = activity.uri or f"{facts.actor.uri}#flags/{tx.new_id()}"
    content = plain(activity.content, CONTENT_LIMIT)
    for at, (target, reported) in enumerate(named.items()):
        moderation.report(tx, f"{uri}#{at}" if at else uri, facts.actor.id, target, reported, content)
    return Outcome.DONE if named else Outcome.IGNORED


reported = Handler(_reported, concerns=_concerns)
