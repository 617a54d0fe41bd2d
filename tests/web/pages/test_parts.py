"""The small parts below the pages: limits, addresses to go on to, emoji, the order of comments."""

from __future__ import annotations

import re
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

import fediblog
from fediblog.domain.documents import Emoji
from fediblog.limits import Limit
from fediblog.web.components import emoji_images
from fediblog.web.components.page_elements import day, iso, moment, month
from fediblog.web.forms import own_path, whole
from tests.conftest import Clock

ROOT = Path(fediblog.__file__).parent


def test_a_limit_lets_a_burst_through_and_then_one_at_a_time(clock: Clock) -> None:
    limit = Limit(burst=3, seconds=10, clock=clock)
    assert [limit.take("a") for _ in range(4)] == [0, 0, 0, 10]
    assert limit.take("b") == 0
    clock.forward(seconds=4)
    assert limit.take("a") == 6
    clock.forward(seconds=6)
    assert limit.take("a") == 0
    assert limit.take("a") == 10
    limit.clear("a")
    assert limit.take("a") == 0


def test_a_limit_keeps_a_bounded_number_of_keys_and_survives_a_clock_set_back(clock: Clock) -> None:
    limit = Limit(burst=1, seconds=10, clock=clock, keys=2)
    assert [limit.take(key) for key in "abc"] == [0, 0, 0]
    assert limit.take("a") == 0  # forgotten
    assert limit.take("c") == 10
    clock.now -= 3_600_000
    assert limit.take("c") == 10


@pytest.mark.parametrize(
    "address",
    ["", "x", "//evil.example", "https://evil.example", "/\\evil.example", "/%5Cevil.example", "/%2F/evil.example",
     "\\/evil", "/a\nb", "/%0d%0aSet-Cookie:x", "javascript:alert(1)"],
)  # fmt: skip
def test_nobody_is_sent_to_another_site(address: str) -> None:
    assert own_path(address, "/home") == "/home"


@pytest.mark.parametrize("address", ["/", "/stream", "/@alice/12?before=3#p4", "/tags/caf%C3%A9"])
def test_own_paths_stay(address: str) -> None:
    assert own_path(address) == address


def test_whole_numbers() -> None:
    assert whole("12") == 12
    assert [whole(x) for x in ("", "-1", "1.0", "²", "9" * 19, "9" * 30, "x")] == [None] * 7


def test_emoji_become_pictures_in_text_only() -> None:
    found = emoji_images.pictured('<a href="https://x.example/:sun:" title=":sun:">:sun: &lt;:sun:</a> :moon:', [
        Emoji(name="sun", url='https://x.example/"><script>.png'),
        Emoji(name="moon", url="javascript:alert(1)"),
    ], str, str)  # fmt: skip
    assert found.count("<img") == 2
    assert 'href="https://x.example/:sun:" title=":sun:"' in found
    assert "<script>" not in found
    assert "javascript" not in found
    assert found.endswith(":moon:")


def test_names_are_escaped_before_their_emoji() -> None:
    assert "<b>" not in emoji_images.named("<b>:x:</b>", [Emoji(name="x", url="https://x.example/x.png")], str)


def test_pictures_in_a_text_are_loaded_from_here_and_lead_to_where_they_are() -> None:
    far, near = 'src="https://x.example/a.png?b=1&amp;c=2"', 'src="/media/aa/b.png"'
    html = f'<p><img {far} alt="A &quot;b&quot;"><a href="https://y.example/"><img {far}></a></p><img {near}>'
    asked = []

    def here(url: str) -> str:
        asked.append(url)
        return "/here"

    lazy = 'loading="lazy" decoding="async"'
    link = '<a class="picture" href="https://x.example/a.png?b=1&amp;c=2" rel="nofollow noopener noreferrer">'
    assert emoji_images.loaded_here(html, here) == (
        f'<p>{link}<img src="/here" alt="A &quot;b&quot;" {lazy}></a>'
        f'<a href="https://y.example/"><img src="/here" {lazy}></a></p><img {near}>'
    )
    assert asked == ["https://x.example/a.png?b=1&c=2"] * 2
    assert emoji_images.loaded_here(f'<img {far} alt="A">', lambda url: "") == f"{link}A</a>"


def test_times_for_people() -> None:
    at = 1_750_000_000_000
    assert (day("en", at), moment("en", at), iso(at)) == (
        "15 June 2025",
        "15 June 2025, 15:06 UTC",
        "2025-06-15T15:06:40Z",
    )
    assert month("en", "2025/06") == "June 2025"
    assert day("en", 10**20) == "31 December 9999"


@given(st.integers(0, 253_402_300_799_999))
@example(253_402_300_799_999)
@example(999)
def test_times_are_those_of_the_calendar(ms: int) -> None:
    at = datetime.fromtimestamp(ms // 1000, UTC)
    assert iso(ms) == f"{at:%Y-%m-%dT%H:%M:%SZ}"
    assert moment("en", ms) == f"{at.day} {at:%B} {at.year}, {at:%H:%M} UTC"


def test_nothing_in_the_templates_breaks_the_content_policy() -> None:
    for path in (ROOT / "web" / "templates").iterdir():
        page = path.read_text()
        assert not re.search(r"<script(?![^>]*\ssrc=)|\sstyle=|<style|\son[a-z]+=", page), path.name
        assert "|safe" not in page, path.name
