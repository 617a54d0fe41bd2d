"""Markers: up to where a timeline has been read."""

from __future__ import annotations

from tests.mastodon.server import Server


async def test_markers_are_set_and_counted(both: Server) -> None:
    api, other = await both.api("alice"), await both.api("bob")
    made = await api.post("/api/v1/markers", data={"home[last_read_id]": "103194548672408537"})
    assert made["home"]["last_read_id"] == "103194548672408537"
    both.clock.forward(seconds=1)
    await api.post("/api/v1/markers", {"home": {"last_read_id": "5"}, "notifications": {"last_read_id": "7"}})
    found = await api.get("/api/v1/markers?timeline[]=home&timeline[]=notifications")
    assert (found["home"]["last_read_id"], found["home"]["version"]) == ("5", 2)
    assert found["notifications"]["version"] == 1
    assert list(await api.get("/api/v1/markers?timeline[]=home")) == ["home"]
    assert await api.get("/api/v1/markers") == {}
    assert await other.get("/api/v1/markers?timeline[]=home") == {}
    assert await api.status("POST", "/api/v1/markers", json={"home": {"last_read_id": "x"}}) == 422
