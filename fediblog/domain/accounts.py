"""Accounts as they are stored: an actor, ours or somebody else's, with what this server knows of it."""

from __future__ import annotations

import re
from enum import StrEnum

from msgspec import Struct

from fediblog.domain.documents import Actor

LOCAL_HANDLE = re.compile(r"[a-z0-9_]{1,30}\Z")


class Account(Actor, frozen=True, kw_only=True):
    """An actor with our own number for it. Remote text is cleaned. Times in UTC milliseconds."""

    id: int
    domain: str  # of the handle, lower-case A-label, with the port if it has one
    origin: str = ""  # scheme://host[:port] of the ids and pages of one of ours
    local: bool = False
    login: int | None = None  # who owns it, if it is one of ours; who else may act as it, `store.people.access` knows
    state: str = "active"  # active, suspended (by us), deleted (gone at its origin)
    limited: int = 0  # shown to who follows it: 1 by a decision about it, 2 by one about its server, 3 by both
    media_rejected: bool = False  # nothing that its server calls a picture is fetched or shown
    headline: str = ""  # what one of ours says of itself in a sentence, plain; it is told to no other server
    summary_source: str = ""  # as it was typed; of ours alone
    fields_source: tuple[tuple[str, str], ...] = ()  # name and value of each field, as they were typed
    plain: int = 0  # which of these are plain text and not Markdown, as bits: 1 the summary, 2 << n the nth field
    language: str = ""
    created: int = 0
    changed: int = 0
    fetched: int = 0

    @property
    def acct(self) -> str:
        """user@domain, as people write it after an @."""
        return f"{self.handle}@{self.domain}"

    @property
    def is_findable(self) -> bool:
        """Whether search engines may list its profile and what it wrote: it is to be suggested, its posts to be found,
        and it is not limited.

        `store.posts.findable` asks the same in SQL.
        """
        return self.discoverable and self.indexable and not self.limited

    @property
    def summary_plain(self) -> bool:
        """Whether `summary_source` is plain text, not Markdown."""
        return bool(self.plain & 1)

    def field_plain(self, index: int) -> bool:
        """Whether the value of this field of `fields_source` is plain text, not Markdown."""
        return bool(self.plain & 2 << index)

    @property
    def shown_name(self) -> str:
        """The display name, or the handle where there is none."""
        return self.name or self.handle


class AccountRole(StrEnum):
    """As what a login may act as an account: it is theirs, they write, or what they write waits for an editor."""

    OWNER = "owner"
    EDITOR = "editor"
    CONTRIBUTOR = "contributor"


class Login(Struct, frozen=True, kw_only=True):
    """One person (or team) who signs in; may own several accounts. `role` is owner or member.

    `mark` is another with each other password, and tells nothing of it. `language` is that of the pages, '' for what
    the browser asks for.
    """

    id: int
    name: str
    role: str = "member"
    created: int = 0
    mark: str = ""
    language: str = ""


class Relation(Struct, frozen=True, kw_only=True):
    """What one account (`of`) is to another (`to`)."""

    following: bool = False
    requested: bool = False
    followed_by: bool = False
    blocking: bool = False
    blocked_by: bool = False
    muting: bool = False
