"""Status: posts as apps see them, in lists of which every piece is asked for once."""

from __future__ import annotations

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from html import unescape
from typing import NamedTuple

from msgspec import Struct, field

from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, PUBLIC, Attachment, InteractionPolicy, Poll, Visibility
from fediblog.domain.posts import Boost, Post
from fediblog.domain.urls import Urls
from fediblog.markup.html import escape
from fediblog.mastodon.entities import account_entity, filter_entity
from fediblog.mastodon.entities.base import MOST, VISIBILITIES, Json, blurhash, emojis, maybe_moment, moment
from fediblog.mastodon.entity_context import EntityContext
from fediblog.protocol.previews import ABSTRACTED, abstract, abstract_html, warning
from fediblog.store.people import accounts, relations
from fediblog.store.posts import approvals, posts, quotes, reader_marks
from fediblog.store.posts.timelines import ListedPost
from fediblog.store.readers import filter_matching
from fediblog.store.readers.filter_matching import FilterMatcher
from fediblog.store.tx import Tx

BARE: Json = {
    "edited_at": None,
    "content": "",
    "media_attachments": [],
    "mentions": [],
    "tags": [],
    "emojis": [],
    "card": None,
    "poll": None,
    "quote": None,
    "application": None,
    "fediblog": None,
}
"""What a boost has nothing of."""
UNSUPPORTED = "unsupported_policy"  # Mastodon's word for those whom it has no word for
_COMMENTS = {"public": "everyone", "followers": "followers", "nobody": "nobody"}
_SOURCE = re.compile(r'(<img [^>]*?src=")(https?://[^"]*)"')
_KINDS = {"Image": "image", "Video": "video", "Audio": "audio"}


class Shown(Struct, frozen=True, kw_only=True):
    """A post as a status, or a boost of it: then `id` and `at` are the boost's."""

    id: int
    post: Post
    booster: Account | None = None
    at: int | None = None

    @classmethod
    def of(cls, thing: Post | Boost | ListedPost) -> Shown:
        """A post, a boost, or a place in a timeline."""
        if isinstance(thing, Post):
            return cls(id=thing.id, post=thing)
        if isinstance(thing, Boost):
            return cls(id=thing.id, post=thing.post, booster=thing.account, at=thing.created)
        return cls(id=thing.id if thing.booster else thing.post.id, post=thing.post, booster=thing.booster)


class RelatedData(Struct):
    """What the Status entities of some posts need beside the posts: accounts, totals, the marks of the viewer."""

    accounts: dict[int, Json] = field(default_factory=dict)
    parents: Mapping[int, int] = field(default_factory=dict)  # author of the post answered, by its number
    mine: reader_marks.Marks = field(default_factory=reader_marks.Marks)
    matcher: FilterMatcher = filter_matching.NOTHING
    quotes: Mapping[int, int] = field(default_factory=dict)  # how many quote a post, by its number
    followed: Collection[int] = ()  # authors whom the viewer follows, of posts of ours that only followers may quote
    approvals: Mapping[str, str] = field(default_factory=dict)  # how answers of the viewer stand elsewhere, by id
    now: int = 0  # ms


def statuses(
    tx: Tx, context: EntityContext, things: Sequence[Post | Boost | ListedPost | Shown], viewer: int
) -> list[Json]:
    """Status entities, in the order given, as `viewer` (0: anybody) sees them."""
    shown = [each if isinstance(each, Shown) else Shown.of(each) for each in things]
    whole = [each.post for each in shown] + [each.post.quoted for each in shown if each.post.quoted is not None]
    related = _gather(tx, context, shown, whole, viewer)
    return [_status(context, each, related, viewer) for each in shown]


def _gather(tx: Tx, context: EntityContext, shown: Sequence[Shown], whole: Sequence[Post], viewer: int) -> RelatedData:
    authors = {each.account.id: each.account for each in whole}
    authors |= {each.booster.id: each.booster for each in shown if each.booster is not None}
    named = {number for post in whole if post.mentions for number in post.addressed} - set(authors)
    everybody = authors | accounts.many(tx, named)
    found = list(everybody.values())
    entities = account_entity.accounts(tx, context, found)
    return RelatedData(
        accounts={each.id: entity for each, entity in zip(found, entities, strict=True)},
        parents=posts.authors_of(tx, {post.parent for post in whole if post.parent is not None}, viewer),
        mine=reader_marks.marks(tx, viewer, [post.id for post in whole]) if viewer else reader_marks.Marks(),
        matcher=filter_matching.matcher(tx, viewer),
        quotes=quotes.totals(tx, [post.id for post in whole]),
        followed=relations.following_among(
            tx, viewer, {each.account.id for each in whole if each.quotable == "followers" or names_some(each.policy)}
        ),
        approvals=approvals.states(tx, [each.uri for each in whole if each.account.id == viewer and each.in_reply_to]),
        now=tx.now,
    )


def _status(context: EntityContext, shown: Shown, related: RelatedData, viewer: int) -> Json:
    inner = _post(context, shown.post, related, viewer)
    if shown.booster is None:
        return inner
    at = shown.at if shown.at is not None else shown.id >> 20
    changed = passed_on(context, shown.id, at, shown.post.url or shown.post.uri)
    return {**inner, **changed, "account": related.accounts[shown.booster.id], "reblog": inner}


def passed_on(context: EntityContext, number: int, at: int, url: str) -> Json:
    """What a boost has in place of the post's own: its number, when (ms) that was, and the page of the post."""
    return {"id": str(number), "uri": context.urls.activity(number), "url": url, "created_at": moment(at), **BARE}


def _post(context: EntityContext, post: Post, related: RelatedData, viewer: int) -> Json:
    return {**fixed(context, post, related), **living(context, post, related, viewer)}


def fixed(context: EntityContext, post: Post, related: RelatedData) -> Json:
    """What is the same for everybody and changes only with the post, whom it names, and the post above.

    `status_bytes` remembers it: whatever else it is made of must be in the key there.
    """
    parent = related.parents.get(post.parent or 0)
    return {
        "id": str(post.id),
        "created_at": moment(post.published if post.published is not None else post.received),
        "in_reply_to_id": str(post.parent) if parent is not None else None,
        "in_reply_to_account_id": str(parent) if parent is not None else None,
        "sensitive": post.sensitive,
        "spoiler_text": warning(post),
        "visibility": VISIBILITIES[post.visibility],
        "language": post.language or None,
        "uri": post.uri,
        "url": post.url or post.uri,
        "edited_at": maybe_moment(post.updated),
        "content": content(post, context.urls),
        "reblog": None,
        "application": {"name": post.app_name, "website": post.app_website or None} if post.app_name else None,
        "media_attachments": [attachment_of(each, context.urls, post) for each in post.attachments],
        "mentions": _mentions(post, related),
        "tags": [{"name": name, "url": context.urls.tag(name)} for name in post.hashtags],
        "emojis": emojis(post.emoji, context.urls),
        "card": None,
        "fediblog": article(post),
    }


def living(context: EntityContext, post: Post, related: RelatedData, viewer: int) -> Json:
    """What changes without the post, or is another thing for each reader."""
    entity: Json = {
        "replies_count": post.comments,
        "reblogs_count": post.boost_total,
        "favourites_count": post.like_total,
        "quotes_count": related.quotes.get(post.id, 0),
        "account": related.accounts[post.account.id],
        "poll": None
        if post.poll is None
        else poll(post, context.urls, related.mine.votes.get(post.id, ()), viewer, related.now),
        "quote": _quote(context, post, related, viewer),
        "quote_approval": quote_approval(
            quote_policy(post.local, post.visibility, post.quotable, post.policy, post.account),
            standing(viewer, post.account.id, related.followed),
        ),
    }
    if viewer:
        entity |= {
            "favourited": post.liked,
            "reblogged": post.boosted,
            "bookmarked": post.id in related.mine.bookmarked,
            "muted": (post.root or post.id) in related.mine.muted,
            "filtered": filter_entity.results(related.matcher, post.id, post.account.id, filter_matching.searched(post))
            if related.matcher
            else [],
        }
        if post.account.id == viewer:
            entity["pinned"] = post.pinned is not None
            if (approval := related.approvals.get(post.uri)) is not None:
                entity["fediblog"] = {**article(post), "approval": approval}
    return entity


def content(post: Post, urls: Urls) -> str:
    """The HTML of a post. Of one with a title, which apps do not know, the title, the abstract and the way to it."""
    if not post.title:
        return _loaded_here(post, urls) if "<img " in post.content else post.content
    link = escape(post.url or post.uri)
    about = abstract_html(post) if post.kind in ABSTRACTED else post.content
    return f'<p><strong><a href="{link}">{escape(post.title)}</a></strong></p>{about}<p><a href="{link}">{link}</a></p>'


def _loaded_here(post: Post, urls: Urls) -> str:
    """Its HTML, its pictures loaded from here."""
    return _SOURCE.sub(lambda found: f'{found[1]}{escape(urls.copy(f"p{post.id}", unescape(found[2])))}"', post.content)


def article(post: Post) -> Json:
    """Our own addition: what a blog's post has beyond a status."""
    return {
        "type": post.kind,
        "title": post.title or None,
        "slug": post.slug or None,
        "summary": (abstract(post) or None) if post.is_article else None,
        "tags": list(post.hashtags),
        "categories": [each.name for each in post.categories],
        "comments_policy": _COMMENTS.get(post.repliable) if post.local else None,
        "approval": None,  # but to its author: see `living`
    }


def attachment_of(each: Attachment, urls: Urls, post: Post) -> Json:
    """MediaAttachment of a post: of another server's it is the copy, or what cannot be kept by its own address."""
    entity = attachment(each)
    if post.local:
        return entity
    entity["remote_url"] = each.url
    if each.unkept:
        return entity | {"type": "unknown"}
    owner = f"p{post.id}"
    if entity["type"] == "image":
        preview = urls.copy(owner, each.url, "small")
    else:
        preview = urls.copy(owner, each.preview or each.url)
    return entity | {"url": urls.copy(owner, each.url), "preview_url": preview}


def attachment(each: Attachment) -> Json:
    """MediaAttachment of a file of ours."""
    meta: Json = {}
    if each.width and each.height:
        meta["original"] = meta["small"] = {
            "width": each.width,
            "height": each.height,
            "size": f"{each.width}x{each.height}",
            "aspect": each.width / each.height,
        }
    if each.duration is not None:
        meta["original"] = {**meta.get("original", {}), "duration": each.duration}
    if each.focus is not None:
        meta["focus"] = {"x": each.focus[0], "y": each.focus[1]}
    return {
        "id": str(each.number),
        "type": media_type(each),
        "url": each.url,
        "preview_url": each.preview or each.url,
        "remote_url": None,
        "preview_remote_url": None,
        "text_url": None,
        "meta": meta,
        "description": each.alt or None,
        "blurhash": blurhash(each.blurhash),
    }


def media_type(each: Attachment) -> str:
    """What an app shows it with."""
    main = each.media_type.partition("/")[0]
    return main if main in ("image", "video", "audio") else _KINDS.get(each.kind, "unknown")


def _mentions(post: Post, related: RelatedData) -> list[Json]:
    uris = {each.href for each in post.mentions}
    found = (related.accounts.get(number) for number in sorted(post.addressed))
    return [
        {"id": each["id"], "username": each["username"], "url": each["url"], "acct": each["acct"]}
        for each in found
        if each is not None and each["uri"] in uris
    ]


class Quoters(NamedTuple):
    """Who may quote a post, in Mastodon's words: without asking, and with the author's approval.

    `sealed`: not even its author may. `unsaid`: it is of a server that says nothing of quotes.
    """

    automatic: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()
    sealed: bool = False
    unsaid: bool = False


def quote_policy(
    local: bool, visibility: str, quotable: str, policy: InteractionPolicy | None, author: Account | None
) -> Quoters:
    """Who may quote a post. `author` must be there where `names_some` says so."""
    if visibility not in OPEN:
        return Quoters(sealed=visibility == Visibility.DIRECT)
    if local:
        return Quoters(() if quotable == "nobody" else (quotable,))
    rule = policy.quote if policy is not None else None
    if rule is None:
        return Quoters(unsaid=True)
    if author is None or PUBLIC in rule.automatic:
        return Quoters(("public",))
    return Quoters(_groups(rule.automatic, author), _groups(rule.manual, author))


def _groups(uris: Iterable[str], author: Account) -> tuple[str, ...]:
    """What Mastodon calls them: the author needs no word, and there is one for all that are named beside its two."""
    names = {PUBLIC: "public", author.followers: "followers"}
    found = {names.get(uri, UNSUPPORTED) for uri in uris if uri != author.uri}
    return tuple(each for each in (UNSUPPORTED, "public", "followers") if each in found)


def names_some(policy: InteractionPolicy | None) -> bool:
    """Whether the author of a post of another server lets only some quote it, by the policy that came with it."""
    return policy is not None and policy.quote is not None and PUBLIC not in policy.quote.automatic


def standing(viewer: int, author: int, followed: Collection[int]) -> str:
    """What the viewer is to the author: nobody, self, follower or other."""
    if not viewer:
        return "nobody"
    return "self" if viewer == author else "follower" if author in followed else "other"


def quote_approval(quoters: Quoters, viewer: str) -> Json:
    """Who may quote it, and whether the viewer may; see `quote_policy` and `standing`."""
    words = {"automatic": list(quoters.automatic), "manual": list(quoters.manual)}
    return {**words, "current_user": _current(quoters, viewer)}


def _current(quoters: Quoters, viewer: str) -> str:
    if viewer == "nobody" or quoters.sealed:
        return "denied"
    if viewer == "self":
        return "automatic"
    groups = {"public", "followers"} if viewer == "follower" else {"public"}
    if not groups.isdisjoint(quoters.automatic):
        return "automatic"
    if not groups.isdisjoint(quoters.manual):
        return "manual"
    return "unknown" if quoters.unsaid or UNSUPPORTED in quoters.automatic + quoters.manual else "denied"


def poll(post: Post, urls: Urls, own: Sequence[str], viewer: int, now: int = 0) -> Json | None:
    """Poll of a post as it is at `now` (ms); `own` are the answers that the viewer chose."""
    asked: Poll | None = post.poll
    if asked is None:
        return None
    names = [each.name for each in asked.options]
    votes = sum(each.votes for each in asked.options)
    entity: Json = {
        "id": str(post.id),
        "expires_at": maybe_moment(asked.until),
        "expired": asked.is_over(now),
        "multiple": asked.multiple,
        "votes_count": min(votes, MOST),
        "voters_count": asked.voters,
        "options": [{"title": each.name, "votes_count": each.votes} for each in asked.options],
        "emojis": emojis(post.emoji, urls),
    }
    if viewer:
        entity["voted"] = post.voted or post.account.id == viewer
        entity["own_votes"] = sorted(names.index(name) for name in own if name in names)
    return entity


def _quote(context: EntityContext, post: Post, related: RelatedData, viewer: int) -> Json | None:
    if not post.quote:
        return None
    if post.quoted is None:
        state = post.quote_state if post.quote_state not in ("", "accepted") else "unauthorized"
        return {"state": state, "quoted_status": None}
    inner = _post(context, post.quoted, related, viewer)
    return {"state": "accepted", "quoted_status": {**inner, "quote": _shallow(post.quoted)}}


def _shallow(post: Post) -> Json | None:
    """ShallowQuote: that a quoted post quotes another one itself, and not which."""
    return {"state": "accepted", "quoted_status_id": None} if post.quote else None


__all__ = ["Shown", "article", "attachment", "content", "poll", "statuses", "warning"]
