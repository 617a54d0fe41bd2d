"""A profile that was not looked at for long is fetched again when somebody looks at it."""

from __future__ import annotations

from fediblog.store.queues import job_queue
from tests.web.pages.conftest import Blog


async def test_a_stale_profile_is_shown_and_fetched_in_the_background(blog: Blog) -> None:
    bob = await blog.stranger("bob")
    owner = await blog.owner()
    assert (await owner.get(f"/account/{bob.id}")).status_code == 200
    assert await blog.site.db.read(job_queue.waiting, "fetch-actor", 9) == 0
    blog.clock.forward(days=8)
    for _ in range(2):
        assert (await owner.get(f"/account/{bob.id}")).status_code == 200
    asked = [job.subject for job in await blog.site.db.write(job_queue.claim) if job.kind == "fetch-actor"]
    assert asked == [bob.uri]
