"""What a function inside a transaction sees, and what an engine must offer to run it; nothing here knows an engine."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import namedtuple
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from collections.abc import Set as AbstractSet
from functools import lru_cache
from typing import Any, Literal, Protocol, TypeVar

from fediblog.store.ids import IdMaker

T = TypeVar("T")

EngineName = Literal["sqlite", "postgres"]
Scalar = str | int | float | bytes | None
Param = Scalar | Sequence[Scalar] | AbstractSet[Scalar]
Clock = Callable[[], int]
"""UTC in milliseconds."""


CONTENT = "content"
"""The channel that is notified whenever something changes that a page for everybody may show."""

_SILENT = frozenset(
    {
        *(
            "session",
            "login",
            "authenticator",
            "recovery_code",
            "half_login",
            "passkey",
            "passkey_challenge",
            "account_access",
            "stream",
            "mute",
            "notice",
            "report",
            "refusal",
        ),
        "moderation_log",
        "invitation",
        *("app", "app_code", "token", "push_subscription", "idempotency", "event", "marker", "conversation"),
        *("bookmark", "user_list", "list_member", "word_filter", "filter_keyword", "filter_post", "followed_tag"),
        *("account_note", "thread_mute", "suggestion_dismissed", "preference", "notice_policy"),
        *("notice_consent", "announcement_read", "numbering", "former_notice"),
        *("circle", "circle_member", "post_circle", "post_words"),
        *("outgoing", "delivery", "host", "job", "incoming", "seen", "early", "peer", "poll_check"),
        *("account_export", "visit", "autosave", "trash", "remote_media", "relation_import", "relation_import_line"),
        "schema_version",
    }
)


@lru_cache(maxsize=4096)
def changes_content(sql: str) -> bool:
    """Whether a statement writes to a table that public pages are made of: every one that is not known to be silent."""
    words = sql.replace("insert or ignore", "insert", 1).split(None, 3)
    table = words[1] if words[0] == "update" else words[2] if words[0] in ("insert", "delete") else ""
    return bool(table) and table.partition("(")[0] not in _SILENT


class Conflict(Exception):
    """A rule of the database forbids it: unique, foreign key, not null or check.

    The transaction is lost (PostgreSQL goes on with nothing after it); catch it around `db.write`, not inside.
    """


class Row(Protocol):
    """One row: a tuple whose columns are attributes too. A column whose name is no identifier has no attribute."""

    def __getattr__(self, column: str, /) -> Any: ...
    def __getitem__(self, index: int, /) -> Any: ...
    def __iter__(self) -> Iterator[Any]: ...
    def __len__(self) -> int: ...
    def _asdict(self) -> dict[str, Any]: ...
    def __hash__(self) -> int: ...


@lru_cache(maxsize=1024)
def row_maker(columns: tuple[str, ...]) -> Callable[[Iterable[Any]], Row]:
    """What turns a plain tuple into a `Row` with these columns."""
    make: Callable[..., Any] = namedtuple  # the type checker cannot know the columns
    maker: Callable[[Iterable[Any]], Row] = make("Row", columns, rename=True)._make
    return maker


class Tx(ABC):
    """An open transaction. Valid only inside the function that it was handed to."""

    __slots__ = ("_ids", "channels", "now")
    engine: EngineName
    worker = 0
    """The number of this process, where several work on one database (PostgreSQL); claims carry it."""
    skip_locked: str
    """Ends a `select` that claims rows of a queue: PostgreSQL shares them out between workers."""

    def __init__(self, now: int, ids: IdMaker) -> None:
        self.now = now
        self.channels: dict[str, None] = {}
        self._ids = ids

    @abstractmethod
    def all(self, sql: str, /, **params: Param) -> list[Row]:
        """All rows of a query."""

    @abstractmethod
    def each(self, sql: str, /, **params: Param) -> Iterator[Row]:
        """The rows of a query one after another, for results that do not fit into memory."""

    @abstractmethod
    def one(self, sql: str, /, **params: Param) -> Row | None:
        """The first row of a query, or None."""

    @abstractmethod
    def run(self, sql: str, /, **params: Param) -> int:
        """Executes a statement; the number of rows it changed."""

    @abstractmethod
    def many(self, sql: str, rows: Iterable[Mapping[str, Scalar]], /) -> None:
        """Executes a statement once for every mapping of parameters. Lists are not expanded here."""

    @abstractmethod
    def hold(self, *numbers: int, shared: bool = False) -> None:
        """Until this transaction has ended, let nobody else hold one of these numbers (of accounts or posts).

        `shared`: others may hold it as well, if they share it, too.

        For what decides by what another transaction may be about to write: held before it looks. One number orders all
        that its owner does: `-account` the actions of one of our people, `account` what others do to it and it to them,
        then `post`. They are taken in this order, so that no two wait for each other. SQLite has one writer: no effect.
        """

    def new_id(self, at: int | None = None) -> int:
        """A new 64-bit id that sorts by time: that of the transaction, or `at` (ms)."""
        return self._ids.new(self.now) if at is None else self._ids.at(at)

    def _note(self, sql: str) -> None:
        if changes_content(sql):
            self.channels[CONTENT] = None

    def notify(self, channel: str) -> None:
        """Wakes the listeners of this channel once the transaction is committed, if it is."""
        self.channels[channel] = None


class DatabaseEngine(ABC):
    """Runs transactions on one kind of database."""

    name: EngineName

    @abstractmethod
    async def read(self, work: Callable[[Tx], T]) -> T:
        """Runs `work` on one snapshot of the data; it cannot write, and may be begun again if it takes long."""

    async def scan(self, work: Callable[[Tx], T]) -> T:
        """As `read`, for what takes long or must not be begun twice: never on the event loop."""
        return await self.read(work)

    @abstractmethod
    async def write(self, work: Callable[[Tx], T]) -> T:
        """Runs `work` in a transaction and returns once that is durable."""

    async def write_here(self, work: Callable[[Tx], T]) -> T:
        """As `write`, for what is short: it may run on the event loop, and again elsewhere if it takes long."""
        return await self.write(work)

    async def foreign_version(self) -> int:
        """A number that changes when another process has written, where that process cannot notify us."""
        return 0

    @abstractmethod
    async def check(self) -> list[str]:
        """What is wrong with the stored data; nothing, if all is well."""

    @abstractmethod
    async def close(self) -> None:
        """Finishes what has been asked for, then lets go of the database."""
