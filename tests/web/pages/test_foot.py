"""The foot of a post: who is offered what."""

from __future__ import annotations

import re

import pytest
from msgspec.structs import replace

from fediblog.domain.documents import PUBLIC, InteractionPolicy, Rule, Visibility
from fediblog.web.components.action_bar import Reader, foot
from tests.web.pages.test_comments_shown import BOB, PLAIN, READER, VISITOR

ME = replace(BOB, id=9, local=True)
BAD = "<b>\"'&"
THEIRS = Reader.at("/stream?a=1", READER, ME.id, "secret")
NOBODY = Reader.at("/", VISITOR, None, "")
OWN = replace(PLAIN, account=ME, local=True)


def offered(**values: object) -> set[str]:
    html = foot("en", replace(PLAIN, **values), THEIRS)
    return {word for word in ("reply", "boost", "quote", "like", "pin", "edit", "delete", "origin") if _has(html, word)}


def _has(html: str, word: str) -> bool:
    signs = {"reply": "/write?reply=1", "quote": "/write?quote=1", "edit": '"/write/1"', "origin": 'rel="nofollow'}
    return signs.get(word, f'"/post/1/{word}"') in html


@pytest.mark.parametrize(
    ("values", "wanted"),
    [
        ({}, "reply boost quote like origin"),
        ({"liked": True, "boosted": True}, "reply quote origin"),
        ({"visibility": Visibility.UNLISTED}, "reply boost quote like origin"),
        ({"visibility": Visibility.FOLLOWERS}, "reply like origin"),
        ({"quotable": "nobody"}, "reply boost like origin"),
        ({"quotable": "followers", "local": True}, "reply boost quote like"),
        ({"repliable": "nobody"}, "boost quote like origin"),
        ({"repliable": "nobody", "addressed": frozenset((9,))}, "reply boost quote like origin"),
        ({"account": ME, "local": True, "repliable": "nobody"}, "reply boost quote like pin edit delete"),
        ({"account": ME, "local": True, "visibility": Visibility.FOLLOWERS}, "reply quote like edit delete"),
        ({"account": ME, "local": True, "visibility": Visibility.DIRECT}, "reply like edit delete"),
        ({"account": ME, "local": True, "state": "draft"}, ""),
    ],
)
def test_what_a_reader_can_do(values: dict[str, object], wanted: str) -> None:
    assert offered(**values) == set(wanted.split())


@pytest.mark.parametrize(
    ("rule", "is_offered"),
    [
        (Rule(automatic=(BOB.uri,)), False),
        (Rule(automatic=("https://far.example/followers",)), True),
        (Rule(manual=(PUBLIC,)), True),
        (Rule(automatic=(BOB.uri, "https://far.example/u/ann")), True),
        (Rule(automatic=(PUBLIC,)), True),
    ],
)
def test_only_what_the_author_alone_may_do_is_not_offered(rule: Rule, is_offered: bool) -> None:
    """A rule that names one collection, as Mastodon's of followers does, is not one for nobody."""
    policy = InteractionPolicy(like=rule, reply=rule, announce=rule, quote=rule)
    assert offered(policy=policy) == {"origin"} | ({"reply", "boost", "quote", "like"} if is_offered else set())


def test_each_form_carries_the_token_and_leads_back_to_the_post() -> None:
    html = foot("en", replace(OWN, pinned=5, liked=True, boosted=True, like_total=2), THEIRS)
    [form] = re.findall(r'<form method="post".*?</form>', html, re.DOTALL)
    for action in ("unboost", "unlike", "unpin"):
        assert f'formaction="/post/1/{action}"' in form
    assert '<input type="hidden" name="csrf" value="secret">' in form
    assert '<input type="hidden" name="next" value="/stream?a=1#p1">' in form
    assert '<button class="act like on" formaction="/post/1/unlike" title="Take the like back">' in html
    assert html.count('<span class="count">2</span>') == html.count('class="count"') == 1


def test_who_has_not_signed_in_is_told_how_often_it_was_done() -> None:
    assert foot("en", PLAIN, NOBODY) == ""
    html = foot("en", replace(PLAIN, comments=3, like_total=1), NOBODY)
    assert '<a href="https://far.example/1#comments">3 comments</a><span>1 person likes this</span>' in html
    assert "<form" not in html


def test_addresses_are_escaped() -> None:
    post = replace(PLAIN, url=f"https://far.example/{BAD}", comments=1)
    for reader in (Reader.at(BAD, READER, ME.id, BAD), NOBODY):
        html = foot("en", post, reader)
        assert BAD not in html
        assert "&lt;b&gt;&quot;&#x27;&amp;" in html
