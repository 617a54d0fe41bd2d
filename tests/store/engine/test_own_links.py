"""Which addresses in a text are links to what is here, and what only tells of the old address."""

from __future__ import annotations

import json

import pytest

from fediblog.domain.urls import Urls
from fediblog.markup.markdown import pieces
from fediblog.store.engine.origin_change import rewriter
from fediblog.store.engine.own_links import OwnLinks

OLD, NEW = "http://127.0.0.1:8080", "https://blog.example"
BEFORE, AFTER = Urls(OLD, "127.0.0.1:8080"), Urls(NEW, "people.example")
LINKS = OwnLinks(BEFORE, AFTER, ("ann",), ("imprint",), pieces, rewriter(BEFORE, AFTER))


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f"{OLD}/@ann and [me]({OLD}/@ann/2026/11/a)", f"{NEW}/@ann and [me]({NEW}/@ann/2026/11/a)"),
        (f"![x]({OLD}/media/a/b.png), <{OLD}/p/1>", f"![x]({NEW}/media/a/b.png), <{NEW}/p/1>"),
        (f"See {OLD}/imprint.", f"See {NEW}/imprint."),
        (f"[home]({OLD}), [home]({OLD}/)", f"[home]({NEW}), [home]({NEW}/)"),
        (f"[a]\n\n[a]: {OLD}/\n", f"[a]\n\n[a]: {NEW}/\n"),
        ("@ann@127.0.0.1:8080, @bob@127.0.0.1:8080", "@ann@people.example, @bob@127.0.0.1:8080"),
        (f"- one\n\n    {OLD}/@ann\n", f"- one\n\n    {NEW}/@ann\n"),
        (OLD, NEW),
        *((text, text) for text in (
            f"It ran at {OLD}/ and {OLD}/other, {OLD}/@anna, {OLD}/imprints",
            f"`curl {OLD}/@ann` and ``a ` {OLD}/p/1``",
            f"```\n{OLD}/@ann\n```\n",
            f"Text\n\n    {OLD}/@ann\n",
            f"> ~~~\n> {OLD}/p/1\n",
            f"http://127.0.0.1:80801/@ann 1{OLD[7:]}/@ann x{OLD[4:]}/@ann",
        )),
    ],
)  # fmt: skip
def test_of_what_was_typed_only_links_change(before: str, after: str) -> None:
    assert "".join(text for _, text in pieces(before)) == before
    assert LINKS.source(before) == after
    assert LINKS.source(after) == after


@pytest.mark.parametrize(
    ("before", "after"),
    [
        (f'<a href="{OLD}/@ann">{OLD}/@ann</a>', f'<a href="{NEW}/@ann">{NEW}/@ann</a>'),
        (f'<img src="{OLD}/media/a.png" alt="{OLD}/media/a">', f'<img src="{NEW}/media/a.png" alt="{OLD}/media/a">'),
        (f'<a href="{OLD}/">Home</a> at {OLD}', f'<a href="{NEW}/">Home</a> at {OLD}'),
        (f'<a href="{OLD}/">{OLD}/</a>', f'<a href="{OLD}/">{OLD}/</a>'),
        (f'<pre><code>{OLD}/@ann</code></pre> {OLD}/@ann', f'<pre><code>{OLD}/@ann</code></pre> {NEW}/@ann'),
    ],
)  # fmt: skip
def test_of_html_too(before: str, after: str) -> None:
    assert LINKS.html(before) == after


def test_an_activity_has_both() -> None:
    note = {
        "id": f"{OLD}/p/1",
        "name": f"On {OLD}",
        "contentMap": {"en": f"<code>{OLD}/@ann</code> {OLD}/@ann"},
        "source": {"content": f"`{OLD}/@ann` {OLD}/@ann", "mediaType": "text/markdown"},
        "tag": [{"type": "Mention", "name": "@bob@127.0.0.1:8080"}],
    }
    assert json.loads(LINKS.document(json.dumps(note))) == {
        "id": f"{NEW}/p/1",
        "name": f"On {OLD}",
        "contentMap": {"en": f"<code>{OLD}/@ann</code> {NEW}/@ann"},
        "source": {"content": f"`{OLD}/@ann` {NEW}/@ann", "mediaType": "text/markdown"},
        "tag": [{"type": "Mention", "name": "@bob@people.example"}],
    }
