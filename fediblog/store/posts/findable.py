"""What search engines may list of the whole site: posts for everybody of people who want to be found, and their tags.

Left out is what has a content warning, and what answers somebody: from its thread it is found all the same.
"""

from __future__ import annotations

from msgspec import Struct

from fediblog.store.tx import Tx
from fediblog.store.visible import NOT_WARNED

_FINDABLE = (
    "p.state = 'published' and p.visibility = 'public' and p.in_reply_to = ''"
    f" and {NOT_WARNED}"
    " and a.state = 'active' and a.discoverable = 1 and a.indexable = 1 and a.limited = 0"
)
_CHANGED = "coalesce(p.updated, p.published)"


class Listed(Struct, frozen=True):
    """An address, a hashtag or the slug of a category, and when what is there was last changed (UTC milliseconds)."""

    name: str
    changed: int


def parts(tx: Tx, size: int) -> int:
    """Into how many parts of that size the posts of ours fall: all of them, so that few move to another part."""
    row = tx.one("select count(*) as n from post where local = 1")
    return -(-row.n // size) if row else 0


def part(tx: Tx, number: int, size: int) -> list[Listed]:
    """The pages of the posts that may be listed in one of these parts, counted from 1, oldest first."""
    rows = tx.all(
        f"select p.url, {_CHANGED} as changed from post p join account a on a.id = p.account where p.id in"
        " (select id from post where local = 1 order by id limit :size offset :before)"
        f" and {_FINDABLE} order by p.id",
        before=(number - 1) * size,
        size=size,
    )
    return [Listed(row.url, row.changed) for row in rows]


def tags(tx: Tx, size: int) -> list[Listed]:
    """The hashtags of those that may be listed among the newest `size` posts of ours."""
    rows = tx.all(
        f"select t.tag, max({_CHANGED}) as changed from post p join account a on a.id = p.account"
        " join post_tag t on t.post = p.id where p.id in"
        " (select id from post where local = 1 order by id desc limit :size)"
        f" and {_FINDABLE} group by t.tag order by t.tag",
        size=size,
    )
    return [Listed(row.tag, row.changed) for row in rows]


def categories(tx: Tx) -> list[Listed]:
    """The slugs of the categories under which posts that may be listed are filed."""
    rows = tx.all(
        f"select c.slug, max({_CHANGED}) as changed from post_category f join category c on c.id = f.category"
        " join post p on p.id = f.post join account a on a.id = p.account"
        f" where p.local = 1 and {_FINDABLE} group by c.slug order by c.slug"
    )
    return [Listed(row.slug, row.changed) for row in rows]
