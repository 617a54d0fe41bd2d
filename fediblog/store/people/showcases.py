"""The showcase of each of our accounts that has one."""

from __future__ import annotations

from collections.abc import Sequence

from msgspec.json import Decoder, encode

from fediblog.domain.showcase import ShowcaseSection
from fediblog.store.tx import Tx

_DECODER = Decoder(tuple[ShowcaseSection, ...])


def of(tx: Tx, account: int) -> tuple[ShowcaseSection, ...]:
    """The sections in their order."""
    row = tx.one("select sections from showcase where account = :id", id=account)
    return _DECODER.decode(row.sections) if row else ()


def put(tx: Tx, account: int, sections: Sequence[ShowcaseSection]) -> None:
    """Show these from now on."""
    if not sections:
        tx.run("delete from showcase where account = :id", id=account)
        return
    tx.run(
        "insert into showcase (account, sections) values (:id, :it)"
        " on conflict (account) do update set sections = excluded.sections",
        id=account,
        it=encode(sections).decode(),
    )
