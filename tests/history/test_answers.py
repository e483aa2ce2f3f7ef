"""What a reader is answered: a gap's JSON, and foreign text that is echoed in it."""

import json

from bridge.history.answers import TRIMMED, Gap, echo
from bridge.history.cursor import Cursor


def test_a_gap_is_told_as_json_with_both_places() -> None:
    gap = Gap("e-1", Cursor("e", 5), 4, TRIMMED)
    assert json.loads(gap.data) == {"old": "e-1", "new": "e-5", "lost": 4, "reason": "trimmed"}


def test_a_gap_of_unknown_size_says_null() -> None:
    assert json.loads(Gap(None, Cursor("e", 0), None, TRIMMED).data)["lost"] is None


def test_foreign_text_is_echoed_short_and_without_lone_surrogates() -> None:
    assert echo("x" * 1000) == "x" * 64
    assert echo("\udcff") == "?"
