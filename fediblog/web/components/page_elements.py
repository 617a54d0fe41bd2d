"""The smallest pieces of a page, which it shows by the hundred: pictures of people, icons, times and names.

They are functions and no macros of a template, because calling a macro takes longer than all that they do. They escape
with the standard library, since `Markup` is as slow to make; only what a template gets is one.
"""

from __future__ import annotations

from datetime import UTC, datetime
from functools import lru_cache
from html import escape

from markupsafe import Markup

from fediblog.domain.accounts import Account
from fediblog.domain.documents import OPEN, Visibility
from fediblog.domain.posts import Post, Reaction
from fediblog.messages import text
from fediblog.web.components import emoji_images, time_zone
from fediblog.web.components.page_links import Links

_LAST = 253_402_300_799_000  # the last second of the year 9999
_PATHS = {
    "reply": "M9 15 4 10l5-5M4 10h10a6 6 0 0 1 6 6v3",
    "boost": "m17 2 4 4-4 4M3 11V9a3 3 0 0 1 3-3h15M7 22l-4-4 4-4M21 13v2a3 3 0 0 1-3 3H3",
    "like": "M12 20.5s-8-4.9-8-10.7A4.5 4.5 0 0 1 12 7a4.5 4.5 0 0 1 8 2.8c0 5.8-8 10.7-8 10.7z",
    "followers": "M6 11h12v9H6zM8.5 11V8a3.5 3.5 0 0 1 7 0v3",
    "direct": "M3 6h18v12H3zM3 7l9 6 9-6",
    "unlisted": "M20 14.5A8 8 0 0 1 9.5 4 8 8 0 1 0 20 14.5z",
    "pin": "M9 3h6l-1 7 4 4H6l4-4zM12 14v7",
    "follow": "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8M2 21a7 7 0 0 1 14 0M19 8v6M16 11h6",
    "follow_request": "M9 11a4 4 0 1 0 0-8 4 4 0 0 0 0 8M2 21a7 7 0 0 1 14 0M19 8v6M16 11h6",
    "mention": "M16 12a4 4 0 1 0-8 0 4 4 0 0 0 8 0m0 0v1.5a2.5 2.5 0 0 0 5 0V12a9 9 0 1 0-4 7.5",
    "move": "M5 12h14M13 6l6 6-6 6",
    "menu": "M4 7h16M4 12h16M4 17h16",
    "search": "M11 4a7 7 0 1 0 0 14 7 7 0 0 0 0-14zM16 16l5 5",
    "check": "M5 12l5 5 9-10",
    "home": "M4 11l8-7 8 7v9h-6v-6h-4v6H4z",
    "notices": "M6 17V11a6 6 0 0 1 12 0v6l2 1H4zM10 21h4",
    "people": "M9 11a3 3 0 1 0 0-6 3 3 0 0 0 0 6zM3 19c0-7 12-7 12 0M16 5.500a3 3 0 0 1 0 5M18 14c2 .6 3 2.500 3 5",
    "bookmark": "M5 4h14v16l-7-4-7 4z",
    "picture": "M4 5h16v14H4zM4 16l5-5 4 4 3-3 4 4M15 9h.01",
    "write": "M4 20l1-5L16 4l4 4L9 19z",
    "world": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM3 12h18M12 3c5 5 5 13 0 18-5-5-5-13 0-18",
    "shield": "M12 3l8 3v6c0 5-4 8-8 9-4-1-8-4-8-9V6z",
    "down": "M6 9l6 6 6-6",
    "clock": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM12 7v5l3 2",
    "heading": "M7 5v14M17 5v14M7 12h10",
    "link": "M10 14a4 4 0 0 0 6 0l3-3a4 4 0 0 0-6-6l-1 1M14 10a4 4 0 0 0-6 0l-3 3a4 4 0 0 0 6 6l1-1",
    "list": "M9 6h11M9 12h11M9 18h11M4 6h.01M4 12h.01M4 18h.01",
    "table": "M4 5h16v14H4zM4 10h16M10 5v14",
    "code": "M9 7l-5 5 5 5M15 7l5 5-5 5",
    "react": "M12 3a9 9 0 1 0 0 18 9 9 0 0 0 0-18zM8 14c1.500 3 6.500 3 8 0M9 9.500v.5M15 9.500v.5",
    "more": "M5 12h.01M12 12h.01M19 12h.01",
    "quote": "M10 7H5v6h4c0 2-1 3-3 4M20 7h-5v6h4c0 2-1 3-3 4",
}
_ICON = (
    '<svg class="icon" viewBox="0 0 24 24" fill="none" stroke="currentColor" stroke-width="1.8" stroke-linecap="round"'
    ' stroke-linejoin="round" aria-hidden="true"><path d="%s"/></svg>'
)
_PICTURE = '<img class="avatar %s u-photo" src="%s" alt="" width="48" height="48" loading="lazy" decoding="async">'
_INITIAL = '<span class="avatar %s hue-%d" aria-hidden="true">%s</span>'


def icon(name: str) -> Markup:
    """A small drawing; one that we have not is an arrow."""
    return Markup(_ICON % _PATHS.get(name, _PATHS["move"]))  # noqa: S704  made of our own words


def drawings(*names: str) -> Markup:
    """Small drawings that a page has once and shows wherever it names `#draw-<name>`."""
    shown = "".join(
        f'<symbol id="draw-{each}" viewBox="0 0 24 24"><path d="{_PATHS[each]}"/></symbol>' for each in names
    )
    return Markup(f'<svg hidden aria-hidden="true">{shown}</svg>')  # noqa: S704  made of our own words


def avatar(account: Account, links: Links, size: str = "") -> Markup:
    """An account's picture, or its initial."""
    shown = _avatar(account.id, _icon(account, links, size), account.shown_name, size)
    return Markup(shown)  # noqa: S704  built from escaped parts


def _icon(account: Account, links: Links, size: str = "") -> str:
    """Where its picture is loaded from; '' if it has none."""
    return links.shown(account, account.icon.url, "" if size == "large" else "small") if account.icon else ""


def _avatar(number: int, icon: str, name: str, size: str = "") -> str:
    if icon:
        return _PICTURE % (size, escape(icon))
    return _INITIAL % (size, number % 8, escape(name[:1].upper()))


def reaction(each: Reaction, links: Links) -> Markup:
    """The emoji that somebody set beside a post."""
    name = escape(each.content)
    if not each.image.startswith(("https://", "http://")):
        return Markup(f'<span class="reaction">{name}</span>')  # noqa: S704  escaped
    here = escape(links.emoji(each.image))
    return Markup(  # noqa: S704  of escaped parts
        f'<img class="emoji reaction" src="{here}" alt="{name}" title="{name}" loading="lazy" decoding="async">'
    )


def portrait(account: Account, links: Links) -> Markup:
    """An account's picture alone, as a link to it."""
    name = escape(account.shown_name)
    shown = (
        f'<a class="h-card" href="{escape(links.account(account))}" title="{name}">{avatar(account, links, "small")}'
        f'<span class="hidden">{name}</span></a>'
    )
    return Markup(shown)  # noqa: S704  built from escaped parts


def face(account: Account, links: Links) -> Markup:
    """An account's picture, name and handle, as they stand in the link to it."""
    picture, name = _icon(account, links), account.shown_name
    return _face(account.id, picture, named(account, links) if account.emoji else escape(name), name[:1], account.acct)


@lru_cache(maxsize=2048)
def _face(number: int, picture: str, name: str, initial: str, acct: str) -> Markup:
    """`name` is HTML."""
    shown = (
        f'{_avatar(number, picture, initial)}<span class="person-names"><bdi class="p-name name">'
        f'{name}</bdi> <bdi class="acct quiet" dir="ltr">@{escape(acct)}</bdi></span>'
    )
    return Markup(shown)  # noqa: S704  built from escaped parts


def byline(language: str, post: Post, links: Links) -> Markup:
    """Who wrote a post and when, above its text."""
    return Markup(byline_of(language, post, links))  # noqa: S704  built from escaped parts


def byline_of(language: str, post: Post, links: Links, now: int = 0) -> str:
    """Who wrote a post and when, as a plain string of HTML: for what is put together outside of a template.

    With `now` (ms) a post of the last day says how long ago that was.
    """
    account = post.account
    marks = _mark("pin", text(language, "post.pinned")) if post.pinned else ""
    if post.visibility is Visibility.UNLISTED:
        marks += _mark(post.visibility, text(language, f"visibility.{post.visibility}"))
    marks += audience_of(language, post) if post.visibility is not Visibility.DIRECT or not now else ""
    written = ago(language, post.published, now) if now and post.published else when(language, post.published)
    return (
        f'<header class="byline">\n<a class="p-author h-card person" href="{escape(links.account(account))}">'
        f'{face(account, links)}</a>\n<span class="meta quiet">{marks}'
        f'<a class="u-url" href="{escape(links.post(post))}">{written}</a></span>\n</header>'
    )


def audience_of(language: str, post: Post) -> str:
    """In plain words that a post is not for everybody; nothing where it is."""
    if post.visibility in OPEN:
        return ""
    words = escape(text(language, f"visibility.{post.visibility}"))
    return f'<span class="chip private">{icon(post.visibility)}{words}</span>\n'


def audience(language: str, post: Post) -> Markup:
    """In plain words that a post is not for everybody, as a template shows it; nothing where it is."""
    return Markup(audience_of(language, post))  # noqa: S704  of escaped parts


def letter_band_of(language: str, post: Post) -> str:
    """What stands at the head of a private post: that it is one, and who can read it; nothing above any other."""
    if post.visibility is not Visibility.DIRECT:
        return ""
    words = f"{text(language, f'visibility.{post.visibility}')}: {', '.join(readers(post))}"
    return f'<p class="letter-top">{icon(post.visibility)}<span>{escape(words)}</span></p>\n'


def letter_band(language: str, post: Post) -> Markup:
    """The same, as a template shows it."""
    return Markup(letter_band_of(language, post))  # noqa: S704  of escaped parts


def readers(post: Post) -> list[str]:
    """The handles of all who can read a private post, its author first."""
    return list(dict.fromkeys([f"@{post.account.acct}", *(each.name for each in post.mentions if each.name)]))


def _mark(name: str, label: str) -> str:
    return (
        f'<span class="sign" title="{escape(label)}">{icon(name)}<span class="hidden">{escape(label)}</span></span>\n'
    )


def named(account: Account, links: Links) -> Markup:
    """An account's name."""
    return emoji_images.named(account.shown_name, account.emoji, links.emoji)


def when(language: str, ms: int | None, kind: str = "dt-published") -> Markup:
    """A day, with the time for those who look closer and for programs; `kind` is the word of microformats."""
    return _when(language, ms or 0, kind, time_zone.chosen())


@lru_cache(maxsize=1024)
def _when(language: str, ms: int, kind: str, _zone: str) -> Markup:
    shown = (
        f'<time class="{kind}" data-day datetime="{iso(ms)}" title="{moment(language, ms)}">{day(language, ms)}</time>'
    )
    return Markup(shown)  # noqa: S704  made of our own words and numbers


def clock(language: str, ms: int) -> Markup:
    """The time of day of something lately; scripts show it in the reader's own zone."""
    at = _at(ms).strftime("%H:%M")
    shown = f'<time datetime="{iso(ms)}" title="{moment(language, ms)}" data-clock>{at}</time>'
    return Markup(shown)  # noqa: S704  made of our own words and numbers


def ago(language: str, ms: int, now: int, kind: str = "dt-published") -> Markup:
    """How long ago that was, within a day; else the day, with its year where that is not this one."""
    minutes = (now - ms) // 60_000
    year = _local(now).year
    return _ago(language, ms, minutes if minutes < 60 else minutes // 60 * 60, year, kind, time_zone.chosen())


@lru_cache(maxsize=4096)
def _ago(language: str, ms: int, minutes: int, year: int, kind: str, _zone: str) -> Markup:
    at = _local(ms)
    if 0 <= minutes < 60:
        words = text(language, "date.minutes", n=max(minutes, 1))
    elif 0 <= minutes < 1440:
        words = text(language, "date.hours", n=minutes // 60)
    elif at.year == year:
        words = text(language, "date.day-of-year", day=at.day, month=text(language, f"month.{at.month}"))
    else:
        words = _day(language, at)
    kinds = f'class="{kind}" ' if kind else ""
    shown = f'<time {kinds}data-ago datetime="{iso(ms)}" title="{moment(language, ms)}">{words}</time>'
    return Markup(shown)  # noqa: S704  made of our own words and numbers


def iso(ms: int) -> str:
    """A time for programs."""
    return _at(ms).strftime("%Y-%m-%dT%H:%M:%SZ")


def day(language: str, ms: int) -> str:
    """A day for people, as it is in the blog's time zone."""
    return _day(language, _local(ms))


def moment(language: str, ms: int) -> str:
    """A day and time for people, in the blog's time zone, which it names."""
    at = _local(ms)
    return text(language, "date.moment", day=_day(language, at), time=at.strftime("%H:%M"), zone=at.tzname())


def at(language: str, ms: int, kind: str = "") -> Markup:
    """The same as a time for programs; scripts show it in the reader's own zone. `kind` is a word of microformats."""
    kinds = f'class="{kind}" ' if kind else ""
    return Markup(f'<time {kinds}data-moment datetime="{iso(ms)}">{moment(language, ms)}</time>')  # noqa: S704  our own


def _at(ms: int) -> datetime:
    # What a remote server claims may lie outside of what a calendar knows.
    return datetime.fromtimestamp(min(max(ms, 0), _LAST) // 1000, UTC)


def _local(ms: int) -> datetime:
    try:
        return _at(ms).astimezone(time_zone.current())
    except OverflowError:  # beyond the calendar
        return _at(ms)


def _day(language: str, at: datetime) -> str:
    return text(language, "date.day", day=at.day, month=text(language, f"month.{at.month}"), year=at.year)


def month(language: str, name: str) -> str:
    """2025/06 as June 2025."""
    year, _, number = name.partition("/")
    return text(language, "date.month", month=text(language, f"month-alone.{int(number)}"), year=year)
