"""Servers of strangers, for tests of what comes in: documents under their addresses, real keys, signed requests."""

from __future__ import annotations

import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

from fediblog.actions import follow_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC
from fediblog.domain.posts import Post
from fediblog.errors import Unavailable
from fediblog.federation.inbound.receive import Receipt, process, receive
from fediblog.federation.lookups import resolve
from fediblog.federation.site import Site
from fediblog.inbox import Outcome, apply
from fediblog.net import Response
from fediblog.net.http_engine import Headers
from fediblog.protocol import cavage, integrity_proofs, rfc9421
from fediblog.protocol.activities import read_activity
from fediblog.protocol.keys import PrivateKey, load_private
from fediblog.protocol.signatures import IncomingRequest
from fediblog.store.people import accounts, relations
from fediblog.store.people.accounts import NewKey
from fediblog.store.posts import posts
from fediblog.store.queues import incoming_queue
from fediblog.store.tx import Tx
from tests.conftest import Clock
from tests.known import facts_of
from tests.wording import publish
from tests.world import WorldEngine, add_person, keys_of, new_site

Json = dict[str, Any]
ORIGIN = "https://home.test"
ACTIVITY = "application/activity+json"
CONTEXT = "https://www.w3.org/ns/activitystreams"


@dataclass
class Web:
    """All servers but ours: what lies under each address, and who asked for what."""

    pages: dict[str, tuple[int, str, bytes]] = field(default_factory=dict)
    redirects: dict[str, str] = field(default_factory=dict)
    headers: dict[str, tuple[tuple[str, str], ...]] = field(default_factory=dict)
    asked: list[str] = field(default_factory=list)
    signed: set[str] = field(default_factory=set)  # of these, what was asked for with a signature
    down: set[str] = field(default_factory=set)
    patience: dict[str, float] = field(default_factory=dict)  # seconds that we would have waited for the last answer

    def put(self, url: str, document: Any, *, status: int = 200, kind: str = ACTIVITY) -> None:
        self.pages[url] = (status, kind, json.dumps(document).encode())

    async def exchange(
        self, method: str, url: str, headers: Headers, body: bytes = b"", *, limit: int, deadline: float
    ) -> Response:
        url = url.partition("#")[0]
        self.asked.append(url)
        self.patience[url] = deadline
        if "signature" in dict(headers):
            self.signed.add(url)
        if urlsplit(url).netloc in self.down:
            raise Unavailable("unreachable", detail=url)
        if url in self.redirects:
            return Response(302, (("location", self.redirects[url]),), b"", url)
        status, kind, page = self.pages.get(url, (404, "text/plain", b"nothing"))
        return Response(status, (("content-type", kind), *self.headers.get(url, ())), page, url)

    async def close(self) -> None:
        """Nothing is open."""


@dataclass
class Person:
    """Somebody on another server, with a document, keys, and a handle that is confirmed."""

    web: Web
    host: str
    name: str
    extra: Json = field(default_factory=dict)
    alike: str = ""  # whose keys are used here too, by name: a pair for each of very many would take long

    def __post_init__(self) -> None:
        self.publish()

    @property
    def uri(self) -> str:
        return f"https://{self.host}/u/{self.name}"

    @property
    def key_id(self) -> str:
        return f"{self.uri}#main-key"

    @property
    def keys(self) -> tuple[NewKey, ...]:
        """RSA, then Ed25519."""
        return keys_of(self.host, self.alike or self.name)

    @property
    def key(self) -> PrivateKey:
        return load_private(self.keys[0].private)

    @property
    def curve(self) -> PrivateKey:
        return load_private(self.keys[1].private)

    @property
    def document(self) -> Json:
        rsa, curve = self.keys
        return {
            "@context": CONTEXT,
            "id": self.uri,
            "type": "Person",
            "preferredUsername": self.name,
            "name": self.name.title(),
            "inbox": f"{self.uri}/inbox",
            "outbox": f"{self.uri}/outbox",
            "followers": f"{self.uri}/followers",
            "featured": f"{self.uri}/featured",
            "endpoints": {"sharedInbox": f"https://{self.host}/inbox"},
            "publicKey": {"id": self.key_id, "owner": self.uri, "publicKeyPem": rsa.public},
            "assertionMethod": [
                {
                    "id": f"{self.uri}#curve",
                    "type": "Multikey",
                    "controller": self.uri,
                    "publicKeyMultibase": curve.public,
                }
            ],
            **self.extra,
        }

    def publish(self, **extra: Any) -> None:
        """Put the document and the handle where others find them."""
        self.extra |= extra
        self.web.put(self.uri, self.document)
        resource = f"acct:{self.name}@{self.host}"
        url = f"https://{self.host}/.well-known/webfinger?resource={resource.replace(':', '%3A').replace('@', '%40')}"
        link = {"rel": "self", "type": ACTIVITY, "href": self.uri}
        self.web.put(url, {"subject": resource, "links": [link]}, kind="application/jrd+json")

    def note(self, number: int | str = 1, **fields: Any) -> Json:
        """A public note, which can be fetched as well."""
        uri = f"https://{self.host}/n/{self.name}/{number}"
        note = {
            "id": uri,
            "type": "Note",
            "attributedTo": self.uri,
            "to": [PUBLIC],
            "cc": [f"{self.uri}/followers"],
            "content": f"<p>note {number}</p>",
            "published": "2025-06-01T10:00:00Z",
            **fields,
        }
        self.web.put(str(note["id"]), note)
        return note

    def does(self, kind: str, object: Any, number: int | str = 1, **fields: Any) -> Json:
        """An activity of this person."""
        uri = f"https://{self.host}/x/{self.name}/{kind.lower()}-{number}"
        return {"@context": CONTEXT, "id": uri, "type": kind, "actor": self.uri, "object": object, **fields}

    def creates(self, note: Json, number: int | str = 1) -> Json:
        return self.does("Create", note, number, to=note.get("to", []), cc=note.get("cc", []))

    def proves(self, activity: Json, now: int, method: str = "") -> Json:
        """The activity with a proof by this person's own key (eddsa-jcs-2022)."""
        return integrity_proofs.sign(activity, self.curve, method or f"{self.uri}#curve", now // 1000)


@dataclass
class Home:
    """Our server, somebody who lives there, and the web around it."""

    site: Site
    web: Web
    clock: Clock
    alice: Account

    async def send(
        self,
        sender: Person,
        activity: Any,
        *,
        inbox: str = "/inbox",
        inbox_owner: int | None = None,
        key_id: str = "",
        scheme: str = "cavage",
        headers: Mapping[str, str] | None = None,
    ) -> Receipt:
        """Deliver something, signed by `sender`."""
        body = activity if isinstance(activity, bytes) else json.dumps(activity).encode()
        return await receive(
            self.site, self.request(sender, body, inbox, key_id, scheme, headers), inbox_owner=inbox_owner
        )

    def request(
        self,
        sender: Person,
        body: bytes,
        inbox: str = "/inbox",
        key_id: str = "",
        scheme: str = "cavage",
        headers: Mapping[str, str] | None = None,
    ) -> IncomingRequest:
        fields = {"content-type": ACTIVITY, "host": "home.test", **(headers or {})}
        sign = rfc9421.sign if scheme == "rfc9421" else cavage.sign
        added = sign("POST", ORIGIN + inbox, fields, body, key_id or sender.key_id, sender.key, self.clock.now // 1000)
        whole = fields | {name.lower(): value for name, value in added.items()}
        return IncomingRequest("POST", inbox, tuple(whole.items()), body)

    async def work(self) -> None:
        """Deal with all that was stored, as the worker does."""
        while items := await self.site.db.write(incoming_queue.claim):
            for item in items:
                await process(self.site, item)

    async def know(self, person: Person) -> Account:
        """Have the account of a stranger stored."""
        return await resolve.actor(self.site, person.uri)

    async def writes(self, *, reply_to: str = "", **draft: Any) -> Post:
        """A post by alice."""

        def action(tx: Tx) -> Post:
            above = posts.by_uri(tx, reply_to) if reply_to else None
            whole = Draft(source="Hello, world", reply_to=above.id if above else None, **draft)
            return publish(tx, self.site.urls, self.alice.id, whole)

        return await self.site.db.write(action)

    async def follows(self, person: Person) -> Account:
        """Alice follows somebody, who accepted."""
        account = await self.know(person)

        def action(tx: Tx) -> None:
            follow_actions.follow(tx, self.site.urls, self.alice.id, account.id)
            relations.accept(tx, self.alice.id, account.id)

        await self.site.db.write(action)
        return account

    async def notices(self) -> list[tuple[str, str]]:
        """Kind and actor of what alice was told, in order."""
        found = await self.ask(
            "select n.kind, a.handle from notice n join account a on a.id = n.actor where n.account = :id"
            " order by n.id",
            id=self.alice.id,
        )
        return [(row[0], row[1]) for row in found]

    async def ask(self, sql: str, **params: Any) -> list[Any]:
        return await self.site.db.read(lambda tx: [tuple(row) for row in tx.all(sql, **params)])

    async def count(self, table: str) -> int:
        found = await self.site.db.read(lambda tx: tx.one(_COUNTS[table]))
        assert found is not None
        return int(found.n)

    async def refusals(self) -> list[str]:
        return [row[0] for row in await self.ask("select reason from refusal order by id")]

    async def apply(self, person: Person, activity: Json, **facts: Any) -> Outcome:
        """Hand an activity to its handler, as if all were proven."""
        read = read_activity(activity)
        assert read is not None
        actor = await self.site.db.read(accounts.by_uri, read.actor)
        assert actor is not None
        return await self.site.db.write(apply, self.site.urls, read, facts_of(actor, read, **facts))


_TABLES = "account post follow block reaction boost notice poll_vote report tombstone seen incoming early job outgoing"
_COUNTS = {name: f"select count(*) as n from {name}" for name in _TABLES.split()}


@asynccontextmanager
async def home(folder: Path, *, database: str = "") -> AsyncIterator[Home]:
    """A server of ours in a web of strangers."""
    clock, web = Clock(), Web()
    site = await new_site(folder, ORIGIN, cast(WorldEngine, web), clock, database=database)
    try:
        alice = await site.db.write(add_person, site.urls, "alice", keys_of("home.test", "alice"))
        yield Home(site, web, clock, alice)
    finally:
        await site.close()
