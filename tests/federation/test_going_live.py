"""A trial becomes the real blog: nothing of the trial's address is left, and another server believes the new one."""

from __future__ import annotations

import asyncio
import io
import re
from collections.abc import AsyncIterator
from pathlib import Path
from urllib.parse import quote, urlsplit

import pytest
from msgspec.structs import replace
from PIL import Image

from fediblog.actions import category_actions, follow_actions, post_actions, reaction_actions
from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.drafts import Draft, File, PollDraft
from fediblog.actions.page_actions import PageDraft
from fediblog.cli import main
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Category
from fediblog.domain.urls import Urls
from fediblog.errors import Refused
from fediblog.federation import prepared_actions
from fediblog.federation.site import Site
from fediblog.federation.uploads import upload
from fediblog.store.engine import backup, origin_change
from fediblog.store.engine.database import connect
from fediblog.store.engine.own_links import TEXTS
from fediblog.store.people import accounts, relations
from fediblog.store.posts import posts
from fediblog.store.queues import incoming_queue
from fediblog.store.tx import Tx
from tests.postgres import Cluster
from tests.remote_accounts import save_remote
from tests.store import makers
from tests.store.makers import home_of
from tests.world import World, WorldEngine, add_person, keys_of, new_site

TRIAL, REAL, FAR = "http://127.0.0.1:8080", "https://blog.test", "far.test"
HOST = urlsplit(TRIAL).netloc
_CODE = re.compile("<(?:pre|code)>.*?</(?:pre|code)>|```.*?```|`[^`\n]*`", re.DOTALL)
_OWN_LINK = re.compile(f"{TRIAL}/(?:@|media/|p/|a/)|@(?:ann|bob)@{HOST}")


class Trial:
    """A data folder in which Ann and Bob try out, as a server of the world that is not there yet."""

    def __init__(self, world: World) -> None:
        self.world = world
        self.folder: Path = world._folder / "blog.test"
        if world._postgres is not None:
            cluster, template = world._postgres
            world._databases["blog.test"] = cluster.create(template)
        self.database = world._postgres[0].url(world._databases["blog.test"]) if world._postgres else ""

    async def open(self) -> Site:
        return await new_site(
            self.folder, TRIAL, WorldEngine(self.world.network), self.world.clock, database=self.database
        )

    async def go_live(self, *more: str) -> int:
        words = ["go-live", "--origin", REAL, "--data", str(self.folder), *more]
        return await asyncio.to_thread(main, words + (["--database", self.database] if self.database else []))

    async def texts(self) -> dict[str, list[str]]:
        """All text in the database, by table and column."""
        db = await connect(self.database or self.folder / "fediblog.db")
        try:
            return await db.scan(_texts)
        finally:
            await db.close()


def _texts(tx: Tx) -> dict[str, list[str]]:
    found: dict[str, list[str]] = {}
    for table, columns, rows in backup.dump(tx):
        for row in rows:
            for column, value in zip(columns, row, strict=True):
                if isinstance(value, bytes):
                    value = value.decode("latin-1")
                if isinstance(value, str):
                    found.setdefault(f"{table}.{column}", []).append(value)
    return found


@pytest.fixture(params=["sqlite", pytest.param("postgres", marks=pytest.mark.postgres)])
def postgres(request: pytest.FixtureRequest) -> tuple[Cluster, str] | None:
    if request.param == "sqlite":
        return None
    return request.getfixturevalue("cluster"), request.getfixturevalue("migrated_database")


@pytest.fixture
async def trial(postgres: tuple[Cluster, str] | None) -> AsyncIterator[Trial]:
    async with World(FAR, postgres=postgres) as world:
        yield Trial(world)


async def person(site: Site, handle: str) -> Account:
    return await site.db.write(add_person, site.urls, handle, keys_of("trial", handle))


def names_trial(text: str) -> bool:
    """Whether the trial's address stands in it: not a longer port, nor another host that ends in the same way."""
    return HOST in text.replace(f"{HOST}0", "").replace(f"1{HOST}", "")


async def furnish(site: Site) -> Account:
    """What two people write who try out everything."""
    ann, bob = await person(site, "ann"), await person(site, "bob")

    async def write(who: Account, source: str, **more: object) -> int:
        return (await prepared_actions.publish(site, who.id, Draft(source=source, **more))).id  # type: ignore[arg-type]

    picture = io.BytesIO()
    Image.new("RGB", (32, 20), "teal").save(picture, "PNG")
    stored = await upload(site, ann.id, picture.getvalue())
    urls, act = site.urls, site.db.write
    trees = await act(category_actions.add, Category(id=0, name="Trees", slug="trees", description=f"See {TRIAL}/"))
    article = await write(
        ann,
        f"For @bob, @bob@{HOST}: ![Teal]({TRIAL}/media/{stored.file})\n\nSee {TRIAL}/@bob, [me](/@ann) or `{HOST}/a`."
        f"\n\n127.0.0.1:80800 and 1{HOST} are elsewhere. {quote(TRIAL, safe='')}\n\n```\ncurl {TRIAL}/@bob\n```\n\n"
        f"- a list\n\n    with {TRIAL}/@ann in it\n\nI ran it at {TRIAL}/ and {TRIAL}/nowhere.",
        title="A walk",
        summary=f"At {TRIAL}",
        hero=File(upload=stored.id, alt="Teal"),
        categories=(trees.id,),
        tags=("walk",),
    )
    draft = Draft(source=f"Anew, @bob. {TRIAL}/p/1", title="A longer walk", slug="a-longer-walk")
    await prepared_actions.edit(site, ann.id, article, draft)
    again = await upload(site, ann.id, picture.getvalue())
    note = await write(ann, f"Look, @bob\n{HOST}", files=(File(upload=again.id, alt="Teal"),))
    answer = await write(bob, "Fine, @ann", reply_to=note)
    await write(bob, "As she says", quote=note)
    await write(ann, "For @bob alone", visibility=Visibility.DIRECT)
    poll = await write(ann, "Which?", poll=PollDraft(options=("Oak", f"{HOST}/elm")))
    gone = await write(ann, "Away")
    await write(ann, "Not yet, @bob", state="draft", title="Draft")
    await write(ann, "Later, @bob", state="scheduled", scheduled=site.clock() + 86_400_000)
    await act(follow_actions.follow, urls, bob.id, ann.id)
    await act(follow_actions.follow, urls, ann.id, bob.id)
    await act(reaction_actions.like, urls, bob.id, note)
    await act(reaction_actions.like, urls, ann.id, answer)
    await act(reaction_actions.boost, urls, bob.id, article)
    await act(reaction_actions.vote, urls, bob.id, poll, ("Oak",))
    await act(post_actions.pin, urls, ann.id, article)
    await act(post_actions.delete, urls, ann.id, gone)
    profile = ProfileChanges(name="Ann", summary=f"With @bob at {TRIAL}/", fields=(("Blog", f"{TRIAL}/@ann"),))
    await prepared_actions.update_profile(site, ann.id, replace(profile, icon=stored.id))
    theirs = f'<p>{TRIAL}/@ann is <a href="{TRIAL}/@ann">theirs</a></p>'
    await act(lambda tx: makers.post(tx, makers.remote(tx, "eve", "elsewhere.test"), content=theirs))
    page = PageDraft(title="About", source=f"[Home]({TRIAL}/)", published=True, role="about")
    await prepared_actions.save_page(site, None, page, ())
    return ann


async def test_a_trial_becomes_the_real_blog(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    site = await trial.open()
    ann = await furnish(site)
    assert await trial.go_live() != 0  # while it is open somewhere
    assert "in use" in capsys.readouterr().err
    await site.close()
    before = await trial.texts()
    held = {column for column, values in before.items() if any(HOST in value for value in values)}
    assert {"account.uri", "account.domain", "post.content", "post.source", "signing_key.uri", "setting.value"} <= held
    assert {"revision.content", "poll_vote.uri", "reaction.uri", "boost.uri", "tombstone.uri"} <= held
    assert {"page.content", "category.description", "attachment.url", "post.poll", "account.fields"} <= held

    assert list(trial.folder.glob("trial-*.tar")) == []
    assert await trial.go_live() == 0
    assert "This is https://blog.test now" in capsys.readouterr().out
    assert len(list(trial.folder.glob("trial-*.tar"))) == 1
    after = await trial.texts()
    kept = {column: [value for value in values if names_trial(value)] for column, values in after.items()}
    typed = {f"{table}.{column}" for table, (_, columns) in TEXTS.items() for column in columns}
    assert {column for column, values in kept.items() if values} <= {*typed, "post_words.words"}
    links = [
        (column, value)
        for column, values in kept.items()
        for value in values
        if "theirs" not in value and _OWN_LINK.search(_CODE.sub("", value))
    ]
    assert links == []
    content, source = "\n".join(after["revision.content"]), "\n".join(after["revision.source"])
    for said in (f"<code>{HOST}/a</code>", f"curl {TRIAL}/@bob", f"{TRIAL}/nowhere", quote(TRIAL, safe="")):
        assert said in content, said
    for said in (f"@bob@{urlsplit(REAL).netloc}: ", f"({REAL}/media/", f"See {REAL}/@bob", f"with {REAL}/@ann in it"):
        assert said in source, said
    for said in (f"`{HOST}/a`", f"curl {TRIAL}/@bob", f"I ran it at {TRIAL}/ and"):
        assert said in source, said
    for column, said in (
        ("post.content", f'<p>{TRIAL}/@ann is <a href="{TRIAL}/@ann">theirs</a></p>'),
        ("revision.summary", f"At {TRIAL}"),
        ("category.description", f"See {TRIAL}/"),
        ("page.source", f"[Home]({REAL}/)"),
    ):
        assert any(said in value for value in after[column]), column
    assert any(f'<a href="{REAL}/">Home</a>' in value for value in after["page.content"])
    assert any(f"{REAL}/@ann" in value for value in after["account.fields"])
    counted = {column: len(values) for column, values in after.items()}
    assert counted == {column: len(values) for column, values in before.items()}

    await works_at_its_address(trial.world, ann)


async def works_at_its_address(world: World, before: Account) -> None:
    """Pages, feed and documents are found, and a server that follows gets what is signed, and believes it."""
    site = await world.open("blog.test")
    ann = await site.db.read(accounts.local_by_handle, "ann")
    assert ann is not None
    assert (ann.uri, ann.acct) == (f"{REAL}/a/{before.id}", "ann@blog.test")
    for path in ("/", "/@ann", "/feed.atom", "/@ann/feed.atom", "/category/trees", "/about", "/search?q=walk"):
        page = await world.get("blog.test", path, "text/html")
        assert (page.status_code, _OWN_LINK.search(_CODE.sub("", page.text))) == (200, None), path
    article = await site.db.read(posts.by_link, f"{REAL}/@ann/2025/06/a-longer-walk")
    assert article is not None
    page = await world.get("blog.test", article.url, "text/html")
    assert (page.status_code, "Anew" in page.text) == (200, True)
    moved = await world.get("blog.test", "/@ann/2025/06/a-walk", "text/html")
    assert (moved.status_code, moved.headers["location"]) == (301, "/@ann/2025/06/a-longer-walk")
    document = (await world.get("blog.test", ann.uri)).json()
    assert (document["id"], document["publicKey"]["id"]) == (ann.uri, f"{ann.uri}#main-key")
    assert (await world.get("blog.test", document["icon"]["url"], "*/*")).status_code == 200

    ben = await world.person(FAR, "ben")
    await prepared_actions.follow(world.sites[FAR], ben.id, "@ann@blog.test")
    await world.settle()
    there = await world.read(FAR, accounts.by_uri, ann.uri)
    assert there is not None
    assert await world.read(FAR, relations.is_following, ben.id, there.id)
    await prepared_actions.publish(site, ann.id, Draft(source="From home, @bob"))
    await world.settle()
    home = await world.read(FAR, home_of, ben.id)
    assert any("From home" in item.post.content for item in home)
    assert not any(names_trial(f"{sent.url} {sent.headers}") for sent in world.network.sent)
    assert not any(_OWN_LINK.search(_CODE.sub("", str(sent.body))) for sent in world.network.sent)


async def test_handles_on_another_domain(trial: Trial) -> None:
    site = await trial.open()
    ann = await person(site, "ann")
    await prepared_actions.publish(site, ann.id, Draft(source=f"@ann@{HOST} is me"))
    await site.close()
    assert await trial.go_live("--handle-domain", "people.test", "--no-backup") == 0
    assert list(trial.folder.glob("trial-*.tar")) == []
    after = await trial.texts()
    assert set(after["account.domain"]) == {"people.test"}
    assert "ann@people.test" in after["account.webfinger"]
    assert {"people.test", REAL} <= set(after["setting.value"])
    assert set(after["account.host"]) == {"blog.test"}
    assert "people.test" in after["account.name"]  # of the server's own actor


async def test_what_others_know_keeps_its_address(trial: Trial, capsys: pytest.CaptureFixture[str]) -> None:
    site = await trial.open()
    ann = await person(site, "ann")
    await prepared_actions.publish(site, ann.id, Draft(source="Hello"))
    new = Urls(REAL, "blog.test")
    known = await trial.world.person(FAR, "ben")
    await site.db.write(incoming_queue.first_time, "urn:fediblog:probe")  # what looks whether writing is possible
    await site.db.read(origin_change.check_unknown_elsewhere, new)
    with pytest.raises(Refused, match="another server at"):
        await site.db.write(_known_there, known, new)
    with pytest.raises(Refused, match="already got something"):
        await site.db.write(_delivered, new)
    await site.db.write(incoming_queue.first_time, f"https://{FAR}/x/1")
    await site.close()
    before = await trial.texts()
    assert await trial.go_live() == 1
    assert "already sent something" in capsys.readouterr().err
    assert await trial.texts() == before


def _known_there(tx: Tx, account: Account, new: Urls) -> None:
    save_remote(tx, account, FAR)
    tx.run("update account set host = 'blog.test' where uri = :uri", uri=account.uri)
    origin_change.check_unknown_elsewhere(tx, new)


def _delivered(tx: Tx, new: Urls) -> None:
    tx.run("update outgoing set reached = 1")
    origin_change.check_unknown_elsewhere(tx, new)


async def test_a_crash_leaves_the_trial(trial: Trial, monkeypatch: pytest.MonkeyPatch) -> None:
    site = await trial.open()
    await furnish(site)
    await site.close()
    before = await trial.texts()

    def fail(*_args: object) -> None:
        raise RuntimeError

    monkeypatch.setattr(origin_change, "_index_anew", fail)  # the last step
    with pytest.raises(RuntimeError):
        await trial.go_live("--no-backup")
    assert await trial.texts() == before
