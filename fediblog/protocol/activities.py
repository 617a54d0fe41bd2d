"""Activities: one envelope for all verbs, read from every shape it comes in; tombstones, and authorizations."""

from __future__ import annotations

from collections.abc import Iterable

from fediblog.domain.documents import ACTOR_KINDS, POST_KINDS, Activity, Json
from fediblog.protocol import json_values
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
    return json_values.refs(activity.object)


def _read(document: Json, levels: int, actor: str) -> Activity | None:
    doc = json_values.fields(document)
    kind = _verb(doc)
    actor = json_values.ref(doc.get("actor")) or actor
    if not kind or not actor:
        return None
    told = _only(doc.get("object"))
    inside = _first(told)
    # only in an Undo is it certain whose the inner activity is, if that does not say so itself
    inner = _read(inside, levels - 1, actor if kind == "Undo" else "") if levels and _is_known(inside) else None
    to = json_values.addresses(doc.get("to"))
    others = json_values.addresses(doc.get("cc"), doc.get("audience"))
    return Activity(
        kind=kind,
        actor=actor,
        uri=json_values.url(doc.get("id")),
        object=told,
        object_uri=json_values.ref(told),
        object_kind=_kind_inside(inside),
        inner=inner,
        target=json_values.ref(doc.get("target")),
        origin=json_values.ref(doc.get("origin")),
        result=json_values.ref(doc.get("result")),
        instrument=json_values.ref(doc.get("instrument")),
        content=_content(doc),
        to=to,
        cc=tuple(address for address in others if address not in to),
        published=json_values.moment(doc.get("published")),
        updated=json_values.moment(doc.get("updated")),
        emoji=read_emoji(sort(doc["tag"])) if "tag" in doc else (),
        raw=doc,
    )


def _verb(doc: dict[str, Json]) -> str:
    named = json_values.kinds(doc)
    for kind in named:
        if kind in VERBS:
            return kind
    return next((kind for kind in named if kind not in _THINGS), "")


def _is_known(value: Json) -> bool:
    return isinstance(value, dict) and bool(json_values.kind_of(value, VERBS))


def _only(value: Json) -> Json:
    """What stands in a list of one, as JSON-LD expansion leaves it, is the same as without the list."""
    return value[0] if isinstance(value, list) and len(value) == 1 else value


def _first(value: Json) -> Json:
    return (value[0] if value else None) if isinstance(value, list) else value


def _kind_inside(inside: Json) -> str:
    if not isinstance(inside, dict):
        return ""
    return json_values.kind_of(inside, _KNOWN) or next(iter(json_values.kinds(inside)), "")


def _content(doc: dict[str, Json]) -> str:
    """What a report says, or the emoji of a reaction (Misskey has a name of its own for that)."""
    return json_values.text(doc.get("content"), CONTENT_LIMIT) or json_values.name(doc.get("_misskey_reaction"), 100)


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
        doc["published"] = json_values.stamp(published)
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
    return doc if deleted is None else doc | {"deleted": json_values.stamp(deleted)}


def quote_authorization(uri: str, author: str, quoting: str, quoted: str) -> dict[str, Json]:
    """The document that proves that `author` lets `quoting` quote `quoted` (FEP-044f)."""
    doc: dict[str, Json] = {"id": uri, "type": "QuoteAuthorization", "attributedTo": author}
    return in_context(doc | {"interactingObject": quoting, "interactionTarget": quoted})


def grantor(document: dict[str, Json], quoting: str, quoted: str) -> str:
    """Who lets `quoting` quote `quoted`, as the document of an authorization says; empty if it does not say so."""
    told = [json_values.ref(document.get(key)) for key in ("interactingObject", "interactionTarget")]
    known = "QuoteAuthorization" in json_values.kinds(document) and told == [quoting, quoted]
    return json_values.ref(document.get("attributedTo")) if known else ""


def reply_authorization(uri: str, author: str, replying: str, answered: str, kind: str = "Reply") -> dict[str, Json]:
    """The document that proves that `author` lets `replying` answer `answered` (GoToSocial's interaction controls).

    `kind` is Reply or, for a like or boost of it, Like or Announce.
    """
    doc: dict[str, Json] = {"id": uri, "type": f"{kind}Authorization", "attributedTo": author}
    return in_context(doc | {"interactingObject": replying, "interactionTarget": answered})
