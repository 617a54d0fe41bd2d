"""Mastodon.py against our server: everything it can do, over real HTTP, and every answer held against its types.

# long because: one client with more than two hundred methods, of which none may be forgotten
"""

from __future__ import annotations

import io
import threading
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from mastodon import Mastodon, MastodonAPIError, MastodonNotFoundError, MastodonUnauthorizedError, StreamListener
from mastodon.errors import MastodonIllegalArgumentError, MastodonVersionError
from PIL import Image

from fediblog.cli import main
from tests.peers.api_server import OOB, ApiServer, serving
from tests.peers.mastodon_py import Strict, called_in, log_in, public_methods, wrong

PATIENCE = 20.0  # seconds; only a mistake waits so long
_NOT_THERE = "we have no such thing: 404"
_OF_46 = "of Mastodon 4.6, which we do not say we are"
_GONE = "no longer in Mastodon: Mastodon.py itself refuses"
EXCLUDED: dict[str, str] = {
    **dict.fromkeys(
        (
            *("admin_approve_trending_link", "admin_approve_trending_status", "admin_approve_trending_tag"),
            *("admin_reject_trending_link", "admin_reject_trending_status", "admin_reject_trending_tag"),
            *("admin_canonical_email_block", "admin_canonical_email_blocks", "admin_create_canonical_email_block"),
            *("admin_delete_canonical_email_block", "admin_test_canonical_email_block"),
            *("admin_create_email_domain_block", "admin_delete_email_domain_block", "admin_email_domain_block"),
            *("admin_email_domain_blocks", "admin_create_ip_block", "admin_delete_ip_block", "admin_ip_block"),
            *("admin_ip_blocks", "admin_update_ip_block", "admin_dimensions", "admin_measures", "admin_retention"),
            *("admin_trending_links", "admin_trending_statuses", "admin_trending_tags"),
            *("announcement_reaction_create", "announcement_reaction_delete", "annual_report", "annual_reports"),
            *("annual_report_read", "create_account", "email_resend_confirmation", "instance_languages"),
            *("instance_terms_of_service", "search_v1", "status_translate"),
        ),
        _NOT_THERE,
    ),
    **dict.fromkeys(
        (
            *("account_collections", "account_in_collections", "annual_report_generate", "annual_report_state"),
            *("collection", "collection_create", "collection_delete", "collection_item_add", "collection_item_delete"),
            *("collection_item_revoke", "collection_update", "profile", "profile_update"),
        ),
        _OF_46,
    ),
    "follows": "no longer in Mastodon: 404",
    "reports": _GONE,
    "oauth_userinfo": "Mastodon.py asks for it by https only; tests/mastodon/oauth/test_oauth_api.py has it",
    "push_subscription_decrypt_push": "needs the package http_ece; our own tests of push read pushes back",
    "generate_media_edit_attributes": "what it makes Mastodon.py itself cannot send: it adds two sets",
    "get_status_length": "needs the package grapheme, and asks no server",
    "stream_open_websocket": "needs the package websocket-client; masto.js has the WebSocket",
    "await_async_refresh": "nothing is refreshed later here",
    "get_async_refresh_info": "nothing is refreshed later here",
    "get_async_refresh_status": "nothing is refreshed later here",
    "stream_healthy": "asks Mastodon's own streaming process",
}


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("mastodon_py")


@pytest.fixture(scope="module")
def server(folder: Path) -> Iterator[ApiServer]:
    with serving(folder) as running:
        yield running


@pytest.fixture(scope="module")
def alice(server: ApiServer) -> Strict:
    """Who owns the server."""
    return log_in(server, "alice")


@pytest.fixture(scope="module")
def bob(server: ApiServer) -> Strict:
    return log_in(server, "bob")


@pytest.fixture(scope="module")
def garden(server: ApiServer) -> Strict:
    """Alice's other account."""
    return log_in(server, "garden")


def picture(colour: str = "teal") -> io.BytesIO:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "PNG")
    out.seek(0)
    return out


def ids(things: Any) -> list[Any]:
    return [each.id for each in things]


def test_no_method_is_forgotten() -> None:
    called = called_in(Path(__file__).read_text(), {"alice", "bob", "garden", "nobody", "client", "Mastodon"})
    called |= called_in(Path(log_in.__code__.co_filename).read_text(), {"client", "Mastodon"})
    assert public_methods() - called - EXCLUDED.keys() == set()
    assert EXCLUDED.keys() - public_methods() == set()


def test_what_we_lack_is_said_clearly(alice: Strict) -> None:
    now = datetime.now(UTC)
    numbers: dict[str, tuple[Any, ...]] = {
        "admin_create_canonical_email_block": ("a@b.example",),
        "admin_create_ip_block": ("192.0.2.1", "no_access"),
        "admin_dimensions": (now, now, 1, True),
        "admin_measures": (now, now, True),
        "admin_retention": (now, now),
        "announcement_reaction_create": (1, "x"),
        "announcement_reaction_delete": (1, "x"),
        "create_account": ("carol", "correct horse", "carol@example.org", True),
        "status_translate": (1, "de"),
        **dict.fromkeys(("search_v1", "admin_test_canonical_email_block"), ("x",)),
        "admin_create_email_domain_block": ("x",),
        **dict.fromkeys(("annual_reports", "email_resend_confirmation", "instance_languages"), ()),
        **dict.fromkeys(("instance_terms_of_service", "admin_trending_links", "admin_trending_statuses"), ()),
        **dict.fromkeys(("admin_trending_tags", "admin_canonical_email_blocks"), ()),
        **dict.fromkeys(("admin_email_domain_blocks", "admin_ip_blocks"), ()),
    }
    for name in (name for name, reason in EXCLUDED.items() if reason is _NOT_THERE):
        refusal = MastodonIllegalArgumentError if name == "create_account" else MastodonNotFoundError
        with pytest.raises(refusal):
            getattr(alice, name)(*numbers.get(name, (1,)))
    for name in ("annual_report_generate", "collection", "collection_delete", "account_collections"):
        with pytest.raises(MastodonVersionError):
            getattr(alice, name)(1)


def test_logging_in_and_out(server: ApiServer, alice: Strict, folder: Path) -> None:
    assert alice.app_verify_credentials().name == "Mastodon.py"
    found = alice.oauth_authorization_server_info()
    assert found.authorization_endpoint == f"{server.origin}/oauth/authorize"
    assert "S256" in found.code_challenge_methods_supported
    kept = alice.persistable_login_credentials()
    assert kept.splitlines()[1] == server.origin
    file = folder / "token"
    file.write_text(kept)
    client = Mastodon(access_token=str(file), version_check_mode="created")
    assert client.me().acct == "alice"
    client.clear_caches()  # type: ignore[no-untyped-call]
    assert client.retrieve_mastodon_version(fail_hard=True) == "4.5.0"
    assert client.verify_minimum_version("4.5.0")
    assert client.get_supported_version()
    assert client.mastodon_api_version == 7
    assert abs(alice.get_approx_server_time() - datetime.now()) < timedelta(minutes=1)
    client.set_language("en")
    assert client.ratelimit_reset is None or client.ratelimit_limit > 0

    client_id, secret = Mastodon.create_app(
        "Gone soon", scopes=["read"], redirect_uris=[OOB, "https://app.example/back"], api_base_url=server.origin
    )
    client = Mastodon(client_id, secret, api_base_url=server.origin)
    url = client.auth_request_url(
        redirect_uris="https://app.example/back", scopes=["read"], state="x y", allow_http=True
    )
    code = server.browser("bob").allow(url, "bob")
    client.log_in(code=code, redirect_uri="https://app.example/back", scopes=["read"], allow_http=True)
    assert client.me().acct == "bob"
    with pytest.raises(MastodonIllegalArgumentError):  # a code is good once (RFC 6749 §4.1.2)
        client.log_in(code=code, redirect_uri="https://app.example/back", scopes=["read"], allow_http=True)
    with pytest.raises(MastodonIllegalArgumentError):
        client.log_in("bob", "correct horse battery", scopes=["read"], allow_http=True)


def test_a_token_is_given_back(server: ApiServer) -> None:
    client = log_in(server, "bob").client
    token = client.access_token
    client.revoke_access_token(allow_http=True)
    nobody = Mastodon(access_token=token, api_base_url=server.origin)
    with pytest.raises(MastodonUnauthorizedError):
        nobody.me()


def test_the_server_itself(server: ApiServer, alice: Strict, folder: Path) -> None:
    v2 = alice.instance_v2()
    assert v2.version.startswith("4.5.0 (compatible; fediblog ")
    assert v2.api_versions.mastodon == 7
    assert not v2.registrations.enabled
    assert v2.contact.account.acct == "alice"
    assert v2.configuration.urls.streaming.startswith("ws://127.0.0.1")
    assert "image/png" in v2.configuration.media_attachments.supported_mime_types
    assert alice.instance().domain == v2.domain == alice.instance_v1().uri
    assert alice.instance_v1().stats.user_count >= 2
    assert len(alice.instance_activity()) == 12
    assert alice.instance_peers() == []
    assert alice.instance_rules() == []
    assert alice.instance_health()
    assert alice.instance_nodeinfo().software.name == "fediblog"
    assert alice.instance_nodeinfo().usage.users.total >= 2
    assert isinstance(alice.instance_extended_description().content, str)
    assert alice.instance_translation_languages() == {}
    assert alice.instance_domain_blocks() == []
    assert alice.timeline_is_available("public", fail_hard=True)
    assert alice.preferences()["posting:default:visibility"] == "public"
    image = folder / "cat.png"
    image.write_bytes(picture().getvalue())
    assert main(("emoji", "add", "blobcat", str(image), "--data", str(folder / "data"))) == 0
    assert [each.shortcode for each in alice.custom_emojis()] == ["blobcat"]
    assert main(("announce", "Back in ten minutes", "--data", str(folder / "data"))) == 0
    (told,) = alice.announcements()
    assert "Back in ten minutes" in told.content
    assert not told.read
    alice.announcement_dismiss(told.id)
    assert alice.announcements() == []


def test_accounts_and_profiles(alice: Strict, bob: Strict) -> None:
    me = alice.account_verify_credentials()
    assert me.acct == "alice" == alice.me().acct == alice.account(me.id).acct == alice.account_lookup("alice").acct
    changed = alice.account_update_credentials(
        display_name="Alice A.",
        note="I write :blobcat:",
        avatar=picture("red").read(),
        avatar_mime_type="image/png",
        header=picture("blue").read(),
        header_mime_type="image/png",
        fields=[("Site", "https://example.org"), ("Pronouns", "she")],
        discoverable=True,
        indexable=True,
        locked=False,
        bot=False,
        default_privacy="public",
        default_language="en",
        avatar_description="A red square",
    )
    assert changed.display_name == "Alice A."
    assert "I write" in changed.note
    assert changed.source.note == "I write :blobcat:"
    assert [each.name for each in changed.fields] == ["Site", "Pronouns"]
    assert changed.source.fields[0].value == "https://example.org"
    assert changed.avatar != me.avatar
    assert changed.header != me.header
    assert bob.account(me.id).avatar == changed.avatar
    assert alice.account_delete_avatar().avatar == me.avatar
    assert alice.account_delete_header().header == me.header
    number = bob.me().id
    assert ids(alice.accounts([me.id, number])) == [me.id, number]
    assert ids(alice.account_search("bob")) == [number]
    assert alice.account_familiar_followers(number)[0].accounts == []


def test_relations(alice: Strict, bob: Strict, garden: Strict) -> None:
    a, b = alice.me().id, bob.me().id
    assert alice.account_follow(b, reblogs=False, notify=True).notifying
    (relation,) = alice.account_relationships(b)
    assert (relation.following, relation.showing_reblogs, relation.notifying) == (True, False, True)
    assert ids(alice.account_following(a)) == [b]
    assert ids(alice.account_followers(b)) == [a]
    assert alice.account_note_set(b, "From the choir").note == "From the choir"
    assert alice.account_endorse(b).endorsed
    assert ids(alice.endorsements()) == [b]
    assert not alice.account_unendorse(b).endorsed
    assert alice.account_pin(b).endorsed
    assert not alice.account_unpin(b).endorsed
    assert not bob.account_remove_from_followers(a).followed_by
    assert alice.account_mute(b, notifications=False, duration=600).muting
    assert ids(alice.mutes()) == [b]
    assert not alice.account_unmute(b).muting
    assert alice.account_block(b).blocking
    assert ids(alice.blocks()) == [b]
    assert not alice.account_unblock(b).blocking
    alice.domain_block("awful.example")
    assert alice.domain_blocks() == ["awful.example"]
    alice.domain_unblock("awful.example")
    assert alice.domain_blocks() == []
    bob.account_update_credentials(locked=True)
    assert alice.account_follow(b).requested
    assert garden.account_follow(b).requested
    assert set(ids(bob.follow_requests())) == {a, garden.me().id}
    assert bob.follow_request_authorize(a).followed_by
    assert not bob.follow_request_reject(garden.me().id).followed_by
    assert bob.follow_requests() == []
    bob.account_update_credentials(locked=False)
    assert not alice.account_unfollow(b).following
    bob.account_update_credentials(discoverable=True)
    assert b in ids(each.account for each in garden.suggestions_v2())
    assert b in ids(garden.suggestions_v1())
    assert len(garden.suggestions()) >= 1
    garden.suggestion_delete(b)
    assert b not in ids(garden.suggestions_v1())
    assert b in ids(alice.directory(order="new", local=True))


def test_posting_with_pictures(alice: Strict, bob: Strict) -> None:
    media = alice.media_post(picture(), mime_type="image/png", description="Teal", focus=(0.5, -0.5), synchronous=True)
    assert media.type == "image"
    assert media.meta.original.width == 64
    assert len(alice.decode_blurhash(media)) > 0
    assert alice.media_update(media, description="All teal").description == "All teal"
    assert alice.media(media).description == "All teal"
    post = alice.status_post(
        "Look at this #teal",
        media_ids=[media],
        sensitive=True,
        spoiler_text="colour",
        visibility="public",
        language="en",
        idempotency_key="once",
    )
    assert (post.spoiler_text, post.language, post.sensitive) == ("colour", "en", True)
    assert post.media_attachments[0].description == "All teal"
    assert post.media_attachments[0].meta.focus.x == 0.5
    assert post.tags[0].name == "teal"
    assert alice.status_post("Look at this #teal", idempotency_key="once").id == post.id
    client = Mastodon(access_token=alice.access_token, api_base_url=alice.api_base_url, feature_set="pleroma")
    marked = client.status_post("# On teal\n\n*Long* words", content_type="text/markdown", visibility="unlisted")
    assert (marked["fediblog"]["type"], marked["fediblog"]["title"]) == ("Article", "On teal")
    client.status_delete(marked)
    assert bob.status(post.id).account.acct == "alice"
    assert ids(bob.statuses([post.id])) == [post.id]
    assert alice.status_card(post.id) is None
    assert ids(bob.timeline_local(only_media=True)) == [post.id]
    assert ids(bob.account_statuses(alice.me(), only_media=True, tagged="teal")) == [post.id]


def test_a_thread_and_what_one_does_with_posts(alice: Strict, bob: Strict) -> None:
    first = alice.toot("The first of a thread @bob")
    answer = bob.status_reply(first, "An answer", untag=False)
    assert answer.in_reply_to_id == first.id
    assert answer.mentions[0].acct == "alice"
    context = alice.status_context(first.id)
    assert (ids(context.ancestors), ids(context.descendants)) == ([], [answer.id])
    assert ids(alice.status_context(answer).ancestors) == [first.id]
    assert bob.status_favourite(first).favourited
    assert ids(alice.status_favourited_by(first)) == [bob.me().id]
    assert ids(bob.favourites()) == [first.id]
    assert not bob.status_unfavourite(first).favourited
    boost = bob.status_reblog(first, visibility="unlisted")
    assert boost.reblog.id == first.id
    assert boost.reblog.reblogged
    assert ids(alice.status_reblogged_by(first)) == [bob.me().id]
    assert not bob.status_unreblog(first).reblogged
    assert bob.status_bookmark(first).bookmarked
    assert ids(bob.bookmarks()) == [first.id]
    assert not bob.status_unbookmark(first).bookmarked
    assert alice.status_mute(first).muted
    assert not alice.status_unmute(first).muted
    assert alice.status_pin(first).pinned
    assert ids(bob.account_statuses(alice.me().id, pinned=True)) == [first.id]
    assert not alice.status_unpin(first).pinned
    quoting = bob.status_post("See there", quoted_status_id=first.id, quote_approval_policy="followers")
    assert quoting.quote.quoted_status.id == first.id
    assert ids(alice.status_quotes(first)) == [quoting.id]
    assert alice.status_quote_revoke(first, quoting).quote.state == "revoked"
    assert alice.status_update_quote_approval_policy(first, "nobody").quote_approval.automatic == []
    with pytest.raises(MastodonNotFoundError):
        bob.status_delete(first)
    deleted = alice.status_delete(first)
    assert deleted.text == "The first of a thread @bob"
    with pytest.raises(MastodonNotFoundError):
        bob.status(first)


def test_edits(alice: Strict, bob: Strict) -> None:
    media = alice.media_post(picture("green"), mime_type="image/png", description="Green")
    post = alice.status_post("As it was", media_ids=[media], spoiler_text="warned")
    assert (alice.status_source(post).text, alice.status_source(post).spoiler_text) == ("As it was", "warned")
    edited = alice.status_update(post, "As it is", spoiler_text="", sensitive=False, media_ids=[media])
    assert "As it is" in edited.content
    assert edited.edited_at is not None
    assert edited.spoiler_text == ""
    assert edited.media_attachments[0].description == "Green"
    history = bob.status_history(post.id)
    assert ["As it was" in history[0].content, "As it is" in history[-1].content] == [True, True]


def test_polls_and_posts_for_later(alice: Strict, bob: Strict) -> None:
    poll = alice.make_poll(["tea", "coffee", "neither"], expires_in=3600, multiple=True)
    post = alice.status_post("What?", poll=poll)
    assert [each.title for each in post.poll.options] == ["tea", "coffee", "neither"]
    voted = bob.poll_vote(post.poll, [0, 2])
    assert (voted.voted, voted.own_votes, voted.votes_count) == (True, [0, 2], 2)
    assert [each.votes_count for each in alice.poll(post.poll.id).options] == [1, 0, 1]
    with pytest.raises(MastodonAPIError):
        bob.poll_vote(post.poll, [1])
    later = datetime.now(UTC) + timedelta(days=1)
    waits = alice.status_post("Tomorrow", scheduled_at=later, visibility="unlisted")
    assert waits.params.text == "Tomorrow"
    assert abs(waits.scheduled_at - later) < timedelta(seconds=2)
    assert ids(alice.scheduled_statuses()) == [waits.id]
    assert alice.scheduled_status(waits).params.visibility == "unlisted"
    moved = alice.scheduled_status_update(waits, later + timedelta(days=1))
    assert moved.scheduled_at > later
    assert bob.scheduled_statuses() == []
    alice.scheduled_status_delete(moved)
    assert alice.scheduled_statuses() == []


def test_timelines_and_their_pages(alice: Strict, bob: Strict, garden: Strict) -> None:
    bob.account_follow(garden.me().id)
    written = [garden.status_post(f"Bed {number} #beds https://seeds.example/bed").id for number in range(7)][::-1]
    for page in (
        bob.timeline_home(limit=3),
        bob.timeline("home", limit=3),
        bob.timeline_public(limit=3),
        bob.timeline_local(limit=3),
        bob.timeline_hashtag("beds", limit=3),
        bob.timeline_link("https://seeds.example/bed", limit=3),
        bob.account_statuses(garden.me().id, limit=3),
    ):
        assert ids(page) == written[:3]
        older = bob.fetch_next(page)
        assert ids(older) == written[3:6]
        assert ids(bob.fetch_previous(older)) == written[:3]
    page = bob.timeline_hashtag("beds", limit=3)
    assert ids(bob.fetch_remaining(page)) == written
    assert ids(bob.pagination_iterator(page)) == written
    assert [len(each) for each in bob.pagination_page_iterator(page)][:3] == [3, 3, 1]
    assert bob.get_pagination_info(page, "next")["max_id"]
    assert ids(bob.timeline_home(min_id=written[4], limit=2)) == written[2:4]
    assert ids(bob.timeline_home(since_id=written[4], limit=2)) == written[:2]
    assert ids(bob.timeline_home(max_id=written[4], limit=1)) == written[5:6]
    for page in (bob.trends(), bob.trending_tags(), bob.trending_statuses(), bob.trending_links()):
        assert isinstance(page, list)


def test_lists(alice: Strict, bob: Strict, garden: Strict) -> None:
    bob.account_follow(garden.me().id)
    made = bob.list_create("Plants", replies_policy="none", exclusive=True)
    assert (made.title, made.replies_policy, made.exclusive) == ("Plants", "none", True)
    bob.list_accounts_add(made, [garden.me().id])
    assert ids(bob.list_accounts(made)) == [garden.me().id]
    assert ids(bob.account_lists(garden.me())) == [made.id]
    post = garden.status_post("For the list")
    assert ids(bob.timeline_list(made, limit=1)) == [post.id]
    assert post.id not in ids(bob.timeline_home())
    assert bob.list_update(made, "Trees", replies_policy="followed").title == "Trees"
    assert ids(bob.lists()) == [made.id]
    assert bob.list(made).replies_policy == "followed"
    with pytest.raises(MastodonNotFoundError):
        alice.list(made)
    bob.list_accounts_delete(made, [garden.me().id])
    assert bob.list_accounts(made) == []
    bob.list_delete(made)
    assert bob.lists() == []


def test_tags(alice: Strict, bob: Strict) -> None:
    alice.status_post("On #chess and #go")
    assert bob.tag_follow("chess").following
    assert [each.name for each in bob.followed_tags()] == ["chess"]
    assert bob.tag("chess").history[0].uses == "1"
    assert not bob.tag_unfollow("chess").following
    assert "go" in [each.name for each in alice.featured_tag_suggestions()]
    featured = alice.featured_tag_create("go")
    assert (featured.name, featured.statuses_count) == ("go", "1")
    assert ids(alice.featured_tags()) == ids(bob.account_featured_tags(alice.me())) == [featured.id]
    alice.featured_tag_delete(featured)
    assert alice.featured_tags() == []
    assert alice.tag_feature("chess").featuring
    assert not alice.tag_unfeature("chess").featuring


def test_filters(alice: Strict, bob: Strict) -> None:
    made = bob.create_filter_v2(
        "Spoilers",
        ["home", "public"],
        "warn",
        expires_in=3600,
        keywords_attributes=[{"keyword": "butler", "whole_word": True}],
    )
    assert (made.title, made.filter_action, [each.keyword for each in made.keywords]) == (
        "Spoilers",
        "warn",
        ["butler"],
    )
    post = alice.status_post("It was the butler")
    (result,) = bob.status(post).filtered
    assert (result.filter.id, result.keyword_matches) == (made.id, ["butler"])
    added = bob.add_filter_keyword_v2(made, "gardener", whole_word=False)
    assert [each.keyword for each in bob.filter_keywords_v2(made)] == ["butler", "gardener"]
    bob.delete_filter_keyword_v2(added.id)
    held = bob.add_filter_status_v2(made, post)
    assert bob.filter_status_v2(held).status_id == post.id
    assert ids(bob.filter_statuses_v2(made)) == [held.id]
    bob.delete_filter_status_v2(held)
    changed = bob.update_filter_v2(made, title="The end", filter_action="hide", context=["thread"])
    assert (changed.title, changed.filter_action, list(changed.context)) == ("The end", "hide", ["thread"])
    assert bob.filter_v2(made).title == "The end"
    assert ids(bob.filters_v2()) == [made.id]
    bob.delete_filter_v2(made)
    old = bob.filter_create("cook", ["home"], whole_word=True, expires_in=600)
    assert bob.filter(old.id).phrase == "cook"
    assert bob.filter_update(old.id, phrase="cooks", context=["home", "public"]).phrase == "cooks"
    assert [each.phrase for each in bob.filters()] == ["cooks"]
    assert bob.filters_apply([alice.status_post("Too many cooks")], bob.filters(), "home") == []
    bob.filter_delete(old.id)
    assert bob.filters() == bob.filters_v2() == []


def test_notifications(alice: Strict, bob: Strict, garden: Strict) -> None:
    alice.notifications_clear()
    assert alice.notifications() == []
    post = alice.status_post("Like me")
    for each in (bob, garden):
        each.status_favourite(post)
    bob.status_reblog(post)
    bob.account_follow(alice.me().id)
    bob.status_post("@alice hello")
    told = alice.notifications()
    assert [each.type for each in told] == ["mention", "follow", "reblog", "favourite", "favourite"]
    assert told[0].status.mentions[0].acct == "alice"
    assert alice.notifications(told[1].id).account.acct == "bob"
    assert [each.type for each in alice.notifications(types=["follow"])] == ["follow"]
    assert len(alice.notifications(exclude_types=["follow"])) == 4
    assert len(alice.notifications(account_id=garden.me().id)) == 1
    assert alice.notifications_unread_count().count == 5
    assert alice.unread_grouped_notifications_count() == 4
    assert [each.type for each in alice.fetch_next(alice.notifications(limit=2))] == ["reblog", "favourite"]
    grouped = alice.grouped_notifications(expand_accounts="full")
    assert [each.type for each in grouped.notification_groups] == ["mention", "follow", "reblog", "favourite"]
    likes = grouped.notification_groups[3]
    assert likes.notifications_count == 2
    assert {each.acct for each in grouped.accounts} >= {"bob", "garden"}
    assert post.id in ids(grouped.statuses)
    assert alice.grouped_notification(likes.group_key).notification_groups[0].group_key == likes.group_key
    assert len(alice.grouped_notification_accounts(likes.group_key)) == 2
    alice.dismiss_grouped_notification(likes.group_key)
    alice.notifications_dismiss(told[0])
    assert [each.type for each in alice.notifications()] == ["follow", "reblog"]
    made = alice.markers_set(["home", "notifications"], [post.id, told[1].id])
    assert str(made.home.last_read_id) == str(post.id)
    assert str(alice.markers_get(["notifications"]).notifications.last_read_id) == str(told[1].id)


def test_notifications_of_strangers(alice: Strict, bob: Strict, garden: Strict) -> None:
    for each in (alice, garden):
        bob.account_unfollow(each.me().id)
    assert bob.update_notifications_policy(for_not_following="filter").for_not_following == "filter"
    for each in (alice, garden):
        each.status_post("@bob psst")
    assert bob.notifications_policy().summary.pending_requests_count == 2
    waiting = bob.notification_requests()
    assert {each.account.acct for each in waiting} == {"alice", "garden"}
    by_name = {each.account.acct: each for each in waiting}
    assert "psst" in bob.notification_request(by_name["alice"].id).last_status.content
    bob.accept_notification_request(by_name["alice"].id)
    bob.dismiss_notification_request(by_name["garden"].id)
    assert bob.notifications_merged()
    assert [each.account.acct for each in bob.notifications(types=["mention"], limit=1)] == ["alice"]
    garden.status_post("@bob once more")
    (again,) = bob.notification_requests()
    bob.dismiss_multiple_notification_requests([again.id])
    garden.status_post("@bob please")
    (again,) = bob.notification_requests()
    bob.accept_multiple_notification_requests([again.id])
    assert bob.notification_requests() == []
    bob.update_notifications_policy(for_not_following="accept")


def test_conversations(alice: Strict, bob: Strict) -> None:
    post = bob.status_post("@alice a secret", visibility="direct")
    (talk,) = alice.conversations(limit=1)
    assert talk.last_status.id == post.id
    assert talk.unread
    assert [each.acct for each in talk.accounts] == ["bob"]
    assert not alice.conversations_read(talk).unread
    assert post.id not in ids(alice.timeline_public())


def test_search(alice: Strict, bob: Strict) -> None:
    post = bob.status_post("An aardvark in the #zoo")
    found = bob.search("aardvark")
    assert ids(found.statuses) == [post.id]
    assert [each.acct for each in alice.search_v2("bob", result_type="accounts").accounts] == ["bob"]
    assert [each.name for each in alice.search_v2("zoo", result_type="hashtags").hashtags] == ["zoo"]
    assert ids(alice.search_v2(post.url, resolve=True).statuses) == [post.id]


def test_push(alice: Strict) -> None:
    private, public = alice.push_subscription_generate_keys()
    assert len(private["auth"]) == 16
    made = alice.push_subscription_set(
        "https://push.invalid/1", public, mention_events=True, follow_events=False, policy="followed", standard=True
    )
    assert made.endpoint == "https://push.invalid/1"
    assert (made.alerts.mention, made.alerts.follow, made.policy) == (True, False, "followed")
    assert made.server_key == alice.instance_v2().configuration.vapid.public_key
    changed = alice.push_subscription_update(mention_events=False, poll_events=True, policy="all")
    assert (changed.alerts.mention, changed.alerts.poll, changed.policy) == (False, True, "all")
    assert alice.push_subscription().id == made.id
    alice.push_subscription_delete()
    with pytest.raises(MastodonNotFoundError):
        alice.push_subscription()


def test_reports_and_looking_after_the_server(alice: Strict, bob: Strict, garden: Strict) -> None:
    post = garden.status_post("Buy my seeds")
    number = garden.me().id
    made = bob.report(number, status_ids=[post], comment="Spam", category="spam")
    assert (made.comment, made.category, made.target_account.acct) == ("Spam", "spam", "garden")
    (report,) = alice.admin_reports()
    assert (report.id, report.account.account.acct, ids(report.statuses)) == (made.id, "bob", [post.id])
    assert alice.admin_report_assign(report).assigned_account.account.acct == "alice"
    assert alice.admin_report_unassign(report).assigned_account is None
    assert alice.admin_report_resolve(report).action_taken
    assert ids(alice.admin_reports(resolved=True)) == [report.id]
    assert not alice.admin_report_reopen(report).action_taken
    assert alice.admin_report(report).comment == "Spam"
    with pytest.raises(MastodonAPIError):
        bob.admin_reports()
    assert {each.username for each in alice.admin_accounts_v2(origin="local")} == {"alice", "bob", "garden"}
    assert {each["username"] for each in alice.admin_accounts_v1()} == {"alice", "bob", "garden"}
    assert {each["username"] for each in alice.admin_accounts()} == {"alice", "bob", "garden"}
    assert [each.username for each in alice.admin_accounts_v2(username="garden")] == ["garden"]
    assert alice.admin_account(number).account.acct == "garden"
    with pytest.raises(MastodonAPIError):  # nobody waits to be let in
        alice.admin_account_approve(number)
    with pytest.raises(MastodonAPIError):
        alice.admin_account_reject(number)
    with pytest.raises(MastodonAPIError):  # an owner's
        alice.admin_account_unsilence(number)
    assert not alice.admin_account_unsilence(bob.me().id).silenced
    assert not alice.admin_account_unsensitive(number).sensitized
    blocked = alice.admin_create_domain_block("awful.example", severity="suspend", private_comment="Spam")
    assert ids(alice.admin_domain_blocks()) == [blocked.id]
    assert alice.admin_domain_blocks(blocked.id).domain == "awful.example"
    assert alice.admin_update_domain_block(blocked.id, severity="silence").severity == "silence"
    alice.admin_delete_domain_block(blocked.id)
    assert alice.admin_domain_blocks() == []
    friend = alice.admin_create_domain_allow("friend.example")
    assert ids(alice.admin_domain_allows()) == [friend.id]
    assert alice.admin_domain_allow(friend.id).domain == "friend.example"
    alice.admin_delete_domain_allow(friend.id)
    assert alice.admin_domain_allows() == []


class Ear(StreamListener):
    """Keeps what it hears, and lets one wait for it."""

    def __init__(self) -> None:
        self.heard: list[tuple[str, Any]] = []
        self.news = threading.Condition()
        self.listens = threading.Event()

    def handle_heartbeat(self) -> None:
        """The server's first line is one: from then on nothing is missed."""
        self.listens.set()

    def on_any_event(self, name: str, data: Any = None, for_stream: Any = None) -> None:
        with self.news:
            self.heard.append((name, data))
            self.news.notify_all()

    def on_abort(self, err: Exception) -> None:
        """The end of a connection that was closed on purpose."""

    def wait(self, name: str, wanted: Callable[[Any], bool] = lambda _data: True) -> Any:
        def found() -> Any:
            return next((each for each in self.heard if each[0] == name and wanted(each[1])), None)

        with self.news:
            assert self.news.wait_for(found, PATIENCE), f"no {name} among {[each[0] for each in self.heard]}"
            return found()[1]


def test_streams(alice: Strict, bob: Strict, garden: Strict) -> None:
    bob.account_follow(garden.me().id)
    plants = bob.list_create("Plants")
    bob.list_accounts_add(plants, [garden.me().id])
    ears = {name: Ear() for name in ("user", "told", "public", "local", "tag", "list", "direct")}
    handles = [
        bob.stream_user(ears["user"], run_async=True),
        bob.stream_user_notifications(ears["told"], run_async=True),
        bob.stream_public(ears["public"], run_async=True),
        bob.stream_local(ears["local"], run_async=True),
        bob.stream_hashtag("roses", ears["tag"], run_async=True),
        bob.stream_list(plants.id, ears["list"], run_async=True),
        bob.stream_direct(ears["direct"], run_async=True),
    ]
    assert all(ear.listens.wait(PATIENCE) for ear in ears.values())  # each connects in a thread of its own
    post = garden.status_post("On #roses")
    for name in ("user", "public", "local", "tag", "list"):
        heard = ears[name].wait("update", lambda each: each.id == post.id)
        assert wrong(heard, type(post), name) == []
    garden.status_update(post, "On #roses, and thorns")
    assert "thorns" in ears["user"].wait("status.update").content
    garden.status_delete(post)
    assert str(ears["user"].wait("delete")) == str(post.id)
    alice.status_post("@bob between us", visibility="direct")
    assert ears["direct"].wait("conversation").last_status.account.acct == "alice"
    assert ears["told"].wait("notification").type == "mention"
    assert ears["user"].wait("notification").status.visibility == "direct"
    bob.create_filter_v2("Thorns", ["home"], "hide")
    ears["user"].wait("filters_changed")
    for handle in handles:
        assert handle.is_alive()
        handle.closed = True  # the server ends it, when it stops; here one would wait for its next word
    bob.list_delete(plants)


def test_an_account_is_deleted_last(alice: Strict) -> None:
    number = alice.account_lookup("bob").id
    alice.admin_account_moderate(number, "disable", text="Calm down")
    assert alice.admin_account(number).disabled
    assert not alice.admin_account_enable(number).disabled
    alice.admin_account_moderate(number, "suspend")
    assert alice.admin_account(number).suspended
    assert not alice.admin_account_unsuspend(number).suspended
    alice.admin_account_moderate(number, "suspend")
    assert alice.admin_account_delete(number).username == "bob"
    with pytest.raises(MastodonNotFoundError):
        alice.account_lookup("bob")
