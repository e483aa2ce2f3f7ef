"""Which settings of a history are possible."""

from typing import Any

import pytest

from bridge.history.options import LogOptions


@pytest.mark.parametrize(
    ("settings", "named"),
    [
        ({"persist": "sqlite"}, "path is not given"),
        ({"path": "history.db"}, 'persist = "sqlite"'),
        ({"flush": 0}, "flush"),
        ({"flush": 61}, "flush"),
        ({"flush": float("nan")}, "flush"),
    ],
)
def test_what_cannot_be_is_refused_by_name(settings: dict[str, Any], named: str) -> None:
    with pytest.raises(ValueError, match=named):
        LogOptions(**settings)


def test_a_file_and_its_kind_go_together() -> None:
    assert LogOptions(persist="sqlite", path="history.db").on_corrupt == "refuse"
