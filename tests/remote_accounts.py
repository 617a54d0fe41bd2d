"""Accounts of other servers, cleaned and stored in one transaction."""

from __future__ import annotations

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Actor
from fediblog.prepare import actor_cleaner
from fediblog.store.people import accounts
from fediblog.store.tx import Tx


def save_remote(tx: Tx, actor: Actor, domain: str) -> Account:
    return accounts.save_remote(tx, actor_cleaner.harmless(actor), domain)
