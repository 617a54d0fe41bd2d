"""Links from a page to its ActivityPub form."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fediblog.protocol.alternate_links import alternate_in, joined

BASE = "https://a.example/@me/1"
LINK = 'rel="alternate"; type="application/activity+json"'
PROFILE = 'type="application/ld+json; profile=\\"https://www.w3.org/ns/activitystreams\\""'


@pytest.mark.parametrize(
    "header",
    [
        f"<https://a.example/n/1>; {LINK}",
        f"</n/1>; {LINK}",
        f"<../n/1>; {LINK}",
        "</n/1>; rel=alternate; type=application/activity+json",
        '</n/1>;TYPE="application/activity+json";REL="canonical alternate"',
        f'</feed>; rel="alternate"; type="application/atom+xml", </n/1>; {LINK}, </n/2>; {LINK}',
        f'</x>; rel="next"; title="a, </n/9>; b", </n/1>; {LINK}',
    ],
)
def test_the_header_names_the_activity_form(header: str) -> None:
    assert alternate_in(header, BASE) == "https://a.example/n/1"


@pytest.mark.parametrize(
    "header", ["", "x", "<>", f"<mailto:me@a.example>; {LINK}", '</n/1>; rel="alternate"', f"</n/1 {LINK}"]
)
def test_a_header_that_names_none(header: str) -> None:
    assert alternate_in(header, BASE) == ""


@given(st.text(), st.text())
def test_any_text_is_read_or_passed_over(header: str, base: str) -> None:
    alternate_in(header, base)
    joined(base, header)
