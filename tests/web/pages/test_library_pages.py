"""The pictures that an account has uploaded: its own alone, with where they are used, and deleted only if nowhere."""

from __future__ import annotations

import re

from fediblog.actions.drafts import File
from fediblog.federation import uploads
from fediblog.store.posts import media_files
from fediblog.store.tx import Tx
from tests.security.test_unsent import act_as, another
from tests.web.pages.conftest import Blog
from tests.web.pages.test_desk import picture

JSON = {"accept": "application/json"}
LIBRARY = "/write/pictures"


async def test_a_picture_is_taken_in_while_one_writes(blog: Blog) -> None:
    owner = await blog.owner()
    sent = {"upload": ("a.png", picture(), "image/png")}
    answer = await owner.post("/write/picture", files=sent, headers=JSON)
    assert answer.status_code == 200
    assert (await blog.browser().get(answer.json()["path"])).headers["content-type"].startswith("image/")
    wrong = await owner.post("/write/picture", files={"upload": ("a.svg", b"<svg/>", "image/svg+xml")}, headers=JSON)
    assert (wrong.status_code, "not a picture" in wrong.json()["error"]) == (422, True)
    assert (await owner.post("/write/picture", headers=JSON)).status_code == 422
    assert (await blog.browser().post("/write/picture", files=sent, headers=JSON)).status_code == 403


async def test_ones_own_pictures_with_where_they_are_used(blog: Blog) -> None:
    owner = await blog.owner()
    made = [await uploads.upload(blog.site, blog.alice.id, picture(each)) for each in ("teal", "navy", "red", "pink")]
    below, above, within, idle = made
    await blog.write("Below", files=(File(upload=below.id),))
    await blog.write("Above", title="With a hero", hero=File(upload=above.id))
    await blog.write(f"![](/media/{within.file})", title="Within the text", state="draft")
    page = (await owner.get(LIBRARY)).text
    parts = dict(zip((idle.id, within.id, above.id, below.id), page.split("<li data-path")[1:], strict=True))
    for upload, told in ((below, "Below"), (above, "With a hero"), (within, "Within the text"), (idle, "Not in use")):
        assert f"![](/media/{upload.file})" in parts[upload.id]
        assert told in parts[upload.id]
        assert ("/delete" in parts[upload.id]) == (upload is idle)

    await owner.post(f"{LIBRARY}/{below.id}", {"alt": "A teal square"})
    assert f"![A teal square](/media/{below.file})" in (await owner.get(LIBRARY)).text
    for upload in made:
        assert (await owner.post(f"{LIBRARY}/{upload.id}/delete")).status_code == 303
    assert [each.id for each in await blog.site.db.read(_all, blog.alice.id)] == [within.id, above.id, below.id]
    assert (await blog.browser().get(f"/media/{idle.file}")).status_code == 404
    assert not blog.site.files.path(idle.file).exists()


def _all(tx: Tx, account: int) -> list[media_files.Upload]:
    return media_files.listed(tx, account, before=1 << 62, limit=99)


async def test_pages_of_the_library(blog: Blog) -> None:
    owner = await blog.owner()
    for _ in range(25):
        await blog.site.db.write(media_files.promise, blog.alice.id)
    made = await blog.site.db.write(lambda tx: tx.run("update media set file = 'a/b/x.png'"))
    page = (await owner.get(LIBRARY)).text
    assert (made, page.count("data-path")) == (25, 24)
    older = re.findall(rf'rel="next" href="({LIBRARY}\?before=\d+&amp;page=2)"', page)[0]
    assert (await owner.get(older.replace("&amp;", "&"))).text.count("data-path") == 1


async def test_pictures_of_another_account_are_nowhere(blog: Blog) -> None:
    home, owner = await another(blog), await blog.owner()
    mine = await uploads.upload(blog.site, blog.alice.id, picture())
    await act_as(blog, owner, home)
    assert mine.file not in (await owner.get(LIBRARY)).text
    for path in (f"{LIBRARY}/{mine.id}", f"{LIBRARY}/{mine.id}/delete"):
        assert (await owner.post(path, {"alt": "Theirs"})).status_code == 404
    kept = await blog.site.db.read(media_files.get, mine.id, blog.alice.id)
    assert kept == mine
    assert (await blog.browser().get(LIBRARY)).status_code == 303
