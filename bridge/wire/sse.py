r"""Event streams as bytes: `Decoder` reads them in any chunking, `encode` and its kin write them.

Decides what a byte stream says, exactly as HTML Standard 9.2.6 (Interpreting an event stream)
has it; never opens, reconnects or times anything, and gives no event type a meaning.

Why any chunking reads alike: LF, CR, `:` and SP are ASCII, which a UTF-8 sequence, whole or broken,
never contains. So the stream may be cut into lines and fields as bytes and each value decoded by
itself: the outcome is that of decoding the whole stream first, as the standard words it.
"""
# ruff: noqa: A002 - `id` is the field's name

from __future__ import annotations

from dataclasses import dataclass, fields

from bridge.errors import EventTooLarge, InvalidField

DEFAULT_MAX_EVENT_BYTES = 16 * 1024 * 1024
"""Fits a rendered image as base64 in one event; still bounds what a backend makes us hold."""

MAX_RETRY = 24 * 60 * 60 * 1000
"""The longest reconnection time that a decoder reports, in milliseconds: one day.

The standard sets no bound; without one a stray digit string would silence a client for good.
"""

_BOM = b"\xef\xbb\xbf"


@dataclass(frozen=True, slots=True, init=False)
class ServerSentEvent:
    """One dispatched event.

    Attributes:
        data: the data lines, joined by LF.
        event: the type; `message` where the block names none or an empty one.
        id: the last event id when this was dispatched, so possibly one of an earlier block.
        retry: the last valid `retry` field of this very block in milliseconds, None where it has
            none. At most `MAX_RETRY`.
    """

    data: str
    event: str = "message"
    id: str = ""
    retry: int | None = None

    def __init__(
        self, data: str, event: str = "message", id: str = "", retry: int | None = None
    ) -> None:
        # Half the cost of the generated one, which goes through object.__setattr__ by name.
        _put_data(self, data)
        _put_event(self, event)
        _put_id(self, id)
        _put_retry(self, retry)


_put_data, _put_event, _put_id, _put_retry = (
    vars(ServerSentEvent)[field.name].__set__ for field in fields(ServerSentEvent)
)

Events = list[ServerSentEvent]


class Decoder:
    r"""Reads one event stream. Use one per connection; an incomplete last block is just dropped.

    An event is out at the very byte that completes it: a lone CR ends its line at once, and the LF
    that may follow is skipped when it comes.

    Memory is bounded: the line being read and the block's data before it (joined by LF) hold at
    most `max_event_bytes` together; a type and an id are each a line of that at most. Comments and
    unknown fields are forgotten at the end of their line.

    Attributes:
        bare: ids that blocks without data brought in the last chunk, and how many events before.

    Raises:
        ValueError: for a `max_event_bytes` below 1.
    """

    def __init__(self, max_event_bytes: int = DEFAULT_MAX_EVENT_BYTES) -> None:
        if max_event_bytes < 1:
            raise ValueError(f"max_event_bytes is {max_event_bytes}; give at least 1")
        self._limit = max_event_bytes
        # A line cut anywhere. A bytearray grows in place: small pieces cost as large ones.
        self._line = bytearray()
        # A chunk ended in CR: an LF opening the next one is its second half, not an empty line.
        self._after_cr = False
        # UTF-8 decode skips a BOM at the start; without CR or LF, it lies within the first line.
        self._at_start = True
        # The block's buffers. None is the empty data buffer; b"" is one empty data line, which the
        # standard holds as a lone LF.
        self._data: bytes | bytearray | None = None
        self._type = ""
        self._block_retry: int | None = None
        # An id counts only once its block ends: a stream cut in mid-block must not resume after an
        # event that was never dispatched.
        self._id = ""
        self._last_event_id = ""
        self._retry: int | None = None
        self.bare: list[tuple[int, str]] = []
        # A breach behind events of the same chunk; there is no picking up the stream after it.
        self._overflowed = False

    @property
    def last_event_id(self) -> str:
        """What `Last-Event-ID` would say now: the id as of the last block's end, with data or not.

        Empty until this stream gives one; an id of an earlier connection is the caller's to keep.
        """
        return self._last_event_id

    @property
    def retry(self) -> int | None:
        """The latest reconnection time in milliseconds, valid from its own line's end on."""
        return self._retry

    def feed(self, chunk: bytes) -> list[ServerSentEvent]:
        """Read the next bytes, however cut, and give the events that they complete.

        Raises:
            EventTooLarge: the pending block is over the limit. Events that the same chunk completed
                before it are returned, and the next call raises instead; so does every later one.
        """
        events: Events = []
        self.bare.clear()
        if not self._overflowed:
            self._read(chunk, events)
        if self._overflowed and not events:
            raise EventTooLarge(self._limit)
        return events

    def _read(self, chunk: bytes, events: Events) -> None:
        # No moment within this chunk can hold more than everything together.
        roomy = len(chunk) + self._pending() <= self._limit
        if self._after_cr or b"\r" in chunk:
            chunk = self._normalized(chunk)
        lines = chunk.split(b"\n")
        rest = lines.pop()
        if self._line and lines:
            lines[0] = bytes(self._line) + lines[0]
            self._line.clear()
        if not roomy:
            self._interpret_watching(lines, rest, events)
            return
        self._interpret(lines, events)
        if rest:
            self._line += rest

    def _normalized(self, chunk: bytes) -> bytes:
        """The chunk with LF for every line ending, less the LF of a CRLF that was cut in two."""
        if not chunk:
            return chunk
        if self._after_cr and chunk[0] == 0x0A:
            chunk = chunk[1:]
        self._after_cr = chunk.endswith(b"\r")
        if b"\r" in chunk:
            return chunk.replace(b"\r\n", b"\n").replace(b"\r", b"\n")
        return chunk

    def _pending(self) -> int:
        return len(self._line) + (len(self._data) if self._data is not None else 0)

    def _interpret_watching(self, lines: list[bytes], rest: bytes, events: Events) -> None:
        """As `_interpret`, stopping at the first line, whole or not, that is over the limit."""
        for line in lines:
            if self._overflows(line):
                return
            self._interpret([line], events)
        if not self._overflows(rest):
            self._line += rest

    def _overflows(self, piece: bytes) -> bool:
        """Whether the pending block and `piece` are over the limit; if so, let go of the block."""
        if len(piece) + self._pending() > self._limit:
            self._overflowed = True
            self._line.clear()
            self._data = None
        return self._overflowed

    def _interpret(self, lines: list[bytes], events: Events) -> None:
        """Take whole lines in, none with its ending; append what they dispatch."""
        if self._at_start and lines:
            self._at_start = False
            lines[0] = lines[0].removeprefix(_BOM)
        data = self._data
        for line in lines:
            if line:
                # A comment has the empty name; without a colon the line is a name, its value empty.
                name, _, value = line.partition(b":")
                value = value.removeprefix(b" ")
                if name == b"data":
                    data = value if data is None else _appended(data, value)
                else:
                    self._set(name, value)
            else:
                # Dispatch: the id counts even without data.
                if data is not None:
                    kind, last_id, retry = self._type or "message", self._id, self._block_retry
                    text = data.decode("utf-8", "replace")  # as `_text`, without another call
                    events.append(ServerSentEvent(text, kind, last_id, retry))
                elif self._id != self._last_event_id:
                    self.bare.append((len(events), self._id))
                self._last_event_id = self._id
                data, self._type, self._block_retry = None, "", None
        self._data = data

    def _set(self, name: bytes, value: bytes) -> None:
        """A field other than `data`; unknown ones and comments leave no trace."""
        if name == b"id":
            if b"\0" not in value:
                self._id = _text(value)
        elif name == b"event":
            self._type = _text(value)
        elif name == b"retry" and value.isdigit():
            self._retry = self._block_retry = _milliseconds(value)


def _text(value: bytes | bytearray) -> str:
    # CPython gives a U+FFFD per maximal subpart of a broken sequence: the standard's UTF-8 decode.
    return value.decode("utf-8", "replace")


def _appended(data: bytes | bytearray, value: bytes) -> bytearray:
    """The data buffer with one more line. No list of lines: the limit counts no pointers."""
    if isinstance(data, bytes):
        data = bytearray(data)
    data += b"\n"
    data += value
    return data


def _milliseconds(digits: bytes) -> int:
    """A clamped number. Nine significant digits exceed the maximum, so `int` reads no more."""
    return min(int(digits.lstrip(b"0")[:9] or b"0"), MAX_RETRY)


def encode(
    data: str, *, event: str = "message", id: str | None = None, retry: int | None = None
) -> bytes:
    r"""One block: `event`, `id` and `retry` where given, a `data` line per line, an empty line.

    Each CRLF, CR and LF of `data` separates two lines, so a reader gets LF for it: the format has
    no way to carry the difference. Empty data is one empty line and does dispatch.

    Args:
        data: the payload.
        event: the type; no line is written for `message`, nor for the empty one that readers
            take for `message`.
        id: the event's id; the empty one makes readers forget theirs, None leaves it alone.
        retry: the reconnection time, in milliseconds.

    Raises:
        InvalidField: CR or LF in `event` or `id`, NUL in `id`, or a negative `retry`.
        UnicodeEncodeError: a lone surrogate, which UTF-8 cannot carry.
    """
    if event == "message" and id is not None and retry is None:
        return f"id: {_one_line('id', id)}\ndata: {_continued(data, 'data: ')}\n\n".encode()
    head = "" if event in ("message", "") else f"event: {_one_line('event', event)}\n"
    if id is not None:
        head += f"id: {_one_line('id', id)}\n"
    if retry is not None:
        head += _time(retry)
    return f"{head}data: {_continued(data, 'data: ')}\n\n".encode()


def encode_id(id: str) -> bytes:
    """A block of an id alone: readers store it and dispatch nothing. Raises as `encode` does."""
    return f"id: {_one_line('id', id)}\n\n".encode()


def encode_retry(retry: int) -> bytes:
    """A block of a reconnection time alone, in milliseconds; `InvalidField` for a negative one."""
    return f"{_time(retry)}\n".encode()


def comment(text: str = "") -> bytes:
    """A block of comment lines alone, one per line of `text`; readers ignore it."""
    return f": {_continued(text, ': ')}\n\n".encode()


def _continued(text: str, prefix: str) -> str:
    """`text` with each of its line endings followed by `prefix`."""
    if "\r" in text:
        text = text.replace("\r\n", "\n").replace("\r", "\n")
    return text.replace("\n", f"\n{prefix}") if "\n" in text else text


def _one_line(name: str, value: str) -> str:
    """`value`, unless it would end its line, or be ignored (an id with NUL)."""
    if "\n" in value or "\r" in value or ("\0" in value and name == "id"):
        raise InvalidField(f"{name} holds CR, LF or NUL; an SSE field is one line of text")
    return value


def _time(retry: int) -> str:
    if retry < 0:
        raise InvalidField(f"retry is {retry}; give milliseconds from 0 up")
    return f"retry: {retry}\n"
