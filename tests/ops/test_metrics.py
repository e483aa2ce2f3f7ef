"""What is counted: every name in the table, every label with a bound."""

import ast
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from prometheus_client.parser import text_string_to_metric_families

from bridge.ops.metrics import TABLE, Metric, Metrics

SOURCES = Path(__file__).parents[2] / "bridge"
METHODS = {"count": "counter", "gauge": "gauge"}

BOUNDED = frozenset(
    {
        "kind",  # of an upstream: three
        "self.kind",
        "self._upstream.kind",
        "wire",  # two
        "self._session.wire",
        "session.wire",
        "reader.session.wire",
        "name",  # of an ending, those of applications being one (supervise)
        "label(ending)",  # likewise
        "quantile",  # of a lag: two
        "label(ending) if ending else 'accepted'",
        "reason",  # of a hole or of an ignored frame, a constant of the module that says so
        "refused.reason",  # a key of `budget.WHY`
        "refusal.label",  # why a client is not let in: constants of grant and tokens
        "outcome",  # a constant of the same function
        "judge(options, answer).value",  # an Enum
    }
)
"""The expressions that stand behind labels. A new one needs a bound, and then a line here."""


@dataclass(frozen=True)
class Counted:
    """One place in the source where something is counted."""

    where: str
    kind: str
    name: str
    labels: tuple[str, ...]
    values: tuple[str, ...]


def counted() -> Iterator[Counted]:
    for path in sorted(SOURCES.rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text())):
            if isinstance(node, ast.Call) and _is_meter(node.func):
                assert isinstance(node.func, ast.Attribute)
                name = node.args[0]
                assert isinstance(name, ast.Constant), f"{path.name}:{node.lineno}"
                yield Counted(
                    f"{path.name}:{node.lineno}",
                    METHODS[node.func.attr],
                    str(name.value),
                    tuple(sorted(str(each.arg) for each in node.keywords)),
                    tuple(
                        ast.unparse(each.value)
                        for each in node.keywords
                        if not isinstance(each.value, ast.Constant)
                    ),
                )


def _is_meter(called: ast.expr) -> bool:
    return (
        isinstance(called, ast.Attribute)
        and called.attr in METHODS
        and ast.unparse(called.value).endswith("meter")
    )


PLACES = tuple(counted())
BY_NAME = {metric.name: metric for metric in TABLE}


def test_there_is_something_to_check() -> None:
    assert len(PLACES) > 20


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.where} {place.name}")
def test_what_is_counted_is_in_the_table_with_the_same_labels(place: Counted) -> None:
    metric = BY_NAME[place.name]
    assert (metric.kind, tuple(sorted(metric.labels))) == (place.kind, place.labels)


@pytest.mark.parametrize("metric", TABLE, ids=lambda metric: metric.name)
def test_what_is_in_the_table_is_counted_somewhere(metric: Metric) -> None:
    assert metric.name in {place.name for place in PLACES}


@pytest.mark.parametrize("place", PLACES, ids=lambda place: f"{place.where} {place.name}")
def test_every_label_has_a_bound(place: Counted) -> None:
    assert set(place.values) <= BOUNDED


def test_names_are_there_once_and_explained() -> None:
    assert len(BY_NAME) == len(TABLE)
    assert all(metric.help.endswith(".") for metric in TABLE)


def test_a_counter_rises_and_a_gauge_moves_both_ways() -> None:
    metrics = Metrics()
    metrics.count("events_published", 3)
    metrics.count("events_published")
    metrics.gauge("clients", 2, wire="ws")
    metrics.gauge("clients", -1, wire="ws")
    assert metrics.value("events_published") == 4
    assert metrics.value("clients", wire="ws") == 1
    assert metrics.value("clients", wire="sse") == 0


@pytest.mark.parametrize("name", ["no_such_metric", "channels"])
def test_a_name_outside_the_table_is_a_bug(name: str) -> None:
    with pytest.raises(KeyError):
        Metrics().count(name)


def test_a_counter_never_falls() -> None:
    with pytest.raises(ValueError, match="rises"):
        Metrics().count("events_published", -1)


@pytest.mark.parametrize("labels", [{}, {"wire": "ws", "kind": "sse"}])
def test_other_labels_are_a_bug(labels: dict[str, str]) -> None:
    with pytest.raises(ValueError, match="labels"):
        Metrics().gauge("clients", 1, **labels)


def test_two_bridges_in_one_process_count_for_themselves() -> None:
    one, two = Metrics(), Metrics()
    one.count("polls", outcome="result")
    assert two.value("polls", outcome="result") == 0


def test_the_exposition_is_what_prometheus_reads() -> None:
    metrics = Metrics()
    metrics.count("frames_up", outcome="accepted")
    text, kind = metrics.exposition()
    families = {family.name for family in text_string_to_metric_families(text.decode())}
    assert {f"ws2sse_{metric.name}" for metric in TABLE} == families
    assert kind.startswith("text/plain")
    assert b'ws2sse_frames_up_total{outcome="accepted"} 1.0' in text
    assert b"_created" not in text
