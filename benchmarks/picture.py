"""The bars as a picture: how far each figure is from what it must be, as SVG.

Pure. One scale for all: a figure is drawn as a share of its bar, logarithmically, so that the line
in the middle is the bar and left of it is better.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from xml.sax.saxutils import escape

from benchmarks.bars import Bar, Figure, Verdict
from benchmarks.samples import written

WIDTH, ROW, LABELS, HEAD, FOOT = 980, 26, 430, 50, 34
SCALE = 400
LEFT, RIGHT = 1 / 8, 8.0
COLOURS = {
    Verdict.STRETCH: "#1a7f37",
    Verdict.PASS: "#4f9e63",
    Verdict.FAIL: "#c93c37",
    Verdict.UNKNOWN: "#8b949e",
}
TICKS = (0.125, 0.25, 0.5, 1.0, 2.0, 4.0, 8.0)


def share(bar: Bar, value: float) -> float | None:
    """A figure as a share of its bar, less being better; None where there is nothing to divide."""
    limit = bar.must if bar.must is not None else bar.stretch
    if not limit or value <= 0:
        return None
    return limit / value if bar.more_is_better else value / limit


def across(part: float) -> float:
    """Where a share stands, in pixels; what is off the scale stands at its end."""
    inside = min(max(part, LEFT), RIGHT)
    return LABELS + SCALE * math.log(inside / LEFT) / math.log(RIGHT / LEFT)


def picture(figures: Sequence[Figure], title: str) -> str:
    """The whole picture; figures that cannot be a share of their bar are left to the table."""
    drawn = [
        (figure, part)
        for figure in figures
        if figure.found and (part := share(figure.bar, figure.found.median)) is not None
    ]
    bottom = HEAD + ROW * len(drawn)
    parts = [_frame(bottom + FOOT, title), *_ticks(bottom)]
    parts += [_row(figure, part, HEAD + ROW * i) for i, (figure, part) in enumerate(drawn)]
    return "\n".join([*parts, "</svg>\n"])


def _frame(height: int, title: str) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" width="{WIDTH}" height="{height}" '
        f'viewBox="0 0 {WIDTH} {height}" font-family="sans-serif" font-size="13">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#fff"/>\n'
        f'<text x="12" y="24" font-size="16" fill="#1f2328">{escape(title)}</text>'
    )


def _ticks(bottom: int) -> list[str]:
    lines = []
    for tick in TICKS:
        x, colour = across(tick), "#1f2328" if tick == 1 else "#d0d7de"
        word = "bar" if tick == 1 else f"{tick:g} x"
        lines.append(
            f'<line x1="{x:.1f}" x2="{x:.1f}" y1="{HEAD - 8}" y2="{bottom}" stroke="{colour}"/>'
            f'<text x="{x:.1f}" y="{bottom + 18}" text-anchor="middle" fill="#57606a">{word}</text>'
        )
    return lines


def _row(figure: Figure, part: float, top: int) -> str:
    bar, found, colour = figure.bar, figure.found, COLOURS[figure.verdict]
    assert found
    middle, x, zero = top + ROW / 2, across(part), across(1)
    stretch = across(share(bar, bar.stretch) or 1)
    return (
        f'<text x="{LABELS - 12}" y="{middle + 4:.1f}" text-anchor="end">{escape(bar.what)}</text>'
        f'<rect x="{min(x, zero):.1f}" y="{top + 5}" width="{abs(x - zero):.1f}" '
        f'height="{ROW - 10}" fill="{colour}"/>'
        f'<line x1="{stretch:.1f}" x2="{stretch:.1f}" y1="{top + 2}" y2="{top + ROW - 2}" '
        'stroke="#57606a" stroke-dasharray="3 2"/>'
        f'<text x="{LABELS + SCALE + 20}" y="{middle + 4:.1f}" fill="{colour}">'
        f"{written(found.median)} {escape(figure.verdict)}</text>"
    )
