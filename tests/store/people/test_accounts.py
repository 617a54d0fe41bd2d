"""Accounts: ours cannot be touched from outside, and a key belongs to whoever had it first."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import urlsplit

import pytest
from hypothesis import example, given, strategies
from msgspec.structs import replace

from fediblog.domain.documents import Emoji, Key, Picture, ProfileField
from fediblog.errors import Refused
from fediblog.protocol.authority import compared_host
from fediblog.store.engine.database import Database
from fediblog.store.people import account_moves, account_search, accounts, logins
from fediblog.store.posts import tags
from fediblog.store.tx import Tx
from tests.conftest import Clock
from tests.remote_accounts import save_remote
from tests.store.makers import URLS, Watched, actor, local, remote, scans


def key(owner: str, name: str = "main-key", public: str = "public", kind: str = "rsa") -> Key:
    return Key(uri=f"{owner}#{name}", owner=owner, kind=kind, public=public)


async def test_an_actor_comes_back_as_it_was_stored(db: Database) -> None:
    full = actor(
        "Bob",
        name="Bob the Builder",
        summary="<p>hi</p>",
        outbox="https://far.example/out",
        following="https://far.example/following",
        featured="https://far.example/featured",
        featured_tags="https://far.example/tags",
        icon=Picture(url="https://far.example/icon.png", alt="me"),
        image=Picture(url="https://far.example/image.png"),
        fields=(ProfileField(name="Site", value="x"),),
        emoji=(Emoji(name="cat", url="https://far.example/cat.png"),),
        also_known_as=("https://old.example/bob",),
        moved_to="https://new.example/bob",
        webfinger="bob@example.org",
        locked=True,
        discoverable=True,
        indexable=True,
        memorial=True,
        published=5,
    )

    def check(tx: Tx) -> None:
        stored = save_remote(tx, full, "Example.ORG")
        assert stored == replace(
            stored, **{name: getattr(full, name) for name in full.__struct_fields__ if name != "keys"}
        )
        assert (stored.domain, stored.local, stored.acct) == ("example.org", False, "Bob@example.org")
        assert accounts.with_keys(tx, stored).keys == full.keys
        assert accounts.get(tx, stored.id) == accounts.by_uri(tx, full.uri) == stored
        assert accounts.many(tx, [stored.id, 0]) == {stored.id: stored}
        assert accounts.by_uris(tx, [full.uri, "x:"]) == {full.uri: stored}
        assert (accounts.many(tx, []), accounts.by_uris(tx, []), accounts.get(tx, 0)) == ({}, {}, None)
        assert accounts.by_link(tx, full.url) == accounts.by_link(tx, full.uri) == stored
        assert accounts.by_link(tx, "") is None
        for number, page in enumerate((full.url, "https://vic.example/@vic")):  # pages of other hosts name nobody
            remote(tx, f"evil{number}", "evil.example", url=page)
        assert accounts.by_link(tx, full.url) == stored
        assert accounts.by_link(tx, "https://vic.example/@vic") is None
        assert [each.id for each in account_search.people(tx, full.url, 1)] == [stored.id]
        assert account_search.people(tx, "https://vic.example/@vic", 1) == []

    await db.write(check)


async def test_a_newer_document_replaces_the_older(db: Database, clock: Clock) -> None:
    first = await db.write(save_remote, actor(name="Old", summary="<p>old</p>"), "far.example")
    clock.forward(hours=1)
    second = await db.write(save_remote, actor(name="New", locked=True), "far.example")
    assert (second.id, second.created, second.fetched) == (first.id, first.created, clock.now)
    assert (second.name, second.summary, second.locked) == ("New", "", True)


async def test_what_comes_from_outside_is_cleaned(db: Database) -> None:
    def check(tx: Tx) -> None:
        evil = "<p onclick=x>hi<script>alert(1)</script></p>"
        stored = remote(tx, name="a\u202eb", summary=evil, fields=(ProfileField(name="n\u200b", value=evil),))
        for text in (stored.summary, stored.fields[0].value):
            assert "script" not in text
            assert "onclick" not in text
        assert "\u202e" not in stored.name

    await db.write(check)


async def test_a_remote_document_never_touches_an_account_of_ours(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice = local(tx)
        before = accounts.with_keys(tx, alice)
        with pytest.raises(Refused) as caught:
            save_remote(tx, actor(uri=alice.uri, keys=(key(alice.uri, public="evil"),)), "blog.example")
        assert caught.value.reason == "account-is-ours"
        thief = remote(tx, "thief", keys=(key(alice.uri, public="evil"),))
        assert accounts.with_keys(tx, alice) == before
        assert accounts.with_keys(tx, thief).keys == ()
        (mine,) = accounts.private_keys(tx, alice.id)
        assert (mine.uri, mine.public, mine.private) == (f"{alice.uri}#main-key", "public", "private")

    await db.write(check)


async def test_suspended_stays_suspended_and_deleted_comes_back(db: Database) -> None:
    def check(tx: Tx) -> None:
        bob = remote(tx)
        accounts.set_state(tx, bob.id, "suspended")
        assert remote(tx).state == "suspended"
        accounts.set_state(tx, bob.id, "deleted")
        assert remote(tx).state == "active"

    await db.write(check)


async def test_keys_are_rotated_and_taken_away(db: Database, clock: Clock) -> None:
    uri = actor().uri
    bob = await db.write(remote, keys=(key(uri), key(uri, "second", "zEd", "ed25519")))
    assert [k.kind for k in (await db.read(accounts.with_keys, bob)).keys] == ["rsa", "ed25519"]
    clock.forward(hours=1)

    def check(tx: Tx) -> None:
        remote(tx, keys=(key(uri, public="fresh"),))
        (left,) = accounts.with_keys(tx, bob).keys
        assert left.public == "fresh"
        held = accounts.key_with_owner(tx, f"{uri}#main-key")
        assert held is not None
        stored, owner = held
        assert (owner.id, stored.account, stored.private, stored.fetched) == (bob.id, bob.id, None, tx.now)
        assert accounts.key_with_owner(tx, f"{uri}#second") is None
        remote(tx, keys=(key(uri, "other"),))
        assert [k.uri for k in accounts.with_keys(tx, bob).keys] == [f"{uri}#other"]
        remote(tx, keys=())
        assert len(accounts.with_keys(tx, bob).keys) == 1, "a document that shows none says nothing about them"

    await db.write(check)


async def test_the_key_of_another_account_cannot_be_taken_over(db: Database) -> None:
    def check(tx: Tx) -> None:
        bob = remote(tx)
        evil = remote(tx, "evil", "evil.example", keys=(key(bob.uri, public="evil"), key("https://evil.example/e")))
        held = accounts.key_with_owner(tx, f"{bob.uri}#main-key")
        assert held is not None
        assert (held[0].account, held[0].public) == (bob.id, "their key")
        assert [k.uri for k in accounts.with_keys(tx, evil).keys] == ["https://evil.example/e#main-key"]

    await db.write(check)


async def test_handles_are_found_in_any_case_ours_first(db: Database, clock: Clock) -> None:
    old = await db.write(remote, "Bob")
    clock.forward(days=1)
    new = await db.write(remote, "bob", uri="https://far.example/second/bob")

    def check(tx: Tx) -> None:
        for handle, domain in (("bob", "far.example"), ("BOB", "FAR.example")):
            found = accounts.by_acct(tx, handle, domain)
            assert found is not None
            assert found.id == new.id, "of two with one handle the one that was seen last"
        accounts.set_state(tx, new.id, "deleted")
        found = accounts.by_acct(tx, "bob", "far.example")
        assert found is not None
        assert found.id == old.id
        alice = local(tx)
        save_remote(tx, actor("alice"), "blog.example")
        ours = accounts.by_acct(tx, "Alice", "Blog.example")
        assert ours is not None
        assert ours.id == alice.id
        assert accounts.by_acct(tx, "alice", "far.example") is None

    await db.write(check)


async def test_accounts_of_ours(db: Database) -> None:
    def check(tx: Tx) -> None:
        instance = accounts.create_local(tx, URLS, "instance", [], login=None, kind="Application")
        alice = local(tx, "alice")
        assert (instance.uri, instance.login) == (URLS.instance_actor, None)
        assert accounts.instance(tx, URLS) == instance
        assert alice.uri == URLS.actor(alice.id)
        assert (alice.inbox, alice.shared_inbox, alice.followers) == (
            f"{alice.uri}/inbox",
            URLS.shared_inbox,
            f"{alice.uri}/followers",
        )
        assert accounts.ours(tx) == [alice]
        assert logins.accounts_of(tx, alice.login or 0) == [alice]
        with pytest.raises(Refused, match="taken"):
            accounts.create_local(tx, URLS, "ALICE", [], login=alice.login)
        accounts.set_state(tx, alice.id, "deleted")
        assert accounts.ours(tx) == logins.accounts_of(tx, alice.login or 0) == []
        with pytest.raises(Refused, match="taken"):
            accounts.create_local(tx, URLS, "alice", [], login=alice.login)

    await db.write(check)


async def test_a_profile_is_changed_column_by_column(db: Database, clock: Clock) -> None:
    alice = await db.write(local)
    clock.forward(hours=1)

    def check(tx: Tx) -> None:
        after = accounts.update_profile(tx, alice.id, name="Al", summary="<b>x</b>", locked=1, published=None)
        assert (after.name, after.summary, after.locked, after.published) == ("Al", "<b>x</b>", True, None)
        assert (after.changed, after.created) == (tx.now, alice.created)
        assert after.handle == alice.handle
        for forbidden in ("handle", "domain", "inbox", "state", "login", "local", "uri", "no_such_column"):
            with pytest.raises(KeyError):
                accounts.update_profile(tx, alice.id, **{forbidden: "x"})
        bob = remote(tx)
        accounts.update_profile(tx, bob.id, name="Evil")
        assert accounts.get(tx, bob.id) == replace(bob, changed=tx.now)

    await db.write(check)


async def test_moves_and_visits_are_noted(db: Database, clock: Clock) -> None:
    bob = await db.write(remote)
    clock.forward(days=1)

    def check(tx: Tx) -> None:
        assert account_moves.moved_at(tx, bob.id) is None
        account_moves.moved(tx, bob.id, "https://new.example/bob")
        accounts.touch(tx, bob.id)
        after = accounts.get(tx, bob.id)
        assert after is not None
        assert (after.moved_to, after.fetched, account_moves.moved_at(tx, bob.id)) == (
            "https://new.example/bob",
            tx.now,
            tx.now,
        )
        assert account_moves.moved_at(tx, 0) is None

    await db.write(check)


async def test_featured_tags(db: Database) -> None:
    def check(tx: Tx) -> None:
        alice = local(tx)
        for name in ("Tea", "apples", "TEA"):
            tags.set_featured(tx, alice.id, name, on=True)
        assert tags.featured_names(tx, alice.id) == ["apples", "Tea"]
        tags.set_featured(tx, alice.id, "tea", on=False)
        assert tags.featured_names(tx, alice.id) == ["apples"]

    await db.write(check)


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_accounts_are_found_by_an_index(db: Database) -> None:
    def check(tx: Tx) -> list[str]:
        login = logins.create(tx, "x", "h")
        seen = Watched(tx)
        bob = remote(seen)
        remote(seen)
        alice = accounts.create_local(seen, URLS, "alice", [], login=login.id)
        accounts.by_link(seen, "https://none.example/")
        accounts.by_acct(seen, "a", "b")
        accounts.by_uris(seen, [bob.uri, alice.uri])
        accounts.many(seen, [1, 2])
        logins.accounts_of(seen, login.id)
        accounts.ours(seen)
        accounts.with_keys(seen, bob)
        accounts.key_with_owner(seen, "x")
        accounts.private_keys(seen, alice.id)
        tags.featured_names(seen, alice.id)
        return scans(seen.plans(), "account", "signing_key", "featured_tag")

    assert await db.write(check) == []


@given(
    strategies.text(alphabet=":/?#[]@.- \t\nahtps9HÉ\u2100", max_size=20),
    strategies.sampled_from(["", "http://", "https://"]),
)
@example("a.example:8080/x?y", "https://")
@example("a.example\n", "https://")
@example("[::1]", "http://")
def test_the_host_is_what_the_standard_library_says(text: str, scheme: str) -> None:
    try:
        parts = urlsplit(scheme + text)
        expected = compared_host(parts.netloc, parts.scheme)
    except ValueError:
        expected = ""
    assert accounts.host_of(scheme + text) == expected


async def test_an_account_is_read_anew_after_whatever_changed_it(db: Database) -> None:
    def check(tx: Tx) -> None:
        bob = save_remote(tx, actor("bob", keys=(key("https://far.example/users/bob"),)), "far.example")
        held = accounts.key_with_owner(tx, f"{bob.uri}#main-key")
        assert held is not None
        assert held[1] is accounts.get(tx, bob.id)  # as it was made before
        actions: list[Callable[[], object]] = [
            lambda: accounts.set_state(tx, bob.id, "suspended"),
            lambda: account_moves.moved(tx, bob.id, "https://new.example/bob"),
            lambda: accounts.touch(tx, bob.id),
            lambda: tx.run("update account set name = 'Bob' where id = :id", id=bob.id),
            lambda: tx.run("update account set name = 'Bobby' where uri = :uri", uri=bob.uri),
        ]
        tx.now += 1
        for action in actions:
            before = held[1]
            action()
            held = accounts.key_with_owner(tx, f"{bob.uri}#main-key")
            assert held is not None
            assert held[1] != before
            assert held[1] == accounts.get(tx, bob.id) == accounts.by_uri(tx, bob.uri)

    await db.write(check)


async def test_no_two_accounts_have_the_same_version(db: Database) -> None:
    await db.write(lambda tx: [remote(tx, f"p{number}") for number in range(3)])
    rows = await db.read(lambda tx: tx.all("select version from account"))
    assert len({row.version for row in rows} - {0}) == len(rows) == 3


async def test_many_reads_anew_only_those_that_have_changed(db: Database) -> None:
    def check(tx: Tx) -> None:
        numbers = [remote(tx, f"m{number}").id for number in range(4)]
        before = accounts.many(tx, numbers)
        tx.run("update account set name = 'Changed' where id = :id", id=numbers[1])
        tx.run("delete from account where id = :id", id=numbers[2])
        after = accounts.many(tx, [*reversed(numbers), 1, numbers[0]])
        assert after == {number: accounts.get(tx, number) for number in (numbers[0], numbers[1], numbers[3])}
        assert after[numbers[1]].name == "Changed"
        assert [number for number in after if after[number] is before[number]] == [numbers[0], numbers[3]]
        assert accounts.many(tx, []) == accounts.many(tx, [1]) == {}

    await db.write(check)
