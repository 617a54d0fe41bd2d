"""Copies of other servers' pictures and files: what accounts and posts show, and what of it is kept here.

What is kept of an address is a cache: its row and its files may go at any time, and come again when somebody looks.
"""

from __future__ import annotations

import re
from collections import Counter, defaultdict
from collections.abc import Callable, Collection, Iterator, Mapping, Set
from html import unescape
from typing import Literal, NamedTuple

from msgspec import Struct

from fediblog.store.people.accounts import host_of
from fediblog.store.people.hosts import media_rejected_among
from fediblog.store.queues import job_kinds, job_queue
from fediblog.store.tx import Row, Tx

CHANNEL = "copies"
"""Notified when a copy was made, or could not be."""

Shape = Literal["remote", "avatar", "header", "emoji", "played"]
"""What a copy is for, as the decoder knows it; what is `played` is kept as it is."""

EMOJI = "e"
"""In place of an account, a post or a page: many show the same emoji, whose copy has one address."""

CLAIM = 120_000  # ms in which whoever fetches it must be done
FIRST_PAUSE, LONGEST_PAUSE = 300_000, 7 * 86_400_000  # ms before what failed may be asked for again
MOST_FAILURES = 8  # in a row, two weeks at least, after which a link is shown instead
KEPT_FAILED = 30 * 86_400_000  # ms that is remembered that something failed
UNUSED = 86_400_000  # ms from one note that a copy was used to the next

_SOURCE = re.compile(r'<img [^>]*?\bsrc="(https?://[^"]+)"')
_PLAYED = ("video/", "audio/")
_ACCOUNT = "select icon, image, host, domain from account where id = :id and state = 'active'"
_POST = (
    "select p.image, case when p.content like '%<img %' then p.content else '' end as content,"
    " a.host, a.domain from post p join account a on a.id = p.account"
    " where p.id = :id and p.state <> 'deleted' and a.state = 'active'"
)
_PAGE = (
    "select case when content like '%<img %' then content else '' end as content, '' as host, '' as domain"
    " from page where id = :id"
)
_FILES = "select url, preview, kind, media_type, blurhash from attachment where post = :id order by position"


class RemotePicture(NamedTuple):
    """A picture or file that an account or a post shows, by the address that its server gave."""

    url: str
    shape: Shape
    blurhash: str = ""


class Copy(NamedTuple):
    """What is known of the copy of an address: names in the folder of copies, times in ms.

    `small` is '' where the picture is small anyway.
    """

    id: int
    state: str
    due: int
    file: str
    small: str
    media_type: str
    used: int


class Wanted(NamedTuple):
    """What is to be fetched, for whom, and until when it is claimed (`due`, ms): what comes later does not count."""

    id: int
    url: str
    shape: Shape
    host: str
    owner: str
    failures: int
    due: int


class MadeCopy(Struct, frozen=True, kw_only=True):
    """A copy whose files are on the disk; `bytes` of both."""

    file: str
    small: str
    media_type: str
    bytes: int
    width: int | None = None
    height: int | None = None
    blurhash: str = ""


def shown_by(tx: Tx, owner: str) -> list[RemotePicture]:
    """What an account, a post or a page (`a`, `p` or `s` and its number) shows that may be of another server.

    Nothing of whom this server has blocked, suspended or deleted, or whose media it rejects.
    """
    number, (asked, read) = int(owner[1:]), _OWNERS[owner[0]]
    row = tx.one(asked, id=number)
    if row is None:
        return []
    found, hosts = [*read(tx, number, row)], {row.host, row.domain} - {""}
    rejected = media_rejected_among(tx, sorted(hosts | {host_of(each.url) for each in found}))
    return [each for each in found if host_of(each.url) not in rejected] if rejected.isdisjoint(hosts) else []


def shown_among(tx: Tx, owner: str, urls: Set[str]) -> Set[str]:
    """Which of these an account, a post or a page shows; of EMOJI, which are neither hidden nor of rejected media."""
    if owner == EMOJI:
        rejected = media_rejected_among(tx, sorted({host_of(url) for url in urls}))
        hidden = {row.url for row in tx.all("select url from hidden_emoji where url in (:urls)", urls=sorted(urls))}
        return {url for url in urls - hidden if host_of(url) not in rejected}
    return urls & {each.url for each in shown_by(tx, owner)}


def _of_account(_tx: Tx, _number: int, row: Row) -> Iterator[RemotePicture]:
    if row.icon:
        yield RemotePicture(row.icon, "avatar")
    if row.image:
        yield RemotePicture(row.image, "header")


def _of_post(tx: Tx, number: int, row: Row) -> Iterator[RemotePicture]:
    if row.image:
        yield RemotePicture(row.image, "remote")
    for file in tx.all(_FILES, id=number):
        if file.kind in ("Video", "Audio") or file.media_type.startswith(_PLAYED):
            yield RemotePicture(file.url, "played")
        else:
            yield RemotePicture(file.url, "remote", file.blurhash)
        if file.preview:
            yield RemotePicture(file.preview, "remote", file.blurhash)
    yield from _of_page(tx, number, row)


def _of_page(_tx: Tx, _number: int, row: Row) -> Iterator[RemotePicture]:
    """The pictures within a text."""
    for source in _SOURCE.findall(row.content):
        yield RemotePicture(unescape(source), "remote")


_OWNERS: dict[str, tuple[str, Callable[[Tx, int, Row], Iterator[RemotePicture]]]] = {
    "a": (_ACCOUNT, _of_account),
    "p": (_POST, _of_post),
    "s": (_PAGE, _of_page),
}


def get(tx: Tx, url: str, shape: Shape) -> Copy | None:
    """What is known of the copy of that address."""
    row = tx.one(
        "select id, state, due, file, small, media_type, used from remote_media where url = :url and shape = :shape",
        url=url,
        shape=shape,
    )
    return Copy._make(row) if row else None


def want(tx: Tx, url: str, shape: Shape, owner: str) -> None:
    """Ask for a copy, unless it failed and may not be asked for yet. One whose files are gone is asked for anew."""
    tx.run(
        "insert into remote_media (id, url, shape, host, owner, due, used)"
        " values (:id, :url, :shape, :host, :owner, :now, :now) on conflict (url, shape) do update"
        " set state = 'wanted', due = excluded.due, owner = excluded.owner, used = excluded.used"
        " where remote_media.state = 'kept' or remote_media.due <= :now",
        id=tx.new_id(),
        url=url,
        shape=shape,
        host=host_of(url),
        owner=owner,
        now=tx.now,
    )
    job_queue.add(tx, job_kinds.FETCH_MEDIA, "all")


def take(tx: Tx, limit: int, per_host: int, busy: Mapping[str, int]) -> list[Wanted]:
    """Claim what is to be fetched, the last asked for first: somebody looks at that now. `busy` counts by host."""
    rows = tx.all(
        "select id, url, shape, host, owner, failures from remote_media where state = 'wanted' and due <= :now"
        f" and host not in (:full) order by due desc, id desc limit :n{tx.skip_locked}",
        now=tx.now,
        full=[host for host, n in busy.items() if n >= per_host] or [""],
        n=20 * limit,
    )
    taken, running, until = list[Wanted](), Counter(busy), tx.now + CLAIM
    for row in rows:
        if len(taken) < limit and running[row.host] < per_host:
            running[row.host] += 1
            taken.append(Wanted._make((*row, until)))
    tx.run("update remote_media set due = :until where id in (:ids)", until=until, ids=[each.id for each in taken])
    return taken


def keep(tx: Tx, wanted: Wanted, made: MadeCopy) -> list[str]:
    """A copy is on the disk; the files that it replaces, to be removed. Its own if it is not wanted any more."""
    row = _claimed(tx, wanted)
    if row is None:
        return _files(made)
    tx.run(
        "update remote_media set state = 'kept', failures = 0, file = :file, small = :small, media_type = :media_type,"
        " bytes = :bytes, due = :now, used = :now where id = :id",
        id=wanted.id,
        file=made.file,
        small=made.small,
        media_type=made.media_type,
        bytes=made.bytes,
        now=tx.now,
    )
    _show(tx, wanted.owner, wanted.url)
    if wanted.owner[0] == "p" and made.width is not None:
        _complete(tx, int(wanted.owner[1:]), wanted.url, made)
    tx.notify(CHANNEL)
    return _files(row)


def _claimed(tx: Tx, wanted: Wanted) -> Row | None:
    """The row of what was claimed; None if it is gone, or somebody else claimed it since the time was over."""
    tx.hold(wanted.id)
    return tx.one(
        "select file, small from remote_media where id = :id and state = 'wanted' and due = :due",
        id=wanted.id,
        due=wanted.due,
    )


def _show(tx: Tx, owner: str, url: str) -> None:
    """Let a post show the picture again, where it showed a link since there was no copy."""
    if owner[0] == "p":
        tx.run(
            "update attachment set unkept = 0 where post = :post and url = :url and unkept = 1",
            post=int(owner[1:]),
            url=url,
        )


def _complete(tx: Tx, post: int, url: str, made: MadeCopy) -> None:
    """Of a picture whose server did not say how large it is, and what it looks like, we say so."""
    tx.run(
        "update post set image_width = :width, image_height = :height"
        " where id = :post and image = :url and (image_width is null or image_height is null)",
        post=post,
        url=url,
        width=made.width,
        height=made.height,
    )
    rows = tx.all(
        "select id from attachment where post = :post and url = :url and (width is null or height is null)",
        post=post,
        url=url,
    )
    for row in rows:
        tx.run(
            "update attachment set width = :width, height = :height,"
            " blurhash = case when blurhash = '' then :blurhash else blurhash end where id = :id",
            id=row.id,
            width=made.width,
            height=made.height,
            blurhash=made.blurhash,
        )


def fail(tx: Tx, wanted: Wanted, *, final: bool) -> None:
    """It could not be fetched. After too often, or at once where trying again cannot help, its post shows a link.

    That it failed is forgotten after KEPT_FAILED (see `remove`), and with it that there is a link.
    """
    failures = wanted.failures + 1
    lost = final or failures >= MOST_FAILURES
    pause = LONGEST_PAUSE if lost else min(FIRST_PAUSE << 2 * (failures - 1), LONGEST_PAUSE)
    if _put_down(tx, wanted, failures, pause) and lost and wanted.owner[0] == "p":
        tx.run(
            "update attachment set unkept = 1 where post = :post and url = :url and unkept = 0",
            post=int(wanted.owner[1:]),
            url=wanted.url,
        )


def put_off(tx: Tx, wanted: Wanted) -> None:
    """We could not make a copy now, which says nothing of what was wanted: it may be asked for again in a while."""
    _put_down(tx, wanted, wanted.failures, FIRST_PAUSE)


def _put_down(tx: Tx, wanted: Wanted, failures: int, pause: int) -> bool:
    """There is no copy, and none may be asked for until a pause (ms) is over; False if others have claimed it."""
    if _claimed(tx, wanted) is None:
        return False
    tx.run(
        "update remote_media set state = 'failed', failures = :n, due = :due, file = '', small = '', bytes = 0"
        " where id = :id",
        id=wanted.id,
        n=failures,
        due=tx.now + pause,
    )
    tx.notify(CHANNEL)
    return True


def give_up(tx: Tx, wanted: Wanted) -> list[str]:
    """Nobody may be shown it now: forget that it was wanted. Its files, to be removed."""
    if _claimed(tx, wanted) is None:
        return []
    tx.notify(CHANNEL)
    return remove(tx, [wanted.id])


def used(tx: Tx, number: int, owner: str) -> None:
    """Note that a copy was looked at, and for whom."""
    tx.run("update remote_media set used = :now, owner = :owner where id = :id", id=number, owner=owner, now=tx.now)


def remove(tx: Tx, numbers: Collection[int]) -> list[str]:
    """Forget copies, and that there could be none; their files, to be removed after the commit."""
    rows = tx.all("select file, small, state, owner, url from remote_media where id in (:ids)", ids=sorted(numbers))
    for row in rows:
        if row.state == "failed":
            _show(tx, row.owner, row.url)
    tx.run("delete from remote_media where id in (:ids)", ids=sorted(numbers))
    return [name for row in rows for name in _files(row)]


def old(tx: Tx, before: int, limit: int) -> list[int]:
    """Copies not looked at since a time (ms), and what failed or was wanted in vain long ago."""
    rows = tx.all(
        "select id from remote_media where used < :before or (state <> 'kept' and used < :failed) order by used"
        " limit :n",
        before=before,
        failed=tx.now - KEPT_FAILED,
        n=limit,
    )
    return [row.id for row in rows]


def total(tx: Tx) -> int:
    """Bytes of all copies."""
    row = tx.one("select coalesce(sum(bytes), 0) as n from remote_media")
    return int(row.n) if row else 0


def beyond(tx: Tx, limit: int) -> list[int]:
    """Those copies that were looked at longest ago, as many as must go for the rest to have so many bytes."""
    over, found = total(tx) - limit, list[int]()
    if over <= 0:
        return found
    for row in tx.each("select id, bytes from remote_media where bytes > 0 order by used, id"):
        if over <= 0:
            break
        over -= row.bytes
        found.append(row.id)
    return found


def unshown(tx: Tx, after: int, span: int) -> tuple[list[int], int]:
    """Of so many copies with numbers above `after`, those that nobody shows any more, or none of whom may be shown.

    That is asked of whom it was last looked at for. And the number to go on from, 0 at the end.
    """
    rows = tx.all("select id, url, owner from remote_media where id > :after order by id limit :n", after=after, n=span)
    urls = defaultdict[str, set[str]](set)
    for row in rows:
        urls[row.owner].add(row.url)
    shown = {owner: shown_among(tx, owner, found) for owner, found in urls.items()}
    return [row.id for row in rows if row.url not in shown[row.owner]], rows[-1].id if len(rows) == span else 0


def names(tx: Tx, part: str) -> dict[str, int]:
    """Of the files whose names begin with these two digits those that a row speaks of, and its number."""
    rows = tx.all(
        "select id, file as name from remote_media where substr(file, 1, 2) = :part"
        " union all select id, small as name from remote_media where substr(small, 1, 2) = :part",
        part=part,
    )
    return {row.name: row.id for row in rows}


def _files(row: Row | MadeCopy) -> list[str]:
    return [name for name in (row.file, row.small) if name]
