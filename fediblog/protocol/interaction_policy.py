"""`interactionPolicy`: who may like, answer, boost and quote a post, as GoToSocial and Mastodon tell it."""

from __future__ import annotations

from fediblog.domain.documents import InteractionPolicy, Json, Rule
from fediblog.protocol import json_values

LIMIT = 50  # ids in one list


def read_policy(value: Json) -> InteractionPolicy | None:
    """The policy of a post, or None if it says nothing. What it leaves out is None within."""
    doc = json_values.fields(value)
    policy = InteractionPolicy(
        like=_rule(doc.get("canLike")),
        reply=_rule(doc.get("canReply")),
        announce=_rule(doc.get("canAnnounce")),
        quote=_rule(doc.get("canQuote")),
    )
    return None if policy == InteractionPolicy() else policy


def _rule(value: Json) -> Rule | None:
    """One of its parts, with the names of GoToSocial before 0.20 as well; an empty one says nothing."""
    doc = json_values.fields(value)
    automatic = json_values.addresses(doc.get("automaticApproval"), doc.get("always"))[:LIMIT]
    manual = json_values.addresses(doc.get("manualApproval"), doc.get("approvalRequired"))[:LIMIT]
    return Rule(automatic=automatic, manual=manual) if automatic or manual else None
