"""Options of a comparison that cannot be used are refused in one line."""

import pytest

from bridge.parity.options import CompareOptions


@pytest.mark.parametrize(
    ("given", "named"),
    [
        ({"window": 0}, "window is 0"),
        ({"window": 3601.0}, "at most 3600"),
        ({"window": float("nan")}, "window"),
        ({"recall": 5.0}, "less than window"),
        ({"recall": float("inf")}, "recall"),
        ({"disorder": -1}, "disorder"),
        ({"coalesce": -0.1}, "coalesce"),
        ({"skew": -1}, "skew"),
        ({"confidence": 1}, "confidence"),
        ({"false_alarms": 0}, "false_alarms"),
        ({"max_share": 1.1}, "max_share"),
        ({"max_silence": -0.1}, "max_silence"),
        ({"min_messages": 0}, "min_messages"),
        ({"max_pending": 0}, "max_pending"),
        ({"clocks": "three"}, "use one or two"),
        ({"encoding": "pass"}, "use fail or excuse"),
        ({"ignore": ("a",)}, "'a' is no path"),
        ({"normalise": ("$.a=upper",)}, "is no rule"),
        ({"identity": ("$.a[",)}, "cannot be read"),
    ],
)
def test_what_cannot_be_used_is_refused(given: dict[str, object], named: str) -> None:
    with pytest.raises(ValueError, match=named.replace("[", r"\[")) as refusal:
        CompareOptions(**given)  # type: ignore[arg-type]
    assert "\n" not in str(refusal.value)


def test_the_edges_can_be_used() -> None:
    CompareOptions(window=3600.0, recall=3600.0, disorder=0, coalesce=0, skew=0, max_share=1)
    CompareOptions(max_silence=0, min_messages=1, max_pending=1, clocks="two", encoding="excuse")
