"""Counters and gauges of the running bridge, in the Prometheus text format.

Decides what is counted and under which labels: `TABLE` is the whole list, and a name that is not
in it is a bug. Labels never hold a token, a client's address or anything else without a bound.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily
from prometheus_client.exposition import generate_latest
from prometheus_client.metrics_core import Metric as PrometheusMetric


@dataclass(frozen=True, slots=True)
class Metric:
    """One metric.

    Attributes:
        name: without the `ws2sse_` prefix.
        kind: `counter` only rises, `gauge` moves both ways.
        help: one sentence for operators.
        labels: the label names.
    """

    name: str
    kind: Literal["counter", "gauge"]
    help: str
    labels: tuple[str, ...] = ()


TABLE: tuple[Metric, ...] = (
    Metric("channels", "gauge", "Channels that are open."),
    Metric("clients", "gauge", "Clients that are connected.", ("wire",)),
    Metric("clients_opened", "counter", "Clients that were accepted.", ("wire",)),
    Metric("clients_stepped", "counter", "Clients served without taking them over.", ("wire",)),
    Metric("clients_refused", "counter", "Clients and frames over a limit.", ("reason",)),
    Metric("slow_clients", "counter", "Clients ended because a send took too long.", ("wire",)),
    Metric("events_published", "counter", "Events appended to a log."),
    Metric("events_delivered", "counter", "Events handed to clients.", ("wire",)),
    Metric("upstream_opened", "counter", "Backend connections that were opened.", ("kind",)),
    Metric("upstream_lost", "counter", "Backend connections that ended.", ("kind", "ending")),
    Metric("upstream_faults", "counter", "Failures of the bridge's own readers.", ("kind",)),
    Metric("upstream_oversized", "counter", "Connections dropped for their size.", ("kind",)),
    Metric("upstream_repetitions", "counter", "Replayed events that were known.", ("kind",)),
    Metric("payloads_not_json", "counter", "Events that are not JSON; passed on untouched."),
    Metric("payloads_with_return", "counter", "Events whose CR reaches SSE clients as LF."),
    Metric("gaps", "counter", "Holes noticed in what a backend sent.", ("reason",)),
    Metric("gaps_told", "counter", "Holes of its own that a client was told of.", ("wire",)),
    Metric("frames_up", "counter", "Client frames taken to a backend.", ("outcome",)),
    Metric("frames_ignored", "counter", "Client frames that went nowhere.", ("reason",)),
    Metric("completions_latched", "counter", "Completions dropped as already delivered."),
    Metric("logs_reclaimed", "counter", "Bytes trimmed since all logs together had too many."),
    Metric("history_commits", "counter", "Commits to the history's file.", ("outcome",)),
    Metric("polls", "counter", "Requests of the polling of last resort.", ("outcome",)),
    Metric("snapshots", "counter", "Snapshots that were fetched for joiners.", ("outcome",)),
    Metric("auth_refused", "counter", "Clients, channels or frames not let in.", ("reason",)),
    Metric("auth_questions", "counter", "Questions to the endpoint of forward.", ("outcome",)),
    Metric("jwks_fetches", "counter", "Fetches of an issuer's keys.", ("outcome",)),
    Metric("tickets", "counter", "Tickets in URLs.", ("outcome",)),
    Metric("relay_streams", "counter", "Streams opened by POST.", ("outcome",)),
    Metric("relay_bytes", "counter", "Bytes of relayed streams."),
    Metric("shadow_channels", "gauge", "Channels on which both backends are compared."),
    Metric("shadow_pairs", "counter", "Messages that both backends said alike."),
    Metric("shadow_differences", "counter", "Differences that nothing excuses.", ("kind",)),
    Metric("shadow_lag_seconds", "gauge", "The other backend's lag, largest.", ("quantile",)),
    Metric("shadow_skipped", "counter", "Messages that were left out of a comparison."),
    Metric("shadow_faults", "counter", "Comparisons that failed or hung.", ("reason",)),
)


class Metrics:
    """Implements `bridge.seams.Meter`; the sums are plain numbers, since each delivery counts.

    The Prometheus client's own counters lock and look labels up at every call; here that happens
    when a scraper asks.

    Args:
        table: the metrics; a name outside it raises KeyError, as does a missing label.
    """

    def __init__(self, table: tuple[Metric, ...] = TABLE) -> None:
        self._table = table
        self._labels = {metric.name: metric.labels for metric in table}
        self._counters = frozenset(metric.name for metric in table if metric.kind == "counter")
        self._values: dict[tuple[str, ...], float] = {
            (metric.name,): 0.0 for metric in table if not metric.labels
        }
        self._registry = CollectorRegistry()
        self._registry.register(self)

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter.

        Raises:
            KeyError: there is no such counter.
            ValueError: it would fall, or has other labels.
        """
        if name not in self._counters:
            raise KeyError(name)
        if amount < 0:
            raise ValueError(f"{name} only rises")
        if labels:
            self._move(name, amount, labels)
            return
        key = (name,)
        if key not in self._values:  # it has labels, and they are missing
            self._move(name, amount, labels)
        self._values[key] += amount

    def gauge(self, name: str, change: float, **labels: str) -> None:
        """Move a gauge.

        Raises:
            KeyError: there is no such gauge.
            ValueError: it has other labels.
        """
        if name in self._counters:
            raise KeyError(name)
        self._move(name, change, labels)

    def value(self, name: str, **labels: str) -> float:
        """What a metric stands at; 0 where it never moved."""
        return self._values.get((name, *[labels[each] for each in self._labels[name]]), 0.0)

    def exposition(self) -> tuple[bytes, str]:
        """The text and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST

    def collect(self) -> Iterator[PrometheusMetric]:
        """What the Prometheus client asks a collector for."""
        families: dict[str, CounterMetricFamily | GaugeMetricFamily] = {}
        for metric in self._table:
            kind = CounterMetricFamily if metric.kind == "counter" else GaugeMetricFamily
            families[metric.name] = kind(
                f"ws2sse_{metric.name}", metric.help, labels=list(metric.labels)
            )
        for (name, *labels), value in self._values.items():
            families[name].add_metric(labels, value)
        yield from families.values()

    def _move(self, name: str, change: float, labels: dict[str, str]) -> None:
        expected = self._labels[name]
        if len(labels) != len(expected):
            raise ValueError(f"{name} has the labels {expected}")
        if len(expected) == 1:
            key: tuple[str, ...] = (name, labels[expected[0]])
        else:
            key = (name, *[labels[each] for each in expected])
        self._values[key] = self._values.get(key, 0.0) + change
