"""The documents of what is ours, for every place that serves or sends them."""

from __future__ import annotations

from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, PUBLIC, Attachment, Emoji, Json, Visibility
from fediblog.domain.posts import Boost, Post
from fediblog.domain.rules import addresses
from fediblog.domain.urls import Urls
from fediblog.markup.html import escape
from fediblog.protocol.activities import quote_authorization, reply_authorization, write_activity
from fediblog.protocol.actors import write_actor
from fediblog.protocol.collections import write_page
from fediblog.protocol.contexts import without_context
from fediblog.protocol.notes import write_note
from fediblog.protocol.previews import pictures_within, written_abstract
from fediblog.protocol.tag_array import write_emoji
from fediblog.store.id_paging import Window
from fediblog.store.people import accounts
from fediblog.store.posts import approvals, custom_emoji, posts, quotes, threads
from fediblog.store.tx import Tx

EMBEDDED_REPLIES = 5

Document = dict[str, Json]


def actor_document(tx: Tx, urls: Urls, account: Account) -> Document:
    """An account of ours as its id serves it, with its public keys."""
    whole = accounts.with_keys(tx, account)
    if account.login is not None:  # whom its own pages name (`fediverse:creator`) agrees to that as well
        sites = dict.fromkeys((urls.of(account).host, *account.attribution_domains))
        whole = replace(whole, attribution_domains=tuple(sites))
    if account.uri == urls.instance_actor:  # which has nothing to show but an outbox without posts
        whole = replace(whole, followers="", following="", featured="", featured_tags="")
    if account.emoji:
        whole = replace(whole, emoji=_emoji(tx, urls, account.emoji))
    return write_actor(whole)


def _emoji(tx: Tx, urls: Urls, used: tuple[Emoji, ...]) -> tuple[Emoji, ...]:
    """The custom emoji that a text uses, of those that the server has now."""
    return tuple(custom_emoji.own_emoji(urls, each) for each in custom_emoji.by_names(tx, [each.name for each in used]))


def post_document(tx: Tx, urls: Urls, post: Post) -> Document:
    """A post of ours as its id serves it, with the totals of answers, likes and boosts as they stand."""
    counted = posts.with_counts(post)
    if post.emoji:
        counted = replace(counted, emoji=_emoji(tx, urls, post.emoji))
    shown = threads.reply_links(tx, post.id, 0, Window(limit=EMBEDDED_REPLIES))
    first = write_page(
        "",  # it stands only here, so it is found nowhere
        part_of=post.replies,
        items=[row.uri for row in shown],
        next=f"{post.replies}?page={shown[-1].id}" if len(shown) == EMBEDDED_REPLIES else "",
        ordered=False,
    )
    proof, by_accept = _approval(tx, post) if post.in_reply_to else ("", False)
    return write_note(
        _with_quote_link(tx, _described(_with_pictures(counted))),
        tag_base=f"{urls.of(post.account).origin}/tags/",
        can_quote=(_quoting(post),),
        can_reply=None if post.repliable == "public" else (_answering(post),),
        quote_authorization=post.quote_approval,
        reply_authorization="" if by_accept else proof,
        approved_by=proof,
        first_replies=first,
    )


def _described(post: Post) -> Post:
    """The post; of an article's summary only what its author wrote, without elements."""
    if not (post.is_article and post.summary):
        return post
    return replace(post, summary=written_abstract(post).replace("&", "&amp;").replace("<", "&lt;"))


def _with_pictures(post: Post) -> Post:
    """The post with the pictures in its text among its files, too: many servers show no others."""
    if "<img " not in post.content:
        return post
    carried = {address for each in post.attachments for address in (each.url, each.preview)}
    found = {url: alt for url, alt in pictures_within(post.content) if url not in carried}
    more = (Attachment(kind="Image", url=url, alt=alt) for url, alt in found.items())
    return replace(post, attachments=(*post.attachments, *more))


def _approval(tx: Tx, post: Post) -> tuple[str, bool]:
    """What proves that an answer may stand, and whether that is an Accept alone; empty if nothing does."""
    found = approvals.of(tx, post.uri)
    return (found.proof, found.by_accept) if found is not None and found.state == "accepted" else ("", False)


def _with_quote_link(tx: Tx, post: Post) -> Post:
    """The post with a link for servers that know no quotes; those that do hide it by its class, as Mastodon's.

    Of what may not be quoted nothing is left.
    """
    if not post.quote:
        return post
    if post.quote_state in ("rejected", "revoked"):
        return replace(post, quote="")
    page = escape(quotes.page_of(tx, post.quote))
    return replace(post, content=f'<p class="quote-inline">RE: <a href="{page}">{page}</a></p>{post.content}')


def _quoting(post: Post) -> str:
    """Who may quote a post: no more people than those who may see it and pass it on (FEP-044f)."""
    if post.visibility not in OPEN:
        return post.author
    return {"public": PUBLIC, "followers": post.account.followers}.get(post.quotable, post.author)


def _answering(post: Post) -> str:
    """Who may answer a post beside those whom it names."""
    return post.account.followers if post.repliable == "followers" else post.author


def create_of(urls: Urls, post: Post, document: Document) -> Document:
    """The Create that made a post. Its id is that of the post's number, so that it is always the same."""
    return write_activity(
        "Create",
        uri=urls.of(post.account).activity(post.id),
        actor=post.author,
        object=document,
        to=post.to,
        cc=post.cc,
        published=post.published,
    )


def announce_of(uri: str, actor: Account, post: Post, published: int, visibility: Visibility) -> Document:
    """A boost: to the booster's followers and the author of the post, and to everybody unless it is for these alone."""
    to, cc = addresses(visibility, actor.followers, (post.author,))
    return write_activity("Announce", uri=uri, actor=actor.uri, object=post.uri, to=to, cc=cc, published=published)


def like_of(uri: str, actor: Account, post: Post, emoji: str = "", custom: tuple[Emoji, ...] = ()) -> Document:
    """A Like of a post, to its author; with an emoji a reaction, which who knows none takes for a like (FEP-c0e0).

    `custom` is what a `:name:` shows.
    """
    return write_activity(
        "Like",
        uri=uri,
        actor=actor.uri,
        object=post.uri,
        to=(post.author,),
        content=emoji,
        _misskey_reaction=emoji,
        tag=[write_emoji(each) for each in custom],
    )


def reaction_of(tx: Tx, urls: Urls, uri: str, actor: Account, post: Post, emoji: str) -> Document:
    """The same, with the picture that a `:name:` of this server shows now."""
    return like_of(uri, actor, post, emoji, _emoji(tx, urls, (Emoji(name=emoji.strip(":"), url=""),)) if emoji else ())


def quote_authorization_of(urls: Urls, post: Post, number: int, quoting: str) -> Document:
    """The proof that `quoting` (an id) may quote a post of ours."""
    return quote_authorization(urls.of(post.account).authorization(number), post.author, quoting, post.uri)


def reply_authorization_of(urls: Urls, post: Post, number: int, replying: str, kind: str = "Reply") -> Document:
    """The proof that `replying` (an id) may answer a post of ours or, as `kind` says, like or boost it."""
    proof = urls.of(post.account).reply_authorization(number)
    return reply_authorization(proof, post.author, replying, post.uri, kind)


def outbox_entry(tx: Tx, urls: Urls, account: Account, item: Post | Boost) -> Document:
    """What an account posted or passed on, as the activity that stands in its outbox."""
    if isinstance(item, Boost):
        return without_context(announce_of(item.uri, account, item.post, item.created, item.visibility))
    return without_context(create_of(urls, item, post_document(tx, urls, item)))
