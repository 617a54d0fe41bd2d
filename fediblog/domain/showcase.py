"""What an account shows below its profile beside posts: talks, publications, what people say of it."""

from __future__ import annotations

from msgspec import Struct

QUOTATION_MARKS = "\"'“”„‟«»‹›‚‘’「『"


class ShowcaseEntry(Struct, frozen=True, kw_only=True):
    """One line of plain text with something about it, and where it leads (http or https)."""

    words: str
    detail: str = ""
    link: str = ""

    @property
    def is_quotation(self) -> bool:
        """Whether the words are somebody's: they stand in quotation marks, and `detail` says whose they are."""
        return self.words[:1] in QUOTATION_MARKS


class ShowcaseSection(Struct, frozen=True, kw_only=True):
    """Entries under a name that the owner of the account gave them."""

    name: str
    entries: tuple[ShowcaseEntry, ...] = ()
