"""Pages that stand by themselves, such as an imprint: for people alone, no other server is told of them."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct
from msgspec.structs import asdict

from fediblog.markup.slug import first_free
from fediblog.store.tx import Tx

PageRole = Literal["about", "imprint", "privacy", "terms", "other"]
ROLES: tuple[PageRole, ...] = ("about", "imprint", "privacy", "terms", "other")
"""What a page is for, in the order in which pages are listed."""

SLUGS = 2
"""The number that is held while an address is chosen: nothing else has one so low."""

_COLUMNS = "p.id, p.slug, p.role, p.state, p.title, p.source, p.content, p.language, p.created, p.updated"
_ORDER = "case role when 'about' then 0 when 'imprint' then 1 when 'privacy' then 2 when 'terms' then 3 else 4 end"
_PUBLISHED = f"select slug, title, role, language from page where state = 'published' order by {_ORDER}, title, id"
_EVERY = f"select {_COLUMNS} from page p order by {_ORDER}, title, id"
_AT = (
    f"select {_COLUMNS} from page p where p.state = 'published' and (p.slug = :slug"
    " or p.id = (select page from former_page_slug where slug = :slug))"
)


class FreePage(Struct, frozen=True, kw_only=True):
    """A page: `content` is HTML that we made of `source`, which is Markdown. `state` is draft or published."""

    id: int
    slug: str
    role: PageRole
    state: str
    title: str
    source: str
    content: str
    language: str
    created: int
    updated: int


class PageLink(Struct, frozen=True, kw_only=True):
    """What a published page is called, and where it is: at `/` and its slug."""

    slug: str
    title: str
    role: PageRole
    language: str


def published(tx: Tx) -> list[PageLink]:
    """All published pages, for menus and feet: about, imprint, privacy, terms, then others by title."""
    return [PageLink(**row._asdict()) for row in tx.all(_PUBLISHED)]


def every(tx: Tx) -> list[FreePage]:
    """All pages, drafts among them, in the same order."""
    return [FreePage(**row._asdict()) for row in tx.all(_EVERY)]


def get(tx: Tx, number: int) -> FreePage | None:
    """The page of that number."""
    row = tx.one(f"select {_COLUMNS} from page p where p.id = :id", id=number)
    return FreePage(**row._asdict()) if row else None


def by_slug(tx: Tx, slug: str) -> FreePage | None:
    """The published page that is, or was once, at that address."""
    row = tx.one(_AT, slug=slug)
    return FreePage(**row._asdict()) if row else None


def by_role(tx: Tx, role: PageRole) -> FreePage | None:
    """The first published page of that role."""
    row = tx.one(
        f"select {_COLUMNS} from page p where p.role = :role and p.state = 'published' order by p.title, p.id limit 1",
        role=role,
    )
    return FreePage(**row._asdict()) if row else None


def free_slug(tx: Tx, slug: str, number: int) -> str:
    """`slug`, or the first of slug-2, slug-3 … that no other page has or leads on from."""
    rows = tx.all(
        "select slug from page where id <> :id union all select slug from former_page_slug where page <> :id",
        id=number,
    )
    return first_free(slug, {row.slug for row in rows})


def add(tx: Tx, page: FreePage) -> None:
    """Store a new page."""
    tx.run(
        "insert into page (id, slug, role, state, title, source, content, language, created, updated) values"
        " (:id, :slug, :role, :state, :title, :source, :content, :language, :created, :updated)",
        **asdict(page),
    )


def change(tx: Tx, before: FreePage, after: FreePage) -> None:
    """Store what a page is now; where others may have seen it at another address, that leads on.

    It leads on whatever the page has been since: who was given an address has it still, also where the page was hidden.
    """
    tx.run(
        "update page set slug = :slug, role = :role, state = :state, title = :title, source = :source,"
        " content = :content, language = :language, updated = :updated where id = :id",
        **asdict(after),
    )
    if before.slug != after.slug:
        tx.run("delete from former_page_slug where slug = :slug", slug=after.slug)
    if before.state == "published" and (before.slug, before.state) != (after.slug, after.state):
        tx.run(
            "insert into former_page_slug (slug, page) values (:slug, :id) on conflict do nothing",
            slug=before.slug,
            id=before.id,
        )


def remove(tx: Tx, number: int) -> bool:
    """Delete a page; False if there was none."""
    return tx.run("delete from page where id = :id", id=number) > 0
