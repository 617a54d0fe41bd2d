"""Posts as they are stored: a note or article, ours or somebody else's, with its author and what was counted."""

from __future__ import annotations

from dataclasses import field

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Note, Visibility
from fediblog.domain.records import record


@record(frozen=True, slots=True, kw_only=True)
class Post(Note):
    """A note with our own number for it; `content` and `summary` are cleaned HTML (a Note's summary is plain text).

    `state` is draft, scheduled, published or deleted. Times in UTC milliseconds. `comments` and the two totals are what
    this server counts or, for a post of another server, what that one told (`reply_count` and so on), if that is more.
    """

    id: int
    account: Account
    visibility: Visibility
    local: bool = False
    state: str = "published"
    slug: str = ""  # of an article's address
    parent: int | None = None  # the post it answers, if we know it
    root: int | None = None  # the first post of its thread, if it is not this one
    received: int = 0
    scheduled: int | None = None
    pinned: int | None = None  # when the author pinned it
    comments: int = 0
    like_total: int = 0
    boost_total: int = 0
    liked: bool = False  # by the viewer
    boosted: bool = False
    voted: bool = False
    quoted: Post | None = None  # what it quotes, if that is here and the viewer may see it
    addressed: frozenset[int] = field(default=frozenset())  # accounts mentioned or addressed, by number
    app_name: str = ""  # the program with which one of ours was written
    app_website: str = ""
    quotable: str = "public"  # who may quote one of ours: public, followers or nobody
    repliable: str = "public"  # who may answer one of ours, likewise
    quote_state: str = (
        ""  # of one that quotes: pending; of ours also accepted, rejected, revoked, deleted, unauthorized
    )
    quote_approval: str = ""  # id of the authorization to quote

    @property
    def is_article(self) -> bool:
        """Whether it has an address with a slug and is shown with its title."""
        return self.kind == "Article"


@record(frozen=True, slots=True, kw_only=True)
class Boost:
    """Somebody passed a post on."""

    id: int
    uri: str
    account: Account
    post: Post
    created: int


@record(frozen=True, slots=True, kw_only=True)
class Reaction:
    """A like, a dislike, or an emoji set beside a post. `kind` is like, emoji or dislike."""

    account: Account
    kind: str
    content: str = ""
    image: str = ""  # address of the picture of a custom emoji
    created: int = 0


@record(frozen=True, slots=True, kw_only=True)
class Notice:
    """Something that happened to one of our accounts.

    `kind` is follow, follow_request, mention, reply, quote, like, boost, move, poll (one in which it voted has ended)
    or status (somebody posted of whose posts it wants to hear each).
    """

    id: int
    kind: str
    actor: Account
    post: Post | None = None
    content: str = ""
    created: int = 0
    read: bool = False
    filtered: bool = False  # waits until it is asked for
