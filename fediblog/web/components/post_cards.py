"""A post as it is shown in a list of posts: a page is made of nothing else but these."""

from __future__ import annotations

from collections.abc import Callable
from html import escape

from markupsafe import Markup

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.messages import text
from fediblog.protocol.previews import hashtags, hides_pictures
from fediblog.web.components.action_bar import Reader, filtered, foot
from fediblog.web.components.comments import said
from fediblog.web.components.page_elements import byline_of, icon, letter_band_of, named
from fediblog.web.components.page_links import Links
from fediblog.web.components.photos import scaled

Part = Callable[[Post], Markup]
"""One of those macros of the templates that show what few posts have."""


def card(
    language: str, post: Post, reader: Reader, booster: Account | None, abstract: Part, whole: Part, tags: Part
) -> Markup:
    """A post with who wrote it and what a reader can do with it, and who passed it on."""
    links = reader.links
    if post.is_article or (post.title and not post.local):
        content = f"{_headed(post, links)}\n{abstract(post)}"
    else:
        content = said(post, whole, links)
    letter = letter_band_of(language, post)
    kinds = f"{' is-article' if post.is_article else ''}{' letter' if letter else ''}"
    shown = (
        f'<article class="card h-entry{kinds}" id="p{post.id}">\n{letter}'
        f"{_boosted_by(language, booster, links) if booster else ''}"
        f"{_answering(language, post, links) if post.in_reply_to else ''}"
        f"{byline_of(language, post, links, reader.now)}\n{content}\n"
        f"{tags(post) if post.categories or hashtags(post) else ''}{foot(language, post, reader)}</article>"
    )
    return Markup(filtered(language, post, reader, shown))  # noqa: S704  built from escaped parts


def _boosted_by(language: str, account: Account, links: Links) -> str:
    who = f'<a href="{escape(links.account(account))}"><bdi>{named(account, links)}</bdi></a>'
    return f'<p class="why quiet small">{icon("boost")}{who} {escape(text(language, "post.boosted-this"))}</p>\n'


def _answering(language: str, post: Post, links: Links) -> str:
    above = f"/post/{post.parent}" if links.signed_in and post.parent else escape(post.in_reply_to)
    words = escape(text(language, "post.is-answer"))
    link = f'<a class="u-in-reply-to" href="{above}" rel="nofollow">{words}</a>'
    return f'<p class="why quiet small">{icon("reply")}{link}</p>\n'


def _headed(post: Post, links: Links) -> str:
    where, image = escape(links.post(post)), ""
    if post.image and not hides_pictures(post):
        picture = f'<img class="u-featured" {scaled(post.image, links, post, "auto, (min-width: 46em) 42rem, 100vw")}>'
        image = f'\n<a class="card-hero" href="{where}" tabindex="-1">{picture}</a>'
    return f'<h2 class="card-title p-name" dir="auto"><a href="{where}">{escape(post.title)}</a></h2>{image}'
