"""Our private keys, parsed once, and the signers made of them."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping

from fediblog.actions.account_actions import ensure_instance
from fediblog.domain.accounts import Account
from fediblog.domain.urls import Urls
from fediblog.errors import NotFound
from fediblog.net import Signer
from fediblog.protocol import cavage, rfc9421
from fediblog.protocol.follower_digest import HEADER
from fediblog.protocol.keys import PrivateKey, load_private, new_ed25519, new_rsa
from fediblog.store.engine.database import Database
from fediblog.store.people import accounts
from fediblog.store.people.accounts import NewKey


def make_keys() -> tuple[NewKey, ...]:
    """Fresh key pairs for an account: RSA-2048 for everybody, Ed25519 for those who can (FEP-521a)."""
    rsa, curve = new_rsa(), new_ed25519()
    return (
        NewKey(kind="rsa", public=rsa.public.pem(), private=rsa.pem()),
        NewKey(kind="ed25519", public=curve.public.multibase(), private=curve.pem()),
    )


async def new_keys() -> tuple[NewKey, ...]:
    """Fresh key pairs as `make_keys` has them, made on a thread: RSA takes its time."""
    return await asyncio.to_thread(make_keys)


def signer(key_id: str, key: PrivateKey, clock: Callable[[], int]) -> Signer:
    """What signs requests with one key, in either scheme; `clock` in milliseconds."""

    def sign(method: str, url: str, headers: Mapping[str, str], body: bytes, scheme: str) -> Mapping[str, str]:
        write = rfc9421.sign if scheme == "rfc9421" else cavage.sign
        also = [HEADER] if HEADER in headers else []
        return write(method, url, headers, body, key_id, key, clock() // 1000, also)

    return sign


class KeyRing:
    """Signers of our accounts and of the server itself, each key parsed once."""

    def __init__(self, db: Database, urls: Urls, clock: Callable[[], int]) -> None:
        self._db, self._urls, self._clock = db, urls, clock
        self._signers: dict[int, Signer] = {}
        self._instance: Account | None = None

    async def signer(self, account: int) -> Signer:
        """The signer of one of our accounts, by its number."""
        if account not in self._signers:
            stored = await self._db.read(accounts.private_keys, account)
            if not stored or stored[0].private is None:
                raise NotFound("account.no-key")
            self._signers[account] = signer(stored[0].uri, load_private(stored[0].private), self._clock)
        return self._signers[account]

    async def instance_account(self) -> Account:
        """The instance actor, made when it is first needed."""
        if self._instance is not None:
            return self._instance
        found = await self._db.read(accounts.instance, self._urls)
        if found is None:
            found = await self._db.write(ensure_instance, self._urls, await new_keys())
        self._instance = found
        return found

    async def instance(self) -> Signer:
        """The signer of the server itself, for fetches that nobody in particular asks for."""
        return await self.signer((await self.instance_account()).id)

    def forget(self, account: int) -> None:
        """Drop the signer of an account whose keys have changed."""
        self._signers.pop(account, None)
