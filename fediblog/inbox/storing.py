"""The one way in which somebody else's post gets into the database, whatever brought it here.

So what must never come in is asked here: suspended authors, blocked servers, what was deleted.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, fields, replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, Mention, Note, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.rules import visibility_of
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.inbox.cleaning import harmless
from fediblog.inbox.handling import CleanNote
from fediblog.markup.clean import CLEANER_VERSION
from fediblog.protocol.authority import same_origin
from fediblog.store import accounts, conversations, inbound, jobs, listings, notices, permits, posts, relations, writing
from fediblog.store.accounts import host_of
from fediblog.store.tx import Row, Tx
from fediblog.store.writing import Placement

REPLIES_DELAY = 300_000  # ms, after which a fresh answer may have answers of its own
_OF_NOTE = [each.name for each in fields(Note)]
Person = tuple[int, str, bool]
"""Account, name as written, and whether it is addressed without being named."""


@dataclass(frozen=True, slots=True)
class _Audience:
    visibility: Visibility
    people: list[Person]
    named: Mapping[int, Account]  # those of them whom the post names


def refuse_author(tx: Tx, urls: Urls, author: Account, uri: str) -> None:
    """Refuse what comes from our own address, from a suspended account or from a blocked server."""
    if author.local or urls.owns(uri) or urls.owns(author.uri):
        raise Refused("post-is-ours", "What is ours does not come from elsewhere.", uri)
    if author.state != "active":
        raise Refused(f"author-{author.state}", "Posts of this account are not taken.", author.uri)
    if any(relations.host_is_blocked(tx, host) for host in {host_of(uri), author.domain}):
        raise Refused("host-blocked", "Posts of this server are not taken.", uri)


def store_post(
    tx: Tx, urls: Urls, note: Note, author: Account, *, boosted: bool = False, climbed: bool = False
) -> Post | None:
    """As `put_post`, with the post as it is stored."""
    number = put_post(tx, urls, note, author, boosted=boosted, climbed=climbed)
    return posts.stored(tx, number) if number is not None else None


def put_post(
    tx: Tx,
    urls: Urls,
    note: Note,
    author: Account,
    *,
    boosted: bool = False,
    climbed: bool = False,
    inbox_owner: int | None = None,
    clean: CleanNote | None = None,
) -> int | None:
    """Store a post that its own author, or its origin, vouches for; its number, or None if it must not come in.

    `boosted`: it is here because somebody passed it on, or as part of a thread, so nobody's stream gets it as new.
    `climbed`: it was fetched to complete a thread, and begins no climb of its own. `clean` is what is shown of it, if
    that has been worked out.
    """
    refuse_author(tx, urls, author, note.uri)
    if note.author != author.uri or not same_origin(note.uri, author.uri):
        raise Refused("not-the-owner", "The post is not of the author's server.", note.uri)
    if _is_buried(tx, note):
        return None
    parent = writing.tie(tx, note.in_reply_to)
    above = _owners(tx, parent)
    if any(each.local and relations.blocks(tx, each.account, author.id) for each in above.values()):
        return None  # whom one of our people blocks does not answer them, nor in their threads
    if parent is not None and not permits.may_answer(
        tx, author.id, above.get(parent.id), above.get(parent.root) if parent.root else None
    ):
        raise Refused("comments-closed", "Comments below this post are not open to everybody.", note.in_reply_to)
    fresh = _dated(clean or harmless(note), tx.now)
    audience = _audience(tx, urls, note, author, inbox_owner)
    placement = Placement(visibility=audience.visibility, cleaner=CLEANER_VERSION)
    number = writing.insert(tx, fresh, author, placement, parent=parent)
    writing.address(tx, number, audience.people, new=True)
    _announce(tx, _placed(fresh, number, author, audience, parent), audience, above, boosted=boosted, climbed=climbed)
    return number


def _announce(
    tx: Tx, post: Post, audience: _Audience, above: Mapping[int, Row], *, boosted: bool, climbed: bool
) -> None:
    """Streams and notices of a new post, and what is to be fetched around it."""
    if not boosted:
        if post.visibility == Visibility.DIRECT:
            conversations.add(tx, post)
        else:
            listings.spread(tx, post)
            notices.add_for_listeners(tx, post)
        tell(tx, post, audience.named, above)
    _complete_later(tx, post, above, climbed=climbed)
    tx.notify("posts")


def _placed(fresh: CleanNote, number: int, author: Account, audience: _Audience, parent: Row | None) -> Post:
    """The post with its place, as far as it is known without asking for all that hangs on it."""
    return Post(
        **{name: getattr(fresh, name) for name in _OF_NOTE},
        id=number,
        account=author,
        visibility=audience.visibility,
        parent=parent.id if parent else None,
        root=(parent.root or parent.id) if parent else None,
        addressed=frozenset(account for account, _, _ in audience.people),
    )


def change_post(tx: Tx, urls: Urls, note: Note, stored: Post, clean: CleanNote | None = None) -> None:
    """The author changed a post: its words, and whom it is for. Its date and its place in the thread stay."""
    kept = replace(clean or harmless(note), published=stored.published, in_reply_to=stored.in_reply_to)
    fresh = _dated(CleanNote(kept), tx.now)
    audience = _audience(tx, urls, note, stored.account, None)
    writing.update(tx, stored, fresh, Placement(visibility=audience.visibility, cleaner=CLEANER_VERSION))
    writing.address(tx, stored.id, audience.people)
    after = posts.stored(tx, stored.id)
    if after is not None:
        new = {number: each for number, each in audience.named.items() if number not in stored.addressed}
        tell(tx, after, new, {})
        if after.visibility == Visibility.DIRECT:
            conversations.add(tx, after)
    tx.notify("posts")


def _dated(note: CleanNote, now: int) -> CleanNote:
    """Nothing was written in the future."""
    published = min(note.published if note.published is not None else now, now)
    updated = None if note.updated is None else min(note.updated, now)
    if (published, updated) == (note.published, note.updated):
        return note
    return CleanNote(replace(note, published=published, updated=updated))


def _is_buried(tx: Tx, note: Note) -> bool:
    """A post that was deleted does not come back, also if the Delete was faster."""
    gone = inbound.gone_before(tx, note.uri, note.author)
    if gone is not None and gone.early and inbound.undone_early(tx, note.uri, note.author):
        writing.bury(tx, note.uri, note.author, note.kind)
    return gone is not None


def _owners(tx: Tx, parent: Row | None) -> dict[int, Row]:
    """Whose the post is that is answered, and whose the thread, by the number of the post."""
    if parent is None:
        return {}
    root = posts.owner(tx, parent.root) if parent.root is not None else None
    return {parent.id: parent} if root is None else {parent.id: parent, root.id: root}


def _audience(tx: Tx, urls: Urls, note: Note, author: Account, inbox_owner: int | None) -> _Audience:
    visibility = visibility_of(note.to, note.cc, author.followers)
    named = {mention.href: mention.name for mention in note.mentions if mention.href}
    local = [uri for uri in (*note.to, *note.cc) if urls.owns(uri)]
    known = accounts.by_uris(tx, {*named, *local} - {PUBLIC})
    people = {each.id: (each.id, named[uri], False) for uri, each in known.items() if uri in named}
    found_here = {each.id: each for uri, each in known.items() if uri in named}
    for mention in note.mentions:
        found = None if mention.href in known else _by_page(tx, urls, mention)
        if found is not None:
            people.setdefault(found.id, (found.id, mention.name, False))
            found_here[found.id] = found
    for uri in local:
        if uri in known:
            people.setdefault(known[uri].id, (known[uri].id, "", True))
    if inbox_owner is not None and visibility == Visibility.DIRECT:
        people.setdefault(inbox_owner, (inbox_owner, "", True))
    return _Audience(visibility, list(people.values()), found_here)


def _by_page(tx: Tx, urls: Urls, mention: Mention) -> Account | None:
    """One of ours, whom some servers name by the profile page or by the handle alone."""
    if mention.href:
        found = accounts.by_link(tx, mention.href) if urls.owns(mention.href) else None
        return found if found is not None and found.local else None
    handle, _, domain = mention.name.removeprefix("@").partition("@")
    return accounts.local_by_handle(tx, handle) if domain.lower() in (urls.handle_domain, urls.host) else None


def tell(tx: Tx, post: Post, named: Mapping[int, Account], above: Mapping[int, Row]) -> None:
    """Notices for our people whom the post names, and for those whom it answers and quotes.

    `above` are the owners of posts above it, as far as they are known.
    """
    parent = (above.get(post.parent) or posts.owner(tx, post.parent)) if post.parent is not None else None
    answered = parent.account if parent is not None and parent.local else None
    for account in named.values():
        if account.id != answered and account.local and account.state == "active":
            notices.add(tx, account.id, "mention", post.account.id, post.id)
    open_to_all = post.visibility in (Visibility.PUBLIC, Visibility.UNLISTED)
    if answered is not None and (open_to_all or answered in post.addressed):
        notices.add(tx, answered, "reply", post.account.id, post.id)
    quoted = posts.place(tx, post.quote) if post.quote else None
    if quoted is not None and quoted.local and (open_to_all or quoted.account in post.addressed):
        notices.add(tx, quoted.account, "quote", post.account.id, post.id)


def _complete_later(tx: Tx, post: Post, above: Mapping[int, Row], *, climbed: bool) -> None:
    """Have the worker fetch what a thread lacks: the post that is answered, or more answers below one of ours.

    Strangers decide how high and how wide a thread is: we look so far up once, and below only until nobody is shown
    more.
    """
    if post.in_reply_to and post.parent is None:
        if not climbed:
            jobs.add(tx, "thread", str(post.id))
        return
    root = above.get(post.root) if post.root is not None and post.replies else None
    if root is not None and root.local and not posts.is_long(tx, post.root or 0, listings.THREAD_LIMIT):
        jobs.add(tx, "thread", str(post.id), run_at=tx.now + REPLIES_DELAY)
