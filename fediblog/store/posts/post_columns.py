"""The columns of the table `post`, once: what stands in each, how it is stored, and who says so.

Insert, update and what makes a post of a row follow from `FIELDS`; they are compiled when this module is imported,
since posts are made by the hundred. A new column is a field here, beside its migration and the attribute of its value.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from operator import attrgetter
from typing import Any, Literal

from msgspec import Struct

from fediblog.domain.documents import Note, Picture, Source, Visibility
from fediblog.domain.posts import Post
from fediblog.store import json_columns
from fediblog.store.tx import Scalar

Values = dict[str, Any]
"""What a statement stores, by the name of the column."""


class Placement(Struct, frozen=True, kw_only=True):
    """What our own side decides about a post beside the note itself.

    `month` is YYYY/MM of an article's address, `guest` the number of who wrote it, if that is no actor, `cleaner` the
    version of the sanitiser that its HTML has passed: a column, by which posts can be found that an older one cleaned.
    """

    visibility: Visibility
    guest: int | None = None
    state: str = "published"
    slug: str = ""
    month: str = ""
    scheduled: int | None = None
    cleaner: int = 0
    quotable: str = "public"
    repliable: str = "public"
    app_name: str = ""
    app_website: str = ""


class Field(Struct, frozen=True):
    """An attribute of a post (or of its placement) in one or more columns, by default in one of the same name.

    `said_by` is whose attribute of that name is stored: the note's, the placement's, or an argument of the statement.
    Nothing: it has a statement of its own. An edit stores it anew only if it is `edited`. `read` takes the values of
    its columns, `write` gives them: one value, or a tuple. `unset` is what is stored of an attribute that says nothing;
    then neither is called.
    """

    name: str
    said_by: Literal["note", "placement", "argument", ""] = "note"
    columns: tuple[str, ...] = ()
    edited: bool = True
    read: Callable[..., Any] | None = None
    write: Callable[[Any], Any] | None = None
    unset: tuple[Scalar, ...] = ()

    @property
    def stored_in(self) -> tuple[str, ...]:
        """The names of its columns."""
        return self.columns or (self.name,)


_VISIBILITIES = {each.value: each for each in Visibility}


def _picture(url: str, alt: str, caption: str, preview: str, width: int | None, height: int | None) -> Picture:
    return Picture(url=url, alt=alt, caption=caption, preview=preview, width=width, height=height)


def _source(content: str, media_type: str) -> Source:
    return Source(content=content, media_type=media_type)


FIELDS = (
    Field("id", "argument", edited=False),
    Field("account", "argument", edited=False),
    Field("guest", "placement", edited=False),
    Field("local", "argument", edited=False, read=bool),
    Field("uri", edited=False),
    Field("url"),
    Field("kind"),
    Field("state", "placement"),
    Field("visibility", "placement", read=_VISIBILITIES.__getitem__, write=attrgetter("value")),
    Field("title"),
    Field("slug", "placement"),
    Field("summary"),
    Field("warning"),
    Field("content"),
    Field("source", columns=("source", "source_type"), read=_source, write=attrgetter("content", "media_type"),
          unset=(None, "")),
    Field("reading_time"),
    Field("language"),
    Field("sensitive", read=bool, write=int),
    Field("in_reply_to", edited=False),
    Field("parent", "argument", edited=False),
    Field("root", "argument", edited=False),
    Field("context"),
    Field("conversation"),
    Field("quote"),
    Field("to", columns=("to_list",), read=json_columns.strings, write=json_columns.text_of),
    Field("cc", columns=("cc_list",), read=json_columns.strings, write=json_columns.text_of),
    Field("emoji", read=json_columns.emoji_from, write=json_columns.emoji_text, unset=("[]",)),
    Field("image", columns=("image", "image_alt", "image_caption", "image_preview", "image_width", "image_height"),
          read=_picture, write=attrgetter("url", "alt", "caption", "preview", "width", "height"),
          unset=("", "", "", "", None, None)),
    Field("poll", read=json_columns.poll_from, write=json_columns.poll_text, unset=(None,)),
    Field("happening", read=json_columns.happening_from, write=json_columns.happening_text, unset=(None,)),
    Field("replies", columns=("replies_uri",)),
    Field("likes", columns=("likes_uri",)),
    Field("shares", columns=("shares_uri",)),
    Field("reply_count", columns=("replies_told",)),
    Field("like_count", columns=("likes_told",)),
    Field("share_count", columns=("boosts_told",)),
    Field("published", "argument"),
    Field("updated"),
    Field("received", "argument", edited=False),
    Field("scheduled", "placement"),
    Field("month", "placement"),
    Field("cleaner", "placement"),
    Field("policy", read=json_columns.policy_from, write=json_columns.policy_text, unset=("",)),
    Field("quotable", "placement"),
    Field("repliable", "placement"),
    Field("app_name", "placement", edited=False),
    Field("app_website", "placement", edited=False),
    Field("pinned", ""),
    Field("judged_by", ""),
    Field("judged_at", ""),
    Field("completed", ""),
)  # fmt: skip


def _columns(*, edited: bool) -> Iterator[str]:
    for each in FIELDS:
        if each.said_by and (each.edited or not edited):
            yield from each.stored_in


INSERT = (
    f"insert into post ({', '.join(_columns(edited=False))})"
    f" values ({', '.join(f':{name}' for name in _columns(edited=False))})"
)
UPDATE = f"update post set {', '.join(f'{name} = :{name}' for name in _columns(edited=True))} where id = :id"


def reader(*beside: str) -> Callable[..., Post]:
    """What makes a post of a row of the table (`p.*`), and of the attributes `beside`, which are no columns of it."""
    defaults = dict(zip(reversed(Post.__struct_fields__), reversed(Post.__struct_defaults__), strict=False))
    scope: dict[str, Any] = {"Post": Post}
    values = []
    for each in FIELDS:
        if each.name in Post.__struct_fields__ and each.name not in beside:
            scope |= {f"read_{each.name}": each.read, f"default_{each.name}": defaults.get(each.name)}
            values.append(f"{each.name}={_reading(each)}")
    values += [f"{name}={name}" for name in beside]
    return _compiled(f"row, {', '.join(beside)}", f"return Post({', '.join(values)})", scope)


def _reading(each: Field) -> str:
    values = ", ".join(f"row.{name}" for name in each.stored_in)
    if each.read is None:
        return values
    read = f"read_{each.name}({values})"
    if not each.unset:
        return read
    first, unset = f"row.{each.stored_in[0]}", each.unset[0]
    is_unset = f"{first} is None" if unset is None else f"{first} == {unset!r}"
    return f"default_{each.name} if {is_unset} else {read}"


def _writer(*, edited: bool) -> Callable[[Note, Placement], Values]:
    """What gives the values of all columns that the note and its placement say, for an insert or for an edit."""
    scope: dict[str, Any] = {}
    lines, values = [], []
    for each in FIELDS:
        if each.said_by not in ("note", "placement") or (edited and not each.edited):
            continue
        value = f"{each.said_by}.{each.name}"
        if each.write is not None:
            scope[f"write_{each.name}"] = each.write
            written = f"write_{each.name}({value})"
            if each.unset:
                unset = each.unset if len(each.unset) > 1 else each.unset[0]
                written += f" if {value} else {unset!r}"
            value = each.name
            lines.append(f"{value} = {written}")
        several = len(each.stored_in) > 1
        values += [f"{name!r}: {value}{f'[{n}]' if several else ''}" for n, name in enumerate(each.stored_in)]
    return _compiled("note, placement", "\n    ".join([*lines, f"return {{{', '.join(values)}}}"]), scope)


def _compiled(arguments: str, body: str, scope: dict[str, Any]) -> Callable[..., Any]:
    """A function made of names in `FIELDS` and of nothing else."""
    exec(f"def made({arguments}):\n    {body}", scope)  # noqa: S102
    function: Callable[..., Any] = scope["made"]
    return function


inserted = _writer(edited=False)
"""(note, placement) -> what an insert stores of them."""
edited = _writer(edited=True)
"""(note, placement) -> what an edit stores of them."""
