"""Custom emoji of this server: pictures that stand in posts where `:name:` is written."""

from __future__ import annotations

from collections.abc import Collection

from msgspec import Struct
from msgspec.structs import replace

from fediblog.domain.documents import Emoji
from fediblog.domain.urls import Urls
from fediblog.store.json_columns import emoji_from, emoji_text
from fediblog.store.tx import Row, Tx

MOST = 2_000
_CHOSEN = (
    "select e.name, e.category, e.disabled, m.file, m.small, m.created from custom_emoji e"
    " join media m on m.id = e.media"
)

_IN_POSTS = "select id, emoji from post where local = 1 and emoji <> '[]' and emoji like :named"
_SET_IN_POST = "update post set emoji = :emoji where id = :id"
_IN_PROFILES = "select id, emoji from account where local = 1 and emoji <> '[]' and emoji like :named"
_SET_IN_PROFILE = "update account set emoji = :emoji where id = :id"


class OwnEmoji(Struct, frozen=True, kw_only=True):
    """One of them; `file` is a name in the media folder, `still` that of a copy that does not move.

    `updated` (ms) is when the picture came.
    """

    name: str
    file: str
    still: str
    updated: int
    category: str = ""
    disabled: bool = False  # kept, and neither offered nor shown


def own_emoji(urls: Urls, own: OwnEmoji) -> Emoji:
    """An emoji of ours as documents show it."""
    return Emoji(name=own.name, url=urls.media(own.file), uri=urls.emoji(own.name), updated=own.updated)


def everything(tx: Tx) -> list[OwnEmoji]:
    """All of them, by category and name."""
    return [_emoji(row) for row in tx.all(f"{_CHOSEN} order by e.category, e.name limit :most", most=MOST)]


def offered(tx: Tx) -> list[OwnEmoji]:
    """Those that may be used."""
    return [each for each in everything(tx) if not each.disabled]


def by_names(tx: Tx, names: Collection[str]) -> list[OwnEmoji]:
    """Those of these names that may be used, by name; an emoji's name is known by its exact spelling."""
    if not names:
        return []
    asked = f"{_CHOSEN} where e.name in (:names) and e.disabled = 0 order by e.name"
    return [_emoji(row) for row in tx.all(asked, names=sorted(names))]


def set_disabled(tx: Tx, name: str, *, disabled: bool) -> bool:
    """Offer and show it no more, or again; False if there is none of that name."""
    changed = "update custom_emoji set disabled = :disabled where name = :name"
    return tx.run(changed, name=name, disabled=int(disabled)) > 0


def hide(tx: Tx, url: str) -> None:
    """Show the picture of an emoji of another server to nobody here."""
    tx.run("insert into hidden_emoji (url, created) values (:url, :now) on conflict do nothing", url=url, now=tx.now)


def unhide(tx: Tx, url: str) -> bool:
    """Show it again; False if it was not hidden."""
    return tx.run("delete from hidden_emoji where url = :url", url=url) > 0


def hidden(tx: Tx) -> list[str]:
    """The addresses of those that are hidden."""
    return [row.url for row in tx.all("select url from hidden_emoji order by url limit :most", most=MOST)]


def put(tx: Tx, name: str, media: int, category: str) -> None:
    """A picture for a name, in place of an earlier one."""
    tx.run(
        "insert into custom_emoji (name, media, category, created) values (:name, :media, :category, :now)"
        " on conflict (name) do update set media = excluded.media, category = excluded.category, disabled = 0",
        name=name,
        media=media,
        category=category,
        now=tx.now,
    )


def remove(tx: Tx, name: str) -> bool:
    """Take it away; False if there was none of that name. Its picture is swept later."""
    return tx.run("delete from custom_emoji where name = :name", name=name) > 0


def show(tx: Tx, name: str, url: str) -> None:
    """Have all that is ours and names the emoji show it with that picture; with none if `url` is empty."""
    for chosen, change in ((_IN_POSTS, _SET_IN_POST), (_IN_PROFILES, _SET_IN_PROFILE)):
        rows = tx.all(chosen, named=f'%"{name}"%')
        tx.many(change, [{"id": row.id, "emoji": _with_picture(row.emoji, name, url)} for row in rows])


def _with_picture(stored: str, name: str, url: str) -> str:
    return emoji_text([replace(each, url=url) if each.name == name else each for each in emoji_from(stored)])


def _emoji(row: Row) -> OwnEmoji:
    return OwnEmoji(
        name=row.name,
        file=row.file,
        still=row.small or row.file,
        updated=row.created,
        category=row.category,
        disabled=bool(row.disabled),
    )
