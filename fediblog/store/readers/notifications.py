"""Notices: what happened to one of our accounts that its owner would want to know."""

from __future__ import annotations

from collections.abc import Collection, Iterable

from msgspec.structs import replace

from fediblog.domain.posts import Post
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import relation_lists
from fediblog.store.posts import posts
from fediblog.store.queues import events, push_subscriptions
from fediblog.store.readers import notification_policy
from fediblog.store.readers.notification_lists import KINDS
from fediblog.store.tx import EngineName, Param, Tx
from fediblog.store.visible import at_host

LARGEST = 1 << 53
"""Above this numbers are those of before they were counted for each account (see the migration `numbers`)."""
_ROW = "insert into notice (id, account, kind, actor, post, content, created, filtered)"
_CONDITIONS = (
    "(:judged = 1 or (not exists (select 1 from notice_policy where account = :account)"
    " and not exists (select 1 from account where id = :actor and limited <> 0)))"
    " and not exists (select 1 from block where account = :account and target = :actor)"
    " and not exists (select 1 from mute where account = :account and target = :actor and notices = 1"
    " and (until is null or until > :now))"
    " and not exists (select 1 from host_mute h cross join account ha where h.account = :account and ha.id = :actor"
    f" and {at_host('h.host', 'ha')})"
    " and not exists (select 1 from thread_mute tm join post tp on tm.root = coalesce(tp.root, tp.id)"
    " where tm.account = :account and tp.id = :about)"
)
_VALUES = ":account, :kind, :actor, :post, :content, :now, :filtered"
_ONCE = (
    " and not exists (select 1 from notice where account = :account and kind = :kind and actor = :actor"
    " and coalesce(post, 0) = :about and content = :content)"
)
# A trigger of the table counts on. Where a condition is not met there is no number, and so no row: for an
# `insert … select` SQLite would first make a table, which takes it as long as the insert.
_SQLITE = f"{_ROW.replace('insert', 'insert or ignore', 1)} values ((select c.notices + 1 from numbering c"
_OF = f"where c.account = :account and {_CONDITIONS}"
# Others wait for the counter's row until this transaction has ended.
_POSTGRES = (
    "with c as (update numbering set notices = notices + 1 where account = :account returning notices)"
    f" {_ROW} select c.notices, {_VALUES} from c where {_CONDITIONS}"
)
_ADD: dict[EngineName, str] = {"sqlite": f"{_SQLITE} {_OF}), {_VALUES})", "postgres": _POSTGRES}
_ADD_ONCE: dict[EngineName, str] = {"sqlite": f"{_SQLITE} {_OF}{_ONCE}), {_VALUES})", "postgres": f"{_POSTGRES}{_ONCE}"}


def add(
    tx: Tx,
    account: int,
    kind: str,
    actor: int,
    post: int | None = None,
    content: str = "",
    *,
    new: bool = False,
    pushed: bool = True,
) -> None:
    """Notify the account, once of the same thing; of nothing of its own, nor of whom or what it blocks or mutes.

    `new`: it has only come about in this transaction, so that nobody can have been notified of it. `pushed` is False if
    it is known that no app of the account wants to be woken.
    """
    if account == actor:
        return
    unasked, filtered = kind in notification_policy.UNASKED, False
    notice: dict[str, Param] = {
        "account": account,
        "kind": kind,
        "actor": actor,
        "post": post,
        "about": post or 0,
        "content": content,
        "now": tx.now,
    }
    sql = (_ADD if new else _ADD_ONCE)[tx.engine]
    added = tx.run(sql, **notice, judged=int(unasked), filtered=0)
    if not added and not unasked:  # few have set a policy or are limited, and no notification was added for those
        verdict = notification_policy.judge(tx, account, kind, actor, post)
        filtered = verdict == "filter"
        added = tx.run(sql, **notice, judged=1, filtered=int(filtered)) if verdict in ("accept", "filter") else 0
    if added and not filtered:
        events.publish_notification(tx, account, post or 0)
        if pushed:
            push_subscriptions.queue(tx, account, kind, actor)


def lock(tx: Tx, author: int, accounts: Iterable[int]) -> None:
    """Where several write at a time: who notifies several of a post takes their counters first, in one order for all.

    These are `accounts`, and those who want to hear of each post of the author.
    """
    if tx.engine == "postgres":
        tx.all(
            "select account from numbering where account in (:accounts) or account in (select follower from follow"
            " where followed = :author and notify = 1) order by account for update",
            accounts=sorted(set(accounts)),
            author=author,
        )


def add_for_listeners(tx: Tx, post: Post) -> None:
    """Tell those who want to hear of each post of its author; an answer to somebody else is not for them."""
    listeners = relation_lists.listening(tx, post.account.id)
    if not listeners:
        return
    author, above = post.account.id, post.parent or 0
    if post.in_reply_to and posts.authors_of(tx, {above}, author).get(above) != author:
        return
    for number in sorted(listeners):
        add(tx, number, "status", post.account.id, post.id)


def withdraw(tx: Tx, account: int, kind: str, actor: int, post: int | None = None) -> None:
    """Take a notice back, when what it told was undone."""
    tx.run(
        "delete from notice where account = :account and kind = :kind and actor = :actor and coalesce(post, 0) = :post",
        account=account,
        kind=kind,
        actor=actor,
        post=post or 0,
    )


def correct(tx: Tx, account: int, kind: str, actor: int, post: int, content: str) -> None:
    """What a notice told is otherwise by now: it says so in its place, and nobody is told once more."""
    tx.run(
        "update notice set content = :content where account = :account and kind = :kind and actor = :actor"
        " and post = :post and content <> :content",
        account=account,
        kind=kind,
        actor=actor,
        post=post,
        content=content,
    )


def number_of(tx: Tx, account: int, given: int) -> int:
    """The number that an app means: itself, or of one above `LARGEST` what that notice has become; 0 if unknown."""
    if given <= LARGEST:
        return given
    row = tx.one(
        "select id from former_notice where account = :account and former = :given", account=account, given=given
    )
    return row.id if row else 0


def placed(tx: Tx, account: int, window: Window) -> Window:
    """The piece of the list that an app asks for; a number of before that is unknown is that of the latest notice."""
    if window.after <= LARGEST and (window.before <= LARGEST or window.before == FAR):
        return window
    after, before = number_of(tx, account, window.after), window.before
    if not after and window.after > LARGEST:
        after = counted(tx, account)
    if before != FAR:
        before = number_of(tx, account, before) or counted(tx, account) + 1
    return replace(window, before=before, after=after)


def counted(tx: Tx, account: int) -> int:
    """The number of the account's latest notice, which may be gone by now."""
    row = tx.one("select notices from numbering where account = :account", account=account)
    return row.notices if row else 0


def mark_read(tx: Tx, account: int, up_to: int | None = None, kinds: Collection[str] = KINDS) -> None:
    """Those of these kinds have been looked at, as far as `up_to`."""
    tx.run(
        "update notice set read = 1 where account = :account and read = 0 and id <= :up_to and kind in (:kinds)",
        account=account,
        kinds=sorted(kinds),
        up_to=FAR if up_to is None else up_to,
    )
