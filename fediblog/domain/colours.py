"""Colours that can be read: contrast as WCAG 2.2 defines it, and the nearest shade that has enough of it."""

from __future__ import annotations

import re
from typing import Final

Rgb = tuple[int, int, int]
"""Red, green and blue, 0 to 255."""

ENOUGH: Final = 4.5
"""The least contrast of text at level AA (WCAG 2.2 §1.4.3)."""
_HEX = re.compile(r"#([0-9a-f]{2})([0-9a-f]{2})([0-9a-f]{2})\Z")
_STEPS = 64


def read_colour(text: str) -> Rgb | None:
    """A colour written #rrggbb, in either case; None if it is none."""
    found = _HEX.match(text.strip().lower())
    return (int(found[1], 16), int(found[2], 16), int(found[3], 16)) if found else None


def write_colour(colour: Rgb) -> str:
    """The colour as #rrggbb."""
    return "#{:02x}{:02x}{:02x}".format(*colour)


def contrast(one: Rgb, other: Rgb) -> float:
    """The contrast of two colours, from 1 to 21 (WCAG 2.2, "contrast ratio")."""
    dark, light = sorted((_luminance(one), _luminance(other)))
    return (light + 0.05) / (dark + 0.05)


def readable(colour: Rgb, grounds: tuple[Rgb, ...], towards: Rgb) -> Rgb:
    """The shade of a colour on the way to another one, the nearest that can be read on each of these grounds."""
    for step in range(_STEPS + 1):
        shade = _mixed(colour, towards, step / _STEPS)
        if all(contrast(shade, ground) >= ENOUGH for ground in grounds):
            return shade
    return towards


def _mixed(one: Rgb, other: Rgb, part: float) -> Rgb:
    red, green, blue = (round(a + (b - a) * part) for a, b in zip(one, other, strict=True))
    return red, green, blue


def _luminance(colour: Rgb) -> float:
    red, green, blue = (_linear(each / 255) for each in colour)
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else float(((channel + 0.055) / 1.055) ** 2.4)
