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
from fediblog.web.components.page_elements import icon
from fediblog.web.components.page_links import Links

_FREE = InteractionPolicy()
EMOJI = ("❤️", "👍", "😂", "😮", "😢", "🎉", "🤔", "👀")
_CHOICE = "".join(f'<button class="act" name="emoji" value="{each}">{each}</button>' for each in EMOJI)


class Reader(Struct, frozen=True):
    """Who looks at a page: the number of the account that has signed in, if any, and what the forms carry along."""

    links: Links
    account: int | None = None
    fields: str = ""  # hidden ones, up to the place on the page that is shown next
    came_from: str = ""  # the end of an address that leads back there, up to that place
    now: int = 0  # ms, for times that are told by how long ago they were; 0: they are told by their day

    @classmethod
    def at(cls, here: str, links: Links, account: int | None, csrf: str, now: int = 0) -> Reader:
        """The reader of the page with that address."""
        token = f'<input type="hidden" name="csrf" value="{escape(csrf)}">'
        fields = f'{token}<input type="hidden" name="next" value="{escape(here)}#p'
        return cls(links, account, fields, f"&amp;next={quote(here)}%23p", now)


def foot(language: str, post: Post, reader: Reader) -> Markup:
    """What stands below a post."""
    if reader.account is not None and post.state == "published":
        return Markup(_actions(language, post, reader, reader.account))  # noqa: S704  of escaped parts
    return Markup(_totals(language, post, reader.links))  # noqa: S704  built from escaped parts


def _actions(language: str, post: Post, reader: Reader, account: int) -> str:
    fields = f'{reader.fields}{post.id}">\n'
    own, is_open = post.account.id == account, post.visibility in OPEN
    reply = boost = quote = like = react = last = ""
    author = post.account.uri
    policy = post.policy if post.policy is not None and not own else _FREE
    if own or account in post.addressed or not (post.repliable == "nobody" or is_for_nobody(policy.reply, author)):
        answer = f"{_words(language, 'reply', 'post.reply')}{_count(post.comments)}"
        reply = f'  <a class="act reply" href="/write?reply={post.id}{reader.came_from}{post.id}"{answer}</a>\n'
    if is_open and (post.boosted or not is_for_nobody(policy.announce, author)):
        state = ("unboost", " on", "post.unboost") if post.boosted else ("boost", "", "post.boost")
        boost = _form(language, post.id, fields, "boost", state, post.boost_total)
    quotable = is_open and post.quotable != "nobody" and not is_for_nobody(policy.quote, author)
    if quotable or (own and post.visibility != Visibility.DIRECT):
        quote = f'  <a class="act" href="/write?quote={post.id}"{_words(language, "quote", "post.quote")}</a>\n'
    if post.liked or not is_for_nobody(policy.like, author):
        state = ("unlike", " on", "post.unlike") if post.liked else ("like", "", "post.like")
        like = _form(language, post.id, fields, "like", state, post.like_total)
        react = _react(language, post, fields)
    state = ("unbookmark", " on", "post.unbookmark") if post.bookmarked else ("bookmark", "", "post.bookmark")
    keep = _form(language, post.id, fields, "bookmark", state, 0)
    more = _more(language, post, fields, own=own)
    if own:
        last = _own(language, post, fields if is_open else "")
    return f'<footer class="actions">\n{reply}{boost}{quote}{like}{react}{keep}{more}{last}</footer>\n'


def _react(language: str, post: Post, fields: str) -> str:
    """A choice of emoji, folded; the page behind it has those of this server, and takes any other."""
    where, on, back = f"/post/{post.id}/react", "", ""
    if post.reacted:
        on = " on"
        back = f'<button class="act" formaction="/post/{post.id}/unreact">{_word(language, "post.unreact")}</button>'
    return (
        f'  <details class="acts" name="acts"><summary class="act react{on}"{_words(language, "react", "post.react")}'
        f'</summary><form method="post" action="{where}">{fields}{_CHOICE}{back}'
        f'<a class="act" href="{where}">{_word(language, "post.more-emoji")}</a></form></details>\n'
    )


def _more(language: str, post: Post, fields: str, *, own: bool) -> str:
    """What one does less often, folded: about the thread, and about whoever wrote the post."""
    thread = ("unmute", "post.unmute-thread") if post.muted else ("mute", "post.mute-thread")
    about = ""
    if not own:
        author, number = escape(post.account.shown_name), post.account.id
        about = "".join(
            f'<button class="act" formaction="/account/{number}/{does}">{_word(language, f"people.{does}")}'
            f" <bdi>{author}</bdi></button>"
            for does in ("mute", "block")
        )
        about += f'<a class="act" href="/people/{number}/report?post={post.id}">{_word(language, "report.do")}</a>'
    if not own and not post.local:
        where = f'href="{escape(post.url or post.uri)}" rel="nofollow noopener noreferrer"'
        about += f'<a class="act" {where}>{_word(language, "post.original")}</a>'
    return (
        f'  <details class="acts" name="acts"><summary class="act"{_words(language, "more", "post.more")}</summary>'
        f'<form method="post" action="/post/{post.id}/{thread[0]}">{fields}'
        f'<button class="act">{_word(language, thread[1])}</button>{about}</form></details>\n'
    )


@cache
def _word(language: str, key: str) -> str:
    return escape(text(language, key))


def _form(language: str, number: int, fields: str, action: str, state: tuple[str, str, str], count: int) -> str:
    """A button with a drawing; `state` is what it does, the class of what is done already, and the label."""
    does, on, label = state
    button = f'<button class="act {action}{on}"{_words(language, action, label)}{_count(count)}</button>'
    return f'  <form method="post" action="/post/{number}/{does}">{fields}{button}</form>\n\n'


@cache
def _words(language: str, drawing: str, label: str) -> str:
    """The end of a tag with a title, and within it a drawing that stands for the same words."""
    words = escape(text(language, label))
    return f' title="{words}">{icon(drawing)}<span class="hidden">{words}</span>'


def _count(number: int) -> str:
    return f'<span class="count">{number}</span>' if number else ""


def _own(language: str, post: Post, fields: str) -> str:
    """What its author can do; it can be pinned if there are fields for that."""
    pin = ""
    if fields:
        does, label = ("unpin", "post.unpin") if post.pinned else ("pin", "post.pin")
        button = f'<button class="act">{escape(text(language, label))}</button>'
        pin = f'  <form method="post" action="/post/{post.id}/{does}">{fields}{button}</form>\n'
    edit = f'  <a class="act" href="/write/{post.id}">{escape(text(language, "post.edit"))}</a>\n'
    delete = f'  <a class="act" href="/post/{post.id}/delete">{escape(text(language, "post.delete"))}</a>\n'
    return f'  <div class="own">\n{pin}{edit}{delete}  </div>\n'


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
