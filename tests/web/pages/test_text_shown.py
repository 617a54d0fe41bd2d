"""Texts as pages show them: what is added to stored HTML for those who read it here."""

from __future__ import annotations

import re

from msgspec.structs import replace

from fediblog.domain.accounts import Account
from fediblog.domain.documents import Attachment, Emoji, Visibility
from fediblog.domain.posts import Post
from fediblog.domain.urls import Urls
from fediblog.markup.clean import clean, clean_own
from fediblog.web.components.page_links import Links
from fediblog.web.components.post_text import LONG, content, contents
from tests.web.pages.conftest import Blog
from tests.web.pages.test_post_page import path

ANN = Account(uri="https://a.example/ann", kind="Person", handle="ann", inbox="", id=7, domain="a.example")
LINKS = Links.of(Urls("https://blog.test", "blog.test"), signed_in=False)
ARTICLE = Post(
    uri="https://a.example/1", kind="Article", author=ANN.uri, id=1, account=ANN, title="Tides",
    visibility=Visibility.PUBLIC, published=0, local=True,
)  # fmt: skip


def shown(html: str, **fields: object) -> str:
    return content("en", replace(ARTICLE, content=clean_own(html), **fields), LINKS)


def test_most_texts_are_shown_as_they_are_stored() -> None:
    html = '<p>A <a href="https://a.example/">link</a>, <em>words</em><br>and a rule</p><hr><ul><li>x</li></ul>'
    assert shown(html) == html


def test_what_is_wide_scrolls_in_a_region_that_the_keyboard_reaches() -> None:
    row = "<tr><th>Network</th><th>What <i>for</i></th></tr>"
    table = f"<table><tbody>{row}<tr><th>Late</th><td>x</td></tr></tbody></table>"
    scroll = '<div class="scroll" role="region" tabindex="0" aria-label="{}">'
    assert shown(f"{table}<p>x</p>") == f"{scroll.format('Table: Network, What for')}{table}</div><p>x</p>"
    named = table.replace("<tbody>", '<caption>"A" &amp; B</caption><tbody>')
    assert scroll.format("Table: &quot;A&quot; &amp; B, Network, What for") in shown(named)
    assert scroll.format("Table") in shown("<table><tbody><tr><td>1</td></tr></tbody></table>")
    assert shown('<pre class="highlight"><code>x</code></pre>') == (
        '<pre class="highlight" tabindex="0"><code>x</code></pre>'
    )


def test_headings_lead_to_themselves_and_stand_below_the_title() -> None:
    link = '<a class="anchor" href="#{0}" aria-label="Link to this part"></a>'
    assert shown('<h2 id="sec-a">A</h2>') == f'<h2 id="sec-a">A{link.format("sec-a")}</h2>'
    lower = shown('<h1 id="sec-a">A</h1><h2 id="sec-b">B</h2><h6 id="sec-c">C</h6>')
    assert re.findall(r"<h(\d) id=\"([^\"]+)\">", lower) == [("2", "sec-a"), ("3", "sec-b"), ("6", "sec-c")]
    foreign = content("en", replace(ARTICLE, content=clean("<h3>Ebb &amp; flow</h3><p>x</p><h3>Ebb flow</h3>")), LINKS)
    assert re.findall(r"<h3 id=\"([^\"]+)\">", foreign) == ["sec-p1-ebb-flow", "sec-p1-ebb-flow-2"]
    assert "anchor" not in shown('<h2 id="sec-a">A</h2>', title="")


def test_footnotes_have_names() -> None:
    html = shown(
        '<p>x<sup class="fn-ref"><a href="#fn-1" id="fn-ref-1">1</a></sup></p><section class="footnotes"><ol'
        ' class="fn-list"><li id="fn-1"><p>N <a href="#fn-ref-1" class="fn-back">↩</a></p></li></ol></section>'
    )
    assert '<a href="#fn-1" id="fn-ref-1" aria-label="Note 1">1</a>' in html
    assert '<section class="footnotes notes-foot" aria-label="Footnotes">' in html
    assert '<a href="#fn-ref-1" class="fn-back" aria-label="Back to the text">↩</a>' in html


def test_pictures_have_their_size_and_a_smaller_copy() -> None:
    file = Attachment(
        kind="Image", url="/media/x.jpg", preview="/media/l.jpg", width=2560, height=1000, media_type="image/jpeg"
    )
    figure = (
        '<figure class="wide"><img src="/media/x.jpg" alt="A cat" loading="lazy"><figcaption>C</figcaption></figure>'
    )
    wanted = (
        'loading="lazy" width="2560" height="1000" srcset="/media/l.jpg 1280w, /media/x.jpg 2560w"'
        ' sizes="(min-width: 46em) 42rem, 100vw" decoding="async"><figcaption>'
    )
    assert wanted in shown(figure, attachments=(file,))
    for other in (
        replace(file, media_type="image/webp"),
        replace(file, width=390, height=152),
        replace(file, preview=""),
    ):
        assert "srcset" not in shown(figure, attachments=(other,))
        assert f'width="{other.width}"' in shown(figure, attachments=(other,))
    assert 'srcset="/media/l.jpg 400w, /media/x.jpg 900w"' in shown(
        figure, attachments=(replace(file, width=900, height=351),)
    )
    for beside, room in ((2, "21rem, 50vw"), (3, "14rem, 34vw"), (4, "21rem, 50vw")):
        row = f'<figure class="grid grid-{beside}">{beside * """<img src="/media/x.jpg" alt="">"""}</figure>'
        html = shown(f'{row}<p><img src="/media/x.jpg" alt=""></p>', attachments=(file,))
        assert re.findall('sizes="\\(min-width: 46em\\) ([^"]*)"', html) == [*[room] * beside, "42rem, 100vw"]
    assert "srcset" not in shown(figure, attachments=(file,), local=False)
    assert 'loading="lazy" decoding="async"><figcaption>' in shown(figure)
    far = clean('<p><img src="https://a.example/y.png" alt="y" width="3" height="4"></p>', pictures=True)
    assert re.findall("loading|decoding|width", content("en", replace(ARTICLE, content=far), LINKS)) == [
        "width", "loading", "decoding",
    ]  # fmt: skip


def test_no_name_is_put_into_a_tag() -> None:
    smile = Emoji(name="table", url="https://a.example/t.png")
    html = shown("<table><tbody><tr><th>:table:</th></tr></tbody></table>", emoji=(smile,))
    assert html.count("<img") == 1
    assert 'aria-label="Table: :table:"' in html


def test_a_long_text_has_a_table_of_contents() -> None:
    parts = "".join(f'<h2 id="sec-{n}">Part <i>{n}</i></h2><h3 id="sec-{n}a">A</h3><h4>no</h4>' for n in range(2))
    long = replace(ARTICLE, content=parts + "x" * LONG)
    assert [tuple(each) for each in contents(long)] == [
        (2, "sec-0", "Part 0"), (3, "sec-0a", "A"), (2, "sec-1", "Part 1"), (3, "sec-1a", "A"),
    ]  # fmt: skip
    assert contents(replace(long, content=parts)) == []
    assert contents(replace(long, content='<h2 id="sec-1">One</h2><h2>Two</h2>' + "x" * LONG)) == []
    assert contents(replace(long, warning="ghosts")) == []
    assert contents(replace(long, kind="Note")) == []


async def test_the_page_of_an_article_has_its_contents_and_how_long_it_takes(blog: Blog) -> None:
    source = "\n\n".join(f"## Part {n}\n\n{'word ' * 500}\n\n![c](/media/{n}.png)\n*cap {n}*" for n in range(4))
    post = await blog.write(source, title="Long")
    page = (await blog.browser().get(path(post.url))).text
    assert '<nav class="toc in-margin" aria-label="On this page"><details><summary>On this page</summary>\n' in page
    assert page.count(f'href="#sec-p{post.id}-part-2"') == 2
    assert page.count(f'id="sec-p{post.id}-part-2"') == 1
    assert "9 minutes" in page
    assert "<figcaption><em>cap 3</em></figcaption></figure>" in page
    film = Attachment(
        kind="Video",
        url="https://far.example/f.mp4",
        preview="https://far.example/f.png",
        width=640,
        height=360,
        alt="Low",
    )
    sound = Attachment(kind="Audio", url="https://far.example/s.ogg", alt="Gulls")
    bob = await blog.stranger()
    await blog.heard(bob, "<p>See</p><pre>x</pre>", 1, in_reply_to=post.uri, attachments=(film, sound))
    page = (await blog.browser().get(path(post.url))).text
    assert '<pre tabindex="0">x</pre>' in page
    assert re.search(
        '<video controls preload="none" src="[^"]+" width="640" height="360" poster="[^"]+" title="Low"'
        ' aria-label="Low">',
        page,
    )
    assert re.search('<audio controls preload="none" src="[^"]+" title="Gulls" aria-label="Gulls">', page)
    hidden = await blog.write(source, title="Long", warning="ghosts")
    page = (await blog.browser().get(path(hidden.url))).text
    assert page.index("ghosts") < page.index("Part 2")
    assert 'class="toc' not in page


def test_a_table_is_named_by_its_own_words_alone() -> None:
    """Whatever follows is not looked at: a stranger may send thousands of tables that hold nothing."""
    told = "<table></table><table><caption></caption></table><table><tr><th>Birds</th></tr></table>"
    shown = content("en", replace(ARTICLE, content=told), LINKS)
    names = re.findall(r'<div class="scroll" role="region" tabindex="0" aria-label="([^"]*)">', shown)
    assert names == ["Table", "Table", "Table: Birds"]
