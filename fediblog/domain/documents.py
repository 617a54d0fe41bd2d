"""What crosses the wire, as clean values: actors, posts and what hangs on them. `protocol` reads and writes these."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable
from enum import StrEnum
from operator import attrgetter
from typing import Any, TypeAlias

from msgspec import Struct, field
from msgspec.structs import replace

Json: TypeAlias = object  # any JSON value, as decoded
PUBLIC = "https://www.w3.org/ns/activitystreams#Public"
ACTOR_KINDS = frozenset({"Person", "Service", "Group", "Organization", "Application"})
POST_KINDS = frozenset({"Note", "Article", "Page", "Question", "Video", "Audio", "Image", "Event"})
PICTURE_TYPES = {
    ".jpg": "image/jpeg",
    ".png": "image/png",
    ".gif": "image/gif",
    ".webp": "image/webp",
    ".avif": "image/avif",
}
"""The endings of the file names of our pictures, and their media types."""


class Visibility(StrEnum):
    """Who a post is for. The order is from the widest to the narrowest."""

    PUBLIC = "public"
    UNLISTED = "unlisted"
    FOLLOWERS = "followers"
    DIRECT = "direct"


OPEN = frozenset({Visibility.PUBLIC, Visibility.UNLISTED})
"""What everybody may see, who has the address."""


class Picture(Struct, frozen=True, kw_only=True):
    """An actor's avatar or header, or a post's hero image; `caption` is what is told below it, as plain text.

    Pixels are those of the picture at `url`, None where they are not known; `preview` is a smaller copy of one of ours.
    """

    url: str
    media_type: str = ""
    alt: str = ""
    caption: str = ""
    preview: str = ""
    width: int | None = None
    height: int | None = None


class ProfileField(Struct, frozen=True, kw_only=True):
    """A name and a value (HTML) that an actor shows on the profile (PropertyValue).

    `verified` is when the page to which the value leads was last seen to link back (UTC milliseconds); of ours alone.
    """

    name: str
    value: str
    verified: int | None = None


class Key(Struct, frozen=True, kw_only=True):
    """A public key as its document names it. `kind` is rsa or ed25519; `public` a PEM or a Multikey."""

    uri: str
    owner: str
    kind: str
    public: str


class Emoji(Struct, frozen=True, kw_only=True):
    """A custom emoji; `name` without colons. `uri` and `updated` are of ours alone."""

    name: str
    url: str
    uri: str = ""
    updated: int | None = None


class Mention(Struct, frozen=True, kw_only=True):
    """Somebody named in a post. `href` is the actor id (or, from some servers, the profile page)."""

    href: str
    name: str = ""


class Attachment(Struct, frozen=True, kw_only=True):
    """A file that a post carries. `kind` is Image, Video, Audio, Document or Link. Pixels and seconds."""

    kind: str
    url: str
    media_type: str = ""
    alt: str = ""
    width: int | None = None
    height: int | None = None
    blurhash: str = ""
    focus: tuple[float, float] | None = None
    duration: float | None = None
    preview: str = ""
    number: int = 0  # ours: of the uploaded file, or of the row; two files may be alike but for that
    unkept: bool = False  # of another server's: no copy of it can be kept here, so that a link to it is shown

    def __eq__(self, other: object) -> bool:
        return isinstance(other, Attachment) and _what_it_is(self) == _what_it_is(other)

    def __hash__(self) -> int:
        return hash(_what_it_is(self))


_what_it_is = attrgetter(*(name for name in Attachment.__struct_fields__ if name not in ("number", "unkept")))


class Option(Struct, frozen=True, kw_only=True):
    """One answer of a poll, with the votes counted so far."""

    name: str
    votes: int = 0


class Poll(Struct, frozen=True, kw_only=True):
    """The question part of a Question. Times in UTC milliseconds."""

    options: tuple[Option, ...]
    multiple: bool = False
    ends: int | None = None
    closed: int | None = None  # several servers set this ahead: it is open until then
    voters: int | None = None

    @property
    def until(self) -> int | None:
        """When it is over, or was; None if that is not known."""
        return min((at for at in (self.ends, self.closed) if at is not None), default=None)

    def is_over(self, now: int) -> bool:
        """Whether nobody can vote any more at `now`."""
        return self.until is not None and self.until <= now

    def with_votes(self, choices: Iterable[str], people: int) -> Poll:
        """The same with these votes counted as well, which so many people cast."""
        more = Counter(choices)
        options = tuple(replace(each, votes=each.votes + more[each.name]) for each in self.options)
        return replace(self, options=options, voters=None if self.voters is None else self.voters + people)

    def asks_the_same(self, other: Poll | None) -> bool:
        """Whether the votes in one of the two are votes in the other: the same answers in the same order."""
        if other is None or self.multiple != other.multiple:
            return False
        return [each.name for each in self.options] == [each.name for each in other.options]


class Happening(Struct, frozen=True, kw_only=True):
    """When and where an Event takes place. Times in UTC milliseconds."""

    starts: int | None = None
    ends: int | None = None
    place: str = ""


class Rule(Struct, frozen=True, kw_only=True):
    """Who may do one thing to a post: ids of actors and collections, who may unasked and who after approval."""

    automatic: tuple[str, ...] = ()
    manual: tuple[str, ...] = ()


class InteractionPolicy(Struct, frozen=True, kw_only=True):
    """`interactionPolicy` of a post of another server; of what is None it says nothing."""

    like: Rule | None = None
    reply: Rule | None = None
    announce: Rule | None = None
    quote: Rule | None = None


class Source(Struct, frozen=True, kw_only=True):
    """What the author typed."""

    content: str
    media_type: str = ""


class Actor(Struct, frozen=True, kw_only=True):
    """Who acts: a person, a service, a group. Text is as sent, not yet cleaned; times in UTC milliseconds."""

    uri: str
    kind: str
    handle: str  # preferredUsername
    inbox: str
    name: str = ""
    summary: str = ""  # HTML
    url: str = ""
    shared_inbox: str = ""
    outbox: str = ""
    followers: str = ""
    following: str = ""
    featured: str = ""
    featured_tags: str = ""
    icon: Picture | None = None
    image: Picture | None = None
    fields: tuple[ProfileField, ...] = ()
    also_known_as: tuple[str, ...] = ()
    moved_to: str = ""
    attribution_domains: tuple[str, ...] = ()  # sites that may name it as the author of their pages
    webfinger: str = ""  # FEP-2c59: user@domain, without acct:
    locked: bool = False  # manuallyApprovesFollowers
    discoverable: bool = False
    indexable: bool = False
    memorial: bool = False
    suspended: bool = False
    published: int | None = None
    keys: tuple[Key, ...] = ()
    emoji: tuple[Emoji, ...] = ()


class Note(Struct, frozen=True, kw_only=True):
    """Anything that is shown as a post: Note, Article, Page, Question, Video, Audio, Image, Event.

    On a Note `summary` is the content warning; on an Article it is the abstract and `warning` the content warning
    (FEP-b2b8). `content` is HTML as sent; times in UTC milliseconds.
    """

    uri: str
    kind: str
    author: str  # attributedTo
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    title: str = ""  # name, plain text
    summary: str = ""
    warning: str = ""
    content: str = ""
    media_type: str = "text/html"
    language: str = ""
    source: Source | None = None
    url: str = ""
    in_reply_to: str = ""
    published: int | None = None
    updated: int | None = None
    sensitive: bool = False
    mentions: tuple[Mention, ...] = ()
    hashtags: tuple[str, ...] = ()  # without #
    emoji: tuple[Emoji, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    image: Picture | None = None  # hero
    quote: str = ""
    quote_proof: str | None = None  # the authorization that it names; None if it knows none (before FEP-044f)
    context: str = ""
    conversation: str = ""
    replies: str = ""  # id of the collection
    likes: str = ""
    shares: str = ""
    reply_count: int | None = None
    like_count: int | None = None
    share_count: int | None = None
    poll: Poll | None = None
    policy: InteractionPolicy | None = None  # of a post of another server
    happening: Happening | None = None
    duration: float | None = None
    reading_time: int = 0  # minutes, of an article; 0 if not known


class Activity(Struct, frozen=True, kw_only=True):
    """One envelope for every verb. `object` is the JSON as sent (a string id, an object, or a list of them)."""

    kind: str
    actor: str
    uri: str = ""  # empty: transient, never de-duplicated
    object: Json = None
    object_uri: str = ""  # the id inside `object`, wherever it stood
    object_kind: str = ""  # type of an embedded object, '' if only an id was sent
    inner: Activity | None = None  # when the embedded object is itself an activity (at most two levels)
    target: str = ""
    origin: str = ""
    result: str = ""
    instrument: str = ""
    content: str = ""
    to: tuple[str, ...] = ()
    cc: tuple[str, ...] = ()
    published: int | None = None
    updated: int | None = None
    emoji: tuple[Emoji, ...] = ()
    raw: dict[str, Json] = field(default_factory=dict)  # as it came, which makes no difference

    def __eq__(self, other: Any) -> bool:
        return isinstance(other, Activity) and _what_it_says(self) == _what_it_says(other)

    def __hash__(self) -> int:
        return hash(_what_it_says(self))

    def __repr__(self) -> str:
        return f"Activity({self.kind!r}, actor={self.actor!r}, uri={self.uri!r}, object_uri={self.object_uri!r})"

    @property
    def route(self) -> tuple[str, str | None]:
        """What the dispatch table is asked for: the verb, and the type of what it acts upon if that was told."""
        return (self.kind, self.inner.kind if self.inner else (self.object_kind or None))


_what_it_says = attrgetter(*(name for name in Activity.__struct_fields__ if name != "raw"))


class Collection(Struct, frozen=True, kw_only=True):
    """A collection or one page of it. Items are ids or whole objects, as sent."""

    uri: str = ""
    kind: str = "Collection"
    total: int | None = None
    items: tuple[Json, ...] = ()
    first: Json = None  # id or embedded page
    next: str = ""
