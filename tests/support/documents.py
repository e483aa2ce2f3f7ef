"""What the documents print from the code, so that neither can change without the other.

Decides how a table of the code looks in Markdown; what is said around it is written by hand. A
printed part stands between two comments of its own: `python -m tests.support.documents --write`
prints all of them anew, and without the flag the same command only says which ones are stale.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Callable, Iterator, Mapping
from http import HTTPStatus
from pathlib import Path

from bridge.endpoint.session import diagram
from bridge.ops.metrics import TABLE as METRICS
from bridge.wire.endings import TABLE as ENDINGS
from bridge.wire.endings import Ending, for_status
from tests.support.reference import settings
from tests.test_layers import LAYERS

ROOT = Path(__file__).parents[2]

COMMAND = "python -m tests.support.documents --write"

_PART = re.compile(
    r"(?P<open><!-- printed: (?P<name>[a-z]+) -->\n).*?(?P<close><!-- /printed -->)", re.DOTALL
)


def table(*rows: tuple[str, ...]) -> str:
    """A Markdown table whose first row is its head."""
    head, *body = (" | ".join(cell.replace("|", "\\|") for cell in row) for row in rows)
    rule = "|".join("---" for _ in rows[0])
    return "\n".join([f"| {head} |", f"|{rule}|", *(f"| {row} |" for row in body)])


def endings() -> str:
    """The endings, one a line, by close code."""
    rows = [
        (str(each.ws), f"`{each.name}`", str(each.http), "yes" if each.reconnect else "no")
        for each in ENDINGS
    ]
    return table(("WebSocket close", "SSE `code`", "HTTP status", "comes back"), *rows)


def statuses() -> str:
    """What the registered statuses of a backend become, by ending."""
    known: dict[Ending, list[int]] = {}
    for status in HTTPStatus:
        if status == HTTPStatus.NO_CONTENT or status >= HTTPStatus.BAD_REQUEST:
            known.setdefault(for_status(status), []).append(status)
    rows = [
        (f"`{ending.name}`", ", ".join(map(str, map(int, found))))
        for ending, found in known.items()
    ]
    return table(("ending", "statuses of a backend"), *rows)


def session() -> str:
    """The states of a session, as a Mermaid diagram."""
    return f"```mermaid\n{diagram()}\n```"


def metrics() -> str:
    """Every metric, as it is called in the exposition."""
    rows = [
        (
            f"`ws2sse_{each.name}{'_total' if each.kind == 'counter' else ''}`",
            ", ".join(f"`{label}`" for label in each.labels),
            each.help,
        )
        for each in METRICS
    ]
    return table(("metric", "labels", "what it counts"), *rows)


def layers() -> str:
    """The parts of the bridge in their order, each with what its own docstring says of it."""
    rows = [
        (str(number), f"`{part}`", _purpose(part))
        for number, parts in enumerate(LAYERS, 1)
        for part in sorted(parts)
        if has_source(part)
    ]
    return table(("layer", "part", "what it is"), *rows)


def has_source(part: str) -> bool:
    """Whether a part exists already; some layers have their place before they are built."""
    return _source(part) is not None


def _source(part: str) -> Path | None:
    places = (ROOT / "bridge" / f"{part}.py", ROOT / "bridge" / part / "__init__.py")
    return next((place for place in places if place.exists()), None)


def _purpose(part: str) -> str:
    source = _source(part)
    text = source.read_text() if source else ""
    return text.partition('"""')[2].partition("\n")[0].rstrip('."').partition(". ")[0]


PRINTED: Mapping[str, Mapping[str, Callable[[], str]]] = {
    "docs/design.md": {"layers": layers},
    "docs/protocol.md": {"endings": endings, "statuses": statuses, "session": session},
    "docs/operations.md": {"settings": settings, "metrics": metrics},
}
"""The printed parts of each document."""


def documents() -> Iterator[Path]:
    """The documents that people read."""
    yield from sorted(ROOT.glob("*.md"))
    yield from sorted(ROOT.glob("docs/*.md"))


def parts_of(name: str) -> list[str]:
    """The printed parts that a document holds, in order."""
    return [found["name"] for found in _PART.finditer((ROOT / name).read_text())]


def printed(name: str) -> str:
    """A document as it should be."""
    parts = PRINTED[name]

    def fresh(found: re.Match[str]) -> str:
        return f"{found['open']}\n{parts[found['name']]()}\n\n{found['close']}"

    return _PART.sub(fresh, (ROOT / name).read_text())


def main(arguments: list[str]) -> int:
    """Print the stale parts anew where `--write` is given; else name their documents."""
    stale = [name for name in PRINTED if printed(name) != (ROOT / name).read_text()]
    for name in stale:
        if "--write" in arguments:
            (ROOT / name).write_text(printed(name))
        print(f"{'written' if '--write' in arguments else 'stale'}: {name}")  # noqa: T201
    return 1 if stale and "--write" not in arguments else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
