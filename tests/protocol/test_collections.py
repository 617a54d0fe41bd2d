"""Collections and pages, in the shapes that servers send."""

from __future__ import annotations

import json

import pytest
from hypothesis import given

from fediblog.domain.documents import Collection, Json
from fediblog.protocol.collections import read_collection, write_collection, write_page
from tests.protocol.generated import anything

URI = "https://a.example/outbox"
PAGE = f"{URI}?page=1"


@given(anything)
def test_reading_never_raises(value: Json) -> None:
    read_collection(value)
    read_collection({"type": "Collection", "items": value, "first": value, "next": value})


@pytest.mark.parametrize(
    ("document", "found"),
    [
        ({"type": "Collection"}, Collection()),
        ({"type": "Collection", "id": URI, "totalItems": 3, "first": PAGE},
         Collection(uri=URI, total=3, first=PAGE)),
        ({"type": "Collection", "first": [PAGE]}, Collection(first=PAGE)),
        ({"type": "Collection", "first": {"type": "CollectionPage", "items": []}},
         Collection(first={"type": "CollectionPage", "items": []})),
        ({"type": "Collection", "first": "nonsense", "totalItems": -1}, Collection()),
        ({"type": "Collection", "items": URI}, Collection(items=(URI,))),
        ({"type": "Collection", "orderedItems": [URI, {"id": PAGE}, None, 4]}, Collection(items=(URI, {"id": PAGE}))),
        ({"type": "OrderedCollectionPage", "items": [URI], "next": {"id": PAGE}},
         Collection(kind="OrderedCollectionPage", items=(URI,), next=PAGE)),
    ],
)  # fmt: skip
def test_shapes(document: Json, found: Collection) -> None:
    assert read_collection(document) == found


def test_what_is_no_collection() -> None:
    assert read_collection({"type": "Note", "items": []}) is None
    assert read_collection(None) is None


def test_items_are_capped() -> None:
    collection = read_collection({"type": "Collection", "items": [URI] * 5000})
    assert collection is not None
    assert len(collection.items) == 1000


def test_we_read_what_we_write() -> None:
    written = write_collection(URI, total=7, first=PAGE, last=f"{URI}?page=2", attributed_to="https://a.example/me")
    assert read_collection(json.loads(json.dumps(written))) == Collection(
        uri=URI, kind="OrderedCollection", total=7, first=PAGE
    )
    assert written["attributedTo"] == "https://a.example/me"
    item: dict[str, Json] = {"@context": "x", "id": "https://a.example/1"}
    page = write_page(PAGE, part_of=URI, items=[item, URI], next=f"{URI}?page=2", total=7, ordered=False)
    assert read_collection(page) == Collection(
        uri=PAGE,
        kind="CollectionPage",
        total=7,
        items=({"id": "https://a.example/1"}, URI),
        next=f"{URI}?page=2",
    )
    assert page["partOf"] == URI


def test_a_hidden_list_has_a_number_and_nothing_else() -> None:
    assert set(write_collection(URI, total=7)) == {"@context", "id", "type", "totalItems"}
    assert write_collection(URI, total=0, items=[])["orderedItems"] == []
