"""Event streams for tests: hostile ones, ways to cut them, and an independent reading of them.

`reference` follows the standards' words over the whole stream and shares no code with the codec.
"""

import re
from collections.abc import Iterable
from dataclasses import dataclass
from itertools import takewhile

from hypothesis import strategies as st

from bridge.errors import EventTooLarge
from bridge.wire.sse import MAX_RETRY, Decoder, ServerSentEvent

BOM = b"\xef\xbb\xbf"


@dataclass
class Reading:
    """What a stream says: the events, the last event id string and the reconnection time."""

    events: list[ServerSentEvent]
    last_id: str = ""
    retry: int | None = None


def decode_utf8(stream: bytes) -> str:
    """The Encoding Standard's UTF-8 decoder, step by step (section 9.1.1), without BOM handling."""
    text: list[str] = []
    point = needed = seen = 0
    lower, upper = 0x80, 0xBF
    queue = list(stream)
    while queue:
        byte = queue.pop(0)
        if not needed:
            if byte <= 0x7F:
                text.append(chr(byte))
            elif 0xC2 <= byte <= 0xDF:
                needed, point = 1, byte & 0x1F
            elif 0xE0 <= byte <= 0xEF:
                lower = 0xA0 if byte == 0xE0 else lower
                upper = 0x9F if byte == 0xED else upper
                needed, point = 2, byte & 0xF
            elif 0xF0 <= byte <= 0xF4:
                lower = 0x90 if byte == 0xF0 else lower
                upper = 0x8F if byte == 0xF4 else upper
                needed, point = 3, byte & 0x7
            else:
                text.append("\ufffd")
            continue
        in_range = lower <= byte <= upper
        lower, upper = 0x80, 0xBF
        if not in_range:
            point = needed = seen = 0
            queue.insert(0, byte)
            text.append("\ufffd")
            continue
        point = (point << 6) | (byte & 0x3F)
        seen += 1
        if seen == needed:
            text.append(chr(point))
            point = needed = seen = 0
    return "".join(text) + ("\ufffd" if needed else "")


def reference(stream: bytes) -> Reading:
    """HTML Standard 9.2.6 in its own order, over the whole stream as text."""
    *lines, _ = re.split(r"\r\n|\n|\r", decode_utf8(stream.removeprefix(BOM)))
    reading = Reading([])
    data = kind = last_id = ""
    block_retry: int | None = None
    for line in lines:
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line == "":
            reading.last_id = last_id
            if data:
                event = ServerSentEvent(data[:-1], kind or "message", last_id, block_retry)
                reading.events.append(event)
            data, kind, block_retry = "", "", None
        elif name == "event":
            kind = value
        elif name == "data":
            data += value + "\n"
        elif name == "id" and "\0" not in value:
            last_id = value
        elif name == "retry" and re.fullmatch("[0-9]+", value):
            reading.retry = block_retry = int(min(float(value), MAX_RETRY))
    return reading


def pending(stream: bytes) -> int:
    """How much a stream so far leaves to hold: its unfinished line and its block's joined data."""
    *lines, line = re.split(rb"\r\n|\n|\r", stream)
    if lines:
        lines[0] = lines[0].removeprefix(BOM)
    block = takewhile(bool, reversed(lines))
    fields = [name_value.partition(b":")[::2] for name_value in block]
    values = [value.removeprefix(b" ") for name, value in fields if name == b"data"]
    return len(line) + len(b"\n".join(values))


def read(chunks: Iterable[bytes]) -> Reading:
    """What the decoder says of a stream that arrives in these chunks."""
    decoder = Decoder()
    events = [event for chunk in chunks for event in decoder.feed(chunk)]
    return Reading(events, decoder.last_event_id, decoder.retry)


def read_until_breach(chunks: Iterable[bytes], limit: int) -> tuple[Reading, bool]:
    """As `read`, under a limit; and whether the limit was breached."""
    decoder = Decoder(max_event_bytes=limit)
    events: list[ServerSentEvent] = []
    try:
        for chunk in [*chunks, b""]:
            events += decoder.feed(chunk)
    except EventTooLarge:
        return Reading(events, decoder.last_event_id, decoder.retry), True
    return Reading(events, decoder.last_event_id, decoder.retry), False


def pieces(stream: bytes, size: int) -> list[bytes]:
    """The stream in equal chunks; the last may be shorter."""
    return [stream[at : at + size] for at in range(0, len(stream), size)]


def bytewise(stream: bytes) -> list[bytes]:
    """The stream as it arrives in the worst case."""
    return pieces(stream, 1)


def cut(stream: bytes, sizes: Iterable[int]) -> list[bytes]:
    """The stream in chunks of these sizes (0 makes an empty one), and the rest as the last."""
    chunks = []
    for size in sizes:
        chunks.append(stream[:size])
        stream = stream[size:]
    return [*chunks, stream]


FRAGMENTS = (
    *(b"\r", b"\n", b"\r\n", b"\n\n", b"\r\n\r\n", b":", b" ", b"\0", b"x", b"7", b"y\x0b\x0cz"),
    *(b"data", b"data:", b"data: ", b"event: t", b"event", b"id: 1", b"id", b"id:\0", b": note"),
    *(b"retry: 10", b"retry:", b"retry: 99999999999", b"retry: 1_0", b"dat", b"foo: bar"),
    *(BOM, BOM[:1], BOM[:2], BOM[1:], b"\xc3", b"\xa9", b"\xe2\x82", b"\xf0\x9f\x98", b"\x80"),
    *(b"\xed\xa0\x80", b"\xff", "\u0085\u2028\u2029".encode(), "\U0001f600".encode()),
)
"""What makes decoders stumble: pieces of fields, endings, BOMs and characters."""

STREAMS = st.lists(
    st.one_of(st.sampled_from(FRAGMENTS), st.binary(min_size=1, max_size=3)), max_size=30
).map(b"".join)
SIZES = st.lists(st.integers(0, 9), max_size=30)
TEXT = st.text(
    st.one_of(
        st.sampled_from("\r\n\0: \ufeff\u0085\u2028\ufffd\x0b\x1cdait7"),
        st.characters(codec="utf-8"),
    ),
    max_size=30,
)
ONE_LINE = TEXT.map(lambda text: re.sub(r"[\r\n\0]", "", text))
RETRIES = st.none() | st.integers(0, MAX_RETRY)
