"""Whatever strangers write into whatever field: every page has the tags and attributes that it has without them."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import quote
from xml.etree import ElementTree

import httpx
import pytest

from fediblog.actions.account_actions import ProfileChanges
from fediblog.actions.drafts import Draft
from fediblog.app import create_app
from fediblog.markup.clean import ARTICLE, OWN, REMOTE
from fediblog.protocol.contexts import CONTEXT
from fediblog.store.posts import posts
from fediblog.web.components.render import environment
from tests import host_blocks, wording
from tests.federation.stranger import Home, Person, home
from tests.markup.test_clean import ATTACKS, inspect
from tests.security.reading import Pair, press, reader, taken_apart, visitor

Json = dict[str, Any]
BREAKERS = [
    '" pwn="1',
    "' pwn='1",
    "`pwn=1`",
    '"><pwn>',
    "'><pwn>",
    "--><pwn>",
    "]]><pwn>",
    "</title><pwn>",
    "</textarea><pwn>",
    "</script><script>pwn()</script>",
    "</style><style>@import url(//pwn)",
    "</a></p></div></details></article></main><pwn>",
    "&quot; pwn=1 &lt;pwn&gt;",
    "&#34;&#62;<pwn>",
    "{{ 7 * 7 }}{% raise %}{{ ''.__class__ }}",
    "<pwn\x00>",
    "\u202e\u2066gpj.exe",
    "<pwn " + "a" * 300 + ">",
    ":pwn: <:pwn:> :pwn",
    "[x](javascript:pwn()) ![x](x:y)",
]
WORDS = [word.replace("\x00", "\x01") for word in (*ATTACKS, *BREAKERS)]  # a NUL never comes in
ADDRESSES = [
    "javascript:pwn()",
    "JaVaScRiPt://bob.test/%0apwn()",
    "data:text/html,<script>pwn()</script>",
    "vbscript:pwn",
    "//pwn.test/",
    "/\\pwn.test/",
    "https://pwn.test/'onerror='pwn()",
    'https://pwn.test/"onerror="pwn()',
    "https://pwn.test/\npwn",
    "https://pwn.test/><pwn>",
    "https://home.test@pwn.test/",
    "file:///etc/passwd",
    "",
]
# What the cleaner lets through anywhere.
ALLOWED = {
    (tag, name)
    for policy in (REMOTE, ARTICLE, OWN)
    for tag, names in policy.tags.items()
    for name in ("", "rel", *names)
}

# What a page puts around texts itself: regions that scroll, links of headings and footnotes; what is loaded first.
ALLOWED |= {
    ("img", "fetchpriority"),
    ("div", "role"),
    ("div", "tabindex"),
    ("div", "aria-label"),
    ("a", "aria-label"),
    ("a", "tabindex"),
}

Words = Callable[[int], str]


def profile(word: str, address: str) -> Json:
    picture = {"type": "Image", "url": address, "name": word, "summary": word}
    return {
        "name": f"{word} :pwn:",
        "summary": word,
        "url": address,
        "icon": {**picture, "url": "https://eve.test/i.png"} if not address else picture,
        "image": picture,
        "attachment": [{"type": "PropertyValue", "name": word, "value": word}],
        "tag": emoji(word, address),
        "movedTo": address,
    }


def emoji(word: str, address: str) -> list[Json]:
    names = [":pwn:", f":{word}:"]
    return [
        {"type": "Emoji", "name": name, "icon": {"type": "Image", "url": address or "https://e.test/e.png"}}
        for name in names
    ]


def hostile(who: Person, home: Home, number: int, word: str, address: str, kind: str, ours: str) -> Json:
    """A post with the same words in every field that there is."""
    poll = [{"type": "Note", "name": f"{word}{i}", "replies": {"totalItems": i}} for i in range(2)]
    file = {"type": "Document", "name": word, "summary": word, "url": address or "https://eve.test/a.png"}
    return who.note(
        number,
        type=kind,
        name=word,
        summary=word,
        content=f"<p>{word} :pwn:</p>{word}",
        url=address or f"https://eve.test/@eve/{number}",
        inReplyTo=ours if number % 2 else None,
        contentMap={word[:20]: word},
        sensitive=bool(number % 3),
        attachment=[{**file, "mediaType": each} for each in ("image/png", "video/mp4", "audio/ogg", "text/html", word)],
        image={"type": "Image", "url": address, "name": word},
        icon={"type": "Image", "url": address, "name": word},
        tag=[
            *emoji(word, address),
            {"type": "Hashtag", "name": f"#{word}", "href": address},
            {"type": "Hashtag", "name": word.replace(" ", ""), "href": address},
            {"type": "Mention", "name": word, "href": home.alice.uri},
        ],
        location={"type": "Place", "name": word},
        quote=address,
        **({"oneOf": poll, "endTime": "2030-01-01T00:00:00Z"} if kind == "Question" else {}),
    )


async def filled(at_home: Home, words: list[str], addresses: list[str]) -> list[str]:
    """Have strangers do all that shows up somewhere; the paths of all pages that show it."""
    ours = await at_home.writes()
    eve = Person(at_home.web, "eve.test", "eve", profile(words[0], addresses[0]))
    account = await at_home.follows(eve)
    for number, word in enumerate(words):
        address = addresses[number % len(addresses)]
        kind = ("Note", "Question", "Article", "Event", "Page")[number % 5]
        note = hostile(eve, at_home, number, word, address, kind, ours.uri)
        assert (await at_home.send(eve, eve.creates(note, number))).status == 202
        like = eve.does("Like", ours.uri, number, content=word, tag=emoji(word, address))
        await at_home.send(eve, like)
        await at_home.send(eve, eve.does("Flag", [at_home.alice.uri, ours.uri], number, content=word))
        forged = {**eve.does(word[:60], ours.uri, number), "actor": f"https://eve.test/{quote(word)[:200]}"}
        await at_home.send(eve, forged)
    await at_home.work()
    await at_home.send(eve, eve.does("Announce", ours.uri, "b"))
    await at_home.send(eve, eve.does("Follow", at_home.alice.uri, "f"))
    await at_home.send(
        eve, eve.does("QuoteRequest", ours.uri, "q", instrument=eve.note("q", quote=ours.uri, content=words[0]))
    )
    numbers = [row[0] for row in await at_home.ask("select id from post where local = 0 order by id")]
    assert len(numbers) > len(words) * 0.8, "most of it must have come in, or nothing is tested"
    page = ours.url.removeprefix(at_home.site.urls.origin)
    lists = [f"/people?show={tab}" for tab in ("following", "followers", "requests", "muted", "blocked")]
    account_page = f"/account/{account.id}"
    return [
        *("/", "/@alice", page, "/stream", "/notices", "/deliveries", "/moderation", "/refusals", "/settings", *lists),
        *(account_page, f"{account_page}?show=replies", f"{account_page}?show=articles"),
        *(f"/post/{number}" for number in numbers),
        *(f"/write?reply={number}" for number in numbers[:8]),
    ]


async def pairs_of(browser: httpx.AsyncClient, paths: list[str]) -> set[Pair]:
    found: set[Pair] = set()
    for path in paths:
        answer = await browser.get(path)
        assert answer.status_code in (200, 303), (path, answer.status_code)
        found |= taken_apart(answer.text).pairs
    return found


async def plain_pairs(folder: Path) -> set[Pair]:
    """Tags and attributes of the same pages where nobody means any harm."""
    async with home(folder) as place:
        words = [f"word {number}" for number in range(12)]
        paths = await filled(place, words, ["https://eve.test/file.png", ""])  # with and without a picture on top
        browser = await reader(place.site, place.alice)
        return await pairs_of(browser, paths) | await pairs_of(visitor(place.site), paths[:3])


async def test_pages_of_others_words_have_no_more_than_those_of_plain_words(tmp_path: Path) -> None:
    usual = await plain_pairs(tmp_path / "plain") | ALLOWED
    async with home(tmp_path / "hostile") as place:
        paths = await filled(place, WORDS, ADDRESSES)
        browser = await reader(place.site, place.alice)
        shown = await pairs_of(browser, paths) | await pairs_of(visitor(place.site), paths[:3])
    assert shown - usual == set()


ASKED = ["/search?q={}", "/people?handle={}", "/login?next={}", "/tags/{}", "/@alice?show={}", "/{}", "/write?reply={}"]


@pytest.fixture
async def browsers(at_home: Home) -> list[httpx.AsyncClient]:
    app = create_app(at_home.site)
    return [visitor(at_home.site, app), await reader(at_home.site, at_home.alice, app)]


@pytest.mark.parametrize("path", ASKED)
async def test_what_stands_in_an_address_comes_back_as_text(browsers: list[httpx.AsyncClient], path: str) -> None:
    for browser in browsers:
        usual: set[Pair] = set(ALLOWED)
        for asked in (*"xy", *WORDS, *ADDRESSES):
            answer = await browser.get(path.format(quote(asked, safe="")))
            assert answer.status_code < 500
            assert "pwn" not in answer.headers.get("location", "").partition("?")[0], answer.headers["location"]
            if answer.headers.get("content-type", "").startswith("text/html"):
                shown = taken_apart(answer.text).pairs
                usual |= shown if asked in "xy" else set()
                assert ("pwn", "") not in shown
                assert not any("pwn" in name for _, name in shown)


async def test_what_stands_in_a_form_comes_back_as_text(blog_form: Callable[[str], Any]) -> None:
    for word in WORDS:
        for answer in await blog_form(word):
            assert answer.status_code in (200, 422), answer.status_code
            shown = taken_apart(answer.text).pairs
            assert ("pwn", "") not in shown
            assert not any("pwn" in name for _, name in shown)


@pytest.fixture
async def blog_form(at_home: Home) -> Callable[[str], Any]:
    browser = await reader(at_home.site, at_home.alice)

    async def send(word: str) -> list[httpx.Response]:
        typed = dict.fromkeys(("source", "title", "warning", "summary", "language", "scheduled", "new-alt"), word)
        return [
            await press(browser, "/write", {**typed, "do": "preview"}),
            await press(browser, "/write", {**typed, "do": "schedule", "source": ""}),
            await press(browser, "/find", {"q": f"x@{''.join(word.split())}"}),
            await press(browser, "/settings/move", {"target": word}),
            await press(browser, "/moderation/block", {"host": f"<{word}", "reason": word}),
        ]

    return send


async def test_our_own_words_do_no_harm_in_pages_and_feeds(at_home: Home) -> None:
    """Somebody with a login may be careless, or not alone at the keyboard."""
    site, alice = at_home.site, at_home.alice
    for number, word in enumerate(WORDS):
        draft = Draft(source=f"{word} #tag", title=word[:180] if number % 2 else "", summary=word, warning=word)
        await site.db.write(wording.publish, site.urls, alice.id, draft)
    everything = ProfileChanges(
        name=WORDS[0], summary="\n".join(WORDS), fields=tuple((word, word) for word in WORDS[:16])
    )
    await site.db.write(wording.update_profile, site.urls, alice.id, everything)
    browser = visitor(site)
    paths = [row[0].removeprefix(site.urls.origin) for row in await at_home.ask("select url from post")]
    shown = await pairs_of(browser, ["/", "/@alice", "/tags/tag", "/@alice/archive", *paths])
    assert not any("pwn" in word for pair in shown for word in pair)
    for base in ("/feed", "/@alice/feed", "/tags/tag/feed"):
        atom = ElementTree.fromstring((await browser.get(f"{base}.atom")).content)
        rss = ElementTree.fromstring((await browser.get(f"{base}.rss")).content)
        texts = [element.text or "" for root in (atom, rss) for element in root.iter() if _is_html(element)]
        feed = json.loads((await browser.get(f"{base}.json")).content)
        texts += [item["content_html"] for item in feed["items"]]
        assert len(texts) >= 60
        for text in texts:
            inspect(text, OWN)


def _is_html(element: ElementTree.Element) -> bool:
    return element.tag.endswith(("encoded", "}content")) or element.get("type") == "html"


async def test_templates_escape_and_only_cleaned_text_is_html() -> None:
    """One place makes text into HTML that is shown as it is."""
    made = environment("en")
    assert made.autoescape is True
    for name in made.list_templates():
        source = made.loader.get_source(made, name)[0] if made.loader else ""
        assert "|safe" not in source.replace(" ", ""), name
        assert "autoescape" not in source, name
        assert "style=" not in source, name
        assert "<script" not in source.replace("<script src=\"{{ static('", ""), name


async def test_documents_of_ours_are_json_with_a_type_of_their_own(at_home: Home) -> None:
    post = await at_home.writes()
    for path in (post.uri, at_home.alice.uri, f"{at_home.alice.uri}/outbox?before=9999999999999999999"):
        answer = await visitor(at_home.site).get(path, headers={"accept": "application/activity+json"})
        assert answer.headers["content-type"].startswith("application/activity+json")
        assert answer.headers["x-content-type-options"] == "nosniff"
        assert answer.json()["@context"] == json.loads(json.dumps(CONTEXT))


async def test_a_blocked_authors_words_are_shown_nowhere(at_home: Home, eve: Person) -> None:
    """Asked again when something is read, not only when it comes in."""
    await at_home.follows(eve)
    post = await at_home.writes()
    note = eve.note(content="<p>unwanted-words</p>", inReplyTo=post.uri)
    await at_home.send(eve, eve.creates(note))
    stored = await at_home.site.db.read(posts.by_uri, note["id"])
    assert stored is not None
    app = create_app(at_home.site)
    browser, anybody = await reader(at_home.site, at_home.alice, app), visitor(at_home.site, app)
    page = post.url.removeprefix(at_home.site.urls.origin)
    paths = ["/stream", "/notices", page, "/search?q=unwanted-words"]

    async def seen() -> list[bool]:
        shown = [await browser.get(path) for path in paths] + [await anybody.get(page)]
        return ["unwanted-words</p>" in answer.text or "unwanted-words <" in answer.text for answer in shown]

    assert any(await seen())
    await at_home.site.db.write(host_blocks.block, "eve.test", "")
    assert not any(await seen())
    assert (await browser.get(f"/post/{stored.id}")).status_code == 404
