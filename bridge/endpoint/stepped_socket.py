"""A WebSocket behind an ASGI server as a conversation's wire.

Decides how messages go out through the server's `send` without a task for each client; framing,
pings and the close handshake are the server's.
"""

from __future__ import annotations

from collections.abc import Callable

import anyio
from starlette.types import Receive, Send

from bridge.endpoint.batch import Form, message
from bridge.endpoint.conversation import Conversation
from bridge.endpoint.stepped import Stepper
from bridge.wire.dialect import Dialect
from bridge.wire.endings import Ending
from bridge.wire.frame import Frame


class SteppedSocket:
    """One WebSocket client, accepted.

    Args:
        receive: the server's.
        send: the server's.
        dialect: close codes.
        abandon: makes the endpoint return, which closes the connection.

    Attributes:
        conversation: set before anything is read.
    """

    form = Form.PAYLOADS
    conversation: Conversation

    def __init__(
        self, receive: Receive, send: Send, dialect: Dialect, abandon: Callable[[], None]
    ) -> None:
        self._receive, self._dialect, self._abandon = receive, dialect, abandon
        self._stepper = Stepper(send, full=self._full, room=self._room, lost=abandon)
        self._closing = False
        self._wanted = anyio.Event()
        self._wanted.set()

    def write(self, made: object) -> None:
        """Send messages one by one."""
        if isinstance(made, list) and not self._closing:
            for each in made:
                self._stepper.push(each)

    def deliver(self, payload: str | bytes) -> None:
        """Send one message."""
        if not self._closing:
            self._stepper.push(message(payload))

    def close(self, ending: Ending, reason: str) -> None:
        """Close by a close frame, or for those who would not come back after one, without."""
        if self._closing:
            return
        self._closing = True
        if ending.reconnect and self._dialect.options.transient == "cut":
            self._abandon()
            return
        code = self._dialect.close_code(ending)
        self._stepper.push({"type": "websocket.close", "code": code, "reason": cut(reason)})

    def abort(self) -> None:
        """Leave the socket as it is; the server drops it."""
        self._abandon()

    def listen(self, *, wanted: bool) -> None:
        """Read on, or leave what the client says with the server."""
        if wanted:
            self._wanted.set()
        elif self._wanted.is_set():
            self._wanted = anyio.Event()

    async def read(self) -> None:
        """Hear every message until the socket is closed."""
        while True:
            await self._wanted.wait()
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return
            text = message.get("text")
            self.conversation.hear(Frame(text if text is not None else message["bytes"]))

    def stop(self) -> None:
        """The endpoint returns."""
        self._closing = True
        self._stepper.stop()

    def _full(self) -> None:
        self.conversation.full()

    def _room(self) -> None:
        self.conversation.room()


def cut(reason: str) -> str:
    """A reason as a close frame can hold it (RFC 6455, 5.5): 123 bytes of UTF-8."""
    return reason.encode()[:123].decode(errors="ignore")
