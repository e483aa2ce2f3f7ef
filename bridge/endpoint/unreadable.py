"""What a WebSocket client sends that cannot be read ends its connection, in so many words.

Decides that only. uvicorn's protocol neither answers nor closes where the parser gives a handshake
up before it is a request (one with a body, with a coding, or with too many or too long header
lines): whoever sends that would hold a connection for ever. And it fails over text that is not
UTF-8 where a close frame came in the same read.
"""

from __future__ import annotations

import asyncio
from contextlib import suppress
from typing import Any

from uvicorn.protocols.websockets.websockets_sansio_impl import WebSocketsSansIOProtocol
from websockets.exceptions import InvalidState

from bridge.endpoint.preface import Source

_REFUSAL = (
    b"HTTP/1.1 400 Bad Request\r\ncontent-type: text/plain; charset=utf-8\r\n"
    b"content-length: 29\r\nconnection: close\r\n\r\nthe handshake is unreadable.\n"
)


class AnsweringSocket(WebSocketsSansIOProtocol):
    """uvicorn's WebSocket protocol, without that silence.

    Args:
        *given: as uvicorn's.
        source: the client's address, where a trusted proxy gave it.
        **more: as uvicorn's.
    """

    def __init__(self, *given: Any, source: Source | None = None, **more: Any) -> None:  # noqa: ANN401
        super().__init__(*given, **more)
        self._source = source

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """As uvicorn."""
        super().connection_made(transport)
        self.client = self._source or self.client

    def data_received(self, data: bytes) -> None:
        """As uvicorn; a handshake that its parser gave up gets the parser's answer, else 400."""
        super().data_received(data)
        if self.handshake_initiated or self.conn.handshake_exc is None:
            return
        self.transport.write(b"".join(self.conn.data_to_send()) or _REFUSAL)
        self.transport.close()

    def send_receive_event_to_app(self) -> None:
        """As uvicorn; text that is not UTF-8 is dropped where the client has closed by now."""
        with suppress(InvalidState):  # its close frame is answered already, so 1007 cannot be said
            super().send_receive_event_to_app()
