"""Suspending, locking out, reporting and hiding servers: what it does here, and what other servers hear of it."""

from __future__ import annotations

import pytest

from fediblog.actions import moderation_actions, report_actions
from fediblog.actions.report_actions import ReportDraft
from fediblog.errors import Invalid
from fediblog.store.id_paging import Window
from fediblog.store.people import accounts, relation_lists, relations
from fediblog.store.readers import moderation
from tests.federation.pair import Pair
from tests.world import World


async def test_what_other_servers_hear_of_a_suspension() -> None:
    async with World("one.test", "two.test") as world:
        owner = await world.person("one.test", "owner")
        ann, ben = await world.person("one.test", "ann"), await world.person("two.test", "ben")
        pair = Pair(world, "one.test", "two.test", ann, ben)
        await pair.follow()
        await world.do("one.test", moderation_actions.suspend, ann.id)
        await world.settle()
        told = [each.document["object"].get("suspended", False) for each in world.network.posts("two.test", "Update")]
        assert told == [True]
        with pytest.raises(Invalid):
            await world.do("one.test", moderation_actions.suspend, owner.id)
        await world.do("one.test", moderation_actions.unsuspend, ann.id)
        await world.settle()
        told = [each.document["object"].get("suspended", False) for each in world.network.posts("two.test", "Update")]
        assert told == [True, False]
        standing = await world.read("one.test", accounts.get, ann.id)
        assert standing is not None
        assert standing.state == "active"


async def test_a_report_reaches_the_other_server_without_the_name_of_who_made_it() -> None:
    async with World("one.test", "two.test") as world:
        ann, ben = await world.person("one.test", "ann"), await world.person("two.test", "ben")
        pair = Pair(world, "one.test", "two.test", ann, ben)
        await pair.follow()
        post = await pair.publish("Rude")
        there = await pair.there(post)
        assert there is not None
        complaint = ReportDraft(target=there.account.id, posts=(there.id,), comment="Rude", forward=True)
        kept = await world.do("two.test", report_actions.report, ben.id, complaint)
        assert kept.forwarded
        await world.settle()
        [told] = await world.read("one.test", moderation.reports)
        assert (told.target.id, told.posts, told.content) == (ann.id, (post.uri,), "Rude")
        assert told.reporter is not None
        assert told.reporter.uri == "https://two.test/actor"


async def test_hiding_a_server_ends_the_follows_on_both_sides() -> None:
    async with World("one.test", "two.test") as world:
        ann, ben = await world.person("one.test", "ann"), await world.person("two.test", "ben")
        pair = Pair(world, "one.test", "two.test", ann, ben)
        await pair.follow()
        await pair.follow_back()
        await world.do("one.test", moderation_actions.mute_host, ann.id, "TWO.test")
        await world.settle()
        there, here = await pair.ann_there(), await pair.ben_here()
        for host, one, other in (("one.test", ann, here), ("two.test", ben, there)):
            relation = await world.read(host, relations.between, one.id, other.id)
            assert (relation.following, relation.followed_by) == (False, False), host
        assert [host for _, host in await world.read("one.test", relation_lists.muted_hosts, ann.id, Window())] == [
            "two.test"
        ]
