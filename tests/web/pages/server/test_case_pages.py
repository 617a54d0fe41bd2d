"""Reports: made by anybody, seen and dealt with by the owner, with all that was done written down."""

from __future__ import annotations

import re

import pytest

from fediblog.actions.drafts import Draft
from fediblog.domain.documents import Visibility
from fediblog.store.people import accounts, relations
from fediblog.store.posts import posts
from fediblog.store.readers import moderation, moderation_log
from fediblog.web.pages.server.visitor_report_page import TRAP
from tests import wording
from tests.web.pages.conftest import Blog
from tests.world import add_person, keys_of


async def log(blog: Blog) -> list[str]:
    return [f"{each.action} {each.subject}".strip() for each in await blog.site.db.read(moderation_log.latest)]


async def test_a_visitor_without_an_account_reports_a_post(blog: Blog) -> None:
    post, browser = await blog.write("Not nice at all"), blog.browser()
    page = (await browser.get(post.url)).text
    [link] = re.findall(r'href="(/report\?post=\d+)"', page)
    assert "Not nice at all" in (await browser.get(link)).text
    empty = await browser.post("/report", {"post": post.id, "comment": " "})
    assert (empty.status_code, "Say in a few words" in empty.text) == (422, True)
    sent = await browser.post("/report", {"post": post.id, "comment": "It <b>hurts</b>"})
    assert (sent.status_code, sent.headers["location"]) == (303, post.url.removeprefix(blog.site.urls.origin))
    assert "Thank you" in (await browser.get(sent.headers["location"])).text
    [report] = await blog.site.db.read(moderation.reports)
    assert (report.reporter, report.target.id, report.posts) == (None, blog.alice.id, (post.uri,))
    owner = await blog.owner()
    assert "1 report waits" in (await owner.get("/notices")).text
    page = (await owner.get("/moderation")).text
    assert '<span class="badge">1</span>' in page
    page = (await owner.get(f"/moderation/report/{report.id}")).text
    assert "It &lt;b&gt;hurts" in page
    assert "Not nice at all" in page


async def test_visitors_report_what_everybody_sees_and_not_without_end(blog: Blog) -> None:
    hidden = await blog.write("Secret", visibility="followers")
    far = await blog.stranger()
    browser, other = blog.browser(), blog.browser("203.0.113.9")
    for named in (f"post={hidden.id}", "post=12", f"account={far.id}", "", "post=x"):
        assert (await browser.get(f"/report?{named}")).status_code == 404, named
    trapped = await browser.post("/report", {"account": blog.alice.id, "comment": "Buy", TRAP: "https://x.test"})
    assert trapped.status_code == 303
    assert await blog.site.db.read(moderation.reports) == []
    for _ in range(4):
        assert (await browser.post("/report", {"account": blog.alice.id, "comment": "Rude"})).status_code == 303
    late = await browser.post("/report", {"account": blog.alice.id, "comment": "Rude again"})
    assert (late.status_code, "Rude again" in late.text, "retry-after" in late.headers) == (429, True, True)
    assert (await other.post("/report", {"account": blog.alice.id, "comment": "Rude"})).status_code == 303
    assert await blog.site.db.read(moderation.open_total) == 5


async def test_an_owner_hides_shows_and_removes_a_reported_post(blog: Blog) -> None:
    far = await blog.stranger()
    heard = await blog.heard(far, "<p>Buy this</p>", 1)
    number = await blog.site.db.write(moderation.report, "https://far.example/r", None, far.id, [heard.uri], "Spam")
    owner, path = await blog.owner(), f"/moderation/post/{heard.id}"
    sent = {"report": number, "next": f"/moderation/report/{number}"}

    async def state() -> str:
        found = await blog.site.db.read(posts.stored, heard.id)
        return found.state if found is not None else "gone"

    for action, after in (("hide", "hidden"), ("show", "published"), ("remove", "gone")):
        answer = await owner.post(path, {**sent, "do": action})
        assert (answer.headers["location"], await state()) == (f"/moderation/report/{number}", after)
        page = (await owner.get(f"/moderation/report/{number}")).text
        assert f"do{action}" not in page
    assert (await owner.post(path, {**sent, "do": "explode"})).status_code == 404
    assert [each.split()[0] for each in await log(blog)] == ["remove-post", "show-post", "hide-post"]
    assert heard.uri in page  # what is gone is named by its address


async def test_removing_one_of_ours_is_told_everywhere(blog: Blog) -> None:
    post, owner = await blog.write("Ours"), await blog.owner()
    await owner.post(f"/moderation/post/{post.id}", {"do": "remove"})
    kinds = await blog.site.db.read(lambda tx: [row.kind for row in tx.all("select kind from outgoing order by id")])
    assert kinds[-1] == "Delete"
    assert (await blog.browser().get(post.url)).status_code == 410


async def test_an_owner_suspends_restores_and_deletes_from_a_report(blog: Blog) -> None:
    far = await blog.stranger()
    number = await blog.site.db.write(moderation.report, "https://far.example/r", None, far.id, [], "Spam")
    owner, path = await blog.owner(), f"/moderation/account/{far.id}"
    early = await owner.post(path, {"do": "delete", "report": number})
    assert early.status_code == 422
    for action, state in (("suspend", "suspended"), ("restore", "active"), ("suspend", "suspended")):
        assert (await owner.post(path, {"do": action, "report": number})).status_code == 303
        assert await blog.site.db.read(accounts.state, far.id) == state
    assert (await owner.post(path, {"do": "delete", "report": number})).status_code == 303
    assert (await owner.post(path, {"do": "explode"})).status_code == 404
    assert (await owner.post(f"/moderation/account/{blog.alice.id}", {"do": "suspend"})).status_code == 422
    await owner.post(f"/moderation/report/{number}/close")
    await owner.post(f"/moderation/report/{number}/reopen")
    page = (await owner.get(f"/moderation/report/{number}")).text
    assert "opened the report again" in page
    done = ["reopen", "close", *(f"{name} @bob@far.example" for name in ("delete", "suspend", "restore", "suspend"))]
    assert await log(blog) == done


@pytest.mark.parametrize("visibility", [Visibility.FOLLOWERS, Visibility.DIRECT])
async def test_a_private_post_is_not_shown_because_a_server_names_it(blog: Blog, visibility: Visibility) -> None:
    """Whoever reports a post shows the owner what they may read, and nothing else."""
    post, far = await blog.write("Between us", visibility=visibility), await blog.stranger()
    number = await blog.site.db.write(moderation.report, "https://x.test/1", far.id, blog.alice.id, [post.uri], "Bad")
    owner = await blog.owner()
    assert "Between us" not in (await owner.get(f"/moderation/report/{number}")).text
    if visibility is Visibility.FOLLOWERS:
        await blog.site.db.write(relations.put_follow, far.id, blog.alice.id, "https://x.test/f", "accepted")
        assert "Between us" in (await owner.get(f"/moderation/report/{number}")).text


async def test_a_limited_account_of_ours_is_in_no_list_for_all_and_behind_a_notice(blog: Blog) -> None:
    db, owner, visitor = blog.site.db, await blog.owner(), blog.browser()
    bob = await db.write(add_person, blog.site.urls, "bob", keys_of("blog.test", "mallory"))
    await db.write(wording.publish, blog.site.urls, bob.id, Draft(source="Cheap watches, only here"), {})
    path = f"/moderation/account/{bob.id}"
    assert "Cheap watches" in (await visitor.get("/")).text
    assert (await owner.post(path, {"do": "limit", "reason": "Too loud"})).status_code == 303
    assert "Cheap watches" not in (await visitor.get("/")).text
    page = await visitor.get("/@bob")
    assert ("its followers only" in page.text, "Cheap watches" in page.text) == (True, False)
    assert "noindex" in page.text
    page = await visitor.get("/@bob?show=posts")
    assert ("Cheap watches" in page.text, "noindex" in page.text) == (True, True)
    assert "Cheap watches" not in (await owner.get("/@bob")).text
    await db.write(relations.put_follow, blog.alice.id, bob.id, "https://blog.test/f", "accepted")
    assert "Cheap watches" in (await owner.get("/@bob")).text, "who follows it sees it as before"
    assert "/@bob" not in (await visitor.get("/sitemap-pages.xml")).text
    assert "@bob" in (await owner.get("/moderation/people?show=limited")).text
    assert (await owner.post(path, {"do": "unlimit"})).status_code == 303
    assert "Cheap watches" in (await visitor.get("/")).text
    assert [each.split()[0] for each in await log(blog)] == ["unlimit", "limit"]


async def test_who_reported_is_answered_and_who_was_reported_is_told_why(blog: Blog) -> None:
    far, owner, post = await blog.stranger(), await blog.owner(), await blog.write("Ours")
    write = blog.site.db.write
    mine = await write(moderation.report, "https://blog.test/r/1", blog.alice.id, far.id, [], "Spam")
    theirs = await write(moderation.report, "https://far.example/r/2", far.id, blog.alice.id, [post.uri], "Rude")
    visitors = await write(moderation.report, "https://blog.test/r/3", None, blog.alice.id, [], "Rude")
    path = f"/moderation/report/{mine}/answer"
    assert (await owner.post(path, {"answer": " "})).status_code == 422
    assert (await owner.post(path, {"answer": "We looked at <it>"})).status_code == 303
    for number in (theirs, visitors):
        assert (await owner.post(f"/moderation/report/{number}/answer", {"answer": "x"})).status_code == 404
    assert "do not answer each other" in (await owner.get(f"/moderation/report/{theirs}")).text
    assert "left no address" in (await owner.get(f"/moderation/report/{visitors}")).text
    await owner.post(f"/moderation/post/{post.id}", {"do": "hide", "reason": "Against the rules", "report": theirs})
    shown = (await owner.get("/notices")).text
    for words in ("@bob@far.example", "We looked at &lt;it&gt;", "hide a post of yours", "Against the rules"):
        assert words in shown, words
    assert "Against the rules" in (await owner.get(f"/moderation/report/{theirs}")).text
    assert "Against the rules" in (await owner.get("/stream")).text


async def test_rules_about_servers_are_set_and_lifted(blog: Blog) -> None:
    far, owner = await blog.stranger(domain="sub.far.example"), await blog.owner()
    rule = {"host": "far.example", "severity": "silence", "reject_media": "1", "reason": "loud"}
    assert (await owner.post("/moderation/block", rule)).status_code == 303
    page = (await owner.get("/moderation")).text
    assert ("far.example" in page, "Reject media" in page) == (True, True)
    found = await blog.site.db.read(accounts.get, far.id)
    assert found is not None
    assert (found.limited, found.media_rejected, found.state) == (2, True, "active")
    assert "its followers only" in (await owner.get(f"/account/{far.id}")).text
    assert "its followers only" not in (await owner.get(f"/account/{far.id}?show=posts")).text
    answer = await owner.get("/moderation/blocks.csv")
    assert "far.example,silence,true,false,loud,false" in answer.text
    wrong = await owner.post("/moderation/block", {**rule, "host": "blog.test"})
    assert (wrong.status_code, 'value="blog.test"' in wrong.text) == (422, True)
    assert (await owner.post("/moderation/unblock", {"host": "far.example"})).status_code == 303
    assert await log(blog) == ["unblock-host far.example", "limit-host far.example"]


async def test_the_allow_list_is_filled_and_switched(blog: Blog) -> None:
    far, owner = await blog.stranger(domain="sub.far.example"), await blog.owner()
    assert (await owner.post("/moderation/allow-list", {"do": "on"})).status_code == 303
    assert "It is on." in (await owner.get("/moderation")).text
    assert await blog.site.db.read(accounts.state, far.id) == "suspended"
    assert (await owner.post("/moderation/allow", {"allowed": "far.example"})).status_code == 303
    assert await blog.site.db.read(accounts.state, far.id) == "active"
    wrong = await owner.post("/moderation/allow", {"allowed": "no host"})
    assert (wrong.status_code, 'value="no host"' in wrong.text) == (422, True)
    assert (await owner.post("/moderation/disallow", {"host": "far.example"})).status_code == 303
    assert await blog.site.db.read(accounts.state, far.id) == "suspended"
    assert (await owner.post("/moderation/allow-list", {"do": "off"})).status_code == 303
    assert await blog.site.db.read(accounts.state, far.id) == "active"
    done = ["allow-list-off", "disallow-host far.example", "allow-host far.example", "allow-list-on"]
    assert await log(blog) == done
