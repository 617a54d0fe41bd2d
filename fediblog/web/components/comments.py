"""The comments below a post. A page shows them by the hundred, so what was once made of one is remembered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from functools import partial
from html import escape
from typing import Protocol

from markupsafe import Markup
from msgspec import Struct

from fediblog.domain.memo import Memo
from fediblog.domain.posts import Post
from fediblog.domain.thread_order import OPEN_ANSWERS
from fediblog.messages import text
from fediblog.web.components import emoji_images, time_zone
from fediblog.web.components.page_elements import byline_of, icon, letter_band_of
from fediblog.web.components.page_links import Links
from fediblog.web.components.post_text import needs_more

MOST_KEPT = 4096
LONGEST_KEPT = 4000  # characters
_SHOWN: Memo[tuple[str, int], str] = Memo(MOST_KEPT)


class Comment(Struct, frozen=True):
    """An answer and how far it is indented; `to` is the one it answers where the indentation does not tell.

    `where` is the address from which that one is found, empty if it stands on the same page.
    """

    post: Post | None  # None: one that is not shown
    depth: int = 0
    to: Post | None = None
    where: str = ""


class CommentBranch(Struct, frozen=True):
    """Comments that belong together, in the order in which they are read; `left` others of them are at `where`."""

    comments: Sequence[Comment]
    folded: bool = True  # all but the first few
    left: int = 0
    where: str = ""

    @property
    def opened(self) -> int:
        """How many of the comments are seen at once."""
        return 1 + OPEN_ANSWERS if self.folded else len(self.comments)


class Parts(Protocol):
    """Those macros of the templates that show what few comments have."""

    def abstract(self, post: Post, /) -> Markup:
        """The beginning of an article."""

    def text(self, post: Post, /) -> Markup:
        """The text with a warning, a quoted post, a poll, files."""

    def actions(self, post: Post, /) -> Markup:
        """What a reader who has signed in can do with it."""

    def filtered(self, post: Post, html: str, /) -> Markup:
        """Its HTML as the reader's own filters let it be seen."""


def address(branch: int, page: int) -> str:
    """The address of a page of comments, from any other page of the same post."""
    asked = {"branch": branch or None, "comments": page if page > 1 or not branch else None}
    return "?" + "&".join(f"{name}={value}" for name, value in asked.items() if value)


def found_at(number: int) -> str:
    """The address that leads to a comment on whatever page it stands, from any page of the same post."""
    return f"?focus={number}"


def comments(language: str, branches: Sequence[CommentBranch], parts: Parts, links: Links) -> Markup:
    """Branches of answers, one after another."""
    return Markup("\n".join(_branch(language, each, parts, links) for each in branches))  # noqa: S704  of escaped parts


def _branch(language: str, branch: CommentBranch, parts: Parts, links: Links) -> str:
    shown = [(each.depth, f"{_answer(language, each, parts, links)}\n") for each in branch.comments]
    more = ""
    if branch.left:
        words = escape(text(language, "thread.rest", n=branch.left))
        more = f'<p class="rest"><a href="{escape(branch.where)}">{words}</a></p>\n'
    folded = shown[branch.opened :]
    if not folded:
        return _indented(shown) + more
    count = sum(each.post is not None for each in branch.comments[branch.opened :]) + branch.left
    words = escape(text(language, "thread.more", n=count))
    return (
        f'{_indented(shown[: branch.opened])}<details class="fold"><summary>{words}</summary>\n'
        f"{_indented(folded)}{more}</details>\n"
    )


def _indented(shown: Sequence[tuple[int, str]]) -> str:
    """Answers with the levels at which they stand, each level within the one before it."""
    out, level = [], 0
    for depth, html in shown:
        if depth != level:
            out.append('<div class="kids">' * (depth - level) or "</div>" * (level - depth))
            level = depth
        out.append(html)
    return "".join(out) + "</div>" * level


def _answer(language: str, each: Comment, parts: Parts, links: Links) -> str:
    """A comment; in the place of one that is not shown, for what others answered to it, that it is not."""
    if each.post is None:
        return f'<p class="c comment quiet small">{escape(text(language, "post.unseen"))}</p>'
    return _comment(language, each.post, parts, links, each.to, where=each.where)


def comment(language: str, post: Post, parts: Parts, links: Links, level: str) -> Markup:
    """One post, as it is shown among comments; its title is a heading of that level."""
    return Markup(_comment(language, post, parts, links, None, level))  # noqa: S704  made of escaped parts


def _comment(
    language: str, post: Post, parts: Parts, links: Links, to: Post | None, level: str = "h3", where: str = ""
) -> str:
    key, made_of = (language, post.id), (post, to, links, level, where, time_zone.chosen())
    shown = _SHOWN.get(key, made_of)
    if shown is None:
        shown = _shown(language, post, parts, links, to, level, where)
        # What a poll or a quoted post looks like depends on the time of day, and on who looks.
        if not (post.poll or post.quote) and len(shown) <= LONGEST_KEPT:
            _SHOWN.put(key, made_of, shown)
    return str(parts.filtered(post, f"{shown}{parts.actions(post)}</article>")) if links.signed_in else shown


def _shown(language: str, post: Post, parts: Parts, links: Links, to: Post | None, level: str, where: str) -> str:
    """The HTML of a comment that is the same for all readers: everything but the buttons."""
    why = title = end = ""
    if to is not None:
        answers = escape(text(language, "post.answers", name=to.account.shown_name))
        why = f'<p class="why quiet small">{icon("reply")}<a href="{where}#p{to.id}" dir="auto">{answers}</a></p>'
    if post.title:
        link = f'<a href="{escape(links.post(post))}">{escape(post.title)}</a>'
        title = f'<{level} class="comment-title p-name" dir="auto">{link}</{level}>'
    if not links.signed_in:
        end = f"{'' if post.local else _origin(language, post)}</article>"
    letter = letter_band_of(language, post)
    return (
        f'<article class="c comment h-entry u-comment{" letter" if letter else ""}" id="p{post.id}">\n{letter}'
        f"{byline_of(language, post, links)}\n"
        f"{why}{title}{parts.abstract(post) if post.is_article else said(post, parts.text, links)}\n{end}"
    )


def said(post: Post, whole: Callable[[Post], Markup], links: Links) -> str:
    """The text of a post that is no article; `whole` is the macro that shows what few posts have."""
    if post.summary or post.warning or post.quote or post.poll or post.attachments or needs_more(post):
        return whole(post)
    # What the macro says of most posts, without the time that it takes to call it.
    language = f' lang="{escape(post.language)}"' if post.language else ""
    content = post.content
    if post.emoji or "<img " in content:
        content = emoji_images.pictured(content, post.emoji, links.emoji, partial(links.shown_in, post))
    return f'<div class="content e-content"{language} dir="auto">{content}</div>'


def _origin(language: str, post: Post) -> str:
    name = escape(text(language, "post.original-on", host=post.account.domain))
    link = f'<a href="{escape(post.url or post.uri)}" rel="nofollow ugc noopener noreferrer">{name}</a>'
    return f'<p class="origin quiet small">{link}</p>'
