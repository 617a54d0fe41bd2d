"""A world of posts made at random, described in plain words, and a rule of its own that says who may read what.

The rule knows nothing of the product's: it asks the description alone. Each part of each post carries a word of its
own, `zq07t` for the text of the seventh, so that whatever stands in an answer says which post and which part it is of.
"""

from __future__ import annotations

import random
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from itertools import permutations
from typing import Any, Literal

from fediblog.actions import (
    category_actions,
    follow_actions,
    moderation_actions,
    post_actions,
    reaction_actions,
    trash_actions,
)
from fediblog.actions.drafts import Draft, File, PollDraft
from fediblog.actions.page_actions import PageDraft
from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, Visibility
from fediblog.domain.posts import Category, Post
from fediblog.errors import FediblogError
from fediblog.federation import prepared_actions
from fediblog.store.people import accounts, admin_accounts, host_rules, relations
from fediblog.store.people.host_rules import HostRule, Severity
from fediblog.store.posts import media_files, posts, reader_marks
from fediblog.store.readers import lists
from fediblog.store.tx import Tx
from tests import wording
from tests.federation.stranger import Home, Person
from tests.world import add_person, keys_of

MARK = re.compile(r"zq(\d\d)([a-z])(?![a-z0-9])", re.IGNORECASE)
BELOW = frozenset("tuaome")
"""What a content warning hides everywhere: both words of the text, pictures and what they show, answers of a poll, the
text as it was before an edit. Hashtags (g) it hides on pages and in feeds; titles, abstracts and itself it does not."""
OURS = ("alice", "bob", "carol", "dora", "finn")  # Alice owns the server
GONE = "gus"  # of ours, suspended at the end
HOSTS = {"zoe": "far.test", "yan": "near.test", "eve": "evil.test", "uma": "odd.test"}
POSTS = 34
AUDIENCES = ("public", "unlisted", "followers", "direct")
OPEN = AUDIENCES[:2]
State = Literal["published", "draft", "scheduled"]
STATES: tuple[State, ...] = (*(("published",) * 8), "draft", "scheduled")  # as our people write: most appear at once
DAY = 86_400_000  # ms


def word(number: int, part: str) -> str:
    """The word that stands in a part of a post."""
    return f"zq{number:02}{part}"


@dataclass(kw_only=True)
class Written:
    """A post as the world tells of it."""

    number: int
    author: str
    audience: str
    state: str
    mentioned: frozenset[str] = frozenset()
    warned: bool = False
    began: str = ""  # who wrote the first post of its thread
    quoted: int | None = None
    post: Post | None = field(default=None, repr=False)  # None: a page that stands by itself


@dataclass
class Crossed:
    """People, what they are to each other, and what they wrote."""

    home: Home
    dice: random.Random
    people: dict[str, Account] = field(default_factory=dict)
    strangers: dict[str, Person] = field(default_factory=dict)
    written: dict[int, Written] = field(default_factory=dict)
    follows: set[tuple[str, str]] = field(default_factory=set)  # who follows whom
    blocks: set[tuple[str, str]] = field(default_factory=set)
    excluded: set[tuple[str, str]] = field(default_factory=set)  # who does not want to meet whom in lists
    suspended: set[str] = field(default_factory=set)
    unlisted: set[str] = field(default_factory=set)  # who does not want to be found
    limited: set[str] = field(default_factory=set)  # whom lists show to who follows them alone
    boosts: dict[str, tuple[str, str, int]] = field(default_factory=dict)  # who, for whom and what, by number
    category: str = "zqshelf"

    def may_read(self, who: str, number: int) -> bool:
        """Whether somebody (nothing: anybody at all) may read a post."""
        it = self.written[number]
        if it.post is None:
            return it.state == "published" or who == "alice"
        if it.state == "deleted":
            return False
        if who == it.author:
            return True
        if it.state != "published" and not (it.state in ("held", "spam", "hidden") and who and who == it.began):
            return False
        if it.author in self.suspended or (it.author, who) in self.blocks:
            return False
        if it.audience in OPEN or who in it.mentioned:
            return True
        return it.audience == "followers" and (who, it.author) in self.follows

    def may_know_of_boost(self, who: str, boost: str) -> bool:
        """Whether somebody may learn that a post was boosted."""
        author, audience, _ = self.boosts[boost]
        if who == author:
            return True
        if author in self.suspended or (author, who) in self.blocks:
            return False
        return audience in OPEN or (who, author) in self.follows

    def is_for_lists(self, who: str, number: int) -> bool:
        """Whether somebody may meet a post where the address names neither it nor its author.

        Anybody may meet what is public of people who want to be found, and what these pass on or quote.
        """
        it = self.written[number]
        if it.post is None:
            return True
        if it.author in self.limited and who != it.author and (who, it.author) not in self.follows:
            return False
        if who:
            return (who, it.author) not in self.excluded
        if it.audience == "public" and it.author not in self.unlisted:
            return True
        by = {name for name, audience, post in self.boosts.values() if post == number and audience == "public"}
        quoting = [each for each in self.written.values() if each.quoted == number and self.may_read("", each.number)]
        return bool(by - self.unlisted - self.limited) or any(self.is_for_lists("", each.number) for each in quoting)

    async def write(self, call: Callable[..., Any], *given: Any, **more: Any) -> Any:
        return await self.home.site.db.write(call, *given, **more)


async def make(home: Home, seed: int) -> Crossed:
    """A world: people, posts, what was done to these, and then what changed."""
    world = Crossed(home, random.Random(seed))
    await _settle(world)
    await world.write(category_actions.add, Category(id=0, name=world.category, slug=world.category))
    for number in range(POSTS):
        home.clock.forward(minutes=7)
        await (_send(world, number) if world.dice.random() < 0.25 else _publish(world, number))
        if number in world.written:
            await _react(world, world.written[number])
    for number, published in ((POSTS, True), (POSTS + 1, False)):
        page = PageDraft(title=word(number, "h"), source=word(number, "t"), published=published)
        await prepared_actions.save_page(home.site, None, page, ())
        state = "published" if published else "draft"
        world.written[number] = Written(number=number, author="alice", audience="public", state=state)
    await _turn(world)
    for it in world.written.values():
        if it.post is not None:
            it.post = await home.site.db.read(posts.stored, it.post.id) or it.post
    return world


async def _settle(world: Crossed) -> None:
    """Everybody, and who follows whom."""
    home = world.home
    world.people["alice"] = home.alice
    for name in (*OURS[1:], GONE):
        world.people[name] = await world.write(add_person, home.site.urls, name, keys_of("home.test", "mallory"))
    for name, host in HOSTS.items():
        world.strangers[name] = Person(home.web, host, name, alike="bob")
        world.people[name] = await home.know(world.strangers[name])
    for one, other in permutations(world.people, 2):
        if world.dice.random() < 0.7 and (one in (*OURS, GONE) or other in (*OURS, GONE)):
            state = world.dice.choice(("accepted",) * 5 + ("pending",))
            numbers = world.people[one].id, world.people[other].id
            await world.write(relations.put_follow, *numbers, f"https://{one}.test/{other}", state)
            world.follows |= {(one, other)} if state == "accepted" else set()


def _above(world: Crossed, author: str) -> Written | None:
    """What somebody answers or quotes, if anything."""
    seen = [it for it in world.written.values() if it.state == "published" and world.may_read(author, it.number)]
    return world.dice.choice(seen) if seen and world.dice.random() < 0.6 else None


async def _publish(world: Crossed, number: int) -> None:
    """A post of one of ours, of any kind."""
    dice, urls = world.dice, world.home.site.urls
    author = dice.choice((*OURS, *OURS, GONE))
    named = {name for name in dice.sample(sorted(world.people), 3) if name != author and dice.random() < 0.5}
    state: State = dice.choice(STATES)
    above = _above(world, author)
    audience = dice.choice(("public", "public", *AUDIENCES))
    if above is not None and above.audience not in OPEN:  # an answer is never for more people
        audience = max(audience, above.audience, key=AUDIENCES.index)
    warned = dice.random() < 0.4
    text = f"{word(number, 't')} lives with {word(number, 'u')} #{word(number, 'g')} "
    text += " ".join(f"@{name}" if name in OURS or name == GONE else f"@{name}@{HOSTS[name]}" for name in sorted(named))
    fields: dict[str, Any] = {"warning": word(number, "w")} if warned else {}
    kind = dice.choice(("note", "note", "article", "article", "poll"))
    if kind == "article":
        fields |= {"title": f"Birds {word(number, 'h')}", "summary": word(number, "s") if dice.random() < 0.5 else ""}
        fields |= {"hero": await _upload(world, author, number, 50)} if dice.random() < 0.5 else {}
        text += f"\n\n![{word(number, 'a')}](https://far.example/{word(number, 'm')}.png)"
    elif kind == "poll":
        fields["poll"] = PollDraft(options=(f"{word(number, 'o')} one", f"{word(number, 'o')} two"))
    elif dice.random() < 0.6:
        fields["files"] = (await _upload(world, author, number, 0),)
    if above is not None and above.post is not None:
        may_quote = above.audience in OPEN and audience in OPEN
        fields["quote" if may_quote and dice.random() < 0.5 else "reply_to"] = above.post.id
    if state == "scheduled":
        fields["scheduled"] = world.home.clock.now + 90 * DAY
    fields["categories"] = tuple(await world.home.site.db.read(_shelves)) if dice.random() < 0.5 else ()
    draft = Draft(source=text, visibility=Visibility(audience), state=state, **fields)
    found = {f"{name}@{HOSTS[name]}": world.people[name].id for name in HOSTS}
    me = world.people[author].id
    edited = state == "published" and dice.random() < 0.2
    if edited:
        first = Draft(
            source=text.replace(word(number, "t"), word(number, "e")), visibility=Visibility(audience), **fields
        )
        post = await world.write(wording.publish, urls, me, first, found)
        await world.write(wording.edit, urls, me, post.id, draft, found)
    else:
        post = await world.write(wording.publish, urls, me, draft, found)
    is_answer = above is not None and "reply_to" in fields
    began = (above.began or above.author) if is_answer and above else ""
    mentioned = frozenset(named | {above.author} if is_answer and above else named) - {author}
    assert {world.people[name].id for name in mentioned} == post.addressed
    world.written[number] = Written(
        number=number,
        author=author,
        audience=audience,
        state=state,
        mentioned=mentioned,
        warned=warned,
        began=began,
        quoted=above.number if above and "quote" in fields else None,
        post=post,
    )


async def _send(world: Crossed, number: int) -> None:
    """A post of somebody elsewhere, as it comes in; what is nobody's business here is not kept."""
    dice = world.dice
    author = dice.choice(sorted(HOSTS))
    person = world.strangers[author]
    audience = dice.choice(AUDIENCES)
    named = {name for name in OURS if dice.random() < 0.3} | ({dice.choice(OURS)} if audience == "direct" else set())
    to, cc = {
        "public": ([PUBLIC], [f"{person.uri}/followers"]),
        "unlisted": ([f"{person.uri}/followers"], [PUBLIC]),
        "followers": ([f"{person.uri}/followers"], []),
        "direct": ([], []),
    }[audience]
    above = _above(world, author)
    warned = dice.random() < 0.4
    tags = [{"type": "Mention", "href": world.people[name].uri, "name": f"@{name}"} for name in sorted(named)]
    note = person.note(
        number,
        to=[*to, *(world.people[name].uri for name in sorted(named))],
        cc=cc,
        content=f"<p>{word(number, 't')} lives with {word(number, 'u')}</p>",
        published="2025-06-15T15:00:00Z",
        tag=[*tags, {"type": "Hashtag", "name": f"#{word(number, 'g')}", "href": f"https://{person.host}/t/x"}],
        attachment=[
            {
                "type": "Image",
                "mediaType": "image/png",
                "url": f"https://{person.host}/{word(number, 'm')}.png",
                "name": word(number, "a"),
            }
        ],
        **({"summary": word(number, "w"), "sensitive": True} if warned else {}),
        **({"inReplyTo": above.post.uri} if above is not None and above.post is not None else {}),
    )
    owner = next((name for name in OURS if name in named or (name, author) in world.follows), None)
    if owner is None:
        return
    await world.home.send(person, person.creates(note, number), inbox_owner=world.people[owner].id)
    await world.home.work()
    post = await world.home.site.db.read(posts.by_uri, note["id"])
    if post is None:
        return
    world.written[number] = Written(
        number=number,
        author=author,
        audience=audience,
        state="published",
        mentioned=frozenset(named),
        warned=warned,
        began=(above.began or above.author) if above is not None else "",
        post=post,
    )


def _limit(tx: Tx, world: Crossed, names: tuple[str, str]) -> None:
    """One of ours, and one elsewhere by a rule about their server."""
    admin_accounts.set_limited(tx, world.people[names[0]].id, limited=True)
    host_rules.put(tx, [HostRule(host=HOSTS[names[1]], severity=Severity.LIMIT)])
    world.limited |= {*names}


def _shelves(tx: Tx) -> list[int]:
    return [row.id for row in tx.all("select id from category")]


async def _upload(world: Crossed, author: str, number: int, more: int) -> File:
    """A picture whose address and description say of which post it is."""
    name = f"zq/{number:02}/{word(number, 'm')}-{number + more:026}.png"

    def add(tx: Tx) -> int:
        sizes: dict[str, Any] = {"large": "", "small": "", "width": 900, "height": 600, "blurhash": "", "size": 7}
        return media_files.add(tx, world.people[author].id, media_type="image/png", file=name, **sizes)

    return File(upload=await world.write(add), alt=word(number, "a"))


async def _react(world: Crossed, it: Written) -> None:
    """Those who may read it like it, pass it on, keep it, pin it."""
    if it.post is None or it.state != "published":
        return
    dice, urls, number = world.dice, world.home.site.urls, it.post.id
    for name in OURS:
        if not world.may_read(name, it.number):
            continue
        me = world.people[name].id
        if dice.random() < 0.4:
            await world.write(reaction_actions.like, urls, me, number)
        if dice.random() < 0.4:
            await world.write(reader_marks.bookmark, me, number)
        if dice.random() < 0.25 and it.audience in OPEN:
            audience = dice.choice(("public", "followers"))
            await world.write(reaction_actions.boost, urls, me, number, Visibility(audience))
            found = await world.home.ask("select id from boost where account = :me and post = :it", me=me, it=number)
            world.boosts[str(found[0][0])] = (name, audience, it.number)
    if it.author in OURS and dice.random() < 0.25 and it.audience != "direct":
        await world.write(_try, post_actions.pin, urls, world.people[it.author].id, number)


def _try(tx: Tx, call: Callable[..., Any], *given: Any) -> None:
    """What is refused is not done: more are pinned than may be."""
    try:
        call(tx, *given)
    except FediblogError:
        return


async def _turn(world: Crossed) -> None:
    """What changed since: who is followed, blocked, muted, suspended, not to be found; what was withheld or deleted."""
    dice, urls = world.dice, world.home.site.urls
    for name in OURS:
        me = world.people[name].id
        made = await world.write(lambda tx, me=me: lists.add(tx, me, "All", "list", exclusive=False))
        followed = {world.people[other].id for one, other in world.follows if one == name}
        await world.write(lists.put, made, followed)
    for one, other in sorted(world.follows):
        if one in OURS and dice.random() < 0.2:
            await world.write(follow_actions.unfollow, urls, world.people[one].id, world.people[other].id)
            world.follows.discard((one, other))
    for one, other in permutations(sorted({*OURS, *HOSTS}), 2):
        if one in OURS and dice.random() < 0.12:
            await world.write(moderation_actions.block, urls, world.people[one].id, world.people[other].id)
            world.blocks.add((one, other))
            world.excluded.add((one, other))
            world.follows -= {(one, other), (other, one)}
        elif one in OURS and dice.random() < 0.1:
            await world.write(moderation_actions.mute, urls, world.people[one].id, world.people[other].id)
            world.excluded.add((one, other))
    await world.write(moderation_actions.mute_host, urls, world.people["finn"].id, HOSTS["yan"])
    world.excluded.add(("finn", "yan"))
    world.follows -= {("finn", "yan"), ("yan", "finn")}
    hidden = dice.choice(OURS[1:])
    await world.write(lambda tx: accounts.update_profile(tx, world.people[hidden].id, discoverable=0))
    world.unlisted.add(hidden)
    for it in [it for it in world.written.values() if it.post is not None and it.state == "published"]:
        assert it.post is not None
        if it.began and dice.random() < 0.3:
            it.state = dice.choice(("held", "spam", "hidden"))
            sql = "update post set state = :state where id = :id"
            await world.write(lambda tx, it=it, sql=sql: tx.run(sql, state=it.state, id=it.post.id))
        elif it.author in OURS and dice.random() < 0.08:
            it.state = "deleted"
            me, number = world.people[it.author].id, it.post.id
            kept = await world.home.site.db.read(trash_actions.pictures_to_keep, me, number)
            copies = {name: name.replace(".png", "-kept.png") for each in kept for name in each.names}
            await world.write(trash_actions.delete, urls, me, number, copies)
    await world.write(moderation_actions.suspend, urls, world.people[GONE].id)
    await world.write(moderation_actions.suspend, urls, world.people["uma"].id)
    await world.write(moderation_actions.block_host, urls, HOSTS["eve"])
    world.suspended |= {GONE, "uma", "eve"}
    await world.write(_limit, world, (dice.choice([name for name in OURS[1:] if name != hidden]), "zoe"))
