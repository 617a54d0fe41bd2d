"""Files of relations: what one account exports another gets by importing it, at the pace of other servers."""

from __future__ import annotations

import asyncio
import itertools
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fediblog.actions import import_actions
from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, Visibility
from fediblog.domain.urls import Urls
from fediblog.federation import relation_import
from fediblog.federation.jobs import JOBS
from fediblog.net import host_memory
from fediblog.prepare import relation_csv
from fediblog.store.people import relation_lists, relations
from fediblog.store.posts import post_writing, posts, reader_marks
from fediblog.store.posts.post_columns import Placement
from fediblog.store.queues import job_kinds, job_queue, relation_imports
from fediblog.store.readers import lists, relation_rows
from fediblog.store.tx import Tx
from tests.federation.stranger import Home, Person, home
from tests.store.makers import note, remote
from tests.world import add_person, keys_of

Relations = dict[str, Any]


async def bring(at_home: Home, account: Account, kind: str, text: str, *, overwrite: bool = False) -> int:
    """Bring a file and begin it, whatever ends by it."""
    found = relation_csv.read(kind, text.encode())

    def action(tx: Tx) -> int:
        number = import_actions.bring(tx, account.id, kind, "", "", found, overwrite=overwrite)
        import_actions.begin(tx, account.id, number)
        return number

    return await at_home.site.db.write(action)


async def step(at_home: Home) -> bool:
    """One step of each import; False if none waits."""
    jobs = [each for each in await at_home.site.db.write(job_queue.claim, 50) if each.kind == job_kinds.IMPORT]
    for job in jobs:
        await JOBS[job.kind](at_home.site, job)
    return bool(jobs)


async def work(at_home: Home) -> None:
    """All steps, one after another; none waits for hours."""
    while await step(at_home):
        at_home.clock.forward(seconds=relation_import.PAUSE // 1000)


async def asked(at_home: Home) -> list[str]:
    """Whom a Follow was sent to, by their inbox."""
    return sorted(row[0] for row in await at_home.ask("select d.inbox from delivery d"))


# --- what is exported is imported ---

TITLES = st.text(st.characters(codec="utf-8", categories=("L", "N", "P", "S")), min_size=1, max_size=8)
FOLLOWS = st.fixed_dictionaries(
    {
        "reblogs": st.booleans(),
        "notify": st.booleans(),
        "languages": st.lists(st.sampled_from(["de", "en", "gsw"]), unique=True),
    }
)
WORLDS = st.fixed_dictionaries(
    {
        "following": st.dictionaries(st.integers(0, 5), FOLLOWS),
        "muted": st.dictionaries(st.integers(0, 7), st.booleans()),
        "blocked": st.sets(st.integers(6, 9)),
        "lists": st.dictionaries(TITLES, st.sets(st.integers(0, 5), min_size=1), max_size=3),
        "servers": st.sets(st.sampled_from(["loud.example", "xn--bcher-kva.example", "far.example:8443"])),
        "bookmarks": st.sets(st.integers(0, 3)),
    }
)
HOSTS = ("a.example", "b.example", "xn--bcher-kva.test", "far.example:8080")


def arrange(tx: Tx, account: int, people: list[Account], kept: list[int], world: Relations) -> None:
    """Relations of an account as a world has them."""
    listed = {each for members in world["lists"].values() for each in members}
    for number in {*world["following"], *listed}:
        relations.put_follow(tx, account, people[number].id, f"https://home.test/{account}/{number}", "accepted")
        relation_lists.set_follow(tx, account, people[number].id, **world["following"].get(number, {}))
    for number, notices in world["muted"].items():
        relations.mute(tx, account, people[number].id, notices=notices)
    for number in world["blocked"]:
        relations.block(tx, account, people[number].id, f"https://home.test/{account}/block/{number}")
    for title, members in world["lists"].items():
        made = lists.add(tx, account, title, "list", exclusive=False)
        lists.put(tx, made, [people[number].id for number in members])
    for host in world["servers"]:
        relation_lists.mute_host(tx, account, host)
    for number in world["bookmarks"]:
        reader_marks.bookmark(tx, account, kept[number])


def post_of(tx: Tx, author: Account, number: int) -> int:
    """A post that everybody may see; the same for the same number."""
    uri = f"{author.uri}/{number}"
    known = posts.by_uri(tx, uri)
    made = Placement(visibility=Visibility.PUBLIC)
    return known.id if known else post_writing.insert(tx, note(author, uri=uri, to=(PUBLIC,)), author, made)


def clear(tx: Tx, account: int, kind: str) -> None:
    """What an empty file would do, by a file that names nobody."""
    found = relation_csv.read(kind, b"?")
    number = import_actions.bring(tx, account, kind, "", "", found, overwrite=True)
    import_actions.begin(tx, account, number)


def accept_all(tx: Tx, account: int) -> None:
    tx.run("update follow set state = 'accepted' where follower = :a", a=account)


def exported(tx: Tx, account: int) -> dict[str, str]:
    return {kind: relation_csv.write(kind, relation_rows.rows(tx, account, kind)) for kind in relation_csv.FILES}


def test_what_is_exported_is_imported(database_url: str, tmp_path: Path) -> None:
    """Show boosts, notices, languages, members of lists and all else, into an empty account and by overwriting."""
    names = itertools.count()

    def make(tx: Tx, urls: Urls, one: Relations, two: Relations) -> list[Account]:
        people = [remote(tx, f"P{number}", HOSTS[number % len(HOSTS)]) for number in range(10)]
        author = remote(tx, "author")
        kept = [post_of(tx, author, number) for number in range(4)]
        made = [add_person(tx, urls, f"x{next(names)}", keys_of("home.test", "x")) for _ in range(3)]
        arrange(tx, made[0].id, people, kept, one)
        arrange(tx, made[1].id, people, kept, two)
        return made

    async def round_trip(at_home: Home, one: Relations, two: Relations) -> None:
        source, *targets = await at_home.site.db.write(make, at_home.site.urls, one, two)
        files = await at_home.site.db.read(exported, source.id)
        for target in targets:
            for kind, text in files.items():
                if relation_csv.read(kind, text.encode()):
                    await bring(at_home, target, kind, text, overwrite=True)
                else:  # a file without lines is refused
                    await at_home.site.db.write(clear, target.id, kind)
            await work(at_home)
            await at_home.site.db.write(accept_all, target.id)
            got = await at_home.site.db.read(exported, target.id)
            assert {kind: sorted(text.splitlines()) for kind, text in got.items()} == {
                kind: sorted(text.splitlines()) for kind, text in files.items()
            }

    with asyncio.Runner() as runner:
        place = home(tmp_path, database=database_url)
        at_home = runner.run(place.__aenter__())

        @settings(max_examples=12, deadline=None)
        @given(WORLDS, WORLDS)
        def check(one: Relations, two: Relations) -> None:
            runner.run(round_trip(at_home, one, two))

        try:
            check()
        finally:
            runner.run(place.__aexit__(None, None, None))


# --- at the pace of other servers ---


async def test_people_are_looked_up_and_who_does_not_answer_is_asked_again(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(host_memory, "FIRST_PAUSE", 0.0)  # which no clock of ours moves
    async with home(tmp_path) as at_home:
        Person(at_home.web, "near.example", "bob")
        Person(at_home.web, "slow.example", "carol")
        at_home.web.down |= {"slow.example", "gone.example"}
        number = await bring(
            at_home,
            at_home.alice,
            "following",
            "bob@near.example\ncarol@SLOW.example\ndave@gone.example\nnobody@near.example\n",
        )
        await step(at_home)
        assert await asked(at_home) == ["https://near.example/u/bob/inbox"]
        at_home.web.down.discard("slow.example")
        for _ in range(relation_import.TRIES):
            at_home.clock.forward(minutes=46)
            await step(at_home)
        assert await asked(at_home) == ["https://near.example/u/bob/inbox", "https://slow.example/u/carol/inbox"]
        failed = await at_home.site.db.read(relation_imports.failed, number, 10)
        assert [(each.number, each.cells[0]) for each in failed] == [
            (3, "dave@gone.example"),
            (4, "nobody@near.example"),
        ]
        found = await at_home.site.db.read(relation_imports.own, at_home.alice.id, number)
        assert found is not None
        assert (found.used, found.waiting, found.ended is None) == (2, 0, False)


async def test_a_line_is_done_once_whenever_the_process_ends(tmp_path: Path) -> None:
    """A step that stops between its lines is taken up by the next process, which asks nobody twice."""
    async with home(tmp_path) as at_home:
        people = [Person(at_home.web, f"s{number}.example", "bob", alike="bob") for number in range(6)]
        await bring(at_home, at_home.alice, "following", "".join(f"bob@{each.host}\n" for each in people))
        jobs = await at_home.site.db.write(job_queue.claim, 50)
        (job,) = [each for each in jobs if each.kind == job_kinds.IMPORT]
        brought = await at_home.site.db.read(relation_imports.under_way, at_home.alice.id)
        assert brought is not None
        for each in (await at_home.site.db.read(relation_imports.due, brought.id, 10))[:3]:
            await relation_import._use(at_home.site, brought, each)
        at_home.clock.forward(minutes=10)  # until its claim has ended
        await work(at_home)
        assert len(await asked(at_home)) == len(set(await asked(at_home))) == 6
        assert not await at_home.site.db.read(job_queue.is_open, job_kinds.IMPORT, job.subject)
        wanted = [each for each in at_home.web.asked if "webfinger" in each]
        assert len(wanted) == len(set(wanted))


async def test_a_file_that_is_removed_goes_no_further(tmp_path: Path) -> None:
    async with home(tmp_path) as at_home:
        Person(at_home.web, "near.example", "bob")
        number = await bring(at_home, at_home.alice, "following", "bob@near.example\n")
        await at_home.site.db.write(relation_imports.remove, at_home.alice.id, number)
        await work(at_home)
        assert await asked(at_home) == []
        assert at_home.web.asked == []
