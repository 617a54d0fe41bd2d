"""What the tests between fediblog and Fedify are told in: the servers, who of ours meets which peer, what each heard.

The peers differ in how they sign and in what they understand; `WISH` is the signature that each gets from us in the
end.
"""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any

import trustme

from fediblog.domain.accounts import Account
from fediblog.domain.posts import Post
from fediblog.federation import prepared_actions
from tests.peers.fediblog_server import Asked, FediblogServer
from tests.peers.fedify_peer import DRAFT, RFC9421, FedifyPeer, Json, Knock, running
from tests.store.makers import notices_of

PEERS: dict[str, Json] = {
    "old": {"first_knock": DRAFT, "refuses": RFC9421},
    "both": {"first_knock": RFC9421, "secure": True},
    "new": {"first_knock": RFC9421, "refuses": DRAFT, "secure": True},
    "careful": {"first_knock": DRAFT, "approves": "manual"},
}
WISH: dict[str, Knock] = {"old": DRAFT, "both": DRAFT, "new": RFC9421, "careful": DRAFT}
_numbers = count(1)


@dataclass(frozen=True, slots=True)
class Lab:
    """Two servers of ours, one of which answers signed requests only, and the peers."""

    open: FediblogServer
    strict: FediblogServer
    peers: dict[str, FedifyPeer]


@dataclass(frozen=True, slots=True)
class Told:
    """An activity of ours as it came to the peer, and what Fedify made of it."""

    n: int
    activity: Json
    understood: Json
    inbox: str

    @property
    def object(self) -> Json:
        found: Json = self.understood["object"]
        return found


@dataclass(frozen=True, slots=True)
class Meeting:
    """Somebody of ours, and a peer."""

    server: FediblogServer
    peer: FedifyPeer
    wish: Knock
    knock: Knock
    me: Account
    handle: str

    async def told(self, kind: str, uri: str = "", after: int = 0) -> Told:
        """The next activity of mine of that kind: it was signed as it should be, and Fedify took it."""
        arrived = await self.peer.wait_for(
            lambda event: (
                (event["kind"], event.get("type"), event.get("actor")) == ("received", kind, self.me.uri)
                and event["status"] == 202
                and uri in ("", event["id"])
            ),
            after=after,
        )
        http = arrived["signature"]["http"]
        assert (http["scheme"], http["keyId"], http["verified"]) == (self.wish, f"{self.me.uri}#main-key", True)
        handled = await self.peer.wait("handled", id=arrived["id"])
        return Told(arrived["n"], arrived["activity"], handled["understood"], arrived["inbox"])

    async def heard(self, kind: str, about: str = "", after: int = 0) -> Asked:
        """The peer's activity came, signed, and was dealt with."""
        entry = await self.server.heard(kind, about=about, by=self.peer.uri, after=after)
        assert entry.scheme is not None
        return entry

    async def followed(self) -> None:
        """The peer follows me."""
        await self.peer.follow(self.handle)
        await self.heard("Follow", self.me.uri)
        await self.told("Accept")

    async def follow(self) -> Account:
        """I follow the peer."""
        there = await prepared_actions.follow(self.server.site, self.me.id, self.peer.handle)
        before = len(self.server.book.entries)
        await self.server.settle()
        await self.heard("Accept", after=before)
        return there

    async def posted(self, source: str, **more: Any) -> Told:
        """I publish something, and it comes to the peer."""
        return await self.told("Create", self.server.site.urls.activity((await self.publish(source, **more)).id))

    async def publish(self, source: str, **more: Any) -> Post:
        return await self.server.publish(self.me, source, **more)

    async def wrote(self, content: str, **more: Any) -> Post:
        """The peer posts something, and it is stored here."""
        note: str = (await self.peer.post(content, **more))["note"]
        await self.heard("Create", note)
        return await self.stored(note)

    async def stored(self, uri: str) -> Post:
        found = await self.server.post(uri)
        assert found is not None, uri
        return found

    async def page(self, post: Post) -> str:
        """What a browser shows."""
        response = await self.server.get(post.url, "text/html")
        assert response.status_code == 200
        return response.text

    async def do(self, action: Any, *args: Any) -> None:
        """I do something: `action(tx, urls, me, *args)`."""
        await self.server.do(action, self.me.id, *args)

    async def notices(self) -> list[str]:
        return [each.kind for each in await self.server.read(notices_of, self.me.id)]


def running_peer(ca: trustme.CA, folder: Path, name: str) -> AbstractAsyncContextManager[FedifyPeer]:
    """A peer for the length of a block."""
    return running(ca, folder, host=f"{name}.fedi.test", username=name, **PEERS[name])


async def meet(server: FediblogServer, lab: Lab, name: str) -> Meeting:
    """Somebody new meets a peer."""
    me = await server.person(f"ann{next(_numbers)}")
    return Meeting(server, lab.peers[name], WISH[name], PEERS[name]["first_knock"], me, f"@{me.acct}")
