"""`bridge.demo.compare`: whether two clients are told the same."""

import pytest

from bridge.demo import script
from bridge.demo.compare import Comparison, Heard, Pair, Summary


def _both(comparison: Comparison, ws: str, sse: str) -> Pair:
    assert comparison.take(Heard("ws", ws)) is None
    pair = comparison.take(Heard("sse", sse, "e-1"))
    assert pair
    return pair


def test_a_message_waits_for_its_twin() -> None:
    comparison = Comparison()
    assert comparison.take(Heard("sse", "a", "e-1")) is None
    assert comparison.take(Heard("sse", "b", "e-2")) is None
    assert comparison.unpaired == 2
    pair = comparison.take(Heard("ws", "a"))
    assert pair == Pair(Heard("ws", "a"), Heard("sse", "a", "e-1"))
    assert pair.same
    assert (comparison.unpaired, comparison.heard, comparison.differing) == (1, 1, 0)


def test_texts_that_differ_by_a_space_differ() -> None:
    comparison = Comparison()
    assert not _both(comparison, '{"a": 1}', '{"a":1}').same
    assert (comparison.differing, comparison.last) == (1, '{"a":1}')


def test_a_render_is_summed_up_at_its_last_message() -> None:
    comparison = Comparison()
    texts = [step.text for step in script.render(1)]
    summaries = [comparison.conclude(_both(comparison, text, text)) for text in texts]
    assert summaries[:-1] == [None] * (len(texts) - 1)
    assert summaries[-1] == Summary(1, len(texts), 0, 0)


def test_each_render_is_counted_for_itself() -> None:
    comparison = Comparison()
    comparison.gap()
    first = comparison.conclude(_both(comparison, "x", script.superseded(1)))
    second = comparison.conclude(_both(comparison, text := script.superseded(2), text))
    assert [first, second] == [Summary(1, 1, 1, 1), Summary(2, 1, 0, 0)]
    assert (comparison.heard, comparison.differing, comparison.gaps) == (2, 1, 1)


@pytest.mark.parametrize(
    ("summary", "line"),
    [
        (Summary(1, 16, 0, 0), "render 1: 16 events, identical on both wires"),
        (Summary(2, 9, 1, 0), "render 2: 9 events, 1 DIFFERENT"),
        (Summary(3, 9, 0, 2), "render 3: 9 events, identical on both wires, gaps told: 2"),
    ],
)
def test_a_summary_is_one_line(summary: Summary, line: str) -> None:
    assert str(summary) == line


@pytest.mark.parametrize(
    ("text", "title"),
    [
        ('{"type":"render_progress","object":{"progress":0}}', "render_progress 0"),
        ('{"type":"task","object":{"status":"completed","name":"n"}}', "task completed"),
        ('{"type":"file","object":{"name":"n"}}', "file n"),
        ('{"type":"data","object":"text"}', "data"),
        ("[1]", "?"),
        ("not JSON", "?"),
    ],
)
def test_a_title_says_what_a_message_is(text: str, title: str) -> None:
    assert Heard("ws", text).title == title
