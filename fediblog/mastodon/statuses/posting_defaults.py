"""What new posts of an account are like where its app says nothing."""

from __future__ import annotations

from msgspec import Struct

from fediblog.domain.documents import Visibility
from fediblog.mastodon.entities.base import NAMED
from fediblog.store.people import post_preferences
from fediblog.store.tx import Tx


class Preferred(Struct, frozen=True, kw_only=True):
    """The account's own choice."""

    visibility: Visibility
    sensitive: bool


def preferred(tx: Tx, account: int) -> Preferred:
    """What the account chose, or what holds for everybody."""
    found = post_preferences.defaults(tx, account)
    visibility = NAMED.get(found.visibility) or Visibility(found.visibility)
    return Preferred(visibility=visibility, sensitive=found.sensitive)
