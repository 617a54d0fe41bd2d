"""What is not for somebody is not there for them: on no page, in no list, in no answer, and for no verb."""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import httpx
import pytest
from msgspec.structs import replace
from starlette.routing import BaseRoute, Mount, Route

from fediblog.actions import category_actions, follow_actions, reaction_actions, trash_actions
from fediblog.actions.drafts import Draft
from fediblog.actions.page_actions import PageDraft
from fediblog.app import ROUTES, create_app
from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, Note, Visibility
from fediblog.domain.posts import Category, Post
from fediblog.domain.urls import Urls
from fediblog.federation import prepared_actions
from fediblog.protocol import cavage
from fediblog.store.engine.sqlite_connection import SqliteTx
from fediblog.store.id_paging import Window
from fediblog.store.people import accounts, relations
from fediblog.store.posts import categories, media_files, post_writing, posts, reaction_lists
from fediblog.store.posts.post_columns import Placement
from fediblog.store.readers import autosaves, trash
from fediblog.store.readers.autosaves import Autosave
from fediblog.store.tx import Tx
from tests import wording
from tests.federation.stranger import ORIGIN, Home, Person
from tests.security.reading import press, reader, visitor
from tests.world import add_person, ask, keys_of

DAY = 86_400_000
NAME = f"ab/cd/abcd{0:028}.png"
ACCEPTS = ["text/html", "application/activity+json", "*/*"]
_PART = re.compile(r"{(\w+)(?::\w+)?}")
_SECRET = re.compile(r"plover|plugh", re.IGNORECASE)


@dataclass
class House:
    """Alice, who keeps secrets; Mallory, who has a login here too and follows nobody; Eve, who asks to follow."""

    home: Home
    app: Any
    mallory: Account
    eve: Account
    secrets: dict[str, Post]

    async def as_mallory(self) -> httpx.AsyncClient:
        return await reader(self.home.site, self.mallory, self.app)

    async def as_alice(self) -> httpx.AsyncClient:
        return await reader(self.home.site, self.home.alice, self.app)

    def as_nobody(self) -> httpx.AsyncClient:
        return visitor(self.home.site, self.app)


@pytest.fixture
async def house(at_home: Home, eve: Person) -> House:
    site, alice = at_home.site, at_home.alice
    mallory = await site.db.write(add_person, site.urls, "mallory", keys_of("home.test", "mallory"))
    drafts = {
        "followers": Draft(source="canary plover #plugh", visibility=Visibility.FOLLOWERS),
        "article": Draft(source="canary plover #plugh", title="Plugh", visibility=Visibility.FOLLOWERS),
        "direct": Draft(source="canary plover #plugh", visibility=Visibility.DIRECT),
        "draft": Draft(source="canary plover #plugh", title="Plugh", state="draft"),
        "scheduled": Draft(source="canary plover #plugh", state="scheduled", scheduled=at_home.clock.now + DAY),
    }
    secrets = {name: await site.db.write(wording.publish, site.urls, alice.id, draft) for name, draft in drafts.items()}
    open_to_all = await site.db.write(wording.publish, site.urls, alice.id, Draft(source="For everybody"))
    hidden = Draft(source="canary plover #plugh", reply_to=open_to_all.id)
    secrets["hidden"] = await site.db.write(wording.publish, site.urls, alice.id, hidden)
    await site.db.write(lambda tx: tx.run("update post set state = 'hidden' where id = :id", id=secrets["hidden"].id))
    await site.db.write(filed, [open_to_all, *secrets.values()])
    page = PageDraft(title="Plugh", source="canary plover", published=False)
    await prepared_actions.save_page(site, None, page, ())
    kept = Autosave(mark="kept", about="new", words="canary", fields='[["source","canary plover"]]', changed=0)
    await site.db.write(autosaves.put, alice.id, kept)
    account = await at_home.know(eve)
    await site.db.write(relations.put_follow, account.id, alice.id, "https://eve.test/x/f", "pending")
    secrets["boost"] = await site.db.write(boosted, site.urls, alice, account)
    secrets["trash"] = await site.db.write(thrown, site.urls, alice)
    return House(at_home, create_app(site), mallory, account, secrets)


def filed(tx: Tx, posts: Sequence[Post]) -> None:
    """All of them filed under one category."""
    number = category_actions.add(tx, Category(id=0, name="Canary", slug="canary")).id
    for post in posts:
        categories.file_under(tx, post.id, [number])


def thrown(tx: Tx, urls: Urls, alice: Account) -> Post:
    """What Alice deleted, under the number that it has in her trash."""
    post = wording.publish(tx, urls, alice.id, Draft(source="canary plover #plugh", visibility=Visibility.FOLLOWERS))
    trash_actions.delete(tx, urls, alice.id, post.id, {})
    number = trash.listed(tx, alice.id, Window())[0].id
    return replace(post, id=number, uri=f"{ORIGIN}/p/{number}", url=f"{ORIGIN}/@alice/{number}")


def boosted(tx: Tx, urls: Urls, alice: Account, author: Account) -> Post:
    """A public post to which only Alice's boost for followers leads, under the number and addresses of that boost."""
    note = Note(uri=f"{author.uri}/1", kind="Note", author=author.uri, to=(PUBLIC,), content="canary plover")
    number = post_writing.insert(tx, note, author, Placement(visibility=Visibility.PUBLIC))
    reaction_actions.boost(tx, urls, alice.id, number, Visibility.FOLLOWERS)
    boost, whole = reaction_lists.own_boost(tx, alice.id, number), posts.stored(tx, number)
    assert boost is not None
    assert whole is not None
    return replace(whole, id=boost.id, uri=boost.uri, url=f"{ORIGIN}/@alice/{boost.id}")


def flat(routes: list[BaseRoute]) -> list[Route]:
    found: list[Route] = []
    for route in routes:
        found += (
            [route] if isinstance(route, Route) else flat(list(route.routes or [])) if isinstance(route, Mount) else []
        )
    return found


def asked(path: str, post: Post) -> str:
    """A route's path, filled with what a post that is secret would have there."""
    month, _, _ = post.url.removeprefix(f"{ORIGIN}/@alice/").rpartition("/")
    year, _, day = month.partition("/")
    known = {"n": post.id, "number": post.id, "handle": "alice", "slug": post.slug or "plugh", "name": "plugh"}
    known |= {"year": year or "2025", "month": day or "06", "format": "atom", "version": "2.0", "path": "x"}
    known |= {"rest": f"v1/statuses/{post.id}", "owner": f"p{post.id}", "mark": "A" * 22, "encoded": "aHR0"}
    if path.startswith("/category/"):
        known["slug"] = "canary"
    return _PART.sub(lambda found: str(known[found[1]]), path)


READ = sorted({route.path for route in flat(ROUTES) if "GET" in (route.methods or ())})
WRITE = sorted({route.path for route in flat(ROUTES) if "POST" in (route.methods or ()) and "inbox" not in route.path})


async def test_private_and_missing_are_one_answer(house: House) -> None:
    for browser in (house.as_nobody(), await house.as_mallory()):
        for path in (path for path in READ if re.search(r"{(n|number):number}", path) and "/a/" not in path):
            for kind, post in house.secrets.items():
                for accept in ACCEPTS:
                    other = post.id + 12345
                    private = await browser.get(asked(path, post), headers={"accept": accept})
                    address = asked(path, post).replace(str(post.id), str(other))
                    missing = await browser.get(address, headers={"accept": accept})
                    assert private.status_code == missing.status_code, (path, kind)
                    assert private.text.replace(str(post.id), str(other)) == missing.text, (path, kind)
                    drop = {"content-length", "location"}
                    assert {k: v for k, v in private.headers.items() if k not in drop} == {
                        k: v for k, v in missing.headers.items() if k not in drop
                    }, (path, kind)


async def test_private_and_missing_cost_the_same(house: House, monkeypatch: pytest.MonkeyPatch) -> None:
    """As many questions to the database, so that the time tells nothing either."""
    said: list[str] = []
    one, every = SqliteTx.one, SqliteTx.all

    def asked_one(tx: SqliteTx, sql: str, /, **more: Any) -> Any:
        said.append(sql)
        return one(tx, sql, **more)

    def asked_all(tx: SqliteTx, sql: str, /, **more: Any) -> Any:
        said.append(sql)
        return every(tx, sql, **more)

    monkeypatch.setattr(SqliteTx, "one", asked_one)
    monkeypatch.setattr(SqliteTx, "all", asked_all)
    browser = house.as_nobody()

    async def cost(path: str, accept: str) -> list[str]:
        said.clear()
        await browser.get(path, headers={"accept": accept})
        return list(said)

    for path in ("/@alice/{}", "/p/{}", "/x/{}", "/c/{}", "/p/{}/replies"):
        for post in house.secrets.values():
            for accept in ("text/html", "application/activity+json"):
                private = await cost(path.format(post.id), accept)
                assert private
                assert private == await cost(path.format(post.id + 1), accept), path


def upload_of(tx: Tx, account: Account) -> int:
    """A picture that somebody has uploaded."""
    return media_files.add(
        tx, account.id, media_type="image/png", file=NAME, large="", small="", width=1, height=1, blurhash="", size=1
    )


async def everything_of_alice(house: House) -> list[Any]:
    found = []
    for sql in (
        "select * from post where account = :id order by id",
        "select * from account where id = :id",
        "select * from media where account = :id",
        "select * from autosave where account = :id",
        "select * from trash where account = :id",
        "select * from mention where account = :id",
        "select * from follow where follower = :id or followed = :id",
        "select * from block where account = :id",
        "select * from mute where account = :id",
        "select * from notice where account = :id",
        "select * from outgoing where account = :id order by id",
        "select * from login where id = (select login from account where id = :id)",
        "select * from reaction where post in (select id from post where account = :id)",
        "select * from boost where post in (select id from post where account = :id)",
        "select * from poll_vote where post in (select id from post where account = :id)",
        "select account from session where login = (select login from account where id = :id)",
    ):
        found.append(await house.home.ask(sql, id=house.home.alice.id))
    return [*found, await house.home.ask("select * from blocked_host"), await house.home.ask("select * from report")]


ABOUT_POSTS = [path for path in WRITE if path.startswith(("/post/", "/write/", "/trash/")) and "{" in path]
ABOUT_PEOPLE = [path for path in WRITE if path.startswith("/account/")]


@pytest.mark.parametrize("path", ABOUT_POSTS)
async def test_no_verb_finds_what_is_not_for_the_one_who_presses_it(house: House, path: str) -> None:
    browser = await house.as_mallory()
    before = await everything_of_alice(house)
    typed = {"source": "mine now", "do": "publish", "choice": "Tea"}
    for post in house.secrets.values():
        private = await press(browser, asked(path, post), typed)
        missing = await press(browser, asked(path, post).replace(str(post.id), str(post.id + 1)), typed)
        assert (private.status_code, missing.status_code) == (404, 404)
        assert private.text.replace(str(post.id), "") == missing.text.replace(str(post.id + 1), "")
    assert await everything_of_alice(house) == before


FOR_READERS = ("like", "boost", "bookmark", "mute", "unreact")


@pytest.mark.parametrize("path", [path for path in ABOUT_POSTS if not path.endswith(FOR_READERS)])
async def test_nobody_changes_public_posts_of_others(house: House, path: str) -> None:
    """What may be seen may be liked and kept; all else is for its author."""
    post = await house.home.writes()
    before = await everything_of_alice(house)
    answer = await press(await house.as_mallory(), asked(path, post), {"source": "mine now", "do": "publish"})
    assert answer.status_code == (422 if path.endswith(("vote", "react")) else 404)
    assert await everything_of_alice(house) == before


@pytest.mark.parametrize("path", ABOUT_PEOPLE)
async def test_nobody_acts_for_another_account(house: House, path: str) -> None:
    """Whatever is pressed about somebody, it is done in one's own name: Eve's request to Alice stays as it is."""
    before = await everything_of_alice(house)
    answer = await press(await house.as_mallory(), path.replace("{n:number}", str(house.eve.id)))
    refused = path.endswith(("/accept", "/refuse", "/remove"))
    assert answer.status_code == (404 if refused else 303)
    assert await everything_of_alice(house) == before


async def test_the_rest_of_the_forms_know_only_ones_own(house: House) -> None:
    """Every form that is left, with numbers of Alice's."""
    site, alice = house.home.site, house.home.alice
    number = await site.db.write(upload_of, alice)
    browser, before = await house.as_mallory(), await everything_of_alice(house)
    secret = house.secrets["followers"].id
    for path in WRITE:
        if path in ABOUT_POSTS or path in ABOUT_PEOPLE or path in ("/logout", "/settings/accounts"):
            continue
        typed = {
            "source": "hello",
            "do": "publish",
            "file": str(number),
            "hero": str(number),
            "reply": str(secret),
            "account": str(alice.id),
            "login": str(alice.login),
            "host": "far.test",
            "name": "alice",
            "old": "x",
            "mark": "kept",
        }
        answer = await press(browser, asked(path, house.secrets["draft"]), typed)
        for_scripts = path.endswith(("/autosave", "/passkey", "/ask-to-make", "/ask-to-sign"))  # which answer with JSON
        assert answer.status_code in ((200, 403) if for_scripts else (303, 400, 403, 404, 422)), path
        assert not _SECRET.search(answer.text), path
        assert not _SECRET.search(answer.headers.get("location", "")), path
        assert await everything_of_alice(house) == before, path
    written = await house.home.ask("select id from post where account = :id", id=house.mallory.id)
    assert written == []  # the answer to what he cannot see was not made
    mallory = await site.db.read(accounts.get, house.mallory.id)
    assert mallory is not None
    assert mallory.icon is None


async def test_pictures_of_others_are_not_used(house: House) -> None:
    site, alice = house.home.site, house.home.alice
    number = await site.db.write(upload_of, alice)
    browser, before = await house.as_mallory(), await everything_of_alice(house)
    typed = {"source": "hello", "do": "publish", "file": str(number), f"alt-{number}": "mine", "hero": str(number)}
    shown = await press(browser, "/write", {**typed, "do": "preview"})
    assert NAME not in shown.text
    assert (await press(browser, "/write", typed)).status_code == 303
    assert (await press(browser, "/write", {**typed, "title": "A title"})).status_code == 303
    assert await house.home.ask("select count(*) from attachment") == [(0,)]
    assert await house.home.ask("select image from post where account = :id", id=house.mallory.id) == [("",), ("",)]
    assert await everything_of_alice(house) == before


async def test_only_the_owner_of_the_server_moderates(house: House) -> None:
    """Every route below /moderation, and those beside it; also those of tomorrow."""
    browser, nobody, post = await house.as_mallory(), house.as_nobody(), house.secrets["followers"]
    before = await everything_of_alice(house)
    for path in [each for each in WRITE if each.startswith("/moderation")]:
        assert (await press(browser, asked(path, post), {"host": "far.test"})).status_code == 403, path
        assert (await press(nobody, asked(path, post), {"host": "far.test"})).status_code == 403, path
    for path in [each for each in READ if each.startswith(("/moderation", "/refusals"))]:
        assert (await browser.get(asked(path, post))).status_code == 403, path
        assert (await nobody.get(asked(path, post))).headers["location"].startswith("/login"), path
    assert await everything_of_alice(house) == before


async def test_a_pasted_address_finds_only_what_its_finder_may_see(house: House) -> None:
    """Also where the server knows it: else the answer would tell that it is there, and what it is called."""
    for browser, found in ((await house.as_mallory(), False), (await house.as_alice(), True)):
        for kind in ("followers", "article", "direct", "draft"):
            post = house.secrets[kind]
            for address in (post.uri, post.url):
                answer = await press(browser, "/find", {"q": address})
                assert answer.status_code == (303 if found else 422), (kind, found)


async def test_a_follower_reads_by_a_signed_request_and_nobody_keeps_the_answer(house: House, bob: Person) -> None:
    home, post = house.home, house.secrets["followers"]
    account = await home.know(bob)
    await home.site.db.write(relations.put_follow, account.id, home.alice.id, "https://bob.test/x/f", "accepted")

    async def read(signer: Person | None, address: str = post.uri) -> httpx.Response:
        headers = {"accept": "application/activity+json", "host": "home.test"}
        if signer is not None:
            now = home.clock.now // 1000
            added = cavage.sign("GET", address, headers, b"", signer.key_id, signer.key, now)
            headers |= {name.lower(): value for name, value in added.items()}
        return await ask(house.app, "GET", address, headers)

    theirs = await read(bob)
    assert theirs.status_code == 200
    assert "canary plover" in theirs.text
    assert theirs.headers["cache-control"] == "private, no-store"
    assert "Signature" in theirs.headers["vary"]
    for _ in range(2):
        assert (await read(None)).status_code == 404
    boost = house.secrets["boost"].uri
    outbox = f"{home.alice.outbox}?before={2**63 - 1}"
    announce = await read(bob, boost)
    listed = (await read(bob, outbox)).json()["orderedItems"]
    for found in (announce.json(), next(each for each in listed if each["id"] == boost)):
        assert (found["type"], found["to"]) == ("Announce", [home.alice.followers])
    assert announce.headers["cache-control"] == "private, no-store"
    for _ in range(2):
        assert (await read(None, boost)).status_code == 404
        assert boost not in (await read(None, outbox)).text
    await home.site.db.write(relations.block, home.alice.id, account.id, "https://home.test/x/b")
    assert (await read(bob)).status_code == 404
    await home.site.db.write(accounts.set_state, account.id, "suspended")
    assert (await read(bob)).status_code == 403


async def test_a_request_to_follow_shows_nothing_before_it_is_accepted(at_home: Home, bob: Person) -> None:
    """What a locked account wrote for its followers is not shown to whom it has not accepted."""
    account = await at_home.know(bob)
    await at_home.site.db.write(follow_actions.follow, at_home.site.urls, at_home.alice.id, account.id)
    note = bob.note(to=[f"{bob.uri}/followers"], cc=[], content="<p>for followers</p>")
    await at_home.send(bob, bob.creates(note), inbox=f"/a/{at_home.alice.id}/inbox", inbox_owner=at_home.alice.id)
    await at_home.work()

    async def seen() -> bool:
        return bool(await at_home.site.db.read(posts.seen_by, note["id"], at_home.alice.id))

    browser = await reader(at_home.site, at_home.alice)
    assert not await seen()
    assert "for followers" not in (await browser.get(f"/account/{account.id}")).text
    await at_home.site.db.write(relations.accept, at_home.alice.id, account.id)
    await at_home.send(bob, bob.creates(note, 2))
    assert await seen()
    again = f"{ORIGIN}/x/again"  # removed, she asks once more
    await at_home.site.db.write(relations.put_follow, at_home.alice.id, account.id, again, "pending")
    assert not await seen()
    assert "for followers" not in (await browser.get(f"/account/{account.id}")).text


async def test_boosts_of_an_account_that_was_shut_out_are_gone_too(house: House) -> None:
    site = house.home.site
    post = await house.home.writes()
    await site.db.write(reaction_actions.boost, site.urls, house.mallory.id, post.id)
    [(uri,)] = await house.home.ask("select uri from boost where account = :id", id=house.mallory.id)
    path = uri.removeprefix(ORIGIN)
    wanted = {"accept": "application/activity+json"}
    assert (await house.as_nobody().get(path, headers=wanted)).status_code == 200
    await site.db.write(accounts.set_state, house.mallory.id, "suspended")
    assert (await house.as_nobody().get(path, headers=wanted)).status_code == 404
