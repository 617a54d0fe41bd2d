"""A form that is more than may be sent at a time: what is said, and with which status."""

from __future__ import annotations

import pytest

from fediblog.web import forms
from tests.web.pages.conftest import Blog


@pytest.mark.parametrize("kind", ["field", "field in an address form", "fields", "files"])
async def test_a_form_beyond_the_parsers_limits_is_told_the_limit(blog: Blog, kind: str) -> None:
    owner = await blog.owner()
    long = {"source": "x" * (forms.FORM_BYTES + 1), "do": "publish"}
    many = {f"x{number}": "y" for number in range(forms.MOST_FIELDS + 1)}
    file = ("upload", ("a.png", b"x", "image/png"))
    answer = await owner.post(
        "/write",
        {"fields": many, "files": {}}.get(kind, long),
        {"field": [file], "files": [file] * (forms.MOST_FILES + 1)}.get(kind),
    )
    limit = {"fields": forms.MOST_FIELDS, "files": forms.MOST_FILES, "field in an address form": "MB can be sent"}.get(
        kind, "at most 2.5 MB of text"
    )
    assert answer.status_code == 413
    assert str(limit) in answer.text
    assert "your browser still has what you typed" in answer.text
