"""Which links of our people's profiles are verified: the page behind each was seen to link back."""

from __future__ import annotations

import json
from collections.abc import Mapping

from msgspec.structs import replace

from fediblog.domain.documents import ProfileField
from fediblog.protocol import link_relations
from fediblog.store.json_columns import pairs
from fediblog.store.tx import Row, Tx

FAILURES = 2  # looks in a row that find no link back, after which a link is not verified any more


def fields_of(row: Row) -> tuple[ProfileField, ...]:
    """The fields of an account by its row. Links of one of ours are marked as leading to the same person, and have the
    time when they were verified.
    """
    found = tuple(ProfileField(name=name, value=value) for name, value in pairs(row.fields))
    if not row.local or not found:
        return found
    times = {link: at for link, (at, _) in json.loads(row.verified).items()}
    return tuple(_shown(each, times) for each in found)


def _shown(field: ProfileField, times: Mapping[str, int]) -> ProfileField:
    link = link_relations.field_link(field.value)
    shown = link_relations.marked_me(field.value) if link else field.value
    return replace(field, value=shown, verified=times.get(link))


def put(tx: Tx, account: int, found: Mapping[str, bool]) -> None:
    """What a look at all links of the account's profile found just now; other links are forgotten."""
    tx.hold(account)
    before, after = _verified(tx, account), {}
    for link, links_back in found.items():
        at, failures = before.get(link, (0, FAILURES))
        if links_back:
            after[link] = (tx.now, 0)
        elif failures + 1 < FAILURES:
            after[link] = (at, failures + 1)
    if after != before:
        tx.run("update account set verified = :it where id = :id and local = 1", it=json.dumps(after), id=account)


def is_failing(tx: Tx, account: int) -> bool:
    """Whether the last look failed at a link that is verified still."""
    return any(failures for _, failures in _verified(tx, account).values())


def _verified(tx: Tx, account: int) -> dict[str, tuple[int, int]]:
    row = tx.one("select verified from account where id = :id", id=account)
    return {link: (at, failures) for link, (at, failures) in json.loads(row.verified).items()} if row else {}
