"""Media types: who gets ActivityPub, and what counts as ActivityPub."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.protocol.negotiate import ACTIVITY_TYPE, LD_JSON_TYPE, is_activity_type, wants_activity

PROFILE = 'application/ld+json; profile="https://www.w3.org/ns/activitystreams"'


@given(st.text())
def test_no_text_raises(text: str) -> None:
    wants_activity(text)
    is_activity_type(text)


@pytest.mark.parametrize(
    ("accept", "wants"),
    [
        ("application/activity+json", True),
        ("application/activity+json, application/ld+json", True),  # Mastodon: keys and actors
        (f"{PROFILE}, application/activity+json, text/html;q=0.1", True),  # Mastodon: search
        (f"{PROFILE},application/activity+json", True),  # GoToSocial
        (PROFILE, True),
        ("application/ld+json", True),
        ("APPLICATION/Activity+JSON; charset=utf-8", True),
        ('application/ld+json; profile="https://www.w3.org/ns/json-ld#x https://www.w3.org/ns/activitystreams"', True),
        ("text/html;q=0.5, application/activity+json;q=0.8", True),
        ("text/html, application/activity+json", True),
        ("*/*, application/activity+json;q=0.1", True),
        ("text/html;q=0.9, application/activity+json;q=0.8", False),
        ("text/html, application/activity+json;q=0.9", False),
        ("application/xhtml+xml, application/activity+json;q=0.9", False),
        ("text/html,application/xhtml+xml,application/xml;q=0.9,*/*;q=0.8", False),
        ("application/activity+json;q=0", False),
        ("application/json", False),
        ('application/ld+json; profile="https://example.org/other"', False),
        ("*/*", False),
        ("application/*", False),
        ("", False),
        (",;,=", False),
        ('"application/activity+json', False),
    ],
)
def test_wants_activity(accept: str, wants: bool) -> None:
    assert wants_activity(accept) is wants


@pytest.mark.parametrize(
    ("content_type", "ok"),
    [
        ("application/activity+json", True),
        ("application/activity+json; charset=utf-8", True),
        ("Application/Activity+Json;charset=UTF-8", True),
        (PROFILE, True),
        (PROFILE.replace('"', ""), True),
        (f"{PROFILE}; charset=utf-8", True),
        ('application/ld+json;charset=utf-8;profile="https://www.w3.org/ns/activitystreams"', True),
        (ACTIVITY_TYPE, True),
        (LD_JSON_TYPE, True),
        ("application/ld+json", False),
        ('application/ld+json; profile="https://www.w3.org/ns/activitystreams.evil"', False),
        ('application/ld+json; profile="https://www.w3.org/ns/json-ld#compacted"', False),
        ('application/ld+json; x="; profile=https://www.w3.org/ns/activitystreams"', False),
        ("application/json", False),
        ("text/html; application/activity+json", False),
        ("text/plain, application/activity+json", False),
        ("application/activity+jsonx", False),
        ("application/octet-stream", False),
        ("", False),
    ],
)
def test_is_activity_type(content_type: str, ok: bool) -> None:
    assert is_activity_type(content_type) is ok


def test_no_header_takes_long() -> None:
    before = time.process_time()
    wants_activity('a"' * 500_000)
    is_activity_type(';"' * 500_000)
    assert time.process_time() - before < 2
