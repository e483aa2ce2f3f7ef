"""Data frames of a WebSocket client, gathered into messages (RFC 6455, 5.4).

Decides what a message consists of. Fragments become one buffer as they come, so that a message of
endlessly many, even empty ones, takes no more memory than its payload.
"""

from __future__ import annotations

from websockets.frames import Frame, Opcode

DATA = (Opcode.TEXT, Opcode.BINARY, Opcode.CONT)


class Fragments:
    """The message that is unfinished, if one is."""

    __slots__ = ("_data", "_opcode")

    def __init__(self) -> None:
        self._opcode: Opcode | None = None
        self._data = bytearray()

    def take(self, each: Frame) -> tuple[Opcode, bytes] | None:
        """Opcode and payload of the message that a data frame ends; None where it goes on."""
        if self._opcode is None:
            if each.fin:
                return each.opcode, bytes(each.data)
            self._opcode = each.opcode
        self._data += each.data
        if not each.fin:
            return None
        whole = self._opcode, bytes(self._data)
        self._opcode, self._data = None, bytearray()
        return whole
