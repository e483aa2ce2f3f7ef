"""Puts a run into the document about performance, between the comments that are kept for it.

Pure but for `write`. What is said around the tables is written by hand.
"""

from __future__ import annotations

import re
from pathlib import Path

from benchmarks.machine import ROOT

DOCUMENT = ROOT / "docs" / "performance.md"
PICTURE = ROOT / "docs" / "performance.svg"


def recorded(document: str, name: str, text: str) -> str:
    """The document with a text in the place of this name.

    Raises:
        ValueError: there is no such place, or more than one.
    """
    place = re.compile(
        rf"(<!-- measured: {re.escape(name)} -->\n).*?(<!-- /measured -->)", re.DOTALL
    )
    changed, count = place.subn(lambda match: f"{match[1]}\n{text}\n\n{match[2]}", document)
    if count != 1:
        raise ValueError(f"there are {count} places for {name!r}; there must be one")
    return changed


def write(name: str, text: str, document: Path = DOCUMENT) -> None:
    """Put a text into the document on disk."""
    document.write_text(recorded(document.read_text(), name, text))
