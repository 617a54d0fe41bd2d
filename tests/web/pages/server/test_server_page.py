"""The page of the server: what waits, who does not answer, copies, announcements and emoji; all without a command."""

from __future__ import annotations

import re

from fediblog.domain.documents import Visibility
from fediblog.store.people import relations
from fediblog.store.posts import custom_emoji, remote_media
from fediblog.store.queues import delivery_queue, job_kinds, job_queue
from fediblog.store.readers import announcements, moderation_log
from fediblog.store.tx import Tx
from tests.web.pages.conftest import Blog
from tests.web.pages.test_desk import picture

PATH = "/moderation/server"


def spread(tx: Tx, outgoing: int, host: str) -> None:
    """A delivery that waits for a host, which has not answered."""
    delivery_queue.add_deliveries(tx, outgoing, [f"https://{host}/inbox"])
    tx.run(
        "update host set failures = 3, failing_since = :now, next_try = :now + 9000000 where name = :host",
        now=tx.now,
        host=host,
    )


async def test_a_host_is_tried_again_or_dropped(blog: Blog) -> None:
    far = await blog.stranger()
    await blog.site.db.write(relations.put_follow, far.id, blog.alice.id, "https://far.example/f", "accepted")
    await blog.write("Hear me", visibility=Visibility.PUBLIC)
    [out] = await blog.site.db.read(delivery_queue.latest, blog.alice.id)
    await blog.site.db.write(spread, out.id, "far.example")
    owner = await blog.owner()
    assert "far.example" in (await owner.get(PATH)).text

    async def host() -> list[int]:
        sql = "select next_try from host where name = 'far.example'"
        return await blog.site.db.read(lambda tx: [row.next_try for row in tx.all(sql)])

    assert await host() > [blog.clock.now]
    assert (await owner.post("/moderation/host", {"host": "far.example", "do": "retry"})).status_code == 303
    assert await host() <= [blog.clock.now]
    assert await blog.site.db.read(delivery_queue.waiting) == 1
    assert (await owner.post("/moderation/host", {"host": "far.example", "do": "x"})).status_code == 404
    await owner.post("/moderation/host", {"host": "far.example", "do": "drop"})
    assert await blog.site.db.read(delivery_queue.waiting) == 0
    [failure] = await blog.site.db.read(delivery_queue.failures, out.id)
    assert failure.state == "failed"
    assert "The owner dropped it." in (await owner.get("/deliveries")).text
    assert [each.action for each in await blog.site.db.read(moderation_log.latest)] == ["drop-deliveries", "retry-host"]


async def test_copies_are_cleaned_by_the_worker(blog: Blog) -> None:
    owner = await blog.owner()
    await owner.post("/moderation/copies")
    assert await blog.site.db.read(job_queue.is_open, job_kinds.SWEEP, "hourly")


async def test_announcements_are_written_and_ended(blog: Blog) -> None:
    owner = await blog.owner()
    assert (await owner.post("/moderation/announcement", {"text": " "})).status_code == 422
    long = await owner.post("/moderation/announcement", {"text": "x" * 5001})
    assert (long.status_code, "x" * 5001 in long.text) == (422, True)
    assert (await owner.post("/moderation/announcement", {"text": "A *new* disk", "days": "3"})).status_code == 303
    [told] = await blog.site.db.read(announcements.everything)
    assert (told.source, told.ends) == ("A *new* disk", blog.clock.now + 3 * 86_400_000)
    assert "<em>new</em>" in told.content
    page = (await owner.get(PATH)).text
    [number] = re.findall(r"/moderation/announcement/(\d+)/end", page)
    await owner.post(f"/moderation/announcement/{number}/end")
    assert await blog.site.db.read(announcements.everything) == []
    assert (await owner.post(f"/moderation/announcement/{number}/end")).status_code == 404


async def test_an_emoji_of_another_server_is_hidden_and_shown_again(blog: Blog) -> None:
    owner, url, urls = await blog.owner(), "https://far.example/blob.png", blog.site.urls

    async def shown() -> bool:
        return bool(await blog.site.db.read(remote_media.shown_among, remote_media.EMOJI, {url}))

    assert await shown()
    for address in (url, urls.emoji_copy(url)):
        assert (await owner.post("/moderation/emoji/hide", {"address": address})).status_code == 303
        assert not await shown()
        assert (await blog.browser().get(urls.emoji_copy(url))).status_code == 404
        assert url in (await owner.get(PATH)).text
        assert (await owner.post("/moderation/emoji/show", {"emoji": url})).status_code == 303
        assert await shown()
    assert (await owner.post("/moderation/emoji/show", {"emoji": url})).status_code == 404
    for wrong in ("blob", urls.media("aa/cat.png"), f"{urls.origin}/media/emoji/x/y"):
        answer = await owner.post("/moderation/emoji/hide", {"address": wrong})
        assert (answer.status_code, wrong in answer.text) == (422, True)


async def test_emoji_are_added_and_removed(blog: Blog) -> None:
    owner = await blog.owner()
    chosen = {"picture": ("cat.png", picture(), "image/png")}
    wrong = await owner.post("/moderation/emoji", {"name": "a cat", "category": "Cats"}, chosen)
    assert (wrong.status_code, 'value="a cat"' in wrong.text) == (422, True)
    assert (await owner.post("/moderation/emoji", {"name": "blobcat"})).status_code == 422
    broken = await owner.post("/moderation/emoji", {"name": "blobcat"}, {"picture": ("x.png", b"x", "image/png")})
    assert broken.status_code == 422
    large = {"picture": ("x.png", b"x" * 300_000, "image/png")}
    assert "at most 256 kB" in (await owner.post("/moderation/emoji", {"name": "blobcat"}, large)).text
    assert (await owner.post("/moderation/emoji", {"name": ":blobcat:", "category": "Cats"}, chosen)).status_code == 303
    [emoji] = await blog.site.db.read(custom_emoji.everything)
    assert (emoji.name, emoji.category) == ("blobcat", "Cats")
    assert ":blobcat:" in (await owner.get(PATH)).text
    post = await blog.write("A :blobcat: sits")
    for action, shown in (("disable", 0), ("enable", 1)):
        assert (await owner.post("/moderation/emoji/disable", {"emoji": "blobcat", "do": action})).status_code == 303
        page = (await blog.browser().get(post.url)).text
        assert ('class="emoji"' in page, len(await blog.site.db.read(custom_emoji.offered))) == (bool(shown), shown)
    assert [each.name for each in await blog.site.db.read(custom_emoji.everything)] == ["blobcat"]
    assert (await owner.post("/moderation/emoji/disable", {"emoji": "dog", "do": "disable"})).status_code == 404
    await owner.post("/moderation/emoji/remove", {"emoji": "blobcat"})
    assert await blog.site.db.read(custom_emoji.everything) == []
    assert (await owner.post("/moderation/emoji/remove", {"emoji": "blobcat"})).status_code == 404
