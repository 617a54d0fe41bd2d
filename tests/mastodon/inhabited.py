"""A server with every kind of content, as its people see it through the API."""

from __future__ import annotations

import io
from typing import Any

from PIL import Image

from fediblog.actions import reaction_actions
from fediblog.domain.documents import ProfileField, Visibility
from fediblog.store.tx import Tx
from tests.mastodon.server import Api, Server
from tests.store import makers

Json = dict[str, Any]


def _far_away(tx: Tx) -> list[int]:
    """Somebody with odd data, and what they wrote."""
    odd = makers.remote(tx, "odd.one-2", name="", kind="Service", summary="", url="")
    plain = makers.remote(tx, "plain", fields=(ProfileField(name="A", value="b"), ProfileField(name="", value="")))
    return [
        makers.post(tx, odd, content=""),
        makers.post(tx, odd, content="<p>x</p>", url="", summary="CW"),
        makers.post(tx, plain, content="<p>y</p>", language="xx"),
    ]


async def inhabit(server: Server) -> tuple[Api, Api]:
    """Alice and Bob, with every kind of content between them."""
    alice, bob = await server.api("alice"), await server.api("bob")
    image = io.BytesIO()
    Image.new("RGB", (20, 10), "teal").save(image, "PNG")
    files = {"file": ("a.png", image.getvalue(), "image/png")}
    media = await alice.post("/api/v2/media", files=files, data={"description": "Teal"})
    await alice.post(f"/api/v1/accounts/{server.people['bob'].id}/follow", {})
    await bob.post(f"/api/v1/accounts/{server.people['alice'].id}/follow", {})
    first = await alice.post("/api/v1/statuses", {"status": "@bob a picture #teal", "media_ids": [media["id"]]})
    bodies: list[Json] = [
        {"status": "# An article\n\nIts *text*", "content_type": "text/markdown"},
        {"status": "What?", "poll": {"options": ["tea", "coffee"], "expires_in": 3600}},
        {"status": "Hidden", "spoiler_text": "A warning", "sensitive": True, "language": "de"},
        {"status": "An answer @bob", "in_reply_to_id": first["id"]},
        {"status": "Between us @bob", "visibility": "direct"},
        {"status": "Look there", "quoted_status_id": first["id"]},
    ]
    for body in bodies:
        await alice.post("/api/v1/statuses", body)
    for name in ("reblog", "favourite"):
        await bob.post(f"/api/v1/statuses/{first['id']}/{name}", {})
    keywords = [{"keyword": "picture", "whole_word": True}]
    wanted = {"title": "Pictures", "context": ["home", "public", "account"], "keywords_attributes": keywords}
    await bob.post("/api/v2/filters", {**wanted, "filter_action": "warn"})
    await bob.post("/api/v1/lists", {"title": "Choir"})
    for number in await server.write(_far_away):
        await server.write(
            reaction_actions.boost, server.site.urls, server.people["alice"].id, number, Visibility.PUBLIC
        )
    return alice, bob
