"""A word selects topics by their name or by one side of its dash."""

import pytest

from benchmarks import plan
from benchmarks.bars import BARS
from benchmarks.subscribers import Segment


def test_a_full_run_leaves_nothing_out() -> None:
    assert plan.selected([], quick=False) == list(plan.ALL)


def test_a_quick_run_leaves_the_long_topics_out() -> None:
    assert not plan.LONG & set(plan.selected([], quick=True))


def test_a_long_topic_is_measured_quickly_when_it_is_asked_for() -> None:
    assert plan.selected(["sse-idle15000"], quick=True) == ["sse-idle15000"]


def test_words_select_by_name_wire_or_question() -> None:
    assert plan.selected(["sse-single", "memory"], quick=False) == [
        "sse-single",
        "sse-memory",
        "ws-memory",
    ]
    assert all(name.startswith("ws-") for name in plan.selected(["ws"], quick=False))


def test_an_unknown_word_is_refused_with_the_choice() -> None:
    with pytest.raises(ValueError, match=r"nothing is called sinlge; choose from sse-single, "):
        plan.selected(["sse-single", "sinlge"], quick=False)


@pytest.mark.parametrize("effort", [plan.QUICK, plan.FULL])
def test_every_topic_that_is_asked_has_a_name_that_can_be_selected(effort: plan.Effort) -> None:
    asked = [plan.fan_out("sse", effort), plan.fan_out("ws", effort), plan.proxy("sse", effort)]
    assert {topic.name for topics in asked for topic in topics} <= set(plan.ALL)


def test_a_quick_run_asks_only_those_that_a_bar_names() -> None:
    asked = {peer for topic in plan.fan_out("ws", plan.QUICK) for peer in topic.peers}
    assert not plan.UNBARRED & asked
    named = {peer for bar in BARS for peer in (bar.peer, bar.to)}
    assert not plan.UNBARRED & named


def test_enough_cycles_for_a_median_are_the_rule() -> None:
    assert plan.FULL.cycles >= 7


def test_a_segment_is_one_line_for_the_generator() -> None:
    assert Segment("burst", 1.5, burst=8).line() == "0 1 8 1.5 0\n"
    assert Segment("paced", 3, rate=10, warm=0.3).line() == "10 1 1 3 0.3\n"
