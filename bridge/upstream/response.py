"""One HTTP response, read from bytes that may be cut anywhere (RFC 9112).

Decides where its head and its body end and what its head may cost; never what a status means. The
grammar is httptools', which takes no leniency. Heads are bounded, since a peer that never ends one
would otherwise be listened to for ever.
"""

from __future__ import annotations

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser
from multidict import CIMultiDict

MAX_HEAD = 64 * 1024
"""The most bytes of status line and fields together; also of chunk headers without a chunk."""

MAX_FIELDS = 128
"""The most header fields."""

_MAX_INTERIM = 8  # 1xx responses before the real one (RFC 9110, 15.2)
_SWITCHING = 101


class Response:
    """Reads one response.

    Attributes:
        status: the HTTP status; 0 before the head is complete.
        headers: the fields, of interest once `status` is set.
        complete: the body's end was reached, as its own framing tells it.
        rest: after a 101, what of the same bytes belongs to the new protocol.
        fault: why this is no response, or one whose head is too large; nothing follows then.
    """

    __slots__ = (
        "_body",
        "_idle",
        "_interim",
        "_parser",
        "complete",
        "fault",
        "headers",
        "rest",
        "status",
    )

    def __init__(self) -> None:
        self.status = 0
        self.headers: CIMultiDict[str] = CIMultiDict()
        self.complete = False
        self.rest = b""
        self._body: list[bytes] = []
        self._idle = 0  # bytes that brought nothing but head or framing
        self._interim = 0
        self.fault = ""
        self._parser = HttpResponseParser(self)

    @property
    def ends_by_itself(self) -> bool:
        """Whether the body has an end of its own, and does not just go on until the close."""
        return "Content-Length" in self.headers or "Transfer-Encoding" in self.headers

    def feed(self, data: bytes) -> bytes:
        """Read the next bytes; gives what of them is body, without its framing.

        Before a `fault` in the same bytes there may be some.
        """
        self._idle += len(data)
        try:
            self._parser.feed_data(data)
        except HttpParserUpgrade as switched:
            self.rest = data[switched.args[0] :]
        except HttpParserError as error:
            if not self.complete:  # what follows the end is nobody's
                self.fault = self.fault or f"no HTTP response: {error}"
        if self._idle > MAX_HEAD:
            self.fault = self.fault or f"a head exceeds {MAX_HEAD} bytes"
        body, self._body = self._body, []
        return body[0] if len(body) == 1 else b"".join(body)

    # What the parser tells.

    def on_status(self, reason: bytes) -> None:
        """Part of the reason phrase, which nobody needs."""

    def on_header(self, name: bytes, value: bytes) -> None:
        """A field of the head, or of a trailer, which is ignored."""
        if self.status:
            return
        if len(self.headers) == MAX_FIELDS:
            self.fault = f"more than {MAX_FIELDS} header fields"
            return
        self.headers.add(name.decode("latin-1"), value.decode("latin-1"))

    def on_headers_complete(self) -> None:
        """The head is here."""
        fields = self.headers.items()
        if sum(len(name) + len(value) for name, value in fields) > MAX_HEAD:
            self.fault = f"a head exceeds {MAX_HEAD} bytes"
        status = self._parser.get_status_code()
        if 100 <= status < 200 and status != _SWITCHING:
            self._interim += 1
            if self._interim > _MAX_INTERIM:
                self.fault = f"more than {_MAX_INTERIM} interim responses"
        elif not self.fault:
            self.status, self._idle = status, 0

    def on_body(self, body: bytes) -> None:
        """A piece of the body."""
        self._body.append(body)
        self._idle = 0

    def on_message_complete(self) -> None:
        """The end, of an interim response or of the real one."""
        if self.status:
            self.complete = True
        else:
            self.headers.clear()
