"""What the owner gives all who use the server: announcements, and custom emoji for their posts."""

from __future__ import annotations

import re
from collections.abc import Iterable

from fediblog.domain.documents import Emoji
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, NotFound
from fediblog.markup.text import emoji_named, one_line
from fediblog.prepare.wording import Outdated, Text, Wording
from fediblog.store.posts import custom_emoji
from fediblog.store.queues import events
from fediblog.store.readers import announcements
from fediblog.store.tx import Tx

ANNOUNCEMENT_LIMIT = 5_000  # characters of Markdown
EMOJI_BYTES = 256 * 1024  # of a picture: it is shown many times on a page
CATEGORY_LIMIT = 50
_NAME = re.compile(r"[A-Za-z0-9_]{2,64}\Z")
_MOST = 100  # different emoji of one post


def announcement_texts(source: str) -> tuple[Text, ...]:
    """What `announce` needs rendered. Raises Invalid."""
    if not source.strip() or len(source) > ANNOUNCEMENT_LIMIT:
        raise Invalid("text", "site.announcement-long", n=ANNOUNCEMENT_LIMIT)
    return (Text(source=source, inline_images=False),)


def announce(tx: Tx, urls: Urls, source: str, ends: int | None, wording: Wording) -> int:
    """Tell everybody, until then if that is said. Returns the number. Raises Invalid."""
    if wording.texts != announcement_texts(source):
        raise Outdated
    if ends is not None and ends <= tx.now:
        raise Invalid("until", "site.announcement-past")
    number = announcements.add(tx, wording.words[0].numbered(""), source, ends)
    events.publish(tx, events.ANNOUNCEMENT, item=number)
    return number


def withdraw(tx: Tx, number: int) -> None:
    """Tell it no more. Raises NotFound."""
    if not announcements.remove(tx, number):
        raise NotFound("site.no-announcement", number=number)
    events.publish(tx, events.ANNOUNCEMENT, item=number)


def check_emoji_name(name: str) -> str:
    """The name without colons. Raises Invalid."""
    wanted = name.strip().strip(":")
    if not _NAME.match(wanted):
        raise Invalid("name", "site.emoji-name")
    return wanted


def add_emoji(tx: Tx, urls: Urls, name: str, media: int, category: str) -> None:
    """A picture for `:name:`; an earlier one gives way, also where it is shown already. Raises Invalid."""
    wanted = check_emoji_name(name)
    custom_emoji.put(tx, wanted, media, one_line(category, CATEGORY_LIMIT))
    for each in custom_emoji.by_names(tx, (wanted,)):
        custom_emoji.show(tx, wanted, urls.media(each.file))


def remove_emoji(tx: Tx, name: str) -> None:
    """Show it nowhere any more: posts and profiles that name it show its name. Raises NotFound."""
    if not custom_emoji.remove(tx, name):
        raise NotFound("cli.no-emoji", name=name)
    custom_emoji.show(tx, name, "")


def emoji_in(tx: Tx, urls: Urls, texts: Iterable[str], named: Iterable[str] = ()) -> tuple[Emoji, ...]:
    """Our emoji that these texts name, and those of the names that are there."""
    found = custom_emoji.by_names(tx, list(dict.fromkeys((*named, *emoji_named(*texts))))[:_MOST])
    return tuple(custom_emoji.own_emoji(urls, each) for each in found)
