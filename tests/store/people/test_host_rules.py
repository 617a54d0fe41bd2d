"""Rules about other servers: what they do to the accounts there, and what comes back when they are lifted."""

from __future__ import annotations

import random

from fediblog.domain.accounts import Account
from fediblog.prepare.actor_cleaner import harmless
from fediblog.store.engine.database import Database
from fediblog.store.people import accounts, admin_accounts, host_rules, hosts
from fediblog.store.people.host_rules import HostRule, Severity
from fediblog.store.tx import Tx
from tests import host_blocks
from tests.store.makers import local, remote

LIMIT = Severity.LIMIT


def found(tx: Tx, account: Account) -> Account:
    """The account as it stands now."""
    now = accounts.get(tx, account.id)
    assert now is not None
    return now


async def test_each_rule_does_what_it_says_to_the_names_below_too(db: Database) -> None:
    def check(tx: Tx) -> None:
        bob, ben, eve = (
            remote(tx, name, host)
            for name, host in (("bob", "far.example"), ("ben", "a.far.example:8443"), ("eve", "notfar.example"))
        )
        alice = local(tx)

        def stand() -> list[tuple[str, int, bool]]:
            return [
                (each.state, each.limited, each.media_rejected)
                for each in (found(tx, bob), found(tx, ben), found(tx, eve))
            ]

        free = ("active", 0, False)
        for rule, stood in (
            (HostRule(host="far.example", severity=LIMIT, reason="loud"), ("active", 2, False)),
            (HostRule(host="far.example", severity=Severity.NONE, reject_media=True), ("active", 0, True)),
            (HostRule(host="far.example", severity=LIMIT, reject_media=True), ("active", 2, True)),
            (HostRule(host="far.example"), ("suspended", 0, False)),
        ):
            host_rules.put(tx, [rule])
            assert stand() == [stood, stood, free]
            assert host_rules.everything(tx) == [
                HostRule(
                    **{
                        **{name: getattr(rule, name) for name in ("host", "severity", "reject_media", "reason")},
                        "created": tx.now,
                    }
                )
            ]
            assert hosts.is_blocked(tx, "a.far.example") == (rule.severity is Severity.SUSPEND)
            hidden = rule.reject_media or rule.severity is Severity.SUSPEND
            assert hosts.media_rejected_among(tx, ["a.far.example", "else.example"]) == (
                {"a.far.example"} if hidden else set()
            )
        host_rules.lift(tx, "far.example")
        assert stand() == [free] * 3
        assert host_rules.everything(tx) == []
        assert found(tx, alice).state == "active"

    await db.write(check)


async def test_what_was_decided_about_an_account_outlives_the_rule_about_its_server(db: Database) -> None:
    def check(tx: Tx) -> None:
        bob, ben, eve, kim = (remote(tx, name, "far.example") for name in ("bob", "ben", "eve", "kim"))
        accounts.set_state(tx, bob.id, "suspended")
        admin_accounts.set_limited(tx, ben.id, limited=True)
        host_rules.put(tx, [HostRule(host="far.example", severity=LIMIT)])
        assert [found(tx, each).limited for each in (bob, ben, eve)] == [2, 3, 2]
        host_blocks.block(tx, "far.example")
        accounts.set_state(tx, kim.id, "suspended")  # while its server is blocked
        assert {found(tx, each).state for each in (bob, ben, eve, kim)} == {"suspended"}
        host_rules.lift(tx, "far.example")
        assert [found(tx, each).state for each in (bob, ben, eve, kim)] == [
            "suspended",
            "active",
            "active",
            "suspended",
        ]
        assert [found(tx, each).limited for each in (bob, ben, eve)] == [0, 1, 0]
        admin_accounts.set_limited(tx, ben.id, limited=False)
        assert found(tx, ben).limited == 0

    await db.write(check)


async def test_who_comes_while_a_rule_stands_is_under_it(db: Database) -> None:
    def check(tx: Tx) -> None:
        host_rules.put(tx, [HostRule(host="far.example", severity=LIMIT, reject_media=True)])
        new = remote(tx, "new", "sub.far.example")
        assert (new.limited, new.media_rejected, new.icon, new.image, new.emoji) == (2, True, None, None, ())
        host_rules.lift(tx, "far.example")
        again = accounts.save_remote(tx, harmless(new), new.domain)
        assert (again.limited, again.media_rejected) == (0, False)

    await db.write(check)


async def test_with_the_allow_list_in_force_all_others_are_shut_out(db: Database) -> None:
    def check(tx: Tx) -> None:
        bob, ben, eve = (remote(tx, "p", host) for host in ("far.example", "a.near.example", "evil.near.example"))
        gone = remote(tx, "gone", "near.example")
        accounts.set_state(tx, gone.id, "suspended")
        host_blocks.block(tx, "evil.near.example")
        host_rules.allow(tx, ["near.example"])

        def states() -> list[str]:
            return [found(tx, each).state for each in (bob, ben, eve, gone)]

        names = ["far.example", "a.near.example", "evil.near.example"]
        assert (states(), hosts.blocked_among(tx, names)) == (
            ["active", "active", "suspended", "suspended"],
            {names[2]},
        )
        host_rules.set_allow_list(tx, in_force=True)
        assert host_rules.is_allow_list(tx)
        assert (states(), hosts.blocked_among(tx, names)) == (
            ["suspended", "active", "suspended", "suspended"],
            {names[0], names[2]},
        )
        shut = f"select case when {hosts.SHUT_OUT} then 1 else 0 end as yes"
        for name in names:
            row = tx.one(shut, hosts=hosts.domains(name))
            assert row is not None
            assert bool(row.yes) == (name in hosts.blocked_among(tx, [name]))
        assert hosts.media_rejected_among(tx, ["far.example"]) == set(), "its pictures may lie anywhere"
        host_rules.allow(tx, ["far.example"])
        assert [each.host for each in host_rules.allowed(tx)] == ["far.example", "near.example"]
        assert states() == ["active", "active", "suspended", "suspended"]
        assert host_rules.disallow(tx, "near.example")
        assert not host_rules.disallow(tx, "near.example")
        assert states() == ["active", "suspended", "suspended", "suspended"]
        host_rules.set_allow_list(tx, in_force=False)
        assert states() == ["active", "active", "suspended", "suspended"]

    await db.write(check)


async def test_whatever_was_decided_in_between_the_accounts_stand_as_the_rules_say(db: Database) -> None:
    """Any order of decisions ends where the same rules made at once would."""

    def check(tx: Tx) -> None:
        dice = random.Random(7)
        names = ("far.example", "a.far.example", "near.example", "b.near.example")
        people = {name: remote(tx, "p", name) for name in names}
        for _ in range(60):
            name = dice.choice(names)
            match dice.randrange(5):
                case 0:
                    host_rules.lift(tx, name)
                case 1:
                    host_rules.allow(tx, [name])
                case 2:
                    host_rules.disallow(tx, name)
                case 3:
                    host_rules.set_allow_list(tx, in_force=dice.random() < 0.5)
                case _:
                    host_rules.put(
                        tx,
                        [HostRule(host=name, severity=dice.choice(list(Severity)), reject_media=dice.random() < 0.5)],
                    )
            rules = {each.host: each for each in host_rules.everything(tx)}
            for host, person in people.items():
                over = [rules[above] for above in hosts.domains(host) if above in rules]
                now = found(tx, person)
                assert (now.state == "suspended") == hosts.is_blocked(tx, host)
                assert bool(now.limited) == any(each.severity is LIMIT for each in over)
                assert now.media_rejected == any(each.reject_media for each in over)

    await db.write(check)


async def test_reports_of_a_server_can_be_refused_alone(db: Database) -> None:
    def check(tx: Tx) -> None:
        host_rules.put(tx, [HostRule(host="far.example", severity=Severity.NONE, reject_reports=True)])
        assert host_rules.rejects_reports(tx, "a.far.example")
        assert not host_rules.rejects_reports(tx, "near.example")
        assert not hosts.is_blocked(tx, "far.example")

    await db.write(check)
