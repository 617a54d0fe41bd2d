"""Accounts elsewhere that change, move, leave; pins; reports."""

from __future__ import annotations

import json

from fediblog.actions import moderation_actions
from fediblog.store.people import accounts, host_rules, relations
from fediblog.store.people.host_rules import HostRule, Severity
from fediblog.store.posts import account_posts, posts, tags
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.readers import moderation
from tests.federation.stranger import Home, Person
from tests.store.makers import home_of, local


async def test_a_profile_changes_by_its_own_update(at_home: Home, bob: Person) -> None:
    await at_home.know(bob)
    bob.publish(name="Robert", summary="<p>hi<script>x</script></p>")
    await at_home.send(bob, bob.does("Update", bob.document))
    account = await at_home.know(bob)
    assert (account.name, account.summary) == ("Robert", "<p>hi</p>")


async def test_a_new_handle_is_confirmed_first(at_home: Home, bob: Person) -> None:
    await at_home.know(bob)
    await at_home.send(bob, bob.does("Update", {**bob.document, "preferredUsername": "alice", "name": "A"}))
    assert (await at_home.know(bob)).handle == "bob"
    assert ("fetch-actor", bob.uri) in await at_home.ask("select kind, subject from job")


async def test_who_deletes_an_account_takes_everything_along(at_home: Home, bob: Person) -> None:
    await at_home.follows(bob)
    post = await at_home.writes()
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri))
    await at_home.send(bob, bob.creates(bob.note()))
    await at_home.send(bob, bob.does("Like", post.uri))
    assert (await at_home.send(bob, bob.does("Delete", bob.uri))).status == 202
    account = await at_home.site.db.read(accounts.by_uri, bob.uri)
    assert account is not None
    assert account.state == "deleted"
    assert await at_home.count("post") == 1
    assert await at_home.count("reaction") == 0
    assert await at_home.count("follow") == 0
    assert (await at_home.send(bob, bob.does("Delete", bob.uri, 2))).status == 202
    assert (await at_home.send(bob, bob.does("Like", post.uri, 2))).status == 403


async def test_the_delete_of_a_stranger_costs_nothing(at_home: Home, bob: Person) -> None:
    at_home.web.pages.clear()
    assert (await at_home.send(bob, bob.does("Delete", bob.uri))).status == 202
    assert at_home.web.asked == []
    assert await at_home.refusals() == []


async def test_nobody_follows_on_to_a_server_that_they_block(at_home: Home, bob: Person) -> None:
    old = await at_home.follows(bob)
    new = Person(at_home.web, "new.test", "bob", {"alsoKnownAs": [bob.uri]})
    await at_home.site.db.write(moderation_actions.mute_host, at_home.site.urls, at_home.alice.id, "new.test")
    await at_home.send(bob, bob.does("Move", bob.uri, target=new.uri))
    await at_home.work()
    target = await at_home.know(new)
    for each in (old, target):
        assert await at_home.site.db.read(relations.follow, at_home.alice.id, each.id) is None


async def test_our_people_follow_on_after_a_move(at_home: Home, bob: Person) -> None:
    """Who is suspended sends nothing; the new account is one that is met for the first time."""
    old = await at_home.follows(bob)
    dan = await at_home.site.db.write(local, "dan")
    await at_home.site.db.write(relations.put_follow, dan.id, old.id, f"{dan.uri}/f", "accepted")
    await at_home.site.db.write(accounts.set_state, dan.id, "suspended")
    new = Person(at_home.web, "new.test", "bob", {"alsoKnownAs": [bob.uri]})
    await at_home.send(bob, bob.does("Move", bob.uri, target=new.uri))
    await at_home.work()
    target = await at_home.know(new)
    assert (job_kinds.FIRST_POSTS, str(target.id)) in await at_home.ask("select kind, subject from job")
    assert await at_home.site.db.read(relations.follow, dan.id, target.id) is None
    assert await at_home.site.db.read(relations.follow, at_home.alice.id, old.id) is None
    follow = await at_home.site.db.read(relations.follow, at_home.alice.id, target.id)
    assert follow is not None
    assert follow.state == "pending"
    sent = [json.loads(row[0]) for row in await at_home.ask("select body from outgoing order by id")][1:]
    assert [(each["type"], each["actor"]) for each in sent] == [
        ("Follow", at_home.alice.uri),
        ("Undo", at_home.alice.uri),
    ]
    assert sent[0]["id"] == follow.uri
    assert await at_home.notices() == [("move", "bob")]


async def test_a_move_needs_the_consent_of_the_new_account(at_home: Home, bob: Person) -> None:
    old = await at_home.follows(bob)
    new = Person(at_home.web, "new.test", "bob")
    await at_home.send(bob, bob.does("Move", bob.uri, target=new.uri))
    await at_home.work()
    assert await at_home.site.db.read(relations.is_following, at_home.alice.id, old.id)
    new.publish(alsoKnownAs=bob.uri)
    await at_home.send(bob, bob.does("Move", bob.uri, 2, target=new.uri))
    await at_home.work()
    assert not await at_home.site.db.read(relations.is_following, at_home.alice.id, old.id)


async def test_one_does_not_move_every_day(at_home: Home, bob: Person) -> None:
    old = await at_home.follows(bob)
    for number, host in enumerate(("one.test", "two.test")):
        new = Person(at_home.web, host, "bob", {"alsoKnownAs": [bob.uri]})
        await at_home.site.db.write(
            lambda tx: relations.put_follow(tx, at_home.alice.id, old.id, "https://home.test/x/7", "accepted")
        )
        await at_home.send(bob, bob.does("Move", bob.uri, number, target=new.uri))
        await at_home.work()
    account = await at_home.know(bob)
    assert account.moved_to == "https://one.test/u/bob"


async def test_pins_and_tags_of_a_profile(at_home: Home, bob: Person) -> None:
    account = await at_home.follows(bob)
    note = bob.note()
    await at_home.send(bob, bob.creates(note))
    target = f"{bob.uri}/featured"
    await at_home.send(bob, bob.does("Add", note["id"], target=target))
    assert len(await at_home.site.db.read(account_posts.pinned, account.id)) == 1
    await at_home.send(bob, bob.does("Remove", note["id"], target=target))
    assert await at_home.site.db.read(account_posts.pinned, account.id) == []
    await at_home.send(bob, bob.does("Add", {"type": "Hashtag", "name": "#Cats"}, 2, target=target))
    assert await at_home.site.db.read(tags.featured_names, account.id) == ["Cats"]
    await at_home.send(bob, bob.does("Remove", {"type": "Hashtag", "name": "#cats"}, 2, target=target))
    assert await at_home.site.db.read(tags.featured_names, account.id) == []


async def test_a_report_names_our_account_and_its_posts(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    await at_home.send(
        bob, bob.does("Flag", [at_home.alice.uri, post.uri, "https://else.test/1"], content="<b>bad</b>")
    )
    [report] = await at_home.site.db.read(moderation.reports)
    assert report.target.id == at_home.alice.id
    assert report.posts == (post.uri,)
    assert report.content == "bad"
    assert report.reporter is not None


async def test_reports_of_a_server_are_not_taken_where_that_is_ruled(at_home: Home, bob: Person) -> None:
    rule = HostRule(host=bob.host, severity=Severity.NONE, reject_reports=True)
    await at_home.site.db.write(host_rules.put, [rule])
    await at_home.send(bob, bob.does("Flag", at_home.alice.uri, content="bad"))
    assert await at_home.site.db.read(moderation.reports) == []
    await at_home.site.db.write(host_rules.lift, bob.host)
    await at_home.send(bob, bob.does("Flag", at_home.alice.uri, 2, content="bad"))
    assert len(await at_home.site.db.read(moderation.reports)) == 1


async def test_verbs_that_nobody_handles_are_taken_and_forgotten(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    for kind in ("Invite", "Listen", "Join", "Offer", "Nonsense"):
        assert (await at_home.send(bob, bob.does(kind, post.uri))).status == 202
    assert await at_home.count("seen") == 0


async def test_a_pinned_post_that_never_came_here_is_fetched(at_home: Home, bob: Person, carol: Person) -> None:
    account = await at_home.follows(bob)
    old, foreign = bob.note("old"), carol.note("hers")
    for number, note in enumerate((old, foreign)):
        await at_home.send(bob, bob.does("Add", note["id"], number, target=f"{bob.uri}/featured"))
    await at_home.work()
    assert [post.uri for post in await at_home.site.db.read(account_posts.pinned, account.id)] == [old["id"]]
    assert await at_home.site.db.read(home_of, at_home.alice.id) == [], "it is not new"
    assert await at_home.site.db.read(posts.by_uri, foreign["id"]) is None
    assert carol.note("hers")["id"] not in at_home.web.asked, "nothing of others is even asked for"


async def test_what_strangers_pin_is_not_fetched(at_home: Home, bob: Person) -> None:
    await at_home.know(bob)
    note = bob.note()
    await at_home.send(bob, bob.does("Add", note["id"], target=f"{bob.uri}/featured"))
    await at_home.work()
    assert note["id"] not in at_home.web.asked


async def test_who_was_not_looked_at_for_a_week_is_fetched_again_once_it_acts(at_home: Home, bob: Person) -> None:
    post = await at_home.writes()
    await at_home.send(bob, bob.does("Like", post.uri, 1))
    waiting = "select subject from job where kind = 'fetch-actor'"
    assert await at_home.ask(waiting) == []
    at_home.clock.forward(days=8)
    await at_home.send(bob, bob.does("Like", "https://nowhere.test/1", 2))
    assert await at_home.ask(waiting) == [], "only if that was anything to us"
    for number in (3, 4):
        await at_home.send(bob, bob.does("Announce", post.uri, number))
        await at_home.send(bob, bob.does("Dislike", post.uri, number))
    assert await at_home.ask(waiting) == [(bob.uri,)]
    await at_home.site.db.write(job_queue.drop, "fetch-actor", bob.uri)
    await at_home.send(bob, bob.does("Follow", at_home.alice.uri, 5))
    assert await at_home.ask(waiting) == [], "once in a week, whatever became of it"


async def test_who_tells_of_itself_needs_not_be_fetched(at_home: Home, bob: Person) -> None:
    await at_home.know(bob)
    at_home.clock.forward(days=8)
    bob.publish(name="Bobby")
    await at_home.send(bob, bob.does("Update", bob.document))
    assert await at_home.ask("select subject from job where kind = 'fetch-actor'") == []
