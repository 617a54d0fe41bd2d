"""What a page tells machines of itself: search engines, previews of links, feed readers, other servers.

Each kind of page has a function here that makes its `Head`; `templates/head.html` writes it down. What only some may
see, and what stands below a content warning, is in none of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from msgspec import Struct
from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, Attachment, Picture, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.markup.html import excerpt
from fediblog.messages import text
from fediblog.protocol import previews
from fediblog.web.components.page_elements import moment

NOINDEX = "noindex"
DESCRIPTION = 200  # characters
_LABEL = 80  # characters of what a post without a title is called


class Head(Struct, frozen=True, kw_only=True):
    """What stands in the head of one page. Addresses are whole, but for `feed`; times in UTC milliseconds.

    A page of which nothing is said but its title is for no search engine and no preview: forms, the desk, errors.
    """

    title: str = ""  # without that of the site, which follows; of the home alone it is empty
    part: str = ""  # which page of a list, or of the comments
    description: str = ""
    canonical: str = ""
    kind: str = ""  # website, article or profile (`og:type`); without one the page has no card
    picture: Picture | Attachment | None = None
    creator: Account | None = None
    me: str = ""  # the profile of the one whose page this is (rel=me)
    published: int | None = None
    updated: int | None = None
    tags: Sequence[str] = ()
    document: str = ""  # the id of what the page shows, as ActivityPub
    embeddable: bool = False  # oEmbed knows it
    feed: str = ""  # path of its own feeds, without their endings
    robots: str = NOINDEX


def of_home(language: str, urls: Urls, site_title: str, people: Sequence[Account]) -> Head:
    """The head of the home of the blog: where one person writes it, in that one's words."""
    only = people[0] if len(people) == 1 else None
    return Head(
        description=(about(only) if only else "") or text(language, "page.description", site=site_title),
        canonical=f"{urls.origin}/",
        kind="website",
        creator=only,
        me=only.url if only else "",
        robots="",
    )


def of_tag(language: str, urls: Urls, site_title: str, name: str) -> Head:
    """The head of a tag's page."""
    return Head(
        title=f"#{name}",
        description=text(language, "tag.feed-title", tag=name, site=site_title),
        canonical=urls.tag(name),
        kind="website",
        feed=f"/tags/{name}/feed",
        robots="",
    )


def of_account(account: Account, title: str = "", path: str = "") -> Head:
    """The head of an account's profile, or of a list of what it wrote: that has a title and a path below it."""
    name = f"{account.shown_name} (@{account.acct})"
    return Head(
        title=f"{title} – {account.shown_name}" if title else name,
        description=about(account) or name,
        canonical=account.url + path,
        kind="profile",
        picture=account.icon,
        creator=account,
        document="" if title else account.uri,
        feed=f"/@{account.handle}/feed",
        robots="" if account.indexable and (title or account.discoverable) else NOINDEX,
    )


def of_post(language: str, post: Post) -> Head:
    """The head of a post's page. What is not for everybody has a title there, for those who may see it."""
    title = title_of(language, post)
    if post.visibility not in OPEN or post.state != "published":
        return Head(title=title)
    found = post.local and post.account.indexable and post.visibility == Visibility.PUBLIC
    return Head(
        title=title,
        description=previews.words(post, DESCRIPTION) or title,
        canonical=post.url or post.uri,
        kind="article",
        picture=previews.picture(post),
        creator=post.account,
        published=post.published,
        updated=post.updated,
        tags=previews.hashtags(post),
        document=post.uri,
        embeddable=post.local,
        feed=f"/@{post.account.handle}/feed" if post.local else "",
        robots="" if found else NOINDEX,
    )


def title_of(language: str, post: Post) -> str:
    """What the page of a post is called: what it says may be said again, so a warning stands there with its time."""
    if post.title:
        return post.title
    name, line = post.account.shown_name, previews.label(post, _LABEL)
    if line and not previews.warning(post):
        return text(language, "post.title", name=name, words=line)
    words, at = line or text(language, "post.wordless"), moment(language, post.published or 0)
    return text(language, "post.title-at", name=name, words=words, at=at)


def turned(language: str, head: Head, number: int, here: str) -> Head:
    """The head of a further page of a list, at its own address: what it shows moves on, so it is not to be indexed."""
    if number == 1:
        return head
    part = " – ".join(filter(None, (head.part, text(language, "page.number", n=number))))
    return replace(head, part=part, canonical=here, robots=NOINDEX)


def about(account: Account) -> str:
    """What somebody says of themselves, in a line; empty if that is nothing."""
    return excerpt(account.summary, DESCRIPTION)
