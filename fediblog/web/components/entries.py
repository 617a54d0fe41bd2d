"""The list of a blog: articles with their title and picture, notes compact between them; no boxes."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from html import escape
from itertools import groupby

from markupsafe import Markup

from fediblog.domain.posts import Post
from fediblog.messages import text
from fediblog.protocol.previews import abstract, hashtags, hides_pictures, picture, unfolded, warning
from fediblog.store.posts.timelines import ListedPost
from fediblog.web.components.action_bar import Reader, filtered
from fediblog.web.components.action_bar import foot as foot_of
from fediblog.web.components.comments import said
from fediblog.web.components.page_elements import audience_of, icon, named, when
from fediblog.web.components.page_links import Links
from fediblog.web.components.photos import scaled
from fediblog.web.components.post_cards import Part

# How wide pictures are shown: the first, set large; tiles, which browsers measure if they can; and those beside the
# words. Of the widest the small copy has nearly twice the pixels, which is as good on the finest screens.
_LEADING = "(min-width: 62em) 41rem, 100vw"
_TILED = "auto, (min-width: 40em) 28rem, 100vw"
_BESIDE = "(min-width: 62em) 12.5rem, (min-width: 40em) 11rem, 6rem"
_SEPARATOR = '<span class="sep"> · </span>'


def blog_list(
    language: str,
    found: Sequence[ListedPost | Post],
    reader: Reader,
    signed: bool,
    leads: bool,
    tiled: bool,
    whole: Part,
) -> Markup:
    """Posts in their order; neighbouring notes stand in a section of their own.

    `signed` says who wrote each, `leads` sets the first large if it is an article, `tiled` says that the look sets all
    pictures large; `whole` is the macro that shows what few notes have.
    """
    listed = [each if isinstance(each, ListedPost) else ListedPost(id=each.id, post=each) for each in found]
    shown: list[str] = []
    for is_article, alike in groupby(listed, lambda each: is_entry(each.post)):
        if is_article:
            shown += [
                filtered(
                    language,
                    each.post,
                    reader,
                    _entry(language, each, reader, signed, leads and not shown and number == 0, tiled),
                )
                for number, each in enumerate(alike)
            ]
        else:
            notes = "\n".join(
                filtered(language, each.post, reader, _note(language, each, reader, signed, whole)) for each in alike
            )
            label = escape(text(language, "menu.notes"))
            shown.append(f'<section class="notes" aria-label="{label}">\n{notes}\n</section>')
    return Markup("\n".join(shown))  # noqa: S704  made of escaped parts


def is_entry(post: Post) -> bool:
    """Whether it is listed by its title."""
    return bool(post.title) and (post.is_article or not post.local)


def _entry(language: str, each: ListedPost, reader: Reader, signed: bool, leading: bool, tiled: bool) -> str:
    post, links = each.post, reader.links
    where = escape(links.post(post))
    image = _picture(post, links, leading, tiled)
    mark = _mark(
        language, each, links, signed, [_subject(post, links), _day(language, post), *_numbers(language, post, links)]
    )
    kind = f"entry{' lead' if leading else ''}{'' if image else ' plain'} h-entry"
    title = f'<h2 class="p-name"><a class="u-url" href="{where}" dir="auto">{escape(post.title)}</a></h2>'
    shown = () if post.categories else hashtags(post)[:1]
    told = _for_programs(each, links, signed, hashtags(post)[len(shown) :])
    words = f"{title}{_summary(language, post)}{_buttons(language, post, reader)}{told}"
    if leading:
        return f'<article class="{kind}" id="p{post.id}">{image}<div>{mark}{words}</div></article>'
    return f'<article class="{kind}" id="p{post.id}">{mark}<div>{words}</div>{image}</article>'


def _summary(language: str, post: Post) -> str:
    """What an entry is about; below a warning, which stands for it until it is opened."""
    hidden, about = warning(post), abstract(post)
    if not hidden:
        return f'<p class="sum p-summary" dir="auto">{escape(about)}</p>' if about else ""
    return (
        f'<details class="warning"><summary><span class="warning-word">{escape(text(language, "post.warning"))}</span>'
        f' <bdi class="p-summary">{escape(hidden)}</bdi></summary>'
        f'<p class="sum" dir="auto">{escape(about or unfolded(post))}</p></details>'
    )


def _note(language: str, each: ListedPost, reader: Reader, signed: bool, whole: Part) -> str:
    post, links = each.post, reader.links
    day = f'<a class="u-url" href="{escape(links.post(post))}">{when(language, post.published)}</a>'
    numbers = _joined(_numbers(language, post, links))
    below = _buttons(language, post, reader) or (f'<p class="mark">{numbers}</p>' if numbers else "")
    told = _for_programs(each, links, signed, hashtags(post))
    filed = _subject(post, links) if post.categories else ""  # its hashtags stand in the text
    mark = _mark(language, each, links, signed, [filed, f"<span>{day}</span>"])
    return (
        f'<article class="note h-entry" id="p{post.id}">{mark}'
        f"<div>{_answering(language, post, links)}{said(post, whole, links)}{below}{told}</div></article>"
    )


def _buttons(language: str, post: Post, reader: Reader) -> str:
    return foot_of(language, post, reader) if reader.account is not None else ""


def _for_programs(each: ListedPost, links: Links, signed: bool, tags: Iterable[str]) -> str:
    """What microformats have to tell where the words do not: hashtags, and who wrote what is not signed."""
    told = "".join(f'<data class="p-category" value="{escape(tag)}"></data>' for tag in tags)
    if signed or each.booster is not None:
        return told
    where, name = escape(links.account(each.post.account)), escape(each.post.account.shown_name)
    return f'<a class="p-author h-card" href="{where}" hidden>{name}</a>{told}'


def _mark(language: str, each: ListedPost, links: Links, signed: bool, parts: Iterable[str]) -> str:
    """The line above an entry, which stands in its margin where there is one."""
    post, before = each.post, []
    if each.booster is not None:
        words = escape(text(language, "entry.boosted", name=each.booster.shown_name))
        before.append(f"<span>{icon('boost')} {words}</span>")
    if post.pinned and each.booster is None and each.id == post.id:
        before.append(f'<span class="pinned">{escape(text(language, "post.pinned"))}</span>')
    if signed or each.booster is not None:
        name, where = named(post.account, links), escape(links.account(post.account))
        before.append(f'<span><a class="p-author h-card" href="{where}"><bdi>{name}</bdi></a></span>')
    if chip := audience_of(language, post):
        before.append(f"<span>{chip}</span>")
    return f'<p class="mark">{_joined([*before, *parts])}</p>'


def _joined(parts: Iterable[str]) -> str:
    return _SEPARATOR.join(each for each in parts if each)


def _subject(post: Post, links: Links) -> str:
    if post.categories:
        found = [(escape(links.category(each.slug)), escape(each.name)) for each in post.categories]
        named = [f'<a class="p-category" href="{where}" dir="auto">{name}</a>' for where, name in found]
        return f'<span class="subject">{", ".join(named)}</span>'
    for tag in hashtags(post)[:1]:
        return f'<span class="subject"><a class="p-category" href="{escape(links.tag(tag))}">{escape(tag)}</a></span>'
    return ""


def _day(language: str, post: Post) -> str:
    return f"<span>{when(language, post.published)}</span>"


def _numbers(language: str, post: Post, links: Links) -> list[str]:
    found = []
    if post.reading_time:
        found.append(f"<span>{escape(text(language, 'entry.minutes', n=post.reading_time))}</span>")
    if post.comments:
        words = escape(text(language, "post.comments", n=post.comments))
        found.append(f'<span><a href="{escape(links.post(post))}#comments">{words}</a></span>')
    return found


def _answering(language: str, post: Post, links: Links) -> str:
    if not post.in_reply_to:
        return ""
    above = f"/post/{post.parent}" if links.signed_in and post.parent else escape(post.in_reply_to)
    words = escape(text(language, "post.is-answer"))
    return f'<p class="mark why">{icon("reply")}<a class="u-in-reply-to" href="{above}" rel="nofollow">{words}</a></p>'


def _picture(post: Post, links: Links, leading: bool, tiled: bool) -> str:
    """The hero, or where pictures come first that of the text; nothing where it is not to be seen at once."""
    shown = picture(post) if tiled else None if hides_pictures(post) else post.image
    room = _LEADING if leading else _TILED if tiled else _BESIDE
    return f'<img class="thumb u-featured" {scaled(shown, links, post, room, first=leading)}>' if shown else ""
