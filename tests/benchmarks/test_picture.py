"""The picture is well-formed, and left of the bar is better."""

from xml.etree import ElementTree as ET

from benchmarks.bars import Bar, Figure
from benchmarks.picture import COLOURS, LABELS, SCALE, across, picture, share
from benchmarks.samples import Spread

COST = Bar("CPU <each>", "sse-single", "cpu_us", 1.45, 1.25)
RATE = Bar("rate", "sse-overload", "rate", 4, 6.5, more_is_better=True)
COUNT = Bar("dropped", "sse-idle15000", "dropped", 0, 0)


def figure(bar: Bar, value: float) -> Figure:
    return Figure(bar, Spread(value, value, value, 1))


def test_a_share_is_less_where_the_figure_is_better() -> None:
    assert share(COST, 1.45) == 1
    assert share(RATE, 8) == 0.5
    assert share(RATE, 2) == 2


def test_the_stretch_is_the_bar_where_there_is_no_other() -> None:
    assert share(Bar("x", "sse-single", "cpu_us", None, 2), 1) == 0.5


def test_a_count_is_no_share_of_nothing() -> None:
    assert share(COUNT, 3) is None
    assert share(COST, 0) is None


def test_the_bar_stands_in_the_middle_and_the_scale_has_ends() -> None:
    assert across(1) == LABELS + SCALE / 2
    assert across(1e-9) == LABELS
    assert across(1e9) == LABELS + SCALE


def test_every_figure_that_was_measured_has_a_row() -> None:
    figures = [figure(COST, 1.3), figure(RATE, 2), figure(COUNT, 0), Figure(RATE, None)]
    drawn = ET.fromstring(picture(figures, "shares & bars"))
    texts = [element.text for element in drawn.iter("{http://www.w3.org/2000/svg}text")]
    assert "shares & bars" in texts
    assert "CPU <each>" in texts
    assert texts.count("rate") == 1
    assert "dropped" not in texts


def test_a_failed_figure_is_drawn_in_its_colour_to_the_right_of_the_bar() -> None:
    drawn = picture([figure(COST, 2.9)], "")
    failed = next(verdict for verdict in COLOURS if verdict == "FAIL")
    assert f'<rect x="{across(1):.1f}"' in drawn
    assert f'fill="{COLOURS[failed]}"' in drawn
