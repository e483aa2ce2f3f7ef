"""How numbers and foreign text are put in front of people, the same in every report.

Decides the words and digits; knows nothing of terminals or pages.
"""

from __future__ import annotations

from bridge.parity.finding import Kind
from bridge.parity.observation import Observation
from bridge.parity.report import Evidence, Verdict

MEANINGS: dict[Kind, str] = {
    Kind.MISSING: "the candidate does not say it",
    Kind.EXTRA: "only the candidate says it",
    Kind.ALTERED: "another value",
    Kind.TYPE_DRIFT: "a value of another JSON type, or a member more or less",
    Kind.REORDERED: "at another place in the order",
    Kind.DUPLICATED: "said once more than on the other side",
    Kind.LATE: "later than the window allows",
    Kind.COALESCED: "several messages became one",
    Kind.ENCODING: "equal as JSON, not to the byte",
    Kind.ENVELOPE: "equal within, wrapped differently",
}
"""What each kind means, in a few words."""

# Whatever would move a cursor, colour a terminal or break a line: C0 with DEL, C1, the line
# separators and the marks that reorder text.
_ESCAPES = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (
        *range(0x20),
        *range(0x7F, 0xA0),
        0x2028,
        0x2029,
        *range(0x202A, 0x202F),
        *range(0x2066, 0x206A),
        *range(0xD800, 0xE000),
    )
} | {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}


def visible(text: str) -> str:
    """Foreign text on one line, with nothing in it that acts instead of being read."""
    return text.translate(_ESCAPES)


def cut(text: str, width: int) -> str:
    """Foreign text in at most `width` characters."""
    shown = visible(text[: width + 1])
    return shown if len(shown) <= width else f"{shown[: width - 1]}…"


def number(value: int) -> str:
    """A count, in groups of three digits."""
    return f"{value:,}"


def counted(value: int, noun: str) -> str:
    """`1 message`, `2 messages`."""
    return f"{number(value)} {noun}" if value == 1 else f"{number(value)} {noun}s"


def percent(share: float) -> str:
    """A share from 0 to 1, with as many digits as tell it from nothing."""
    value = share * 100
    if value == 0 or value >= 10:
        return f"{value:.0f} %"
    return f"{value:.2g} %" if value >= 0.001 else f"{value:.1e} %"


def seconds(value: float) -> str:
    """A short time, in the unit that suits it: `1.2 ms`, `3.4 s`, `5 min 20 s`, `2 h 5 min`."""
    size = abs(value)
    if size >= 3600:
        hours, rest = divmod(round(size), 3600)
        return f"{'-' * (value < 0)}{hours} h {rest // 60} min"
    if size >= 60:
        minutes, rest = divmod(round(size), 60)
        return f"{'-' * (value < 0)}{minutes} min {rest} s"
    if size < 1e-9:  # what is left of a rounding
        return "0 s"
    if size >= 1:
        return f"{value:.3g} s"
    return f"{value * 1e3:.3g} ms" if size >= 1e-3 else f"{value * 1e6:.3g} µs"


def bound(verdict: Verdict) -> str:
    """The verdict's confidence bound, as a sentence's part."""
    return (
        f"at most {percent(verdict.bound)} of messages differ, "
        f"with {percent(verdict.confidence)} confidence"
    )


def counts(evidence: Evidence) -> list[tuple[str, int]]:
    """What was counted, besides the messages of either side."""
    return [
        ("matched", evidence.matched),
        ("failed", evidence.failed),
        ("excused", evidence.excused),
        ("outside", evidence.outside),
        ("unreadable", evidence.unreadable),
    ]


def payload(seen: Observation) -> str:
    """A message's payload as text; a binary one in hexadecimal."""
    return seen.data if isinstance(seen.data, str) else f"binary: {seen.data.hex(' ')}"
