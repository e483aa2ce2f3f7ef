"""A WebSocket behind an ASGI server as a conversation's wire.

Decides how messages go out through the server's `send` without a task for each client; framing,
pings and the close handshake are the server's.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from starlette.types import Receive, Send

from bridge.endpoint.batch import Form, message
from bridge.endpoint.conversation import Conversation
from bridge.endpoint.stepped import Stepper
from bridge.endpoint.wheel import Due, Wheel
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
        timeout: seconds that a last word may wait for a client that does not read.
        wheel: times it.

    Attributes:
        conversation: set before anything is read.
    """

    form = Form.PAYLOADS
    conversation: Conversation

    def __init__(
        self,
        receive: Receive,
        send: Send,
        dialect: Dialect,
        abandon: Callable[[], None],
        *,
        timeout: float,
        wheel: Wheel,
    ) -> None:
        self._receive, self._dialect, self._abandon = receive, dialect, abandon
        self._timeout, self._wheel = timeout, wheel
        self._stepper = Stepper(send, full=self._pause, room=self._resume, lost=abandon)
        self._closing = self._full = False
        self._wanted = True  # whether the conversation takes more
        self._readable = asyncio.Event()
        self._readable.set()
        self._deadline: Due | None = None

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
        self._deadline = self._wheel.after(self._timeout, self._abandon)
        code = self._dialect.close_code(ending)
        self._stepper.push({"type": "websocket.close", "code": code, "reason": cut(reason)})
        self._regulate()

    def abort(self) -> None:
        """Leave the socket as it is; the server drops it."""
        self._abandon()

    def listen(self, *, wanted: bool) -> None:
        """Read on, or leave what the client says with the server."""
        self._wanted = wanted
        self._regulate()

    async def read(self) -> None:
        """Hear every message until the socket is closed."""
        while True:
            await self._readable.wait()
            message = await self._receive()
            if message["type"] != "websocket.receive":
                return
            text = message.get("text")
            self.conversation.hear(Frame(text if text is not None else message["bytes"]))

    def stop(self) -> None:
        """The endpoint returns."""
        self._closing = True
        if self._deadline:
            self._deadline.cancel()
        self._stepper.stop()

    def _pause(self) -> None:
        self._full = True
        self._regulate()
        self.conversation.full()

    def _resume(self) -> None:
        self._full = False
        self._regulate()
        self.conversation.room()

    def _regulate(self) -> None:
        """While the client does not read, it is not read from, so that no answers gather."""
        if self._closing or (self._wanted and not self._full):
            self._readable.set()
        else:
            self._readable.clear()


def cut(reason: str) -> str:
    """A reason as a close frame can hold it (RFC 6455, 5.5): 123 bytes of UTF-8."""
    return reason.encode()[:123].decode(errors="ignore")
