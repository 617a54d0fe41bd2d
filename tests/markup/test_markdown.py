"""Markdown as our own people write it."""

from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from fediblog.markup.clean import OWN
from fediblog.markup.html import MentionTarget
from fediblog.markup.markdown import Rendered, render_remote
from tests.conftest import USUAL
from tests.markup.rendering import find_hashtags, find_mentions, render
from tests.markup.test_clean import SOUP, inspect

BOB = MentionTarget("https://b.example/users/bob", "https://b.example/@bob", "bob@b.example")
ANN = MentionTarget("https://me.example/users/ann", "https://me.example/@ann", "ann")
KNOWN = {"bob@b.example": BOB, "ann": ANN}


def tag_url(name: str) -> str:
    return f"https://me.example/tags/{name.lower()}"


def shown(source: str, **options: bool | str) -> Rendered:
    return render(source, mentions=KNOWN, tag_url=tag_url, **options)  # type: ignore[arg-type]


def mention(target: MentionTarget, user: str) -> str:
    link = f'<a href="{target.url}" class="u-url mention">@<span>{user}</span></a>'
    return f'<span class="h-card" translate="no">{link}</span>'


def hashtag(name: str) -> str:
    return f'<a href="{tag_url(name)}" class="mention hashtag" rel="tag">#<span>{name}</span></a>'


def picture(name: str, alt: str = "a", title: str = "") -> str:
    told = title and f' title="{title}"'
    return f'<img src="/media/{name}.png" alt="{alt}"{told} loading="lazy">'


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("Hello *world*", "<p>Hello <em>world</em></p>\n"),
        ("~~gone~~", "<p><s>gone</s></p>\n"),
        ("a\nb", "<p>a\nb</p>\n"),
        ("3. a\n4. b", '<ol start="3">\n<li>a</li>\n<li>b</li>\n</ol>\n'),
        ("> a", "<blockquote>\n<p>a</p>\n</blockquote>\n"),
        ("<script>alert(1)</script>", "<p>&lt;script&gt;alert(1)&lt;/script&gt;</p>\n"),
        ("[x](javascript:alert)", "<p>[x](javascript:alert)</p>\n"),
        ("[x](/about 'T')", '<p><a href="/about" title="T">x</a></p>\n'),
        ("<https://a.example/>", '<p><a href="https://a.example/">https://a.example/</a></p>\n'),
        ("(https://a.example/b_c_d)", '<p>(<a href="https://a.example/b_c_d">https://a.example/b_c_d</a>)</p>\n'),
        ("**https://a.example**", '<p><strong><a href="https://a.example">https://a.example</a></strong></p>\n'),
        ("[https://a.example](https://b.example)", '<p><a href="https://b.example">https://a.example</a></p>\n'),
        ("# One *two*", '<h1 id="sec-one-two">One <em>two</em></h1>\n'),
        ("## A\n## A", '<h2 id="sec-a">A</h2>\n<h2 id="sec-a-2">A</h2>\n'),
        (
            "| a | b |\n|:-:|--:|\n| 1 | 2 |",
            '<table>\n<thead>\n<tr>\n<th class="align-center">a</th>\n<th class="align-right">b</th>\n</tr>\n</thead>\n'
            '<tbody>\n<tr>\n<td class="align-center">1</td>\n<td class="align-right">2</td>\n</tr>\n</tbody>\n'
            "</table>\n",
        ),
        (
            "x[^n]\n\n[^n]: Note",
            '<p>x<sup class="fn-ref"><a href="#fn-1" id="fn-ref-1">1</a></sup></p>\n'
            '<section class="footnotes">\n<ol class="fn-list">\n<li id="fn-1"><p>Note '
            '<a href="#fn-ref-1" class="fn-back">↩\ufe0e</a></p>\n</li>\n</ol>\n</section>\n',
        ),
        ("```\na < b\n```", '<pre class="highlight"><code>a &lt; b\n</code></pre>\n'),
        ("```nolang\nx\n```", '<pre class="highlight"><code class="language-nolang">x\n</code></pre>\n'),
        ('``` "><script>\nx\n```', '<pre class="highlight"><code>x\n</code></pre>\n'),
        ("See ![A *cat*](/media/x.png)", '<p>See <img src="/media/x.png" alt="A cat" loading="lazy"></p>\n'),
        ("![A cat](http://t.example/x.png)", '<p><a href="http://t.example/x.png">A cat</a></p>\n'),
        ("- ![of @ann #x](/media/x.png)", f"<ul>\n<li>{picture('x', 'of @ann #x')}</li>\n</ul>\n"),
        ("> a\n> — B", "<blockquote>\n<p>a<br>\n<cite>— B</cite></p>\n</blockquote>\n"),
        ("> a\n>\n> -- *B*", "<blockquote>\n<p>a</p>\n<p><cite>-- <em>B</em></cite></p>\n</blockquote>\n"),
        ("> a\n> b", "<blockquote>\n<p>a\nb</p>\n</blockquote>\n"),
        ("> *a\n> — b*", "<blockquote>\n<p><em>a\n— b</em></p>\n</blockquote>\n"),
    ],
)
def test_golden(source: str, wanted: str) -> None:
    assert shown(source).html == wanted


@pytest.mark.parametrize(
    ("source", "kind", "within"),
    [
        ("![A *cat*](/media/x.png)", "", picture("x", "A cat")),
        ("![a](/media/x.png 'My <cat>')", "", picture("x") + "<figcaption>My &lt;cat&gt;</figcaption>"),
        ("![a](/media/x.png 'No')\nMy *cat*\n#tom", "",
         picture("x", title="No") + f"<figcaption>My <em>cat</em>\n{hashtag('tom')}</figcaption>"),
        ("![a](/media/x.png#wide)  \ncat", "wide", picture("x") + "<figcaption>cat</figcaption>"),
        ("![a](/media/x.png#out)", "out", picture("x")),
        ("![a](/media/x.png) ![b](/media/y.png)", "grid grid-2", picture("x") + picture("y", "b")),
        ("![a](/media/x.png)\n![b](/media/y.png 'B')\n![c](/media/z.png#wide 'C')", "grid grid-3 wide",
         picture("x") + picture("y", "b") + picture("z", "c") + "<figcaption>B · C</figcaption>"),
        ("![a](/media/x.png)" * 5 + "\nfive", "grid grid-4", picture("x") * 5 + "<figcaption>five</figcaption>"),
        ("[![a](/media/x.png)](/about)", "", f'<a href="/about">{picture("x")}</a>'),
    ],
)  # fmt: skip
def test_pictures_that_stand_alone_are_figures(source: str, kind: str, within: str) -> None:
    named = kind and f' class="{kind}"'
    wanted = f"<figure{named}>{within}</figure>\n"
    assert shown(source).html == wanted
    assert shown(source, breaks=True).html.replace("<br>", "") == wanted


def test_pictures_among_words_are_no_figures() -> None:
    for source in ("![a](/media/x.png#wide) b", "b\n![a](/media/x.png#wide)", "![a](/media/x.png#wide) [b](/c)"):
        html = shown(source).html
        assert "<figure" not in html
        assert 'src="/media/x.png"' in html
    assert "<figure" not in shown("![a](https://a.example/x.png)", inline_images=False).html


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("@bob@b.example", mention(BOB, "bob")),
        ("Hi @Bob@B.Example!", f"Hi {mention(BOB, 'Bob')}!"),
        ("(@ann).", f"({mention(ANN, 'ann')})."),
        ("@bob@b.example.", f"{mention(BOB, 'bob')}."),
        ("*@ann*", f"<em>{mention(ANN, 'ann')}</em>"),
        ("@carl@c.example and @dora", "@carl@c.example and @dora"),
        ("ann@ann", "ann@ann"),
        ("a/@ann", "a/@ann"),
        ("`@ann`", "<code>@ann</code>"),
        ("\\@ann", "@ann"),
        ("[@ann](https://a.example)", '<a href="https://a.example">@ann</a>'),
        ("https://a.example/@ann", '<a href="https://a.example/@ann">https://a.example/@ann</a>'),
    ],
)
def test_mentions(source: str, wanted: str) -> None:
    assert shown(source).html == f"<p>{wanted}</p>\n"


def test_finding_mentions() -> None:
    source = (
        "@Bob@b.example @ann, @bob@B.example `@no` [@no](x) \\@no x@no.example\n\n    @no\n\n"
        "```\n@no\n```\n\n> - @some_user_x@ü.example[^1]\n\n[^1]: @dora"
    )
    assert find_mentions(source) == ("bob@b.example", "ann", "some_user_x@ü.example", "dora")


def test_a_handle_may_have_a_port() -> None:
    source = "@ann@a.example:8443, @bob@b.example:2 things, @cem@c.example: 8443; @dora@d.example:8443x"
    assert find_mentions(source) == ("ann@a.example:8443", "bob@b.example", "cem@c.example", "dora@d.example")


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("#Tag #tag #Other", ("Tag", "Other")),
        ("#2024 #2024a #_ #", ("2024a",)),
        ("a#no C# &#35;no /#no ##no \\#no `#no` [#no](x) https://a.example/#no", ()),
        ("#हिन्दी #日本語 #a_b #c-d #e.", ("हिन्दी", "日本語", "a_b", "c", "e")),
        ("# Heading\n#tag", ("tag",)),
        ("#" + "x" * 101, ()),
        (" ".join(f"#t{n}" for n in range(60)), tuple(f"t{n}" for n in range(50))),
    ],
)
def test_hashtags(source: str, wanted: tuple[str, ...]) -> None:
    assert find_hashtags(source) == wanted
    assert shown(source).hashtags == wanted


def test_hashtags_link() -> None:
    assert shown("On #Cats.").html == f"<p>On {hashtag('Cats')}.</p>\n"


def test_code_has_classes() -> None:
    html = shown("```python\ndef f(): pass\n```").html
    assert html.startswith('<pre class="highlight"><code class="language-python"><span class="k">def</span>')
    assert "style" not in html


def test_line_breaks_of_notes() -> None:
    assert shown("a\nb", breaks=True).html == "<p>a<br>\nb</p>\n"


def test_pictures_as_links() -> None:
    html = shown("![A cat](https://a.example/x.png)", inline_images=False).html
    assert html == '<p><a href="https://a.example/x.png">A cat</a></p>\n'


def test_own_pictures_are_shown_wherever_the_site_is() -> None:
    source = '![A](/media/x.png#wide)\n\n![B](http://me.example/y.png)\n\n`<img src="/media/z.png">`'
    html = shown(source, base="http://localhost:8000").html
    assert '<figure class="wide"><img src="http://localhost:8000/media/x.png" alt="A"' in html
    assert '<a href="http://me.example/y.png">B</a>' in html
    assert '&lt;img src="/media/z.png"&gt;' in html


def test_paths_become_absolute() -> None:
    html = shown("[a](/about) ![x](/media/x.png) [b](//b.example/)", base="https://me.example/").html
    assert 'href="https://me.example/about"' in html
    assert 'src="https://me.example/media/x.png"' in html
    assert "me.example//b" not in html


def test_anchors_tell_posts_apart() -> None:
    html = shown("# A\nx[^1]\n\n[^1]: n", anchor="p7").html
    assert 'id="sec-p7-a"' in html
    assert 'href="#fn-p7-1"' in html
    assert 'id="fn-ref-p7-1"' in html


def test_a_footnote_used_twice_has_two_ways_back() -> None:
    html = shown("x[^1] y[^1]\n\n[^1]: n").html
    assert 'id="fn-ref-1"' in html
    assert 'id="fn-ref-1-1"' in html
    assert html.count('href="#fn-1"') == 2
    assert html.count('class="fn-back"') == 2


def test_strangers_markdown_is_cleaned_as_strictly() -> None:
    html = render_remote("# Hi @ann #x\n![p](https://t.example/x) <b onclick=x> [l](https://a.example)")
    assert html == (
        '<h1>Hi @ann #x</h1>\n<p><a href="https://t.example/x" rel="nofollow noopener noreferrer ugc">p</a>'
        ' &lt;b onclick=x&gt; <a href="https://a.example" rel="nofollow noopener noreferrer ugc">l</a></p>\n'
    )


def test_a_hostile_target_stays_inside_its_attribute() -> None:
    bad = {"x": MentionTarget("u", 'javascript:alert("1")', "x"), "y": MentionTarget("u", 'https://a/"><b>', "y")}
    html = render("@x @y #t", mentions=bad, tag_url=lambda _: 'https://a.example/"><script>').html
    inspect(html, OWN)
    assert "<script" not in html
    assert "<b>" not in html


MARKS = st.sampled_from(
    [
        *("@ann", "@bob@b.example", "#tag", "https://a.example/", "://", "http", "*", "_", "`", "[", "](", ")", "!["),
        *("[^1]", "[^1]: ", "^[", "]", "\n", "\n\n", "    ", "> ", "- ", "1. ", "| a ", "|---", "```", "~~", "# "),
        *("\\", "&amp;", "<"),
    ]
)


@settings(max_examples=2 * USUAL)
@given(st.lists(MARKS, max_size=30).map("".join) | SOUP)
def test_rendering_never_raises(source: str) -> None:
    rendered = shown(source)
    inspect(rendered.html, OWN)
    assert rendered.hashtags == find_hashtags(source)
    inspect(render_remote(source))


@pytest.mark.parametrize("source", ["[" * 5000, "*a " * 5000, "`" * 5000, "> " * 2000 + "x", "![" * 3000, "@a" * 9000])
def test_hostile_markdown_ends(source: str) -> None:
    inspect(render_remote(source))
