"""Instance in both versions, and what belongs to it: limits, announcements, emoji, blocked servers."""

from __future__ import annotations

import hashlib
from collections.abc import Mapping

from msgspec import Struct

from fediblog import __version__
from fediblog.actions import account_actions, drafts, post_actions
from fediblog.domain.urls import Urls
from fediblog.markup.text import MARKDOWN, PLAIN
from fediblog.mastodon.entities.base import Json, maybe_moment, moment
from fediblog.mastodon.entity_context import EntityContext
from fediblog.media.decoder import PIXELS
from fediblog.media.formats import SUFFIXES
from fediblog.media.pictures import UPLOAD_LIMIT
from fediblog.messages import text
from fediblog.store.people.host_rules import HostRule
from fediblog.store.people.server_statistics import Week
from fediblog.store.posts.custom_emoji import OwnEmoji
from fediblog.store.readers.announcements import Announcement

VERSION = f"4.5.0 (compatible; fediblog {__version__})"
"""Apps take it apart: three numbers of one digit, and what they stand for is what those of Mastodon do."""

API_VERSIONS = {"mastodon": 7, "fediblog": 1}
THUMBNAIL = "/static/thumbnail.png"
ICON = "/static/avatar.png"
ICON_SIZE = "400x400"
_PER_URL = 23  # characters that apps count for an address, however long it is
_MOST = {"max_featured_tags": 10, "max_pinned_statuses": post_actions.MOST_PINNED}
_POLL = {
    "max_options": 20,
    "max_characters_per_option": drafts.ANSWER_LIMIT,
    "min_expiration": 300,
    "max_expiration": 366 * 86_400,
}
_OPEN = {"local": "public", "remote": "public"}


class InstanceFacts(Struct, frozen=True, kw_only=True):
    """What only the site and its database know about the server: totals, its owner, its keys."""

    usage: Mapping[str, int]
    peers: int
    email: str
    owner: Json | None
    vapid: str
    source: str
    language: str
    pages: Mapping[str, str]  # addresses of pages of the owner, by their role


def version_one(context: EntityContext, facts: InstanceFacts) -> Json:
    """The Instance of old, which some apps still read."""
    limits = configuration(context.urls, facts)
    kept = ("accounts", "statuses", "media_attachments", "polls")
    return {
        "uri": context.urls.handle_domain,
        "title": context.title,
        "short_description": text(facts.language, "api.description", title=context.title),
        "description": text(facts.language, "api.description", title=context.title),
        "email": facts.email,
        "version": VERSION,
        "urls": {"streaming_api": streaming(context.urls)},
        "stats": {
            "user_count": facts.usage["people"],
            "status_count": facts.usage["posts"] + facts.usage["comments"],
            "domain_count": facts.peers,
        },
        "thumbnail": context.urls.origin + THUMBNAIL,
        "languages": [facts.language],
        "registrations": False,
        "approval_required": False,
        "invites_enabled": False,
        "configuration": {name: limits[name] for name in kept},
        "contact_account": facts.owner,
        "rules": [],
    }


def version_two(context: EntityContext, facts: InstanceFacts) -> Json:
    """The Instance of today."""
    picture = context.urls.origin + THUMBNAIL
    return {
        "domain": context.urls.handle_domain,
        "title": context.title,
        "version": VERSION,
        "source_url": facts.source,
        "description": text(facts.language, "api.description", title=context.title),
        "usage": {"users": {"active_month": facts.usage["month"]}},
        "thumbnail": {"url": picture, "blurhash": None, "versions": {"@1x": picture}},
        "icon": [{"src": context.urls.origin + ICON, "size": ICON_SIZE}],
        "languages": [facts.language],
        "configuration": configuration(context.urls, facts),
        "registrations": {
            "enabled": False,
            "approval_required": False,
            "reason_required": False,
            "message": text(facts.language, "api.registrations"),
            "min_age": None,
            "url": None,
        },
        "api_versions": dict(API_VERSIONS),
        "contact": {"email": facts.email, "account": facts.owner},
        "rules": [],
    }


def configuration(urls: Urls, facts: InstanceFacts) -> Json:
    """The limits that apps ask for: lengths of texts, sizes of pictures, numbers of files and answers."""
    return {
        "urls": {
            "streaming": streaming(urls),
            "status": None,
            "about": urls.origin,
            "privacy_policy": facts.pages.get("privacy"),
            "terms_of_service": facts.pages.get("terms"),
        },
        "vapid": {"public_key": facts.vapid},
        "accounts": {
            **_MOST,
            "max_profile_fields": account_actions.FIELDS_LIMIT,
            "profile_field_name_limit": 200,
            "profile_field_value_limit": 1000,
            "max_note_length": account_actions.BIO_LIMIT,
            "max_display_name_length": 200,
            "max_avatar_description_length": drafts.ALT_LIMIT,
            "max_header_description_length": drafts.ALT_LIMIT,
        },
        "statuses": {
            "max_characters": drafts.NOTE_LIMIT,
            "max_media_attachments": drafts.FILES_LIMIT,
            "characters_reserved_per_url": _PER_URL,
            "supported_mime_types": [PLAIN, MARKDOWN],
        },
        "media_attachments": {
            "description_limit": drafts.ALT_LIMIT,
            "image_matrix_limit": PIXELS,
            "image_size_limit": UPLOAD_LIMIT,
            "supported_mime_types": list(SUFFIXES),
            "video_frame_rate_limit": 0,
            "video_matrix_limit": 0,
            "video_size_limit": 0,
        },
        "polls": dict(_POLL),
        "translation": {"enabled": False},
        "timelines_access": {
            "live_feeds": dict(_OPEN),
            "hashtag_feeds": dict(_OPEN),
            "trending_link_feeds": dict(_OPEN),
        },
        "limited_federation": False,
        "fediblog": {
            "article_max_characters": drafts.ARTICLE_LIMIT,
            "title_max_characters": drafts.TITLE_LIMIT,
            "summary_max_characters": drafts.SUMMARY_LIMIT,
        },
    }


def streaming(urls: Urls) -> str:
    """Where streams are heard: the origin, for WebSockets."""
    return f"ws{urls.origin.removeprefix('http')}"


def announcement(found: Announcement) -> Json:
    """Announcement, as one account sees it."""
    return {
        "id": str(found.id),
        "content": found.content,
        "starts_at": maybe_moment(found.starts),
        "ends_at": maybe_moment(found.ends),
        "all_day": False,
        "published_at": moment(found.created),
        "updated_at": moment(found.updated),
        "read": found.read,
        "mentions": [],
        "statuses": [],
        "tags": [],
        "emojis": [],
        "reactions": [],
    }


def emoji(urls: Urls, found: OwnEmoji) -> Json:
    """CustomEmoji of this server, to be chosen."""
    return {
        "shortcode": found.name,
        "url": urls.media(found.file),
        "static_url": urls.media(found.still),
        "visible_in_picker": True,
        **({"category": found.category} if found.category else {}),
    }


def blocked_host(rule: HostRule) -> Json:
    """DomainBlock. Why it is blocked is for the owner alone."""
    digest = hashlib.sha256(rule.host.encode()).hexdigest()
    return {"domain": rule.host, "digest": digest, "severity": rule.severity.value, "comment": ""}


def week(found: Week) -> Json:
    """One week of Activity, in texts as Mastodon tells them."""
    return {
        "week": str(found.begins // 1000),
        "statuses": str(found.posts),
        "logins": str(found.authors),
        "registrations": str(found.accounts),
    }
