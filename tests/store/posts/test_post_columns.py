"""The table of a post's columns knows them all, and what is stored by it comes back as it was."""

from __future__ import annotations

from msgspec import NODEFAULT
from msgspec.structs import fields, replace

from fediblog.domain.documents import (
    Attachment,
    Emoji,
    Happening,
    InteractionPolicy,
    Mention,
    Note,
    Option,
    Picture,
    Poll,
    Rule,
    Source,
    Visibility,
)
from fediblog.domain.posts import Post
from fediblog.store.engine import backup
from fediblog.store.engine.database import Database
from fediblog.store.posts import post_writing
from fediblog.store.posts.post_columns import FIELDS, INSERT, UPDATE, Placement
from fediblog.store.tx import Tx
from tests.store.makers import guest, local, note, whole

HANGING_ON_IT = {
    *(
        "author",
        "categories",
        "mentions",
        "addressed",
        "hashtags",
        "attachments",
        "comments",
        "like_total",
        "boost_total",
    ),
    *("liked", "reacted", "boosted", "bookmarked", "muted", "voted", "quoted", "quote_state", "quote_approval"),
}
"""What a post has of other tables."""
NOT_STORED = {"media_type", "quote_proof", "duration"}
"""What is asked of a note only while it comes in."""
POLL = Poll(options=(Option(name="Yes", votes=4), Option(name="No")), multiple=True, ends=5_000, closed=6_000, voters=4)
FULL = Note(
    uri="https://blog.example/1",
    kind="Event",
    author="",
    to=("https://far.example/a",),
    cc=("https://far.example/b", "https://far.example/c"),
    title="Title",
    summary="Summary",
    warning="Warning",
    content="<p>Content</p>",
    language="eo",
    source=Source(content="Content", media_type="text/markdown"),
    url="https://blog.example/page",
    in_reply_to="https://far.example/above",
    published=1_000,
    updated=2_000,
    sensitive=True,
    mentions=(Mention(href="https://far.example/a"),),
    hashtags=("tag",),
    emoji=(Emoji(name="cat", url="https://far.example/cat"),),
    attachments=(Attachment(kind="Image", url="https://far.example/picture"),),
    image=Picture(
        url="https://far.example/hero",
        alt="A hero",
        caption="Below it",
        preview="https://far.example/hero-small",
        width=1280,
        height=640,
    ),
    quote="https://far.example/quoted",
    context="https://far.example/context",
    conversation="tag:far.example,2020:1",
    replies="https://far.example/replies",
    likes="https://far.example/likes",
    shares="https://far.example/shares",
    reply_count=1,
    like_count=2,
    share_count=3,
    poll=POLL,
    policy=InteractionPolicy(
        quote=Rule(automatic=("https://far.example/a",)), like=Rule(manual=("https://far.example/b",))
    ),
    reading_time=7,
    happening=Happening(starts=3_000, ends=4_000, place="Here"),
)
PLACED = Placement(
    visibility=Visibility.FOLLOWERS,
    guest=1,
    state="scheduled",
    slug="slug",
    month="2020/01",
    scheduled=9_000,
    cleaner=7,
    quotable="nobody",
    repliable="followers",
    app_name="App",
    app_website="https://app.example",
)


def _said(by: str) -> list[str]:
    return [each.name for each in FIELDS if each.said_by == by]


async def test_every_column_stands_in_the_table_once(db: Database) -> None:
    columns = [name for each in FIELDS for name in each.stored_in]
    assert sorted(columns) == sorted((await db.read(backup.tables))["post"])


def test_every_attribute_of_a_post_is_stored_or_hangs_on_it() -> None:
    attributes = {each.name for each in fields(Post)}
    assert attributes - {each.name for each in FIELDS} == HANGING_ON_IT | NOT_STORED
    assert {each.name for each in FIELDS} - attributes == {"month", "cleaner", "completed"}


def test_whatever_may_be_said_of_a_post_is_said_here() -> None:
    plain = {each.name: each.default for each in fields(Note)}
    assert not [name for name in plain.keys() - NOT_STORED - {"author"} if getattr(FULL, name) == plain[name]]
    plain = {each.name: each.default for each in fields(Placement)}
    assert not [name for name in plain if getattr(PLACED, name) == plain[name]]


async def test_what_an_insert_stores_comes_back(db: Database) -> None:
    def store(tx: Tx) -> Post:
        author = local(tx)
        placed = replace(PLACED, guest=guest(tx, "Gil"))
        return whole(tx, post_writing.insert(tx, replace(FULL, author=author.uri), author, placed))

    stored = await db.write(store)
    for name in _said("note"):
        assert getattr(stored, name) == getattr(FULL, name), name
    assert stored.guest is not None
    assert stored.guest.name == stored.byline.name == "Gil"
    for name in set(_said("placement")) - {"month", "cleaner", "guest"}:
        assert getattr(stored, name) == getattr(PLACED, name), name


async def test_an_edit_stores_what_it_may_and_leaves_the_rest(db: Database) -> None:
    def change(tx: Tx) -> tuple[Post, Post, Post]:
        author = local(tx)
        plain = note(author, uri=FULL.uri)
        number = post_writing.insert(tx, plain, author, Placement(visibility=Visibility.PUBLIC))
        before = whole(tx, number)
        post_writing.update(tx, before, replace(FULL, author=author.uri), PLACED)
        full = whole(tx, number)
        post_writing.update(tx, full, plain, Placement(visibility=Visibility.PUBLIC))
        return before, full, whole(tx, number)

    before, full, after = await db.write(change)
    for each in FIELDS:
        if each.name in {"month", "cleaner", "completed", "account"}:
            continue
        said = {"note": FULL, "placement": PLACED}.get(each.said_by)
        expected = getattr(said if said is not None and each.edited else before, each.name)
        assert each.name == "published" or getattr(full, each.name) == expected, each.name
    kept = {"published", "updated", "reply_count", "like_count", "share_count", "comments", "like_total", "boost_total"}
    changed = {each.name for each in fields(Post) if getattr(after, each.name) != getattr(before, each.name)}
    assert changed <= kept  # an origin's totals stand until it tells others


def test_what_says_nothing_is_stored_as_the_migrations_have_it() -> None:
    for each in FIELDS:
        assert each.unset == () or len(each.unset) == len(each.stored_in), each.name
        assert (each.read is None) == (each.write is None) or each.said_by == "argument", each.name
    assert NODEFAULT not in {each.default for each in fields(Post) if each.name in {f.name for f in FIELDS if f.unset}}
    assert all(each.default_factory is NODEFAULT for each in fields(Post))  # else all posts would share one
    assert "pinned" not in INSERT + UPDATE
    assert "app_name" not in UPDATE
