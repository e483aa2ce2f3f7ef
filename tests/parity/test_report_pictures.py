"""The pictures of a report: all that is drawn is said as well, and stays in its frame."""

import math
from xml.etree import ElementTree as ET

from hypothesis import given
from hypothesis import strategies as st

from bridge.parity.finding import Kind
from bridge.parity.report import Lag, Moment
from bridge.parity.report_pictures import HEIGHT, WIDTH, histogram, kinds, timeline
from tests.parity.samples import LAG, TIMELINE

counts = st.integers(0, 10**6)
lags = st.builds(
    Lag,
    st.just(1),
    st.floats(-10, 10),
    st.floats(-10, 10),
    st.floats(-10, 10),
    st.lists(st.floats(-10, 10), unique=True).flatmap(
        lambda bounds: st.tuples(
            *(st.tuples(st.just(b), counts) for b in [*sorted(bounds), math.inf])
        )
    ),
)
moments = st.builds(
    Moment,
    st.floats(0, 1e6),
    counts,
    st.dictionaries(st.sampled_from([k.value for k in Kind]), counts),
)


def inside(picture: str) -> ET.Element:
    root = ET.fromstring(picture)
    for bar in root.iter("rect"):
        x, y, width, height = (
            float(bar.get(each, "nan")) for each in ("x", "y", "width", "height")
        )
        assert -1 <= x <= x + width <= WIDTH + 1
        assert -1 <= y <= y + height <= HEIGHT + 1
        assert bar.findtext("title")
    for line in root.iter("line"):
        assert 0 <= float(line.get("x1", "nan")) <= WIDTH
    return root


@given(lags)
def test_a_histogram_stays_in_its_frame(lag: Lag) -> None:
    inside(histogram(lag))


@given(st.lists(moments, max_size=20))
def test_a_timeline_stays_in_its_frame(given_moments: list[Moment]) -> None:
    inside(timeline(given_moments))


def test_every_bar_says_what_it_shows() -> None:
    titles = [bar.findtext("title") for bar in inside(histogram(LAG)).iter("rect")]
    assert "up to 2 ms: 3,100 pairs" in titles
    assert "more: 2 pairs" in titles


def test_a_timeline_says_when_what_differed() -> None:
    root = inside(timeline(TIMELINE))
    assert "3:20: 6 missing" in [bar.findtext("title") for bar in root.iter("rect")]
    assert root.findtext("desc") == "12 missing, 90 altered, 1 reordered"


def test_kinds_are_summed_in_their_order() -> None:
    assert kinds(TIMELINE) == [("missing", 12), ("altered", 90), ("reordered", 1)]
