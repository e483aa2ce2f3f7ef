"""The pictures of a report as inline SVG: how late the candidate is, and when what differed.

Decides what is drawn where; colours and fonts are the page's style sheet's. Nothing in a picture
is told by colour alone: each part has a title.
"""

from __future__ import annotations

import math
from collections import Counter
from collections.abc import Iterable, Iterator, Sequence
from xml.etree.ElementTree import Element, SubElement, tostring

from bridge.parity import wording
from bridge.parity.finding import Kind
from bridge.parity.report import Lag, Moment

WIDTH, HEIGHT = 720, 220
_LEFT, _RIGHT, _TOP, _BOTTOM = 56, 12, 12, 34
_INNER = WIDTH - _LEFT - _RIGHT
_DEEP = HEIGHT - _TOP - _BOTTOM
_LABELS = 8
_ORDER = {kind.value: place for place, kind in enumerate(Kind)}


def histogram(lag: Lag) -> str:
    """How many pairs had which lag; the marks are the median and the 99th percentile."""
    bars = _trimmed(lag.histogram)
    picture = _picture(
        "lag",
        "How much later the candidate says the same",
        f"median {wording.seconds(lag.p50)}, 99th percentile {wording.seconds(lag.p99)}",
    )
    highest = max((count for _, count in bars), default=0)
    _scale(picture, highest)
    step = _INNER / max(len(bars), 1)
    for place, (upper, count) in enumerate(bars):
        above = "more" if math.isinf(upper) else f"up to {wording.seconds(upper)}"
        height = _DEEP * count / highest if highest else 0
        said = f"{above}: {wording.counted(count, 'pair')}"
        _bar(picture, "bar", _LEFT + place * step, height, step, said)
    _captions(picture, [_bound(upper) for upper, _ in bars], step, at_end=True)
    for name, value in (("p50", lag.p50), ("p99", lag.p99)):
        _line(picture, _LEFT + _position(bars, value) * step, name)
    return _written(picture)


def timeline(moments: Sequence[Moment]) -> str:
    """When what differed, as stacked bars, over a band that shows how much said the same."""
    picture = _picture("timeline", "Differences over time", _summary(moments))
    highest = max((sum(each.differences.values()) for each in moments), default=0)
    busiest = max((each.matched for each in moments), default=0)
    _scale(picture, highest)
    step = _INNER / max(len(moments), 1)
    for place, moment in enumerate(moments):
        left = _LEFT + place * step
        said = f"{_clock(moment.at)}: {wording.number(moment.matched)} matched"
        shade = moment.matched / busiest if busiest else 0
        _band(picture, left, step, shade, said)
        _stack(picture, moment, left, step, highest)
    _captions(picture, [_clock(each.at) for each in moments], step, at_end=False)
    return _written(picture)


def kinds(moments: Iterable[Moment]) -> list[tuple[str, int]]:
    """What a timeline shows, by kind, in the order of its stacks."""
    sums: Counter[str] = Counter()
    for moment in moments:
        sums.update(moment.differences)
    return sorted(sums.items(), key=lambda each: _ORDER.get(each[0], len(_ORDER)))


def _trimmed(bars: Sequence[tuple[float, int]]) -> list[tuple[float, int]]:
    """Without the empty bars at either end, but for one."""
    filled = [place for place, (_, count) in enumerate(bars) if count]
    if not filled:
        return []
    return list(bars[max(filled[0] - 1, 0) : filled[-1] + 2])


def _stack(picture: Element, moment: Moment, left: float, step: float, highest: int) -> None:
    base = 0.0
    for kind, count in sorted(moment.differences.items(), key=lambda each: _ORDER.get(each[0], 99)):
        height = _DEEP * count / max(highest, 1)
        said = f"{_clock(moment.at)}: {wording.number(count)} {kind}"
        _bar(picture, f"bar k-{kind}", left, height, step, said, base)
        base += height


def _summary(moments: Sequence[Moment]) -> str:
    found = ", ".join(f"{wording.number(count)} {kind}" for kind, count in kinds(moments))
    return found or "none"


def _picture(name: str, title: str, description: str) -> Element:
    picture = Element(
        "svg",
        {
            "viewBox": f"0 0 {WIDTH} {HEIGHT}",
            "role": "img",
            "aria-labelledby": f"{name}-title {name}-description",
            "class": f"picture {name}",
        },
    )
    SubElement(picture, "title", id=f"{name}-title").text = title
    SubElement(picture, "desc", id=f"{name}-description").text = description
    return picture


def _scale(picture: Element, highest: int) -> None:
    """Lines at nothing, half and all, with their counts."""
    for part in (0.0, 0.5, 1.0) if highest > 1 else (0.0, 1.0):
        y = _TOP + _DEEP * (1 - part)
        places = {"x1": _at(_LEFT), "x2": _at(WIDTH - _RIGHT), "y1": _at(y), "y2": _at(y)}
        SubElement(picture, "line", places, **{"class": "rule"})
        value = highest * part
        shown = wording.number(round(value)) if value >= 10 or value == int(value) else f"{value:g}"
        _text(picture, _LEFT - 8, y + 4, shown, "end")


def _bar(
    picture: Element, style: str, x: float, height: float, step: float, said: str, base: float = 0
) -> None:
    gap = min(2.0, step * 0.15)
    shown = max(height, 1.5) if height else 0.0
    bar = SubElement(
        picture,
        "rect",
        {
            "class": style,
            "x": _at(x + gap / 2),
            "y": _at(_TOP + _DEEP - base - shown),
            "width": _at(max(step - gap, 0.5)),
            "height": _at(shown),
        },
    )
    SubElement(bar, "title").text = said


def _band(picture: Element, x: float, step: float, shade: float, said: str) -> None:
    places = {"x": _at(x), "y": _at(HEIGHT - _BOTTOM + 2), "width": _at(step), "height": "5"}
    opacity = f"{0.08 + 0.92 * shade:.2f}" if shade else "0.04"
    band = SubElement(picture, "rect", places, **{"class": "band", "fill-opacity": opacity})
    SubElement(band, "title").text = said


def _captions(picture: Element, texts: Sequence[str], step: float, *, at_end: bool) -> None:
    """As many captions below the bars as there is room for."""
    each = max(1, math.ceil(len(texts) / _LABELS))
    for place in range(0, len(texts), each):
        x = _LEFT + (place + at_end) * step
        anchor = "middle" if 0 < x - _LEFT < _INNER - 20 else ("end" if x > _LEFT else "start")
        _text(picture, x, HEIGHT - 10, texts[place], anchor)


def _line(picture: Element, x: float, name: str) -> None:
    places = {"x1": _at(x), "x2": _at(x), "y1": _at(_TOP), "y2": _at(_TOP + _DEEP)}
    SubElement(picture, "line", places, **{"class": f"mark {name}"})
    _text(picture, x + 4, _TOP + (10 if name == "p50" else 24), name, "start")


def _text(picture: Element, x: float, y: float, said: str, anchor: str) -> None:
    places = {"x": _at(x), "y": _at(y), "text-anchor": anchor}
    SubElement(picture, "text", places).text = said


def _position(bars: Sequence[tuple[float, int]], value: float) -> float:
    """Where a value lies among the bars, in bars from the left."""
    below = -math.inf
    for place, (upper, _) in enumerate(bars):
        if value <= upper:
            known = math.isfinite(below) and math.isfinite(upper) and upper > below
            return place + ((value - below) / (upper - below) if known else 0.5)
        below = upper
    return float(len(bars))


def _bound(upper: float) -> str:
    return "more" if math.isinf(upper) else wording.seconds(upper)


def _clock(at: float) -> str:
    minutes, rest = divmod(at, 60)
    return f"{rest:.3g} s" if minutes < 1 else f"{minutes:.0f}:{rest:02.0f}"


def _at(value: float) -> str:
    return f"{value:.2f}".rstrip("0").rstrip(".")


def _written(picture: Element) -> str:
    return tostring(picture, "unicode")


def legend(moments: Sequence[Moment]) -> Iterator[tuple[str, str]]:
    """A timeline's kinds, each with its count in words."""
    for kind, count in kinds(moments):
        yield kind, wording.number(count)
