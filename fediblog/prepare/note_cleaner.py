"""What is shown of somebody else's post: pure and slow, so it is worked out before a transaction, not inside."""

from __future__ import annotations

from fediblog.domain.documents import Note
from fediblog.markup.clean import ARTICLE_LIMIT, NOTE_LIMIT, clean, plain_to_html
from fediblog.markup.html import plain
from fediblog.markup.markdown import render_remote
from fediblog.markup.text import display_name, one_line, reading_time
from fediblog.prepare.cleaned import CleanNote
from fediblog.protocol.authority import same_origin

WARNING_LIMIT = 2_000  # characters
_LONG = ("Article", "Page")
_SHORT = ("Note", "Question")


def harmless(note: Note) -> CleanNote:
    """The post with nothing in it that could harm a reader; what the author typed is not kept."""
    content = _content(note)
    return CleanNote(
        uri=note.uri, kind=note.kind, author=note.author, to=note.to, cc=note.cc,
        title=note.title and display_name(note.title),
        summary=note.summary and _summary(note),
        warning=note.warning and one_line(note.warning, WARNING_LIMIT),
        content=content, media_type="text/html", language=note.language, source=None,
        url=note.url, in_reply_to=note.in_reply_to, published=note.published, updated=note.updated,
        sensitive=note.sensitive, mentions=note.mentions, hashtags=note.hashtags, emoji=note.emoji,
        attachments=note.attachments, image=note.image, quote=note.quote, quote_proof=note.quote_proof,
        context=note.context, conversation=note.conversation,
        replies=_own(note.replies, note), likes=_own(note.likes, note), shares=_own(note.shares, note),
        reply_count=note.reply_count, like_count=note.like_count, share_count=note.share_count,
        poll=note.poll, policy=note.policy, happening=note.happening, duration=note.duration,
        reading_time=reading_time(plain(content, alts=False)) if note.kind in _LONG else note.reading_time,
    )  # fmt: skip


def _summary(note: Note) -> str:
    """A short post's is a warning; another's keeps its form."""
    return one_line(plain(note.summary), WARNING_LIMIT) if note.kind in _SHORT else clean(note.summary)


def _content(note: Note) -> str:
    limit = ARTICLE_LIMIT if note.kind in _LONG else NOTE_LIMIT
    match note.media_type:
        case "text/markdown":
            return render_remote(note.content, limit, pictures=note.kind in _LONG)
        case "text/plain":
            return plain_to_html(note.content, limit)
        case _:
            return clean(note.content, limit, pictures=note.kind in _LONG)


def _own(collection: str, note: Note) -> str:
    return collection if collection and same_origin(collection, note.uri) else ""


def size(note: Note) -> int:
    """Characters of what is cleaned."""
    return len(note.content) + len(note.summary)
