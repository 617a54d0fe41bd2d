"""What a search finds: the same posts on both engines, as an oracle without an index says; kept as the posts are."""

from __future__ import annotations

import json
import random
from collections.abc import Iterator, Sequence

import pytest
from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Attachment, Note, Option, Picture, Poll, Visibility
from fediblog.domain.posts import Category
from fediblog.hashtags import key
from fediblog.markup.search_words import Query, Term, read_query, words_of
from fediblog.store.engine.database import Database
from fediblog.store.engine.migrate import known_migrations, statements
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import accounts
from fediblog.store.posts import categories, post_columns, post_writing, reactions, search, search_index, timelines
from fediblog.store.posts.search import ALL, SearchFilter
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Tx
from tests.store.makers import local, note, post, remote, whole
from tests.store.posts.test_timelines import follow

PARTS = (
    *("Käse", "kase", "KÄSEBROT", "Brot", "größe", "GROSSE", "fog", "Fog", "foggy", "don't", "under_score", "100%"),
    *("العربية", "العَرَبِيَّة", "عرب", "富士山", "士山", "山", "山x", "が", "カ\u3099", "서울에서", "서울", "สวัสดี", "วัส"),
    *(
        "🦊",
        "🦊🏽",
        "❤️",
        "हिन्दी",
        "Ὀδυσσεύς",
        "οδυσσευς",
        "'",
        '"',
        "\\",
        "%",
        "-",
        ":",
        "=",
        "|",
        "&",
        "!",
        "(",
        "AND",
    ),
    *(
        "OR",
        "NOT",
        "NEAR",
        "words",
        "*",
        "\u200d",
        "ı",
        "x" * 70,
        "#tag",
        "#Käse",
        "<b>b</b>old",
        "&amp;",
        "\U0002000b",
    ),
)


def _says(words: Sequence[str], term: Term) -> bool:
    """Whether a text says a term, looked at word by word."""
    for at in range(len(words) - len(term.words) + 1):
        there = tuple(words[at : at + len(term.words)])
        if there[:-1] == term.words[:-1] and (
            there[-1] == term.words[-1] or (term.open and there[-1].startswith(term.words[-1]))
        ):
            return True
    return False


def _fits(query: Query, title: str, text: str, tags: Sequence[str], shown: str) -> bool:
    parts = (words_of(title), words_of(text), words_of(shown))

    def says(term: Term) -> bool:
        return any(_says(part, term) for part in parts)

    wanted = all(map(says, query.terms)) and not any(map(says, query.without))
    return not query.is_empty and wanted and set(query.tags) <= set(tags)


@pytest.mark.parametrize("many", [1, 1_000])
async def test_each_engine_finds_what_the_words_say(db: Database, monkeypatch: pytest.MonkeyPatch, many: int) -> None:
    """Words in any script, phrases, beginnings, hashtags, what must not be there; signs mean nothing to SQL.

    A beginning is looked for in the index and, where `many` posts have it, in the words.
    """
    monkeypatch.setattr(search, "_MANY", many)
    dice = random.Random(3)

    def some(most: int) -> str:
        return dice.choice((" ", " ", "", "\n")).join(dice.choices(PARTS, k=dice.randint(1, most)))

    def asked() -> str:
        typed = some(3)
        return dice.choice((typed, typed, f'"{typed}"', f"-{some(1)} {typed}", f'"{typed}" {some(1)}'))

    def check(tx: Tx) -> int:
        author, found = local(tx), 0
        texts = [
            (some(2) if dice.random() < 0.3 else "", some(8), dice.choice(((), ("tag",), ("Käse",))), some(3))
            for _ in range(80)
        ]
        stored = {
            post(
                tx,
                author,
                title=title,
                content=text.replace("<b>", "").replace("</b>", ""),
                hashtags=tags,
                attachments=(Attachment(kind="Image", url="https://blog.test/1.png", alt=shown),),
            ): (
                title,
                text.replace("<b>", "").replace("</b>", "").replace("&amp;", "&"),
                [key(tag) for tag in tags],
                shown,
            )
            for title, text, tags, shown in texts
        }
        for _ in range(250):
            typed = asked()
            query = read_query(typed)
            wanted = {number for number, said in stored.items() if _fits(query, *said)}
            best = search.ranked(tx, query, dice.choice((0, author.id)), ALL, limit=99, offset=0)
            assert {each.id for each in best.posts} == wanted, typed
            assert best.total == len(wanted)
            found += bool(wanted)
        return found

    assert await db.write(check) > 100


def found(tx: Tx, typed: str, viewer: int = 0, narrowed: SearchFilter = ALL) -> list[int]:
    """Numbers of the posts, best first."""
    return [each.id for each in search.ranked(tx, read_query(typed), viewer, narrowed, limit=30, offset=0).posts]


def _changed(tx: Tx, number: int, **changes: object) -> None:
    before = whole(tx, number)
    after = Note(**{name: getattr(before, name) for name in Note.__struct_fields__})
    placement = post_columns.Placement(visibility=before.visibility, state=before.state)
    post_writing.update(tx, before, replace(after, **changes), placement)


async def test_what_may_not_be_seen_takes_no_place(db: Database) -> None:
    """However many posts with the words lie between those that may be seen, a page is as long as it can be."""

    def check(tx: Tx) -> None:
        anna, bob = local(tx, "anna"), local(tx, "bob")
        seen = []
        for number in range(30):
            hidden = Visibility.FOLLOWERS if number % 10 else Visibility.PUBLIC
            one = post(tx, anna, content=f"<p>A needle {number}</p>", visibility=hidden)
            seen += [] if number % 10 else [one]
        first, second, third = seen
        for limit, offset, wanted in (
            (1, 0, [third]),
            (2, 0, [third, second]),
            (2, 1, [second, first]),
            (4, 2, [first]),
        ):
            assert [
                each.id for each in search.newest(tx, "needle", bob.id, Window(limit=limit, offset=offset)).posts
            ] == wanted
        assert len(search.newest(tx, "needle", anna.id, Window(limit=99)).posts) == 30

    await db.write(check)


async def test_a_search_ends_though_little_may_be_seen(db: Database, monkeypatch: pytest.MonkeyPatch) -> None:
    """Of very many posts with the words only the newest are looked at, and it is told; newest first goes on from there.

    So for what the index does not know: who may see a post, and in which order the words stand.
    """
    monkeypatch.setattr(search, "MOST_READ", 10)

    def check(tx: Tx) -> None:
        anna, bob = local(tx, "anna"), local(tx, "bob")
        old = post(tx, anna, content="one needle", title="Needle")
        plain = post(tx, anna, content="needle one, one needle")
        for _ in range(25):
            post(tx, anna, content="needle or one", visibility=Visibility.FOLLOWERS)
        best = search.ranked(tx, read_query("needle"), bob.id, ALL, limit=9, offset=0)
        assert ([each.id for each in best.posts], best.total, best.is_all) == ([old], 1, False)  # by its title
        for viewer, typed, wanted in ((bob.id, "needle", [plain, old]), (anna.id, '"one needle"', [plain, old])):
            seen, rounds, answer = list[int](), 0, search.Answer(is_all=False, reached=FAR)
            while not answer.is_all:
                answer = search.newest(tx, typed, viewer, Window(before=answer.reached, limit=5))
                seen, rounds = seen + [each.id for each in answer.posts], rounds + 1
            assert (seen, rounds) == (wanted, 3)
        assert found(tx, "needle") == [old, plain]  # what nobody but members sees takes nothing from visitors

    await db.write(check)


async def test_who_does_not_want_to_be_searched_is_not_found_by_strangers(db: Database) -> None:
    """As with Mastodon's `indexable`: only by the author, whom the post came to or mentions, and who reacted to it."""

    def check(tx: Tx) -> None:
        anna, bob = local(tx, "anna"), local(tx, "bob")
        tx.run("update account set indexable = 0 where id = :id", id=anna.id)
        one, two = post(tx, anna, content="needle"), post(tx, anna, content="needle")
        other = post(tx, bob, content="needle")
        assert set(found(tx, "needle", anna.id)) == {one, two, other}
        assert found(tx, "needle") == found(tx, "needle", bob.id) == [other]
        assert search.of_people(tx, [anna.id], 0, Window()) == search.of_people(tx, [anna.id], bob.id, Window()) == []
        reactions.react(tx, bob.id, one, "https://blog.test/likes/1")
        assert set(found(tx, "needle", bob.id)) == {one, other}
        follow(tx, bob.id, anna.id)
        heard = post(tx, anna, content="needle")
        timelines.spread(tx, whole(tx, heard))
        assert set(found(tx, "needle", bob.id)) == {one, other, heard}
        assert [each.id for each in search.newest(tx, "needle", 0, Window()).posts] == [other]

    await db.write(check)


async def test_the_index_follows_the_posts(db: Database) -> None:
    def check(tx: Tx) -> None:
        anna, bob = local(tx, "anna"), remote(tx)
        one = post(tx, anna, content="<p>A needle</p>")
        draft = post(tx, anna, content="<p>A needle</p>", state="draft")
        held = post(tx, anna, content="<p>A needle</p>", state="held")
        strange = post(tx, bob, content="<p>A needle</p>")
        assert found(tx, "needle") == found(tx, "needle", anna.id) == [one]
        post_writing.publish_now(tx, draft, "2025/06", ("", ""))
        assert set(found(tx, "needle")) == {one, draft}
        _changed(tx, one, content="<p>A thread</p>")
        assert (found(tx, "needle"), found(tx, "thread")) == ([draft], [one])
        post_writing.remove(tx, whole(tx, draft))
        assert found(tx, "needle") == []
        tx.run("update post set state = 'published' where id = :id", id=held)
        assert found(tx, "needle") == [held]
        post_writing.remove_all_of(tx, anna)
        follow(tx, anna.id, bob.id)
        heard = post(tx, bob, content="<p>A needle</p>")
        timelines.spread(tx, whole(tx, heard))
        _changed(tx, strange, content="<p>Another needle</p>")
        assert (found(tx, "needle"), found(tx, "needle", anna.id)) == ([], [heard])
        _changed(tx, heard, content="<p>A thread</p>")
        assert (found(tx, "needle", anna.id), found(tx, "thread", anna.id)) == ([], [heard])
        assert {row.post for row in tx.all("select post from post_words")} == {heard}
        tx.run("delete from post")
        assert tx.one("select 1 as yes from post_words") is None
        if tx.engine == "sqlite":
            tx.run("insert into post_words_found (post_words_found, rank) values ('integrity-check', 1)")

    await db.write(check)


async def test_what_pictures_show_answers_of_polls_and_categories_are_found(db: Database) -> None:
    def check(tx: Tx) -> None:
        anna = local(tx)
        plain = post(tx, anna, content="<p>needle</p>")
        image = Picture(url="https://blog.test/1.png", alt="A needle", caption="Found in hay")
        hero = post(tx, anna, image=image)
        file = Attachment(kind="Image", url="https://blog.test/2.png", alt="Needle &amp; <b>thread</b>")
        shown = post(tx, anna, attachments=(file,))
        poll = Poll(options=(Option(name="Needle"), Option(name="Neither")))
        asked = post(tx, anna, kind="Question", poll=poll)
        tools = Category(id=tx.new_id(), name="Needles", slug="needles")
        categories.add(tx, tools)
        filed = [post(tx, anna) for _ in range(5)]
        for each in filed:
            categories.file_under(tx, each, [tools.id])
        assert set(found(tx, "needle")) == {plain, hero, shown, asked, *filed}
        assert (found(tx, "hay"), found(tx, '"amp b thread"')) == ([hero], [shown])
        _changed(tx, shown, attachments=(replace(file, alt="A thread"),))
        _changed(tx, hero, image=None)
        post_writing.change_poll(tx, whole(tx, asked), replace(poll, options=(Option(name="No"), Option(name="Yes"))))
        categories.file_under(tx, filed[0], [])
        assert set(found(tx, "needle")) == {plain, *filed[1:]}
        assert (found(tx, "yes"), found(tx, "thread")) == ([asked], [shown])
        categories.change(tx, tools, replace(tools, name="Pins"))
        assert set(search_jobs(tx)) == {tools.id}
        assert (found(tx, "needle"), set(found(tx, "pins"))) == ([plain], set(filed[1:]))
        categories.remove(tx, tools)
        assert set(search_jobs(tx)) == {tools.id}
        assert found(tx, "pins") == []

    await db.write(check)


def search_jobs(tx: Tx) -> Iterator[int]:
    """Do what was asked for about categories, two posts at a time; their numbers."""
    for row in tx.all("select id, payload from job where kind = :kind", kind=job_kinds.INDEX_POSTS):
        asked = json.loads(row.payload)
        before, steps = asked["before"], 0
        while (after := search_index.renew_filed(tx, asked["category"], before, 2, 1_000)) is not None:
            assert after < before
            before, steps = after, steps + 1
        assert steps == 2
        yield asked["category"]
        job_queue.done(tx, row.id)


async def test_what_an_earlier_version_did_not_index_is_indexed_when_it_is_brought_up_to_date(db: Database) -> None:
    def check(tx: Tx) -> None:
        anna = local(tx)
        plain = post(tx, anna, content="<p>needle</p>")
        file = Attachment(kind="Image", url="https://blog.test/2.png", alt="A needle")
        shown = post(tx, anna, attachments=(file,))
        tx.run("update post_words set words = 'hello' where post = :id", id=shown)
        step = next(each for each in known_migrations() if each.name == "search_beside_the_text")
        for statement in statements(step.text, tx.engine):
            tx.run(statement)
        assert found(tx, "needle") == [plain]
        assert search_index.fill(tx, FAR, 100, 1_000) is None
        assert set(found(tx, "needle")) == {plain, shown}

    await db.write(check)


async def test_a_search_is_narrowed(db: Database) -> None:
    def check(tx: Tx) -> None:
        anna, ben = local(tx, "anna"), local(tx, "ben")
        note_of_old = post(tx, anna, content="fog", published=1_700_000_000_000)
        article = post(tx, ben, content="fog", kind="Article", title="On hills", hashtags=("Under_Score",))
        this = tx.now // 31_556_952_000 + 1970
        for narrowed, wanted in (
            (SearchFilter(), {note_of_old, article}),
            (SearchFilter(account=ben.id), {article}),
            (SearchFilter(kind="note"), {note_of_old}),
            (SearchFilter(kind="article"), {article}),
            (SearchFilter(tag="under_score"), {article}),
            (SearchFilter(year=2023), {note_of_old}),
            (SearchFilter(year=this, account=anna.id), set()),
        ):
            for viewer in (0, anna.id):
                assert set(found(tx, "fog", viewer, narrowed)) == wanted, narrowed
        assert found(tx, "fog #under_score") == [article]
        assert found(tx, "#under_score -hills") == []

    await db.write(check)


async def test_the_best_come_first_and_old_titles_are_not_lost(db: Database) -> None:
    """Where more have a common word than are compared, an old post with it in its title is still the first."""

    def check(tx: Tx) -> None:
        anna = local(tx)
        titled = post(tx, anna, title="Fog", content="hills")
        often = post(tx, anna, content="fog " * 5)
        for _ in range(4):
            post(tx, anna, content="in the fog there was one more hill than before")
        assert found(tx, "fog")[:2] == [titled, often]
        assert found(tx, "more hill")[0] > often
        pages = [search.ranked(tx, read_query("fog"), 0, ALL, limit=4, offset=at) for at in (0, 4, 8)]
        assert [len(each.posts) for each in pages] == [4, 2, 0]
        assert {each.total for each in pages} == {6}

    def crowd(tx: Tx) -> None:
        anna = accounts.local_by_handle(tx, "alice")
        assert anna is not None
        for _ in range(search.MOST_RANKED):
            post(tx, anna, content="fog fog fog")
        best = search.ranked(tx, read_query("fog"), 0, ALL, limit=1, offset=0)
        assert (best.posts[0].title, best.total) == ("Fog", search.MOST_RANKED + 1)

    await db.write(check)
    await db.write(crowd)


async def test_a_very_long_text_is_found_by_its_beginning(db: Database) -> None:
    """Also where each of its characters takes four bytes, as much as PostgreSQL takes."""

    def check(tx: Tx) -> None:
        anna = local(tx)
        signs = "".join(map(chr, range(0x20000, 0x2A000))) * 5
        number = post(tx, anna, content=f"<p>{signs}</p>", kind="Article", title="Signs")
        assert found(tx, signs[500:510]) == found(tx, "signs") == [number]
        words = post(tx, anna, content=" ".join(chr(0x10000 + n) * 64 for n in range(100)) * 50)
        assert found(tx, chr(0x10001) * 64) == [words]

    await db.write(check)


@pytest.mark.parametrize("span", [1, 3, 50])
async def test_what_an_earlier_version_stored_is_indexed_bit_by_bit(db: Database, span: int) -> None:
    def check(tx: Tx) -> None:
        anna, bob = local(tx), remote(tx)
        follow(tx, anna.id, bob.id)
        ours = {post(tx, anna, content="fog " * 50) for _ in range(7)}
        heard, strange = post(tx, bob, content="fog"), post(tx, bob, content="fog")
        post(tx, anna, content="fog", state="draft")
        timelines.spread(tx, whole(tx, heard))
        tx.run("delete from post_words where post <> :kept", kept=heard)
        assert strange not in found(tx, "fog", anna.id)
        steps, before = 0, FAR
        while (after := search_index.fill(tx, before, span, 450)) is not None:
            assert after < before
            before, steps = after, steps + 1
        assert steps >= 3
        assert set(found(tx, "fog", anna.id)) == {*ours, heard}
        assert len(tx.all("select post from post_words")) == 8

    await db.write(check)


async def test_newest_first_goes_on_to_the_end(db: Database) -> None:
    """As apps turn pages: by number, and by place."""

    def check(tx: Tx) -> None:
        anna: Account = local(tx)
        made = [post(tx, anna, content=note(anna).content) for _ in range(7)]
        seen = list[int]()
        while page := search.newest(tx, "hello", anna.id, Window(before=seen[-1] if seen else FAR, limit=3)).posts:
            seen += [each.id for each in page]
        assert seen == made[::-1]
        assert [each.id for each in search.newest(tx, "hello", 0, Window(limit=3, offset=5)).posts] == made[1::-1]

    await db.write(check)
