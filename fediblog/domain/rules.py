"""Who may see a post: the one rule. `store.visible` says the same in SQL, and a test holds them together."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Literal

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, PUBLIC, Rule, Visibility
from fediblog.domain.posts import Post

_FROM_THE_WIDEST = tuple(Visibility)


def narrowest(*wanted: Visibility) -> Visibility:
    """The one of these that is for the fewest people."""
    return max(wanted, key=_FROM_THE_WIDEST.index)


class Viewer(Struct, frozen=True):
    """Who asks: an account of ours or a remote one, by number, and what it is to the author of the post in question."""

    account: int
    follows_author: bool = False
    blocked_by_author: bool = False
    began_thread: bool = False


def may_see(post: Post, viewer: Viewer | None) -> bool:
    """Whether `viewer` (None: anybody at all) may see `post`. Private and missing must then look the same.

    The specification: product code asks the database, also for one post, so that what is hidden is never read.
    `tests/store/test_visible.py` holds `store.visible.VISIBLE` to it in worlds made at random.

    Who began the thread sees what is withheld in it if it would be seen were it published. Lists, totals and documents
    have what is published alone.
    """
    if viewer is not None and viewer.account == post.account.id:
        return post.state != "deleted"
    decides = viewer is not None and viewer.began_thread and post.is_withheld
    if not (post.state == "published" or decides) or post.account.state != "active":
        return False
    if viewer is None:
        return post.visibility in OPEN
    if viewer.blocked_by_author:
        return False
    if post.visibility in OPEN or viewer.account in post.addressed:
        return True
    return post.visibility == Visibility.FOLLOWERS and viewer.follows_author


def is_met_in_lists(author: Account, viewer: Viewer | None) -> bool:
    """Whether lists in which posts of many people meet show what `viewer` may see of an author.

    What a limited account wrote stands there for itself and who follows it. `store.visible.VISIBLE_IN_LISTS` is the
    same in SQL.
    """
    return not author.limited or (viewer is not None and (viewer.account == author.id or viewer.follows_author))


def is_wider(after: Post, before: Post) -> bool:
    """Whether an edit of a post lets somebody see it who could not before."""
    if before.visibility in OPEN:
        return False
    wider = before.visibility == Visibility.DIRECT and after.visibility == Visibility.FOLLOWERS
    return wider or after.visibility in OPEN or not after.addressed <= before.addressed


class BlockStanding(Struct, frozen=True, kw_only=True):
    """How somebody stands with the author of a post of ours: blocked, or on a server that the author blocks."""

    blocked: bool = False
    host_blocked: bool = False


def shown_below(authors: Iterable[tuple[Account, BlockStanding]]) -> bool:
    """Whether what somebody wrote or did below a post is shown there, to anybody and in any total.

    `authors` are those of that post and of the first of its thread, each with how that somebody stands with them. Only
    authors of ours decide. A mute changes nothing for others.
    """
    return not any(author.local and (how.blocked or how.host_blocked) for author, how in authors)


Leave = Literal["automatic", "manual", "denied"]
"""Whether somebody may do something to a post: at once, once its author has approved it, or not at all."""


class Asker(Struct, frozen=True):
    """Who wants to do something to a post of another server, and what that one is to its author."""

    uri: str
    follows: bool = False
    followed: bool = False


def leave(rule: Rule, author: Account, asker: Asker) -> Leave:
    """What a rule of `interactionPolicy` says to somebody: the more exact entry counts, and of two alike the wider."""
    if asker.uri == author.uri:
        return "automatic"
    circles = {author.followers: asker.follows, author.following: asker.followed}
    for entries in ({asker.uri}, {uri for uri, within in circles.items() if uri and within}, {PUBLIC}):
        if entries.intersection(rule.automatic):
            return "automatic"
        if entries.intersection(rule.manual):
            return "manual"
    return "denied"


def quoted_unasked(post: Post, quoted: Post, *, is_of_old: bool) -> bool:
    """Whether a post of another server shows another such post without an authorization (FEP-044f).

    So it is with one's own, with what everybody may quote, and where neither of the two knows authorizations:
    `is_of_old` says so of the one that quotes.
    """
    if post.account.id == quoted.account.id:
        return True
    rule = quoted.policy.quote if quoted.policy is not None else None
    return is_of_old if rule is None else PUBLIC in rule.automatic


def is_for_nobody(rule: Rule | None, author: str) -> bool:
    """Whether a rule of `interactionPolicy` names nobody but the author, whose id that is."""
    return rule is not None and not rule.manual and all(uri == author for uri in rule.automatic)


def visibility_of(to: tuple[str, ...], cc: tuple[str, ...], followers: str) -> Visibility:
    """Who a remote post is for, by where Public and the author's followers collection stand (as Mastodon reads it)."""
    if PUBLIC in to:
        return Visibility.PUBLIC
    if PUBLIC in cc:
        return Visibility.UNLISTED
    if followers and (followers in to or followers in cc):
        return Visibility.FOLLOWERS
    return Visibility.DIRECT


def addresses(
    visibility: Visibility, followers: str, mentioned: tuple[str, ...]
) -> tuple[tuple[str, ...], tuple[str, ...]]:
    """`to` and `cc` of a post of ours: mentioned people stand in both the tags and the addresses (ActivityPub §6)."""
    match visibility:
        case Visibility.PUBLIC:
            return (PUBLIC,), (followers, *mentioned)
        case Visibility.UNLISTED:
            return (followers,), (PUBLIC, *mentioned)
        case Visibility.FOLLOWERS:
            return (followers,), mentioned
        case _:
            return mentioned, ()
