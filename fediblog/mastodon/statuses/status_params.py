"""The draft that an app's parameters make: text of two kinds, articles with their title, pictures, polls, times."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.structs import replace

from fediblog.actions.draft_of_post import draft_of
from fediblog.actions.drafts import Draft, File, PollDraft, is_language
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.errors import Invalid, NotFound
from fediblog.markup.text import MARKDOWN, PLAIN, one_line, tidy
from fediblog.mastodon.entities.base import NAMED
from fediblog.mastodon.params import Params
from fediblog.mastodon.statuses import statuses_api
from fediblog.mastodon.statuses.media_api import described, point_of
from fediblog.mastodon.statuses.posting_defaults import preferred
from fediblog.protocol import json_values
from fediblog.store.posts import categories, media_files
from fediblog.store.tx import Tx

SOON = 300_000  # ms: what is put off for less is refused, as with Mastodon
POLICIES = ("public", "followers", "nobody")
COMMENTS = {"everyone": "public", "followers": "followers", "nobody": "nobody"}


def new_draft(tx: Tx, account: int, params: Params) -> Draft:
    """A new post. Raises Invalid for what its author must correct, NotFound for a post named that is not there."""
    own = preferred(tx, account)
    ours = params.inner("fediblog")
    kind = params.choice("content_type", (PLAIN, MARKDOWN), PLAIN)
    poll = _poll(params.inner("poll"))
    title, source = _titled(ours, _typed(params), kind, poll is not None)
    warning = _line(params, "spoiler_text")
    pictures = _pictures(tx, account, params)
    if not source.strip() and warning and not pictures and poll is None:
        source, warning = warning, ""
    sensitive = params.maybe_flag("sensitive")
    at = _scheduled(params, tx.now)
    return Draft(
        source=source,
        source_type=kind,
        title=title,
        summary=tidy(ours.text("summary")),
        warning=warning,
        visibility=_visibility(params, own.visibility),
        language=_language(params),
        sensitive=own.sensitive if sensitive is None else sensitive,
        reply_to=_answered(tx, account, params),
        files=pictures,
        slug=ours.text("slug"),
        state="scheduled" if at is not None else "published",
        scheduled=at,
        poll=poll,
        tags=tuple(ours.texts("tags")),
        categories=_categories(tx, ours),
        quotable=_policy(params),
        comments=_comments(ours),
        quote=_quoted(tx, account, params),
    )


def changed_draft(tx: Tx, account: int, post: Post, params: Params) -> Draft:
    """The draft of an edit. As with Mastodon, media and warning that are not sent are taken away; the text stays."""
    before, ours = draft_of(tx, post), params.inner("fediblog")
    kind = params.choice("content_type", (PLAIN, MARKDOWN), before.kind_of_source)
    source, title = before.source, before.title
    if params.has("status"):
        source = _typed(params)
        if post.is_article:
            title, source = _retitled(ours, source, before.title)
    elif post.is_article:
        title = _line(ours, "title") or title
    _same_poll(post, params.inner("poll"))
    return replace(
        before,
        source=source,
        source_type=kind,
        title=title,
        summary=tidy(ours.text("summary")) if ours.has("summary") else before.summary,
        warning=_line(params, "spoiler_text"),
        language=_language(params) or (before.language if is_language(before.language) else ""),
        sensitive=params.flag("sensitive"),
        files=_pictures(tx, account, params, before.files),
        tags=tuple(ours.texts("tags")) if ours.has("tags") else before.tags,
        categories=_categories(tx, ours) if ours.has("categories") else before.categories,
        slug=ours.text("slug") or before.slug,
        quotable=_policy(params) or before.quotable,
        comments=_comments(ours) or before.comments,
    )


def _language(params: Params) -> str:
    """The language that was sent; '', which stands for the account's own, where it is none, as in Mastodon."""
    given = params.text("language")
    return given if is_language(given) else ""


def _typed(params: Params) -> str:
    return tidy(params.text("status").replace("\r\n", "\n"))


def _line(params: Params, name: str) -> str:
    return one_line(params.text(name))


def _visibility(params: Params, otherwise: Visibility) -> Visibility:
    return NAMED[params.choice("visibility", NAMED, "public")] if params.text("visibility") else otherwise


def _policy(params: Params) -> str:
    given = params.text("quote_approval_policy")
    return params.choice("quote_approval_policy", POLICIES, "public") if given else ""


def _comments(ours: Params) -> str:
    return COMMENTS[ours.choice("comments_policy", tuple(COMMENTS), "everyone")] if ours.text("comments_policy") else ""


def _categories(tx: Tx, ours: Params) -> tuple[int, ...]:
    """Numbers of the categories that are named. Raises Invalid for a name that none has."""
    return tuple(categories.named(tx, one_line(name)) for name in ours.texts("categories"))


def _quoted(tx: Tx, account: int, params: Params) -> int | None:
    """The number of the post that is quoted; Pleroma's apps have another name for it."""
    for name in ("quoted_status_id", "quote_id"):
        if params.text(name):
            return _subject(tx, account, params, name)
    return None


def _answered(tx: Tx, account: int, params: Params) -> int | None:
    """The number of the post that is answered. Raises NotFound rather than publish an answer as something else."""
    return _subject(tx, account, params, "in_reply_to_id") if params.text("in_reply_to_id") else None


def _subject(tx: Tx, account: int, params: Params, name: str) -> int:
    number = params.number(name)
    if number is None:
        raise NotFound()
    return statuses_api.subject(tx, number, account).id


def _titled(ours: Params, source: str, kind: str, has_poll: bool) -> tuple[str, str]:
    """Title and text of a new post: the title said apart, or that of Markdown's first line."""
    wanted, title = ours.text("type"), _line(ours, "title")
    if wanted == "Note" or has_poll:
        return "", source
    if title:
        return title, source
    title, rest = split(source) if kind == MARKDOWN else ("", source)
    if wanted == "Article" and not title:
        raise Invalid("fediblog", "api.no-title")
    return title, rest


def _retitled(ours: Params, source: str, before: str) -> tuple[str, str]:
    """Title and text of an edited post: its first line may be the title, as in the source that apps get."""
    written, rest = split(source)
    title = _line(ours, "title")
    if title:
        return title, rest if written in (title, before) else source
    return (written, rest) if written else (before, source)


def split(source: str) -> tuple[str, str]:
    """The title in the first line, `# Title`, and what comes below it; nothing and all of it where there is none."""
    first, _, rest = source.lstrip("\n").partition("\n")
    if not first.startswith("# "):
        return "", source
    title = one_line(first[2:].rstrip().rstrip("#"))
    return (title, rest.lstrip("\n")) if title else ("", source)


def _scheduled(params: Params, now: int) -> int | None:
    """When it shall appear; at once if that time is over."""
    at = moment_of(params.text("scheduled_at"))
    if at is None or at <= now:
        return None
    return not_too_soon(at, now)


def moment_of(given: str) -> int | None:
    """UTC milliseconds of a time as apps write it, None if there is none. Raises Invalid for anything else."""
    if not given:
        return None
    at = json_values.moment(given)
    if at is None:
        raise Invalid("scheduled_at", "api.no-time")
    return at


def not_too_soon(at: int, now: int) -> int:
    """The time itself. Raises Invalid for less than five minutes."""
    if at < now + SOON:
        raise Invalid("scheduled_at", "api.too-soon")
    return at


def _poll(asked: Params) -> PollDraft | None:
    options = tuple(one_line(name) for name in asked.texts("options"))
    if not options:
        return None
    seconds = asked.number("expires_in")
    if seconds is None:
        raise Invalid("poll", "api.no-period")
    return PollDraft(options=options, multiple=asked.flag("multiple"), seconds=seconds)


def _same_poll(post: Post, asked: Params) -> None:
    """A poll that people have seen stays as it is."""
    options = [one_line(name) for name in asked.texts("options")]
    standing = [option.name for option in post.poll.options] if post.poll else []
    if options and options != standing:
        raise Invalid("poll", "api.poll-stays")


def _pictures(tx: Tx, account: int, params: Params, before: Sequence[File] = ()) -> tuple[File, ...]:
    """The pictures of `media_ids`, with what was said of them in the post, before it, or now."""
    numbers = list(dict.fromkeys(params.numbers("media_ids")))
    stored = media_files.many(tx, numbers, account) if numbers else {}
    asked = set(params.texts("media_ids")) - {""}  # which is how an empty list is sent in a form
    if len(stored) < len(asked):
        raise Invalid("media_ids", "api.no-media")
    standing = {each.upload: each for each in before}
    changes = {each.number("id"): each for each in params.each("media_attributes")}
    found = []
    for number in numbers:
        upload = stored[number]
        known = standing.get(number) or File(upload=number, alt=upload.alt, focus=upload.focus)
        change = changes.get(number, Params({}))
        alt = described(change) if change.has("description") else known.alt
        found.append(replace(known, alt=alt, focus=point_of(change) if change.has("focus") else known.focus))
    return tuple(found)
