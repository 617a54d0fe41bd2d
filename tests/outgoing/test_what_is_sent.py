"""What each function of `outgoing` sends is read by others as it was meant, and goes to whom it is for."""

from __future__ import annotations

import importlib
import inspect
import json
import pkgutil
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import pytest

from fediblog import outgoing
from fediblog.actions import account_actions, quote_actions, reaction_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account
from fediblog.domain.documents import PUBLIC, Activity, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.inbox import approval_handlers
from fediblog.outgoing import sent_accounts, sent_authorizations, sent_follows, sent_posts, sent_reactions
from fediblog.outgoing.own_documents import post_document
from fediblog.protocol.activities import object_uris, read_activity
from fediblog.store.posts import quotes
from fediblog.store.posts.reaction_lists import OwnBoost
from fediblog.store.tx import Tx
from tests import wording
from tests.actions.stage import KEYS, URLS, Stage

NUMBER = 7_000_000_000_000_000_000
ASKED = "https://ben.test/follows/1"
DONE = f"{URLS.origin}/x/1"
SENT = f"#x/{NUMBER}"


@dataclass(frozen=True, kw_only=True)
class Meant:
    """How an activity shall be read, by names of `Activity`, and the inboxes for which it is meant."""

    route: tuple[str, str | None]
    actor: Account
    about: str
    to: tuple[str, ...]
    cc: tuple[str, ...] = ()
    more: dict[str, Any] = field(default_factory=dict)
    inner: str = ""
    inboxes: tuple[str, ...] = ()
    followers: bool = False


@dataclass(frozen=True)
class Scene:
    """Ann wrote `own`, Ben `far`; both are public."""

    ann: Account
    ben: Account
    own: Post
    far: Post
    document: dict[str, Any]  # of `own`

    def request(self, kind: str) -> Activity:
        answer = {"id": f"{self.ben.uri}/answers/1", "type": "Note", "content": "Yes"}
        document = {"id": ASKED, "type": kind, "actor": self.ben.uri, "object": self.own.uri, "to": [self.ann.uri]}
        found = read_activity({**document, "instrument": answer})
        assert found is not None
        return found


Case = Callable[[Scene], tuple[tuple[Any, ...], Meant]]


def for_ben(scene: Scene, verb: str, inside: str | None, about: str, **more: Any) -> Meant:
    """An activity of Ann's that goes to Ben's own inbox alone."""
    return Meant(
        route=(verb, inside), actor=scene.ann, about=about, to=(scene.ben.uri,), inboxes=(scene.ben.inbox,), **more
    )


def to_followers(scene: Scene, verb: str, inside: str | None, about: str, **more: Any) -> Meant:
    """An activity of Ann's for everybody who follows her."""
    both = {"to": (PUBLIC,), "cc": (scene.ann.followers,), **more}
    return Meant(route=(verb, inside), actor=scene.ann, about=about, followers=True, **both)


def for_both(scene: Scene, verb: str, inside: str | None, about: str, **more: Any) -> Meant:
    """An activity of Ann's for Ben and for those who follow her."""
    inboxes = (scene.ben.shared_inbox,)
    return Meant(route=(verb, inside), actor=scene.ann, about=about, inboxes=inboxes, followers=True, **more)


def for_author(scene: Scene, verb: str, inside: str | None, about: str, **more: Any) -> Meant:
    """An activity of Ann's about what Ben wrote, which tells him alone and is no secret."""
    inboxes = (scene.ben.shared_inbox,)
    return Meant(route=(verb, inside), actor=scene.ann, about=about, to=(scene.ben.uri,), inboxes=inboxes, **more)


CASES: dict[Callable[..., None], Case] = {
    sent_follows.follow: lambda s: ((s.ann, s.ben, NUMBER), for_ben(s, "Follow", None, s.ben.uri)),
    sent_follows.undo: lambda s: ((s.ann, s.ben, DONE), for_ben(s, "Undo", "Follow", DONE, inner=s.ben.uri)),
    sent_follows.accept: lambda s: ((s.ann, s.ben, ASKED), for_ben(s, "Accept", "Follow", ASKED, inner=s.ann.uri)),
    sent_follows.reject: lambda s: ((s.ann, s.ben, ASKED), for_ben(s, "Reject", "Follow", ASKED, inner=s.ann.uri)),
    sent_reactions.like: lambda s: ((s.ann, s.far, NUMBER), for_author(s, "Like", None, s.far.uri)),
    sent_reactions.undo_like: lambda s: (
        (s.ann, s.far, DONE),
        for_author(s, "Undo", "Like", DONE, inner=s.far.uri),
    ),
    sent_reactions.boost: lambda s: (
        (s.ann, s.far, NUMBER, Visibility.FOLLOWERS),
        for_both(s, "Announce", None, s.far.uri, to=(s.ann.followers,), cc=(s.ben.uri,)),
    ),
    sent_reactions.undo_boost: lambda s: (
        (s.ann, s.far, OwnBoost(1, DONE, "public", 5000)),
        for_both(s, "Undo", "Announce", DONE, inner=s.far.uri, to=(s.ann.followers, s.ben.uri)),
    ),
    sent_reactions.vote: lambda s: (
        (s.ann, s.far, "Oak", NUMBER),
        for_ben(s, "Create", "Note", f"{s.ann.uri}{SENT}/vote"),
    ),
    sent_posts.create: lambda s: (
        (s.own, s.document),
        to_followers(s, "Create", "Note", s.own.uri, more={"published": s.own.published}),
    ),
    sent_posts.update: lambda s: ((s.own,), to_followers(s, "Update", "Note", s.own.uri)),
    sent_posts.delete: lambda s: ((s.own,), to_followers(s, "Delete", "Tombstone", s.own.uri)),
    sent_posts.pin: lambda s: (
        (s.ann, s.own),
        to_followers(s, "Add", None, s.own.uri, more={"target": s.ann.featured}),
    ),
    sent_posts.unpin: lambda s: (
        (s.ann, s.own),
        to_followers(s, "Remove", None, s.own.uri, more={"target": s.ann.featured}),
    ),
    sent_accounts.update: lambda s: ((s.ann,), to_followers(s, "Update", "Person", s.ann.uri)),
    sent_accounts.move: lambda s: (
        (s.ann, s.ben),
        to_followers(s, "Move", None, s.ann.uri, to=(s.ann.followers,), cc=(), more={"target": s.ben.uri}),
    ),
    sent_accounts.delete: lambda s: ((s.ann,), to_followers(s, "Delete", None, s.ann.uri)),
    sent_accounts.block: lambda s: ((s.ann, s.ben, NUMBER), for_ben(s, "Block", None, s.ben.uri)),
    sent_accounts.undo_block: lambda s: ((s.ann, s.ben, DONE), for_ben(s, "Undo", "Block", DONE, inner=s.ben.uri)),
    sent_accounts.flag: lambda s: (
        (s.ann, s.ben, [s.far.uri], "spam", NUMBER),
        for_ben(s, "Flag", None, s.ben.uri, more={"content": "spam"}),
    ),
    sent_authorizations.request_quote: lambda s: (
        (s.own, s.document, s.far, NUMBER),
        for_ben(s, "QuoteRequest", None, s.far.uri, more={"instrument": s.own.uri}),
    ),
    sent_authorizations.accept: lambda s: (
        (s.ann, s.ben, s.request("ReplyRequest"), URLS.reply_authorization(1), s.own.uri),
        for_ben(
            s,
            "Accept",
            "ReplyRequest",
            ASKED,
            inner=s.own.uri,
            more={"result": URLS.reply_authorization(1), "target": s.own.uri},
        ),
    ),
    sent_authorizations.reject: lambda s: (
        (s.ann, s.ben, s.request("QuoteRequest")),
        for_ben(s, "Reject", "QuoteRequest", ASKED, inner=s.own.uri),
    ),
    sent_authorizations.revoke_quote: lambda s: (
        (s.own, 1, s.far.uri, s.ben),
        for_both(s, "Delete", "QuoteAuthorization", URLS.authorization(1), to=(s.ben.uri, s.ann.followers)),
    ),
    sent_authorizations.revoke_reply: lambda s: (
        (s.own, 1, s.far.uri, s.ben),
        for_both(s, "Delete", "ReplyAuthorization", URLS.reply_authorization(1), to=(s.ben.uri, s.ann.followers)),
    ),
}


def public_functions() -> set[Callable[..., None]]:
    """All functions by which something is sent."""
    names = [each.name for each in pkgutil.iter_modules(outgoing.__path__) if each.name.startswith("sent_")]
    modules = [importlib.import_module(f"{outgoing.__name__}.{name}") for name in names]
    return {
        function
        for module in modules
        for name, function in inspect.getmembers(module, inspect.isfunction)
        if function.__module__ == module.__name__ and not name.startswith("_")
    }


def test_every_function_is_walked() -> None:
    assert public_functions() == CASES.keys()


@pytest.fixture
async def scene(stage: Stage) -> Scene:
    own, far = await stage.publish("Hello"), await stage.remote_post(stage.ben)
    document = await stage.db.read(post_document, URLS, own)
    await stage.db.write(_forget_sent)
    return Scene(stage.ann, stage.ben, own, far, document)


def _forget_sent(tx: Tx) -> None:
    for sql in ("delete from delivery", "delete from outgoing", "delete from job"):
        tx.run(sql)


@pytest.mark.parametrize(
    "action", CASES, ids=lambda action: f"{action.__module__.rpartition('.')[2]}.{action.__name__}"
)
async def test_what_is_sent_is_read_as_it_was_meant(stage: Stage, scene: Scene, action: Callable[..., None]) -> None:
    args, meant = CASES[action](scene)
    await stage.do(action, *args)
    (sent,) = await stage.sent()
    activity = read_activity(sent.document)
    assert activity is not None
    assert (activity.route, activity.actor, activity.object_uri) == (meant.route, meant.actor.uri, meant.about)
    assert (activity.to, activity.cc) == (meant.to, meant.cc)
    assert {name: getattr(activity, name) for name in meant.more} == meant.more
    assert (activity.inner.object_uri if activity.inner else "") == meant.inner
    assert (set(sent.inboxes), sent.followers) == (set(meant.inboxes), meant.followers)
    assert activity.uri in (f"{activity.actor}#x/{sent.number}", URLS.activity(sent.number))
    assert isinstance(sent.document["actor"], str)
    assert next(iter(sent.document)) == "@context"
    assert json.dumps(sent.document).count('"@context"') == 1


async def test_a_report_names_the_account_and_its_posts(stage: Stage, scene: Scene) -> None:
    await stage.do(sent_accounts.flag, scene.ann, scene.ben, [scene.far.uri], "spam", NUMBER)
    activity = read_activity((await stage.last()).document)
    assert activity is not None
    assert object_uris(activity) == (scene.ben.uri, scene.far.uri)


@pytest.mark.parametrize("action", [sent_follows.accept, sent_follows.reject, sent_follows.undo])
async def test_a_follow_without_an_id_is_embedded_without_one(stage: Stage, action: Callable[..., None]) -> None:
    await stage.do(action, stage.ann, stage.ben, "")
    assert "id" not in (await stage.last()).object


async def test_a_request_is_embedded_without_the_words_of_its_post(stage: Stage, scene: Scene) -> None:
    await stage.do(sent_authorizations.accept, scene.ann, scene.ben, scene.request("QuoteRequest"), DONE)
    assert (await stage.last()).object["instrument"] == f"{scene.ben.uri}/answers/1"
    await stage.do(sent_authorizations.reject, scene.ann, scene.ben, "https://ben.test/answers/2")
    assert (await stage.last()).document["object"] == "https://ben.test/answers/2"


async def test_all_ids_of_an_account_are_of_its_own_origin(stage: Stage) -> None:
    """Whatever the server's own is: of what Eda does nothing leads there."""
    two = Urls("https://two.test", "two.test")

    def arrive(tx: Tx) -> Account:
        login = account_actions.add_login(tx, "eda", "-")
        return account_actions.add_account(tx, two, login.id, "eda", "Eda", KEYS)

    eda, theirs = await stage.db.write(arrive), await stage.remote_post(stage.ben)
    await stage.follows(stage.ben, eda)
    assert two.of(eda) is two
    assert URLS.of(stage.ben) is URLS
    draft = Draft(source="Long text", title="A title", tags=("cats",), comments="followers")
    post = await stage.do(wording.publish, eda.id, draft)
    await stage.do(wording.publish, eda.id, Draft(source="An answer", reply_to=theirs.id))
    await stage.do(reaction_actions.like, eda.id, theirs.id)
    await stage.do(reaction_actions.boost, eda.id, theirs.id)
    await stage.do(reaction_actions.unboost, eda.id, theirs.id)
    await stage.do(approval_handlers.let_reply, eda, post.id, stage.ben, f"{stage.ben.uri}/answers/1")
    number = await stage.db.write(quotes.grant, post.id, stage.ben.id, theirs.uri)
    await stage.do(quote_actions.revoke, eda.id, number)
    sent = await stage.sent()
    kinds = {each.kind for each in sent}
    assert kinds == {"Create", "Like", "Announce", "Undo", "Accept", "Delete"}
    for each in sent:
        assert URLS.origin not in json.dumps(each.document), each.kind
        assert each.document["id"].startswith(two.origin)
