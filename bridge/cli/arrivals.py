r"""What a tapped stream brings, and how one line shows it.

Decides the columns, the cutting and what of a hostile stream never reaches a terminal; never
reads a socket, a clock or the terminal's size (they are arguments).
"""

from __future__ import annotations

from dataclasses import dataclass
from functools import cached_property

import orjson
from rich.cells import cell_len, set_cell_size

_ELLIPSIS = "…"
_HEX_BYTES = 256
"""Of a binary message, how many bytes a line shows; `--full` and `--json` show all."""

# Whatever would move the cursor, colour or retitle the terminal, or break the line: C0 with DEL,
# C1, the line separators and the marks that reorder text
_VISIBLE = {
    code: f"\\x{code:02x}" if code < 0x100 else f"\\u{code:04x}"
    for code in (*range(0x20), *range(0x7F, 0xA0), 0x2028, 0x2029, *range(0x202A, 0x202F))
} | {0x0A: "\\n", 0x0D: "\\r", 0x09: "\\t"}


@dataclass(frozen=True)
class Arrival:
    """One event or message.

    Attributes:
        at: seconds since the start.
        event: the SSE event name; `message` or `binary` for a WebSocket message.
        data: the payload.
        id: the last event id, empty where there is none.
    """

    at: float
    event: str
    data: str | bytes
    id: str = ""

    @cached_property
    def size(self) -> int:
        """The payload's length in bytes, before any framing."""
        return len(self.data if isinstance(self.data, bytes) else self.data.encode())

    def line(self, width: int | None) -> str:
        """For people: time, size, id, event and data, in at most `width` columns if given."""
        head = f"{self.at:9.3f} {self.size:>9}  {self.id or '-':<12}  {self.event:<12}  "
        data = self.data if isinstance(self.data, str) else _hex(self.data, whole=width is None)
        return _fit(head.translate(_VISIBLE), data, width)

    def json(self) -> bytes:
        """For machines: one object; binary data is hexadecimal, under the event `binary`."""
        data = self.data if isinstance(self.data, str) else self.data.hex()
        return orjson.dumps(
            {
                "at": round(self.at, 3),
                "size": self.size,
                "id": self.id,
                "event": self.event,
                "data": data,
            }
        )


@dataclass(frozen=True, slots=True)
class Remark:
    """A field of a stream that came without an event.

    Attributes:
        at: seconds since the start.
        field: `id` or `retry`.
        value: what it holds.
    """

    at: float
    field: str
    value: str

    def line(self, width: int | None) -> str:
        """For people: the time, and the field in brackets."""
        return _fit(f"{self.at:9.3f} {'-':>9}  ", f"({self.field}: {self.value})", width)

    def json(self) -> bytes:
        """For machines: an object without `event`."""
        return orjson.dumps({"at": round(self.at, 3), self.field: self.value})


def _hex(data: bytes, *, whole: bool) -> str:
    return data.hex(" ") if whole else data[:_HEX_BYTES].hex(" ")


def _fit(head: str, data: str, width: int | None) -> str:
    if width is None:
        return head + data.translate(_VISIBLE)
    # megabytes are cut before they are measured
    text = head + data[: width + 1].translate(_VISIBLE)
    if cell_len(text) <= width and len(data) <= width:
        return text
    return set_cell_size(text, max(0, width - 1)).rstrip() + _ELLIPSIS
