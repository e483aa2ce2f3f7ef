"""Numbers and foreign text as people get to see them."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.parity import wording
from bridge.parity.finding import Kind


@pytest.mark.parametrize(
    ("value", "shown"),
    [
        (0.0, "0 s"),
        (-2.8e-14, "0 s"),
        (0.0000031, "3.1 µs"),
        (0.0021, "2.1 ms"),
        (-0.41, "-410 ms"),
        (3.456, "3.46 s"),
        (320, "5 min 20 s"),
        (7500, "2 h 5 min"),
    ],
)
def test_times_have_the_unit_that_suits_them(value: float, shown: str) -> None:
    assert wording.seconds(value) == shown


@pytest.mark.parametrize(
    ("share", "shown"),
    [(0, "0 %"), (1, "100 %"), (0.5, "50 %"), (0.0062, "0.62 %"), (3e-7, "3.0e-05 %")],
)
def test_a_small_share_is_not_nothing(share: float, shown: str) -> None:
    assert wording.percent(share) == shown


def test_counts_are_grouped_and_agree_with_their_noun() -> None:
    assert wording.counted(1, "pair") == "1 pair"
    assert wording.counted(12345, "pair") == "12,345 pairs"


@given(st.text())
def test_foreign_text_stays_on_its_line_and_acts_nowhere(text: str) -> None:
    shown = wording.visible(text)
    assert not set(shown) & {"\n", "\r", "\t", "\x1b", "\0", "\u202e", "\u2028"}
    assert shown.encode().decode() == shown


@given(st.text(), st.integers(1, 50))
def test_cut_text_fits(text: str, width: int) -> None:
    assert len(wording.cut(text, width)) <= width


def test_every_kind_has_its_meaning() -> None:
    assert set(wording.MEANINGS) == set(Kind)
