"""Plots as SVG inside a page: columns for numbers over time. A table beside each says the same in words.

No script and no style: colours come from the style sheet, so that they follow light, dark and high contrast.
"""

from __future__ import annotations

from collections.abc import Sequence

from markupsafe import Markup, escape

WIDTH, HEIGHT = 720, 160
_GAP = 0.25  # of the room for a column


def columns(values: Sequence[int], labels: Sequence[str], title: str) -> Markup:
    """One column for each value, from zero up; `title` says in one sentence what is seen, `labels` name the columns."""
    most = max(values, default=0) or 1
    room = WIDTH / max(len(values), 1)
    drawn = [
        f'<rect x="{index * room + room * _GAP / 2:.1f}" y="{HEIGHT - value / most * HEIGHT:.1f}"'
        f' width="{room * (1 - _GAP):.1f}" height="{value / most * HEIGHT:.1f}"><title>{escape(label)}: {value}</title>'
        "</rect>"
        for index, (value, label) in enumerate(zip(values, labels, strict=True))
    ]
    return Markup(  # noqa: S704  numbers, and words that are escaped
        f'<svg class="plot" viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}"'
        f' preserveAspectRatio="none">{"".join(drawn)}</svg>'
    )
