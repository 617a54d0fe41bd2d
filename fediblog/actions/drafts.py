"""What an author hands in, and what is checked before it becomes a post."""

from __future__ import annotations

from typing import Literal

from msgspec import Struct

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.errors import Forbidden, Invalid
from fediblog.markup.text import MARKDOWN
from fediblog.prepare.wording import Text
from fediblog.protocol import json_values
from fediblog.store.people import accounts
from fediblog.store.tx import Tx

NOTE_LIMIT = 20_000  # characters of Markdown
ARTICLE_LIMIT = 400_000
TITLE_LIMIT = 200
SUMMARY_LIMIT = 1_000
FILES_LIMIT = 16
ALT_LIMIT = 1_500  # characters of what a picture shows
ANSWER_LIMIT = 200
FARTHEST = 253_402_300_800_000  # ms: the year 10000, which no date is written with


class File(Struct, frozen=True, kw_only=True):
    """An uploaded picture to go with a post: its number, its description, and where its centre of interest is."""

    upload: int
    alt: str = ""
    focus: tuple[float, float] | None = None
    caption: str = ""  # of the hero alone


class PollDraft(Struct, frozen=True, kw_only=True):
    """A question's answers; it closes after so many seconds."""

    options: tuple[str, ...]
    multiple: bool = False
    seconds: int = 86_400


class Draft(Struct, frozen=True, kw_only=True):
    """A post as its author hands it in. With a title it is an article; times in UTC milliseconds."""

    source: str
    source_type: str = ""  # MARKDOWN or PLAIN; nothing: as it was, Markdown for a new post
    title: str = ""
    summary: str = ""  # an article's abstract, plain text
    warning: str = ""  # content warning
    visibility: Visibility = Visibility.PUBLIC
    language: str = ""
    sensitive: bool = False
    reply_to: int | None = None
    files: tuple[File, ...] = ()
    hero: File | None = None
    slug: str = ""
    state: Literal["published", "draft", "scheduled"] = "published"
    scheduled: int | None = None
    dated: int | None = None  # a time of the past with which it is published, then sent to nobody; a draft keeps it
    poll: PollDraft | None = None
    tags: tuple[str, ...] | None = None  # hashtags beside those in the text; None: as they were
    categories: tuple[int, ...] | None = None  # numbers of what it is filed under; None: as it was
    new_category: str = ""  # the name of another, which is made if there is none of that name at the top
    app: tuple[str, str] = ("", "")  # name and website of the program it was written with
    quote: int | None = None  # the post that it quotes; None: as it was
    must_reach: bool = False  # a post for few is refused if somebody whom it names cannot be found, or it names nobody
    comments: str = ""  # who may answer it: public, followers or nobody; nothing: as it was, or everybody
    quotable: str = ""  # who may quote it: public, followers or nobody; nothing: as it was, or what the account prefers

    @property
    def kind_of_source(self) -> str:
        """The media type of the source."""
        return self.source_type or MARKDOWN


def kind_of(draft: Draft) -> str:
    """As what a draft is published that nobody has seen yet."""
    if draft.title.strip():
        return "Article"
    return "Question" if draft.poll else "Note"


def text_of(draft: Draft, kind: str) -> Text:
    """What has to be rendered of a draft that becomes, or is, a post of that kind."""
    return Text(source=draft.source, kind=draft.kind_of_source, breaks=kind != "Article")


def author_of(tx: Tx, account: int, *others: int) -> Account:
    """The account of ours that acts: what else it does meanwhile waits.

    So does what is done to and by `others`, and to it: where what one is to another is looked at and changed.
    """
    tx.hold(-account, *((account, *others) if others else ()))
    found = accounts.get(tx, account)
    if found is None or not found.local or found.state != "active":
        raise Forbidden("post.may-not-write")
    return found


def check(tx: Tx, draft: Draft) -> None:
    """Raise Invalid, naming the field, for what the author must correct."""
    article = bool(draft.title.strip())
    check_length(draft)
    begun = draft.state == "draft" and (
        draft.title.strip() or draft.summary.strip() or draft.warning.strip() or draft.hero
    )
    if not (draft.source.strip() or draft.files or draft.poll or begun):
        raise Invalid("source", "post.empty")
    if len(draft.title) > TITLE_LIMIT:
        raise Invalid("title", "post.long-title", n=TITLE_LIMIT)
    for field, text in (("summary", draft.summary), ("warning", draft.warning)):
        if len(text) > SUMMARY_LIMIT:
            raise Invalid(field, "error.too-long", n=SUMMARY_LIMIT)
    check_language(draft.language)
    if len(draft.files) > FILES_LIMIT:
        raise Invalid("files", "post.too-many-pictures", n=FILES_LIMIT)
    if any(len(each.alt) > ALT_LIMIT for each in (*draft.files, *([draft.hero] if draft.hero else []))):
        raise Invalid("files", "post.long-alt", n=ALT_LIMIT)
    if draft.hero and len(draft.hero.caption) > SUMMARY_LIMIT:
        raise Invalid("hero-caption", "error.too-long", n=SUMMARY_LIMIT)
    if draft.state == "scheduled" and not tx.now < (draft.scheduled or 0) < FARTHEST:
        raise Invalid("scheduled", "post.time-past")
    if draft.dated is not None and draft.state == "published":
        _check_date(draft, tx.now)
    if draft.poll and article:
        raise Invalid("poll", "poll.with-title")
    if draft.poll:
        _check_poll(draft.poll)


def _check_date(draft: Draft, now: int) -> None:
    """What is sent to nobody answers nobody, asks nobody, and is no letter."""
    if not 0 < (draft.dated or 0) < now:
        raise Invalid("dated", "post.date-not-past")
    if draft.reply_to is not None or draft.quote is not None or draft.poll or draft.visibility == Visibility.DIRECT:
        raise Invalid("dated", "post.dated-alone")


def is_language(tag: str) -> bool:
    """Whether it is a tag such as people write it (BCP 47): two or three letters, perhaps with more behind a hyphen."""
    return bool(json_values.language(tag)) and len(tag.partition("-")[0]) <= 3


def check_language(tag: str) -> None:
    """Raise Invalid for what is no language; nothing is one that is not said."""
    if tag and not is_language(tag):
        raise Invalid("language", "error.language")


def check_length(draft: Draft) -> None:
    """Raise Invalid for more text than fits, which nothing shall read."""
    article = bool(draft.title.strip())
    limit = ARTICLE_LIMIT if article else NOTE_LIMIT
    if len(draft.source) > limit:
        raise Invalid("source", "article.too-long" if article else "note.too-long", n=len(draft.source), limit=limit)


def _check_poll(poll: PollDraft) -> None:
    names = [name.strip() for name in poll.options]
    if len(names) < 2 or not all(names) or len(set(names)) != len(names):
        raise Invalid("poll", "poll.too-few")
    if len(names) > 20:
        raise Invalid("poll", "poll.too-many", n=20)
    if any(len(name) > ANSWER_LIMIT for name in names):
        raise Invalid("poll", "poll.long-answer", n=ANSWER_LIMIT)
    if not 300 <= poll.seconds <= 366 * 86_400:
        raise Invalid("poll", "poll.period")
