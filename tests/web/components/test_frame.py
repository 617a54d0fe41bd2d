"""Whatever colour an owner chooses can be read on every ground that a look has."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from fediblog.domain.blog import Blog
from fediblog.domain.colours import ENOUGH, Rgb, contrast, read_colour, readable, write_colour
from fediblog.web.components import frame

CHANNEL = st.integers(0, 255)
COLOURS = st.tuples(CHANNEL, CHANNEL, CHANNEL)


@given(COLOURS)
def test_a_colour_is_written_and_read(colour: Rgb) -> None:
    assert read_colour(write_colour(colour)) == colour
    assert 1 <= contrast(colour, (255, 255, 255)) <= 21
    assert read_colour(write_colour(colour)[1:]) is None


@given(COLOURS)
def test_every_accent_can_be_read(colour: Rgb) -> None:
    for grounds, towards in ((frame._LIGHT, frame._BLACK), (frame._DARK, frame._WHITE)):
        shade = readable(colour, grounds, towards)
        assert all(contrast(shade, ground) >= ENOUGH for ground in grounds)
        ink = read_colour(frame._ink(shade))
        assert ink is not None
        assert contrast(ink, shade) >= ENOUGH
    assert frame.own_sheet(Blog(accent=write_colour(colour))).css.startswith(":root{--accent:#")


def test_a_colour_that_can_be_read_stays() -> None:
    assert readable((0, 0, 120), ((255, 255, 255),), (0, 0, 0)) == (0, 0, 120)
    assert frame.own_sheet(Blog()).css == ""
