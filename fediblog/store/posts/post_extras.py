"""What hangs on posts: tags, files and links as they are stored; and of many posts all that does.

That is given as rows: cheap to ask for, and to compare with what was remembered.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Sequence
from html import unescape
from itertools import compress, islice, product
from typing import Any, NamedTuple, TypeAlias, cast

from msgspec import Struct, field

from fediblog.domain.documents import Attachment, Note
from fediblog.domain.thread_order import branch_sizes
from fediblog.hashtags import key
from fediblog.store.tx import Row, Tx
from fediblog.store.visible import OPEN_TO_ALL, shut_out

_FILE_COLUMNS = (
    "id, post, position, kind, url, preview, media_type, alt, width, height, blurhash, focus_x, focus_y, duration"
)
_INSERT_FILE = (
    f"insert into attachment ({_FILE_COLUMNS}) values ("
    + ", ".join(f":{name}" for name in _FILE_COLUMNS.split(", "))
    + ")"
)

MOST_LINKS = 5  # of one post
MOST_LOOKED_AT = 1000  # mentions and hashtags included: a long text has thousands
LONGEST_LINK = 1000  # characters
_LINK = re.compile(r'<a\b([^>]*?)\bhref="(https?://[^"]+)"([^>]*)>')
_NAMES_SOMEBODY = re.compile(r'\b(?:mention|hashtag|u-url)\b|rel="[^"]*\btag\b')

_MENTIONS = (
    "select m.post, m.account, m.name, m.silent, a.uri, a.url, a.handle, a.domain, a.local from mention m"
    " join account a on a.id = m.account where m.post in (:ids) order by m.post, m.account"
)
_HASHTAGS = "select post, tag, name, 0 as category from post_tag where post in (:ids)"
_TAGS = f"{_HASHTAGS} order by post, tag"
# Of ours, after the hashtags, also what they are filed under.
_TAGS_OF_OURS = (
    f"{_HASHTAGS} union all select f.post, c.slug, c.name, c.id from post_category f"
    " join category c on c.id = f.category where f.post in (:ids) order by post, category, tag"
)
_FILES = "select * from attachment where post in (:ids) order by post, position"
# What everybody sees of a thread: below its first post all that names it as such, below another one its branch.
_COUNTS = f"p.state = 'published' and p.visibility in {OPEN_TO_ALL}"
_BRANCH = (
    "(with recursive branch (top, id) as (select b.parent, b.id from post b where b.parent in (:answers)"
    " union select branch.top, c.id from branch join post c on c.parent = branch.id) select top, id from branch)"
)
FEW = 3  # answers of one thread whose branches are walked one by one; of more of them the thread is read once
# Those that answer the first post itself are below none of the others.
_NESTED = "p.root in (:roots) and p.parent <> p.root"
_SPOTS = f"select p.id, p.parent, case when {_COUNTS} then 1 else 0 end as counts from post p where {_NESTED}"
_SPOTS_SHOWN = (
    f"select p.id, p.parent, case when {_COUNTS} and a.state = 'active' and a.limited = 0"
    f" and not {shut_out('p.account', 'p')} then 1 else 0 end as counts from post p"
    f" join account a on a.id = p.account where {_NESTED}"
)
# One statement, since each one costs about as much as all that it finds.
_OF_TOPS = (
    "select 'comment' as what, p.root as id, count(*) as n from post p"
    f" where p.root in (:tops) and {_COUNTS} group by p.root"
)
# Most answers have none of their own: only where there are some, `_BELOW` walks the branch, which costs far more.
_OF_ANSWERS = (
    "select 'answered', p.id, 1 from post p where p.id in (:answers)"
    " and exists (select 1 from post b where b.parent = p.id)"
)
_BELOW = f"select d.top, count(*) as n from {_BRANCH} d join post p on p.id = d.id where {_COUNTS} group by d.top"
# A boost for followers counts for all, as with Mastodon; `reaction_lists` names it to its followers alone.
_TOTALS = (
    "select 'like' as what, post as id, count(distinct account) as n from reaction"
    " where post in (:ids) and kind <> 'dislike' group by post"
    " union all select 'boost', post, count(*) from boost where post in (:ids) group by post"
    " union all select 'quote', q.post, count(*) from quote_authorization q join post w on w.uri = q.quoting"
    f" where q.post in (:ids) and q.revoked is null and w.state = 'published' and w.visibility in {OPEN_TO_ALL}"
    " group by q.post"
    # Whether there may be something in these totals that is not shown; then it is counted, and taken off.
    " union all select 'shut', 0, 1 from shut_out"
)
_SHUT = (
    "select 'comment' as what, p.root as id, count(*) as n from post p join account a on a.id = p.account"
    f" where p.root in (:tops) and {_COUNTS}"
    f" and (a.state <> 'active' or a.limited <> 0 or {shut_out('p.account', 'p')}) group by p.root"
    f" union all select 'comment', d.top, count(*) from {_BRANCH} d join post p on p.id = d.id"
    f" join account a on a.id = p.account where {_COUNTS}"
    f" and (a.state <> 'active' or a.limited <> 0 or {shut_out('p.account', 'p')}) group by d.top"
    " union all select 'like', r.post, count(distinct r.account) from reaction r join post p on p.id = r.post"
    " join account a on a.id = r.account where r.post in (:ids) and r.kind <> 'dislike'"
    f" and (a.state <> 'active' or {shut_out('r.account', 'p')}) group by r.post"
    " union all select 'boost', b.post, count(*) from boost b join post p on p.id = b.post"
    " join account a on a.id = b.account where b.post in (:ids)"
    f" and (a.state <> 'active' or {shut_out('b.account', 'p')}) group by b.post"
    " union all select 'quote', q.post, count(*) from quote_authorization q join post w on w.uri = q.quoting"
    " join account a on a.id = q.account join post p on p.id = q.post where q.post in (:ids) and q.revoked is null"
    f" and w.state = 'published' and w.visibility in {OPEN_TO_ALL}"
    f" and (a.state <> 'active' or {shut_out('q.account', 'p')}) group by q.post"
)
_MARKS = (
    "select case kind when 'like' then 'liked' else 'reacted' end, post, 1 from reaction"
    " where post in (:ids) and account = :viewer and kind <> 'dislike'"
    " union all select 'boosted', post, 1 from boost where post in (:ids) and account = :viewer"
    " union all select 'kept', post, 1 from bookmark where account = :viewer and post in (:ids)"
    " union all select 'muted', root, 1 from thread_mute where account = :viewer and root in (:roots)"
)
_ASKED = {  # by whether posts that begin threads and answers are among these, and whether somebody has signed in
    asked: " union all ".join([_TOTALS, *compress((_OF_TOPS, _OF_ANSWERS, _MARKS), asked)])
    for asked in product((False, True), repeat=3)
}
_FACES = (
    "select id, local, uri, kind, handle, domain, name, summary, url, icon, icon_alt, image, image_alt, fields, emoji,"
    " moved_to, locked, discoverable, indexable, memorial, state, limited, media_rejected, published, created"
    " from account where id in (:ids)"
)

_LINKED = {"kind": "Document", "media_type": "", "preview": "", "blurhash": "", "unkept": 1}

Parts: TypeAlias = tuple[list[Row] | None, list[Row] | None, list[Row] | None]
"""Whom a post names, its hashtags and categories, its files."""


class PostExtras(Struct):
    """By number of the post: what it is made of beside its row, how often it was answered and so on, and by whom."""

    mentions: dict[int, list[Row]] = field(default_factory=dict)
    tags: dict[int, list[Row]] = field(default_factory=dict)
    files: dict[int, list[Row]] = field(default_factory=dict)
    totals: dict[str, dict[int, int]] = field(default_factory=dict)

    def parts(self, post: int, *, linked: bool = False) -> Parts:
        """What a post is made of beside its row; `linked`: with links in place of its files."""
        files = self.files.get(post)
        if linked and files:
            files = [cast("Any", each)._replace(**_LINKED) for each in files]
        return self.mentions.get(post), self.tags.get(post), files

    def counts(self, what: str) -> dict[int, int]:
        """By post. Totals: comment, like, boost, quote; marks of the viewer: liked, reacted, boosted, kept, muted."""
        return self.totals.get(what, {})


def extras_of(tx: Tx, posts: Sequence[Row], viewer: int) -> PostExtras:
    """All that is beside these posts (rows of the table), as `viewer` (0: anybody) has it."""
    found = PostExtras()
    ids = [row.id for row in posts]
    answers = [row.id for row in posts if row.root is not None]
    crowded = _crowded(posts) if len(answers) > FEW else ()
    alone = [row.id for row in posts if row.root is not None and row.root not in crowded] if crowded else answers
    tops = [row.id for row in posts if row.root is None] if answers else ids
    roots = [row.root or row.id for row in posts] if viewer else ()
    tags = _TAGS_OF_OURS if any(row.local for row in posts) else _TAGS
    for sql, into in ((_MENTIONS, found.mentions), (tags, found.tags), (_FILES, found.files)):
        for row in tx.all(sql, ids=ids):
            into.setdefault(row.post, []).append(row)
    sql = _ASKED[bool(tops), bool(alone), bool(viewer)]
    for what, number, total in tx.all(sql, ids=ids, tops=tops, answers=alone, roots=roots, viewer=viewer):
        found.totals.setdefault(what, {})[number] = total
    answered, shut = found.totals.pop("answered", {}), found.totals.pop("shut", None)
    if answered:
        found.totals.setdefault("comment", {}).update((row.top, row.n) for row in tx.all(_BELOW, answers=[*answered]))
    if shut:
        for what, number, total in tx.all(_SHUT, ids=ids, tops=tops, answers=[*answered]):
            found.totals[what][number] -= total
    if crowded:
        spots = tx.all(_SPOTS_SHOWN if shut else _SPOTS, roots=sorted(crowded))
        below = branch_sizes((spot.id, spot.parent, spot.counts) for spot in spots)
        found.totals["comment"] = {**below, **found.totals.get("comment", {})}
    return found


def _crowded(posts: Sequence[Row]) -> set[int]:
    """The threads of which there are more than a few answers among these posts."""
    return {root for root, n in Counter(row.root for row in posts if row.root is not None).items() if n > FEW}


class AccountRow(NamedTuple):
    """What an account shows of itself: as long as that is the same, so is what was made of it."""

    id: int
    shown: object
    moved_to: str
    media_rejected: int


def faces(tx: Tx, numbers: Sequence[int]) -> dict[int, AccountRow]:
    """What accounts show of themselves, by their numbers."""
    return {row.id: AccountRow(row.id, row, row.moved_to, row.media_rejected) for row in tx.all(_FACES, ids=numbers)}


def put(tx: Tx, post: int, note: Note) -> None:
    """Store the tags and files of a post that has none yet."""
    seen: dict[str, str] = {}
    for name in note.hashtags:
        seen.setdefault(key(name), name)
    if seen:
        tx.many(
            "insert into post_tag (tag, post, name) values (:tag, :post, :name) on conflict do nothing",
            [{"tag": tag, "post": post, "name": name} for tag, name in seen.items()],
        )
    if note.attachments:
        tx.many(_INSERT_FILE, [_file_values(tx, post, i, each) for i, each in enumerate(note.attachments)])


def put_links(tx: Tx, post: int, note: Note) -> None:
    """Note to which pages a public post points, whom it names and its hashtags left out."""
    if 'href="http' not in note.content:
        return
    named = {each.href for each in note.mentions}
    found = dict[str, None]()
    for match in islice(_LINK.finditer(note.content), MOST_LOOKED_AT):
        before, link, after = match[1], unescape(match[2]), match[3]
        if link in found or link in named or len(link) > LONGEST_LINK:
            continue
        if not _NAMES_SOMEBODY.search(f"{before} {after}"):
            found[link] = None
            if len(found) == MOST_LINKS:
                break
    if found:
        tx.many(
            "insert into post_link (link, post) values (:link, :post) on conflict do nothing",
            [{"link": link, "post": post} for link in found],
        )


def replace(tx: Tx, post: int, note: Note, *, is_open: bool) -> None:
    """The same for one that has some; links are noted of one that is for everybody."""
    tx.run("delete from post_link where post = :id", id=post)
    if is_open:
        put_links(tx, post, note)
    tx.run("delete from post_tag where post = :id", id=post)
    tx.run("delete from attachment where post = :id", id=post)
    put(tx, post, note)


def _file_values(tx: Tx, post: int, position: int, each: Attachment) -> dict[str, Any]:
    focus = each.focus or (None, None)
    return {
        "id": tx.new_id(),
        "post": post,
        "position": position,
        "kind": each.kind,
        "url": each.url,
        "preview": each.preview,
        "media_type": each.media_type,
        "alt": each.alt,
        "width": each.width,
        "height": each.height,
        "blurhash": each.blurhash,
        "focus_x": focus[0],
        "focus_y": focus[1],
        "duration": each.duration,
    }
