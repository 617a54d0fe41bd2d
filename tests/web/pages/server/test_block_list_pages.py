"""Lists of rules about servers come and go; what one does is shown before it is done."""

from __future__ import annotations

import re
from html import unescape

import httpx

from fediblog.prepare.host_rule_csv import HEAD
from fediblog.store.people import host_rules, relations
from fediblog.store.people.host_rules import HostRule, Severity
from tests.web.pages.conftest import Blog, Browser
from tests.web.pages.server.test_case_pages import log

PATH = "/moderation/import"
LIST = (
    f"{','.join(HEAD)}\n"
    'bad.example,suspend,true,true,"Spam, and worse",false\nmild.example,silence,false,true,,false\n'
    "plain.example,noop,true,false,,false\nnot a host,suspend\nblog.test,suspend\nodd.example,frown\n"
)


async def bring(owner: Browser, text: str) -> httpx.Response:
    await owner.get("/moderation")
    return await owner.post(PATH, files={"list": ("domain_blocks.csv", text, "text/csv")})


async def rules(blog: Blog) -> list[HostRule]:
    return await blog.site.db.read(host_rules.everything)


async def test_what_a_list_does_is_shown_before_it_is_done(blog: Blog) -> None:
    bob, carol = await blog.stranger("bob", "sub.bad.example"), await blog.stranger("carol", "bad.example")
    db, owner = blog.site.db, await blog.owner()
    await db.write(relations.put_follow, blog.alice.id, bob.id, "https://blog.test/f", "accepted")
    for each in (bob, carol):
        await db.write(relations.put_follow, each.id, blog.alice.id, f"{each.uri}/f", "accepted")
    answer = await bring(owner, LIST)
    told = (
        "1 server is blocked",
        "1 server is limited",
        "of 1 server media or reports are rejected",
        "People here follow 1 people on the servers that are blocked, and 2 people there follow somebody here.",
        "3 lines could not be used",
        "This rule is unknown here",
        "Spam, and worse",
    )
    assert [each for each in told if each not in answer.text] == []
    assert await rules(blog) == []
    shown = re.search(r'name="rules" value="([^"]*)"', answer.text)
    assert shown is not None
    done = await owner.post(PATH, {"rules": unescape(shown[1])}, files={"list": ("", b"")})
    assert (done.status_code, done.headers["location"]) == (303, "/moderation")
    stand = [(each.host, each.severity, each.reject_media, each.reject_reports) for each in await rules(blog)]
    assert stand == [
        ("bad.example", Severity.SUSPEND, True, True),
        ("mild.example", Severity.LIMIT, False, True),
        ("plain.example", Severity.NONE, True, False),
    ]
    assert await log(blog) == ["rule-host plain.example", "limit-host mild.example", "block-host bad.example"]


async def test_a_list_that_is_saved_can_be_taken_in(blog: Blog) -> None:
    owner = await blog.owner()
    stand = [
        HostRule(host="bad.example", reason="Spam, and worse"),
        HostRule(host="mild.example", severity=Severity.LIMIT, reject_media=True),
        HostRule(host="plain.example", severity=Severity.NONE, reject_reports=True),
    ]
    await blog.site.db.write(host_rules.put, stand)
    before = await rules(blog)
    saved = await owner.get("/moderation/blocks.csv")
    assert saved.headers["content-type"] == "text/csv; charset=utf-8"
    assert saved.text.splitlines()[1] == 'bad.example,suspend,false,false,"Spam, and worse",false'
    again = await bring(owner, saved.text)
    assert "Nothing of it is new." in again.text
    assert "3 servers have rules already" in again.text
    assert 'name="rules"' not in again.text
    for each in stand:
        await blog.site.db.write(host_rules.lift, each.host)
    await owner.post(PATH, {"rules": saved.text})
    assert await rules(blog) == before


async def test_an_empty_or_overlong_list_is_refused(blog: Blog) -> None:
    owner = await blog.owner()
    empty = await bring(owner, "")
    assert (empty.status_code, 'id="list-problem"' in empty.text) == (422, True)
    assert (await owner.post(PATH, {})).status_code == 422
    assert (await bring(owner, "a.example\n" * 20_001)).status_code == 422
    assert await rules(blog) == []
