"""Posts, ours and everybody else's: one by one, with what hangs on them, and how they are stored."""

from __future__ import annotations

import re
from collections.abc import Collection, Mapping, Sequence
from typing import NamedTuple
from urllib.parse import unquote, urlsplit

from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Attachment, Mention
from fediblog.domain.memo import Memo
from fediblog.domain.posts import Category, Guest, Post
from fediblog.domain.rules import quoted_unasked
from fediblog.markup.slug import first_free
from fediblog.store.people import accounts
from fediblog.store.posts import post_columns, post_extras, quote_proofs, quotes
from fediblog.store.posts.post_extras import Parts
from fediblog.store.posts.quote_proofs import NamedProof
from fediblog.store.posts.quotes import AskedQuote
from fediblog.store.posts.thread_links import ThreadPost
from fediblog.store.queues.push_subscriptions import PUSHED
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import NOT_EXCLUDED, VISIBLE, VISIBLE_IN_LISTS, has_page, shown_below

_Author = tuple[Account, Guest | None]
MOST_KEPT = 4096  # posts that are remembered as they were made
LONGEST_KEPT = 2000  # characters of what may be long in one of them
_MADE: Memo[int, Post] = Memo(MOST_KEPT)
_READ = post_columns.reader(
    *("account", "author", "guest", "mentions", "addressed", "hashtags", "categories", "attachments"),
    *("comments", "like_total", "boost_total", "liked", "reacted", "boosted"),
    *("bookmarked", "muted", "voted"),
)
_NOBODY = Account(uri="", kind="", handle="", inbox="", id=0, domain="")
_UNSHOWN = replace(_NOBODY, media_rejected=True)
_GUESTS = "select id, door, name, url, picture, state, created from guest where id in (:ids)"
_NO_ONE: frozenset[int] = frozenset()
_AT_PAGE = (
    f"select p.* from post p join account a on a.id = p.account where {has_page('p', 'a')}"
    " and p.state <> 'deleted' order by p.local desc, p.id"
)
_AT_FORMER = (
    "select p.* from former_post_slug f join post p on p.id = f.post where f.account = :account and f.month = :month"
    f" and f.slug = :slug and p.state = 'published' and {VISIBLE}"
)
_AT_FORMER_PAGE = (
    "select p.* from former_post_slug f join post p on p.id = f.post join account a on a.id = f.account"
    " where a.handle_key = :handle and a.local = 1 and a.host = :host and f.month = :month and f.slug = :slug"
    " and p.state <> 'deleted'"
)
_ARTICLE_PAGE = re.compile(r"/@([A-Za-z0-9_]{1,30})/([0-9]{4}/[0-9]{2})/([^/]+)\Z")
_TAKEN = (
    "select slug from post where account = :account and month = :month and id <> :post and slug <> ''"
    " union all select slug from former_post_slug where account = :account and month = :month and post <> :post"
)
_OWNER = (
    f"select p.id, p.root, p.uri, p.account, p.local, p.repliable, {PUSHED.format('p.account')}"
    " from post p where p.id = :id and p.state <> 'deleted'"
)
_SHUT_OUT = (
    "select w.id from post w join post p on p.uri = w.quote"
    f" where w.id in (:ids) and not {shown_below('p.account', 'w')}"
)


def get(tx: Tx, number: int, viewer: int = 0) -> Post | None:
    """The post of that number if `viewer` (0: anybody) may see it."""
    row = tx.one(f"select p.* from post p where p.id = :id and {VISIBLE}", id=number, viewer=viewer)
    return hydrate(tx, [row], viewer)[0] if row else None


def many(tx: Tx, numbers: Collection[int], viewer: int = 0) -> dict[int, Post]:
    """Those of the posts with these numbers that `viewer` may see."""
    if not numbers:
        return {}
    rows = tx.all(f"select p.* from post p where p.id in (:ids) and {VISIBLE}", ids=sorted(set(numbers)), viewer=viewer)
    return {post.id: post for post in hydrate(tx, rows, viewer)}


def stored(tx: Tx, number: int) -> Post | None:
    """The post of that number, whoever may see it: for its owner's and the server's own work."""
    row = tx.one("select p.* from post p where p.id = :id and p.state <> 'deleted'", id=number)
    return hydrate(tx, [row])[0] if row else None


def by_uri(tx: Tx, uri: str) -> Post | None:
    """The post with exactly that id, whoever may see it."""
    row = tx.one("select p.* from post p where p.uri = :uri and p.state <> 'deleted'", uri=uri)
    return hydrate(tx, [row])[0] if row else None


def by_uri_seen(tx: Tx, uri: str, viewer: int) -> Post | None:
    """The post with exactly that id, if `viewer` may see it."""
    row = tx.one(f"select p.* from post p where p.uri = :uri and {VISIBLE}", uri=uri, viewer=viewer)
    return hydrate(tx, [row])[0] if row else None


def by_link(tx: Tx, link: str) -> Post | None:
    """The post with that id or, failing that, that web page, which must be of the host of the id.

    For replies and pasted addresses: whoever writes a document may name any page in it.
    """
    found = by_uri(tx, link)
    if found or not link:
        return found
    row = tx.one(_AT_PAGE, page=link, page_host=accounts.host_of(link)) or _at_former_page(tx, link)
    return hydrate(tx, [row])[0] if row else None


def _at_former_page(tx: Tx, link: str) -> Row | None:
    """The row of the article of ours that was once at that address."""
    found = _ARTICLE_PAGE.match(urlsplit(link).path)
    if found is None:
        return None
    handle, month, slug = found.groups()
    host = accounts.host_of(link)
    return tx.one(_AT_FORMER_PAGE, handle=handle.lower(), host=host, month=month, slug=unquote(slug))


def known(tx: Tx, uris: Collection[str]) -> set[str]:
    """Which of these ids are stored."""
    return {row.uri for row in tx.all("select uri from post where uri in (:uris)", uris=sorted(set(uris)))}


def by_slug(tx: Tx, account: int, month: str, slug: str, viewer: int = 0) -> Post | None:
    """The article at that address, if `viewer` may see it."""
    row = tx.one(
        "select p.* from post p where p.account = :account and p.month = :month and p.slug = :slug and p.slug <> ''"
        f" and {VISIBLE}",
        account=account,
        month=month,
        slug=slug,
        viewer=viewer,
    )
    return hydrate(tx, [row], viewer)[0] if row else None


def by_former_slug(tx: Tx, account: int, month: str, slug: str, viewer: int = 0) -> Post | None:
    """The published article that was once at that address, if `viewer` may see it."""
    row = tx.one(_AT_FORMER, account=account, month=month, slug=slug, viewer=viewer)
    return hydrate(tx, [row], viewer)[0] if row else None


def free_slug(tx: Tx, account: int, month: str, slug: str, post: int = 0) -> str:
    """`slug`, or the first of slug-2, slug-3 … that no other post of that month has or leads on from."""
    return first_free(slug, {row.slug for row in tx.all(_TAKEN, account=account, month=month, post=post)})


def hydrate(tx: Tx, rows: Sequence[Row], viewer: int = 0) -> list[Post]:
    """Whole posts from rows of the table, in a fixed number of queries however many there are."""
    whole = _hydrate(tx, rows, viewer)
    return _with_quoted(tx, whole, viewer) if any(each.quote for each in whole) else whole


def _with_quoted(tx: Tx, whole: Sequence[Post], viewer: int) -> list[Post]:
    """The posts with those that they quote, one level deep, as far as they may."""
    rows = tx.all(
        f"select p.* from post p where p.uri in (:uris) and p.state = 'published' and {VISIBLE_IN_LISTS}"
        f" and {NOT_EXCLUDED}",
        uris=sorted({each.quote for each in whole}),
        viewer=viewer,
        now=tx.now,
    )
    found = {each.uri: each for each in _hydrate(tx, rows, viewer)}
    inside = [each.id for each in whole if each.quote in found and (each.local or each.root is not None)]
    hidden = _shut_out(tx, inside) if inside else set()
    meant = {each.id: found[each.quote] for each in whole if each.quote in found and each.id not in hidden}
    theirs = [each for each in whole if not each.local and each.quote]
    granted = quotes.granted(tx, [each.uri for each in theirs if each.id in meant and meant[each.id].local])
    named = quote_proofs.named(tx, [each.id for each in theirs])
    asked = quotes.requests(tx, [each.id for each in whole if each.quote and each.local])
    return [
        each
        if not each.quote
        else _quoting(each, meant.get(each.id), asked)
        if each.local
        else _quoting_there(each, meant.get(each.id), granted, named.get(each.id))
        for each in whole
    ]


def _shut_out(tx: Tx, numbers: Sequence[int]) -> set[int]:
    """Which of these posts quote whom the author of the post or of its thread blocks: there nobody sees the quote."""
    return {row.id for row in tx.all(_SHUT_OUT, ids=sorted(numbers))}


def _quoting_there(
    post: Post, quoted: Post | None, granted: Collection[tuple[str, int]], proof: NamedProof | None
) -> Post:
    """A post of another server shows what it quotes with an authorization that stands, or needs none (FEP-044f)."""
    if quoted is None:
        shown = False
    elif quoted.local:
        shown = (post.uri, quoted.id) in granted
    else:
        proven = proof is not None and (proof.state, proof.author) == ("accepted", quoted.author)
        shown = proven or quoted_unasked(post, quoted, is_of_old=proof is None)
    if shown:
        return replace(post, quoted=quoted)
    return replace(post, quote_state="pending") if proof is not None and proof.state == "waiting" else post


def _quoting(post: Post, quoted: Post | None, asked: Mapping[int, AskedQuote]) -> Post:
    """A post of ours shows what it quotes once that is granted; one that is still a draft shows it to its author."""
    request = asked.get(post.id)
    if request is None:
        return replace(post, quoted=quoted)
    state = "deleted" if request.gone and request.state == "accepted" else request.state
    shown_quote = quoted if state == "accepted" else None
    return replace(post, quote_state=state, quote_approval=request.approval, quoted=shown_quote)


def _hydrate(tx: Tx, rows: Sequence[Row], viewer: int) -> list[Post]:
    ids = [row.id for row in rows]
    if not ids:
        return []
    authors = accounts.many(tx, {row.account for row in rows})
    guests = _guests(tx, {row.guest for row in rows if row.guest is not None})
    found = post_extras.extras_of(tx, rows, viewer)
    comments, likes, boosts = map(found.counts, ("comment", "like", "boost"))
    liked, reacted, boosted, kept, muted = map(found.counts, ("liked", "reacted", "boosted", "kept", "muted"))
    polls = [row.id for row in rows if row.poll is not None] if viewer else []
    voted = _voted(tx, polls, viewer) if polls else set()
    return [
        _post(
            row,
            (authors[row.account], guests.get(row.guest)),
            found.parts(row.id, linked=authors[row.account].media_rejected),
            (comments.get(row.id, 0), likes.get(row.id, 0), boosts.get(row.id, 0)),
            (
                *(row.id in liked, row.id in reacted, row.id in boosted, row.id in kept),
                *((row.root or row.id) in muted, row.id in voted),
            ),
        )
        for row in rows
    ]


def _guests(tx: Tx, numbers: Collection[int]) -> dict[int, Guest]:
    return {row.id: Guest(**row._asdict()) for row in tx.all(_GUESTS, ids=sorted(numbers))} if numbers else {}


def _voted(tx: Tx, polls: Sequence[int], viewer: int) -> set[int]:
    cast = "select post from poll_vote where post in (:ids) and account = :viewer"
    return {row.post for row in tx.all(cast, ids=polls, viewer=viewer)}


def attachment(row: Row) -> Attachment:
    """A file as its row says it."""
    return Attachment(
        kind=row.kind,
        url=row.url,
        media_type=row.media_type,
        alt=row.alt,
        width=row.width,
        height=row.height,
        blurhash=row.blurhash,
        focus=(row.focus_x, row.focus_y) if row.focus_x is not None and row.focus_y is not None else None,
        duration=row.duration,
        preview=row.preview,
        number=row.media or row.id,
        unkept=bool(row.unkept),
    )


def _post(row: Row, author: _Author, parts: Parts, counted: tuple[int, int, int], marks: tuple[bool, ...]) -> Post:
    """The post, which is made anew only if something of it has changed: that takes long, and a page shows many."""
    made_of = (type(row), row, author, parts, counted, marks)
    post = _MADE.get(row.id, made_of)
    if post is None:
        post = _made(row, author, parts, counted, marks)
        if sum(map(len, (row.content, row.summary, row.source or "", row.to_list, row.cc_list))) <= LONGEST_KEPT:
            _MADE.put(row.id, made_of, post)
    return post


def _made(row: Row, author: _Author, parts: Parts, counted: tuple[int, int, int], marks: tuple[bool, ...]) -> Post:
    mentions, tags, files = parts
    named = [Mention(href=each.uri, name=each.name) for each in mentions if not each.silent] if mentions else ()
    post = _READ(
        row,
        account=author[0],
        author=author[0].uri,
        guest=author[1],
        mentions=tuple(named),
        addressed=frozenset([each.account for each in mentions]) if mentions else _NO_ONE,
        hashtags=tuple([each.name for each in tags if not each.category]) if tags else (),
        categories=_categories(tags) if tags and tags[-1].category else (),
        attachments=tuple([attachment(each) for each in files]) if files else (),
        # What the origin told, and what is shown: that or what is counted here, whichever is more.
        comments=max(counted[0], row.replies_told or 0),
        like_total=max(counted[1], row.likes_told or 0),
        boost_total=max(counted[2], row.boosts_told or 0),
        liked=marks[0],
        reacted=marks[1],
        boosted=marks[2],
        bookmarked=marks[3],
        muted=marks[4],
        voted=marks[5],
    )
    return replace(post, image=None, emoji=()) if author[0].media_rejected else post


def _categories(tags: Sequence[Row]) -> tuple[Category, ...]:
    found = (Category(id=each.category, name=each.name, slug=each.tag) for each in tags if each.category)
    return tuple(sorted(found, key=lambda each: (each.name.casefold(), each.id)))


def bare(row: Row, parts: Parts, *, rejected: bool = False) -> Post:
    """The post as far as its row and its parts say: it has neither an author nor totals nor marks of anybody.

    `rejected`: this server shows no picture of its author's server.
    """
    return _made(row, (_UNSHOWN if rejected else _NOBODY, None), parts, (0, 0, 0), (False,) * 6)


def with_counts(post: Post, replies: int | None = None) -> Post:
    """The post with the totals that its document embeds."""
    total = post.comments if replies is None else replies
    return replace(post, reply_count=total, like_count=post.like_total, share_count=post.boost_total)


def is_here(tx: Tx, uri: str) -> bool:
    """Whether the post with that id is stored; whoever may see it."""
    return tx.one("select 1 as yes from post where uri = :uri and state = 'published'", uri=uri) is not None


class PostPlace(NamedTuple):
    """Whose a post is, and where it stands; `ours` is whether its thread began here."""

    id: int
    account: int
    local: int
    root: int | None
    visibility: str
    ours: int


class SeenPost(NamedTuple):
    """What somebody who may see a post learns of where it is."""

    id: int
    account: int
    local: int
    visibility: str
    url: str


def place(tx: Tx, uri: str) -> PostPlace | None:
    """Where the post with that id stands; whoever may see it."""
    row = tx.one(
        "select p.id, p.account, p.local, p.root, p.visibility,"
        " coalesce((select r.local from post r where r.id = p.root), p.local) as ours"
        " from post p where p.uri = :uri and p.state = 'published'",
        uri=uri,
    )
    return PostPlace(*row) if row else None


def seen_by(tx: Tx, uri: str, viewer: int) -> SeenPost | None:
    """The post with that id, if `viewer` may see it."""
    row = tx.one(
        f"select p.id, p.account, p.local, p.visibility, p.url from post p where p.uri = :uri"
        f" and p.state = 'published' and {VISIBLE}",
        uri=uri,
        viewer=viewer,
    )
    return SeenPost(*row) if row else None


def owner(tx: Tx, number: int) -> ThreadPost | None:
    """Whose the post is, and who may answer it; whoever may see it."""
    row = tx.one(_OWNER, id=number)
    return ThreadPost._make(row) if row else None


def is_long(tx: Tx, root: int, limit: int) -> bool:
    """Whether a thread has at least so many answers."""
    rows = tx.all("select 1 as yes from post where root = :root limit :n", root=root, n=limit)
    return len(rows) >= limit


def answered_here(tx: Tx, number: int) -> bool:
    """Whether one of our people wrote below the post."""
    row = tx.one("select 1 as yes from post where (parent = :id or root = :id) and local = 1 limit 1", id=number)
    return row is not None


def authors_of(tx: Tx, posts: Collection[int], viewer: int) -> dict[int, int]:
    """Who wrote those of the posts with these numbers that `viewer` (0: anybody) may see."""
    if not posts:
        return {}
    sql = f"select p.id, p.account from post p where p.id in (:ids) and {VISIBLE}"
    rows = tx.all(sql, ids=sorted(posts), viewer=viewer)
    return {row.id: row.account for row in rows}
