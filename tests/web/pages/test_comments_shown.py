"""Comments as a page shows them, and what is remembered of them."""

from __future__ import annotations

import re

from markupsafe import Markup
from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Emoji, Option, Poll, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.web.components.comments import Comment, CommentBranch, comment, comments
from fediblog.web.components.page_links import Links
from tests.web.pages.conftest import ORIGIN, Blog

URLS = Urls("https://blog.example", "blog.example")
VISITOR, READER = Links(URLS, False), Links(URLS, True)
BOB = Account(uri="https://far.example/bob", kind="Person", handle="bob", inbox="", id=7, domain="far.example")
PLAIN = Post(
    uri="https://far.example/1", kind="Note", author=BOB.uri, id=1, account=BOB, visibility=Visibility.PUBLIC,
    content="<p>hello</p>", published=0,
)  # fmt: skip


class Told:
    """Stands for the macros, and counts."""

    def __init__(self, sign: str = "") -> None:
        self.sign = sign
        self.asked: list[str] = []

    def _say(self, what: str, post: Post) -> Markup:
        self.asked.append(f"{what} {post.id}")
        return Markup(f"<i>{what}{self.sign}</i>")

    def abstract(self, post: Post, /) -> Markup:
        return self._say("abstract", post)

    def filtered(self, _post: Post, html: str, /) -> Markup:
        return Markup(html)

    def text(self, post: Post, /) -> Markup:
        return self._say("text", post)

    def actions(self, post: Post, /) -> Markup:
        return self._say("actions", post)


def shown(post: Post, links: Links = VISITOR, parts: Told | None = None, to: Post | None = None) -> str:
    return comments("en", [CommentBranch([Comment(post, 2, to)])], parts or Told(), links)


def test_whatever_somebody_wrote_is_escaped_but_their_cleaned_text() -> None:
    bad = "<b>\"'&"
    author = replace(BOB, name=bad, url=f"https://far.example/{bad}", domain=bad, handle=bad)
    post = replace(PLAIN, account=author, title=bad, language=bad, url=f"https://far.example/1{bad}")
    for links in (VISITOR, READER):
        html = shown(post, links, to=post)
        assert bad not in html
        assert "<b>" not in html
        assert "<p>hello</p>" in html
    assert "&lt;b&gt;&quot;&#x27;&amp;" in shown(post)


def test_a_comment_that_changed_is_shown_as_it_is_now() -> None:
    assert "<p>hello</p>" in shown(PLAIN)
    assert "<p>other</p>" in shown(replace(PLAIN, content="<p>other</p>"))
    assert ">Robert<" in shown(replace(PLAIN, account=replace(BOB, name="Robert")))
    cat = Emoji(name="cat", url="https://far.example/cat.png")
    assert '<img class="emoji"' in shown(replace(PLAIN, content="<p>:cat:</p>", emoji=(cat,)))
    assert "To Bob" not in shown(PLAIN)
    assert 'href="#p5"' in shown(PLAIN, to=replace(PLAIN, id=5))
    assert 'href="#p6"' in shown(PLAIN, to=replace(PLAIN, id=6))


def test_visitors_are_shown_the_way_to_the_origin_and_readers_what_they_can_do() -> None:
    for _ in range(2):
        visitors, readers = shown(PLAIN), shown(PLAIN, READER)
        assert 'class="origin' in visitors
        assert "actions" not in visitors
        assert 'href="https://far.example/bob"' in visitors
        assert 'class="origin' not in readers
        assert readers.count("<i>actions</i>") == 1
        assert 'href="/account/7"' in readers
        assert visitors.count("</article>") == readers.count("</article>") == 1


def test_what_depends_on_the_time_or_on_who_looks_is_made_each_time() -> None:
    poll = Poll(options=(Option(name="yes"), Option(name="no")))
    for post in (replace(PLAIN, id=11, poll=poll), replace(PLAIN, id=12, quote="https://far.example/9")):
        assert "<i>text one</i>" in shown(post, READER, Told(" one"))
        assert "<i>text two</i>" in shown(post, READER, Told(" two"))
    assert "<i>actions one</i>" in shown(PLAIN, READER, Told(" one"))
    assert "<i>actions two</i>" in shown(PLAIN, READER, Told(" two"))


def test_the_rest_is_made_once() -> None:
    parts = Told()
    warned, article = (
        replace(PLAIN, id=21, summary="look away"),
        replace(PLAIN, id=22, kind="Article", title="On tides"),
    )
    for _ in range(3):
        comments("en", [CommentBranch([Comment(warned, 0), Comment(article, 0)])], parts, VISITOR)
    assert parts.asked == ["text 21", "abstract 22"]


def test_the_title_above_the_page_is_no_heading() -> None:
    titled = replace(PLAIN, id=31, title="On tides")
    assert '<h3 class="comment-title' in shown(titled)
    assert '<p class="comment-title' in comment("en", titled, Told(), VISITOR, "p")
    assert '<h3 class="comment-title' in shown(titled)


def test_all_but_the_first_answers_are_folded() -> None:
    depths = (0, 1, 2, 1, 2, 2, 1)
    told = [Comment(replace(PLAIN, id=n, content=f"<p>!{n}</p>"), depth) for n, depth in enumerate(depths)]
    told[5] = Comment(None, 2)
    parts = Told()
    open_, _, folded = comments("en", [CommentBranch(told, left=2, where="?branch=0&a#p9")], parts, VISITOR).partition(
        "<details"
    )
    assert re.findall(r'!\d|<div class="kids">', open_) == [
        "!0",
        '<div class="kids">',
        "!1",
        '<div class="kids">',
        "!2",
        "!3",
    ]
    assert "<summary>4 more answers in this thread</summary>" in folded
    assert re.findall(r'!\d|<div class="kids">|not shown', folded) == [
        *['<div class="kids">'] * 2, "!4", "not shown", "!6",
    ]  # fmt: skip
    assert '<a href="?branch=0&amp;a#p9">Read 2 more answers</a></p>\n</details>' in folded
    for html in (open_, folded, comments("en", [CommentBranch(told, folded=False)], parts, VISITOR)):
        assert html.count("<div") == html.count("</div>")
    assert "<details" not in comments("en", [CommentBranch(told[:4])], parts, VISITOR)


async def test_a_page_shows_its_comments_in_order_and_indented(blog: Blog) -> None:
    first = await blog.write("The post")
    second = await blog.write("An answer", reply_to=first.id)
    await blog.write("An answer to that", reply_to=second.id)
    browser, owner = blog.browser(), await blog.owner()
    for _ in range(2):
        for each in (browser, owner):
            page = (await each.get(first.url.removeprefix(ORIGIN))).text
            assert page.index("An answer</p>") < page.index('<div class="kids">') < page.index("An answer to that</p>")
            assert ("/write?reply=" in page) == (each is owner)
