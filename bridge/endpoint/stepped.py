"""Writing through an ASGI server's `send`, without a task for each client.

Decides how a coroutine is run that nearly always ends without waiting: by hand, at once; only one
that does wait is given to a task, and what follows it queues behind. This is the portable way;
where the server offers its connections, `takeover` serves instead.
"""

from __future__ import annotations

import asyncio
from collections import deque
from collections.abc import Callable, Coroutine, Generator, Iterator
from contextlib import contextmanager
from typing import Any

from starlette.types import Message, Scope, Send

from bridge.endpoint.batch import Form, body
from bridge.endpoint.farewell import farewell
from bridge.endpoint.notices import gap_block
from bridge.endpoint.reader import Reader
from bridge.history.log import Gap
from bridge.wire.endings import Ending

Waiting = Coroutine[Any, Any, None]


_OWN = "ws2sse.send"


@contextmanager
def servers_own_kept(scope: Scope, send: Send) -> Iterator[None]:
    """Remember the server's `send` for as long as the application runs.

    No longer: a server's `send` holds the scope, and such a ring would hold both.
    """
    scope[_OWN] = send
    try:
        yield
    finally:
        scope.pop(_OWN, None)


def servers_own(scope: Scope, send: Send) -> Send:
    """The server's `send` without a framework's wrappers, each a coroutine more a message.

    To be used once the response has begun, so that the framework knows of that.
    """
    own: Send = scope.get(_OWN, send)
    return own


class _Rest:
    """What remains of a coroutine that was started by hand and waits for `first`."""

    def __init__(self, coroutine: Waiting, first: object) -> None:
        self._coroutine, self._first = coroutine, first

    def __await__(self) -> Generator[Any, Any, None]:
        waited_for = self._first
        try:
            while True:
                try:
                    value = yield waited_for
                except BaseException as error:  # noqa: BLE001 - whatever comes goes inside
                    waited_for = self._coroutine.throw(error)
                else:
                    waited_for = self._coroutine.send(value)
        except StopIteration:
            return


class Stepper:
    """Sends ASGI messages in order, each as far as it goes without waiting.

    Args:
        send: the server's; its coroutines must not need to know their task.
        full: called when a send begins to wait.
        room: called once nothing waits any more.
        lost: called when a send fails: the peer is gone, whatever a server raises to say so.
    """

    def __init__(
        self,
        send: Send,
        *,
        full: Callable[[], None],
        room: Callable[[], None],
        lost: Callable[[], None],
    ) -> None:
        self._send = send
        self._full, self._room, self._lost = full, room, lost
        self._pending: deque[Message] = deque()
        self._task: asyncio.Task[None] | None = None
        self._over = False

    def push(self, message: Message) -> None:
        """Send now, or after what waits already. Nothing is sent after `stop`.

        What gathers has a bound only by the caller's holding back between `full` and `room`.
        """
        if self._over:
            return
        if self._task is None:
            self._step(message)
        else:
            self._pending.append(message)

    def stop(self) -> None:
        """Send nothing more, and give up what waits."""
        self._over = True
        self._pending.clear()
        if self._task:
            self._task.cancel()

    def _step(self, message: Message) -> None:
        coroutine: Any = self._send(message)
        try:
            waited_for = coroutine.send(None)
        except StopIteration:
            return
        except Exception:  # noqa: BLE001 - see `lost`
            self._fail()
            return
        self._task = asyncio.get_running_loop().create_task(self._finish(coroutine, waited_for))
        self._full()

    async def _finish(self, coroutine: Waiting, waited_for: object) -> None:
        try:
            await _Rest(coroutine, waited_for)
            while self._pending:
                await self._send(self._pending.popleft())
        except Exception:  # noqa: BLE001 - see `lost`
            self._fail()
            return
        self._task = None
        self._room()

    def _fail(self) -> None:
        if not self._over:
            self._over = True
            self._pending.clear()
            self._lost()


class SteppedStream:
    """The outlet of an SSE client behind an ASGI server.

    Args:
        send: the server's.
        abandon: makes the endpoint return, which closes the connection.

    Attributes:
        reader: set before anything is written.
    """

    form = Form.BLOCKS
    reader: Reader

    def __init__(self, send: Send, abandon: Callable[[], None]) -> None:
        self._stepper = Stepper(send, full=self._full, room=self._room, lost=abandon)
        self._abandon = abandon

    @property
    def write(self) -> Callable[[Any], None]:
        """Passes a body message on."""
        return self._stepper.push

    def say(self, block: bytes) -> None:
        """Send a block to this client alone."""
        self.write(body(block))

    def gap(self, gap: Gap) -> None:
        """Tell of a hole."""
        self.say(gap_block(gap))

    def end(self, ending: Ending, reason: str) -> None:
        """Say why, and finish the response."""
        self.say(farewell(ending, reason))
        self._stepper.push({"type": "http.response.body", "body": b"", "more_body": False})

    def abort(self) -> None:
        """Leave the response unfinished; the server closes the connection."""
        self._abandon()

    def close(self) -> None:
        """The endpoint returns."""
        self._stepper.stop()
        self.reader.left()

    def _full(self) -> None:
        self.reader.full()

    def _room(self) -> None:
        self.reader.room()
