"""How a place in a log is written and read."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.history.cursor import Cursor

EPOCHS = st.from_regex(r"[A-Za-z0-9]{1,32}", fullmatch=True)


@given(EPOCHS, st.integers(0, 10**19 - 1))
def test_a_written_cursor_reads_back_as_itself(epoch: str, seq: int) -> None:
    assert Cursor.parse(str(Cursor(epoch, seq))) == Cursor(epoch, seq)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "-",
        "e1",
        "e1-",
        "-7",
        "e1--7",
        "e1-7-8",
        "e1-x",
        "e1 -7",
        " e1-7",
        "e1-7\n",
        "e1-7\0",
        "e.1-7",
        "é-7",
        "e1-\N{ARABIC-INDIC DIGIT SEVEN}",
        "e1-+7",
        "e" * 33 + "-7",
        "e1-" + "9" * 20,
        "1700000000000",
    ],
)
def test_anything_else_is_no_cursor(text: str) -> None:
    assert Cursor.parse(text) is None


@given(st.text())
def test_hostile_text_never_raises(text: str) -> None:
    found = Cursor.parse(text)
    assert found is None or found.seq >= 0


def test_leading_zeros_name_the_same_place() -> None:
    assert Cursor.parse("e1-007") == Cursor("e1", 7)


def test_the_same_seq_of_another_epoch_is_another_place() -> None:
    assert Cursor("a", 1) != Cursor("b", 1)
