"""Collections and their pages: followers, outboxes, replies, pinned posts."""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.domain.documents import Collection, Json
from fediblog.protocol import json_values
from fediblog.protocol.contexts import in_context, without_context

KINDS = frozenset({"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"})
ITEMS_LIMIT = 1_000


def read_collection(document: Json) -> Collection | None:
    """A collection or a page of one, or None. Items stand in `items` or `orderedItems`, whatever the type says."""
    doc = json_values.fields(document)
    kind = json_values.kind_of(doc, KINDS)
    if not kind:
        return None
    items = [*json_values.listed(doc.get("orderedItems")), *json_values.listed(doc.get("items"))]
    return Collection(
        uri=json_values.url(doc.get("id")),
        kind=kind,
        total=json_values.total(doc.get("totalItems")),
        items=tuple(item for item in items[:ITEMS_LIMIT] if isinstance(item, dict | str)),
        first=_first(doc.get("first")),
        next=json_values.ref(doc.get("next")),
    )


def write_collection(
    uri: str,
    *,
    total: int,
    first: str = "",
    last: str = "",
    items: Sequence[Json] | None = None,
    ordered: bool = True,
    attributed_to: str = "",
) -> dict[str, Json]:
    """A collection: with the address of its first page, with all items, or (a hidden list) with the number alone."""
    doc: dict[str, Json] = {"id": uri, "type": _kind("Collection", ordered), "totalItems": total}
    doc |= _links(attributedTo=attributed_to, first=first, last=last)
    if items is not None:
        doc |= _write_items(items, ordered)
    return in_context(doc)


def write_page(
    uri: str,
    *,
    part_of: str,
    items: Sequence[Json],
    next: str = "",
    prev: str = "",
    total: int | None = None,
    ordered: bool = True,
) -> dict[str, Json]:
    """One page of a collection; one that is only embedded has no `uri`."""
    doc: dict[str, Json] = {"id": uri} if uri else {}
    doc["type"] = _kind("CollectionPage", ordered)
    doc |= _links(partOf=part_of, next=next, prev=prev)
    if total is not None:
        doc["totalItems"] = total
    return in_context(doc | _write_items(items, ordered))


def _first(value: Json) -> Json:
    if isinstance(value, list):
        value = value[0] if value else None
    return value if isinstance(value, dict) else json_values.url(value) or None


def _kind(kind: str, ordered: bool) -> str:
    return f"Ordered{kind}" if ordered else kind


def _links(**links: str) -> dict[str, Json]:
    return {key: value for key, value in links.items() if value}


def _write_items(items: Sequence[Json], ordered: bool) -> dict[str, Json]:
    bare = [without_context(item) if isinstance(item, dict) else item for item in items]
    return {"orderedItems" if ordered else "items": bare}
