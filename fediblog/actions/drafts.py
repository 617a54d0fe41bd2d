"""What an author hands in, and what is checked before it becomes a post."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Literal

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Attachment, Mention, Note, Option, Picture, Poll, Source, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.rules import addresses
from fediblog.domain.urls import Urls
from fediblog.errors import Forbidden, Invalid, NotFound
from fediblog.markup.html import Html, escape, excerpt
from fediblog.markup.markdown import MentionTarget, find_mentions, render
from fediblog.markup.slug import slugify
from fediblog.markup.text import one_line, tidy
from fediblog.store import accounts, files, posts
from fediblog.store.tx import Tx

NOTE_LIMIT = 20_000  # characters of Markdown
ARTICLE_LIMIT = 400_000
TITLE_LIMIT = 200
SUMMARY_LIMIT = 1_000
FILES_LIMIT = 16
FARTHEST = 10 * 366 * 86_400_000  # ms that a post may be put off
ABSTRACT = 280  # characters of an article's beginning, where the author wrote no summary
_NARROW = [Visibility.PUBLIC, Visibility.UNLISTED, Visibility.FOLLOWERS, Visibility.DIRECT]


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """An uploaded picture to go with a post: its number, its description, and where its centre of interest is."""

    upload: int
    alt: str = ""
    focus: tuple[float, float] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PollDraft:
    """A question's answers; it closes after so many seconds."""

    options: tuple[str, ...]
    multiple: bool = False
    seconds: int = 86_400


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A post as its author hands it in. With a title it is an article; times in UTC milliseconds."""

    source: str  # Markdown
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
    poll: PollDraft | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Composed:
    """A draft made into a note, with what must be stored beside it."""

    note: Note
    mentioned: tuple[tuple[int, str, bool], ...]  # (account, name as written, silent)
    uploads: tuple[int | None, ...]
    visibility: Visibility
    slug: str
    month: str


def author_of(tx: Tx, account: int) -> Account:
    """The account of ours that acts."""
    found = accounts.get(tx, account)
    if found is None or not found.local or found.state != "active":
        raise Forbidden("This account cannot write here.")
    return found


def check(tx: Tx, draft: Draft) -> None:
    """Raise Invalid, naming the field, for what the author must correct."""
    article = bool(draft.title.strip())
    limit = ARTICLE_LIMIT if article else NOTE_LIMIT
    if not draft.source.strip() and not draft.files and not draft.poll and draft.state != "draft":
        raise Invalid("source", "Write something, or add a picture.")
    if len(draft.source) > limit:
        hint = "" if article else " Give it a title to make it an article."
        raise Invalid("source", f"This is {len(draft.source)} characters; {limit} fit.{hint}")
    if len(draft.title) > TITLE_LIMIT:
        raise Invalid("title", f"A title has at most {TITLE_LIMIT} characters.")
    for field, text in (("summary", draft.summary), ("warning", draft.warning)):
        if len(text) > SUMMARY_LIMIT:
            raise Invalid(field, f"At most {SUMMARY_LIMIT} characters, please.")
    if len(draft.files) > FILES_LIMIT:
        raise Invalid("files", f"At most {FILES_LIMIT} pictures go with one post.")
    if draft.state == "scheduled" and not tx.now < (draft.scheduled or 0) < tx.now + FARTHEST:
        raise Invalid("scheduled", "Choose a time that is still to come, at most ten years from now.")
    if draft.poll and article:
        raise Invalid("poll", "A poll goes with a post without a title: take the title away, or the answers.")
    if draft.poll:
        _check_poll(draft.poll)


def _check_poll(poll: PollDraft) -> None:
    names = [name.strip() for name in poll.options]
    if not 2 <= len(names) <= 20 or not all(names) or len(set(names)) != len(names):
        raise Invalid("poll", "A poll needs 2 to 20 different answers.")
    if not 300 <= poll.seconds <= 366 * 86_400:
        raise Invalid("poll", "A poll stays open for at least five minutes and at most a year.")


def month_of(moment: int) -> str:
    """YYYY/MM of a time in UTC milliseconds."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y/%m")


@dataclass(frozen=True, slots=True, kw_only=True)
class _Frame:
    """What surrounds the words: under which number and as what, for whom, where, and below which post."""

    number: int
    kind: str
    visibility: Visibility
    published: int
    month: str
    slug: str
    people: Mapping[str, Account]  # by the handle in the text
    mentioned: Sequence[Account]
    in_reply_to: str
    context: str


def compose(
    tx: Tx,
    urls: Urls,
    author: Account,
    draft: Draft,
    known: Mapping[str, int],
    *,
    number: int,
    before: Post | None = None,
) -> Composed:
    """The note that a draft makes under that number; `before` is the post as it stands, when it is an edit.

    `known` are accounts found for the handles in the text, beyond those that this server knows already.
    """
    check(tx, draft)
    if before is not None and before.state != "published":
        before = None  # nobody has seen it, so nothing of it binds
    frame = _frame(tx, urls, author, draft, known, number, before)
    pictures, uploads = _attachments(tx, urls, author, draft)
    return Composed(
        note=replace(
            _note(urls, author, draft, frame),
            attachments=pictures,
            image=_hero(tx, urls, author, draft),
            updated=tx.now if before else None,
            poll=before.poll if before else _poll(tx, draft),
        ),
        mentioned=tuple((each.id, f"@{each.acct}", False) for each in frame.mentioned),
        uploads=uploads,
        visibility=frame.visibility,
        slug=frame.slug,
        month=frame.month,
    )


def _frame(
    tx: Tx, urls: Urls, author: Account, draft: Draft, known: Mapping[str, int], number: int, before: Post | None
) -> _Frame:
    """A published post keeps its kind, its audience, its address and its place in the thread."""
    parent = _parent(tx, author, draft, before)
    people = _people(tx, urls, draft.source, known)
    kind = before.kind if before else _kind(draft)
    published = before.published if before and before.published is not None else tx.now
    month = month_of(published)
    return _Frame(
        number=number,
        kind=kind,
        visibility=before.visibility if before else _narrowed(draft.visibility, parent),
        published=published,
        month=month,
        slug=_slug(tx, author, draft, number, month, before) if kind == "Article" else "",
        people=people,
        mentioned=_mentioned(author, people, parent),
        in_reply_to=before.in_reply_to if before else (parent.uri if parent else ""),
        context=before.context if before else _context(tx, urls, parent, number),
    )


def _note(urls: Urls, author: Account, draft: Draft, frame: _Frame) -> Note:
    article = frame.kind == "Article"
    rendered = render(
        draft.source,
        mentions={name: MentionTarget(each.uri, each.url, each.handle) for name, each in frame.people.items()},
        tag_url=urls.tag,
        breaks=not article,
        base=urls.origin,
        anchor=f"p{frame.number}-",
    )
    to, cc = addresses(frame.visibility, author.followers, tuple(each.uri for each in frame.mentioned))
    uri = urls.post(frame.number)
    return Note(
        uri=uri,
        kind=frame.kind,
        author=author.uri,
        to=to,
        cc=cc,
        title=one_line(draft.title) if article else "",
        summary=_summary(draft, frame.kind, rendered.html),
        warning=one_line(draft.warning) if article else "",
        content=rendered.html,
        language=draft.language or author.language,
        source=Source(content=draft.source, media_type="text/markdown"),
        url=urls.page(author.handle, frame.number, frame.month, frame.slug),
        in_reply_to=frame.in_reply_to,
        published=frame.published,
        sensitive=draft.sensitive or bool(draft.warning.strip()),
        mentions=tuple(Mention(href=each.uri, name=f"@{each.acct}") for each in frame.mentioned),
        hashtags=rendered.hashtags,
        context=frame.context,
        replies=f"{uri}/replies",
        likes=f"{uri}/likes",
        shares=f"{uri}/shares",
    )


def _parent(tx: Tx, author: Account, draft: Draft, before: Post | None) -> Post | None:
    if before is not None:
        return posts.stored(tx, before.parent) if before.parent is not None else None
    if draft.reply_to is None:
        return None
    parent = posts.get(tx, draft.reply_to, author.id)
    if parent is None:
        raise NotFound("The post that you answer is not there any more.")
    return parent


def _people(tx: Tx, urls: Urls, source: str, known: Mapping[str, int]) -> dict[str, Account]:
    found = {}
    for name in find_mentions(source):
        handle, _, domain = name.partition("@")
        if name in known:
            account = accounts.get(tx, known[name])
        else:
            account = accounts.by_acct(tx, handle, domain or urls.handle_domain)
        if account is not None and account.state == "active":
            found[name] = account
    return found


def _mentioned(author: Account, people: Mapping[str, Account], parent: Post | None) -> list[Account]:
    """Those named in the text, and whom the post answers: named in the tags and addressed, so that they are told."""
    everyone = {each.id: each for each in people.values()}
    if parent is not None and parent.account.id != author.id:
        everyone.setdefault(parent.account.id, parent.account)
    return list(everyone.values())


def _narrowed(wanted: Visibility, parent: Post | None) -> Visibility:
    """An answer is never for more people than what it answers, where that was not for everybody."""
    if parent is None or parent.visibility in (Visibility.PUBLIC, Visibility.UNLISTED):
        return wanted
    return max(wanted, parent.visibility, key=_NARROW.index)


def _kind(draft: Draft) -> str:
    if draft.title.strip():
        return "Article"
    return "Question" if draft.poll else "Note"


def _slug(tx: Tx, author: Account, draft: Draft, number: int, month: str, before: Post | None) -> str:
    if before is not None:
        return before.slug  # an address once given stays
    wanted = slugify(draft.slug or draft.title) or str(number)
    return posts.free_slug(tx, author.id, month, wanted, number)


def paragraphs(html: str) -> str:
    """The paragraphs of an article without its headings, tables and code: what a summary can be made of."""
    found = [part.split("</p>", 1)[0] for part in html.split("<p>")[1:]]
    return "".join(f"<p>{text}</p>" for text in found)


def _summary(draft: Draft, kind: str, html: Html) -> str:
    if kind != "Article":
        return one_line(draft.warning)
    text = tidy(draft.summary).strip() or excerpt(paragraphs(html) or html, ABSTRACT)
    return f"<p>{escape(text)}</p>" if text else ""


def _context(tx: Tx, urls: Urls, parent: Post | None, number: int) -> str:
    """That of the post answered; where its server sends none (FEP-7888 asks for it), that of the thread's beginning."""
    if parent is None:
        return urls.context(number)
    root = posts.stored(tx, parent.root) if parent.root is not None else None
    return parent.context or parent.conversation or (root.context if root else "")


def _poll(tx: Tx, draft: Draft) -> Poll | None:
    if draft.poll is None:
        return None
    opens = draft.scheduled if draft.state == "scheduled" and draft.scheduled else tx.now
    options = tuple(Option(name=one_line(name)) for name in draft.poll.options)
    return Poll(options=options, multiple=draft.poll.multiple, ends=opens + draft.poll.seconds * 1000, voters=0)


def _attachments(
    tx: Tx, urls: Urls, author: Account, draft: Draft
) -> tuple[tuple[Attachment, ...], tuple[int | None, ...]]:
    found = [(_upload(tx, author, each), each) for each in draft.files]
    shown = tuple(
        Attachment(
            kind="Image",
            url=urls.media(upload.file),
            media_type=upload.media_type,
            alt=tidy(each.alt).strip(),
            width=upload.width,
            height=upload.height,
            blurhash=upload.blurhash,
            focus=each.focus,
            preview=urls.media(upload.large or upload.small) if upload.large or upload.small else "",
        )
        for upload, each in found
    )
    return shown, tuple(upload.id for upload, _ in found)


def _upload(tx: Tx, author: Account, each: File) -> files.Upload:
    upload = files.get(tx, each.upload, author.id)
    if upload is None:
        raise Invalid("files", "One of the pictures is not there any more; add it again.")
    return upload


def _hero(tx: Tx, urls: Urls, author: Account, draft: Draft) -> Picture | None:
    if draft.hero is None:
        return None
    upload = _upload(tx, author, draft.hero)
    return Picture(
        url=urls.media(upload.large or upload.file), media_type=upload.media_type, alt=tidy(draft.hero.alt).strip()
    )
