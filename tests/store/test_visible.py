"""The rule of who may see what, in Python and in SQL, is one rule; and no list shows more than that, or less."""

from __future__ import annotations

import random
from collections import Counter
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from itertools import product

import pytest

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Visibility
from fediblog.domain.posts import WITHHELD, Boost, Category, Post
from fediblog.domain.rules import BlockStanding, is_met_in_lists, shown_below
from fediblog.markup.search_words import read_query
from fediblog.store.engine.database import Database
from fediblog.store.id_paging import FAR, Window
from fediblog.store.people import accounts, admin_accounts, relation_lists, relations
from fediblog.store.posts import (
    account_posts,
    archive,
    categories,
    post_writing,
    posts,
    reaction_lists,
    reactions,
    search,
    tags,
    thread_links,
    threads,
    timelines,
)
from fediblog.store.posts.account_posts import ProfileFilter
from fediblog.store.posts.timelines import Entry, ListedPost, TagFilter
from fediblog.store.readers import lists, notifications
from fediblog.store.tx import Tx
from tests.store.makers import (
    DAY,
    comments_of,
    everything,
    guest,
    home_of,
    local,
    note,
    notices_of,
    post,
    remote,
    rule,
    whole,
)

STATES = ("draft", "scheduled", "published", "deleted", *sorted(WITHHELD))


def every_case(tx: Tx) -> Account:
    """Authors of every kind with posts of every kind, and the one whom they know in every way."""
    viewer = local(tx, "viewer")
    thread = whole(tx, post(tx, viewer)).uri
    kinds = product(("active", "suspended", "deleted"), (None, "pending", "accepted"), (False, True))
    for number, (state, follow, blocks) in enumerate(kinds):
        author = remote(tx, f"author{number}")
        if follow:
            relations.put_follow(tx, viewer.id, author.id, f"{author.uri}/follow", follow)
        if blocks:
            tx.run("insert into block values (:a, :b, '', 1)", a=author.id, b=viewer.id)
        for visibility, kept, mentioned in product(Visibility, STATES, (False, True)):
            post(tx, author, visibility=visibility, state=kept, mentioned=[viewer.id] * mentioned)
            post(tx, author, visibility=visibility, state=kept, mentioned=[viewer.id] * mentioned, in_reply_to=thread)
        accounts.set_state(tx, author.id, state)
    return viewer


async def test_sql_and_the_rule_agree_in_every_case(db: Database) -> None:
    viewer = await db.write(every_case)

    def compare(tx: Tx) -> set[bool]:
        seen = set()
        for each in everything(tx):
            for who in (0, viewer.id, each.account.id):
                visible = posts.get(tx, each.id, who) is not None
                assert visible == rule(tx, each, who), (each, who)
                seen.add(visible)
        return seen

    assert await db.read(compare) == {True, False}


SHELVES = (Category(id=11, name="Arts", slug="arts"), Category(id=12, name="Books", slug="books", parent=11))


@dataclass
class World:
    people: list[Account]
    posts: list[Post]


def withhold(tx: Tx, dice: random.Random, numbers: Sequence[int]) -> None:
    """What was seen at first is withheld now."""
    for number in dice.sample(numbers, 14):
        state = dice.choice(sorted(WITHHELD))
        tx.run("update post set state = :state where id = :id and state = 'published'", state=state, id=number)


def file_some(tx: Tx, dice: random.Random, numbers: Sequence[int]) -> None:
    """Put some of the posts under categories."""
    for each in SHELVES:
        categories.add(tx, each)
    for number in numbers:
        categories.file_under(tx, number, [each.id for each in SHELVES if dice.random() < 0.5])


def random_world(tx: Tx, dice: random.Random) -> World:
    """Some people, ours and others, who follow, block, mute, answer and pass on without order."""
    people = [local(tx, name) for name in ("anna", "ben", "cleo")] + [
        remote(tx, name, "near.example" if name == "e" else "far.example") for name in "defgh"
    ]
    for one, other in product(people, people):
        if one is not other and dice.random() < 0.5:
            state = dice.choice(["accepted", "accepted", "pending"])
            relations.put_follow(tx, one.id, other.id, f"{one.uri}/{other.id}", state)
    guests = [guest(tx, "Gil"), guest(tx, "Gwen", "webmention")]
    numbers: list[int] = []
    for index in range(88):
        author = dice.choice(people)
        parent = posts.stored(tx, dice.choice(numbers)) if numbers and dice.random() < 0.5 else None
        state = dice.choice(["published"] * 5 + ["draft", "scheduled"]) if author.local else "published"
        number = post(
            tx,
            author,
            visibility=dice.choice(list(Visibility)),
            state=state,
            kind=dice.choice(["Note", "Article"]),
            month=f"2025/0{index % 3 + 1}" if author.local else "",
            slug=f"slug-{index}" if author.local else "",
            mentioned={each.id for each in dice.sample(people, 2)},
            in_reply_to=parent.uri if parent else "",
            hashtags=("Cats",) if dice.random() < 0.5 else (),
            guest=dice.choice(guests) if author.local and dice.random() < 0.2 else None,
            title=dice.choice(["", "about fish"]),
            published=tx.now - dice.randrange(40) * DAY,
        )
        numbers.append(number)
        if dice.random() < 0.3:
            post_writing.set_pinned(tx, number, tx.now + index)
        stored = posts.stored(tx, number)
        if stored and state == "published":
            timelines.spread(tx, stored)
            for who in people[:3]:
                notifications.add(tx, who.id, "mention", author.id, number)
            booster = dice.choice(people)
            boost = reactions.boost(
                tx, booster.id, number, f"{booster.uri}/boost/{number}", visibility=dice.choice(list(Visibility)).value
            )
            timelines.spread(tx, stored, boost, booster.id)
            for fan in dice.sample(people, 3):
                reactions.react(tx, fan.id, number, f"{fan.uri}/like/{number}")
    for one, other in product(people, people):
        if one is not other and dice.random() < 0.1:
            tx.run("insert into block values (:a, :b, '', 1)", a=one.id, b=other.id)
        if one is not other and dice.random() < 0.1:
            relations.mute(tx, one.id, other.id)
    for whose, exclusive in ((0, True), (1, False)):
        lists.put(
            tx, lists.add(tx, people[whose].id, "Apart", "list", exclusive=exclusive), {people[3].id, people[4].id}
        )
    withhold(tx, dice, numbers)
    relation_lists.mute_host(tx, people[1].id, "near.example")
    accounts.update_profile(tx, people[2].id, discoverable=0)
    admin_accounts.set_limited(tx, people[1].id, limited=True)
    admin_accounts.set_limited(tx, people[4].id, limited=True)
    accounts.set_state(tx, people[-1].id, "suspended")
    accounts.set_state(tx, people[-2].id, "deleted")
    file_some(tx, dice, numbers)
    return World(people, everything(tx))


def paged(ask: Callable[[Window], Sequence[Post | Entry]], size: int) -> list[int]:
    """All of a list, page by page."""
    found: list[int] = []
    while page := ask(Window(before=found[-1] if found else FAR, limit=size)):
        assert len(page) <= size
        found += [each.id for each in page]
    return found


def misses(tx: Tx, viewer: int, author: int) -> bool:
    """Whether lists show nothing of the author to the viewer, who avoids it or does not follow whom is limited."""
    other = accounts.get(tx, author)
    assert other is not None
    reader = relations.viewer(tx, viewer, author) if viewer else None
    return avoids(tx, viewer, author) or not is_met_in_lists(other, reader)


def avoids(tx: Tx, viewer: int, author: int) -> bool:
    """Whether the viewer blocks or mutes the author, or mutes their server."""
    other = accounts.get(tx, author)
    hosts = {host for _, host in relation_lists.muted_hosts(tx, viewer, Window())}
    hidden = other is not None and bool(hosts & {other.domain, accounts.host_of(other.uri)})
    return hidden or relations.blocks(tx, viewer, author) or relations.mutes(tx, viewer, author)


def boost_is_seen(tx: Tx, viewer: int, booster: Account, visibility: str) -> bool:
    if viewer == booster.id:
        return True
    if booster.state != "active" or (viewer and relations.blocks(tx, booster.id, viewer)):
        return False
    follows = bool(viewer) and relations.is_following(tx, viewer, booster.id)
    return visibility in ("public", "unlisted") or (visibility == "followers" and follows)


def check_lists(tx: Tx, world: World, viewer: int) -> int:
    """Compare every list with what the rule says it should hold, newest first; how many posts were shown."""
    seen = [each for each in reversed(world.posts) if each.state == "published" and rule(tx, each, viewer)]

    def ids(wanted: Callable[[Post], bool]) -> list[int]:
        return [each.id for each in seen if wanted(each)]

    total = 0
    for who in world.people:
        mine = paged(lambda b, w=who.id: account_posts.written(tx, w, viewer, b), 3)  # type: ignore[misc]
        assert mine == ids(lambda p, w=who.id: p.account.id == w)  # type: ignore[misc]
        wanted = ProfileFilter(replies="none", articles=True)
        alone = account_posts.written(tx, who.id, viewer, Window(limit=99), wanted)
        assert [p.id for p in alone] == ids(
            lambda p, w=who.id: p.account.id == w and not p.in_reply_to and p.is_article  # type: ignore[misc]
        )
        pins = [p for p in seen if p.account.id == who.id and p.pinned]
        assert [p.id for p in account_posts.pinned(tx, who.id, viewer)] == [
            p.id for p in sorted(pins, key=lambda p: p.pinned or 0, reverse=True)
        ]
        for month in ("2025/01", "2025/02"):
            found = paged(lambda b, w=who.id, m=month: account_posts.of_month(tx, w, m, viewer, b), 2)  # type: ignore[misc]
            rows = tx.all("select id from post where local = 1 and month = :m and account = :a", m=month, a=who.id)
            assert found == ids(lambda p, r=rows: p.id in {row.id for row in r})  # type: ignore[misc]
        total += len(mine)
        check_outbox(tx, who, viewer, mine)
    public = Visibility.PUBLIC

    def is_found(p: Post) -> bool:
        hides = p.account.id in {each.id for each in world.people[1:3]}
        return p.local and not hides and p.visibility == public and not misses(tx, viewer, p.account.id)

    here = paged(lambda b: timelines.blog(tx, viewer, b), 3)
    assert here == ids(lambda p: is_found(p) and not p.in_reply_to)
    monthly = {row.id: row.month for row in tx.all("select id, month from post")}
    found = paged(lambda b: timelines.of_month(tx, viewer, "2025/02", b), 3)
    assert found == [each for each in here if monthly[each] == "2025/02"]
    filed = paged(lambda b: timelines.filed(tx, viewer, {11, 12}, b), 3)
    assert filed == ids(lambda p: is_found(p) and bool(p.categories))
    if not viewer:
        check_counts(tx, [p for p in seen if is_found(p)], monthly)
    tagged = paged(lambda b: timelines.tagged(tx, viewer, TagFilter(tag="cats"), b), 3)
    assert tagged == ids(
        lambda p: p.visibility == public and p.hashtags == ("Cats",) and not misses(tx, viewer, p.account.id)
    )
    streamed = {row.post for row in tx.all("select post from stream where account = :id", id=viewer)}
    read = {p.id for p in seen if p.local or p.id in streamed}
    if not viewer:  # visitors: what is public, of whom wants to be found
        read = {p.id for p in seen if is_found(p)}

    def finds(words: str, wanted: Callable[[Post], bool]) -> None:
        shown = paged(lambda b: search.newest(tx, words, viewer, b).posts, 3)
        assert shown == ids(lambda p: wanted(p) and not misses(tx, viewer, p.account.id))
        best = search.ranked(tx, read_query(words), viewer, search.ALL, limit=99, offset=0)
        assert {p.id for p in best.posts} == set(shown) & read

    finds("FISH", lambda p: "fish" in p.title and p.id in read)
    finds("#CATS", lambda p: p.hashtags == ("Cats",) and ((bool(viewer) and p.visibility == public) or p.id in read))
    return total + len(tagged) + len(here)


def check_counts(tx: Tx, everybodys: list[Post], monthly: dict[int, str]) -> None:
    """What is counted for pages that are the same for all is what everybody finds, and no more."""
    inside = {each.id: {"Arts", "Books"} if each.parent is None else {each.name} for each in SHELVES}
    filed = {
        number: sum(bool(names & {each.name for each in p.categories}) for p in everybodys)
        for number, names in inside.items()
    }
    assert categories.totals(tx) == {number: n for number, n in filed.items() if n}
    assert [each.posts for each in tags.totals(tx, 9)] == [sum(p.hashtags == ("Cats",) for p in everybodys)]
    begun = Counter(monthly[p.id] for p in everybodys if not p.in_reply_to)
    assert archive.months(tx) == sorted(begun.items(), reverse=True)
    articles = [p.slug for p in everybodys if p.is_article]
    assert [each.slug for each in archive.latest_articles(tx, 0, 99)] == articles


def check_outbox(tx: Tx, who: Account, viewer: int, mine: list[int]) -> None:
    found: list[Post | Boost] = []
    while page := account_posts.timeline(tx, who.id, viewer, Window(before=found[-1].id if found else FAR, limit=4)):
        found += page
    booster = accounts.get(tx, who.id)
    assert booster is not None
    rows = tx.all("select id, post, visibility from boost where account = :id", id=who.id)
    boosts = [
        row.id
        for row in rows
        if (shown := posts.get(tx, row.post, viewer)) is not None
        and shown.state == "published"
        and not misses(tx, viewer, shown.account.id)
        and boost_is_seen(tx, viewer, booster, row.visibility)
    ]
    assert [each.id for each in found] == sorted([*mine, *boosts], reverse=True)
    assert all(rule(tx, each.post, viewer) for each in found if isinstance(each, Boost))


def shown_there(tx: Tx, world: World, each: Post, who: int) -> bool:
    """What the rule says of whether somebody's answers, likes and boosts are shown below that post."""
    whole = {p.id: p for p in world.posts}
    authors = [whole[each.root].account if each.root in whole else each.account, each.account]
    other = accounts.get(tx, who)
    assert other is not None

    def standing(author: Account) -> BlockStanding:
        hosts = {host for _, host in relation_lists.muted_hosts(tx, author.id, Window())}
        return BlockStanding(
            blocked=relations.blocks(tx, author.id, who),
            host_blocked=bool(hosts & {other.domain, accounts.host_of(other.uri)}),
        )

    return shown_below([(author, standing(author)) for author in authors])


def answers_below(world: World, post: Post) -> list[Post]:
    """All that is counted as comments below a post: of a thread's first one what names it as such."""
    if post.root is None:
        return [p for p in world.posts if p.root == post.id]
    children = [p for p in world.posts if p.parent == post.id]
    return children + [below for child in children for below in answers_below(world, child)]


def check_faces(tx: Tx, each: Post, viewer: int, fans: set[int], spreaders: set[int]) -> None:
    """Whom the viewer meets below a post, of those who liked it and passed it on."""

    def is_met(who: int) -> bool:
        return not avoids(tx, viewer, who) and not (viewer and relations.blocks(tx, who, viewer))

    everybody = Window(limit=99)
    likers = {account.id for _, account in reaction_lists.likers(tx, each.id, viewer, everybody)}
    faces = {reaction.account.id for reaction in reaction_lists.first_reactions(tx, each.id, viewer, 99)}
    assert likers == faces == {who for who in fans if is_met(who)}
    assert len(reaction_lists.like_uris(tx, each.id, viewer)) == len(likers)
    boosters = {account.id for _, account in reaction_lists.boosters(tx, each.id, viewer, everybody)}
    seen = {
        row.account
        for row in tx.all("select account, visibility from boost where post = :id", id=each.id)
        if row.account in spreaders
        and is_met(row.account)
        and (booster := accounts.get(tx, row.account)) is not None
        and boost_is_seen(tx, viewer, booster, row.visibility)
    }
    assert boosters == seen
    assert len(reaction_lists.boost_uris(tx, each.id, viewer)) == len(boosters)


def check_totals(tx: Tx, world: World) -> int:
    """Totals, faces and ids of likes and boosts are of the same people, those whom the rule shows."""
    hidden = 0
    active = {row.id for row in tx.all("select id from account where state = 'active'")}
    for each in everything(tx):
        likes = {row.account for row in tx.all("select account from reaction where post = :id", id=each.id)}
        shared = {row.account for row in tx.all("select account from boost where post = :id", id=each.id)}
        fans, spreaders = (
            {who for who in people if who in active and shown_there(tx, world, each, who)} for people in (likes, shared)
        )
        assert (len(fans), len(spreaders)) == (each.like_total, each.boost_total)
        for viewer in (0, *(person.id for person in world.people[:3])):
            check_faces(tx, each, viewer, fans, spreaders)
        answers = [p for p in answers_below(world, each) if p.state == "published"]
        public = [p for p in answers if p.visibility in ("public", "unlisted")]
        counted = [p for p in public if p.account.id in active and not p.account.limited]
        assert each.comments == sum(shown_there(tx, world, p, p.account.id) for p in counted)
        hidden += len(likes) - len(fans) + len(public) - each.comments
    return hidden


def check_threads(tx: Tx, world: World, viewer: int) -> int:
    visible = {p.id: p for p in world.posts if rule(tx, p, viewer)}
    total = 0
    for each in world.posts:
        answers = [p for p in world.posts if p.parent == each.id and p.id in visible and p.state == "published"]
        answers = [p for p in answers if shown_there(tx, world, p, p.account.id)]
        assert [row.id for row in threads.reply_links(tx, each.id, viewer)] == [p.id for p in answers]
        below = [p for p in world.posts if p.root == each.id and p.id in visible and p.state == "published"]
        below = [p for p in below if shown_there(tx, world, p, p.account.id)]
        kept = [p.id for p in below if not misses(tx, viewer, p.account.id)]
        branch = [p for p in answers_below(world, each) if p.id in visible and p.state == "published"]
        read = {p.id for p in branch if shown_there(tx, world, p, p.account.id)}
        read -= {p.id for p in branch if misses(tx, viewer, p.account.id)}
        assert [p.id for p in comments_of(tx, each.id, viewer)] == sorted(read)
        whole = sorted(
            [p.id for p in below]
            + [each.id]
            * (each.id in visible and each.state == "published" and shown_there(tx, world, each, each.account.id))
        )
        assert [row.id for row in threads.links(tx, each.id, viewer, Window(limit=99))] == whole
        above = threads.ancestors(tx, each, viewer)
        assert all(p.id in visible and p.state == "published" for p in above)
        total += len(kept) + len(above)
    return total


def check_private(tx: Tx, world: World, viewer: Account) -> int:
    """The lists that one's own people have for themselves."""
    items: list[ListedPost] = []
    while page := home_of(tx, viewer.id, Window(before=items[-1].id if items else FAR, limit=5)):
        items += page
    expected = []
    mine = [each for each in lists.of_account(tx, viewer.id) if each.exclusive]
    apart = {member.id for each in mine for member in lists.members(tx, each.id, None)}
    for row in tx.all("select * from stream where account = :id order by item desc", id=viewer.id):
        shown = posts.get(tx, row.post, viewer.id)
        if shown is None or shown.state != "published" or misses(tx, viewer.id, shown.account.id):
            continue
        boost = tx.one("select account, visibility from boost where id = :id", id=row.boost) if row.boost else None
        booster = accounts.get(tx, boost.account) if boost else None
        if boost and booster and avoids(tx, viewer.id, booster.id):
            continue
        if (booster.id if booster else shown.account.id) in apart:
            continue
        if boost and booster and not boost_is_seen(tx, viewer.id, booster, boost.visibility):
            continue
        expected.append((row.item, row.post, booster.id if booster else None))
    assert [(each.id, each.post.id, each.booster.id if each.booster else None) for each in items] == expected
    told = notices_of(tx, viewer.id, limit=999)
    for each in told:
        assert each.actor.state == "active"
        assert each.post is not None
        assert each.post.state == "published"
        assert rule(tx, each.post, viewer.id)
    unwritten = [p.id for p in world.posts if p.account.id == viewer.id and p.is_draft]
    assert [p.id for p in account_posts.drafts(tx, viewer.id)] == unwritten[::-1]
    return len(items) + len(told)


@pytest.mark.parametrize("seed", range(4))
@pytest.mark.slow
async def test_lists_show_what_the_rule_allows(db: Database, seed: int) -> None:
    world = await db.write(random_world, random.Random(seed))

    def check(tx: Tx) -> tuple[int, int, int, int]:
        viewers = [0, *(each.id for each in world.people)]
        return (
            sum(check_lists(tx, world, viewer) for viewer in viewers),
            sum(check_threads(tx, world, viewer) for viewer in viewers),
            sum(check_private(tx, world, each) for each in world.people[:3]),
            100 * check_totals(tx, world),
        )

    assert all(total > 75 for total in await db.read(check))


async def test_nobody_is_somebody_by_number_zero(db: Database) -> None:
    """The number that means anybody at all must not match a follow, a mention or an author."""

    def check(tx: Tx) -> None:
        author = remote(tx)
        for visibility in (Visibility.FOLLOWERS, Visibility.DIRECT):
            number = post(tx, author, visibility=visibility)
            assert posts.get(tx, number) is None
            assert posts.get(tx, number, 0) is None
            assert posts.get(tx, number, author.id) is not None
            assert posts.many(tx, [number, number + 1], 0) == {}
            assert set(posts.many(tx, [number, number + 1], author.id)) == {number}
        assert posts.many(tx, []) == {}
        assert thread_links.tie(tx, note(author).uri, author.id) is None

    await db.write(check)
