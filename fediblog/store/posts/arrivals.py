"""What has to be known of what comes in before it is stored, in one question for all of it.

The one who writes takes its turn for each statement, and PostgreSQL is a way there and back, however little is asked.
"""

from __future__ import annotations

from collections.abc import Collection
from typing import NamedTuple

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Note
from fediblog.store.people.accounts import host_of
from fediblog.store.people.hosts import SHUT_OUT, domains
from fediblog.store.posts import thread_links
from fediblog.store.posts.thread_links import ThreadPost
from fediblog.store.queues.push_subscriptions import PUSHED
from fediblog.store.tx import Tx
from fediblog.store.visible import KNOWN, VISIBLE

_FOLLOWED = (
    "exists (select 1 from follow f join account fa on fa.id = f.follower"
    " where f.followed = :author and f.state = 'accepted' and fa.local = 1) as followed"
)
_WAITS = "exists (select 1 from post w where w.in_reply_to = :{} and w.in_reply_to <> '' and w.parent is null)"
_POST = (  # a list as rows, since SQLite makes a table of every longer `in (…)`
    "select exists (select 1 from post k where k.uri = :uri and k.state <> 'deleted') as stored,"
    " exists (select 1 from early e where e.uri = :uri and e.actor = :actor) as early,"
    " exists (select 1 from tombstone t where t.uri = :uri) as buried,"
    f" {SHUT_OUT} as host_blocked,"
    f" {_WAITS.format('uri')} or {_WAITS.format('page')} as awaited,"
    f" {_FOLLOWED}, (select state from account where id = :author) as standing,"
    " (exists (select 1 from block b where b.account = p.account and b.target = :author and p.local = 1)"
    " or exists (select 1 from post r cross join block b where r.id = p.root and r.local = 1"
    " and b.account = r.account and b.target = :author)) as author_blocked,"
    f" p.poll, p.id, p.root, p.uri, p.account, p.local, p.repliable, {PUSHED.format('p.account')}"
    f" from (select 1 as yes) o left join post p on p.uri = :above and {KNOWN}"
)
_TARGET = (
    "select p.id, p.account, p.local, p.visibility,"
    f" exists (select 1 from early e where e.uri = :activity and e.actor = :actor) as undone, {_FOLLOWED},"
    " (select count(*) from reaction c where c.post = p.id and c.account = :viewer) as reactions,"
    f" {PUSHED.format('p.account')}"
    f" from post p where p.uri = :uri and p.state = 'published' and {VISIBLE}"
    " and not exists (select 1 from account sa where sa.id = :viewer and sa.state <> 'active')"
)
_PEOPLE = (
    f"select a.id, a.uri, a.local, a.state, {PUSHED.format('a.id')}"
    " from (values (:uris)) v cross join account a where a.uri = v.column1"
)


class Arrival(NamedTuple):
    """What stands in the way of somebody else's post, and what it answers.

    `early`: its author took it back before it came; `buried`: it was here and was deleted; `awaited`: answers that came
    before it have waited for it; `followed`: by somebody here, its author is; `standing` is the state of the author's
    account now, None if there is none; `author_blocked`: by one of our people whom it answers or in whose thread it is.
    `answered` is the post that it answers, `poll` the poll of that one, as it is stored. What its author must not know
    of is not here for it.
    """

    stored: int
    early: int
    buried: int
    host_blocked: int
    awaited: int
    followed: int
    standing: str | None
    author_blocked: int
    poll: str | None
    answered: ThreadPost | None


class ReactedPost(NamedTuple):
    """A post that somebody may see and reacts to.

    `undone`: the reaction was taken back before it came; `followed`: by somebody here, who reacts is; `reactions`: how
    many of theirs stand beside the post; `pushed`: its author wants to be woken by push messages.
    """

    id: int
    account: int
    local: int
    visibility: str
    undone: int
    followed: int
    reactions: int
    pushed: int


class Addressee(NamedTuple):
    """An account that is named or addressed; `pushed`: who wants to be woken by push messages."""

    id: int
    uri: str
    local: int
    state: str
    pushed: int


def post(tx: Tx, note: Note, author: Account) -> Arrival:
    """What stands in the way of somebody else's post, and what it answers."""
    found = _post(tx, note, author, note.in_reply_to)
    if found.answered is None and (page := thread_links.at_page(tx, note.in_reply_to, author.id)) is not None:
        return _post(tx, note, author, page.uri)
    return found


def _post(tx: Tx, note: Note, author: Account, above: str) -> Arrival:
    host = host_of(note.uri)
    row = tx.one(
        _POST,
        uri=note.uri,
        page=thread_links.page_of(note, host),
        actor=note.author,
        author=author.id,
        viewer=author.id,
        hosts=domains(host, author.domain),
        above=above,
    )
    assert row is not None  # it asks for one row
    stands = tuple(row)
    return Arrival._make((*stands[:9], ThreadPost(*stands[9:]) if row.id is not None else None))


def target(tx: Tx, uri: str, actor: Account, activity: str) -> ReactedPost | None:
    """The post with that id, if the actor may see it and may react to it by an activity."""
    row = tx.one(_TARGET, uri=uri, viewer=actor.id, author=actor.id, activity=activity, actor=actor.uri)
    return ReactedPost._make(row) if row else None


def people(tx: Tx, uris: Collection[str]) -> dict[str, Addressee]:
    """The accounts among those ids that are known."""
    rows = tx.all(_PEOPLE, uris=sorted(uris)) if uris else ()
    return {row.uri: Addressee._make(row) for row in rows}
