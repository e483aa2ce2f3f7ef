"""What the `verify` commands share: how to compare, where a report goes, and the exit status.

Decides the options' names; what they do is `bridge.parity.options`' business.
"""

from __future__ import annotations

import shutil
import sys
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any, Literal

import typer

from bridge.errors import ConfigError

if TYPE_CHECKING:
    from bridge.parity.comparison import Comparison
    from bridge.parity.noise import Noise
    from bridge.parity.options import CompareOptions
    from bridge.parity.report import Report

STATUSES = {"pass": 0, "fail": 1, "insufficient": 3}
"""The exit status of each outcome."""

Format = Literal["text", "json", "junit", "html"]
_BY_NAME: dict[str, Format] = {
    ".txt": "text",
    ".json": "json",
    ".xml": "junit",
    ".html": "html",
    ".htm": "html",
}

FormatOption = Annotated[
    Format, typer.Option("--format", help="Of what is printed, and of files with another ending.")
]
Outputs = Annotated[
    list[Path] | None,
    typer.Option(
        "-o",
        "--output",
        metavar="FILE",
        help="Write a report here as well: .txt, .json, .xml (JUnit) or .html; repeatable.",
    ),
]
NoiseFile = Annotated[
    Path | None,
    typer.Option(
        "--noise", metavar="FILE", help="Noise learned before, where there is some; kept there."
    ),
]
Window = Annotated[
    float | None, typer.Option(metavar="SECONDS", help="How long a message waits for its twin.")
]
Ignore = Annotated[
    list[str] | None,
    typer.Option(metavar="PATH", help="May differ: $.object.url, $..at; repeatable."),
]
Normalise = Annotated[
    list[str] | None,
    typer.Option(metavar="PATH=NAME", help="Make alike first: $.tags=sorted; repeatable."),
]
Identity = Annotated[
    list[str] | None,
    typer.Option(metavar="PATH", help="An id that both backends give; repeatable."),
]
Confidence = Annotated[float | None, typer.Option(metavar="SHARE", help="Of the bound [0.95].")]
MaxShare = Annotated[
    float | None, typer.Option(metavar="SHARE", help="Of messages that may differ [0].")
]
MinMessages = Annotated[
    int | None, typer.Option(metavar="N", help="Fewer are insufficient evidence [100].")
]

PromisedBy = Annotated[
    str | None,
    typer.Option(
        "--contract",
        metavar="DIR|FILE",
        help="Hold both against a contract too: schemas, an AsyncAPI document, or: legacy.",
    ),
]


def chosen(base: CompareOptions, **given: Any) -> CompareOptions:  # noqa: ANN401 - of any option
    """How to compare: `base`, with what was given on the command line in its place.

    Raises:
        ConfigError: a value cannot be used.
    """
    named = {name: value for name, value in given.items() if value is not None}
    lists = {name: tuple(value) for name, value in named.items() if isinstance(value, list)}
    if "window" in named and named["window"] > base.recall:
        named["recall"] = named["window"]
    try:
        return replace(base, **named | lists)
    except ValueError as error:
        raise ConfigError("verify", str(error)) from None


def noise_of(path: Path | None) -> Noise | None:
    """What was learned before; None where nothing was.

    Raises:
        ConfigError: the file is something else.
    """
    from bridge.parity.noise import Noise  # noqa: PLC0415

    if path is None or not path.exists():
        return None
    try:
        return Noise.from_json(path.read_bytes())
    except OSError as error:
        why = (error.strerror or str(error)).lower()
        raise ConfigError(str(path), f"cannot be read: {why}") from None
    except ValueError as error:
        raise ConfigError(str(path), f"is not what --noise keeps: {error}") from None


def comparison_of(options: CompareOptions, noise: Path | None, contract: str | None) -> Comparison:
    """A fresh comparison, by what was learned before and by what was promised.

    Raises:
        ConfigError: one of the two files is something else.
    """
    known = noise_of(noise)
    if contract is None:
        from bridge.parity.comparison import Comparison  # noqa: PLC0415

        return Comparison(options, known)
    # jsonschema loads only where there is something to hold against
    from bridge.parity.contracted import Contracted  # noqa: PLC0415
    from bridge.verify.contracts import read_contract  # noqa: PLC0415

    return Contracted(read_contract(contract), options, known)


@dataclass(frozen=True, slots=True)
class Destination:
    """Where a report goes.

    Attributes:
        format: of what is printed.
        outputs: files.
        noise: where what was learned is kept, if anywhere.
    """

    format: Format
    outputs: tuple[Path, ...]
    noise: Path | None

    def check(self) -> None:
        """Refuse a file that could not be written, before the work and not after it.

        Raises:
            ConfigError: naming the file.
        """
        for path in filter(None, (*self.outputs, self.noise)):
            if path.is_dir() or not path.parent.is_dir():
                why = "is a directory" if path.is_dir() else "its folder does not exist"
                raise ConfigError(str(path), f"cannot be written: {why}")

    def conclude(self, report: Report, comparison: Comparison) -> int:
        """Write the report and what was learned; gives the exit status.

        Raises:
            ConfigError: a file cannot be written.
        """
        for path in self.outputs:
            _write(path, rendered(report, _BY_NAME.get(path.suffix.lower(), self.format)))
        if self.noise:
            _write(self.noise, comparison.learned().to_json().encode() + b"\n")
        sys.stdout.write(self._printed(report))
        return STATUSES[report.verdict.outcome.value]

    def _printed(self, report: Report) -> str:
        if self.format != "text":
            return rendered(report, self.format).decode()
        from bridge.parity.report_text import text  # noqa: PLC0415

        is_terminal = sys.stdout.isatty()
        width = shutil.get_terminal_size().columns if is_terminal else 160
        return text(report, width=width, colour=is_terminal)


def rendered(report: Report, form: Format) -> bytes:
    """A report in one of its forms."""
    from bridge.parity import report_html, report_json, report_junit, report_text  # noqa: PLC0415

    match form:
        case "json":
            return report_json.json(report)
        case "junit":
            return report_junit.junit(report)
        case "html":
            return report_html.html(report).encode()
    return report_text.text(report).encode()


def _write(path: Path, content: bytes) -> None:
    try:
        path.write_bytes(content)
    except OSError as error:
        raise ConfigError(
            str(path), f"cannot be written: {(error.strerror or '').lower()}"
        ) from None
