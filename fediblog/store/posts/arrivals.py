"""What has to be known of what comes in before it is stored, in one question for all of it.

The one who writes takes its turn for each statement, and PostgreSQL is a way there and back, however little is asked.
"""

from __future__ import annotations

from collections.abc import Collection

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Note
from fediblog.store.people.accounts import host_of
from fediblog.store.people.hosts import domains
from fediblog.store.posts import thread_links
from fediblog.store.queues.push_subscriptions import PUSHED
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import VISIBLE

_FOLLOWED = (
    "exists (select 1 from follow f join account fa on fa.id = f.follower"
    " where f.followed = :author and f.state = 'accepted' and fa.local = 1) as followed"
)
_WAITS = "exists (select 1 from post w where w.in_reply_to = :{} and w.in_reply_to <> '' and w.parent is null)"
_POST = (  # a list as rows, since SQLite makes a table of every longer `in (…)`
    "select exists (select 1 from post k where k.uri = :uri and k.state <> 'deleted') as stored,"
    " exists (select 1 from early e where e.uri = :uri and e.actor = :actor) as early,"
    " exists (select 1 from tombstone t where t.uri = :uri) as buried,"
    " exists (select 1 from (values (:hosts)) v cross join blocked_host h where h.host = v.column1) as blocked,"
    f" {_WAITS.format('uri')} or {_WAITS.format('page')} as awaited,"
    f" {_FOLLOWED}, (select state from account where id = :author) as standing,"
    " (exists (select 1 from block b where b.account = p.account and b.target = :author and p.local = 1)"
    " or exists (select 1 from post r cross join block b where r.id = p.root and r.local = 1"
    " and b.account = r.account and b.target = :author)) as shunned,"
    f" {PUSHED.format('p.account')}, p.id, p.account, p.local, p.repliable, p.root, p.uri, p.poll"
    " from (select 1 as yes) o left join post p on p.uri = :above"
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


def post(tx: Tx, note: Note, author: Account) -> Row:
    """What stands in the way of somebody else's post, and what it answers.

    Whether it is `stored`, its author took it back `early`, it was here and is `buried`, its server is `blocked`,
    answers that came before it have `awaited` it, somebody here has `followed` the author, whose state now is
    `standing`, or one of our people whom it answers or in whose thread it is has `shunned` the author; and of the post
    that it answers what `thread_links.tie` and `posts.owner` say, with its poll, or nothing (`id` is None then).
    """
    found = _post(tx, note, author, note.in_reply_to)
    if found.id is None and (page := thread_links.at_page(tx, note.in_reply_to)) is not None:
        return _post(tx, note, author, page.uri)
    return found


def _post(tx: Tx, note: Note, author: Account, above: str) -> Row:
    found = tx.one(
        _POST,
        uri=note.uri,
        page=thread_links.page_of(note),
        actor=note.author,
        author=author.id,
        hosts=domains(host_of(note.uri), author.domain),
        above=above,
    )
    assert found is not None  # it asks for one row
    return found


def target(tx: Tx, uri: str, actor: Account, activity: str) -> Row | None:
    """What `posts.seen_by` says of a post that somebody reacts to.

    And whether the activity was `undone` before it came, whether somebody here has `followed` the actor, how many
    `reactions` of theirs stand beside the post, and whether apps of its author are `pushed`.
    """
    return tx.one(_TARGET, uri=uri, viewer=actor.id, author=actor.id, activity=activity, actor=actor.uri)


def people(tx: Tx, uris: Collection[str]) -> dict[str, Row]:
    """Of the accounts among those ids that are known: number, id, state, whether it is one of ours and has `pushed`."""
    return {row.uri: row for row in tx.all(_PEOPLE, uris=sorted(uris))} if uris else {}
