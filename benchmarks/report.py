"""The run in words: tables of what was measured, and the bars at the end.

Pure. Writes Markdown, which reads well in a terminal too.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from benchmarks.bars import Figure, Verdict
from benchmarks.samples import Sample, by_cycle, in_order, paired, spread, topics, written

TITLES: Mapping[str, str] = {
    "single": "single events, one under way, 1,000 clients",
    "burst": "bursts of eight, 1,000 clients",
    "paced": "10 events/s, 1,000 clients",
    "overload": "1,000 events/s offered, 1,000 clients",
    "memory": "5,000 idle clients",
    "1000": "single events, 1,000 clients",
    "10000": "single events, 10,000 clients",
    "idle15000": "15,000 clients, one event/s",
    "idle50000": "50,000 clients, one event/s",
    "proxy": "one stream for each of 100 clients, one event under way",
    "proxypaced": "one stream for each of 100 clients, 10 events/s",
}
COLUMNS: Mapping[str, str] = {
    "cpu_us": "CPU us each",
    "rate": "deliveries/s",
    "reads": "events per CPU-s",
    "p50_ms": "p50 ms",
    "p99_ms": "p99 ms",
    "added_p99_ms": "added p99 ms",
    "kib": "KiB each",
    "opened": "opened per CPU-s",
    "missing": "missing",
    "dropped": "dropped",
    "failed": "refused",
}
SUMMED = frozenset({"missing", "dropped", "failed"})
Row = Sequence[str]


def table(head: Row, rows: Sequence[Row]) -> str:
    """A Markdown table whose columns line up."""
    widths = [max(len(row[i]) for row in (head, *rows)) for i in range(len(head))]
    lines = [head, ["-" * width for width in widths], *rows]
    return "\n".join(
        "| "
        + " | ".join(cell.ljust(width) for cell, width in zip(line, widths, strict=True))
        + " |"
        for line in lines
    )


def title(topic: str) -> str:
    """A topic in words."""
    wire, _, rest = topic.partition("-")
    if wire == "reading":
        mode, _, how = rest.partition("-")
        return f"reading a backend, {mode.upper()}, {'one by one' if how == 'single' else how}"
    return f"{wire.upper()}: {TITLES[rest]}"


def tables(samples: Sequence[Sample]) -> str:
    """One table for each topic."""
    return "\n\n".join(
        f"**{title(topic)}**\n\n{_topic(samples, topic)}" for topic in topics(samples)
    )


def _topic(samples: Sequence[Sample], topic: str) -> str:
    peers = in_order(samples, topic)
    values = [name for name in COLUMNS if any(by_cycle(samples, topic, p, name) for p in peers)]
    main = "kib" if "kib" in values else "cpu_us"
    head = ["server", *(COLUMNS[name] for name in values)]
    rows = [[peer, *(_cell(samples, topic, peer, name) for name in values)] for peer in peers]
    base = next((peer for peer in peers if by_cycle(samples, topic, peer, main)), "")
    if len(peers) > 1:
        head.append(f"x {base}")
        rows = [[*row, _ratio(samples, topic, row[0], base, main)] for row in rows]
    return table(head, rows)


def _cell(samples: Sequence[Sample], topic: str, peer: str, name: str) -> str:
    found = by_cycle(samples, topic, peer, name)
    if name in SUMMED:
        return f"{sum(found.values()):,.0f}"
    middle = spread(found.values())
    return written(middle.median) if middle else ""


def _ratio(samples: Sequence[Sample], topic: str, peer: str, base: str, value: str) -> str:
    ratios = paired(by_cycle(samples, topic, peer, value), by_cycle(samples, topic, base, value))
    found = spread(ratios)
    return f"{found.median:.2f}" if found else ""


def bars(figures: Sequence[Figure]) -> str:
    """The figures against their bars."""
    head = ["figure", "found", "10-90 %", "must", "stretch", ""]
    return table(head, [_bar(figure) for figure in figures])


def _bar(figure: Figure) -> Row:
    bar, found = figure.bar, figure.found
    sign = ">=" if bar.more_is_better else "<="
    return [
        bar.what,
        written(found.median) if found else "-",
        f"{written(found.low)} to {written(found.high)}" if found and found.count > 1 else "",
        f"{sign} {bar.must:g}" if bar.must is not None else "",
        f"{sign} {bar.stretch:g}",
        figure.verdict,
    ]


def summary(figures: Sequence[Figure]) -> str:
    """One line on how many bars are passed."""
    verdicts = [figure.verdict for figure in figures]
    splendid, failed = verdicts.count(Verdict.STRETCH), verdicts.count(Verdict.FAIL)
    return (
        f"{verdicts.count(Verdict.PASS) + splendid} of {len(verdicts)} bars passed, {splendid} of "
        f"them by the stretch; {failed} failed; {verdicts.count(Verdict.UNKNOWN)} not measured"
    )


def left_out(reasons: Mapping[str, str]) -> str:
    """Who is missing, and why."""
    return "\n".join(f"Left out: {name}: {reason}." for name, reason in reasons.items())
