"""Lengths of time as people write them: `90`, `90s`, `10m`, `1h30m`.

Decides which texts are one; never measures time.
"""

from __future__ import annotations

import re
from typing import Annotated

import typer

_DURATION = re.compile(
    r"(?:(?P<h>\d+(?:\.\d+)?)h)?(?:(?P<m>\d+(?:\.\d+)?)m)?(?:(?P<s>\d+(?:\.\d+)?)s?)?", re.ASCII
)
_UNITS = {"h": 3600.0, "m": 60.0, "s": 1.0}


def seconds(text: str) -> float:
    """A length of time in seconds.

    Raises:
        typer.BadParameter: it is none, or is nothing.
    """
    match = _DURATION.fullmatch(text.strip().lower())
    total = sum(float(match[unit] or 0) * size for unit, size in _UNITS.items()) if match else 0.0
    if not total:
        raise typer.BadParameter(f"{text!r} is no length of time; write 90s, 10m or 1h30m")
    return total


Duration = Annotated[
    float | None,
    typer.Option("--for", metavar="TIME", parser=seconds, help="Stop after 90s, 10m or 1h30m."),
]
