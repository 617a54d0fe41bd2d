"""What the parsers of apps that are in use cannot do without, in the schemas that every answer is held against."""

from __future__ import annotations

import pytest

from fediblog.mastodon.schemas import definitions

NEEDED = {
    "Tusky": {
        "Account": "id username acct note url avatar header created_at locked fields emojis",
        "CredentialAccount": "source role",
        "Relationship": "id following followed_by blocking muting muting_notifications requested showing_reblogs"
        " domain_blocking note notifying",
        "FamiliarFollowers": "id accounts",
        "Tag": "name url",
    },
    "Ice Cubes": {
        "Account": "id username display_name avatar header acct note created_at followers_count following_count"
        " statuses_count fields locked emojis bot",
        "Relationship": "id following showing_reblogs followed_by blocking blocked_by muting muting_notifications"
        " requested domain_blocking endorsed note notifying",
        "Tag": "name url history",
        "FeaturedTag": "id name url statuses_count",
        "FamiliarFollowers": "id accounts",
    },
    "Elk": {
        "Account": "id username acct display_name url note avatar avatar_static header header_static locked fields"
        " emojis bot created_at statuses_count followers_count following_count last_status_at",
        "CredentialAccount": "source",
        "Relationship": "id following requested followed_by blocking blocked_by muting domain_blocking note notifying",
    },
    "Phanpy": {
        "Account": "id acct username display_name url note avatar avatar_static header fields emojis bot group"
        " created_at followers_count following_count statuses_count last_status_at locked",
        "Relationship": "id following followed_by blocking blocked_by muting muting_notifications requested"
        " showing_reblogs notifying endorsed note",
        "FamiliarFollowers": "id accounts",
        "FeaturedTag": "id name url statuses_count last_status_at",
    },
}


def required(name: str) -> set[str]:
    """What a schema requires, with that of the one it adds to."""
    schema = definitions()[name]
    parts = [schema, *schema.get("allOf", ())]
    return {field for part in parts for field in part.get("required", ())}


@pytest.mark.parametrize("app", NEEDED)
def test_what_apps_need_is_required(app: str) -> None:
    for name, fields in NEEDED[app].items():
        assert set(fields.split()) <= required(name), name
