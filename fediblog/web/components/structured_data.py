"""Structured data of pages for search engines: JSON-LD in the words of schema.org.

It is a data block, which browsers neither run nor ask the Content-Security-Policy about (HTML, 4.12.1). No more is told
than what the page shows to everybody.
"""

from __future__ import annotations

from collections.abc import Mapping

from markupsafe import Markup
from msgspec.json import Encoder

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Json
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.protocol import previews
from fediblog.web.components.page_elements import iso

_ENCODER = Encoder()
_ORGANISED = frozenset(("Group", "Organization"))


def blog(urls: Urls, title: str, description: str, language: str, only: Account | None) -> Markup:
    """The blog, with its author if one alone writes it."""
    about: dict[str, Json] = {**_blog(urls, title), "description": description, "inLanguage": language}
    return _block(about | ({"author": _author(only)} if only else {}))


def profile(account: Account, description: str, followers: int, posts: int) -> Markup:
    """An account's page, with how many follow it and how many posts it has written."""
    person = _author(account) | {
        "alternateName": f"@{account.acct}",
        "description": description,
        "interactionStatistic": _count("Follow", followers),
        "agentInteractionStatistic": _count("Write", posts),
    }
    if account.icon:
        person["image"] = account.icon.url
    created = account.published or account.created
    return _block({"@type": "ProfilePage", "dateCreated": iso(created), "mainEntity": person})


def post(urls: Urls, title: str, description: str, site_title: str, shown: Post) -> Markup:
    """A post that everybody may see, and that has no content warning."""
    picture = previews.picture(shown)
    about: dict[str, Json] = {
        "@type": "BlogPosting" if shown.is_article else "SocialMediaPosting",
        "mainEntityOfPage": shown.url,
        "url": shown.url,
        "headline": title,
        "description": description,
        "datePublished": iso(shown.published or 0),
        "dateModified": iso(shown.updated or shown.published or 0),
        "author": _author(shown.account),
        "isPartOf": _blog(urls, site_title),
    }
    more = {
        "image": picture.url if picture else "",
        "inLanguage": shown.language,
        "keywords": shown.hashtags,
        "commentCount": shown.comments,
    }
    return _block(about | {name: value for name, value in more.items() if value})


def _blog(urls: Urls, title: str) -> dict[str, Json]:
    home = f"{urls.origin}/"
    return {"@type": "Blog", "@id": home, "url": home, "name": title}


def _author(account: Account) -> dict[str, Json]:
    kind = "Organization" if account.kind in _ORGANISED else "Person"
    return {"@type": kind, "@id": account.uri, "name": account.shown_name, "url": account.url}


def _count(action: str, number: int) -> dict[str, Json]:
    kind = f"https://schema.org/{action}Action"
    return {"@type": "InteractionCounter", "interactionType": kind, "userInteractionCount": number}


def _block(about: Mapping[str, Json]) -> Markup:
    """The element with a document. Nothing that is written in it ends it: no `<` is left."""
    text = _ENCODER.encode({"@context": "https://schema.org", **about}).decode().replace("<", "\\u003c")
    return Markup(f'<script type="application/ld+json">{text}</script>')  # noqa: S704  no tag can stand in it
