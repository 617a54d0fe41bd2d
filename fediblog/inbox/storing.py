"""The one way in which somebody else's post gets into the database, whatever brought it here.

So what must never come in is asked here: suspended authors, blocked servers, what was deleted.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, Mention, Note, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.rules import visibility_of
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.markup.clean import ARTICLE_LIMIT, CLEANER_VERSION, NOTE_LIMIT, clean, plain_to_html
from fediblog.markup.html import plain
from fediblog.markup.markdown import render_remote
from fediblog.markup.text import display_name, one_line
from fediblog.protocol.authority import same_origin
from fediblog.store import accounts, inbound, jobs, listings, notices, posts, relations, writing
from fediblog.store.accounts import host_of
from fediblog.store.tx import Tx
from fediblog.store.writing import Placement

WARNING_LIMIT = 2_000  # characters
REPLIES_DELAY = 300_000  # ms, after which a fresh answer may have answers of its own
_LONG = ("Article", "Page")
_SHORT = ("Note", "Question")
Person = tuple[int, str, bool]
"""Account, name as written, and whether it is addressed without being named."""


@dataclass(frozen=True, slots=True)
class _Audience:
    visibility: Visibility
    people: list[Person]


def refuse_author(tx: Tx, urls: Urls, author: Account, uri: str) -> None:
    """Refuse what comes from our own address, from a suspended account or from a blocked server."""
    if author.local or urls.owns(uri) or urls.owns(author.uri):
        raise Refused("post-is-ours", "What is ours does not come from elsewhere.", uri)
    if author.state != "active":
        raise Refused(f"author-{author.state}", "Posts of this account are not taken.", author.uri)
    if relations.host_is_blocked(tx, host_of(uri)) or relations.host_is_blocked(tx, author.domain):
        raise Refused("host-blocked", "Posts of this server are not taken.", uri)


def store_post(
    tx: Tx,
    urls: Urls,
    note: Note,
    author: Account,
    *,
    boosted: bool = False,
    climbed: bool = False,
    inbox_owner: int | None = None,
) -> Post | None:
    """Store a post that its own author, or its origin, vouches for. None if it must not come in.

    `boosted`: it is here because somebody passed it on, or as part of a thread, so nobody's stream gets it as new.
    `climbed`: it was fetched to complete a thread, and begins no climb of its own.
    """
    refuse_author(tx, urls, author, note.uri)
    if note.author != author.uri or not same_origin(note.uri, author.uri):
        raise Refused("not-the-owner", "The post is not of the author's server.", note.uri)
    if _is_buried(tx, note) or _is_shut_out(tx, note, author):
        return None
    fresh = cleaned(note, tx.now)
    audience = _audience(tx, urls, note, author, inbox_owner)
    placement = Placement(visibility=audience.visibility, cleaner=CLEANER_VERSION)
    number = writing.insert(tx, fresh, author, placement)
    writing.address(tx, number, audience.people)
    post = posts.stored(tx, number)
    if post is None:
        raise RuntimeError("the post vanished within its own transaction")
    if not boosted:
        if post.visibility != Visibility.DIRECT:
            listings.spread(tx, post)
        tell(tx, post, audience.people)
    _complete_later(tx, post, climbed=climbed)
    tx.notify("posts")
    return post


def change_post(tx: Tx, urls: Urls, note: Note, stored: Post) -> None:
    """The author changed a post: its words, and whom it is for. Its date and its place in the thread stay."""
    kept = replace(note, published=stored.published, in_reply_to=stored.in_reply_to)
    fresh = cleaned(kept, tx.now)
    audience = _audience(tx, urls, note, stored.account, None)
    writing.update(tx, stored, fresh, Placement(visibility=audience.visibility, cleaner=CLEANER_VERSION))
    writing.address(tx, stored.id, audience.people)
    after = posts.stored(tx, stored.id)
    if after is not None:
        tell(tx, after, [each for each in audience.people if each[0] not in stored.addressed])
    tx.notify("posts")


def cleaned(note: Note, now: int) -> Note:
    """The post with nothing in it that could harm a reader; what the author typed is not kept."""
    limit = ARTICLE_LIMIT if note.kind in _LONG else NOTE_LIMIT
    match note.media_type:
        case "text/markdown":
            content = render_remote(note.content, limit)
        case "text/plain":
            content = plain_to_html(note.content, limit)
        case _:
            content = clean(note.content, limit)
    short = note.kind in _SHORT
    return replace(
        note,
        title=display_name(note.title),
        summary=one_line(plain(note.summary), WARNING_LIMIT) if short else clean(note.summary),
        warning=one_line(note.warning, WARNING_LIMIT),
        content=content,
        media_type="text/html",
        source=None,
        published=min(note.published if note.published is not None else now, now),
        updated=None if note.updated is None else min(note.updated, now),
        replies=_own(note.replies, note),
        likes=_own(note.likes, note),
        shares=_own(note.shares, note),
    )


def _own(collection: str, note: Note) -> str:
    return collection if same_origin(collection, note.uri) else ""


def _is_buried(tx: Tx, note: Note) -> bool:
    """A post that was deleted does not come back, also if the Delete was faster."""
    if inbound.undone_early(tx, note.uri, note.author):
        writing.bury(tx, note.uri, note.author, note.kind)
        return True
    return writing.tombstone(tx, note.uri) is not None


def _is_shut_out(tx: Tx, note: Note, author: Account) -> bool:
    """Whom one of our people blocks does not answer them, nor in their threads."""
    parent = writing.tie(tx, note.in_reply_to)
    above = [posts.owner(tx, number) for number in {parent.id, parent.root} if number] if parent else []
    return any(each is not None and each.local and relations.blocks(tx, each.account, author.id) for each in above)


def _audience(tx: Tx, urls: Urls, note: Note, author: Account, inbox_owner: int | None) -> _Audience:
    visibility = visibility_of(note.to, note.cc, author.followers)
    named = {mention.href: mention.name for mention in note.mentions if mention.href}
    local = [uri for uri in (*note.to, *note.cc) if urls.owns(uri)]
    known = accounts.by_uris(tx, {*named, *local} - {PUBLIC})
    people = {each.id: (each.id, named[uri], False) for uri, each in known.items() if uri in named}
    for mention in note.mentions:
        found = None if mention.href in known else _by_page(tx, urls, mention)
        if found is not None:
            people.setdefault(found.id, (found.id, mention.name, False))
    for uri in local:
        if uri in known:
            people.setdefault(known[uri].id, (known[uri].id, "", True))
    if inbox_owner is not None and visibility == Visibility.DIRECT:
        people.setdefault(inbox_owner, (inbox_owner, "", True))
    return _Audience(visibility, list(people.values()))


def _by_page(tx: Tx, urls: Urls, mention: Mention) -> Account | None:
    """One of ours, whom some servers name by the profile page or by the handle alone."""
    if mention.href:
        found = accounts.by_link(tx, mention.href) if urls.owns(mention.href) else None
        return found if found is not None and found.local else None
    handle, _, domain = mention.name.removeprefix("@").partition("@")
    return accounts.local_by_handle(tx, handle) if domain.lower() in (urls.handle_domain, urls.host) else None


def tell(tx: Tx, post: Post, people: list[Person]) -> None:
    """Notices for our people whom the post names, and for those whom it answers and quotes."""
    parent = posts.owner(tx, post.parent) if post.parent is not None else None
    answered = parent.account if parent is not None and parent.local else None
    named = {account for account, _, silent in people if not silent}
    for account in accounts.many(tx, named - {answered or 0}).values():
        if account.local and account.state == "active":
            notices.add(tx, account.id, "mention", post.account.id, post.id)
    open_to_all = post.visibility in (Visibility.PUBLIC, Visibility.UNLISTED)
    if answered is not None and (open_to_all or answered in post.addressed):
        notices.add(tx, answered, "reply", post.account.id, post.id)
    quoted = posts.place(tx, post.quote) if post.quote else None
    if quoted is not None and quoted.local and (open_to_all or quoted.account in post.addressed):
        notices.add(tx, quoted.account, "quote", post.account.id, post.id)


def _complete_later(tx: Tx, post: Post, *, climbed: bool) -> None:
    """Have the worker fetch what a thread lacks: the post that is answered, or more answers below one of ours.

    Strangers decide how high and how wide a thread is: we look so far up once, and below only until nobody is shown
    more.
    """
    if post.in_reply_to and post.parent is None:
        if not climbed:
            jobs.add(tx, "thread", str(post.id))
        return
    root = posts.owner(tx, post.root) if post.root is not None and post.replies else None
    if root is not None and root.local and not posts.is_long(tx, post.root or 0, listings.THREAD_LIMIT):
        jobs.add(tx, "thread", str(post.id), run_at=tx.now + REPLIES_DELAY)
