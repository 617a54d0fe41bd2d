"""Posts as they are stored: a note or article, ours or somebody else's, with its author and what was counted."""

from __future__ import annotations

from msgspec import Struct, field

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Note, Visibility

WITHHELD = frozenset({"held", "spam", "hidden"})
"""States of a post that is shown to nobody but its author and whoever began its thread, who decides about it."""


class Guest(Struct, frozen=True, kw_only=True):
    """Who wrote a post without being an actor. `door` is guest, visitor (signed in with OpenID) or webmention."""

    id: int
    door: str  # read by nobody yet: comments will be allowed, and shown, by it
    name: str = ""
    url: str = ""
    picture: str = ""
    state: str = "active"  # active or blocked
    created: int = 0


class Byline(Struct, frozen=True, kw_only=True):
    """Who wrote a post, as it is shown; of a guest `url` and `picture` may be missing."""

    name: str
    url: str
    picture: str

    @classmethod
    def of(cls, account: Account) -> Byline:
        """That of an account."""
        return cls(name=account.shown_name, url=account.url, picture=account.icon.url if account.icon else "")


class Category(Struct, frozen=True, kw_only=True):
    """What posts are filed under. Of those of a post nothing is told but number, name and slug."""

    id: int
    name: str
    slug: str
    parent: int | None = None
    description: str = ""


class Post(Note, frozen=True, kw_only=True):
    """A note with our own number for it; `content` and `summary` are cleaned HTML (a Note's summary is plain text).

    `state` is draft, scheduled, published, deleted, or one of WITHHELD. Times in UTC milliseconds. `comments` and the
    two totals are what this server counts or, for a post of another server, what that one told (`reply_count` and so
    on), if that is more.
    """

    id: int
    account: Account
    visibility: Visibility
    guest: Guest | None = None  # who wrote it, if that is no actor; `account` answers for it on the network
    local: bool = False
    state: str = "published"
    slug: str = ""  # of an article's address
    categories: tuple[Category, ...] = ()  # of one of ours, by name
    parent: int | None = None  # the post it answers, if we know it
    root: int | None = None  # the first post of its thread, if it is not this one
    received: int = 0
    scheduled: int | None = None
    pinned: int | None = None  # when the author pinned it
    judged_by: int | None = None  # who withheld it or let it pass, by number of the account
    judged_at: int | None = None
    comments: int = 0
    like_total: int = 0
    boost_total: int = 0
    liked: bool = False  # by the viewer
    reacted: bool = False  # with an emoji
    boosted: bool = False
    bookmarked: bool = False
    muted: bool = False  # the viewer wants to hear no more of its thread
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

    @property
    def is_draft(self) -> bool:
        """Whether it has not been published yet."""
        return self.state in ("draft", "scheduled")

    @property
    def is_dated_back(self) -> bool:
        """Whether one of ours was published with a time of the past, and sent to nobody; or is a draft with one."""
        return self.local and self.published is not None and 0 < self.published < self.received

    @property
    def is_withheld(self) -> bool:
        """Whether it waits for a decision or was decided against."""
        return self.state in WITHHELD

    @property
    def byline(self) -> Byline:
        """Who wrote it: the guest, or else the account."""
        if self.guest is not None:
            return Byline(name=self.guest.name, url=self.guest.url, picture=self.guest.picture)
        return Byline.of(self.account)


class Boost(Struct, frozen=True, kw_only=True):
    """Somebody passed a post on."""

    id: int
    uri: str
    account: Account
    post: Post
    visibility: Visibility
    created: int


class Reaction(Struct, frozen=True, kw_only=True):
    """A like, a dislike, or an emoji set beside a post. `kind` is like, emoji or dislike."""

    account: Account
    kind: str
    content: str = ""
    image: str = ""  # address of the picture of a custom emoji
    created: int = 0


class Notice(Struct, frozen=True, kw_only=True):
    """Something that happened to one of our accounts.

    `kind` is follow, follow_request, mention, reply, quote, like, boost, move, poll (one in which it voted has ended)
    or status (somebody posted of whose posts it wants to hear each); or of those who look after the server: warning
    (what they decided about it) or answer (to what it reported).
    """

    id: int
    kind: str
    actor: Account
    post: Post | None = None
    content: str = ""
    created: int = 0
    read: bool = False
    filtered: bool = False  # waits until it is asked for

    @property
    def told(self) -> list[str]:
        """What a warning says: the decision, the post that it is about if any, the reason; or an answer: the handle
        that was reported, and the text.
        """
        return self.content.split("\n")
