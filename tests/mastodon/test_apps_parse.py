"""What the parsers of apps need, written down from their sources, held against answers with every kind of content."""

from __future__ import annotations

import io
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from PIL import Image

from fediblog.actions import reacting
from fediblog.domain.documents import ProfileField, Visibility
from fediblog.store.tx import Tx
from tests.mastodon.server import Api, Server
from tests.store import makers

Json = dict[str, Any]
# s: text, u: address that URL() of Swift and browsers takes, i: whole number, b: boolean, d: a time with a zone,
# n: an id of ours, as digits; ? may be null or missing, ~ may be null, [] a list; other words are shapes of that app.
_PLAIN: dict[str, Json] = {
    "s": {"type": "string"},
    "u": {"type": "string", "pattern": r"^https?://[^\s]+$"},
    "i": {"type": "integer"},
    "b": {"type": "boolean"},
    "d": {"type": "string", "pattern": r"^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(\.\d{3})?Z$"},
    "n": {"type": "string", "pattern": r"^\d+$"},
    "{}": {"type": "object"},
}
_EMOJI = "shortcode:s url:u static_url:u visible_in_picker:b"
_FIELD = "name:s value:s verified_at:d?"
_POLL = "id:n expires_at:d? expired:b multiple:b votes_count:i voters_count:i? options:Option[] emojis:Emoji[]"
_MENTION = "id:n username:s acct:s url:u"
_FILTER = "id:n title:s context:s[] expires_at:d? filter_action:s keywords:Keyword[]"
_SHARED = {
    "Emoji": _EMOJI,
    "Field": _FIELD,
    "Option": "title:s votes_count:i?",
    "Poll": _POLL,
    "Mention": _MENTION,
    "Tag": "name:s url:u",
    "Keyword": "id:n keyword:s whole_word:b",
    "Filter": _FILTER,
    "Bare": "id:n title:s context:s[] expires_at:d? filter_action:s",  # without keywords, in Mastodon too
    "Result": "filter:Bare keyword_matches:s[]? status_matches:s[]?",
    "List": "id:n title:s replies_policy:s? exclusive:b?",
    "Marker": "last_read_id:s version:i updated_at:d",
    "Conversation": "id:n accounts:Account[] last_status:Status? unread:b",
}
APPS: dict[str, dict[str, str]] = {
    "Tusky": {
        **_SHARED,
        "Account": "id:n username:s acct:s display_name:s? created_at:d note:s url:u avatar:u header:u locked:b bot:b"
        " followers_count:i following_count:i statuses_count:i fields:Field[] emojis:Emoji[]",
        "Source": "privacy:s? sensitive:b? note:s? fields:Field[] language:s?",
        "CredentialAccount": "id:n username:s acct:s note:s url:u avatar:u header:u source:Source",
        "Attachment": "id:n url:u preview_url:u? type:s description:s? blurhash:s? meta:{}?",
        "App": "name:s website:u?",
        "Status": "id:n url:u? account:Account in_reply_to_id:n? in_reply_to_account_id:n? reblog:Status? content:s"
        " created_at:d edited_at:d? emojis:Emoji[] reblogs_count:i favourites_count:i replies_count:i reblogged:b"
        " favourited:b bookmarked:b sensitive:b spoiler_text:s visibility:s media_attachments:Attachment[]"
        " mentions:Mention[] tags:Tag[] application:App? pinned:b? muted:b? poll:Poll? card:{}? language:s?"
        " filtered:Result[]?",
        "Notification": "type:s id:n account:Account status:Status?",
        "Relationship": "id:n following:b followed_by:b blocking:b muting:b muting_notifications:b requested:b"
        " showing_reblogs:b domain_blocking:b note:s notifying:b",
        "Accounts": "max_featured_tags:i",
        "Statuses": "max_characters:i max_media_attachments:i characters_reserved_per_url:i",
        "Media": "supported_mime_types:s[] image_size_limit:i image_matrix_limit:i video_size_limit:i",
        "Polls": "max_options:i max_characters_per_option:i min_expiration:i max_expiration:i",
        "Vapid": "public_key:s",
        "Urls": "streaming:s",
        "Translation": "enabled:b",
        "Configuration": "urls:Urls accounts:Accounts statuses:Statuses media_attachments:Media polls:Polls vapid:Vapid"
        " translation:Translation",
        "Rule": "id:s text:s",
        "Instance": "domain:s version:s configuration:Configuration rules:Rule[]",
    },
    "Ice Cubes": {
        **_SHARED,
        "Account": "id:n username:s display_name:s? acct:s avatar:u header:u note:s created_at:d followers_count:i"
        " following_count:i statuses_count:i last_status_at:s? fields:Field[] locked:b emojis:Emoji[] url:u? bot:b",
        "Source": "privacy:s sensitive:b language:s? note:s fields:Field[]",
        "CredentialAccount": "id:n username:s avatar:u header:u source:Source locked:b bot:b",
        "Attachment": "id:n type:s url:u? preview_url:u? description:s? meta:{}?",
        "App": "name:s website:u?",
        "Tag": "name:s url:u",
        "Status": "id:n content:s account:Account created_at:d edited_at:d? reblog:Status?"
        " media_attachments:Attachment[] mentions:Mention[]"
        " replies_count:i reblogs_count:i favourites_count:i card:{}? favourited:b? reblogged:b?"
        " pinned:b? bookmarked:b? emojis:Emoji[] url:s? application:App? in_reply_to_id:n? in_reply_to_account_id:n?"
        " visibility:Visibility poll:Poll? spoiler_text:s filtered:Result[]? sensitive:b language:s? tags:Tag[]",
        "Visibility": "public|unlisted|private|direct",
        "Notification": "id:n type:s created_at:d account:Account status:Status?",
        "Relationship": "id:n following:b showing_reblogs:b followed_by:b blocking:b blocked_by:b muting:b"
        " muting_notifications:b requested:b domain_blocking:b endorsed:b note:s notifying:b",
        "Thumbnail": "url:u",
        "Registrations": "enabled:b",
        "Contact": "email:s account:Account?",
        "Statuses": "max_characters:i max_media_attachments:i",
        "Polls": "max_options:i max_characters_per_option:i min_expiration:i max_expiration:i",
        "Urls": "streaming:s",
        "Configuration": "statuses:Statuses polls:Polls urls:Urls",
        "Versions": "mastodon:i",
        "Rule": "id:s text:s",
        "Instance": "title:s domain:s version:s thumbnail:Thumbnail languages:s[] registrations:Registrations"
        " contact:Contact rules:Rule[] configuration:Configuration api_versions:Versions",
    },
    "Elk": {
        **_SHARED,
        "Account": "id:n username:s acct:s display_name:s url:u uri:u note:s avatar:u avatar_static:u header:u"
        " header_static:u locked:b fields:Field[] emojis:Emoji[] bot:b group:b discoverable:b? created_at:d"
        " statuses_count:i followers_count:i following_count:i last_status_at:s?",
        "Source": "privacy:s sensitive:b language:s? note:s fields:Field[] follow_requests_count:i",
        "Role": "id:s name:s color:s permissions:s highlighted:b",
        "CredentialAccount": "id:n acct:s source:Source role:Role",
        "Attachment": "id:n type:s url:u preview_url:u? remote_url:u? meta:{}? description:s? blurhash:s?",
        "App": "name:s website:u?",
        "Status": "id:n uri:u url:u? created_at:d account:Account content:s visibility:s sensitive:b spoiler_text:s"
        " media_attachments:Attachment[] application:App? mentions:Mention[] tags:Tag[] emojis:Emoji[] reblogs_count:i"
        " favourites_count:i replies_count:i reblog:Status~ poll:Poll~ card:{}~ language:s~ edited_at:d~"
        " in_reply_to_id:n~ in_reply_to_account_id:n~ filtered:Result[]?",
        "Notification": "id:n type:s created_at:d account:Account status:Status? group_key:s",
        "Relationship": "id:n following:b requested:b followed_by:b blocking:b blocked_by:b muting:b domain_blocking:b"
        " note:s notifying:b showing_reblogs:b endorsed:b languages:s[]~",
        "Urls": "streaming:s",
        "Vapid": "public_key:s",
        "Statuses": "max_characters:i max_media_attachments:i characters_reserved_per_url:i",
        "Configuration": "urls:Urls vapid:Vapid statuses:Statuses media_attachments:{} polls:{} translation:{}",
        "Versions": "@2x:u?",
        "Thumbnail": "url:u blurhash:s? versions:{}?",
        "Instance": "domain:s title:s version:s source_url:s description:s thumbnail:Thumbnail languages:s[]"
        " configuration:Configuration usage:{} registrations:{} contact:{} rules:{}[]",
    },
    "Phanpy": {
        **_SHARED,
        "Account": "id:n acct:s username:s display_name:s url:u note:s avatar:u avatar_static:u header:u fields:Field[]"
        " emojis:Emoji[] bot:b group:b created_at:d followers_count:i following_count:i statuses_count:i"
        " last_status_at:s? locked:b",
        "Source": "privacy:s language:s? note:s fields:Field[]",
        "CredentialAccount": "id:n acct:s url:u source:Source",
        "Attachment": "id:n type:s url:u? preview_url:u? remote_url:u? description:s? blurhash:s? meta:{}?",
        "App": "name:s website:u?",
        "Status": "id:n uri:u url:u? account:Account content:s created_at:d edited_at:d? visibility:s spoiler_text:s"
        " sensitive:b reblog:Status? media_attachments:Attachment[] mentions:Mention[] tags:Tag[] emojis:Emoji[]"
        " favourites_count:i reblogs_count:i replies_count:i poll:Poll? card:{}? language:s? in_reply_to_id:n?"
        " in_reply_to_account_id:n? filtered:Result[]?",
        "Notification": "id:n type:s created_at:d account:Account status:Status?",
        "Relationship": "id:n following:b followed_by:b blocking:b blocked_by:b muting:b muting_notifications:b"
        " requested:b showing_reblogs:b notifying:b endorsed:b note:s domain_blocking:b",
        "Configuration": "statuses:{} media_attachments:{} polls:{} urls:{}",
        "Instance": "domain:s title:s version:s configuration:Configuration registrations:{} thumbnail:{}",
    },
}


def _shape(text: str) -> Json:
    if "|" in text:
        return {"enum": text.split("|")}
    found: Json = {"type": "object", "required": [], "properties": {}}
    for part in text.split():
        name, _, kind = part.rpartition(":")
        if not kind.endswith("?"):
            found["required"].append(name)
        found["properties"][name] = _kind(kind)
    return found


def _kind(kind: str) -> Json:
    if kind.endswith(("?", "~")):
        return {"anyOf": [{"type": "null"}, _kind(kind[:-1])]}
    if kind.endswith("[]"):
        return {"type": "array", "items": _kind(kind[:-2])}
    return _PLAIN.get(kind, {"$ref": f"#/$defs/{kind}"})


def _parse(app: str, entity: str, answer: Any) -> None:
    shapes = {name: _shape(text) for name, text in APPS[app].items()}
    many = isinstance(answer, list)
    assert answer, f"{app}: there is no {entity} to look at"
    schema = {"$defs": shapes, **_kind(f"{entity}[]" if many else entity)}
    for error in Draft202012Validator(schema).iter_errors(answer):
        raise AssertionError(f"{app} cannot read {entity}: {error.json_path}: {error.message[:200]}")


def _far_away(tx: Tx) -> list[int]:
    """Somebody with odd data, and what they wrote."""
    odd = makers.remote(tx, "odd.one-2", name="", kind="Service", summary="", url="")
    plain = makers.remote(tx, "plain", fields=(ProfileField(name="A", value="b"), ProfileField(name="", value="")))
    return [
        makers.post(tx, odd, content=""),
        makers.post(tx, odd, content="<p>x</p>", url="", summary="CW"),
        makers.post(tx, plain, content="<p>y</p>", language="xx"),
    ]


async def _inhabit(server: Server) -> tuple[Api, Api]:
    alice, bob = await server.api("alice"), await server.api("bob")
    image = io.BytesIO()
    Image.new("RGB", (20, 10), "teal").save(image, "PNG")
    files = {"file": ("a.png", image.getvalue(), "image/png")}
    media = await alice.post("/api/v2/media", files=files, data={"description": "Teal"})
    await alice.post(f"/api/v1/accounts/{server.people['bob'].id}/follow", {})
    await bob.post(f"/api/v1/accounts/{server.people['alice'].id}/follow", {})
    first = await alice.post("/api/v1/statuses", {"status": "@bob a picture #teal", "media_ids": [media["id"]]})
    bodies: list[Json] = [
        {"status": "# An article\n\nIts *text*", "content_type": "text/markdown"},
        {"status": "What?", "poll": {"options": ["tea", "coffee"], "expires_in": 3600}},
        {"status": "Hidden", "spoiler_text": "A warning", "sensitive": True, "language": "de"},
        {"status": "An answer @bob", "in_reply_to_id": first["id"]},
        {"status": "Between us @bob", "visibility": "direct"},
        {"status": "Look there", "quoted_status_id": first["id"]},
    ]
    for body in bodies:
        await alice.post("/api/v1/statuses", body)
    for name in ("reblog", "favourite"):
        await bob.post(f"/api/v1/statuses/{first['id']}/{name}", {})
    keywords = [{"keyword": "picture", "whole_word": True}]
    wanted = {"title": "Pictures", "context": ["home", "public", "account"], "keywords_attributes": keywords}
    await bob.post("/api/v2/filters", {**wanted, "filter_action": "warn"})
    await bob.post("/api/v1/lists", {"title": "Choir"})
    for number in await server.write(_far_away):
        await server.write(reacting.boost, server.site.urls, server.people["alice"].id, number, Visibility.PUBLIC)
    return alice, bob


async def test_every_app_reads_every_answer(server: Server) -> None:
    alice, bob = await _inhabit(server)
    told = await alice.get("/api/v1/notifications")
    marked = await bob.post("/api/v1/markers", {"home": {"last_read_id": told[0]["id"]}})
    home = await bob.get("/api/v1/timelines/home", limit=40)
    assert {"Article", "Question", "Note"} <= {each["fediblog"]["type"] for each in home if each.get("fediblog")}
    assert any(each["reblog"] for each in home)
    assert any(each["filtered"] for each in home)
    answers = {
        "Instance": await bob.get("/api/v2/instance"),
        "CredentialAccount": await bob.get("/api/v1/accounts/verify_credentials"),
        "Account": [
            *(await bob.get(f"/api/v1/accounts/{server.people['alice'].id}/followers")),
            *(each["reblog"]["account"] for each in home if each["reblog"]),
        ],
        "Status": home + await bob.get(f"/api/v1/accounts/{server.people['alice'].id}/statuses", limit=40),
        "Notification": told + await bob.get("/api/v1/notifications"),
        "Relationship": await bob.get("/api/v1/accounts/relationships", **{"id[]": [server.people["alice"].id]}),
        "List": await bob.get("/api/v1/lists"),
        "Filter": await bob.get("/api/v2/filters"),
        "Marker": marked["home"],
        "Poll": [each["poll"] for each in home if each["poll"]],
        "Conversation": await bob.get("/api/v1/conversations"),
        "Attachment": [file for each in home for file in each["media_attachments"]],
    }
    for app in APPS:
        for entity, answer in answers.items():
            _parse(app, entity, answer)


def test_what_lacks_something_is_noticed() -> None:
    with pytest.raises(AssertionError, match=r"Tusky cannot read List: .*'title' is a required property"):
        _parse("Tusky", "List", {"id": "1"})
    with pytest.raises(AssertionError, match="Ice Cubes cannot read Visibility"):
        _parse("Ice Cubes", "Visibility", "mutual")
