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
from fediblog.store.queues import events, job_kinds, job_queue
from fediblog.store.readers import announcements, moderation_log
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


def set_emoji_disabled(tx: Tx, urls: Urls, by: int, name: str, *, disabled: bool) -> None:
    """Keep an emoji and neither offer nor show it, or do so again. Raises NotFound."""
    if not custom_emoji.set_disabled(tx, name, disabled=disabled):
        raise NotFound("cli.no-emoji", name=name)
    custom_emoji.show(tx, name, "")
    for each in custom_emoji.by_names(tx, (name,)):
        custom_emoji.show(tx, name, urls.media(each.file))
    moderation_log.note(tx, by, "disable-emoji" if disabled else "enable-emoji", f":{name}:")


def hide_emoji(tx: Tx, urls: Urls, by: int, address: str) -> None:
    """Show an emoji of another server to nobody here: by the address of its picture, there or here. Raises Invalid."""
    url: str | None = address.strip()
    if address.startswith(f"{urls.origin}/media/emoji/"):
        url = urls.copied_emoji(*address.split("/")[-2:])
    if not url or not url.startswith(("https://", "http://")) or urls.owns(url):
        raise Invalid("address", "server.emoji-wrong")
    custom_emoji.hide(tx, url)
    job_queue.add(tx, job_kinds.SWEEP, "hourly")  # at once, for the copy of its picture
    moderation_log.note(tx, by, "hide-emoji", url)


def show_emoji(tx: Tx, by: int, url: str) -> None:
    """Show an emoji of another server again. Raises NotFound."""
    if not custom_emoji.unhide(tx, url):
        raise NotFound
    moderation_log.note(tx, by, "show-emoji", url)


def emoji_in(tx: Tx, urls: Urls, texts: Iterable[str], named: Iterable[str] = ()) -> tuple[Emoji, ...]:
    """Our emoji that these texts name, and those of the names that are there."""
    found = custom_emoji.by_names(tx, list(dict.fromkeys((*named, *emoji_named(*texts))))[:_MOST])
    return tuple(custom_emoji.own_emoji(urls, each) for each in found)
