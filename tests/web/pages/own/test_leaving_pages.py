"""Taking everything along, and leaving for good: with a password, and for the owner of the account alone."""

from __future__ import annotations

import csv
import io
import json
import os
from zipfile import ZipFile

import pytest

from fediblog.actions import account_actions
from fediblog.domain.accounts import AccountRole
from fediblog.domain.documents import Visibility
from fediblog.federation.jobs import JOBS
from fediblog.prepare import relation_csv
from fediblog.protocol.notes import read_note
from fediblog.store.people import access, accounts, relations
from fediblog.store.posts import media_files
from fediblog.store.queues import account_exports, job_kinds, job_queue
from tests.mastodon.statuses.test_media_api import picture
from tests.web.pages.conftest import PASSWORD, Blog
from tests.world import add_person, keys_of

EXPORT, DELETE = "/settings/export", "/settings/delete"


async def work(blog: Blog) -> None:
    """Do what waits of exports."""
    for job in await blog.site.db.write(job_queue.claim, 50):
        if job.kind == job_kinds.EXPORT:
            await JOBS[job.kind](blog.site, job)


async def test_everything_leaves_in_one_file(blog: Blog) -> None:
    owner = await blog.owner()
    await blog.write("# not a title\n\nKept *as typed*", title='A Title: "x"', tags=("tea",), language="en")
    await blog.write("For those who follow", visibility="followers", warning="Careful")
    await blog.write("Not yet", title="Draft", state="draft")
    shown = {"upload": ("a.png", picture(), "image/png")}
    upload = await owner.post("/write", {"source": "See", "do": "publish"}, files=shown)
    assert upload.status_code == 303
    bob = await blog.stranger("bob")
    await blog.site.db.write(relations.put_follow, bob.id, blog.alice.id, f"{bob.uri}/f", "accepted")
    assert (await owner.post(EXPORT)).status_code == 303
    page = (await owner.get(EXPORT)).text
    assert "is being made" in page
    assert "/download" not in page
    await work(blog)
    assert "is ready" in (await owner.get(EXPORT)).text
    answer = await owner.post(f"{EXPORT}/download", {"old": "wrong"})
    assert answer.status_code == 422
    answer = await owner.post(f"{EXPORT}/download", {"old": PASSWORD})
    assert answer.headers["content-type"] == "application/zip"
    assert answer.headers["content-disposition"] == 'attachment; filename="alice-blog.test.zip"'
    assert answer.headers["cache-control"] == "private, no-store"
    archive = ZipFile(io.BytesIO(answer.content))
    assert archive.testzip() is None
    names = archive.namelist()
    assert len(names) == len(set(names))
    actor = json.loads(archive.read("actor.json"))
    assert actor["preferredUsername"] == "alice"
    assert b"PRIVATE" not in answer.content
    outbox = json.loads(archive.read("outbox.json"))
    assert [each["type"] for each in outbox["orderedItems"]] == ["Create"] * 3
    notes = [read_note(each["object"]) for each in outbox["orderedItems"]]
    assert [note and note.summary for note in notes] == ["", "Careful", ""]
    posts = {name: archive.read(name).decode() for name in names if name.endswith(".md")}
    assert sum(name.startswith("drafts/") for name in posts) == 1
    article = next(text for name, text in posts.items() if "a-title" in name)
    assert 'title: "A Title: \\"x\\""\n' in article
    assert 'tags: ["tea"]\n' in article
    assert article.endswith("---\n\n# not a title\n\nKept *as typed*\n")
    assert any('audience: "followers"' in text and 'warning: "Careful"' in text for text in posts.values())
    files = await blog.site.db.read(media_files.files_of, blog.alice.id, 0, 10)
    assert [name for name in names if name.startswith("media/")] == [f"media/{name}" for _, name in files]
    rows = list(csv.reader(io.StringIO(archive.read("relations/followers.csv").decode())))
    assert rows == [["bob@far.example"]]
    assert {f"relations/{each}" for each in relation_csv.FILES.values()} <= set(names)


async def test_an_export_is_made_once_a_day_and_kept_for_some_days(blog: Blog) -> None:
    owner = await blog.owner()
    await owner.post(EXPORT)
    await work(blog)
    folder = blog.site.settings.exports
    first = [each.name for each in folder.iterdir()]
    assert len(first) == 1
    assert folder.joinpath(first[0]).stat().st_mode & 0o077 == 0
    await owner.post(EXPORT)
    await work(blog)
    assert [each.name for each in folder.iterdir()] == first
    os.utime(folder / first[0], (1, 1))  # whose clock is not ours
    blog.clock.forward(seconds=8 * 86_400)
    sweep = job_queue.Job(id=1, kind=job_kinds.SWEEP, subject="hourly", payload={}, tries=1)
    await JOBS[job_kinds.SWEEP](blog.site, sweep)
    await JOBS[job_kinds.SWEEP](blog.site, sweep)  # files go after their rows
    assert list(folder.iterdir()) == []
    owner = await blog.owner()
    assert (await owner.post(f"{EXPORT}/download", {"old": PASSWORD})).status_code == 404


@pytest.mark.parametrize("path", [EXPORT, f"{EXPORT}/download", DELETE])
async def test_who_may_act_as_an_account_does_not_own_it(blog: Blog, path: str) -> None:
    """An editor takes nothing along and deletes nothing, nor does the owner of the server."""
    other = await blog.site.db.write(add_person, blog.site.urls, "bea", keys_of("blog.test", "bea"))
    login = blog.alice.login or 0
    await blog.site.db.write(lambda tx: access.give(tx, login, other.id, AccountRole.EDITOR))
    owner = await blog.owner()
    await owner.post("/session/account", {"account": str(other.id)})
    await owner.get("/write")
    typed = {"old": PASSWORD, "handle": "bea", "sure": "1"}
    assert (await owner.post(path, typed)).status_code == 403
    assert path.endswith("download") or (await owner.get(path)).status_code == 403
    standing = await blog.site.db.read(accounts.get, other.id)
    assert standing is not None
    assert standing.state == "active"
    assert await blog.site.db.read(account_exports.get, other.id) is None


@pytest.mark.parametrize(
    ("typed", "told"),
    [
        ({"old": PASSWORD, "sure": "1", "handle": "alicia"}, "This is not alice."),
        ({"old": PASSWORD, "handle": "alice"}, "Tick the box"),
        ({"old": "wrong", "sure": "1", "handle": "alice"}, "password"),
    ],
)
async def test_an_account_is_not_deleted_by_mistake(blog: Blog, typed: dict[str, str], told: str) -> None:
    owner = await blog.owner()
    answer = await owner.post(DELETE, typed)
    assert answer.status_code == 422
    assert told in answer.text
    standing = await blog.site.db.read(accounts.get, blog.alice.id)
    assert standing is not None
    assert standing.state == "active"


async def test_an_account_is_deleted_for_good(blog: Blog) -> None:
    owner, post = await blog.owner(), await blog.write("Gone soon", visibility=Visibility.PUBLIC)
    page = (await owner.get(DELETE)).text
    assert "It cannot be undone" in page
    assert 'href="/settings#moving"' in page
    assert (await owner.post(DELETE, {"old": PASSWORD, "sure": "1", "handle": "@Alice"})).status_code == 303
    visitor = blog.browser()
    assert (await visitor.get(post.url.removeprefix("https://blog.test"))).status_code in (404, 410)
    sent = await blog.site.db.read(lambda tx: tx.all("select kind from outgoing order by id desc limit 1"))
    assert [row.kind for row in sent] == ["Delete"]
    assert account_actions.INSTANCE_HANDLE not in (await owner.get("/new-account")).text
