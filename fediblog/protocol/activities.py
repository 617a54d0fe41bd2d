"""Activities: one envelope for all verbs, read from every shape it comes in; tombstones, and authorizations."""

from __future__ import annotations

from collections.abc import Iterable

from fediblog.domain.documents import ACTOR_KINDS, POST_KINDS, Activity, Json
from fediblog.protocol import readers
from fediblog.protocol.contexts import in_context, without_context
from fediblog.protocol.tag_array import read_emoji, sort

LEVELS = 2  # of activities within an activity: Announce{Undo{Like}} is the deepest that servers send
CONTENT_LIMIT = 5_000  # characters of what an activity itself says, such as a report
# The Activity Vocabulary §3.1, and what FEP-c0e0, FEP-044f and Lemmy add
_CHANGING = {"Create", "Update", "Delete", "Undo", "Add", "Remove", "Move", "Flag", "Block", "Lock"}
_ASKING = {"Follow", "Invite", "Offer", "Join", "Leave", "QuoteRequest", "ReplyRequest", "LikeRequest"}
_ASKING |= {"AnnounceRequest"}
_ANSWERING = {"Accept", "Reject", "TentativeAccept", "TentativeReject", "Ignore"}
_REACTING = {"Announce", "Like", "Dislike", "EmojiReact", "Listen", "Read", "View", "Arrive", "Travel"}
VERBS = frozenset(_CHANGING | _ASKING | _ANSWERING | _REACTING)
_COLLECTIONS = frozenset({"Collection", "OrderedCollection", "CollectionPage", "OrderedCollectionPage"})
_THINGS = ACTOR_KINDS | POST_KINDS | _COLLECTIONS | {"Tombstone", "Link", "Object"}
_KNOWN = VERBS | _THINGS
_BLIND = ("bto", "bcc")


def read_activity(document: Json) -> Activity | None:
    """The activity, or None if it has no actor or is no activity. A verb that nobody knows is still read."""
    return _read(document, LEVELS, "")


def object_uris(activity: Activity) -> tuple[str, ...]:
    """All ids inside `object`: a Flag names an account and any number of posts."""
    return readers.refs(activity.object)


def _read(document: Json, levels: int, actor: str) -> Activity | None:
    doc = readers.fields(document)
    kind = _verb(doc)
    actor = readers.ref(doc.get("actor")) or actor
    if not kind or not actor:
        return None
    told = _only(doc.get("object"))
    inside = _first(told)
    # only in an Undo is it certain whose the inner activity is, if that does not say so itself
    inner = _read(inside, levels - 1, actor if kind == "Undo" else "") if levels and _is_known(inside) else None
    to = readers.addresses(doc.get("to"))
    others = readers.addresses(doc.get("cc"), doc.get("audience"))
    return Activity(
        kind=kind,
        actor=actor,
        uri=readers.url(doc.get("id")),
        object=told,
        object_uri=readers.ref(told),
        object_kind=_kind_inside(inside),
        inner=inner,
        target=readers.ref(doc.get("target")),
        origin=readers.ref(doc.get("origin")),
        result=readers.ref(doc.get("result")),
        instrument=readers.ref(doc.get("instrument")),
        content=_content(doc),
        to=to,
        cc=tuple(address for address in others if address not in to),
        published=readers.moment(doc.get("published")),
        updated=readers.moment(doc.get("updated")),
        emoji=read_emoji(sort(doc["tag"])) if "tag" in doc else (),
        raw=doc,
    )


def _verb(doc: dict[str, Json]) -> str:
    named = readers.kinds(doc)
    for kind in named:
        if kind in VERBS:
            return kind
    return next((kind for kind in named if kind not in _THINGS), "")


def _is_known(value: Json) -> bool:
    return isinstance(value, dict) and bool(readers.kind_of(value, VERBS))


def _only(value: Json) -> Json:
    """What stands in a list of one, as JSON-LD expansion leaves it, is the same as without the list."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _first(value: Json) -> Json:
    return (value[0] if value else None) if isinstance(value, list) else value


def _kind_inside(inside: Json) -> str:
    if not isinstance(inside, dict):
        return ""
    return readers.kind_of(inside, _KNOWN) or next(iter(readers.kinds(inside)), "")


def _content(doc: dict[str, Json]) -> str:
    """What a report says, or the emoji of a reaction (Misskey has a name of its own for that)."""
    return readers.text(doc.get("content"), CONTENT_LIMIT) or readers.name(doc.get("_misskey_reaction"), 100)


def write_activity(
    kind: str,
    *,
    uri: str,
    actor: str,
    object: Json,
    to: Iterable[str] = (),
    cc: Iterable[str] = (),
    published: int | None = None,
    **extra: Json,
) -> dict[str, Json]:
    """The envelope. The actor is always an id (Threads refuses an object there); `@context` stands at the top alone."""
    doc: dict[str, Json] = {"id": uri, "type": kind, "actor": actor}
    if published is not None:
        doc["published"] = readers.stamp(published)
    doc["to"] = list(to)
    doc["cc"] = list(cc)
    doc["object"] = without_context(object) if isinstance(object, dict) else object
    return strip_blind(in_context(doc | {key: value for key, value in extra.items() if value}))


def strip_blind(document: dict[str, Json]) -> dict[str, Json]:
    """The document without `bto` and `bcc`, which must never leave the server (ActivityPub §6)."""
    clean = {key: value for key, value in document.items() if key not in _BLIND}
    inside = clean.get("object")
    return clean | ({"object": strip_blind(inside)} if isinstance(inside, dict) else {})


def tombstone(uri: str, former: str = "", deleted: int | None = None) -> dict[str, Json]:
    """What is left at the id of something deleted."""
    doc: dict[str, Json] = {"id": uri, "type": "Tombstone"}
    if former:
        doc["formerType"] = former
    return doc if deleted is None else doc | {"deleted": readers.stamp(deleted)}


def quote_authorization(uri: str, author: str, quoting: str, quoted: str) -> dict[str, Json]:
    """The document that proves that `author` lets `quoting` quote `quoted` (FEP-044f)."""
    doc: dict[str, Json] = {"id": uri, "type": "QuoteAuthorization", "attributedTo": author}
    return in_context(doc | {"interactingObject": quoting, "interactionTarget": quoted})


def grantor(document: dict[str, Json], quoting: str, quoted: str) -> str:
    """Who lets `quoting` quote `quoted`, as the document of an authorization says; empty if it does not say so."""
    told = [readers.ref(document.get(key)) for key in ("interactingObject", "interactionTarget")]
    known = "QuoteAuthorization" in readers.kinds(document) and told == [quoting, quoted]
    return readers.ref(document.get("attributedTo")) if known else ""


def reply_authorization(uri: str, author: str, replying: str, answered: str, kind: str = "Reply") -> dict[str, Json]:
    """The document that proves that `author` lets `replying` answer `answered` (GoToSocial's interaction controls).

    `kind` is Reply or, for a like or boost of it, Like or Announce.
    """
    doc: dict[str, Json] = {"id": uri, "type": f"{kind}Authorization", "attributedTo": author}
    return in_context(doc | {"interactingObject": replying, "interactionTarget": answered})
