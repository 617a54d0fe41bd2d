"""The foot of a post: what a reader who has signed in can do with it, or how often that was done.

A page shows one below each of its posts; as a macro of a template it took longer than all the rest of the page.
"""

from __future__ import annotations

from functools import cache
from html import escape
from urllib.parse import quote

from markupsafe import Markup
from msgspec import Struct

from fediblog.domain.documents import OPEN, InteractionPolicy, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.rules import is_for_nobody
from fediblog.messages import text
from fediblog.store.readers.filter_matching import NOTHING, FilterMatcher
from fediblog.web.components.page_elements import drawings
from fediblog.web.components.page_links import Links

_FREE = InteractionPolicy()
EMOJI = ("❤️", "👍", "😂", "😮", "😢", "🎉")
DRAWINGS = drawings("reply", "boost", "quote", "like", "react", "bookmark", "more")
"""Drawn once on each page for who has signed in; below the posts each is only named."""
_CHOICE = "".join(f'<button name="emoji" value="{each}">{each}</button>' for each in EMOJI)


class Reader(Struct, frozen=True):
    """Who looks at a page: the number of the account that has signed in, if any, and what the forms carry along."""

    links: Links
    account: int | None = None
    fields: str = ""  # hidden ones, up to the place on the page that is shown next
    came_from: str = ""  # the end of an address that leads back there, up to that place
    filters: FilterMatcher = NOTHING
    context: str = ""  # which of them count on this page, one of `store.readers.filters.CONTEXTS`; "": none
    now: int = 0  # ms, for times that are told by how long ago they were; 0: they are told by their day

    @classmethod
    def at(cls, here: str, links: Links, account: int | None, csrf: str, now: int = 0) -> Reader:
        """The reader of the page with that address."""
        token = f'<input type="hidden" name="csrf" value="{escape(csrf)}">'
        fields = f'{token}<input type="hidden" name="next" value="{escape(here)}#p'
        return cls(links, account, fields, f"&amp;next={quote(here)}%23p", now=now)


def filtered(language: str, post: Post, reader: Reader, html: str) -> str:
    """A post as the reader's own filters let it be seen: as it is, folded below a line, or not at all."""
    found = reader.filters.found(post, reader.context) if reader.filters and reader.context else ()
    if not found:
        return html
    if any(each.action == "hide" for each in found):
        return ""
    words = escape(text(language, "filters.hides", title=found[0].title))
    return f'<details class="filtered"><summary>{words}</summary>\n{html}</details>\n'


def foot(language: str, post: Post, reader: Reader) -> Markup:
    """What stands below a post."""
    if reader.account is not None and post.state == "published":
        return Markup(_actions(language, post, reader, reader.account))  # noqa: S704  of escaped parts
    return Markup(_totals(language, post, reader.links))  # noqa: S704  built from escaped parts


def _actions(language: str, post: Post, reader: Reader, account: int) -> str:
    """One form for all that is done with a press: what goes with it weighs as much as ten buttons."""
    own, is_open, number = post.account.id == account, post.visibility in OPEN, post.id
    reply = boost = quote = like = react = ""
    author = post.account.uri
    policy = post.policy if post.policy is not None and not own else _FREE
    if own or account in post.addressed or not (post.repliable == "nobody" or is_for_nobody(policy.reply, author)):
        where = f"/write?reply={number}{reader.came_from}{number}"
        answer = f"{_words(language, 'reply', 'post.reply')}{_count(post.comments)}"
        reply = f'<a class="act reply" href="{where}"{answer}</a>\n'
    if is_open and (post.boosted or not is_for_nobody(policy.announce, author)):
        boost = _button(language, number, "boost", post.boost_total, on=post.boosted)
    quotable = is_open and post.quotable != "nobody" and not is_for_nobody(policy.quote, author)
    if quotable or (own and post.visibility != Visibility.DIRECT):
        quote = f'<a class="act" href="/write?quote={number}"{_words(language, "quote", "post.quote")}</a>\n'
    if post.liked or not is_for_nobody(policy.like, author):
        like = _button(language, number, "like", post.like_total, on=post.liked)
        react = _react(language, post)
    keep = _button(language, number, "bookmark", 0, on=post.bookmarked)
    last = _own(language, post, is_open=is_open) if own else ""
    return (
        f'<footer class="actions">\n<form method="post" action="/post/{number}/react">{reader.fields}{number}">\n'
        f"{reply}{boost}{quote}{like}{react}{keep}{_more(language, post, own=own)}{last}</form></footer>\n"
    )


def _button(language: str, number: int, action: str, count: int, *, on: bool) -> str:
    """A button with a drawing, which takes back what is done already."""
    does, done = (f"un{action}", " on") if on else (action, "")
    words = _words(language, action, f"post.{does}")
    return f'<button class="act {action}{done}" formaction="/post/{number}/{does}"{words}{_count(count)}</button>\n'


def _react(language: str, post: Post) -> str:
    """A choice of emoji, folded; the page behind it has those of this server, and takes any other."""
    on = back = ""
    if post.reacted:
        on = " on"
        back = _word_button(language, f"/post/{post.id}/unreact", "post.unreact")
    return (
        f'<details class="acts" name="acts"><summary class="act react{on}"{_words(language, "react", "post.react")}'
        f'</summary><div>{_CHOICE}{back}<a href="/post/{post.id}/react">'
        f"{_word(language, 'post.more-emoji')}</a></div></details>\n"
    )


def _more(language: str, post: Post, *, own: bool) -> str:
    """What one does less often, folded: about the thread, and about whoever wrote the post."""
    thread = ("unmute", "post.unmute-thread") if post.muted else ("mute", "post.mute-thread")
    about = _word_button(language, f"/post/{post.id}/{thread[0]}", thread[1])
    if not own:
        number, name = post.account.id, f" <bdi>{escape(post.account.shown_name)}</bdi>"
        for does in ("mute", "block"):
            about += _word_button(language, f"/account/{number}/{does}", f"people.{does}", name)
        about += f'<a href="/people/{number}/report?post={post.id}">{_word(language, "report.do")}</a>'
    if not own and not post.local:
        where = f'href="{escape(post.url or post.uri)}" rel="nofollow noopener noreferrer"'
        about += f"<a {where}>{_word(language, 'post.original')}</a>"
    return (
        f'<details class="acts" name="acts"><summary class="act"{_words(language, "more", "post.more")}</summary>'
        f"<div>{about}</div></details>\n"
    )


def _word_button(language: str, where: str, label: str, end: str = "") -> str:
    return f'<button formaction="{where}">{_word(language, label)}{end}</button>'


@cache
def _word(language: str, key: str) -> str:
    return escape(text(language, key))


@cache
def _words(language: str, drawing: str, label: str) -> str:
    """The end of a tag with a title, and within it a drawing that stands for the same words."""
    words = escape(text(language, label))
    shown = f'<svg class="icon" aria-hidden="true"><use href="#draw-{drawing}"/></svg>'
    return f' title="{words}">{shown}<span class="hidden">{words}</span>'


def _count(number: int) -> str:
    return f'<span class="count">{number}</span>' if number else ""


def _own(language: str, post: Post, *, is_open: bool) -> str:
    """What its author can do; what is for everybody can be pinned."""
    pin = ""
    if is_open:
        does = "unpin" if post.pinned else "pin"
        pin = _word_button(language, f"/post/{post.id}/{does}", f"post.{does}")
    edit = f'<a href="/write/{post.id}">{_word(language, "post.edit")}</a>'
    delete = f'<a href="/post/{post.id}/delete">{_word(language, "post.delete")}</a>'
    return f'<div class="own">{pin}{edit}{delete}</div>\n'


def _totals(language: str, post: Post, links: Links) -> str:
    if not (post.comments or post.like_total or post.boost_total):
        return ""
    comments = boosts = likes = ""
    if post.comments:
        words = escape(text(language, "post.comments", n=post.comments))
        comments = f'<a href="{escape(links.post(post))}#comments">{words}</a>'
    if post.boost_total:
        boosts = f"<span>{escape(text(language, 'post.boosts', n=post.boost_total))}</span>"
    if post.like_total:
        likes = f"<span>{escape(text(language, 'post.likes', n=post.like_total))}</span>"
    return f'<p class="totals quiet">\n{comments}{boosts}{likes}</p>\n'
