"""Says whether two backends agree, as an assertion, and writes a difference as a test of its own.

Decides what a failed test shows: the reason, the sorts of difference, and the smallest stream
that still shows the first.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import fields

from bridge.parity.finding import Finding
from bridge.parity.observation import Mark, Observation, Sight
from bridge.parity.options import CompareOptions
from bridge.parity.report import Outcome, Report
from bridge.parity.shrink import Sort, compared, failing, shrunk

_SHOWN_FINDINGS = 10
_SHOWN_SIGHTS = 20
_WIDTH = 200


class NoParityError(AssertionError):
    """Two backends differ, or too little was seen to say that they agree.

    Args:
        report: the comparison's.
        example: the smallest stream that shows the first difference; empty where none is.
        options: how they were compared.
    """

    def __init__(
        self, report: Report, example: Sequence[Sight], options: CompareOptions | None
    ) -> None:
        self.report, self.example, self.options = report, tuple(example), options
        super().__init__("\n".join(_told(report, example)))

    @property
    def finding(self) -> Finding | None:
        """The difference that the example shows."""
        return next(iter(failing(self.report)), None)


def assert_parity(sights: Iterable[Sight], options: CompareOptions | None = None) -> Report:
    """Compare what two taps saw.

    Args:
        sights: of both sides, by arrival.
        options: how to compare, and how much is enough.

    Returns:
        The report of two backends that agree.

    Raises:
        NoParityError: they differ, or there was too little to say so. An `AssertionError`.
    """
    seen = tuple(sights)
    report = compared(seen, options)
    if report.verdict.outcome is Outcome.PASS:
        return report
    found = failing(report)
    example = shrunk(seen, Sort.of(found[0]), options) if found else ()
    raise NoParityError(report, example, options)


def case(error: NoParityError) -> str:
    """A difference as a pytest module that needs nothing but this package, and fails as it did.

    Raises:
        ValueError: the error shows no difference, only too little evidence.
    """
    finding = error.finding
    if finding is None or not error.example:
        raise ValueError("there is no difference to write down")
    what = f"{finding.kind.value} {finding.message!r} at {finding.path}"
    return "\n".join(
        [
            f'"""Two backends differ: {_escaped(what)}. Written by ws2sse."""',
            "",
            "from bridge.parity.observation import Mark, Observation, Side, Turn  # noqa: F401",
            "from bridge.parity.options import CompareOptions",
            "from bridge.parity.proof import assert_parity",
            "",
            "SIGHTS = [",
            *(f"    {_source(sight)}," for sight in error.example),
            "]",
            "",
            "",
            "def test_both_backends_say_the_same() -> None:",
            f"    assert_parity(SIGHTS, {_options(error.options)})",
            "",
        ]
    )


def _told(report: Report, example: Sequence[Sight]) -> Iterable[str]:
    found = failing(report)
    yield f"{report.verdict.outcome.value}: {report.verdict.reason}"
    for finding in found[:_SHOWN_FINDINGS]:
        yield (
            f"  {finding.kind.value} {finding.message!r} at {finding.path}, {finding.count} times: "
            f"legacy {_cut(finding.legacy)}, candidate {_cut(finding.candidate)}"
        )
    if example:
        yield f"the smallest stream that shows the first ({len(example)} sights):"
        yield from (f"  {_line(sight)}" for sight in example[:_SHOWN_SIGHTS])
    yield from report.notes


def _line(sight: Sight) -> str:
    said = sight.data if isinstance(sight, Observation) else f"-- {sight.turn.value}"
    return f"{sight.at:10.3f} {sight.side.value:9} {sight.channel} {_cut(str(said))}"


def _cut(text: str | None) -> str:
    shown = "nothing" if text is None else text
    return shown if len(shown) <= _WIDTH else f"{shown[:_WIDTH]}..."


def _escaped(text: str) -> str:
    return text.encode("unicode_escape").decode().replace('"', "'")


def _source(sight: Observation | Mark) -> str:
    """A sight as the expression that makes it, defaults left out."""
    parts = []
    for field in fields(sight):
        value = getattr(sight, field.name)
        if value != field.default:
            parts.append(f"{field.name}={_literal(value)}")
    return f"{type(sight).__name__}({', '.join(parts)})"


def _literal(value: object) -> str:
    name = type(value).__name__
    return f"{name}.{value.name}" if name in {"Side", "Turn"} else ascii(value)  # type: ignore[attr-defined]


def _options(options: CompareOptions | None) -> str:
    """The options that are not the default, with evidence enough in what little is left."""
    defaults = CompareOptions()
    set_ = {
        field.name: getattr(options or defaults, field.name)
        for field in fields(defaults)
        if getattr(options or defaults, field.name) != getattr(defaults, field.name)
    } | {"min_messages": 1}
    return f"CompareOptions({', '.join(f'{name}={value!r}' for name, value in set_.items())})"
