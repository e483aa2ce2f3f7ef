"""Which channels are compared."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.control.sampling import ShadowOptions
from bridge.wire.names import ChannelName

NAMES = [ChannelName(f"project.{number}") for number in range(1_000)]


def drawn(rate: float, salt: str = "") -> set[ChannelName]:
    options = ShadowOptions(("project.*",), rate, salt)
    return {name for name in NAMES if options.samples(name)}


def test_only_what_a_pattern_names_is_compared() -> None:
    assert not ShadowOptions().samples(NAMES[0])
    assert not ShadowOptions(("project.*",)).samples(ChannelName("file.1"))


def test_a_share_is_about_that_share() -> None:
    assert (drawn(0), drawn(1)) == (set(), set(NAMES))
    assert 200 < len(drawn(0.25)) < 300


@given(st.floats(0, 1), st.floats(0, 1))
def test_a_larger_share_keeps_those_of_a_smaller(one: float, two: float) -> None:
    assert drawn(min(one, two)) <= drawn(max(one, two))


def test_another_salt_draws_others() -> None:
    assert drawn(0.5) != drawn(0.5, "other")
    assert drawn(0.5, "other") == drawn(0.5, "other")


@pytest.mark.parametrize(
    "wrong", [{"rate": 2}, {"limit": 0}, {"queue": 0}, {"keep": -1}, {"patience": 0}]
)
def test_what_cannot_be_used_is_refused(wrong: dict[str, float]) -> None:
    with pytest.raises(ValueError, match=next(iter(wrong))):
        ShadowOptions(**wrong)  # type: ignore[arg-type]
