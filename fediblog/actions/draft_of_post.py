"""A post taken up again: the draft that it was made from, and what an edit takes over from it unsaid."""

from __future__ import annotations

from typing import Literal, cast

from msgspec.structs import replace

from fediblog.actions.drafts import Draft, File, PollDraft
from fediblog.domain.documents import Source
from fediblog.domain.posts import Post
from fediblog.hashtags import key
from fediblog.markup.html import hashtags_in, plain
from fediblog.markup.slug import slugify
from fediblog.protocol.previews import pictures_within, written_abstract
from fediblog.store.posts import media_files, posts
from fediblog.store.tx import Tx


def draft_of(tx: Tx, post: Post) -> Draft:
    """The draft that makes a post of ours as it stands. Of its files those that stand in its text are named there."""
    within = {address for address, _ in pictures_within(post.content)}
    below = [each for each in post.attachments if within.isdisjoint((each.url, each.preview))]
    names = [each.url.partition("/media/")[2] for each in below]
    hero = post.image.url.partition("/media/")[2] if post.image else ""
    stored = media_files.by_names(tx, post.account.id, [*names, hero])
    article = post.is_article
    draft = Draft(
        source=source_of(post),
        title=post.title,
        summary=written_abstract(post),
        warning=post.warning if article else post.summary,
        visibility=post.visibility,
        language=post.language,
        sensitive=post.sensitive,
        reply_to=post.parent,
        files=tuple(
            File(upload=stored[name].id, alt=each.alt, focus=each.focus)
            for name, each in zip(names, below, strict=True)
            if name in stored
        ),
        hero=File(upload=stored[hero].id, alt=post.image.alt, caption=post.image.caption)
        if post.image and hero in stored
        else None,
        slug=post.slug,
        state=cast(Literal["published", "draft", "scheduled"], post.state),
        scheduled=post.scheduled,
        dated=post.published if post.is_draft and post.is_dated_back else None,
        poll=_poll(post),
    )
    return inherited(tx, draft, post)


def _quoted(tx: Tx, post: Post) -> int | None:
    place = posts.place(tx, post.quote) if post.quote else None
    return place.id if place is not None else None


def source_of(post: Post) -> str:
    """What the author typed."""
    return post.source.content if post.source else plain(post.content)


def _poll(post: Post) -> PollDraft | None:
    if post.poll is None:
        return None
    opens, ends = post.scheduled or post.published or 0, post.poll.ends
    seconds = (ends - opens) // 1000 if ends is not None else 86_400
    options = tuple(option.name for option in post.poll.options)
    return PollDraft(options=options, multiple=post.poll.multiple, seconds=seconds)


def inherited(tx: Tx, draft: Draft, before: Post) -> Draft:
    """The draft of an edit with what it does not say itself: the kind of text, the tags beside it, a chosen slug."""
    source = before.source or Source(content="")
    return replace(
        draft,
        source_type=draft.source_type or source.media_type,
        slug=draft.slug or (before.slug if draft.title == before.title else chosen_slug(before)),
        tags=_beside(before) if draft.tags is None else draft.tags,
        categories=tuple(each.id for each in before.categories) if draft.categories is None else draft.categories,
        quotable=draft.quotable or before.quotable,
        comments=draft.comments or before.repliable,
        quote=_quoted(tx, before) if draft.quote is None else draft.quote,
        app=draft.app if any(draft.app) else (before.app_name, before.app_website),
    )


def _beside(post: Post) -> tuple[str, ...]:
    """The hashtags of a post that do not stand in its text, of which no more is read than it takes to see that."""
    left = {key(name): name for name in post.hashtags}
    written = hashtags_in(post.content)
    while left and (name := next(written, None)) is not None:
        left.pop(key(name), None)
    return tuple(left.values())


def chosen_slug(post: Post) -> str:
    """The slug, unless it was made of the title, with which it changes until others have seen it."""
    made = slugify(post.title) or str(post.id)
    number = post.slug.removeprefix(f"{made}-")
    return "" if post.slug == made or (number != post.slug and number.isdecimal()) else post.slug


def says_the_same(tx: Tx, draft: Draft, before: Post) -> bool:
    """Whether the draft of an edit, with what it inherits, leaves a published post as it is.

    Under which categories it is filed is said to nobody elsewhere.
    """
    standing = draft_of(tx, before)
    fixed = replace(
        draft,
        visibility=standing.visibility,
        reply_to=standing.reply_to,
        slug=slugify(draft.slug) or standing.slug,
        categories=standing.categories,
        new_category=standing.new_category,
        state=standing.state,
        scheduled=standing.scheduled,
        app=standing.app,
        quote=standing.quote,
        poll=standing.poll,
        must_reach=standing.must_reach,
    )
    return fixed == standing
