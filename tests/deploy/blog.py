"""A real blog in a process of its own, which knows Alice, who lives there, and Ben, who signs from far away."""

from __future__ import annotations

import asyncio
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fediblog.actions import account_actions
from fediblog.domain.accounts import Account
from fediblog.domain.documents import Actor, Key
from fediblog.federation.keyring import make_keys
from fediblog.federation.site import open_site
from fediblog.passwords import hash_password
from fediblog.protocol.keys import PrivateKey, load_private
from fediblog.settings import Settings
from fediblog.store.people import apps
from fediblog.store.tx import Tx
from tests.deploy.servers import HOST
from tests.remote_accounts import save_remote

ORIGIN = f"https://{HOST}"
PASSWORD = "correct horse battery"
TOKEN = "alice-and-nobody-else"
READY = " is ready: "


@dataclass(frozen=True, slots=True)
class Blog:
    """Where the blog listens (host:port or unix:/path), and who matters there."""

    upstream: str
    alice: Account
    ben: Account
    key: PrivateKey  # Ben's


@contextmanager
def blog(folder: Path, listen: str) -> Iterator[Blog]:
    """`fediblog serve` with a fresh data folder. Only nginx, on 127.0.0.1, may say who the visitor is."""
    data = folder / "data"
    alice, ben, key = asyncio.run(_begin(data))
    words = ("serve", "--data", str(data), "--listen", listen)
    environment = {name: value for name, value in os.environ.items() if not name.startswith("FEDIBLOG_")}
    environment["FEDIBLOG_TRUSTED_PROXIES"] = "127.0.0.1/32"
    environment["FEDIBLOG_TAKE_BACK_SECONDS"] = "0"
    log = folder / "log"
    with (
        log.open("w") as errors,
        subprocess.Popen(
            [sys.executable, "-m", "fediblog", *words],
            stdout=subprocess.PIPE,
            stderr=errors,
            text=True,
            env=environment,
        ) as process,
    ):
        assert process.stdout is not None
        try:
            ready = next((line for line in process.stdout if READY in line), "")
            assert ready, f"the blog did not start:\n{log.read_text()}"
            yield Blog(ready.rpartition("(listening on ")[2].strip().removesuffix(")"), alice, ben, key)
        finally:
            process.terminate()


async def _begin(data: Path) -> tuple[Account, Account, PrivateKey]:
    keys = make_keys()
    site = await open_site(Settings(data=data, origin=ORIGIN))

    def make(tx: Tx) -> tuple[Account, Account]:
        login = account_actions.add_login(tx, "alice", hash_password(PASSWORD))
        alice = account_actions.add_account(tx, site.urls, login.id, "alice", "Alice", make_keys())
        apps.add_token(tx, apps.digest(TOKEN), ["read", "write"], login=login.id, account=alice.id)
        uri = "https://far.example/users/ben"
        key = Key(uri=f"{uri}#main-key", owner=uri, kind="rsa", public=keys[0].public)
        ben = Actor(uri=uri, kind="Person", handle="ben", inbox=f"{uri}/inbox", keys=(key,))
        return alice, save_remote(tx, ben, "far.example")

    try:
        alice, ben = await site.db.write(make)
    finally:
        await site.close()
    return alice, ben, load_private(keys[0].private)
