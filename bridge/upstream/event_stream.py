"""One connection to an SSE backend: a response that stays open.

Decides which responses are a stream and how it ends; what its blocks mean is
`bridge.upstream.reading`'s business. By HTML Standard 9.2.2 (processing model), 204 is the end for
good and only 200 with `text/event-stream` is a stream; unlike a browser, other trouble is given up
for good only where its status says so.
"""

from __future__ import annotations

from yarl import URL

from bridge.seams import Lost, Opened, Sink
from bridge.upstream.connection import Connection
from bridge.upstream.failure import brief, refused, why
from bridge.upstream.reading import Reading
from bridge.upstream.response import Response
from bridge.wire import endings

_STREAM = "text/event-stream"
_CHUNKED = "chunked"
_PLAIN = frozenset({"", "identity"})


class EventStream(Connection):
    """One response of an SSE backend.

    Args:
        url: as for `Connection`.
        request: as for `Connection`.
        sink: as for `Connection`.
        silence: as for `Connection`.
        reading: what its bytes mean.
    """

    def __init__(
        self, url: URL, request: bytes, sink: Sink, reading: Reading, *, silence: float
    ) -> None:
        super().__init__(url, request, sink, silence=silence)
        self._reading = reading

    def _accept(self, response: Response) -> Lost | None:
        refusal = _refusal(response)
        if refusal is None:
            self._sink.take(Opened())
            self._feed = response.feed
        return refusal

    def _begin(self, response: Response, body: bytes) -> Lost | None:  # noqa: ARG002 - it is known
        return self._deal(body)

    def _receive(self, data: bytes) -> Lost | None:
        return self._deal(self._feed(data))

    def _deal(self, body: bytes) -> Lost | None:
        if body:
            for signal in self._reading.take(body):
                if isinstance(signal, Lost):
                    return signal
                self._sink.take(signal)
        response = self._response
        if response.fault:
            return self._broken_off(ConnectionError(response.fault))
        if response.complete:
            return Lost(endings.NO_STATUS, "the backend ended the stream")
        return None

    def _broken_off(self, error: Exception | None) -> Lost:
        if error is None and not self._response.ends_by_itself:
            return Lost(endings.NO_STATUS, "the backend ended the stream")
        reason = why(error) if error else "its end is missing"
        return Lost(endings.ABNORMAL, f"the stream broke off: {reason}")


def _refusal(response: Response) -> Lost | None:
    """Why a response is no stream; None where it is one."""
    headers = response.headers
    if response.status == 204:
        return Lost(endings.COMPLETE, "the backend has nothing more (204)")
    if response.status != 200:
        return refused(response.status, headers)
    kind = headers.get("Content-Type", "no type").partition(";")[0].strip().lower()
    if kind != _STREAM:
        return Lost(endings.BAD_GATEWAY, f"the backend answered {brief(kind)}, not {_STREAM}")
    coding = headers.get("Content-Encoding", "").strip().lower()
    if coding not in _PLAIN:
        return Lost(
            endings.BAD_GATEWAY, f"the backend encoded its stream ({brief(coding)}), unasked"
        )
    if headers.get("Transfer-Encoding", _CHUNKED).strip().lower() != _CHUNKED:
        return Lost(endings.BAD_GATEWAY, "the backend uses a transfer coding other than chunked")
    return None
