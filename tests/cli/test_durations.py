"""Lengths of time as people write them."""

import pytest
import typer

from bridge.cli.durations import seconds


@pytest.mark.parametrize(
    ("text", "expected"),
    [("90", 90), ("90s", 90), ("0.5", 0.5), ("10m", 600), ("1h30m", 5400), ("1H 5S"[:2], 3600)],
)
def test_usual_ways_of_writing_are_understood(text: str, expected: float) -> None:
    assert seconds(text) == expected


@pytest.mark.parametrize("text", ["", "0", "0s", "-1", "ten", "10 m", "1d", "m", "nan", "1e3"])
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(typer.BadParameter, match="write 90s, 10m or 1h30m"):
        seconds(text)
