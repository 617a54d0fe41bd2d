"""The one way in which somebody else's post gets into the database, whatever brought it here.

So what must never come in is asked here: suspended authors, blocked servers, what was deleted.
"""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct
from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, PUBLIC, Mention, Note, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.rules import visibility_of
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.inbox import approval_handlers
from fediblog.markup.html import CLEANER_VERSION
from fediblog.prepare.cleaned import CleanNote
from fediblog.protocol.authority import same_origin
from fediblog.protocol.questions import is_vote
from fediblog.store import json_columns
from fediblog.store.people import accounts
from fediblog.store.posts import (
    arrivals,
    conversations,
    post_writing,
    posts,
    quote_proofs,
    reply_policy,
    thread_links,
    threads,
    timelines,
    tombstones,
)
from fediblog.store.posts.arrivals import Addressee, Arrival
from fediblog.store.posts.post_columns import Placement
from fediblog.store.posts.thread_links import ThreadPost
from fediblog.store.queues import events, incoming_queue, job_kinds, job_queue
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx

REPLIES_DELAY = 300_000  # ms, after which a fresh answer may have answers of its own
_OF_NOTE = Note.__struct_fields__
Person = tuple[int, str, bool]
"""Account, name as written, and whether it is addressed without being named."""


class _Audience(Struct, frozen=True):
    visibility: Visibility
    people: list[Person]
    named: Mapping[int, Addressee]  # those of them whom the post names


class _News(Struct, frozen=True):
    """A post with its place in the thread and its audience, as far as notifications need them."""

    id: int
    note: Note
    author: Account
    parent: int | None
    root: int | None
    audience: _Audience

    def is_for(self, account: int) -> bool:
        """Whether it is open to all, or addressed to the account."""
        if self.audience.visibility in OPEN:
            return True
        return any(number == account for number, _, _ in self.audience.people)


def refuse_author(urls: Urls, author: Account, uri: str, found: Arrival) -> None:
    """Refuse what comes from our own address, from an account that is suspended now or from a blocked server."""
    if author.local or urls.owns(uri) or urls.owns(author.uri):
        raise Refused("post-is-ours", uri)
    if found.standing not in ("active", None):
        raise Refused(f"author-{found.standing}", author.uri, key="refusal.author-not-taken")
    if found.host_blocked:
        raise Refused("host-blocked", uri, key="refusal.host-posts-not-taken")


def store_post(
    tx: Tx,
    urls: Urls,
    note: Note,
    author: Account,
    clean: CleanNote,
    *,
    boosted: bool = False,
    climbed: bool = False,
) -> Post | None:
    """Store a post as `put_post` does; the post as it is stored, None if it must not come in."""
    number = put_post(tx, urls, note, author, clean, boosted=boosted, climbed=climbed)
    return posts.stored(tx, number) if number is not None else None


def put_post(
    tx: Tx,
    urls: Urls,
    note: Note,
    author: Account,
    clean: CleanNote,
    *,
    boosted: bool = False,
    climbed: bool = False,
    notify: bool = False,
    requested: bool = False,
    inbox_owner: int | None = None,
    known: Arrival | None = None,
) -> int | None:
    """Store a post that its own author, or its origin, vouches for; its number, or None if it must not come in.

    `boosted`: it is here because somebody passed it on, or as part of a thread, so nobody's stream gets it as new.
    `notify`: a group passed it on as its author sent it, so those whom it names or answers are notified all the same.
    `climbed`: it was fetched to complete a thread, and begins no climb of its own. `requested`: its author asked first
    and is answered to that. `clean` is what is shown of it, `known` what `arrivals.post` says, if that was asked.
    """
    tx.hold(author.id)
    found = known or arrivals.post(tx, note, author)
    if not _may_come_in(tx, urls, note, author, found) or is_vote(note, json_columns.poll_from(found.poll)):
        return None
    parent, above = _place(tx, note, author, found.answered)
    fresh = _dated(clean, tx.now)
    if fresh.title and parent is not None:
        fresh = _untitled(tx, fresh, parent.id, parent.root)
    audience = _audience(tx, urls, note, author, inbox_owner)
    placement = Placement(visibility=audience.visibility, cleaner=CLEANER_VERSION)
    number = post_writing.insert(tx, fresh, author, placement, parent=parent, awaited=bool(found.awaited))
    post_writing.address(tx, number, audience.people, new=True)
    root = (parent.root or parent.id) if parent else None
    news = _News(number, fresh, author, parent.id if parent else None, root, audience)
    quoted = _quoted(tx, number, fresh, author) if fresh.quote else None
    _lock_notified(tx, news, above, quoted)
    if not boosted:
        _spread(tx, news, followed=bool(found.followed))
    if notify or not boosted:
        notify_people(tx, news, above, quoted, new=True)
    if parent is not None and not requested:
        _let_stand(tx, urls, parent, author, note.uri)
    _complete_later(tx, news, above, climbed=climbed)
    return number


def _place(
    tx: Tx, note: Note, author: Account, parent: ThreadPost | None
) -> tuple[ThreadPost | None, dict[int, ThreadPost]]:
    """The post that a new one answers, and the owners of posts above it; none in a thread of which it must not know.

    Raises Refused where its author may see the thread and must not write there.
    """
    above = _owners(tx, parent)
    root = above.get(parent.root) if parent is not None and parent.root else None
    if parent is None or reply_policy.may_answer(tx, author.id, above.get(parent.id), root):
        return parent, above
    if posts.get(tx, parent.root or parent.id, author.id) is not None:
        raise Refused("comments-closed", note.in_reply_to)
    return None, {}


def _let_stand(tx: Tx, urls: Urls, parent: ThreadPost, author: Account, uri: str) -> None:
    """Send an Accept of an answer to a post of ours that not everybody may answer."""
    ours = accounts.get(tx, parent.account) if parent.local and parent.repliable != "public" else None
    if ours is not None:
        approval_handlers.let_reply(tx, urls, ours, parent.id, author, uri)


def _may_come_in(tx: Tx, urls: Urls, note: Note, author: Account, found: Arrival) -> bool:
    """What was deleted does not come back; whom one of our people blocks answers neither them nor in their threads."""
    refuse_author(urls, author, note.uri, found)
    if note.author != author.uri or not same_origin(note.uri, author.uri):
        raise Refused("not-the-owner", note.uri, key="refusal.post-elsewhere")
    if found.early and incoming_queue.undone_early(tx, note.uri, note.author):  # the Delete was faster
        tombstones.leave(tx, note.uri, note.author, note.kind)
    return not (found.early or found.buried or found.author_blocked)


def _spread(tx: Tx, news: _News, *, followed: bool) -> None:
    """A new post goes to conversations or streams; of an author whom nobody follows to none, but for its hashtags."""
    if news.audience.visibility == Visibility.DIRECT:
        conversations.add(tx, _placed(news))
    elif followed or news.note.hashtags:
        post = _placed(news)
        timelines.spread(tx, post)
        notifications.add_for_listeners(tx, post)
    else:
        events.publish(tx, events.POST, account=news.author.id, post=news.id)


def _placed(news: _News) -> Post:
    """The post with its place, as far as it is known without asking for all that hangs on it."""
    return Post(
        **{name: getattr(news.note, name) for name in _OF_NOTE},
        id=news.id,
        account=news.author,
        visibility=news.audience.visibility,
        parent=news.parent,
        root=news.root,
        addressed=frozenset(account for account, _, _ in news.audience.people),
    )


def change_post(tx: Tx, urls: Urls, note: Note, stored: Post, clean: CleanNote) -> None:
    """The author changed a post: its words, and whom it is for. Its date and its place in the thread stay."""
    kept = replace(clean, published=stored.published, in_reply_to=stored.in_reply_to)
    fresh = _dated(kept, tx.now)
    if fresh.title and stored.parent is not None:
        fresh = _untitled(tx, fresh, stored.parent, stored.root)
    audience = _audience(tx, urls, note, stored.account, None)
    post_writing.update(
        tx, stored, fresh, Placement(visibility=audience.visibility, state=stored.state, cleaner=CLEANER_VERSION)
    )
    post_writing.address(tx, stored.id, audience.people)
    after = posts.stored(tx, stored.id)
    if after is not None:
        post_writing.hide_history(tx, stored, after)
    if after is not None and after.state == "published":
        new = {number: each for number, each in audience.named.items() if number not in stored.addressed}
        quoted = _quoted(tx, after.id, fresh, after.account) if fresh.quote else None
        news = _News(after.id, after, after.account, after.parent, after.root, replace(audience, named=new))
        _lock_notified(tx, news, {}, quoted)
        notify_people(tx, news, {}, quoted)
        if after.visibility == Visibility.DIRECT:
            conversations.add(tx, after)


def _dated(note: CleanNote, now: int) -> CleanNote:
    """The post with no date in the future."""
    published = min(note.published if note.published is not None else now, now)
    updated = None if note.updated is None else min(note.updated, now)
    if (published, updated) == (note.published, note.updated):
        return note
    return replace(note, published=published, updated=updated)


def _untitled(tx: Tx, note: CleanNote, parent: int, root: int | None) -> CleanNote:
    """The post without its title, if that is the one of its thread: forums give each answer that of the topic."""
    if note.kind != "Note" or note.title not in thread_links.repeating(tx, {parent, root or parent}):
        return note
    return replace(note, title="")


def _owners(tx: Tx, parent: ThreadPost | None) -> dict[int, ThreadPost]:
    """Whose the post is that is answered, and whose the thread, by the number of the post."""
    if parent is None:
        return {}
    root = posts.owner(tx, parent.root) if parent.root is not None else None
    return {parent.id: parent} if root is None else {parent.id: parent, root.id: root}


def _audience(tx: Tx, urls: Urls, note: Note, author: Account, inbox_owner: int | None) -> _Audience:
    visibility = visibility_of(note.to, note.cc, author.followers)
    named = {mention.href: mention.name for mention in note.mentions if mention.href}
    local = [uri for uri in (*note.to, *note.cc) if urls.owns(uri)]
    known = arrivals.people(tx, {*named, *local} - {PUBLIC})
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


def _by_page(tx: Tx, urls: Urls, mention: Mention) -> Addressee | None:
    """The account of ours that a mention names by its profile page or its handle alone, as some servers do."""
    handle, _, domain = mention.name.removeprefix("@").partition("@")
    if mention.href:
        found = accounts.by_link(tx, mention.href) if urls.owns(mention.href) else None
    else:
        found = accounts.local_by_handle(tx, handle) if domain.lower() in (urls.handle_domain, urls.host) else None
    return arrivals.people(tx, (found.uri,)).get(found.uri) if found is not None and found.local else None


def _quoted(tx: Tx, number: int, note: Note, author: Account) -> int | None:
    """The author of the post of ours that a new one quotes, if that one lets it: many servers never ask (FEP-044f).

    What is quoted of others is looked at later.
    """
    name_proof(tx, number, note)
    place = posts.place(tx, note.quote)
    quoted = posts.stored(tx, place.id) if place is not None and place.local else None
    if quoted is None or reply_policy.authorize_quote(tx, quoted, author.id, note.uri) is None:
        return None
    return quoted.account.id


def name_proof(tx: Tx, number: int, note: Note) -> bool:
    """Note by what authorization a post quotes, to be looked at in the background; whether that is another one now."""
    proof = note.quote_proof
    if proof and not same_origin(proof, note.quote):  # of another server than what it is about, it proves nothing
        proof = ""
    if not quote_proofs.name(tx, number, note.quote, proof):
        return False
    if proof:
        job_queue.add(tx, job_kinds.QUOTE_PROOF, str(number))
    return True


def _lock_notified(tx: Tx, news: _News, above: Mapping[int, ThreadPost], quoted: int | None) -> None:
    """Lock, as `notifications.lock` does, everybody whom `_spread` and `notify_people` may notify."""
    if tx.engine != "postgres":
        return
    notified = {each.id for each in news.audience.named.values()}
    parent = (above.get(news.parent) or posts.owner(tx, news.parent)) if news.parent is not None else None
    notified |= {each for each in (parent.account if parent is not None else None, quoted) if each is not None}
    notifications.lock(tx, news.author.id, notified)


def notify_people(
    tx: Tx, news: _News, above: Mapping[int, ThreadPost], quoted: int | None, *, new: bool = False
) -> None:
    """Notices for our people whom the post names, and for those whom it answers and quotes.

    `above` are the owners of posts above it, as far as they are known; `quoted` is who lets it quote, if it does; `new`
    if nobody can have been notified of it.
    """
    parent = (above.get(news.parent) or posts.owner(tx, news.parent)) if news.parent is not None else None
    answered = parent if parent is not None and parent.local else None
    for _, account in sorted(news.audience.named.items()):
        if account.local and account.state == "active" and (answered is None or account.id != answered.account):
            notifications.add(tx, account.id, "mention", news.author.id, news.id, new=new, pushed=bool(account.pushed))
    if answered is not None and news.is_for(answered.account):
        notifications.add(tx, answered.account, "reply", news.author.id, news.id, new=new, pushed=bool(answered.pushed))
    if quoted is not None and news.is_for(quoted):
        notifications.add(tx, quoted, "quote", news.author.id, news.id, new=new)


def _complete_later(tx: Tx, news: _News, above: Mapping[int, ThreadPost], *, climbed: bool) -> None:
    """Have the worker fetch what a thread lacks: the post that is answered, or more answers below one of ours.

    Strangers decide how high and how wide a thread is: we look so far up once, and below only until nobody is shown
    more.
    """
    if news.note.in_reply_to and news.parent is None:
        if not climbed:
            job_queue.add(tx, job_kinds.THREAD, str(news.id))
        return
    root = above.get(news.root) if news.root is not None and news.note.replies else None
    if root is not None and root.local and not posts.is_long(tx, root.id, threads.THREAD_LIMIT):
        job_queue.add(tx, job_kinds.THREAD, str(news.id), run_at=tx.now + REPLIES_DELAY)
