"""One form in which hosts are compared: whatever a block and an id look like, the block of a host holds for it."""

from __future__ import annotations

import re
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import fediblog
from fediblog.actions import moderation_actions
from fediblog.domain.accounts import Account
from fediblog.domain.urls import Urls
from fediblog.protocol.authority import compared_host
from fediblog.store.engine import host_migration
from fediblog.store.engine.database import Database
from fediblog.store.id_paging import Window
from fediblog.store.people import account_counts, accounts, host_rules, hosts, relation_lists, relations
from fediblog.store.people.accounts import host_of
from fediblog.store.posts import timelines
from fediblog.store.queues import incoming_queue
from fediblog.store.readers import notifications
from fediblog.store.tx import Tx
from tests.store.makers import everything, home_of, local, post, remote

URLS = Urls("https://blog.example", "blog.example")
TYPED = ("bücher.example", "BÜCHER.example", "xn--bcher-kva.example", "Bücher.Example.", "bücher.example:443")
IDS = ("xn--bcher-kva.example", "bücher.example", "Bücher.example:443", "xn--bcher-kva.example.", "bücher.example:8443")
_LABEL = st.from_regex(r"[a-z][a-z0-9]{0,10}", fullmatch=True)


@given(st.lists(_LABEL, min_size=1, max_size=4), st.booleans(), st.booleans(), st.booleans(), st.integers(1, 65535))
def test_all_spellings_of_a_host_are_one(labels: list[str], upper: bool, dot: bool, port: bool, other: int) -> None:
    name = ".".join(labels)
    spelt = (name.upper() if upper else name) + "." * dot + ":443" * port
    assert compared_host(spelt) == name == compared_host(compared_host(spelt))
    assert host_of(f"https://{spelt}/users/a") == name
    assert host_of(f"https://{spelt}") == name
    found = host_of(f"https://{name}:{other}/a")
    assert found == (name if other == 443 else f"{name}:{other}")
    assert name in hosts.domains(found)
    assert host_of(f"http://{name}:80/a") == name


@given(st.text(max_size=40))
def test_any_text_has_one_form(text: str) -> None:
    assert compared_host(compared_host(text)) == compared_host(text)
    host_of(f"https://{text}/a")


def test_international_names_are_one() -> None:
    assert {compared_host(each) for each in TYPED} == {"xn--bcher-kva.example"}
    assert compared_host("faß.example") != compared_host("fass.example")


def somebody(tx: Tx, host: str) -> tuple[Account, Account]:
    """One of ours, who follows somebody at that host, and that one, who wrote and did something."""
    mine, theirs = local(tx, "anna"), remote(tx, "eve", host)
    relations.put_follow(tx, mine.id, theirs.id, f"{mine.uri}/f", "accepted")
    number = post(tx, theirs)
    whole = next(each for each in everything(tx) if each.id == number)
    timelines.spread(tx, whole)
    return mine, theirs


@pytest.mark.parametrize(("typed", "host"), list(product(TYPED, IDS)))
async def test_a_members_block_holds_however_it_is_written(typed: str, host: str, db: Database) -> None:
    def check(tx: Tx) -> None:
        mine, theirs = somebody(tx, host)
        notifications.add(tx, mine.id, "follow", theirs.id, None)
        assert home_of(tx, mine.id)
        assert theirs.uri == f"https://{host}/users/eve"
        name = moderation_actions.host_name(URLS, typed)
        relation_lists.mute_host(tx, mine.id, name)
        assert relation_lists.known_at(tx, mine.id, name)[0] == [theirs.id]
        assert not home_of(tx, mine.id)
        assert account_counts.bonds(tx, mine.id, [theirs.id])[theirs.id].host_muted
        assert not tx.all("select 1 from notice")
        notifications.add(tx, mine.id, "like", theirs.id, None)
        assert not tx.all("select 1 from notice")
        moderation_actions.unmute_host(tx, URLS, mine.id, typed)
        assert home_of(tx, mine.id)
        assert not relation_lists.muted_hosts(tx, mine.id, Window())

    await db.write(check)


@pytest.mark.parametrize(("typed", "host"), list(product(TYPED, IDS)))
async def test_a_block_of_the_server_holds_however_it_is_written(typed: str, host: str, db: Database) -> None:
    def check(tx: Tx) -> None:
        _, theirs = somebody(tx, host)
        moderation_actions.block_host(tx, URLS, typed)
        found = accounts.get(tx, theirs.id)
        assert found is not None
        assert found.state == "suspended"
        assert hosts.is_blocked(tx, host)
        assert hosts.is_blocked(tx, host_of(theirs.uri))
        assert hosts.blocked_among(tx, [host, "else.example"]) == {host}
        key = f"{theirs.uri}#key"
        standing = incoming_queue.standing(tx, f"{theirs.uri}/1", host_of(key), host_of(theirs.uri), key, "")
        assert standing.blocked
        moderation_actions.unblock_host(tx, URLS, typed)
        assert not hosts.is_blocked(tx, host)
        back = accounts.get(tx, theirs.id)
        assert back is not None
        assert back.state == "active"

    await db.write(check)


async def test_what_was_stored_before_is_compared_in_the_same_form(db: Database) -> None:
    def check(tx: Tx) -> None:
        mine, theirs = somebody(tx, "far.example:443")
        tx.run("update account set host = 'far.example:443', domain = 'far.example.' where id = :id", id=theirs.id)
        relation_lists.mute_host(tx, mine.id, "else.example:443")
        tx.run("insert into blocked_host (host, reason, created) values ('far.example:443', 'spam', 1)")
        host_migration.renew(tx)
        row = tx.one("select host, domain, state, uri from account where id = :id", id=theirs.id)
        assert row is not None
        assert (row.host, row.domain, row.state) == ("far.example", "far.example", "suspended")
        assert row.uri == "https://far.example:443/users/eve"
        assert [(each.host, each.reason) for each in host_rules.everything(tx)] == [("far.example", "spam")]
        assert [name for _, name in relation_lists.muted_hosts(tx, mine.id, Window())] == ["else.example"]

    await db.write(check)


def test_hosts_are_compared_in_no_other_way() -> None:
    """Every SQL that asks for a member's blocked hosts does so by `at_host`; every host of an id is from `host_of`."""
    for path in sorted(Path(fediblog.__file__).parent.rglob("*.py")):
        source = path.read_text("utf-8")
        if path.name != "visible.py":
            assert not re.search(r"\bin \(\w+\.domain, \w+\.host\)|domain = :host", source), path
        for line in source.splitlines():
            if "host_mute" in line and ("exists" in line or "join" in line):
                assert "at_host" in source, path
            if "netloc" in line and "lower" in line:
                assert path.name == "settings.py", line  # the operator's own address
