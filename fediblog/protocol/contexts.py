"""The one `@context` of everything we send, and the refusal of JSON-LD tricks in what we get."""

from __future__ import annotations

from fediblog.domain.documents import Json
from fediblog.errors import Refused

# Strict parsers (JSON-LD compaction) drop every term that is not declared here. Terms are spelled out where the
# context that defines them might have to be fetched by the reader.
CONTEXT: list[Json] = [
    "https://www.w3.org/ns/activitystreams",
    "https://w3id.org/security/v1",
    "https://w3id.org/security/data-integrity/v1",
    "https://w3id.org/security/multikey/v1",
    {
        "xsd": "http://www.w3.org/2001/XMLSchema#",
        # Mastodon: actors
        "toot": "http://joinmastodon.org/ns#",
        "manuallyApprovesFollowers": "as:manuallyApprovesFollowers",
        "discoverable": "toot:discoverable",
        "indexable": "toot:indexable",
        "memorial": "toot:memorial",
        "suspended": "toot:suspended",
        "featured": {"@id": "toot:featured", "@type": "@id"},
        "featuredTags": {"@id": "toot:featuredTags", "@type": "@id"},
        "alsoKnownAs": {"@id": "as:alsoKnownAs", "@type": "@id"},
        "movedTo": {"@id": "as:movedTo", "@type": "@id"},
        "attributionDomains": {"@id": "toot:attributionDomains", "@type": "@id"},
        "schema": "http://schema.org#",
        "PropertyValue": "schema:PropertyValue",
        "value": "schema:value",
        # FEP-2c59 and FEP-521a
        "webfinger": {"@id": "https://purl.archive.org/socialweb/webfinger#webfinger", "@type": "xsd:string"},
        "assertionMethod": {"@id": "https://w3id.org/security#assertionMethod", "@type": "@id", "@container": "@set"},
        # Mastodon: posts
        "sensitive": "as:sensitive",
        "Hashtag": "as:Hashtag",
        "Emoji": "toot:Emoji",
        "focalPoint": {"@container": "@list", "@id": "toot:focalPoint"},
        "blurhash": "toot:blurhash",
        "votersCount": "toot:votersCount",
        "ostatus": "http://ostatus.org#",
        "conversation": "ostatus:conversation",
        # FEP-b2b8: the content warning of an Article
        "dcterms": "http://purl.org/dc/terms/",
        # FEP-044f: quotes, and who may quote
        "quote": {"@id": "https://w3id.org/fep/044f#quote", "@type": "@id"},
        "quoteUri": "http://fedibird.com/ns#quoteUri",
        "_misskey_quote": "https://misskey-hub.net/ns#_misskey_quote",
        "quoteAuthorization": {"@id": "https://w3id.org/fep/044f#quoteAuthorization", "@type": "@id"},
        "QuoteRequest": "https://w3id.org/fep/044f#QuoteRequest",
        "QuoteAuthorization": "https://w3id.org/fep/044f#QuoteAuthorization",
        "gts": "https://gotosocial.org/ns#",
        "interactingObject": {"@id": "gts:interactingObject", "@type": "@id"},
        "interactionTarget": {"@id": "gts:interactionTarget", "@type": "@id"},
        "interactionPolicy": {"@id": "gts:interactionPolicy", "@type": "@id"},
        "canQuote": {"@id": "gts:canQuote", "@type": "@id"},
        "canReply": {"@id": "gts:canReply", "@type": "@id"},
        "approvedBy": {"@id": "gts:approvedBy", "@type": "@id"},
        "replyAuthorization": {"@id": "gts:replyAuthorization", "@type": "@id"},
        "ReplyAuthorization": "gts:ReplyAuthorization",
        "LikeAuthorization": "gts:LikeAuthorization",
        "AnnounceAuthorization": "gts:AnnounceAuthorization",
        "ReplyRequest": "gts:ReplyRequest",
        "LikeRequest": "gts:LikeRequest",
        "AnnounceRequest": "gts:AnnounceRequest",
        "automaticApproval": {"@id": "gts:automaticApproval", "@type": "@id"},
        "manualApproval": {"@id": "gts:manualApproval", "@type": "@id"},
        # FEP-c0e0
        "litepub": "http://litepub.social/ns#",
        "EmojiReact": "litepub:EmojiReact",
        "_misskey_reaction": "https://misskey-hub.net/ns#_misskey_reaction",
    },
]

_TRICKS = frozenset({"@graph", "@included", "@reverse"})


def refuse_tricks(document: Json) -> None:
    """Refuse keywords by which a JSON-LD processor sees another document than a plain reader does."""
    waiting = [document]
    for value in waiting:  # which grows meanwhile
        if type(value) is str:
            continue  # as most are
        if isinstance(value, dict):
            if not _TRICKS.isdisjoint(value):
                raise Refused("jsonld-trick")
            waiting.extend(value.values())
        elif isinstance(value, list):
            waiting.extend(value)


def in_context(document: dict[str, Json]) -> dict[str, Json]:
    """The document with our `@context`, in front and at the top alone."""
    return {"@context": CONTEXT, **without_context(document)}


def without_context(document: dict[str, Json]) -> dict[str, Json]:
    """The document as it is embedded in another one."""
    return {key: value for key, value in document.items() if key != "@context"}
