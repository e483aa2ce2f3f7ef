"""A WebSocket handshake that cannot be read is answered and its connection closed.

Decides that only. uvicorn's protocol does neither where the parser gives a handshake up before it
is a request (one with a body, with a coding, or with too many or too long header lines): whoever
sends that would hold a connection for ever.
"""

from __future__ import annotations

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol

_REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 29\r\nconnection: close\r\n\r\nthe handshake is unreadable.\n"
)


class AnsweringSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, without that silence."""

    def data_received(self, data: bytes) -> None:
        """As uvicorn; a handshake that its parser gave up gets the parser's answer, else 400."""
        super().data_received(data)
        if self.handshake_initiated or self.conn.handshake_exc is None:
            return
        self.transport.write(b"".join(self.conn.data_to_send()) or _REFUSAL)
        self.transport.close()
