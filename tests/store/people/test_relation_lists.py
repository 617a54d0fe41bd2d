"""Lists of people are read by their indexes, and a page of a long one is not sorted out of the whole."""

from __future__ import annotations

import pytest

from fediblog.store.engine.database import Database
from fediblog.store.id_paging import Window
from fediblog.store.people import account_search, admin_accounts, relation_lists
from fediblog.store.people.admin_accounts import AccountFilter
from fediblog.store.posts import account_posts, search, tags
from fediblog.store.posts.account_posts import ProfileFilter
from fediblog.store.readers import lists
from fediblog.store.tx import Tx
from tests.store.makers import Watched, local, post, scans


def _asked(tx: Tx) -> Watched:
    watched, window = Watched(tx), Window(after=5 << 20, before=9 << 40)
    viewer = local(tx).id
    for each in (relation_lists.followers, relation_lists.following, relation_lists.requests, relation_lists.asked):
        each(watched, viewer, window)
        each(watched, viewer, Window(after=5 << 20, upwards=True))
    return watched


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_pages_of_followers_are_not_sorted(db: Database) -> None:
    """Only those of the same millisecond are put in order."""
    plans = await db.write(lambda tx: _asked(tx).plans())
    assert scans(plans, "x", "a") == []
    assert [
        step for step in plans if "TEMP B-TREE" in step and " RIGHT PART " not in step and " LAST TERM " not in step
    ] == []


@pytest.mark.parametrize("database_url", ["sqlite"], indirect=True)
async def test_every_list_of_people_has_an_index(db: Database) -> None:
    def check(tx: Tx) -> list[str]:
        watched, viewer, window = Watched(tx), local(tx).id, Window()
        number = post(tx, local(tx, "bob"), hashtags=("cats",))
        for each in (relation_lists.blocked, relation_lists.muted, relation_lists.endorsed):
            each(watched, viewer, window)
        relation_lists.muted_hosts(watched, viewer, window)
        relation_lists.listening(watched, viewer)
        relation_lists.mutual(watched, viewer, [1, 2])
        relation_lists.known_at(watched, viewer, "far.example")
        lists.holding(watched, viewer, 2)
        account_search.people(watched, "bo@far", viewer)
        account_search.people(watched, "bo", 0)
        search.at(watched, "https://far.example/1", viewer)
        search.of_people(watched, [1, 2], viewer, window)
        account_search.active(watched, viewer, local=False, limit=9, offset=0)
        account_posts.timeline(watched, viewer, 0, window, ProfileFilter(media=True, tag="cats"))
        account_posts.timeline(watched, viewer, viewer, window, ProfileFilter())
        tags.history(watched, ["cats"])
        tags.spread(watched, number, ["cats", "dogs"])
        tags.follow(watched, viewer, "cats")
        tags.featured(watched, viewer)
        tags.most_used(watched, viewer)
        tags.unfollow(watched, viewer, "cats")
        admin_accounts.find(watched, AccountFilter(), window)
        # the newest posts are read in order, up to a limit; `x` is the inner query; our own people are few
        allowed = {"SCAN post", "SCAN x", "SCAN n USING INDEX account_handle"}
        found = scans(watched.plans(), "post", "p", "t", "f", "x", "h", "n", "o", "m", "follow", "stream")
        return [step for step in found if step not in allowed]

    assert await db.write(check) == []
