"""What those who have signed in do: write, edit, delete, like, follow, settle and moderate."""

# long because: a writer at work, page after page, with one browser

from __future__ import annotations

import io
import re
from html import unescape
from urllib.parse import urlencode

import pytest
from markupsafe import escape
from PIL import Image

from fediblog.actions import account_actions, moderation_actions, post_actions
from fediblog.actions.drafts import Draft
from fediblog.domain.accounts import Account, Relation
from fediblog.domain.documents import Option, Poll, Visibility
from fediblog.domain.posts import Post
from fediblog.errors import Unavailable
from fediblog.federation.keyring import make_keys
from fediblog.net.dns import Names
from fediblog.protocol.previews import abstract
from fediblog.store.people import accounts, hosts, post_preferences, relations
from fediblog.store.people.post_preferences import Defaults
from fediblog.store.posts import account_posts, posts, reactions, timelines
from fediblog.store.queues import delivery_queue, job_kinds, job_queue, profile_totals
from fediblog.store.readers import moderation, notifications
from fediblog.store.tx import Tx
from tests import wording
from tests.web.pages.conftest import ORIGIN, PASSWORD, Blog, Browser


def picture(colour: str = "teal") -> bytes:
    out = io.BytesIO()
    Image.new("RGB", (64, 48), colour).save(out, "PNG")
    return out.getvalue()


async def latest(blog: Blog, state: str = "published") -> Post:
    find = account_posts.drafts if state != "published" else account_posts.written
    found = await blog.site.db.read(find, blog.alice.id, *([blog.alice.id] if state == "published" else []))
    return found[0]


async def updates(blog: Blog) -> int:
    """How many edits were told to others."""
    found = await blog.site.db.read(lambda tx: tx.one("select count(*) as n from outgoing where kind = 'Update'"))
    return found.n if found is not None else 0


async def test_write_a_note(blog: Blog) -> None:
    owner = await blog.owner()
    answer = await owner.post("/write", {"source": "Hello *there*", "visibility": "public", "do": "publish"})
    post = await latest(blog)
    assert (answer.status_code, answer.headers["location"]) == (303, post.url.removeprefix(ORIGIN))
    page = (await owner.get(answer.headers["location"])).text
    assert "Hello <em>there</em>" in page
    assert "Posted for everybody." in page


async def test_a_mistake_loses_nothing(blog: Blog) -> None:
    owner = await blog.owner()
    typed = {
        "source": "x" * 20_001,
        "warning": "Long & long",
        "visibility": "followers",
        "language": "de",
        "new-alt": "A square",
        "do": "publish",
    }
    answer = await owner.post("/write", typed, files={"upload": ("a.png", picture(), "image/png")})
    page = answer.text
    assert answer.status_code == 422
    assert "20000 fit" in page
    assert "x" * 20_001 in page
    assert 'value="Long &amp; long"' in page
    assert '<option value="followers" selected>' in page
    assert 'value="A square"' in page
    number = page.split('name="file" value="')[1].split('"')[0]
    again = {**typed, "source": "Short now", "file": number, f"alt-{number}": "A teal square"}
    assert (await owner.post("/write", again)).status_code == 303
    post = await latest(blog)
    assert [file.alt for file in post.attachments] == ["A teal square"]
    assert post.visibility == "followers"


async def test_a_language_is_given_by_its_code(blog: Blog) -> None:
    """At the desk and in the settings: what is none is refused at its field, and nothing that was typed is lost."""
    owner = await blog.owner()
    for path, typed in (
        ("/write", {"source": "Hallo", "title": "Welt", "do": "publish"}),
        ("/settings/publishing", {"visibility": "unlisted", "comments": "followers", "quotes": "nobody"}),
    ):
        for wrong in ("Deutsch, bitte", "Deutsch", "de_AT", "d", "de-", "und", "ü"):
            for spoken, told in (("en", "A language is given by its code: en,"), ("de", "mit ihrem Kürzel angegeben")):
                sent = {**typed, "language": wrong}
                answer = await owner.post(path, sent, headers={"accept-language": spoken})
                assert (answer.status_code, told in answer.text) == (422, True), (path, wrong)
                assert all(escape(value) in answer.text for value in sent.values() if value != "publish"), (path, wrong)
        assert re.search("open><summary>(Language|Sprache)", answer.text) or path != "/write"
        for right in ("", "de", "DE", "pt-BR", "zh-Hant-TW", "gsw"):
            assert (await owner.post(path, {**typed, "language": right})).status_code == 303, (path, right)


async def test_a_file_that_is_no_picture_is_refused_at_its_field(blog: Blog) -> None:
    owner = await blog.owner()
    answer = await owner.post(
        "/write", {"source": "See", "do": "publish"}, files={"upload": ("a.svg", b"<svg/>", "image/svg+xml")}
    )
    assert answer.status_code == 422
    assert "a.svg: This is not a picture" in answer.text
    assert ">\nSee<" in answer.text


async def test_preview_publishes_nothing(blog: Blog) -> None:
    owner = await blog.owner()
    answer = await owner.post(
        "/write", {"source": "# Unheard\n\n<script>alert(1)</script>", "title": "T", "do": "preview"}
    )
    assert answer.status_code == 200
    assert "Unheard</h1>" in answer.text
    assert "<script>" not in answer.text
    assert "Preview: nothing is published" in answer.text
    assert "Unheard" not in (await owner.get("/@alice")).text


async def test_edit_keeps_pictures_and_shows_what_was_written(blog: Blog) -> None:
    owner = await blog.owner()
    files = [("upload", ("a.png", picture(), "image/png")), ("hero-upload", ("b.png", picture("navy"), "image/png"))]
    typed = {
        "source": "Old *text*",
        "title": "Title",
        "summary": "Sum",
        "new-alt": "One",
        "hero-alt": "Two",
        "hero-caption": "Three <i>",
        "do": "publish",
    }
    assert (await owner.post("/write", typed, files=files)).status_code == 303
    post = await latest(blog)
    page = (await owner.get(f"/write/{post.id}")).text
    assert "Old *text*" in page
    assert 'value="One"' in page
    assert f'value="![One](/media/{post.attachments[0].url.partition("/media/")[2]})"' in page
    assert 'value="Two"' in page
    assert 'name="hero-caption" type="text" value="Three &lt;i&gt;"' in page
    shown = (await blog.browser().get(post.url.removeprefix(ORIGIN))).text
    assert '<figcaption dir="auto">Three &lt;i&gt;</figcaption></figure>' in shown
    number = page.split('name="file" value="')[1].split('"')[0]
    hero = page.split('name="hero" value="')[1].split('"')[0]
    changed = {**typed, "source": "New", "file": number, f"alt-{number}": "One!", "hero": hero}
    assert (await owner.post(f"/write/{post.id}", changed)).status_code == 303
    after = await latest(blog)
    assert after.id == post.id
    assert "New" in after.content
    assert [file.alt for file in after.attachments] == ["One!"]
    assert after.image is not None
    assert after.image.url == (post.image.url if post.image else "")
    assert await updates(blog) == 1
    for anyway in ({}, {"anyway": "1"}):
        await owner.post(f"/write/{post.id}", {**changed, **anyway})
    assert await updates(blog) == 1  # nobody is told of an edit that changes nothing
    dropped = {**changed, f"drop-{number}": "1", "hero-drop": "1"}
    await owner.post(f"/write/{post.id}", dropped)
    bare = await latest(blog)
    assert bare.attachments == ()
    assert bare.image is None


async def test_drafts_and_later(blog: Blog) -> None:
    owner = await blog.owner()
    await owner.post("/write", {"source": "Unfinished", "do": "draft"})
    draft = await latest(blog, "draft")
    assert "Unfinished" in (await owner.get("/drafts")).text
    assert (await owner.post("/write", {"source": "Later", "do": "schedule"})).status_code == 422
    past = await owner.post("/write", {"source": "Later", "do": "schedule", "scheduled": "2020-01-01T10:00"})
    assert "still to come" in past.text
    answer = await owner.post(
        f"/write/{draft.id}", {"source": "Finished", "do": "schedule", "scheduled": "2025-07-01T10:00"}
    )
    assert answer.headers["location"] == "/drafts"
    page = (await owner.get("/drafts")).text
    assert "Will be published on 1 July 2025, 10:00 UTC" in re.sub("<[^>]*>", "", page)
    draft = await latest(blog, "draft")  # what has another time has another number
    assert 'value="2025-07-01T10:00"' in (await owner.get(f"/write/{draft.id}")).text
    assert await blog.site.db.read(lambda tx: tx.one("select 1 as yes from job where kind = 'release'"))
    await owner.post(f"/write/{draft.id}", {"source": "Finished", "do": "publish"})
    assert "Finished" in (await blog.browser().get("/")).text


def typed_in(page: str) -> dict[str, str]:
    """What a browser would send of the form for a post, without the pictures and the answers of a poll."""
    form = page.split('action="/write', 1)[1].split("</form>")[0]
    found = {
        name: unescape(value)
        for name, value in re.findall(r'<input(?! type="radio")[^>]*? name="([\w-]+)"[^>]*? value="([^"]*)"', form)
    }
    found |= dict(re.findall(r'<input type="radio" name="(\w+)" value="(\w+)" checked', form))
    found |= {
        name: unescape(value)
        for name, value in re.findall(r'<textarea[^>]*? name="(\w+)"[^>]*>\n?(.*?)</textarea>', form, re.S)
    }
    for name, options in re.findall(r'<select[^>]*? name="(\w+)"[^>]*>(.*?)</select>', form, re.S):
        chosen = re.search(r'<option value="([^"]*)" selected', options)
        found[name] = chosen[1] if chosen else ""
    return {
        name: value
        for name, value in found.items()
        if name not in ("csrf", "upload", "answer", "sensitive", "multiple", "anyway")
    }


async def test_a_time_is_in_the_zone_of_who_types_it(blog: Blog) -> None:
    """That of the browser where it says so, else that of the blog; both stand beside the field."""
    owner = await blog.owner()
    sent = {"source": "Later", "do": "publish", "when": "later", "scheduled": "2025-07-01T10:00"}
    assert "Your time, UTC." in (await owner.get("/write")).text
    number = 0
    for zone, hour in (("", 10), ("UTC", 10), ("Europe/Berlin", 8), ("America/New_York", 14)):
        assert (await owner.post("/write", {**sent, "zone": zone})).status_code == 303
        found = await blog.site.db.read(account_posts.drafts, blog.alice.id)
        number = max(each.id for each in found)
        assert 1_751_328_000_000 + hour * 3_600_000 in [each.scheduled for each in found], zone
    page = (await owner.get(f"/write/{number}")).text
    assert 'value="2025-07-01T14:00"' in page
    assert f'name="zone" value="" data-at="{1_751_328_000_000 + 14 * 3_600_000}"' in page
    wrong = await owner.post("/write", {**sent, "zone": "Mars/Olympus_Mons"})
    assert (wrong.status_code, "does not know the time zone Mars/Olympus_Mons" in wrong.text) == (422, True)
    assert 'value="2025-07-01T10:00"' in wrong.text


async def test_a_preview_says_under_what_a_post_will_be_filed(blog: Blog) -> None:
    sent = {"source": "x", "title": "T", "tags": "forest, autumn", "new-category": "Walks", "do": "preview"}
    shown = (await (await blog.owner()).post("/write", sent)).text
    assert shown.count("Walks, forest, autumn") == 2  # in the preview, and on the option


async def test_hashtags_have_a_field_of_their_own(blog: Blog) -> None:
    """Beside those in the text; what is none is refused there, on top of the page, and the field has the focus."""
    owner = await blog.owner()
    sent = {"source": "About #tea", "title": "T", "do": "publish", "tags": "#Networks, card_catalogues  été"}
    wrong = await owner.post("/write", {**sent, "tags": "good 12 e-mail"})
    assert wrong.status_code == 422
    assert '<a href="#tags">These are no hashtags: 12, e-mail.' in wrong.text
    assert re.search(r'id="tags"[^>]* autofocus', wrong.text)
    assert (await owner.post("/write", sent)).status_code == 303
    post = await latest(blog)
    assert {"tea", "networks", "card_catalogues", "été"} == {each.lower() for each in post.hashtags}
    page = (await owner.get(f"/write/{post.id}")).text
    assert set(typed_in(page)["tags"].lower().split()) == {"networks", "card_catalogues", "été"}
    await owner.post(f"/write/{post.id}", {**typed_in(page), "tags": "", "do": "publish"})
    assert {each.lower() for each in (await latest(blog)).hashtags} == {"tea"}


async def test_an_edit_freezes_no_abstract_that_its_author_did_not_write(blog: Blog) -> None:
    article = await blog.write("It begins so.", title="Tides")
    old = await blog.write("It began so.", title="Ebbs")
    await blog.site.db.write(  # as earlier versions stored it
        lambda tx: tx.run("update post set summary = '<p>It began so.</p>' where id = :id", id=old.id)
    )
    owner = await blog.owner()
    for number in (article.id, old.id):
        typed = typed_in((await owner.get(f"/write/{number}")).text)
        assert typed["summary"] == ""
        answer = await owner.post(f"/write/{number}", {**typed, "source": "It begins otherwise.", "do": "publish"})
        assert answer.status_code == 303
        after = await blog.site.db.read(posts.stored, number)
        assert after is not None
        assert (after.summary, abstract(after)) == ("", "It begins otherwise.")


async def test_an_article_for_later_keeps_its_slug(blog: Blog) -> None:
    at = blog.clock() + 86_400_000
    kept = await blog.write("Text", title="On Tides", slug="tides", state="scheduled", scheduled=at)
    owner = await blog.owner()
    typed = typed_in((await owner.get(f"/write/{kept.id}")).text)
    await owner.post(f"/write/{kept.id}", {**typed, "source": "More", "do": "schedule"})
    again = await latest(blog, "scheduled")
    assert (again.slug, again.source and again.source.content) == ("tides", "More")
    assert typed["when"] == "later"
    typed = typed_in((await owner.get(f"/write/{again.id}")).text)
    await owner.post(f"/write/{again.id}", {**typed, "title": "On Tides and Ebbs", "when": "now", "do": "publish"})
    assert (await latest(blog)).slug == "tides"


async def test_a_slug_that_nobody_chose_follows_the_title(blog: Blog) -> None:
    kept = await blog.write("Text", title="On Tides", state="draft")
    owner = await blog.owner()
    typed = typed_in((await owner.get(f"/write/{kept.id}")).text)
    await owner.post(f"/write/{kept.id}", {**typed, "title": "On Ebbs", "do": "publish"})
    assert (await latest(blog)).slug == "on-ebbs"


async def test_delete_asks_first(blog: Blog) -> None:
    post = await blog.write("Soon gone")
    owner = await blog.owner()
    assert "waits in your trash for 30 days" in (await owner.get(f"/post/{post.id}/delete")).text
    await blog.site.db.write(post_preferences.put, blog.alice.id, Defaults(trash=False))
    assert "cannot be undone" in (await owner.get(f"/post/{post.id}/delete")).text
    assert (await owner.post(f"/post/{post.id}/delete")).status_code == 303
    assert (await owner.get(f"/@alice/{post.id}")).status_code == 410


async def test_nobody_edits_what_others_wrote(blog: Blog) -> None:
    bob = await blog.stranger()
    heard = await blog.heard(bob, "<p>Bob's</p>", 1)
    owner = await blog.owner()
    assert (await owner.get(f"/write/{heard.id}")).status_code == 404
    assert (await owner.get(f"/post/{heard.id}/delete")).status_code == 404
    assert (await owner.post(f"/post/{heard.id}/delete")).status_code == 404
    assert (await owner.post(f"/write/{heard.id}", {"source": "Mine", "do": "publish"})).status_code == 404


async def test_reply(blog: Blog) -> None:
    bob = await blog.stranger()
    heard = await blog.heard(bob, "<p>A question</p>", 1, summary="Careful")
    owner = await blog.owner()
    page = (await owner.get(f"/write?reply={heard.id}")).text
    assert "A question" in page
    assert "@bob@far.example " in page
    assert 'value="Careful"' in page
    typed = {"source": "@bob@far.example An answer", "reply": str(heard.id), "visibility": "unlisted", "do": "publish"}
    assert (await owner.post("/write", typed)).status_code == 303
    post = await latest(blog)
    assert (post.parent, post.in_reply_to) == (heard.id, heard.uri)
    assert "An answer" in (await owner.get(f"/post/{heard.id}")).text


async def test_no_button_beside_the_sheet_throws_away_what_was_typed(blog: Blog) -> None:
    """What is answered or quoted stands there to be read: on every page of the desk the sheet is the only form."""
    poll = Poll(options=(Option(name="Yes"), Option(name="No")), ends=None)
    asked = await blog.heard(await blog.stranger(), "<p>A question</p>", 1, poll=poll)
    mine = await blog.write("Mine")
    answer = await blog.write("An answer", reply_to=asked.id)
    owner = await blog.owner()
    assert f'action="/post/{asked.id}/vote"' in (await owner.get(f"/post/{asked.id}")).text
    sent = {"source": "Typed", "do": "preview"}
    for page in (
        *[await owner.get(f"/write?{about}={post.id}") for about in ("reply", "quote") for post in (asked, mine)],
        *[await owner.get(f"/write/{post.id}") for post in (answer, mine)],
        *[await owner.post("/write", {**sent, about: str(asked.id)}) for about in ("reply", "quote")],
    ):
        main = page.text.partition("<main")[2]
        assert page.status_code == 200
        assert main.count("<form") == 1, page.url
        assert main.count("<button") == main.partition('<form class="write"')[2].count("<button"), page.url


@pytest.mark.parametrize("state", ["draft", "scheduled", "published"])
async def test_what_was_deleted_while_it_was_edited_becomes_a_new_post(blog: Blog, state: str) -> None:
    """Nothing that was typed is lost, and the way on is no circle."""
    post = await blog.write("Old", state=state, scheduled=blog.clock.now + 3_600_000 if state == "scheduled" else None)
    owner = await blog.owner()
    await owner.post(f"/post/{post.id}/delete")
    for do in ("publish", "preview", "draft", "schedule"):
        typed = {"source": "What I typed", "do": do, "scheduled": "2090-01-01T10:00"}
        answer = await owner.post(f"/write/{post.id}", typed)
        assert answer.status_code == 404
        assert "is not there any more" in answer.text
        assert "What I typed" in answer.text
        assert 'action="/write"' in answer.text
    assert (await owner.post("/write", {"source": "What I typed", "do": "publish"})).status_code == 303
    assert "What I typed" in (await latest(blog)).content


@pytest.mark.parametrize("about", ["reply", "quote"])
async def test_what_an_answer_is_about_may_go_while_it_is_written(blog: Blog, about: str) -> None:
    post, owner = await blog.write("Old"), await blog.owner()
    await owner.post(f"/post/{post.id}/delete")
    answer = await owner.post("/write", {"source": "What I typed", about: str(post.id), "do": "publish"})
    assert (answer.status_code, "What I typed" in answer.text) == (404, True)
    assert "not there any more" in answer.text or "cannot be quoted" in answer.text
    assert f'name="{about}"' not in answer.text


@pytest.mark.parametrize("do", ["schedule", "draft", "publish"])
async def test_what_falls_due_while_it_is_edited_is_saved_as_an_edit(blog: Blog, do: str) -> None:
    post = await blog.write("Old", state="scheduled", scheduled=blog.clock.now + 3_600_000)
    owner = await blog.owner()
    blog.clock.forward(seconds=7200)
    await blog.site.db.write(post_actions.release, blog.site.urls, post.id)
    typed = {"source": "What I typed", "visibility": "direct", "scheduled": "", "do": do}
    for scheduled in ("", "2020-01-01T10:00", "2090-01-01T10:00"):
        answer = await owner.post(f"/write/{post.id}", {**typed, "scheduled": scheduled})
        assert answer.status_code == 422
        assert "It has been published meanwhile." in answer.text
        assert "What I typed" in answer.text
        assert 'name="visibility" value="public"' in answer.text
    assert await updates(blog) == 0
    answer = await owner.post(f"/write/{post.id}", {**typed, "visibility": "public", "do": "publish"})
    assert answer.status_code == 303
    after = await latest(blog)
    assert (after.id, after.visibility, "What I typed" in after.content) == (post.id, "public", True)


async def test_like_boost_and_pin(blog: Blog) -> None:
    bob = await blog.stranger()
    heard = await blog.heard(bob, "<p>Nice</p>", 1)
    mine = await blog.write("Mine")
    owner = await blog.owner()

    async def state() -> tuple[int, int]:
        post = await blog.site.db.read(posts.stored, heard.id)
        assert post is not None
        return post.like_total, post.boost_total

    for action, after in (("like", (1, 0)), ("boost", (1, 1)), ("unlike", (0, 1)), ("unboost", (0, 0))):
        answer = await owner.post(f"/post/{heard.id}/{action}", {"next": f"/post/{heard.id}#p{heard.id}"})
        assert answer.headers["location"] == f"/post/{heard.id}#p{heard.id}"
        assert await state() == after, action
    await owner.post(f"/post/{mine.id}/pin")
    assert [post.id for post in await blog.site.db.read(account_posts.pinned, blog.alice.id)] == [mine.id]
    secret = await blog.write("Friends", visibility="followers")
    assert (await owner.post(f"/post/{secret.id}/pin")).status_code == 422


async def test_polls(blog: Blog) -> None:
    bob = await blog.stranger()
    poll = Poll(options=(Option(name="Tea", votes=2), Option(name="Coffee", votes=1)), ends=blog.clock.now + 3_600_000)
    heard = await blog.heard(bob, "<p>Tea or coffee?</p>", 1, poll=poll)
    owner = await blog.owner()
    assert 'name="choice" value="Tea"' in (await owner.get(f"/post/{heard.id}")).text
    answer = await owner.post(f"/post/{heard.id}/vote", {"choice": "Tea", "next": f"/post/{heard.id}"})
    assert answer.status_code == 303
    voted = (await owner.get(f"/post/{heard.id}")).text
    assert "Your vote is counted." in voted
    assert 'name="choice"' not in voted
    assert (await owner.post(f"/post/{heard.id}/vote", {"choice": "Tea"})).status_code == 422
    await blog.site.db.write(timelines.spread, heard, None, blog.alice.id)
    stream = (await owner.get("/stream")).text
    assert "Tea or coffee?" in stream
    assert 'name="choice"' not in stream
    other = await blog.heard(bob, "<p>And now?</p>", 2, poll=poll)
    blog.clock.forward(hours=2)
    assert 'name="choice"' not in (await owner.get(f"/post/{other.id}")).text


async def test_pages_of_people_and_notices_are_full_and_lead_on(blog: Blog) -> None:
    people = [await blog.stranger(f"guest{n}") for n in range(45)]

    def meet(tx: Tx) -> None:
        for n, each in enumerate(people):
            relations.put_follow(tx, each.id, blog.alice.id, "", "accepted")
            relations.put_follow(tx, blog.alice.id, each.id, "", "accepted")
            tx.run("update follow set created = created + :n where :id in (follower, followed)", n=n, id=each.id)
            notifications.add(tx, blog.alice.id, "follow", each.id)
        accounts.set_state(tx, people[-1].id, "suspended")

    await blog.site.db.write(meet)
    owner = await blog.owner()
    for start in ("/notices", "/people?show=followers", "/people?show=following"):
        address, shown = start, list[int]()
        while address:
            text = (await owner.get(address)).text
            shown += map(int, dict.fromkeys(re.findall(r'href="/account/(\d+)"', text)))
            after = re.search(r'href="([^"]*(?:before|after)=[^"]*)"', text)
            address = unescape(after[1]) if after else ""
        assert shown == [each.id for each in people[-2::-1]], start
    for collection in (blog.alice.followers, blog.alice.following):
        address, uris = f"{collection}?after=0", []
        while address:
            page = (await blog.browser().get(address, accept="application/activity+json")).json()
            uris += page["orderedItems"]
            address = page.get("next", "")
        assert uris == [each.uri for each in people[-2::-1]]


async def test_people_and_requests(blog: Blog) -> None:
    bob, eve = await blog.stranger(), await blog.stranger("eve")
    await blog.site.db.write(relations.put_follow, eve.id, blog.alice.id, "https://far.example/f/1", "pending")
    owner = await blog.owner()

    async def relation(other: int) -> Relation:
        return await blog.site.db.read(relations.between, blog.alice.id, other)

    assert (
        "Eve" in (await owner.get("/people?show=requests")).text
        or "eve" in (await owner.get("/people?show=requests")).text
    )
    await owner.post(f"/account/{eve.id}/accept")
    assert (await relation(eve.id)).followed_by
    await owner.post(f"/account/{eve.id}/remove")
    assert not (await relation(eve.id)).followed_by
    answer = await owner.post("/find", {"q": "@bob@far.example"})
    assert answer.headers["location"] == f"/account/{bob.id}"
    await owner.post(f"/account/{bob.id}/follow")
    assert (await relation(bob.id)).requested
    assert "Withdraw request" in (await owner.get("/people")).text
    await owner.post(f"/account/{bob.id}/mute")
    assert "@bob@far.example" in (await owner.get("/people?show=muted")).text
    await owner.post(f"/account/{bob.id}/block")
    assert (await relation(bob.id)).blocking
    await owner.post(f"/account/{bob.id}/unblock")
    assert not (await relation(bob.id)).blocking
    wrong = await owner.post("/find", {"q": "@non@sense"})
    assert wrong.status_code == 422
    assert 'value="@non@sense"' in wrong.text


async def test_stream_and_notices(blog: Blog) -> None:
    bob = await blog.stranger(name="Bob")
    await blog.site.db.write(relations.put_follow, blog.alice.id, bob.id, "https://blog.test/x/1", "accepted")
    heard = await blog.heard(bob, "<p>News from Bob</p>", 1)
    await blog.site.db.write(timelines.spread, heard)
    mine = await blog.write("Mine")
    await blog.site.db.write(reactions.react, bob.id, mine.id, "https://far.example/l/1")
    await blog.site.db.write(notifications.add, blog.alice.id, "like", bob.id, mine.id)
    owner = await blog.owner()
    stream = (await owner.get("/stream")).text
    assert "News from Bob" in stream
    assert "Mine" in stream
    assert '<span class="badge">1</span>' in stream
    assert "likes your post" in (await owner.get("/notices")).text
    assert '<span class="badge">' not in (await owner.get("/stream")).text


async def test_search_and_find(blog: Blog) -> None:
    await blog.write("The quick brown fox")
    bob = await blog.stranger()
    owner = await blog.owner()
    assert "<mark>brown</mark> fox" in (await owner.get("/search?q=brown")).text
    assert "Nothing found" in (await owner.get("/search?q=purple")).text
    assert "Look it up" in (await owner.get("/search?q=@bob@far.example")).text
    for ours in ("@nobody@blog.test", "nobody@blog.test", f"{ORIGIN}/@nobody"):
        assert "Look it up" not in (await owner.get(f"/search?q={ours}")).text, ours
    assert (await owner.post("/find", {"q": "@bob@far.example"})).headers["location"] == f"/account/{bob.id}"
    for words in ("two words", "@bob", "#tea"):  # which name nobody
        led = (await owner.post("/find", {"q": words, "kind": "note"})).headers["location"]
        assert led == f"/search?{urlencode({'q': words, 'kind': 'note'})}"
    post = await blog.write("Mail to bob@away.example")
    assert (await owner.post("/find", {"q": post.url})).headers["location"] == post.url.removeprefix(ORIGIN)
    answer = await owner.post("/find", {"q": "bob@away.example"})
    assert answer.status_code == 422
    assert 'id="q-problem"' in answer.text


async def test_our_own_people_are_found_by_whom_they_may_be(blog: Blog) -> None:
    """By name, handle or address: visitors find who wants to be found; nobody finds who blocks them."""
    db, urls, keys = blog.site.db, blog.site.urls, make_keys()

    async def write(account: Account, text: str, visibility: Visibility = Visibility.PUBLIC) -> Post:
        blog.clock.forward(seconds=60)
        return await db.write(wording.publish, urls, account.id, Draft(source=text, visibility=visibility))

    add = account_actions.add_account
    ann, shy = [await db.write(add, urls, blog.alice.login or 0, handle, "", keys) for handle in ("ann", "shy")]
    told = {"ann": await write(ann, "Of the sea"), "shy": await write(shy, "Of the hills")}
    await write(ann, "For followers", Visibility.FOLLOWERS)

    def name(tx: Tx) -> None:
        accounts.update_profile(tx, ann.id, name="Ann Øster")
        accounts.update_profile(tx, shy.id, name="Shy Øster", discoverable=0)

    await db.write(name)
    await blog.stranger("anna", discoverable=True)
    owner, visitor = await blog.owner(), blog.browser()
    await owner.post("/session/account", {"account": blog.alice.id})

    async def found(browser: Browser, words: str) -> set[str]:
        page = re.sub("</?mark>", "", (await browser.get(f"/search?{urlencode({'q': words})}")).text)
        people = {each.partition("@")[0] for each in re.findall(r'<bdi class="acct quiet" dir="ltr">@([^<]*)<', page)}
        return people | {words for words in ("Of the sea", "Of the hills", "For followers") if words in page}

    hers = {"ann", "Of the sea"}
    for words in ("ann", "@an", "@ann@blog.test", ann.url, ann.uri, "øster", "ØSTER", "Ann Ø"):
        assert await found(visitor, words) == hers, words
        assert {"ann", "shy"} & await found(owner, words) >= {"ann"}, words
    assert await found(owner, "@ann@blog.test") == hers
    assert "anna" in await found(owner, "@ann")  # of another server
    for words in (told["ann"].url, told["ann"].uri):
        assert await found(visitor, words) == await found(owner, words) == hers, words
    for words in ("shy", "@shy", "@shy@blog.test", shy.url, shy.uri, told["shy"].url, "hills"):
        assert await found(visitor, words) == set(), words
    assert await found(owner, "shy") == {"shy"}
    assert await found(owner, "hills") == {"shy", "Of the hills"}
    assert "Look it up" not in (await visitor.get("/search?q=@nobody@far.example")).text
    assert "Disallow: /search" in (await visitor.get("/robots.txt")).text
    await db.write(moderation_actions.block, urls, ann.id, blog.alice.id)
    for words in ("ann", "@ann@blog.test", ann.url, told["ann"].url, "øster", "sea"):
        assert not hers & await found(owner, words), words
    assert await found(visitor, "ann") == hers


async def test_a_search_pages_on_and_finds_hashtags(blog: Blog) -> None:
    """Each of the posts is on one of the pages, whether words or a hashtag are looked for, however it is typed."""
    written = {(await blog.write(f"Fish {number} #Café")).id for number in range(35)}
    written.add((await blog.write("Fish in private #café", visibility=Visibility.FOLLOWERS)).id)
    await blog.write("Meat #Cafés")
    owner = await blog.owner()
    for words in ("fish", "#café", "#CAFE\u0301", "\uff03Café"):
        path, found = f"/search?{urlencode({'q': words})}", list[int]()
        while path:
            page = (await owner.get(path)).text
            found += [int(number) for number in re.findall(r'<article [^>]*id="p(\d+)"', page)]
            older = re.search(r'href="(/search[^"]*)"[^>]* rel="next"|rel="next"[^>]* href="(/search[^"]*)"', page)
            path = unescape(older[1] or older[2]) if older else ""
        assert len(found) == len(set(found)), words
        assert set(found) == written, words
    assert "Nothing found" in (await owner.get("/search?q=%23caf")).text


async def test_a_visitor_finds_by_a_hashtag_what_its_page_shows(blog: Blog) -> None:
    """And by words what is for everybody; where nothing is found, the page says how more would be."""
    for visibility in Visibility:
        await blog.write(f"Fish for {visibility} #Café", visibility=visibility)
    bob = await blog.stranger()
    await blog.heard(bob, "<p>Fish of another</p>", 1, hashtags=("café",))
    visitor = blog.browser()

    async def shown(path: str) -> list[str]:
        return re.findall(r'<article [^>]*id="p(\d+)"', (await visitor.get(path)).text)

    there = await shown("/tags/café")
    assert len(there) == 1
    for words in ("%23caf%C3%A9", "%23CAFE%CC%81", "%EF%BC%83Caf%C3%A9"):
        assert await shown(f"/search?q={words}") == there, words
    page = (await visitor.get("/search?q=%23none")).text
    assert ("Nothing found" in page, "log in" in page) == (True, False)
    assert await shown("/search?q=fish") == there
    page = (await visitor.get("/search?q=meat")).text
    assert ("Nothing found" in page, "To search in all that you read, log in." in page) == (True, True)
    assert 'href="/login?next=/search%3Fq%3Dmeat"' in page
    german = (await visitor.get("/search?q=meat", accept_language="de")).text
    assert "Melde dich an, um in allem zu suchen, was du liest." in german


async def test_a_button_pressed_after_a_log_out_leads_to_the_log_in_and_back(blog: Blog) -> None:
    bob = await blog.stranger()
    owner = await blog.owner()
    page = (await owner.get(f"/account/{bob.id}")).text
    assert f'name="next" value="/account/{bob.id}"' in page
    csrf = owner.csrf
    await owner.post("/logout")
    for onward, led in ((f"/account/{bob.id}", f"/account/{bob.id}"), ("https://evil.test/", "/")):
        answer = await owner.post(f"/account/{bob.id}/follow", {"csrf": csrf, "next": onward})
        assert answer.status_code == 403
        assert "Log in first." in answer.text
        assert f'href="/login?next={led}"' in answer.text.partition("<main")[2]


async def test_a_server_that_does_not_exist_is_called_so(blog: Blog, monkeypatch: pytest.MonkeyPatch) -> None:
    async def nothing(_names: Names, _host: str, _port: int) -> tuple[str, ...]:
        return ()

    monkeypatch.setattr(Names, "addresses", nothing)
    owner = await blog.owner()
    for path, field in (("/find", "q"), ("/settings/alias", "alias"), ("/settings/move", "target")):
        answer = await owner.post(path, {field: "@bob@nowhere.example", "sure": "1", "password": PASSWORD})
        assert (answer.status_code, "There is no server of that name." in answer.text) == (422, True), path

    async def silent(_names: Names, _host: str, _port: int) -> tuple[str, ...]:
        raise Unavailable("timeout")

    monkeypatch.setattr(Names, "addresses", silent)
    for wanted in ("@bob@silent.example", "https://silent.example/@bob/1"):
        answer = await owner.post("/find", {"q": wanted})
        assert (answer.status_code, "Their server does not answer now." in answer.text) == (422, True), wanted
        assert f'value="{wanted}"' in answer.text


async def test_a_heading_is_not_said_again_below_it(blog: Blog) -> None:
    for spoken in ("en", "de"):
        main = (await blog.browser().get("/@alice/12", accept_language=spoken)).text.partition("<main")[2]
        heading = main.partition("<h1>")[2].partition("</h1>")[0]
        assert main.count(heading) == 1


async def test_how_many_somebody_follows_is_said_as_the_language_does(blog: Blog) -> None:
    for spoken, said in (("en", "<strong>0</strong> following"), ("de", "folgt <strong>0</strong>")):
        assert said in (await blog.browser().get("/@alice", accept_language=spoken)).text


async def test_settings(blog: Blog) -> None:
    owner = await blog.owner()
    typed = {
        "display": "Alice M.",
        "summary": "I *sail*",
        "field-name": ["Web", "", "Boat"],
        "field-value": ["https://alice.example", "", "Blue"],
        "locked": "1",
    }
    answer = await owner.post("/settings", typed, files={"icon": ("me.png", picture(), "image/png")})
    assert answer.status_code == 303
    after = await blog.site.db.read(accounts.get, blog.alice.id)
    assert after is not None
    assert (after.name, after.summary_source, after.locked, after.indexable) == ("Alice M.", "I *sail*", True, False)
    assert [field.name for field in after.fields] == ["Web", "Boat"]
    assert after.icon is not None
    page = (await owner.get("/settings")).text
    assert 'value="https://alice.example"' in page
    assert "Your profile is saved." in page
    wrong = await owner.post("/settings", {**typed, "summary": "y" * 6000})
    assert wrong.status_code == 422
    assert "y" * 6000 in wrong.text
    unsure = await owner.post("/settings/move", {"target": "@me@elsewhere.example"})
    assert unsure.status_code == 422
    assert 'value="@me@elsewhere.example"' in unsure.text


async def test_moderation_and_workings(blog: Blog) -> None:
    post = await blog.write("Widely read", title="Wide")
    await blog.site.db.write(moderation.refused, "evil.example", "https://evil.example/u", "Create", "signature-wrong")
    await blog.site.db.write(
        moderation.report, "https://far.example/r/1", None, blog.alice.id, [post.uri], "Not kind <b>at all</b>"
    )
    owner = await blog.owner()
    assert "signature-wrong" in (await owner.get("/refusals")).text
    page = (await owner.get("/moderation")).text
    assert "Not kind &lt;b&gt;" in page
    number = re.findall(r"/moderation/report/(\d+)", page)[0]
    await owner.post(f"/moderation/report/{number}/close")
    [report] = await blog.site.db.read(moderation.reports)
    assert report.closed_by == blog.alice.id
    assert (await owner.post("/moderation/block", {"host": "evil.example", "reason": "Spam"})).status_code == 303
    assert await blog.site.db.read(hosts.is_blocked, "evil.example")
    wrong = await owner.post("/moderation/block", {"host": "not a host", "reason": "Why"})
    assert (wrong.status_code, 'value="Why"' in wrong.text) == (422, True)
    await owner.post("/moderation/unblock", {"host": "evil.example"})
    assert not await blog.site.db.read(hosts.is_blocked, "evil.example")
    assert "Wide" in (await owner.get("/deliveries")).text


async def test_a_poll_is_written_previewed_kept_and_published(blog: Blog) -> None:
    owner = await blog.owner()
    assert (await owner.get("/write")).text.count('name="answer"') == 4
    typed = {"source": "Tea?", "answer": ["Yes", " No ", "", "Never", "At five"], "multiple": "1", "period": "3600"}
    preview = (await owner.post("/write", {**typed, "do": "preview"})).text
    assert '<li dir="auto">Never</li>' in preview
    assert preview.count('name="answer"') == 6
    assert '<option value="3600" selected>' in preview
    wrong = await owner.post("/write", {"source": "Tea?", "answer": ["Yes", "yes", "Yes"], "do": "publish"})
    assert wrong.status_code == 422
    assert 'id="poll-problem"' in wrong.text
    titled = await owner.post("/write", {**typed, "title": "On tea", "do": "publish"})
    assert titled.status_code == 422
    assert "without a title" in titled.text
    await owner.post("/write", {**typed, "do": "draft"})
    draft = await latest(blog, "draft")
    blog.clock.forward(minutes=50)
    page = (await owner.get(f"/write/{draft.id}")).text
    assert 'value="At five"' in page
    assert '<option value="3600" selected>' in page
    assert 'name="multiple" value="1" checked' in page
    assert (await owner.post(f"/write/{draft.id}", {**typed, "do": "publish"})).status_code == 303
    post = await latest(blog)
    assert post.poll is not None
    assert [option.name for option in post.poll.options] == ["Yes", "No", "Never", "At five"]
    assert (post.kind, post.poll.multiple, post.poll.ends) == ("Question", True, blog.clock.now + 3_600_000)
    assert "0 votes" in (await owner.get(f"/@alice/{post.id}")).text
    edit = (await owner.get(f"/write/{post.id}")).text
    assert 'name="answer"' not in edit
    assert "stays as it is" in edit
    await owner.post(f"/write/{post.id}", {"source": "Tea or coffee?", "do": "publish"})
    after = await latest(blog)
    assert ("coffee" in after.content, after.poll) == (True, post.poll)
    assert await updates(blog) == 1
    await owner.post(f"/write/{post.id}", {"source": "Tea or coffee?", "do": "publish"})
    assert await updates(blog) == 1  # saved as it was


async def test_a_scheduled_poll_keeps_its_time(blog: Blog) -> None:
    owner = await blog.owner()
    typed = {"source": "Tea?", "answer": ["Yes", "No"], "period": "604800", "do": "schedule"}
    await owner.post("/write", {**typed, "scheduled": "2025-07-01T10:00"})
    draft = await latest(blog, "draft")
    assert '<option value="604800" selected>' in (await owner.get(f"/write/{draft.id}")).text


async def test_fields_are_edited_as_they_were_written(blog: Blog) -> None:
    owner = await blog.owner()
    typed = {"field-name": ["Web", "I like"], "field-value": ["[my site](https://alice.example)", "*boats* & <tea>"]}
    await owner.post("/settings", typed)
    after = await blog.site.db.read(accounts.get, blog.alice.id)
    assert after is not None
    assert 'href="https://alice.example"' in after.fields[0].value
    assert after.fields_source == (("Web", "[my site](https://alice.example)"), ("I like", "*boats* & <tea>"))
    page = (await owner.get("/settings")).text
    assert 'value="[my site](https://alice.example)"' in page
    assert 'value="*boats* &amp; &lt;tea&gt;"' in page


async def test_a_profile_from_an_app_is_edited_as_what_it_is(blog: Blog) -> None:
    """The form says that it is plain text, and keeps it so until its author wants Markdown; mentions are links."""
    owner = await blog.owner()
    assert 'name="plain"' not in (await owner.get("/settings")).text
    sent = account_actions.ProfileChanges(
        summary="*a*\nb", summary_plain=True, fields=(("F", "*f*"),), fields_plain=True
    )
    await blog.site.db.write(wording.update_profile, blog.site.urls, blog.alice.id, sent)
    assert 'name="plain" value="1" checked' in (await owner.get("/settings")).text
    typed = {"summary": "*a*\r\nb @alice", "plain": "1", "field-name": ["F", "G"], "field-value": ["*f*", "*g*"]}
    shown = {}
    for name, form in {"plain": typed, "markdown": {**typed, "plain": ""}}.items():
        assert (await owner.post("/settings", form)).status_code == 303
        after = await blog.site.db.read(accounts.get, blog.alice.id)
        assert after is not None
        assert f'href="{blog.alice.url}"' in after.summary
        shown[name] = (after.summary.partition(" <span")[0], *(each.value for each in after.fields))
    assert shown["plain"] == ("<p>*a*<br>\nb", "*f*", "*g*")
    assert shown["markdown"] == ("<p><em>a</em>\nb", "*f*", "*g*")


async def test_pictures_of_the_profile_can_be_removed(blog: Blog) -> None:
    owner = await blog.owner()
    assert 'name="icon-drop"' not in (await owner.get("/settings")).text
    files = {"icon": ("me.png", picture(), "image/png"), "image": ("top.png", picture("navy"), "image/png")}
    await owner.post("/settings", {"display": "Alice"}, files=files)

    async def shown() -> tuple[bool, bool]:
        account = await blog.site.db.read(accounts.get, blog.alice.id)
        assert account is not None
        return account.icon is not None, account.image is not None

    assert await shown() == (True, True)
    assert 'name="icon-drop"' in (await owner.get("/settings")).text
    await owner.post("/settings", {"display": "Alice"})
    assert await shown() == (True, True)
    await owner.post("/settings", {"display": "Alice", "image-drop": "1"})
    assert await shown() == (True, False)
    await owner.post("/settings", {"display": "Alice", "icon-drop": "1"}, files={"image": files["image"]})
    assert await shown() == (False, True)
    await owner.post("/settings", {"image-drop": "1"}, files={"image": files["image"]})
    assert await shown() == (False, True)  # the new one took its place


async def test_deliveries_say_how_far_they_got(blog: Blog) -> None:
    bob, eve = await blog.stranger(), await blog.stranger("eve", "other.example")
    post = await blog.write("On its way?")
    owner = await blog.owner()
    page = (await owner.get("/deliveries")).text
    assert "On its way" in page
    assert "no other server" not in page

    async def page_after(action: object) -> str:
        await blog.site.db.write(action)  # type: ignore[arg-type]
        return (await owner.get("/deliveries")).text

    page = await page_after(lambda tx: job_queue.drop(tx, "fanout", str(post.id)))
    assert "no other server" in page
    assert "<p>On its way" not in page
    page = await page_after(lambda tx: delivery_queue.add_deliveries(tx, post.id, [bob.inbox, eve.inbox]))
    assert "reached 0 of 2 servers, 2 waiting" in page
    page = await page_after(lambda tx: tx.run("update outgoing set reached = 1 where id = :id", id=post.id))
    assert "reached 1 of 2 servers, 1 waiting" in page


async def test_following_from_elsewhere_leads_to_the_search(blog: Blog) -> None:
    bob = await blog.stranger()
    heard = await blog.heard(bob, "<p>Nice</p>", 1, url="https://far.example/@bob/1")
    stranger = await blog.browser().get("/people?follow=acct%3Abob%40far.example")
    assert stranger.headers["location"] == "/login?next=/people%3Ffollow%3Dacct%253Abob%2540far.example"
    owner = blog.browser()
    await owner.get(stranger.headers["location"])
    typed = {"name": "alice", "password": PASSWORD, "next": "/people?follow=acct%3Abob%40far.example"}
    assert (await owner.post("/login", typed)).headers["location"] == typed["next"]
    for wanted, shown in (
        ("acct%3Abob%40far.example", "bob@far.example"),
        ("%40bob%40far.example", "@bob@far.example"),
        ("https%3A%2F%2Ffar.example%2F%40bob", "https://far.example/@bob"),
    ):
        led = (await owner.get(f"/people?follow={wanted}")).headers["location"]
        assert f'value="{shown}"' in (await owner.get(led)).text
        answer = await owner.post("/find", {"q": shown})
        assert answer.headers["location"] == f"/account/{bob.id}"
    for address in (heard.uri, heard.url):  # others use the same address to have their visitors answer a post
        assert (await owner.post("/find", {"q": address})).headers["location"] == f"/post/{heard.id}"


async def test_a_login_without_accounts_can_make_one(blog: Blog) -> None:
    owner = await blog.owner()
    await blog.site.db.write(account_actions.delete_account, blog.site.urls, blog.alice.id)
    for address in ("/stream", "/write", "/login"):
        assert (await owner.get(address)).headers["location"] == "/new-account"
    assert (await owner.get("/")).status_code == 200
    page = await owner.get("/new-account")
    assert "You have no account here now" in page.text
    assert page.headers["cache-control"] == "private, no-store"
    taken = await owner.post("/new-account", {"handle": "alice", "display": "Again"})
    assert (taken.status_code, 'value="Again"' in taken.text) == (422, True)
    assert (await owner.post("/logout")).status_code == 303
    assert (await owner.get("/new-account")).headers["location"].startswith("/login")
    answer = await owner.post("/login", {"name": "alice", "password": PASSWORD, "next": "/"})
    assert answer.headers["location"] == "/new-account"
    await owner.get("/new-account")
    made = await owner.post("/new-account", {"handle": "alice2", "display": "Alice"})
    assert (made.status_code, made.headers["location"]) == (303, "/settings")
    assert "@alice2@blog.test" in (await owner.get("/settings")).text
    assert (await owner.get("/new-account")).headers["location"] == "/settings"


async def test_too_large_a_form_is_answered_with_a_page(blog: Blog) -> None:
    owner = await blog.owner()
    large = {"content-length": "70000001"}
    kind = {"content-type": "multipart/form-data; boundary=x"}
    page = await owner.http.post("/write", content=b"x", headers=large | kind)
    assert page.status_code == 413
    assert page.headers["content-type"].startswith("text/html")
    assert "larger than 70 MB" in page.text
    assert "A Test Blog" in page.text
    assert page.headers["content-security-policy"]
    answer = await owner.http.post("/login", content=b"x", headers=large | {"accept": "application/json"})
    assert (answer.status_code, answer.json()["reason"]) == (413, "too-large")
    assert "at most 2 MB" in answer.json()["error"]


async def test_what_was_typed_is_kept_for_the_way_back(blog: Blog) -> None:
    """Browsers forget forms of pages that say `no-store`."""
    owner = await blog.owner()
    for address in ("/write", "/settings"):
        assert (await owner.get(address)).headers["cache-control"] == "private, max-age=0, must-revalidate"


async def test_a_profile_elsewhere_shows_what_its_server_says(blog: Blog) -> None:
    owner, bob = await blog.owner(), await blog.stranger()
    assert "<strong>0</strong> followers" in (await owner.get(f"/account/{bob.id}")).text
    assert await blog.site.db.read(job_queue.is_open, job_kinds.PROFILE_TOTALS, str(bob.id))
    await blog.site.db.write(profile_totals.put, bob.id, 1200, 30, 80)
    page = (await owner.get(f"/account/{bob.id}")).text
    for told in ("<strong>1200</strong> followers", "<strong>30</strong> following", "<strong>80</strong> posts"):
        assert told in page


async def test_descriptions_of_pictures_that_are_refused_stay(blog: Blog) -> None:
    owner = await blog.owner()
    sent = {
        "source": "x",
        "new-alt": ["", "A <b>boat</b>"],
        "new-focus": ["", "0,1"],
        "hero-alt": "A pier",
        "do": "publish",
    }
    none, bad = ("", b"", "application/octet-stream"), ("boat.png", b"no picture", "image/png")
    answer = await owner.post("/write", sent, [("upload", none), ("upload", bad), ("hero-upload", bad)])
    assert answer.status_code == 422
    for kept in ('name="new-alt" type="text" dir="auto" value="A &lt;b&gt;boat&lt;/b&gt;"', 'value="A pier"'):
        assert kept in answer.text
    assert re.search(
        r'name="new-focus">\s*(<option value="[^"]*">[^<]*</option>\s*)*<option value="0,1" selected>', answer.text
    )


async def test_the_preview_says_how_it_will_look_elsewhere(blog: Blog) -> None:
    owner = await blog.owner()
    typed = {"source": "The *text*", "title": "On Tides", "summary": "Ebb & flow", "do": "preview"}
    page = (await owner.post("/write", {**typed, "visibility": "public"})).text
    mastodon = page.partition("On Mastodon")[2].partition("On Misskey")[0]
    assert ("Ebb &amp; flow" in mastodon, "The text" in mastodon, "With a link" in mastodon) == (True, False, True)
    misskey = page.partition("On Misskey")[2].partition("On Lemmy")[0]
    assert "First only the warning: Ebb &amp; flow" in misskey
    assert "Lemmy shows a post only in a community" in page
