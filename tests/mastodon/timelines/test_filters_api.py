"""Filters: made, changed, matched as Mastodon matches them, and nobody else's business."""

from __future__ import annotations

from typing import Any

import pytest

from fediblog.mastodon.entities.filter_entity import results
from fediblog.store.readers.filter_matching import FilterMatcher, pattern_of, text_of
from fediblog.store.readers.filters import Filter, Keyword
from tests.mastodon.server import Api, Server

V1, V2 = "/api/v1/filters", "/api/v2/filters"


@pytest.mark.parametrize(
    ("keyword", "whole", "text", "matches"),
    [
        ("rain", True, "It may Rain.", "Rain"),
        ("rain", True, "The train", None),
        ("rain", False, "The train", "rain"),
        ("#rain", True, "so #rain!", "#rain"),
        ("#rain", True, "so #rainy", None),
        (":(", True, "sad :(", ":("),
        ("süß", True, "SÜß und", "SÜß"),
        ("a.b", False, "axb", None),
    ],
)
def test_words_are_matched_with_borders_only_beside_letters(
    keyword: str, whole: bool, text: str, matches: str | None
) -> None:
    words = (Keyword(id=1, keyword=keyword, whole_word=whole),)
    each = Filter(id=1, title="x", contexts=("home",), action="warn", expires=None, keywords=words)
    sieve = FilterMatcher(((each, pattern_of(words)),), viewer=1)
    found = results(sieve, 5, 2, text)
    assert [result["keyword_matches"] for result in found] == ([[matches]] if matches else [])
    assert results(sieve, 5, 1, text) == []


def test_what_is_searched_is_text() -> None:
    assert text_of(("Warning",), ("<p>a <b>rain</b>bow</p>", ""), ["alt"]) == "Warning\n\na rainbow\n\nalt"


async def one(api: Api) -> Any:
    return (await api.get("/api/v1/timelines/public"))[0]["filtered"]


async def test_filters_are_made_changed_and_mark_statuses(both: Server) -> None:
    server = both
    post = await server.publish("bob", "It will rain on the hills")
    api = await server.api("alice")
    made = await api.post(
        V2,
        data={
            "title": "Weather",
            "context[]": ["home", "public"],
            "filter_action": "hide",
            "expires_in": "600",
            "keywords_attributes[0][keyword]": "rain",
            "keywords_attributes[0][whole_word]": "true",
            "keywords_attributes[1][keyword]": "snow",
        },
    )
    assert [each["keyword"] for each in made["keywords"]] == ["rain", "snow"]
    found = await one(api)
    assert found[0]["keyword_matches"] == ["rain"]
    assert found[0]["filter"] == {key: made[key] for key in ("id", "title", "context", "expires_at", "filter_action")}
    assert (await api.get(f"/api/v1/statuses/{post.id}"))["filtered"] == found
    assert await one(await server.api("bob")) == []
    rain, snow = made["keywords"]
    changes = [{"id": rain["id"], "_destroy": True}, {"id": snow["id"], "keyword": "hail"}, {"keyword": "fog"}]
    answer = await api.call("PUT", f"{V2}/{made['id']}", json={"title": "Sky", "keywords_attributes": changes})
    assert [each["keyword"] for each in answer.json()["keywords"]] == ["hail", "fog"]
    assert answer.json()["context"] == ["home", "public"]
    assert await one(api) == []
    entry = await api.post(f"{V2}/{made['id']}/statuses", {"status_id": str(post.id)})
    assert (await one(api))[0]["status_matches"] == [str(post.id)]
    assert await api.get(f"{V2}/{made['id']}/statuses") == [entry] == [await api.get(f"{V2}/statuses/{entry['id']}")]
    assert await api.status("DELETE", f"{V2}/statuses/{entry['id']}") == 200
    word = await api.post(f"{V2}/{made['id']}/keywords", {"keyword": "hill", "whole_word": False})
    assert (await one(api))[0]["keyword_matches"] == ["hill"]
    server.clock.forward(seconds=601)
    assert await one(api) == []
    changed = await api.call("PUT", f"{V2}/keywords/{word['id']}", json={"keyword": "lake"})
    assert changed.json()["keyword"] == "lake"
    assert await api.status("DELETE", f"{V2}/keywords/{word['id']}") == 200
    assert await api.status("DELETE", f"{V2}/{made['id']}") == 200
    assert await api.get(V2) == []
    for wrong in ({"title": "x"}, {"title": "", "context": ["home"]}, {"title": "x", "context": ["nowhere"]}):
        assert await api.status("POST", V2, json=wrong) == 422, wrong


async def test_the_older_filters_are_the_same_by_single_words(both: Server) -> None:
    server = both
    await server.publish("bob", "It will rain")
    api = await server.api("alice")
    made = await api.post(V1, {"phrase": "rain", "context": ["public"], "irreversible": True, "whole_word": True})
    assert made["irreversible"] is True
    assert (await one(api))[0]["filter"]["filter_action"] == "hide"
    assert await api.get(V1) == [made] == [await api.get(f"{V1}/{made['id']}")]
    changed = await api.call("PUT", f"{V1}/{made['id']}", json={"phrase": "snow", "context": ["home"]})
    assert (changed.json()["phrase"], changed.json()["context"]) == ("snow", ["home"])
    assert await api.status("DELETE", f"{V1}/{made['id']}") == 200
    assert await api.get(V2) == []


async def test_nobody_reaches_the_filters_of_others(server: Server) -> None:
    post = await server.publish("bob")
    api, other = await server.api("alice"), await server.api("bob")
    made = await api.post(V2, {"title": "x", "context": ["home"], "keywords_attributes": [{"keyword": "rain"}]})
    entry = await api.post(f"{V2}/{made['id']}/statuses", {"status_id": str(post.id)})
    word = made["keywords"][0]["id"]
    paths = [f"{V2}/{made['id']}", f"{V2}/keywords/{word}", f"{V1}/{word}", f"{V2}/statuses/{entry['id']}"]
    for path in paths:
        for method in ("GET", "PUT", "DELETE"):
            body = {"title": "y", "phrase": "y", "keyword": "y", "context": ["home"]}
            assert await other.status(method, path, json=body) == 404, (method, path)
    for path in ("keywords", "statuses"):
        assert await other.status("GET", f"{V2}/{made['id']}/{path}") == 404
        body = {"keyword": "y", "status_id": str(post.id)}
        assert await other.status("POST", f"{V2}/{made['id']}/{path}", json=body) == 404
    assert await other.get(V2) == []
