"""Likes, emoji and boosts by others, and what groups pass on."""

from __future__ import annotations

from typing import Any

import pytest

from fediblog.domain.documents import PUBLIC, Visibility
from fediblog.store.posts import posts, reaction_lists
from tests.federation.stranger import Home, Person
from tests.store.makers import home_of


async def reactions(home: Home) -> list[Any]:
    return await home.ask("select kind, content from reaction order by created, content")


async def test_a_like_counts_once_and_can_be_taken_back(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    like = bob.does("Like", post.uri)
    for number in range(3):
        await at_home.send(bob, {**like, "id": f"{like['id']}{number}"})
    assert await reactions(at_home) == [("like", "")]
    assert await at_home.notices() == [("like", "bob")]
    for _ in range(2):
        await at_home.send(bob, bob.does("Undo", {**like, "id": f"{like['id']}0"}))
    assert await reactions(at_home) == []
    assert await at_home.notices() == []
    await at_home.send(bob, {**like, "id": f"{like['id']}0"})
    assert await reactions(at_home) == [("like", "")]


async def test_an_undo_with_another_id_finds_the_like_by_what_it_liked(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    await at_home.send(bob, bob.does("Like", post.uri))
    await at_home.send(bob, bob.does("Undo", bob.does("Like", post.uri, 99)))
    assert await reactions(at_home) == []


@pytest.mark.parametrize(
    ("kind", "fields", "expected"),
    [
        ("EmojiReact", {"content": "🎉"}, ("emoji", "🎉")),
        ("Like", {"content": "🎉"}, ("emoji", "🎉")),
        ("Like", {"_misskey_reaction": "👍"}, ("emoji", "👍")),
        (
            "Like",
            {"tag": [{"type": "Emoji", "name": ":fox:", "icon": {"type": "Image", "url": "https://bob.test/f.png"}}]},
            ("emoji", ":fox:"),
        ),
        ("Dislike", {}, ("dislike", "")),
        ("Like", {}, ("like", "")),
    ],
)
async def test_kinds_of_reactions(
    at_home: Home, bob: Person, kind: str, fields: dict[str, Any], expected: tuple[str, str]
) -> None:
    post = await at_home.writes()
    activity = bob.does(kind, post.uri, **fields)
    await at_home.send(bob, activity)
    assert await reactions(at_home) == [expected]
    await at_home.send(bob, bob.does("Undo", activity))
    assert await reactions(at_home) == []


FAMILY = "\U0001f468\u200d\U0001f469\u200d\U0001f467"
FLAG, FLAG_OF_TAGS = "\U0001f1e9\U0001f1ea", "\U0001f3f4\U000e0067\U000e007f"
EMOJI = ["\U0001f389", "\u2764\ufe0f", "\U0001f44b\U0001f3fd", "7\ufe0f\u20e3", ":fox:", ":fox@far.test:"]
NO_EMOJI = [
    "I like this",
    "a",
    "+1",
    "\U0001f389\U0001f389",
    "\U0001f389 yes",
    "::",
    ":a b:",
    "\u200d",
    "<b>",
    ":fox",
    ":\u202efox:",
]


@pytest.mark.parametrize("content", [*EMOJI, FAMILY, FLAG, FLAG_OF_TAGS])
async def test_one_emoji_is_taken(at_home: Home, bob: Person, content: str) -> None:
    post = await at_home.writes()
    assert (await at_home.send(bob, bob.does("EmojiReact", post.uri, content=content))).status == 202
    assert await reactions(at_home) == [("emoji", content)]


@pytest.mark.parametrize("kind", ["Like", "EmojiReact"])
@pytest.mark.parametrize("content", NO_EMOJI)
async def test_what_is_no_emoji_is_refused(at_home: Home, bob: Person, kind: str, content: str) -> None:
    post = await at_home.writes()
    await at_home.send(bob, bob.does(kind, post.uri, content=content))
    assert await at_home.refusals() == ["not-an-emoji"]
    assert (await reactions(at_home), await at_home.notices()) == ([], [])


async def test_a_person_is_told_of_once_until_nothing_of_theirs_is_left(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    actions = [
        bob.does("Dislike", post.uri, 0),
        bob.does("Like", post.uri, 1),
        bob.does("EmojiReact", post.uri, 2, content="\U0001f389"),
        bob.does("Like", post.uri, 3, content=":fox:"),
    ]
    for action in actions:
        await at_home.send(bob, action)
    assert await at_home.notices() == [("like", "bob")]
    for action in actions[1:]:
        assert await at_home.notices() == [("like", "bob")]
        await at_home.send(bob, bob.does("Undo", action, action["id"][-1]))
    assert await at_home.notices() == []


async def test_a_notice_of_a_reaction_says_the_emoji_that_stands_beside_the_face(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    like = bob.does("Like", post.uri, 1)
    party, fox = (bob.does("EmojiReact", post.uri, 2 + n, content=c) for n, c in enumerate(("\U0001f389", ":fox:")))
    undone = [bob.does("Undo", action, action["id"][-1]) for action in (party, fox)]
    actions = [like, party, fox, *undone]
    seen = []
    for action in actions:
        at_home.clock.now += 1000
        await at_home.send(bob, action)
        ((told,),) = await at_home.ask("select content from notice")
        (face,) = await at_home.site.db.read(reaction_lists.first_reactions, post.id)
        seen.append((told, face.content))
    assert seen == [(each, each) for each in ("", "\U0001f389", "\U0001f389", ":fox:", "")]


async def test_one_account_cannot_fill_the_page_with_emoji(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    for number in range(30):
        await at_home.send(bob, bob.does("EmojiReact", post.uri, number, content=chr(0x1F600 + number)))
    assert await at_home.count("reaction") == 20


async def test_what_one_cannot_see_one_cannot_like(at_home: Home, bob: Person) -> None:
    post = await at_home.writes(visibility=Visibility.FOLLOWERS)
    assert (await at_home.send(bob, bob.does("Like", post.uri))).status == 202
    assert (await at_home.send(bob, bob.does("Announce", post.uri))).status == 202
    assert await at_home.count("reaction") == 0
    assert await at_home.count("boost") == 0
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    await at_home.send(bob, bob.does("Like", post.uri, 2))
    await at_home.send(bob, bob.does("Announce", post.uri, 2))
    assert await at_home.count("reaction") == 1
    assert await at_home.count("boost") == 0  # nobody passes on what is for followers


async def test_an_early_undo_of_a_like_wins(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    like = bob.does("Like", post.uri)
    await at_home.send(bob, bob.does("Undo", like))
    await at_home.send(bob, like)
    assert await at_home.count("reaction") == 0


async def test_a_boost_of_ours_is_told_and_taken_back(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    boost = bob.does("Announce", post.uri, to=[PUBLIC])
    for _ in range(2):
        await at_home.send(bob, boost)
    assert await at_home.count("boost") == 1
    assert await at_home.notices() == [("boost", "bob")]
    await at_home.send(bob, bob.does("Undo", boost["id"]))
    assert await at_home.count("boost") == 0
    assert await at_home.notices() == []


async def test_a_boost_by_somebody_followed_is_fetched_from_its_origin(
    at_home: Home, bob: Person, carol: Person
) -> None:
    await at_home.follows(bob)
    note = carol.note(content="<p>true</p>")
    forged = {**note, "content": "<p>forged</p>"}
    assert (await at_home.send(bob, bob.does("Announce", forged, to=[PUBLIC]))).status == 202
    await at_home.work()
    post = await at_home.site.db.read(posts.by_uri, note["id"])
    assert post is not None
    assert post.content == "<p>true</p>"
    items = await at_home.site.db.read(home_of, at_home.alice.id)
    assert [(item.post.uri, item.booster and item.booster.uri) for item in items] == [(note["id"], bob.uri)]


async def test_a_boost_by_a_stranger_is_not_fetched(at_home: Home, bob: Person, carol: Person) -> None:
    await at_home.know(bob)
    before = len(at_home.web.asked)
    await at_home.send(bob, bob.does("Announce", carol.note()["id"]))
    await at_home.work()
    assert await at_home.count("post") == 0
    assert len(at_home.web.asked) == before


async def test_a_group_passes_a_post_on(at_home: Home, bob: Person, carol: Person) -> None:
    await at_home.follows(bob)
    page = carol.note(type="Page", name="News")
    create = carol.creates({**page, "content": "forged"})
    await at_home.send(bob, bob.does("Announce", create, to=[PUBLIC]))
    await at_home.work()
    post = await at_home.site.db.read(posts.by_uri, page["id"])
    assert post is not None
    assert post.content == "<p>note 1</p>"
    assert await at_home.count("boost") == 1
    later = {**page, "content": "<p>changed</p>", "updated": "2025-06-02T10:00:00Z"}
    at_home.web.put(page["id"], later)
    await at_home.send(bob, bob.does("Announce", carol.does("Update", page), 2))
    await at_home.work()
    post = await at_home.site.db.read(posts.by_uri, page["id"])
    assert post is not None
    assert post.content == "<p>changed</p>"
    await at_home.send(bob, bob.does("Announce", carol.does("Delete", page["id"]), 3))
    await at_home.work()
    assert await at_home.count("post") == 1  # its origin still has it
    at_home.web.put(page["id"], {"type": "Tombstone"}, status=410)
    await at_home.send(bob, bob.does("Announce", carol.does("Delete", page["id"]), 4))
    await at_home.work()
    assert await at_home.count("post") == 0


async def test_a_like_passed_on_by_a_group_is_asked_for_at_its_origin(
    at_home: Home, bob: Person, carol: Person
) -> None:
    post = await at_home.writes()
    like = carol.does("Like", post.uri)
    await at_home.send(bob, bob.does("Announce", like))
    await at_home.work()
    assert await at_home.count("reaction") == 0  # not to be found there
    at_home.web.put(like["id"] + "-2", {**like, "id": like["id"] + "-2"})
    await at_home.send(bob, bob.does("Announce", {**like, "id": like["id"] + "-2"}, 2))
    await at_home.work()
    assert await at_home.ask("select a.handle from reaction r join account a on a.id = r.account") == [("carol",)]
