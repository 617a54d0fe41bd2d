"""A draft made into a post: its text rendered, whom it names, what it answers, quotes and carries."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from datetime import UTC, datetime
from types import MappingProxyType

from msgspec import Struct
from msgspec.structs import replace

from fediblog.actions.drafts import ALT_LIMIT, Draft, File, check, kind_of, text_of
from fediblog.actions.site_actions import emoji_in
from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, Attachment, Mention, Note, Option, Picture, Poll, Source, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.rules import addresses, narrowest
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.hashtags import MOST, first_in, key
from fediblog.markup.html import MentionTarget
from fediblog.markup.slug import slugify
from fediblog.markup.text import one_line, reading_time, tidy
from fediblog.prepare.wording import Outdated, Text, Wording, Words
from fediblog.protocol.previews import pictures_within
from fediblog.store.people import accounts
from fediblog.store.posts import media_files, posts, reply_policy
from fediblog.store.tx import Tx


class RenderedDraft(Struct, frozen=True, kw_only=True):
    """A draft made into a note, with what must be stored beside it."""

    note: Note
    mentioned: tuple[tuple[int, str, bool], ...]  # (account, name as written, silent)
    uploads: tuple[int | None, ...]
    visibility: Visibility
    slug: str
    month: str


def month_of(moment: int) -> str:
    """YYYY/MM of a time in UTC milliseconds."""
    return datetime.fromtimestamp(moment / 1000, UTC).strftime("%Y/%m")


class _Frame(Struct, frozen=True, kw_only=True):
    """What surrounds the words: under which number and as what, for whom, where, and below which post."""

    number: int
    kind: str
    visibility: Visibility
    published: int
    month: str
    slug: str
    words: Words
    mentioned: Sequence[Account]
    in_reply_to: str
    quote: str
    context: str


def compose(
    tx: Tx,
    urls: Urls,
    author: Account,
    draft: Draft,
    wording: Wording,
    *,
    number: int,
    before: Post | None = None,
) -> RenderedDraft:
    """The note that a draft makes under that number; `before` is the post as it stands, when it is an edit.

    Raises Outdated if the `wording` is not that of the draft as things stand.
    """
    check(tx, draft)
    draft = replace(draft, files=(*draft.files, *_named_in_text(tx, author, draft, wording.words[0].html, before)))
    tx.hold(*(each.upload for each in (*draft.files, draft.hero) if each is not None))  # the sweep leaves these alone
    if before is not None and before.is_draft:
        before = None  # nobody has seen it, so nothing of it binds
    frame = _frame(tx, urls, author, draft, wording, number, before)
    pictures, uploads = _attachments(tx, urls, author, draft)
    note = _note(urls, author, draft, frame)
    return RenderedDraft(
        note=replace(
            note,
            emoji=emoji_in(tx, urls, (note.title, note.summary, note.warning, *_answers(draft)), frame.words.emoji),
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
    tx: Tx, urls: Urls, author: Account, draft: Draft, wording: Wording, number: int, before: Post | None
) -> _Frame:
    """A published post keeps its kind, its audience, its address and its place in the thread."""
    parent = _parent(tx, author, draft, before)
    quoted = _quoted(tx, author, draft, before)
    kind = before.kind if before else kind_of(draft)
    people = people_of(tx, urls, wording, (text_of(draft, kind),))
    mentioned = _mentioned(author, people, parent)
    visibility = before.visibility if before else _narrowed(draft.visibility, parent, quoted)
    if draft.must_reach and draft.state != "draft":
        _check_reach(author, wording.names, visibility, people, mentioned)
    if quoted is not None and draft.state != "draft":
        _check_audience(author, visibility, quoted, mentioned)
    published = _published(tx, draft, before)
    month = month_of(published)
    return _Frame(
        number=number,
        kind=kind,
        visibility=visibility,
        published=published,
        month=month,
        slug=_slug(tx, author, draft, number, month, before) if kind == "Article" else "",
        words=wording.words[0],
        mentioned=mentioned,
        quote=before.quote if before else (quoted.uri if quoted else ""),
        in_reply_to=before.in_reply_to if before else (parent.uri if parent else ""),
        context=before.context if before else _context(tx, urls.of(author), parent, number),
    )


def _published(tx: Tx, draft: Draft, before: Post | None) -> int:
    """Its time: of what is published it stays; of a draft it is the date of the past that it has, or when it began."""
    if before is not None and not before.is_draft and before.published is not None:
        return before.published
    if draft.dated is not None and draft.state != "scheduled" and 0 < draft.dated < tx.now:
        return draft.dated
    return before.received if before is not None else tx.now


def _note(urls: Urls, author: Account, draft: Draft, frame: _Frame) -> Note:
    article = frame.kind == "Article"
    to, cc = addresses(frame.visibility, author.followers, tuple(each.uri for each in frame.mentioned))
    own = urls.of(author)
    uri = own.post(frame.number)
    return Note(
        uri=uri,
        kind=frame.kind,
        author=author.uri,
        to=to,
        cc=cc,
        title=one_line(draft.title) if article else "",
        summary=_summary(draft, frame.kind),
        warning=one_line(draft.warning) if article else "",
        content=frame.words.numbered(f"p{frame.number}"),
        reading_time=reading_time(draft.source) if article else 0,
        language=draft.language or author.language,
        source=Source(content=draft.source, media_type=draft.kind_of_source),
        url=own.page(author.handle, frame.number, frame.month, frame.slug),
        in_reply_to=frame.in_reply_to,
        quote=frame.quote,
        published=frame.published,
        sensitive=draft.sensitive or bool(draft.warning.strip()),
        mentions=tuple(Mention(href=each.uri, name=f"@{each.acct}") for each in frame.mentioned),
        hashtags=_hashtags(frame.words.hashtags, draft.tags or ()),
        context=frame.context,
        replies=f"{uri}/replies",
        likes=f"{uri}/likes",
        shares=f"{uri}/shares",
    )


def _hashtags(written: Sequence[str], beside: Sequence[str]) -> tuple[str, ...]:
    """Each once, however it is capitalised; beside the text only what could stand in one."""
    found: dict[str, str] = {}
    for name in (*written, *filter(None, map(first_in, beside))):
        found.setdefault(key(name), name)
    return tuple(found.values())[:MOST]


def _parent(tx: Tx, author: Account, draft: Draft, before: Post | None) -> Post | None:
    if before is not None:
        return posts.stored(tx, before.parent) if before.parent is not None else None
    if draft.reply_to is None:
        return None
    parent = posts.get(tx, draft.reply_to, author.id)
    if parent is None or parent.is_withheld:
        raise NotFound("reply.no-post")
    if draft.state != "draft" and not reply_policy.may_comment(tx, author.id, parent):
        raise Invalid("source", "reply.closed" if parent.repliable == "nobody" else "reply.for-followers")
    if draft.state != "draft" and reply_policy.leave_to_answer(tx, author, parent) == "denied":
        raise Invalid("source", "reply.not-wanted")
    return parent


def _quoted(tx: Tx, author: Account, draft: Draft, before: Post | None) -> Post | None:
    """What a new post quotes: something open whose author lets it be quoted, as far as that is known, or one's own."""
    if before is not None or draft.quote is None:
        return None
    post = posts.get(tx, draft.quote, author.id)
    if post is None or post.state != "published":
        raise NotFound("quote.no-post")
    own = post.account.id == author.id
    if post.visibility == Visibility.DIRECT or (not own and post.visibility not in OPEN):
        raise Invalid("quote", "quote.not-open")
    asked = reply_policy.leave_of(tx, post.policy.quote if post.policy else None, author, post)
    if asked == "denied" or (post.local and not reply_policy.may_quote(tx, author.id, post)):
        raise Invalid("quote", "quote.not-wanted")
    return post


def _check_reach(
    author: Account,
    names: Sequence[str],
    visibility: Visibility,
    people: Mapping[str, Account],
    mentioned: Sequence[Account],
) -> None:
    """Say before it is sent that a post which is for few would not come to those for whom it is meant."""
    if visibility in OPEN:
        return
    lost = [f"@{name}" for name in names if name not in people]
    if lost:
        raise Invalid("people", "post.people-lost", names=", ".join(dict.fromkeys(lost)))
    if visibility == Visibility.DIRECT and not any(each.id != author.id for each in mentioned):
        raise Invalid("people", "post.mentions-nobody")


def _check_audience(author: Account, visibility: Visibility, quoted: Post, mentioned: Sequence[Account]) -> None:
    """Who is quoted is asked and sees what quotes, which must then be meant for that person, too."""
    if visibility in OPEN or quoted.account.id == author.id:
        return
    if quoted.account.id not in {each.id for each in mentioned}:
        raise Invalid("quote", "quote.for-others")


def people_of(tx: Tx, urls: Urls, wording: Wording, texts: tuple[Text, ...]) -> dict[str, Account]:
    """Whom the texts name. Raises Outdated if the wording is of other texts, or names others than it would now."""
    people = people_named(tx, urls, wording.names, wording.found)
    if wording.texts != texts or wording.people != targets(people):
        raise Outdated
    return people


def targets(people: Mapping[str, Account]) -> dict[str, MentionTarget]:
    """Where the mentions of these accounts lead."""
    return {name: MentionTarget(each.uri, each.url, each.handle) for name, each in people.items()}


def people_named(
    tx: Tx, urls: Urls, names: Iterable[str], known: Mapping[str, int] = MappingProxyType({})
) -> dict[str, Account]:
    """Whom `user@host` or `user` means, of those that this server knows or that were found just now (`known`)."""
    found = {}
    for name in names:
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


def _narrowed(wanted: Visibility, *above: Post | None) -> Visibility:
    """It is never for more people than what it answers and quotes, where that was not for everybody."""
    limits = [each.visibility for each in above if each is not None and each.visibility not in OPEN]
    return narrowest(wanted, *limits)


def _slug(tx: Tx, author: Account, draft: Draft, number: int, month: str, before: Post | None) -> str:
    """An address that was given stays, whatever becomes of the title, until its author chooses another."""
    chosen = slugify(draft.slug)
    if before is not None and chosen in ("", before.slug):
        return before.slug
    wanted = chosen or slugify(draft.title) or str(number)
    return posts.free_slug(tx, author.id, month, wanted, number)


def _summary(draft: Draft, kind: str) -> str:
    """Of a note the warning; of an article what its author wrote and nothing else, with no element in it.

    Other servers take an article's `summary` for a warning, and some of them show it as it is.
    """
    if kind != "Article":
        return one_line(draft.warning)
    return tidy(draft.summary).strip().replace("&", "&amp;").replace("<", "&lt;")


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


def _answers(draft: Draft) -> tuple[str, ...]:
    return draft.poll.options if draft.poll else ()


def _attachments(
    tx: Tx, urls: Urls, author: Account, draft: Draft
) -> tuple[tuple[Attachment, ...], tuple[int | None, ...]]:
    found = [(_upload(tx, author, each), each) for each in draft.files]
    shown = tuple(attachment_of(urls, upload, each.alt, each.focus) for upload, each in found)
    return shown, tuple(upload.id for upload, _ in found)


def _named_in_text(tx: Tx, author: Account, draft: Draft, html: str, before: Post | None) -> list[File]:
    """Uploads of the author that the text shows: the post carries them, so that they are kept and sent along.

    They are described by the text, else as they were before or when they were uploaded.
    """
    named: dict[str, str] = {}
    for address, alt in pictures_within(html):
        name = address.rpartition("/media/")[2]
        named[name] = named.get(name) or alt
    if not named:
        return []
    chosen = {each.upload for each in (*draft.files, *([draft.hero] if draft.hero else []))}
    stood = {each.number: each for each in (before.attachments if before else ())}
    uploads, found = media_files.by_names(tx, author.id, list(named)), dict[int, File]()
    for name, told in named.items():
        upload = uploads.get(name)
        if upload is not None and upload.file and upload.id not in chosen:
            old = stood.get(upload.id)
            alt = told or (old.alt if old else upload.alt)
            focus = old.focus if old else upload.focus
            found.setdefault(upload.id, File(upload=upload.id, alt=alt[:ALT_LIMIT], focus=focus))
    return list(found.values())


def attachment_of(urls: Urls, upload: media_files.Upload, alt: str, focus: tuple[float, float] | None) -> Attachment:
    """An upload as a post carries it."""
    return Attachment(
        kind="Image",
        url=urls.media(upload.file),
        media_type=upload.media_type,
        alt=tidy(alt).strip(),
        width=upload.width,
        height=upload.height,
        blurhash=upload.blurhash,
        focus=focus,
        preview=urls.media(upload.large or upload.small) if upload.large or upload.small else "",
        number=upload.id,
    )


def _upload(tx: Tx, author: Account, each: File) -> media_files.Upload:
    upload = media_files.get(tx, each.upload, author.id)
    if upload is None:
        raise Invalid("files", "post.no-picture")
    if not upload.file:
        raise media_files.refusal(upload, "files") or Invalid("files", "post.picture-not-ready")
    return upload


def _hero(tx: Tx, urls: Urls, author: Account, draft: Draft) -> Picture | None:
    if draft.hero is None:
        return None
    upload = _upload(tx, author, draft.hero)
    width, height = upload.large_size if upload.large else (upload.width, upload.height)
    return Picture(
        url=urls.media(upload.large or upload.file),
        media_type=upload.media_type,
        alt=tidy(draft.hero.alt).strip(),
        caption=one_line(draft.hero.caption),
        preview=urls.media(upload.small) if upload.small else "",
        width=width,
        height=height,
    )
