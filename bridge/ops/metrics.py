"""Counters and gauges of the running bridge, in the Prometheus text format.

Decides what is counted and under which labels: `TABLE` is the whole list, and a name that is not
in it is a bug. Labels never hold a token, a client's address or anything else without a bound.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from prometheus_client import (
    CONTENT_TYPE_LATEST,
    CollectorRegistry,
    Counter,
    Gauge,
    disable_created_metrics,
)
from prometheus_client.exposition import generate_latest

disable_created_metrics()  # type: ignore[no-untyped-call]


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
    Metric("polls", "counter", "Requests of the polling of last resort.", ("outcome",)),
    Metric("snapshots", "counter", "Snapshots that were fetched for joiners.", ("outcome",)),
    Metric("relay_streams", "counter", "Streams opened by POST.", ("outcome",)),
    Metric("relay_bytes", "counter", "Bytes of relayed streams."),
)


class Metrics:
    """Implements `bridge.seams.Meter` over a registry of its own.

    Args:
        table: the metrics; a name outside it raises KeyError.
    """

    def __init__(self, table: tuple[Metric, ...] = TABLE) -> None:
        self._registry = CollectorRegistry()
        self._counters: dict[str, Counter] = {}
        self._gauges: dict[str, Gauge] = {}
        for metric in table:
            name = f"ws2sse_{metric.name}"
            if metric.kind == "counter":
                made = Counter(name, metric.help, metric.labels, registry=self._registry)
                self._counters[metric.name] = made
            else:
                level = Gauge(name, metric.help, metric.labels, registry=self._registry)
                self._gauges[metric.name] = level

    def count(self, name: str, amount: float = 1, **labels: str) -> None:
        """Add to a counter."""
        counter = self._counters[name]
        (counter.labels(**labels) if labels else counter).inc(amount)

    def gauge(self, name: str, change: float, **labels: str) -> None:
        """Move a gauge."""
        gauge = self._gauges[name]
        (gauge.labels(**labels) if labels else gauge).inc(change)

    def value(self, name: str, **labels: str) -> float:
        """What a metric stands at; 0 where it never moved."""
        suffix = "_total" if name in self._counters else ""
        return self._registry.get_sample_value(f"ws2sse_{name}{suffix}", labels) or 0.0

    def exposition(self) -> tuple[bytes, str]:
        """The text and its content type."""
        return generate_latest(self._registry), CONTENT_TYPE_LATEST
