"""Posts as a list shows them."""

from __future__ import annotations

from markupsafe import Markup
from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Picture
from fediblog.domain.posts import Post
from fediblog.web.components.action_bar import Reader
from fediblog.web.components.post_cards import card
from tests.web.pages.test_comments_shown import BOB, PLAIN, READER, VISITOR

BAD = "<b>\"'&"
READERS = (Reader.at("/stream", READER, 9, "secret"), Reader.at("/", VISITOR, None, ""))


def abstract(_post: Post) -> Markup:
    return Markup("<i>abstract</i>")


def whole(_post: Post) -> Markup:
    return Markup("<i>whole</i>")


def tags(_post: Post) -> Markup:
    return Markup("<i>tags</i>")


def shown(post: Post, reader: Reader = READERS[0], booster: Account | None = None) -> str:
    return card("en", post, reader, booster, abstract, whole, tags)


def test_whatever_somebody_wrote_is_escaped_but_their_cleaned_text() -> None:
    author = replace(BOB, name=BAD, url=f"https://far.example/{BAD}", handle=BAD, domain=BAD)
    picture = Picture(url=f"https://far.example/{BAD}", alt=BAD)
    address = f"https://far.example/1{BAD}"
    post = replace(PLAIN, account=author, language=BAD, url=address, in_reply_to=address, image=picture)
    for reader in READERS:
        for each in (post, replace(post, title=BAD), replace(post, title=BAD, kind="Article")):
            html = shown(each, reader, author)
            assert BAD not in html
            assert "<b>" not in html
            assert html.count("<article") == html.count("</article>") == 1
        assert "<p>hello</p>" in shown(post, reader)


def test_a_title_stands_above_an_abstract() -> None:
    for post in (replace(PLAIN, title="On tides"), replace(PLAIN, title="On tides", kind="Article", local=True)):
        html = shown(post)
        assert '<h2 class="card-title p-name" dir="auto">' in html
        assert "<i>abstract</i>" in html
        assert ("card h-entry is-article" in html) == post.is_article
    assert "<h2" not in shown(replace(PLAIN, title="On tides", local=True))


def test_what_few_posts_have_is_left_to_the_macros() -> None:
    assert "<i>whole</i>" in shown(replace(PLAIN, summary="look away"))
    assert "<i>tags</i>" in shown(replace(PLAIN, hashtags=("tides",)))
    assert "<i>" not in shown(PLAIN)


def test_it_says_why_it_is_there() -> None:
    assert ">bob</bdi></a> boosted</p>" in shown(PLAIN, booster=BOB)
    answer = replace(PLAIN, in_reply_to="https://far.example/0", parent=4)
    assert '<a class="u-in-reply-to" href="/post/4"' in shown(answer)
    assert '<a class="u-in-reply-to" href="https://far.example/0"' in shown(answer, READERS[1])
    assert "boosted</p>" not in shown(answer)
