"""Who may come in: links that make a login with an account, or give a login another password."""

from __future__ import annotations

from collections.abc import Sequence

from fediblog.actions import account_actions
from fediblog.domain.accounts import Login
from fediblog.domain.urls import Urls
from fediblog.errors import Invalid, Refused
from fediblog.store.people import invitations, logins
from fediblog.store.people.accounts import NewKey
from fediblog.store.readers import moderation_log
from fediblog.store.tx import Tx

MOST_USES = 100
MOST_DAYS = 365
RESET_LASTS = 3 * 86_400_000  # ms
_DAY = 86_400_000


def invite(tx: Tx, by: int, token_hash: str, uses: int, days: int) -> None:
    """A link for so many people, for so many days. Raises Invalid."""
    if not 1 <= uses <= MOST_USES:
        raise Invalid("uses", "invite.uses-wrong", n=MOST_USES)
    if not 1 <= days <= MOST_DAYS:
        raise Invalid("days", "invite.days-wrong", n=MOST_DAYS)
    invitations.add(tx, token_hash, uses, tx.now + days * _DAY)
    moderation_log.note(tx, by, "invite", str(uses))


def revoke(tx: Tx, by: int, number: int) -> None:
    """Let a link count no more."""
    if invitations.revoke(tx, number):
        moderation_log.note(tx, by, "revoke-invitation", "")


def offer_password(tx: Tx, by: int, token_hash: str, login: int) -> Login:
    """A link with which a login gets another password, once. Raises Invalid for an owner's, or one that is kept out."""
    found = logins.get(tx, login)
    if found is None or found.role == "owner":
        raise Invalid("login", "invite.no-reset")
    invitations.add(tx, token_hash, 1, tx.now + RESET_LASTS, login)
    moderation_log.note(tx, by, "offer-password", found.name)
    return found


def join(
    tx: Tx,
    urls: Urls,
    *,
    token_hash: str,
    name: str,
    password_hash: str,
    handle: str,
    display: str,
    keys: Sequence[NewKey],
) -> Login:
    """Make a login and its account by a link. Raises Refused if the link does not count, Invalid for a field."""
    found = invitations.use(tx, token_hash)
    if found is None or found.login is not None:
        raise Refused("invitation-over", key="invite.over")
    login = account_actions.add_login(tx, name, password_hash)
    account_actions.add_account(tx, urls, login.id, handle, display, keys)
    return login


def change_password(tx: Tx, token_hash: str, password_hash: str) -> None:
    """Give the login of a link another password; its sessions and apps end. Raises Refused."""
    found = invitations.use(tx, token_hash)
    if found is None or found.login is None:
        raise Refused("invitation-over", key="invite.over")
    logins.set_password(tx, found.login, password_hash)
