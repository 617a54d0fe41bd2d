"""Files of relations brought from elsewhere: what they say is done, what would end by them is asked about first."""

from __future__ import annotations

import csv
import io
import re

import pytest

from fediblog.domain.accounts import Account
from fediblog.federation import relation_import
from fediblog.federation.jobs import JOBS
from fediblog.prepare import relation_csv
from fediblog.store.id_paging import Window
from fediblog.store.people import relation_lists, relations
from fediblog.store.queues import job_kinds, job_queue, relation_imports
from fediblog.store.readers import lists
from fediblog.store.tx import Tx
from tests.web.pages.conftest import Blog, Browser

PATH = "/people/import"
HEAD = "Account address,Show boosts,Notify on new posts,Languages\n"


async def work(blog: Blog) -> int:
    """Do what waits of imports, until nothing does; how many steps that were."""
    steps = 0
    while jobs := [each for each in await blog.site.db.write(job_queue.claim, 50) if each.kind == job_kinds.IMPORT]:
        for job in jobs:
            await JOBS[job.kind](blog.site, job)
        blog.clock.forward(seconds=relation_import.PAUSE // 1000)
        steps += 1
    return steps


async def bring(owner: Browser, text: str, name: str = "following_accounts.csv", **fields: str) -> str:
    """Bring a file; where its page is."""
    await owner.get(PATH)
    answer = await owner.post(PATH, fields, files={"list": (name, text.encode(), "text/csv")})
    assert answer.status_code == 303, answer.text
    return answer.headers["location"].partition("?")[0]


async def known(blog: Blog, *handles: str) -> list[Account]:
    return [await blog.stranger(handle) for handle in handles]


async def following(blog: Blog) -> dict[str, relations.Follow]:
    """Whom Alice follows or has asked to, by handle."""
    rows = await blog.site.db.read(
        lambda tx: tx.all(
            "select a.handle, a.id from follow f join account a on a.id = f.followed where f.follower = :id",
            id=blog.alice.id,
        )
    )
    found = await blog.site.db.read(relations.follows_of, blog.alice.id, [row.id for row in rows])
    return {row.handle: found[row.id] for row in rows}


async def sent(blog: Blog, kind: str) -> int:
    rows = await blog.site.db.read(lambda tx: tx.all("select 1 as yes from outgoing where kind = :kind", kind=kind))
    return len(rows)


async def test_a_file_is_added_to_what_there_is(blog: Blog) -> None:
    bob, carol, _ = await known(blog, "bob", "carol", "dave")
    await blog.site.db.write(relations.put_follow, blog.alice.id, bob.id, f"{bob.uri}/f", "accepted")
    await blog.site.db.write(relations.put_follow, blog.alice.id, carol.id, f"{carol.uri}/f", "pending")
    blog.clock.forward(minutes=5)
    owner = await blog.owner()
    rows = 'bob@far.example,false,true,de\n@Carol@far.example,true,false,\ndave@far.example,true,true,"en, fr"\n'
    path = await bring(owner, HEAD + rows)
    assert "0 of 3 done" in (await owner.get(path)).text
    await work(blog)
    assert "Done. 3 lines of the file were used." in (await owner.get(path)).text
    found = await following(blog)
    assert {name: (each.state, each.reblogs, each.notify, each.languages) for name, each in found.items()} == {
        "bob": ("accepted", False, True, "de"),
        "carol": ("pending", True, False, ""),
        "dave": ("pending", True, True, "en fr"),
    }
    assert await sent(blog, "Follow") == 1  # who is followed or was asked is not asked again
    assert await sent(blog, "Undo") == 0


async def test_a_line_that_cannot_be_used_says_why_and_can_be_taken_along(blog: Blog) -> None:
    await known(blog, "bob")
    owner = await blog.owner()
    path = await bring(
        owner, f"{HEAD}bob@far.example,true\nnobody,true\nalice@blog.test,true\nmissing@blog.test,false\n"
    )
    await work(blog)
    page = (await owner.get(path)).text
    assert "Done. 1 line of the file was used." in page
    assert "3 lines could not be used" in page
    rows = re.findall(r"<tr><td>(\d+)</td><td[^>]*><bdi>([^<]*)</bdi></td><td>([^<]*)</td></tr>", page)
    assert rows == [
        ("3", "nobody, true", "This is no address like name@example.org."),
        ("4", "alice@blog.test, true", "One does not follow oneself."),
        ("5", "missing@blog.test, false", "There is no such account."),
    ]
    answer = await owner.get(f"{path}/unused.csv")
    assert answer.headers["content-type"] == "text/csv; charset=utf-8"
    assert answer.headers["cache-control"] == "private, no-store"
    table = list(csv.reader(io.StringIO(answer.text)))
    assert table[0] == [*relation_csv.COLUMNS["following"], "Line", "Why not"]
    assert [row[0] for row in table[1:]] == ["nobody", "alice@blog.test", "missing@blog.test"]
    assert table[1][-2:] == ["3", "This is no address like name@example.org."]
    assert "1 line cannot be used" not in (await owner.get(PATH)).text
    assert "3 lines cannot be used" in (await owner.get(PATH)).text


async def test_overwriting_says_how_much_ends_and_asks(blog: Blog) -> None:
    people = await known(blog, "bob", "carol", "dave")
    for each in people[:2]:
        await blog.site.db.write(relations.put_follow, blog.alice.id, each.id, f"{each.uri}/f", "accepted")
    owner = await blog.owner()
    path = await bring(owner, "carol@far.example\ndave@far.example\n", mode="overwrite")
    page = (await owner.get(path)).text
    assert "You follow 1 person who is not in the file; that ends." in page
    assert await work(blog) == 0
    assert set(await following(blog)) == {"bob", "carol"}
    assert (await owner.post(f"{path}/begin")).status_code == 303
    await work(blog)
    assert set(await following(blog)) == {"carol", "dave"}
    assert (await sent(blog, "Undo"), await sent(blog, "Follow")) == (1, 1)
    assert "Done." in (await owner.get(path)).text


async def test_a_file_that_looks_like_another_kind_is_asked_about(blog: Blog) -> None:
    """Whom one blocks would be followed else."""
    await known(blog, "bob")
    owner = await blog.owner()
    path = await bring(owner, "bob@far.example\n", "blocked_accounts.csv", kind="following")
    assert "looks like this: “Whom you block”" in (await owner.get(path)).text
    assert await work(blog) == 0
    assert (await owner.post(f"{path}/remove")).status_code == 303
    assert (await owner.get(path)).status_code == 404
    assert await following(blog) == {}


async def test_all_other_kinds(blog: Blog) -> None:
    bob, carol = await known(blog, "bob", "carol")
    post, secret = await blog.write("Kept"), await blog.heard(carol, "<p>For others</p>", 1)
    await blog.site.db.write(lambda tx: tx.run("update post set visibility = 'direct' where id = :id", id=secret.id))
    owner = await blog.owner()
    files = {
        "muted_accounts.csv": "Account address,Hide notifications\nbob@far.example,false\n",
        "blocked_accounts.csv": "carol@far.example\n",
        "lists.csv": "Close,bob@far.example\nClose,alice@blog.test\n",
        "blocked_domains.csv": "loud.example\n",
        "bookmarks.csv": f"{post.uri}\nhttps://blog.test/p/12345\n{secret.uri}\n",
    }
    await blog.site.db.write(relations.mute, blog.alice.id, bob.id, blog.clock.now + 86_400_000)
    pages = {name: await bring(owner, text, name) for name, text in files.items()}
    await work(blog)

    def look(tx: Tx) -> list[object]:
        muted = relation_lists.muted(tx, blog.alice.id, Window())
        (made,) = lists.of_account(tx, blog.alice.id)
        return [
            [(each.account.handle, each.until is None) for each in muted],
            relations.blocks(tx, blog.alice.id, carol.id),
            [made.title, sorted(each.handle for each in lists.members(tx, made.id, None))],
            [host for _, host in relation_lists.muted_hosts(tx, blog.alice.id, Window())],
            [row.post for row in tx.all("select post from bookmark")],
        ]

    assert await blog.site.db.read(look) == [
        [("bob", False)],  # a mute that has an end keeps it
        True,
        ["Close", ["alice", "bob"]],
        ["loud.example"],
        [post.id],
    ]
    assert set(await following(blog)) == {"bob"}  # only whom one follows is in a list
    page = (await owner.get(pages["bookmarks.csv"])).text  # what is for others is as what is not there
    assert page.count("<td>There is no post at this address that you may read.</td>") == 2


async def test_servers_are_asked_about_where_follows_end(blog: Blog) -> None:
    (bob,) = await known(blog, "bob")
    await blog.site.db.write(relations.put_follow, blog.alice.id, bob.id, f"{bob.uri}/f", "accepted")
    owner = await blog.owner()
    path = await bring(owner, "#domain,#severity\nfar.example,suspend\n", "domain_blocks.csv")
    assert "You follow 1 people there, and 0 there follow you." in (await owner.get(path)).text
    assert set(await following(blog)) == {"bob"}
    await owner.post(f"{path}/begin")
    await work(blog)
    assert await following(blog) == {}


async def test_lists_are_overwritten(blog: Blog) -> None:
    bob, carol = await known(blog, "bob", "carol")

    def arrange(tx: Tx) -> None:
        for each in (bob, carol):
            relations.put_follow(tx, blog.alice.id, each.id, f"{each.uri}/f", "accepted")
        lists.put(tx, lists.add(tx, blog.alice.id, "Close", "list", exclusive=False), [bob.id])
        lists.put(tx, lists.add(tx, blog.alice.id, "Old", "list", exclusive=False), [carol.id])

    await blog.site.db.write(arrange)
    owner = await blog.owner()
    path = await bring(owner, "Close,carol@far.example\n", "lists.csv", mode="overwrite")
    page = (await owner.get(path)).text
    assert "2 people are in lists of yours" in page
    assert "1 of your lists is not in the file" in page
    await owner.post(f"{path}/begin")
    await work(blog)
    assert (await owner.get("/people/lists.csv")).text == "Close,carol@far.example\n"
    assert set(await following(blog)) == {"bob", "carol"}


@pytest.mark.parametrize(
    ("name", "text", "told"),
    [
        ("", "", "Choose a file."),
        ("mine.csv", "bob@far.example\n", "Neither the name nor the first line"),
        ("following_accounts.csv", HEAD, "There is nothing in this file."),
        ("following_accounts.csv", "bob@far.example\n" * 20_001, "at most 20000 lines"),
    ],
)
async def test_a_file_that_is_not_taken(blog: Blog, name: str, text: str, told: str) -> None:
    owner = await blog.owner()
    await owner.get(PATH)
    files = {"list": (name, text.encode(), "text/csv")} if name else {"list": ("", b"")}
    answer = await owner.post(PATH, {}, files=files)
    assert answer.status_code == 422
    assert told in answer.text


async def test_a_file_that_is_too_large(blog: Blog) -> None:
    owner = await blog.owner()
    assert "20000 lines and 2 MB" in (await owner.get(PATH)).text
    answer = await owner.post(PATH, {}, files={"list": ("a.csv", b"x" * 2_000_001, "text/csv")})
    assert answer.status_code == 413
    assert "2 MB" in answer.text


async def test_a_file_is_whose_it_is_and_goes_after_a_week(blog: Blog) -> None:
    await known(blog, "bob")
    owner, stranger = await blog.owner(), blog.browser()
    path = await bring(owner, "bob@far.example\n")
    number = int(path.rpartition("/")[2])
    for each in (path, f"{path}/unused.csv"):
        assert (await stranger.get(each)).status_code == 303
    assert await blog.site.db.read(relation_imports.own, blog.alice.id + 1, number) is None
    await work(blog)
    blog.clock.forward(seconds=8 * 86_400)
    assert await blog.site.db.write(relation_imports.sweep) == 1
    assert await blog.site.db.read(lambda tx: tx.all("select 1 as yes from relation_import_line")) == []


async def test_one_server_is_asked_little_at_a_time(blog: Blog) -> None:
    await known(blog, *(f"near{number}" for number in range(5)))
    for number in range(30):
        await blog.stranger("ann", f"s{number}.example")
    owner = await blog.owner()
    rows = [f"near{number}@far.example\n" for number in range(5)]
    await bring(owner, "".join(rows + [f"ann@s{number}.example\n" for number in range(30)]))
    steps = []
    while True:
        (job,) = [each for each in await blog.site.db.write(job_queue.claim, 50) if each.kind == job_kinds.IMPORT]
        before = set(await following(blog))
        hosts = await sent(blog, "Follow")
        await JOBS[job.kind](blog.site, job)
        blog.clock.forward(seconds=relation_import.PAUSE // 1000)
        found = set(await following(blog)) - before
        if not found:
            break
        steps.append((await sent(blog, "Follow") - hosts, len({each for each in found if each.startswith("near")})))
    assert sum(number for number, _ in steps) == 35
    assert max(number for number, _ in steps) <= relation_import.LINES
    assert max(near for _, near in steps) <= relation_import.LINES_OF_HOST
