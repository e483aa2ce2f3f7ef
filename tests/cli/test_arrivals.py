"""How one event looks in a line."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st
from rich.cells import cell_len

from bridge.cli.arrivals import Arrival, Remark


def test_a_line_has_time_size_id_event_and_data() -> None:
    line = Arrival(1.2345, "message", '{"a":"é"}', "e-7").line(None)
    assert line.split() == ["1.234", "10", "e-7", "message", '{"a":"é"}']


def test_a_missing_id_is_a_hyphen() -> None:
    assert Arrival(0, "message", "x").line(None).split()[2] == "-"


def test_columns_stand_below_each_other() -> None:
    one, other = Arrival(0, "message", "data"), Arrival(100, "a.b", "data", "e-1")
    assert one.line(None).index("data") == other.line(None).index("data")


def test_data_of_several_lines_stays_on_one() -> None:
    assert "a\\nb\\r\\tc" in Arrival(0, "message", "a\nb\r\tc").line(None)


@given(data=st.text(), event=st.text(), id_=st.text())
def test_nothing_that_steers_a_terminal_gets_through(data: str, event: str, id_: str) -> None:
    for line in (Arrival(0, event, data, id_).line(None), Remark(0, "id", id_).line(None)):
        assert line == "".join(line.splitlines())
        assert not any(ord(char) < 0x20 or 0x7F <= ord(char) < 0xA0 for char in line)
        assert "\u202e" not in line


@given(data=st.text(), width=st.integers(1, 120))
def test_a_line_is_never_wider_than_the_terminal(data: str, width: int) -> None:
    assert cell_len(Arrival(0, "message", data).line(width)) <= width


def test_a_line_that_fits_is_left_whole_and_a_cut_one_says_so() -> None:
    arrival = Arrival(0, "message", "x" * 20)
    whole = arrival.line(None)
    assert arrival.line(len(whole)) == whole
    cut = arrival.line(len(whole) - 1)
    assert cut == whole[:-2] + "…"


def test_a_binary_message_is_shown_in_hexadecimal() -> None:
    arrival = Arrival(0, "binary", bytes(range(3)))
    assert arrival.size == 3
    assert arrival.line(None).endswith("00 01 02")
    assert arrival.line(200).endswith("00 01 02")
    assert orjson.loads(arrival.json())["data"] == "000102"


@pytest.mark.parametrize(("width", "shown"), [(None, 1000), (100_000, 256)])
def test_a_long_binary_message_is_shown_whole_only_on_demand(width: int | None, shown: int) -> None:
    assert Arrival(0, "binary", b"\xab" * 1000).line(width).count("ab") == shown


def test_marks_without_width_are_cut_as_well_and_that_is_said() -> None:
    assert Arrival(0, "message", "e" + "\u0301" * 1000).line(80).endswith("…")


def test_machines_get_an_object_with_the_data_as_it_came() -> None:
    line = Arrival(1.23456, "message", "a\nb\x1b", "e-1").json()
    assert b"\n" not in line
    assert orjson.loads(line) == {
        "at": 1.235,
        "size": 4,
        "id": "e-1",
        "event": "message",
        "data": "a\nb\x1b",
    }


def test_a_remark_shows_a_field_without_an_event() -> None:
    assert Remark(0.5, "retry", "3000").line(None).split() == ["0.500", "-", "(retry:", "3000)"]
    assert orjson.loads(Remark(0.5, "id", "e-1").json()) == {"at": 0.5, "id": "e-1"}
