"""WebSub: the hub that the owner or the operator named is told which feeds have something new (W3C WebSub, section 7).

It learns addresses of feeds, nothing of the post; it then fetches the feeds as anybody may.
"""

from __future__ import annotations

from urllib.parse import quote, urlencode

from fediblog.domain.documents import Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.errors import Refused, Unavailable
from fediblog.federation.site import Site
from fediblog.protocol import previews
from fediblog.store.posts import posts
from fediblog.store.queues import job_kinds, job_queue

ENDINGS = ("atom", "rss", "json")
_FORM = {"content-type": "application/x-www-form-urlencoded"}


async def put_down(site: Site, post: int) -> None:
    """Have the hub told of a post that was published or changed, where there is a hub."""
    if (await site.read_blog()).websub_hub:
        await site.write_aside(job_queue.add, job_kinds.WEBSUB, str(post))


async def ping(site: Site, number: int) -> None:
    """Tell the hub of a post, if everybody may see it.

    Raises Unavailable where the hub has trouble, Refused where it takes no pings of ours.
    """
    hub, post = (await site.read_blog()).websub_hub, await site.db.read(posts.get, number)
    if not hub or post is None or post.state != "published" or post.visibility != Visibility.PUBLIC:
        return
    topics = [f"{feed}.{ending}" for feed in feeds_of(site.urls, post) for ending in ENDINGS]
    body = urlencode([("hub.mode", "publish"), *(("hub.url", topic) for topic in topics)])
    answer = await site.client.post(hub, body.encode(), _FORM)
    if answer.status == 429 or answer.status >= 500:
        raise Unavailable("websub-hub", detail=f"{hub}: {answer.status}")
    if answer.status >= 300:
        raise Refused("websub-refused", hub, status=answer.status)


def feeds_of(urls: Urls, post: Post) -> list[str]:
    """The addresses, without their endings, of the feeds in which a public post of ours may stand."""
    tags = [urls.tag(name) for name in previews.hashtags(post)]
    categories = [f"{urls.origin}/category/{quote(each.slug)}" for each in post.categories]
    return [f"{page}/feed" for page in (urls.origin, post.account.url, *tags, *categories)]
