"""What we send is plain JSON, whichever shortcut writes it, and says its `@context` once."""

from __future__ import annotations

import json
from collections.abc import Iterator
from typing import Any

from hypothesis import given
from hypothesis import strategies as st

from fediblog.domain.documents import Json
from fediblog.outgoing.own_documents import post_document
from fediblog.protocol.contexts import CONTEXT, in_context
from fediblog.protocol.jsontext import encode
from fediblog.store.posts import posts
from fediblog.store.tx import Tx
from tests.federation.pair import Pair
from tests.protocol.generated import anything
from tests.world import World


def plainly(value: object) -> bytes:
    return json.dumps(value, ensure_ascii=False, separators=(",", ":")).encode()


@given(st.dictionaries(st.text(max_size=8), anything, max_size=6))
def test_the_shortcut_writes_what_plain_json_does(document: dict[str, Json]) -> None:
    whole = in_context(document)
    assert plainly(json.loads(encode(whole))) == plainly(whole)  # 1e16 may be written as 1e+16
    assert json.loads(encode(whole))["@context"] == CONTEXT


def test_the_context_alone_is_plain_as_well() -> None:
    assert encode(in_context({})) == plainly({"@context": CONTEXT})
    assert encode({"id": "x", "@context": "https://other.test"}) == plainly(
        {"id": "x", "@context": "https://other.test"}
    )


def _contexts(value: Any, path: str = "") -> Iterator[str]:
    """Where an `@context` stands."""
    if isinstance(value, dict):
        for key, inner in value.items():
            if key == "@context":
                yield path
            yield from _contexts(inner, f"{path}.{key}")
    if isinstance(value, list):
        for at, inner in enumerate(value):
            yield from _contexts(inner, f"{path}[{at}]")


async def test_a_post_with_answers_has_one_context() -> None:
    async with World("one.test", "two.test") as world:
        pair = Pair(
            world, "one.test", "two.test", await world.person("one.test", "ann"), await world.person("two.test", "ben")
        )
        await pair.follow()
        post = await pair.publish("Hello")
        await pair.answer(post, "An answer")

        def document(tx: Tx) -> dict[str, Any]:
            whole = posts.stored(tx, post.id)
            assert whole is not None
            return post_document(tx, world.sites["one.test"].urls, whole)

        found = await world.read("one.test", document)
        assert isinstance(found["replies"]["first"], dict)
        assert found["replies"]["first"]["items"]
        served = json.loads((await world.get("one.test", post.uri)).content)
        for each in (found, served):
            assert set(_contexts(each)) <= {""}
        assert list(_contexts(served)) == [""]
