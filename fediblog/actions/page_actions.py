"""What the owner does with pages that stand by themselves."""

from __future__ import annotations

from collections.abc import Container

from msgspec import Struct

from fediblog.actions.drafts import ARTICLE_LIMIT, TITLE_LIMIT, check_language
from fediblog.actions.post_of_draft import people_of
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.markup.slug import slugify
from fediblog.markup.text import one_line
from fediblog.prepare.wording import Text, Wording
from fediblog.store.posts import free_pages
from fediblog.store.posts.free_pages import FreePage, PageRole
from fediblog.store.tx import Tx


class PageDraft(Struct, frozen=True, kw_only=True):
    """A page as it is typed: Markdown, and an address that is made of the title if there is none."""

    title: str = ""
    slug: str = ""
    source: str = ""
    language: str = ""
    role: PageRole = "other"
    published: bool = False


def texts_of(draft: PageDraft) -> tuple[Text, ...]:
    """What has to be rendered of it. Raises Invalid for more text than fits, which nothing shall read."""
    if len(draft.source) > ARTICLE_LIMIT:
        raise Invalid("source", "article.too-long", n=len(draft.source), limit=ARTICLE_LIMIT)
    return (Text(source=draft.source),)


def save(
    tx: Tx, urls: Urls, number: int | None, draft: PageDraft, wording: Wording, reserved: Container[str]
) -> FreePage:
    """Make a page, or change that of the number; `reserved` are the first words of other addresses of the server.

    Raises Invalid, NotFound, and Outdated if the text has to be rendered again.
    """
    tx.hold(free_pages.SLUGS)
    before = free_pages.get(tx, number) if number is not None else None
    if number is not None and before is None:
        raise NotFound
    people_of(tx, urls, wording, texts_of(draft))
    title = one_line(draft.title)
    if not title:
        raise Invalid("title", "page.no-title")
    if len(title) > TITLE_LIMIT:
        raise Invalid("title", "post.long-title", n=TITLE_LIMIT)
    check_language(draft.language)
    made = FreePage(
        id=before.id if before else tx.new_id(),
        slug=_slug(tx, draft, before, reserved),
        role=draft.role,
        state="published" if draft.published else "draft",
        title=title,
        source=draft.source,
        content=wording.words[0].numbered("page"),
        language=draft.language,
        created=before.created if before else tx.now,
        updated=tx.now,
    )
    if before is None:
        free_pages.add(tx, made)
    else:
        free_pages.change(tx, before, made)
    return made


def _slug(tx: Tx, draft: PageDraft, before: FreePage | None, reserved: Container[str]) -> str:
    """The address that was chosen; else the one that it has; else one made of the title."""
    wanted = slugify(draft.slug) or (before.slug if before else slugify(draft.title))
    if not wanted:
        raise Invalid("slug", "page.no-slug")
    if wanted in reserved:
        raise Invalid("slug", "page.reserved", slug=wanted)
    return free_pages.free_slug(tx, wanted, before.id if before else 0)


def remove(tx: Tx, number: int) -> None:
    """Delete a page. Raises NotFound."""
    if not free_pages.remove(tx, number):
        raise NotFound
