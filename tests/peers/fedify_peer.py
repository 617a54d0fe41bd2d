"""A small ActivityPub server on Fedify, an implementation independent of ours, started and steered from tests.

How the two sides reach each other
* All is HTTPS on loopback, with certificates of a throw-away authority (`trustme.CA`) that both sides trust: the peer
  by NODE_EXTRA_CA_CERTS, our side by an SSL context.
* Names end with `.test` (RFC 6761). The peer resolves every such name to 127.0.0.1, at the port of the address, and no
  other name at all. So `https://blog.fedi.test:18443` is reached as it is, and handles carry ports:
  `@alice@peer.fedi.test:40123`. Fedify always asks WebFinger by https, for handles with a port at that port.
* For names without a port, start the peer with `bare=True` and tell each side where the other is:
  `await peer.route("blog.fedi.test", 18443)` for the peer, and `peer.port` to our own resolver.
* JSON-LD contexts that Fedify does not ship would be fetched, which fails here: documents with others are unreadable.

How to wait
Whatever happens to the peer is an event with a number; `wait_for` asks for events by long polling, so nothing sleeps.
* `received`: a POST to an inbox, with `status`, `reply`, `activity` and `signature`, which has `http` (`scheme`,
  `keyId`, `verified`), `proof` (`cryptosuites`, `verified`) and `linkedData` (`verified`), None each if it is not there
* `handled`: an activity that Fedify has accepted; `understood` is what it made of it
* `failed`: a delivery of the peer's that went wrong; it tries three times within a second
* `refused`: an error in Fedify's own reception
* `asked`: a GET, with `path`, `status` and `signature` as claimed
* `broken`: an exception in the peer (`path`, `error`), answered by 500; a JSON-LD context that cannot be had ends so
"""

from __future__ import annotations

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, Literal

import httpx
import trustme

from tests.peers.node import FOLDER, find_node

Json = dict[str, Any]
Knock = Literal["draft-cavage-http-signatures-12", "rfc9421"]
Visibility = Literal["public", "unlisted", "followers", "direct"]

DRAFT: Knock = "draft-cavage-http-signatures-12"
RFC9421: Knock = "rfc9421"

_START_SECONDS = 60.0  # keys of 4096 bits take a while on a busy machine
_POLL_MS = 5_000


class PeerError(Exception):
    """The peer refused a command, did not start, or did not see what a test waited for."""


def _write_certificates(ca: trustme.CA, host: str, folder: Path) -> Json:
    certificate = ca.issue_cert(host)
    paths = {name: str(folder / f"{host}.{name}.pem") for name in ("key", "certificate", "authority")}
    certificate.private_key_pem.write_to_path(paths["key"])
    Path(paths["certificate"]).write_bytes(b"".join(blob.bytes() for blob in certificate.cert_chain_pems))
    ca.cert_pem.write_to_path(paths["authority"])
    return paths


class FedifyPeer:
    """One running peer with one account. `FedifyPeer.start` makes it, `stop` ends it."""

    def __init__(self, process: asyncio.subprocess.Process, username: str, where: Json, log: Path) -> None:
        self._process = process
        self._control = httpx.AsyncClient(base_url=f"http://127.0.0.1:{where['control']}", timeout=60, trust_env=False)
        self._events: list[Json] = []
        self._log = log
        self.username = username
        self.origin: str = where["origin"]
        self.port: int = where["port"]

    @classmethod
    async def start(
        cls,
        ca: trustme.CA,
        folder: Path,
        *,
        host: str = "peer.fedi.test",
        port: int = 0,
        username: str = "peer",
        first_knock: Knock = RFC9421,
        bare: bool = False,
        refuses: Knock | None = None,
        secure: bool = False,
        approves: Literal["automatically", "manual"] = "automatically",
        log_level: Literal["debug", "info", "warning", "error"] = "warning",
    ) -> FedifyPeer:
        """Starts a peer; `folder` gets its certificates and its log.

        port 0 takes a free one. bare: its addresses name no port. secure: notes are shown only to signed requests.
        refuses: requests signed in this way get 401, so that the other side has to knock again in the other way.
        """
        node = find_node()
        if node is None:
            raise PeerError("no Node.js; call require_node() first")
        paths = _write_certificates(ca, host, folder)
        log = folder / f"{host}.log"
        with log.open("wb") as stderr:
            process = await asyncio.create_subprocess_exec(
                node,
                FOLDER / "peer.mjs",
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=stderr,
                env={"PATH": os.environ.get("PATH", ""), "NODE_EXTRA_CA_CERTS": paths["authority"]},
            )
        settings = {
            "host": host,
            "port": port,
            "username": username,
            "firstKnock": first_knock,
            "bare": bare,
            "refuses": refuses,
            "secure": secure,
            "approves": approves,
            "logLevel": log_level,
            "key": paths["key"],
            "certificate": paths["certificate"],
        }
        where = await _introduce(process, settings, log)
        return cls(process, username, where, log)

    async def stop(self) -> None:
        """Ends the peer and waits until it is gone."""
        await self._control.aclose()
        await _end(self._process)

    @property
    def uri(self) -> str:
        """The id of the peer's actor."""
        return f"{self.origin}/users/{self.username}"

    @property
    def handle(self) -> str:
        """`@peer@peer.fedi.test:40123`, or without a port if the peer is bare."""
        return f"@{self.username}@{self.origin.removeprefix('https://')}"

    @property
    def log(self) -> str:
        """What Fedify has logged."""
        return self._log.read_text()

    async def command(self, name: str, /, **arguments: object) -> Json:
        """One command of the control API. Raises PeerError with what the peer says."""
        response = await self._control.post(f"/{name}", json=arguments)
        answer: Json = response.json()
        if response.status_code != 200:
            raise PeerError(f"{name}: {answer['error']}")
        return answer

    async def route(self, authority: str, port: int) -> None:
        """Makes the peer connect to `port` for `authority` ("blog.fedi.test" means its port 443)."""
        await self.command("route", authority=authority, port=port)

    async def state(self) -> Json:
        """{followers: {uri: state}, following, likes: {note: [uri]}, boosts, notes, known: {uri: object}}."""
        return await self.command("state")

    async def follow(self, who: str) -> Json:
        """Asks to follow a handle or uri: {activity, actor, recipients}."""
        return await self.command("follow", who=who)

    async def unfollow(self, who: str) -> Json:
        """Undoes a follow."""
        return await self.command("unfollow", who=who)

    async def accept(self, uri: str) -> Json:
        """Accepts a follower's request, for a peer that approves by hand."""
        return await self.command("accept", who=uri)

    async def reject(self, uri: str) -> Json:
        """Rejects a request, or removes a follower."""
        return await self.command("reject", who=uri)

    async def post(
        self,
        content: str,
        *,
        visibility: Visibility = "public",
        reply_to: str | None = None,
        mention: Sequence[str] = (),
        **more: object,
    ) -> Json:
        """Posts HTML: {note, activity, recipients}.

        more: type ("Article"), name, summary, sensitive, source, tags [name], attachments [{url, mediaType, name}].
        A reply goes to the author it answers too, but only those in `mention` get a Mention.
        """
        return await self.command(
            "post", content=content, visibility=visibility, replyTo=reply_to, mention=list(mention), **more
        )

    async def edit(self, note: str, **changes: object) -> Json:
        """Changes a note of the peer's and sends the Update."""
        return await self.command("edit", note=note, **changes)

    async def delete(self, note: str) -> Json:
        """Deletes a note of the peer's; its address answers 410 from now on."""
        return await self.command("delete", note=note)

    async def like(self, uri: str) -> Json:
        """Likes an object."""
        return await self.command("like", object=uri)

    async def unlike(self, uri: str) -> Json:
        """Undoes the like."""
        return await self.command("unlike", object=uri)

    async def boost(self, uri: str) -> Json:
        """Announces an object to its author and the peer's followers."""
        return await self.command("boost", object=uri)

    async def unboost(self, uri: str) -> Json:
        """Undoes the boost."""
        return await self.command("unboost", object=uri)

    async def profile(self, **changes: object) -> Json:
        """Changes name, summary, icon, fields [[key, value]], aliases or successor (movedTo), and sends the Update."""
        return await self.command("profile", **changes)

    async def leave(self) -> Json:
        """Deletes the account: Delete to all followers, then 410."""
        return await self.command("leave")

    async def send(self, activity: Json, to: Sequence[str]) -> Json:
        """Sends any activity to actors; `id` and `actor` are added. It needs its own `@context`."""
        return await self.command("send", activity=activity, to=list(to))

    async def lookup(self, what: str) -> Json:
        """WebFinger and a signed fetch: {webfinger, type, id, document, understood}, each None if not found."""
        return await self.command("lookup", what=what)

    async def fetch(self, uri: str) -> Json:
        """A signed fetch: {url, document}."""
        return await self.command("fetch", uri=uri)

    async def refuse(self, knock: Knock | None) -> None:
        """From now on requests signed in this way get 401."""
        await self.command("refuse", knock=knock)

    async def expand(self, document: Json) -> Json:
        """A document as JSON-LD means it, every term by its full name; what its context does not declare is missing."""
        expanded: list[Json] = (await self.command("expand", document=document))["expanded"]
        return expanded[0]

    async def collection(self, uri: str, limit: int = 100) -> Json:
        """Walks a collection's pages: {type, total, items: [{type, id}]}."""
        return await self.command("collection", uri=uri, limit=limit)

    async def nodeinfo(self, origin: str) -> Json:
        """A server's NodeInfo: {document, understood}; understood is None where Fedify finds it invalid."""
        return await self.command("nodeinfo", origin=origin)

    async def events(self) -> list[Json]:
        """Everything that has happened up to now."""
        await self._poll(0)
        return list(self._events)

    async def wait_for(self, predicate: Callable[[Json], bool], *, after: int = 0, seconds: float = 20) -> Json:
        """The first event numbered above `after` that the predicate likes, there already or yet to come."""
        end = time.monotonic() + seconds
        position = after
        while True:
            for event in self._events[position:]:
                if predicate(event):
                    return event
            position = max(position, len(self._events))
            left = int((end - time.monotonic()) * 1000)
            if left <= 0:
                seen = "\n".join(_brief(event) for event in self._events)
                raise PeerError(f"{self.handle} did not see it within {seconds} s; it saw:\n{seen}\n{self.log[-3000:]}")
            await self._poll(min(left, _POLL_MS))

    async def wait(self, kind: str, activity_type: str | None = None, *, after: int = 0, **facts: object) -> Json:
        """The first event of this kind, of this type of activity, whose fields equal `facts`."""
        if activity_type is not None:
            facts["type"] = activity_type
        return await self.wait_for(
            lambda event: event["kind"] == kind and all(event.get(name) == value for name, value in facts.items()),
            after=after,
        )

    async def _poll(self, timeout_ms: int) -> None:
        query = {"after": len(self._events), "timeout": timeout_ms}
        response = await self._control.get("/events", params=query)
        known = len(self._events)
        self._events += [event for event in response.json()["events"] if event["n"] > known]


def _brief(event: Json) -> str:
    return json.dumps({name: value for name, value in event.items() if name not in ("activity", "understood")})[:600]


async def _introduce(process: asyncio.subprocess.Process, settings: Json, log: Path) -> Json:
    if process.stdin is None or process.stdout is None:
        raise PeerError("the peer was started without pipes")
    process.stdin.write(json.dumps(settings).encode() + b"\n")
    try:
        line = await asyncio.wait_for(process.stdout.readline(), _START_SECONDS)
    except TimeoutError:
        line = b""
    if not line:
        await _end(process)
        raise PeerError(f"the peer did not start: {log.read_text()[-3000:]}")
    where: Json = json.loads(line)
    return where


async def _end(process: asyncio.subprocess.Process) -> None:
    """Closing standard input ends the program; one that hangs is killed."""
    if process.stdin is not None:
        process.stdin.close()
    try:
        await asyncio.wait_for(process.wait(), 10)
    except TimeoutError:
        process.kill()
        await process.wait()


@asynccontextmanager
async def running(ca: trustme.CA, folder: Path, **settings: Any) -> AsyncIterator[FedifyPeer]:
    """A peer for the length of a block; takes what `FedifyPeer.start` takes."""
    peer = await FedifyPeer.start(ca, folder, **settings)
    try:
        yield peer
    finally:
        await peer.stop()
