"""Another origin for a server that nobody elsewhere knows: ids, addresses and handles are rewritten in all tables.

In what people wrote only links to what is here are (`own_links`).
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator
from urllib.parse import quote

from msgspec import Struct
from msgspec.structs import replace

from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.markup.search_words import words_of
from fediblog.protocol.authority import compared_host
from fediblog.store.engine.own_links import TEXTS, OwnLinks, Pieces
from fediblog.store.people import server_state
from fediblog.store.posts import search_index
from fediblog.store.tx import Row, Scalar, Tx

_BATCH = 500  # rows read, and written, at once
_MADE_OF_OTHERS = frozenset({"schema_version", "post_words"})  # the latter is indexed anew
_SQLITE_COLUMNS = """
select t.name as name, c.name as field, lower(c.type) = 'text' as is_text, c.pk > 0 as is_key
from pragma_table_list t join pragma_table_xinfo(t.name) c
where t.schema = 'main' and t.type = 'table' and t.name not like 'sqlite$_%' escape '$' and c.hidden = 0
order by t.name, c.cid"""
_POSTGRES_COLUMNS = """
select c.table_name as name, c.column_name as field, c.data_type = 'text' as is_text,
exists (select 1 from information_schema.table_constraints r join information_schema.key_column_usage k
  on k.constraint_schema = r.constraint_schema and k.constraint_name = r.constraint_name
  where r.constraint_type = 'PRIMARY KEY' and r.table_schema = c.table_schema and r.table_name = c.table_name
  and k.column_name = c.column_name) as is_key
from information_schema.columns c join information_schema.tables t
on t.table_schema = c.table_schema and t.table_name = c.table_name
where c.table_schema = current_schema() and t.table_type = 'BASE TABLE'
order by c.table_name, c.ordinal_position"""

_COLONS = ("://", "%3A%2F%2F", "%3A//", r":\/\/")
_IN_HOST = re.compile(r"(?<!\\)[A-Za-z0-9.-]\Z(?<!%2F)(?<!%40)")  # a line that begins is `\n` in JSON
_ENDS = r"(?![A-Za-z0-9_-]|[.:][A-Za-z0-9])"

# Statements below are put together from names of tables and columns that this database has.


class TextTable(Struct, frozen=True):
    """A table that holds text: its columns of text, those of its primary key, and in SQL which rows are meant."""

    name: str
    texts: list[str]
    keys: list[str]
    rows: str = ""


def check_unknown_elsewhere(tx: Tx, new: Urls) -> None:
    """Raise Refused if another server got something from this one or sent it something: then it knows our ids.

    Also where a server at the new address is known here: its people and posts have ids that would be ours.
    """
    if tx.one("select 1 as yes from outgoing where reached > 0 limit 1"):
        raise Refused("ids-are-known", key="refusal.go-live-delivered")
    if tx.one(
        "select 1 as yes where exists (select 1 from incoming) or exists (select 1 from seen where uri like 'http%')"
        " or exists (select 1 from follow f join account a on a.id = f.follower where a.local = 0)"
    ):
        raise Refused("ids-are-known", key="refusal.go-live-received")
    if tx.one("select 1 as yes from account where local = 0 and host = :host limit 1", host=compared_host(new.host)):
        raise Refused("address-is-known", key="refusal.go-live-known", origin=new.origin)


def change(tx: Tx, old: Urls, new: Urls, pieces: Pieces) -> None:
    """Turn all that is stored under `old` into what it would be under `new`.

    `pieces` tells what is code in what people typed. Raises Refused as `check_unknown_elsewhere` does.
    """
    check_unknown_elsewhere(tx, new)
    tx.run(
        "update account set domain = :new where local = 1 and domain = :old",
        new=new.handle_domain,
        old=old.handle_domain,
    )
    tx.run(  # the server's own actor is called as the handles are
        "update account set name = :new where local = 1 and login is null and name = :old",
        new=new.handle_domain,
        old=old.handle_domain,
    )
    rewritten = rewriter(old, new)
    pattern = f"%{old.host.replace(':', '%')}%"
    handles = f"%{old.handle_domain.replace(':', '%')}%" if new.handle_domain != old.handle_domain else pattern
    links = _own_links(tx, old, new, pieces, rewritten)
    blog = server_state.get(tx, "blog")
    for table in _tables(tx):
        rows, typed = TEXTS.get(table.name, ("", {}))
        _rewrite(
            tx, replace(table, texts=[each for each in table.texts if each not in typed]), rewritten, pattern, handles
        )
        for column in table.texts:
            if how := links.reader(typed.get(column, "words")):
                _rewrite(tx, replace(table, texts=[column], rows=rows), how, pattern, handles)
    if blog:
        server_state.put(tx, "blog", links.json_of(blog, links.source))
    server_state.put(tx, "handle-domain", new.handle_domain)
    _index_anew(tx, old)


def _own_links(tx: Tx, old: Urls, new: Urls, pieces: Pieces, whole: Callable[[str], str]) -> OwnLinks:
    handles = [row.handle for row in tx.all("select handle from account where local = 1 and login is not null")]
    slugs = [row.slug for row in tx.all("select slug from page union select slug from former_page_slug")]
    return OwnLinks(old, new, handles, slugs, pieces, whole)


def rewriter(old: Urls, new: Urls) -> Callable[[str], str]:
    """What writes new origin, handles and host in place of the old ones, as they stand in text, JSON and addresses.

    It looks for the host, which is quick, and then at what stands before it.
    """
    hosts = re.compile(f"({_either(old.host)}){_ENDS}")
    handles = re.compile(f"(@|%40){_either(old.handle_domain)}{_ENDS}")
    are_one = old.handle_domain == old.host
    scheme, _, _ = new.origin.partition("://")

    def renewed(before: str, found: str) -> tuple[str, str]:
        if _IN_HOST.search(before[-3:]):
            return before, found
        encode = quote if "%3A" in found else str
        for colon in _COLONS:
            if before.endswith(f"http{colon}"):
                return f"{before[: -len(colon) - 4]}{scheme}{colon}", encode(new.host)
        return before, encode(new.handle_domain if are_one and before.endswith(("@", "%40")) else new.host)

    def rewritten(text: str) -> str:
        if not are_one:
            text = handles.sub(lambda found: found[1] + new.handle_domain, text)
        pieces = hosts.split(text)  # what stands between hosts, and the hosts
        for at in range(1, len(pieces), 2):
            pieces[at - 1 : at + 1] = renewed(pieces[at - 1], pieces[at])
        return "".join(pieces)

    return rewritten


def _either(host: str) -> str:
    """The pattern of a host, plain or as in an address within an address."""
    return re.escape(host).replace(":", "(?::|%3A)")


def _tables(tx: Tx) -> list[TextTable]:
    found: dict[str, TextTable] = {}
    for row in tx.all(_SQLITE_COLUMNS if tx.engine == "sqlite" else _POSTGRES_COLUMNS):
        table = found.setdefault(row.name, TextTable(row.name, [], []))
        if row.is_text:
            table.texts.append(row.field)
        if row.is_key:
            table.keys.append(row.field)
    return [table for table in found.values() if table.texts and table.name not in _MADE_OF_OTHERS]


def _rewrite(tx: Tx, table: TextTable, rewritten: Callable[[str], str], *patterns: str) -> None:
    size = len(table.keys)
    where = " and ".join(f'"{column}" = :k{index}' for index, column in enumerate(table.keys))
    for rows in _batches(tx, table, patterns):
        changed: dict[tuple[int, ...], list[dict[str, Scalar]]] = {}  # by the columns that do
        for row in rows:
            after = {i: rewritten(value) for i, value in enumerate(list(row)[size:]) if value is not None}
            columns = tuple(i for i, value in after.items() if value != row[size + i])
            values: dict[str, Scalar] = {f"t{i}": after[i] for i in columns}
            changed.setdefault(columns, []).append(values | {f"k{i}": row[i] for i in range(size)})
        changed.pop((), None)
        for columns, values_of_rows in changed.items():
            sets = ", ".join(f'"{table.texts[i]}" = :t{i}' for i in columns)
            tx.many(f'update "{table.name}" set {sets} where {where}', values_of_rows)


def _batches(tx: Tx, table: TextTable, patterns: tuple[str, ...]) -> Iterator[list[Row]]:
    """The rows that may hold the origin, in the order of the primary key, with the key's columns first."""
    names = ", ".join(f'"{column}"' for column in table.keys)
    texts = ", ".join(f'"{column}"' for column in table.texts)
    if not table.texts:
        return
    ours = f" and {table.rows}" if table.rows else ""
    holds = " or ".join(f'"{column}" like :p{i}' for column in table.texts for i in range(len(patterns)))
    given: dict[str, Scalar] = {f"p{index}": pattern for index, pattern in enumerate(patterns)}
    after = ""
    while True:
        rows = tx.all(
            f'select {names}, {texts} from "{table.name}" where ({holds}){ours}{after}'
            f" order by {names} limit {_BATCH:d}",
            **given,
        )
        yield rows
        if len(rows) < _BATCH:
            return
        after = f" and ({names}) > ({', '.join(f':k{index}' for index in range(len(table.keys)))})"
        given |= {f"k{index}": rows[-1][index] for index in range(len(table.keys))}


def _index_anew(tx: Tx, old: Urls) -> None:
    """Index posts again that have the words of the old host in their text."""
    words = f"%{' '.join(words_of(old.host))}%"
    posts = [row.post for row in tx.all("select post from post_words where words like :words", words=words)]
    for start in range(0, len(posts), _BATCH):
        search_index.put(tx, posts[start : start + _BATCH])
