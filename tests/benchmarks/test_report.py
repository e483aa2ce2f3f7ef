"""Tables that say what was measured, who is missing, and how it stands."""

from benchmarks import plan, report
from benchmarks.bars import BARS, Bar, Figure, judged
from benchmarks.samples import Sample, Spread

SAMPLES = [
    Sample("sse-single", "C limit", 0, {"cpu_us": 4.0, "missing": 0.0}),
    Sample("sse-single", "bridge", 0, {"cpu_us": 5.0, "missing": 2.0}),
    Sample("sse-single", "C limit", 1, {"cpu_us": 8.0, "missing": 0.0}),
    Sample("sse-single", "bridge", 1, {"cpu_us": 10.0, "missing": 1.0}),
]


def test_columns_line_up() -> None:
    assert report.table(["a", "bbb"], [["cc", "d"]]) == "| a  | bbb |\n| -- | --- |\n| cc | d   |"


def test_a_topic_shows_medians_sums_and_ratios_to_its_first_server() -> None:
    shown = report.tables(SAMPLES)
    assert shown.startswith("**SSE: single events")
    assert "| server  | CPU us each | missing | x C limit |" in shown
    assert "| bridge  | 7.50        | 3       | 1.25      |" in shown


def test_a_server_alone_is_compared_with_nobody() -> None:
    assert " x " not in report.tables([Sample("sse-1000", "bridge", 0, {"cpu_us": 4.0})])


def test_a_server_that_was_not_counted_is_not_the_base_of_ratios() -> None:
    direct = Sample("sse-proxypaced", "direct", 0, {"p99_ms": 1.0})
    nginx = Sample("sse-proxypaced", "nginx", 0, {"p99_ms": 2.0, "cpu_us": 3.0})
    shown = report.tables([direct, nginx])
    assert "x nginx" in shown
    assert "| direct |             | 1.00   |         |" in shown


def test_every_topic_has_a_title() -> None:
    for name in plan.ALL:
        if name not in {"reading", "sse-scale"}:
            assert report.title(name)
    assert report.title("reading-sse-single") == "reading a backend, SSE, one by one"
    assert report.title("reading-ws-packed") == "reading a backend, WS, packed"


def test_bars_end_with_their_verdicts() -> None:
    shown = report.bars(judged(SAMPLES))
    assert len(shown.splitlines()) == 2 + len(BARS)
    limit = next(line for line in shown.splitlines() if "SSE, to the C limit" in line)
    assert [cell.strip() for cell in limit.split("|")[2:-1]] == [
        "1.25",
        "1.25 to 1.25",
        "<= 1.45",
        "<= 1.25",
        "PASS, stretch",
    ]


def test_a_bar_without_a_must_shows_its_stretch_alone() -> None:
    bar = Bar("idle", "sse-idle50000", "dropped", None, 0)
    row = report.bars([Figure(bar, Spread(3, 3, 3, 1))]).splitlines()[-1]
    assert [cell.strip() for cell in row.split("|")[1:-1]] == ["idle", "3.00", "", "", "<= 0", "-"]


def test_the_summary_counts_verdicts() -> None:
    bar = Bar("cost", "sse-single", "cpu_us", 1.0, 0.5)
    figures = [Figure(bar, Spread(value, value, value, 1)) for value in (0.4, 0.9, 2.0)]
    assert report.summary([*figures, Figure(bar, None)]) == (
        "2 of 4 bars passed, 1 of them by the stretch; 1 failed; 1 not measured"
    )


def test_whoever_is_left_out_is_named_with_the_reason() -> None:
    assert report.left_out({"Node.js": "not installed"}) == "Left out: Node.js: not installed."
