"""The answers below a post: in the order in which they are read, page by page, none of them lost."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.domain.thread_order import OPEN_ANSWERS, branch_of, branch_sizes, in_pages, in_reading_order
from fediblog.store.engine.database import Database
from fediblog.store.people import accounts
from fediblog.store.posts import post_extras, posts, threads
from fediblog.store.tx import Tx
from tests.store.makers import Watched, comments_of, local, post, remote, scans


@given(st.lists(st.integers(0, 40), max_size=40))
def test_each_answer_stands_once_and_below_what_it_answers(parents: list[int]) -> None:
    answers = {i + 1: parent if parent <= i else 99 for i, parent in enumerate(parents)}
    places = in_reading_order(0, answers.items())
    assert sorted(place.id for place in places) == sorted(answers)
    at = {place.id: i for i, place in enumerate(places)}
    for i, place in enumerate(places):
        wanted = answers[place.id]
        assert place.parent == (wanted if wanted in at else 0)
        if place.parent:
            above = places[at[place.parent]]
            assert (at[place.parent] < i, place.depth) == (True, above.depth + 1)
            between = places[at[place.parent] + 1 : i]
            assert all(each.depth > above.depth for each in between), "nothing of another branch comes between"
        else:
            assert place.depth == 0


def test_a_circle_has_an_end() -> None:
    assert in_reading_order(0, [(1, 2), (2, 1)]) == []


def whole(tx: Tx, number: int, viewer: int = 0) -> Post:
    found = posts.get(tx, number, viewer)
    assert found is not None
    return found


def thread(tx: Tx, parents: list[int]) -> list[int]:
    """A post of ours, and answers: each to the one of that position."""
    author, bob = local(tx), remote(tx)
    made = [post(tx, author)]
    for parent in parents:
        made.append(post(tx, bob, in_reply_to=whole(tx, made[parent]).uri))
    return made


SIZE = 3


def pages(tx: Tx, top: Post, branch: int = 0, size: int = SIZE) -> list[threads.RepliesPage]:
    first = threads.below(tx, top, 0, 1, branch, size)
    return [first] + [threads.below(tx, top, 0, page, branch, size) for page in range(2, first.pages + 1)]


def numbers(page: threads.RepliesPage) -> list[int]:
    return [place.id for branch in page.branches for place in branch.places]


PARENTS = [0, 0, 1, 3, 3, 4, 2, 0, 7, 9, 10, 11, 1]


async def test_all_pages_together_are_the_whole_branch_of_every_post(db: Database) -> None:
    """The beginnings of all branches stand on the pages of a thread, each branch whole on pages of its own."""

    def check(tx: Tx) -> None:
        made = thread(tx, PARENTS)
        for number in made:
            top = whole(tx, number)
            every = [each.id for each in threads.descendants(tx, top, 0, 4096)]
            found: list[int] = []
            for page in pages(tx, top):
                assert (page.total, page.branch) == (len(every), 0)
                assert len(numbers(page)) <= SIZE
                for branch in page.branches:
                    head, left = branch.places[0].id, [place.id for place in branch.left]
                    found += [place.id for place in branch.places] + left
                    assert page.left.get(head, 0) == len(left)
                    assert [n for each in pages(tx, top, head) for n in numbers(each)] == (
                        [place.id for place in branch.places] + left
                    )
            assert found == every
            assert len(every) == top.comments
        assert threads.below(tx, whole(tx, made[0]), 0, 99, 0, SIZE).page == len(pages(tx, whole(tx, made[0])))
        assert threads.below(tx, whole(tx, made[0]), 0, 1, 99, SIZE).branch == 0

    await db.write(check)


async def test_each_answer_is_found_where_it_is_seen_at_once(db: Database) -> None:
    def check(tx: Tx) -> None:
        made = thread(tx, [*PARENTS, 1, 1, 3, 15])
        for top in (whole(tx, made[0]), whole(tx, made[1])):
            for each in threads.descendants(tx, top, 0, 4096):
                place = threads.place_of(tx, top, 0, each.id, 5)
                assert place is not None
                page = threads.below(tx, top, 0, place.page, place.branch, 5)
                assert (page.page, page.branch) == (place.page, place.branch)
                assert each.id in page.shown
                most = len(numbers(page)) if place.branch else 1 + OPEN_ANSWERS
                assert each.id in [one.id for branch in page.branches for one in branch.places[:most]]
        assert threads.place_of(tx, whole(tx, made[0]), 0, made[0], 5) is None
        assert threads.place_of(tx, whole(tx, made[0]), 0, 99, 5) is None

    await db.write(check)


async def test_who_is_answered_on_another_page_is_known(db: Database) -> None:
    def check(tx: Tx) -> None:
        top = whole(tx, thread(tx, PARENTS)[0])
        for head in numbers(pages(tx, top)[0]):
            for page in pages(tx, top, head):
                for place in page.branches[0].places:
                    assert place.parent in page.shown or place.parent == top.id

    await db.write(check)


@given(st.lists(st.integers(0, 40), max_size=40), st.integers(1, 12))
def test_a_branch_begins_on_one_page_and_hides_none_of_its_beginning(parents: list[int], size: int) -> None:
    order = in_reading_order(0, [(i + 1, parent if parent <= i else 0) for i, parent in enumerate(parents)])
    made = in_pages(order, size)
    assert [place for page in made for part in page for place in (*part.places, *part.left)] == order
    for page in made:
        assert sum(len(part.places) for part in page) <= size
        for part in page:
            within = branch_of(order, part.places[0].id)
            assert within == [*part.places, *part.left]
            ids = {place.id for place in part.places}
            assert all(place.parent in ids for place in part.places[1:]), "what is answered stands above"
    assert (len(made) == 1 and not any(part.left for part in made[0])) or len(order) > size
    for place in order:
        within = branch_of(order, place.id)
        assert (within[0].id, within[0].depth) == (place.id, 0)
        assert all(each.depth > 0 for each in within[1:])
    assert branch_of(order, 99) == []


async def test_a_deep_thread_is_counted_in_one_go(db: Database) -> None:
    """However many of its answers are asked for: not each branch, since all of them are as long as the thread."""

    def check(tx: Tx) -> None:
        made = thread(tx, list(range(40)))
        rows = tx.all("select * from post where id in (:ids)", ids=made)
        seen = Watched(tx)
        found = post_extras.extras_of(seen, rows, 0)
        assert [found.counts("comment").get(number, 0) for number in made] == list(range(40, -1, -1))
        assert not any("recursive" in sql for sql, _ in seen.asked)

    await db.write(check)


@given(st.lists(st.tuples(st.integers(0, 40), st.integers(0, 1)), max_size=40))
def test_a_branch_is_as_large_as_what_is_read_below_it(answers: list[tuple[int, int]]) -> None:
    made = [(i + 1, parent if parent <= i else 99, counts) for i, (parent, counts) in enumerate(answers)]
    sizes = branch_sizes(made)
    counted = {number: counts for number, _, counts in made}
    for number, _, _ in made:
        chain = {number}
        for place in in_reading_order(0, [(each, parent) for each, parent, _ in made]):
            if place.parent in chain:
                chain.add(place.id)
        assert sizes[number] == sum(counted[each] for each in chain - {number})


async def test_comments_are_one_number_wherever_they_are_counted(db: Database) -> None:
    """Answers of suspended accounts and private ones are not among them, what hangs below those is."""

    def check(tx: Tx) -> None:
        made = thread(tx, PARENTS)
        author, eve = whole(tx, made[0]).account, remote(tx, "eve", "evil.example")
        private = post(tx, author, in_reply_to=whole(tx, made[1]).uri, visibility=Visibility.DIRECT)
        shut = post(tx, eve, in_reply_to=whole(tx, made[1]).uri)
        for above in (private, shut):
            post(tx, author, in_reply_to=whole(tx, above, author.id).uri)
        accounts.set_state(tx, eve.id, "suspended")
        for number in made:
            top = whole(tx, number)
            listed = next(each for each in comments_of(tx, made[0]) if each.id == number) if top.root else top
            assert top.comments == listed.comments == threads.below(tx, top, 0).total
        top = whole(tx, made[0])
        assert top.comments == len(PARENTS) + 2

    await db.write(check)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_a_thread_is_found_by_its_indexes(db: Database) -> None:
    def check(tx: Tx) -> list[str]:
        made = thread(tx, PARENTS)
        seen = Watched(tx)
        for number in (made[0], made[3]):
            top = whole(tx, number)
            for page in (1, 2):
                threads.below(seen, top, top.account.id, page, 0, 2)
            threads.descendants(seen, top, 0, 10)
            posts.get(seen, number)
        return scans(seen.plans(), "post", "account", *"p b c a".split())  # noqa: SIM905 - names in SQL

    assert await db.write(check) == []
