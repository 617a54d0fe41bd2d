"""How calls find their row, who is let in, and what errors look like."""

from __future__ import annotations

from tests.mastodon.server import Server


async def test_a_status_is_shown_to_anybody(both: Server) -> None:
    post = await both.publish("alice", "Hello *world* #tag")
    api = await both.api()
    found = await api.get(f"/api/v1/statuses/{post.id}/")
    assert found["account"]["acct"] == "alice"
    assert "favourited" not in found
    assert found["tags"][0]["name"] == "tag"
    own = await (await both.api("alice")).get(f"/api/v1/statuses/{post.id}")
    assert own["pinned"] is False


async def test_what_is_not_there_is_404_with_an_error(server: Server) -> None:
    api = await server.api("alice")
    for method, path in (
        ("GET", "/api/v1/statuses/1"),
        ("GET", "/api/v1/statuses/x"),
        ("POST", "/api/v1/nothing"),
        ("GET", "/api/v9"),
        ("PATCH", "/api/v1/statuses/1"),
    ):
        answer = await api.call(method, path)
        assert (answer.status_code, answer.json()) == (404, {"error": "Record not found"}), path


async def test_tokens_are_needed_good_and_wide_enough(server: Server) -> None:
    post = await server.publish("alice")
    path = f"/api/v1/statuses/{post.id}"
    narrow = await server.api("alice", "write")
    assert await narrow.status("GET", path) == 403
    nobody = await server.api()
    answer = await nobody.call("GET", path, headers={"authorization": "Bearer nonsense"})
    assert answer.status_code == 401
    assert answer.headers["www-authenticate"].startswith("Bearer")
    assert answer.json() == {"error": "The access token is invalid."}


async def test_browsers_may_ask_from_anywhere(server: Server) -> None:
    api = await server.api("alice")
    answer = await api.call("OPTIONS", "/api/v1/statuses", headers={"origin": "https://app.example"})
    assert answer.status_code == 204
    assert answer.headers["access-control-allow-origin"] == "*"
    assert "Authorization" in answer.headers["access-control-allow-headers"]
    post = await server.publish("alice")
    answer = await api.call("GET", f"/api/v1/statuses/{post.id}")
    assert answer.headers["access-control-allow-origin"] == "*"
    assert answer.headers["x-ratelimit-limit"]


async def test_no_answer_leads_to_the_host_that_a_request_names(server: Server) -> None:
    api = await server.api()
    for path in ("/api", "/api/", "/oauth", "/oauth/", "/api/v1/statuses//", "//evil.example/"):
        answer = await api.call("GET", f"https://blog.test{path}", headers={"host": "evil.example"})
        assert "location" not in answer.headers, path
