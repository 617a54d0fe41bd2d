"""What a page tells machines of itself: search engines, previews of links, feed readers, other servers.

Each kind of page has a function here that makes its `Head`; `templates/head.html` writes it down. What only some may
see, and what stands below a content warning, is in none of them.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup
from msgspec import Struct
from msgspec.structs import replace
from starlette.requests import Request

from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, Attachment, Picture, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.markup.html import excerpt
from fediblog.messages import text
from fediblog.protocol import previews
from fediblog.web.components import structured_data
from fediblog.web.components.page_elements import moment
from fediblog.web.languages import language_of
from fediblog.web.negotiation import site_of

NOINDEX = "noindex"
DESCRIPTION = 200  # characters
_LABEL = 80  # characters of what a post without a title is called


class PageContext(Struct, frozen=True):
    """What is shown at `address` (whole), in which language, on which site."""

    language: str
    urls: Urls
    site_title: str
    tagline: str
    address: str


class Head(Struct, frozen=True, kw_only=True):
    """What stands in the head of one page. Addresses are whole, but for feeds; times in UTC milliseconds.

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
    comments: str = ""  # and of those of the comments below it
    data: Markup = Markup()
    robots: str = NOINDEX


def context(request: Request) -> PageContext:
    """That of the page that a request asks for."""
    site = site_of(request)
    address = f"{site.urls.origin}{request.url.path}" + (f"?{request.url.query}" if request.url.query else "")
    return PageContext(language_of(request), site.urls, site.title, site.blog.tagline, address)


def of_home(at: PageContext, people: Sequence[Account]) -> Head:
    """The head of the home of the blog, in the words of its tagline, or of the one person who writes it."""
    only = people[0] if len(people) == 1 else None
    description = (
        at.tagline or (about(only) if only else "") or text(at.language, "page.description", site=at.site_title)
    )
    return Head(
        description=description,
        canonical=f"{at.urls.origin}/",
        kind="website",
        creator=only,
        me=only.url if only else "",
        data=structured_data.blog(
            at.urls, at.site_title, description, at.language, only if only and only.is_findable else None
        ),
        robots="",
    )


def of_tag(at: PageContext, name: str) -> Head:
    """The head of a tag's page."""
    return Head(
        title=f"#{name}",
        description=text(at.language, "tag.feed-title", tag=name, site=at.site_title),
        canonical=at.urls.tag(name),
        kind="website",
        feed=f"/tags/{name}/feed",
        robots="",
    )


def of_site_page(at: PageContext, title: str, path: str, description: str = "", feed: str = "") -> Head:
    """The head of what belongs to the whole site, such as a category, at that path, with its feeds if it has some."""
    return Head(
        title=title,
        description=description or f"{title} – {at.site_title}",
        canonical=f"{at.urls.origin}{path}",
        kind="website",
        feed=feed,
        robots="",
    )


def of_profile(account: Account, followers: int, posts: int) -> Head:
    """The head of an account's profile."""
    name = f"{account.shown_name} (@{account.acct})"
    head, found = of_list(account, "", ""), account.is_findable
    data = structured_data.profile(account, head.description, followers, posts) if found else Markup()
    return replace(head, title=name, document=account.uri, data=data)


def of_list(account: Account, title: str, path: str) -> Head:
    """The head of a list of what an account wrote, at a path below its profile."""
    return Head(
        title=f"{title} – {account.shown_name}",
        description=about(account) or f"{account.shown_name} (@{account.acct})",
        canonical=account.url + path,
        kind="profile",
        picture=account.icon,
        creator=account,
        feed=f"/@{account.handle}/feed",
        robots="" if account.is_findable else NOINDEX,
    )


def of_post(at: PageContext, post: Post) -> Head:
    """The head of a post's page. What is not for everybody has a title there, for those who may see it."""
    title = title_of(at.language, post)
    if post.visibility not in OPEN or post.state != "published":
        return Head(title=title)
    description = previews.words(post, DESCRIPTION) or title
    found = post.local and post.account.is_findable and post.visibility == Visibility.PUBLIC
    told = found and not previews.warning(post)
    return Head(
        title=title,
        description=description,
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
        comments=comments_path(post) if post.local else "",
        data=structured_data.post(at.urls, title, description, at.site_title, post) if told else Markup(),
        robots="" if found else NOINDEX,
    )


def comments_path(post: Post) -> str:
    """The path of the feeds of the comments below a post of ours, without their endings."""
    return f"/@{post.account.handle}/{post.id}/feed"


def title_of(language: str, post: Post) -> str:
    """What the page of a post is called: what it says may be said again, so a warning stands there with its time."""
    if post.title:
        return post.title
    name, line = post.account.shown_name, previews.label(post, _LABEL)
    if line and not previews.warning(post):
        return text(language, "post.title", name=name, words=line)
    words, at = line or text(language, "post.wordless"), moment(language, post.published or 0)
    return text(language, "post.title-at", name=name, words=words, at=at)


def turned(at: PageContext, head: Head, number: int) -> Head:
    """The head of a further page of a list, at its own address: what it shows moves on, so it is not to be indexed."""
    if number == 1:
        return head
    part = " – ".join(filter(None, (head.part, text(at.language, "page.number", n=number))))
    return replace(head, part=part, canonical=at.address, data=Markup(), robots=NOINDEX)


def about(account: Account) -> str:
    """What somebody says of themselves, in a line; empty if that is nothing."""
    return account.headline or excerpt(account.summary, DESCRIPTION)
