"""Who may do what to a post, as its author wants it: ours public, followers or nobody, others by interactionPolicy."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, Rule
from fediblog.domain.posts import Post
from fediblog.domain.rules import Asker, Leave, leave
from fediblog.store.people import relations
from fediblog.store.posts import posts, quotes
from fediblog.store.posts.thread_links import ThreadPost
from fediblog.store.tx import Tx


def may_answer(tx: Tx, account: int, parent: ThreadPost | None, root: ThreadPost | None) -> bool:
    """Whether the account may write below a post; `root` is the first of its thread, if that is another one.

    The author and those whom the post names always may. Who closes the comments below a post means the whole thread,
    but whom one of our people names further down may still reply.
    """
    if parent is not None and not _permits(tx, parent, account):
        return False
    if root is None or _permits(tx, root, account):
        return True
    return parent is not None and bool(parent.local) and _is_named(tx, parent.id, account)


def may_comment(tx: Tx, account: int, post: Post) -> bool:
    """The same for a whole post."""
    root = posts.owner(tx, post.root) if post.root is not None else None
    return may_answer(tx, account, posts.owner(tx, post.id), root)


def _permits(tx: Tx, post: ThreadPost, account: int) -> bool:
    if not post.local or post.repliable == "public" or post.account == account:
        return True
    if post.repliable == "followers" and relations.is_following(tx, account, post.account):
        return True
    return _is_named(tx, post.id, account)


def _is_named(tx: Tx, post: int, account: int) -> bool:
    row = tx.one("select 1 as yes from mention where post = :post and account = :account", post=post, account=account)
    return row is not None


def authorize_quote(tx: Tx, post: Post, account: int, quoting: str) -> int | None:
    """The number of the authorization for the account's post `quoting` to quote a post of ours (FEP-044f).

    None if its author lets the account not quote it, or took that back.
    """
    if post.visibility not in OPEN or relations.blocks(tx, post.account.id, account):
        return None
    return quotes.grant(tx, post.id, account, quoting) if may_quote(tx, account, post) else None


def leave_of(tx: Tx, rule: Rule | None, account: Account, post: Post) -> Leave:
    """What the author of a post of another server lets an account of ours do; what no rule is told of is free."""
    if rule is None or post.local:
        return "automatic"
    follows = relations.is_following(tx, account.id, post.account.id)
    followed = relations.is_following(tx, post.account.id, account.id)
    return leave(rule, post.account, Asker(account.uri, follows=follows, followed=followed))


def leave_to_answer(tx: Tx, account: Account, post: Post) -> Leave:
    """The same for an answer: whom the post names may always answer it."""
    rule = post.policy.reply if post.policy is not None and account.id not in post.addressed else None
    return leave_of(tx, rule, account, post)


def may_quote(tx: Tx, account: int, post: Post) -> bool:
    """Whether the author of a post of ours lets that account quote it."""
    if post.quotable == "followers" and post.account.id != account:
        return relations.is_following(tx, account, post.account.id)
    return post.quotable == "public" or post.account.id == account
