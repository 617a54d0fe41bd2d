"""Pages that stand by themselves, as they are stored: in which order, at which address, and where earlier ones lead."""

from __future__ import annotations

from msgspec.structs import replace

from fediblog.store.engine.database import Database
from fediblog.store.posts import free_pages
from fediblog.store.posts.free_pages import FreePage
from fediblog.store.tx import Tx


def made(tx: Tx, slug: str, **more: str) -> FreePage:
    page = FreePage(
        id=tx.new_id(), slug=slug, role="other", state="published", title=slug.title(), source="x",
        content="<p>x</p>", language="", created=tx.now, updated=tx.now,
    )  # fmt: skip
    page = replace(page, **more)
    free_pages.add(tx, page)
    return page


async def test_an_earlier_address_leads_on_until_the_page_is_gone(db: Database) -> None:
    def act(tx: Tx) -> None:
        page = made(tx, "imprint", role="imprint")
        moved = replace(page, slug="legal", title="Legal", state="draft")
        free_pages.change(tx, page, moved)
        assert free_pages.get(tx, page.id) == moved
        assert free_pages.by_slug(tx, "imprint") is None
        back = replace(moved, state="published")
        free_pages.change(tx, moved, back)
        assert free_pages.by_slug(tx, "imprint") == free_pages.by_slug(tx, "legal") == back
        assert free_pages.by_role(tx, "imprint") == back
        assert free_pages.by_role(tx, "terms") is None
        assert free_pages.free_slug(tx, "imprint", 0) == "imprint-2"
        assert free_pages.free_slug(tx, "imprint", page.id) == "imprint"
        free_pages.change(tx, back, replace(back, slug="imprint"))
        assert free_pages.free_slug(tx, "legal", 0) == "legal-2"
        assert free_pages.remove(tx, page.id)
        assert not free_pages.remove(tx, page.id)
        assert free_pages.free_slug(tx, "legal", 0) == "legal"
        hidden = made(tx, "unseen", state="draft")
        free_pages.change(tx, hidden, replace(hidden, slug="seen"))
        assert free_pages.free_slug(tx, "unseen", 0) == "unseen"  # nobody had that address

    await db.write(act)


async def test_an_address_that_was_hidden_in_between_leads_on_all_the_same(db: Database) -> None:
    def act(tx: Tx) -> None:
        page = made(tx, "imprint")
        hidden = replace(page, state="draft")
        free_pages.change(tx, page, hidden)
        moved = replace(hidden, slug="legal")
        free_pages.change(tx, hidden, moved)
        assert free_pages.free_slug(tx, "imprint", 0) == "imprint-2"
        assert free_pages.by_slug(tx, "imprint") is None
        shown = replace(moved, state="published")
        free_pages.change(tx, moved, shown)
        assert free_pages.by_slug(tx, "imprint") == shown
        back = replace(shown, slug="imprint")
        free_pages.change(tx, shown, back)
        free_pages.change(tx, back, replace(back, state="draft"))
        free_pages.change(tx, replace(back, state="draft"), back)
        free_pages.change(tx, back, replace(back, slug="law"))
        assert {slug for slug in ("imprint", "legal", "law") if free_pages.by_slug(tx, slug)} == {
            "imprint", "legal", "law",
        }  # fmt: skip

    await db.write(act)


async def test_they_are_listed_by_what_they_are_for(db: Database) -> None:
    def act(tx: Tx) -> None:
        for slug, role in (("zoo", "other"), ("terms", "terms"), ("ape", "other"), ("me", "about"), ("law", "imprint")):
            made(tx, slug, role=role)
        made(tx, "draft", state="draft", role="privacy")
        assert [each.slug for each in free_pages.published(tx)] == ["me", "law", "terms", "ape", "zoo"]
        assert [each.slug for each in free_pages.every(tx)] == ["me", "law", "draft", "terms", "ape", "zoo"]

    await db.write(act)
