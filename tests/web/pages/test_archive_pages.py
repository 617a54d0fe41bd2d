"""The archive: the months of the whole blog and of each account, and those beside each."""

from __future__ import annotations

import re

from tests.web.pages.conftest import Blog
from tests.web.pages.test_desk import typed_in


async def test_months_of_the_blog_and_of_an_account(blog: Blog) -> None:
    await blog.write("In June", title="June")
    blog.clock.forward(days=90)
    await blog.write("In September")
    await blog.write("An answer", reply_to=(await blog.write("Asked")).id)
    blog.clock.forward(days=150)
    await blog.write("Next year")
    visitor = blog.browser()
    for base, whole, later in (("/archive", "/archive", 2), ("/@alice", "/@alice/archive", 3)):
        page = (await visitor.get(whole)).text
        found = re.findall(rf'href="{base}/(\d\d\d\d/\d\d)">[^<]*</a> <span class="quiet">(\d)', page)
        assert found == [("2026/02", "1"), ("2025/09", str(later)), ("2025/06", "1")]
        assert f'href="{base}/2025"' in page
        year = (await visitor.get(f"{base}/2025")).text
        assert ("2025/09" in year, "2026/02" in year, "September 2025" in year) == (True, False, True)
        month = (await visitor.get(f"{base}/2025/09")).text
        assert ("In September" in month, "In June" in month) == (True, False)
        pair = month.partition('class="pn"')[2]
        assert re.findall(r'href="([^"]*)"', pair.partition("</nav>")[0]) == [f"{base}/2025/06", f"{base}/2026/02"]
        for nothing in (f"{base}/2024", f"{base}/2025/07", f"{base}/0000/01"):
            assert (await visitor.get(nothing)).status_code == 404, nothing


async def test_an_empty_archive_says_so(blog: Blog) -> None:
    for path in ("/archive", "/tags", "/categories"):
        answer = await blog.browser().get(path)
        assert (answer.status_code, 'class="empty"' in answer.text) == (200, True)


async def test_the_desk_gives_a_post_a_date_of_the_past(blog: Blog) -> None:
    await blog.write("Now")
    owner = await blog.owner()
    assert "will not be sent to followers" in (await owner.get("/write")).text
    typed = {"source": "From the drawer", "visibility": "public", "do": "publish", "when": "past"}
    answer = await owner.post("/write", typed)
    assert answer.status_code == 422
    assert 'href="#dated"' in answer.text
    answer = await owner.post("/write", {**typed, "dated": "2090-01-01T10:00"})
    assert (answer.status_code, "not in the past" in answer.text) == (422, True)
    assert (await owner.post("/write", {**typed, "dated": "2019-05-17T12:00", "do": "draft"})).status_code == 303
    edit = re.findall(r'href="(/write/[0-9]+)"', (await owner.get("/drafts")).text)[0]
    for _ in range(2):  # the draft keeps it, however often it is saved
        page = (await owner.get(edit)).text
        assert {"when": "past", "dated": "2019-05-17T12:00"}.items() <= typed_in(page).items()
        assert (await owner.post(edit, {**typed_in(page), "do": "draft"})).status_code == 303
    assert (await owner.post(edit, {**typed_in((await owner.get(edit)).text), "do": "publish"})).status_code == 303
    blog.clock.forward(minutes=1)
    assert "From the drawer" in (await blog.browser().get("/archive/2019/05")).text
    home = (await blog.browser().get("/")).text
    assert home.index("Now") < home.index("From the drawer")
