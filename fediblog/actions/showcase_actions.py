"""The showcase of an account as its owner types it: sections of lines `what | link | detail`."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct

from fediblog.actions.drafts import author_of
from fediblog.domain.showcase import ShowcaseEntry, ShowcaseSection
from fediblog.errors import Invalid
from fediblog.markup.text import one_line
from fediblog.protocol import json_values
from fediblog.store.people import showcases
from fediblog.store.tx import Tx

SECTIONS = 12
ENTRIES = 30  # of one section
NAME = 60  # characters
WORDS = 300  # characters, of what is shown and of what is said about it each


class SectionDraft(Struct, frozen=True, kw_only=True):
    """A section as it is typed, with one entry on each line."""

    name: str = ""
    lines: str = ""


def draft_of(section: ShowcaseSection) -> SectionDraft:
    """The section as it would be typed."""
    lines = (" | ".join(filter(None, (each.words, each.link, each.detail))) for each in section.entries)
    return SectionDraft(name=section.name, lines="\n".join(lines))


def save(tx: Tx, account: int, drafts: Sequence[SectionDraft]) -> None:
    """Show these sections; those in which nothing stands are left out.

    Raises Invalid at `section-<n>`, counted from 1, or `sections`.
    """
    actor = author_of(tx, account)
    numbered = [(number, each) for number, each in enumerate(drafts, 1) if each.name.strip() or each.lines.strip()]
    if len(numbered) > SECTIONS:
        raise Invalid("sections", "showcase.too-many", n=SECTIONS)
    showcases.put(tx, actor.id, [_section(f"section-{number}", each) for number, each in numbered])


def _section(field: str, draft: SectionDraft) -> ShowcaseSection:
    name, lines = one_line(draft.name), list(filter(None, map(one_line, draft.lines.split("\n"))))
    if not name:
        raise Invalid(field, "showcase.no-name")
    if not lines:
        raise Invalid(field, "showcase.no-entries", name=name)
    if len(name) > NAME:
        raise Invalid(field, "error.too-long", n=NAME)
    if len(lines) > ENTRIES:
        raise Invalid(field, "showcase.too-many-entries", n=ENTRIES)
    return ShowcaseSection(name=name, entries=tuple(_entry(field, line) for line in lines))


def _entry(field: str, line: str) -> ShowcaseEntry:
    """The entry on a line: what stands first, a web address if there is one, and whatever else."""
    words, *more = list(filter(None, (part.strip() for part in line.split("|")))) or [line]
    links = [part for part in more if part.lower().startswith(("http:", "https:"))]
    detail = " | ".join(part for part in more if part not in links[:1])
    link = json_values.url(links[0]) if links else ""
    if links and not link:
        raise Invalid(field, "showcase.no-link", address=links[0][:WORDS])
    if max(len(words), len(detail)) > WORDS:
        raise Invalid(field, "showcase.long-entry", n=WORDS, words=words[:NAME])
    return ShowcaseEntry(words=words, detail=detail, link=link)
