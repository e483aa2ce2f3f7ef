"""The assertion that two backends agree, and the test that a difference becomes."""

from pathlib import Path

import pytest

from bridge.parity.observation import Mark, Observation, Side, Turn
from bridge.parity.options import CompareOptions
from bridge.parity.proof import NoParityError, assert_parity, case
from tests.parity.test_shrink import said, streams


def failed(sights: list[Observation], options: CompareOptions | None = None) -> NoParityError:
    with pytest.raises(NoParityError) as caught:
        assert_parity(sights, options)
    return caught.value


def test_backends_that_agree_give_their_report() -> None:
    report = assert_parity(streams(120, altered=-1))
    assert report.verdict.evidence.matched == 120


def test_a_difference_is_told_with_the_smallest_stream_that_shows_it() -> None:
    text = str(failed(streams(120, altered=60)))
    assert text.startswith("fail: ")
    assert 'altered \'file\' at $.object.url, 1 times: legacy "a", candidate "b"' in text
    assert "the smallest stream that shows the first" in text
    assert '"f60"' in text
    assert '"f59"' not in text or '"f1"' not in text


def test_too_little_is_no_pass() -> None:
    error = failed(streams(3, altered=-1))
    assert str(error).startswith("insufficient: ")
    assert error.example == ()
    with pytest.raises(ValueError, match="no difference to write down"):
        case(error)


def test_a_difference_is_written_as_a_test_that_fails_in_the_same_way() -> None:
    options = CompareOptions(window=5.0, ignore=("$.object.name",))
    error = failed(streams(120, altered=60), options)
    source = case(error)
    namespace: dict[str, object] = {}
    exec(compile(source, "case.py", "exec"), namespace)
    test = namespace["test_both_backends_say_the_same"]
    assert callable(test)
    with pytest.raises(NoParityError) as again:
        test()
    assert again.value.finding is not None
    assert error.finding is not None
    assert again.value.finding.path == error.finding.path == "$.object.url"
    assert "window=5.0, ignore=('$.object.name',), min_messages=1" in source


def test_a_case_holds_whatever_was_said() -> None:
    odd = 'quote " \\ \n \u2028 \ud7ff'
    sights = [said(Side.LEGACY, 0, 0.0), said(Side.CANDIDATE, 0, 0.1)]
    error = failed([*sights, said(Side.LEGACY, 1, 1.0, odd), said(Side.CANDIDATE, 1, 1.1)])
    error.example = (
        *error.example,
        Mark(Side.CANDIDATE, "c", 2.0, Turn.LOST, 1, 'a "reason"\n'),
        Observation(Side.LEGACY, "c", b"\0", 3.0, "sse", "chunk", "7", 2),
    )
    namespace: dict[str, object] = {}
    exec(compile(case(error), "case.py", "exec"), namespace)
    assert namespace["SIGHTS"] == list(error.example)


def test_a_case_is_ascii(tmp_path: Path) -> None:
    error = failed(
        [*streams(3, -1), said(Side.LEGACY, 9, 5.0, "\u00fc"), said(Side.CANDIDATE, 9, 5.1)]
    )
    assert case(error).isascii()
