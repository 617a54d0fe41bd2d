"""Where a picture's centre of interest is: said in the form, kept through edits, sent to others."""

from __future__ import annotations

import pytest

from fediblog.cli.command_table import COMMANDS
from fediblog.cli.parser import build_parser
from fediblog.web.pages.post_form import FOCI, point_of
from tests.web.pages.conftest import Blog
from tests.web.pages.test_desk import latest, picture


@pytest.mark.parametrize(
    ("place", "point"),
    [("", None), ("0,1", (0.0, 1.0)), ("-1,-1", (-1.0, -1.0)), ("9,0", (1.0, 0.0)), ("nan,0", None), ("1", None)],
)
def test_what_the_form_says(place: str, point: tuple[float, float] | None) -> None:
    assert point_of(place) == point


def test_every_choice_but_the_middle_is_a_point() -> None:
    assert [each for each in FOCI if point_of(each) is None] == [""]


async def test_a_focal_point_is_kept_through_an_edit(blog: Blog) -> None:
    owner = await blog.owner()
    typed = {"source": "Look", "new-alt": "A square", "new-focus": "0,1", "do": "publish"}
    assert (await owner.post("/write", typed, files={"upload": ("a.png", picture(), "image/png")})).status_code == 303
    post = await latest(blog)
    assert [each.focus for each in post.attachments] == [(0.0, 1.0)]
    page = (await owner.get(f"/write/{post.id}")).text
    assert '<option value="0,1" selected>' in page
    number = page.split('name="file" value="')[1].split('"')[0]
    changed = {
        "source": "Look again",
        "file": number,
        f"alt-{number}": "A",
        f"focus-{number}": "0.25,-0.5",
        "do": "publish",
    }
    assert (await owner.post(f"/write/{post.id}", changed)).status_code == 303
    post = await latest(blog)
    assert [each.focus for each in post.attachments] == [(0.25, -0.5)]
    assert '<option value="0.25,-0.5" selected>' in (await owner.get(f"/write/{post.id}")).text


def test_the_command_line_takes_the_same_point() -> None:
    words = ["post", "ann", "--attach", "a.jpg", "--focus", "0.5,-0.25", "--attach", "b.jpg", "--alt", "B"]
    first, second = build_parser(COMMANDS).parse_args(words).attach
    assert (first.focus, second.focus, second.alt) == ((0.5, -0.25), None, "B")
    for wrong in (["post", "ann", "--focus", "0,0"], ["post", "ann", "--attach", "a.jpg", "--focus", "left"]):
        with pytest.raises(SystemExit):
            build_parser(COMMANDS).parse_args(wrong)
