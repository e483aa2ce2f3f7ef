"""The opening handshake of a WebSocket, as a server answers it (RFC 6455, 4.2).

Decides whether a head asks for a WebSocket in the way that is served at once, and what the answer
is. A head that is None here is no refusal: a complete implementation judges it and says why.
"""

from __future__ import annotations

import binascii
from base64 import b64decode, b64encode
from collections.abc import Sequence
from hashlib import sha1
from typing import NamedTuple

from websockets.exceptions import InvalidHandshake
from websockets.extensions import Extension
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory
from websockets.headers import build_extension, parse_extension, parse_subprotocol

from bridge.endpoint.head import BODIES, Fields, Head
from bridge.wire.framing import DEFLATE_BITS

VERSION = b"13"
_GUID = b"258EAFA5-E914-47DA-95CA-C5AB0DC85B11"
_KEY_BYTES = 16
_FIRST = (
    b"HTTP/1.1 101 Switching Protocols\r\n"
    b"Upgrade: websocket\r\n"
    b"Connection: Upgrade\r\n"
    b"Sec-WebSocket-Accept: "
)


class Handshake(NamedTuple):
    """A client's.

    Attributes:
        key: what the answer proves to have read.
        subprotocols: offered, in the client's order.
        extensions: agreed on.
        agreed: the same as a header field's value; empty where there is none.
    """

    key: bytes
    subprotocols: Sequence[str]
    extensions: Sequence[Extension]
    agreed: str

    def answer(self, fields: Fields, subprotocol: str | None) -> bytes:
        """The answer that accepts.

        Args:
            fields: more header fields, without line breaks.
            subprotocol: one of those offered.
        """
        said = [_FIRST, b64encode(sha1(self.key + _GUID, usedforsecurity=False).digest()), b"\r\n"]
        if self.agreed:
            said.append(f"Sec-WebSocket-Extensions: {self.agreed}\r\n".encode())
        for name, value in fields:
            said += name, b": ", value, b"\r\n"
        if subprotocol:
            said.append(f"Sec-WebSocket-Protocol: {subprotocol}\r\n".encode())
        said.append(b"\r\n")
        return b"".join(said)


def handshake(head: Head, deflate: ServerPerMessageDeflateFactory | None) -> Handshake | None:
    """The handshake that a head is, None where it is none or not a plain one.

    Args:
        head: a GET by HTTP/1.1, each field of the handshake at most once.
        deflate: what may be agreed on.
    """
    named = head.named
    if not head.upgrade or named.get(b"upgrade", b"").lower() != b"websocket":
        return None
    if named.get(b"sec-websocket-version") != VERSION:
        return None
    key = named.get(b"sec-websocket-key", b"")
    if not _is_key(key):
        return None
    try:
        extensions, agreed = _agreed(named.get(b"sec-websocket-extensions"), deflate)
        offered = named.get(b"sec-websocket-protocol")
        subprotocols = parse_subprotocol(offered.decode()) if offered else ()
    except (InvalidHandshake, UnicodeDecodeError):
        return None
    return Handshake(key, subprotocols, extensions, agreed)


def _is_key(key: bytes) -> bool:
    try:
        return len(b64decode(key, validate=True)) == _KEY_BYTES
    except binascii.Error:
        return False


def _agreed(
    offered: bytes | None, deflate: ServerPerMessageDeflateFactory | None
) -> tuple[Sequence[Extension], str]:
    """The first of the offered variants that suits (RFC 7692, 5), and the answer's field."""
    for name, parameters in parse_extension(offered.decode()) if offered and deflate else ():
        if deflate and name == deflate.name:
            try:
                answer, extension = deflate.process_request_params(parameters, [])
            except InvalidHandshake:  # this variant cannot be served; the next one may be
                continue
            return [extension], build_extension([(name, answer)])
    return (), ""


def shared_deflate() -> ServerPerMessageDeflateFactory:
    """Without context, so that one compressed message serves all who negotiated it."""
    return ServerPerMessageDeflateFactory(
        server_no_context_takeover=True,
        client_no_context_takeover=True,
        server_max_window_bits=DEFLATE_BITS,
        client_max_window_bits=DEFLATE_BITS,
    )


def is_shared(extension: Extension) -> bool:
    """Whether the client agreed to the window that messages are compressed with."""
    return getattr(extension, "local_max_window_bits", None) == DEFLATE_BITS


def refusal(fields: Fields, more: Fields) -> bytes:
    """The answer to a handshake that no server accepts; empty where another one is to judge.

    A body has no place in one (RFC 6455, 4.1), and another version is told ours (4.2.2, 4).

    Args:
        fields: the client's.
        more: header fields of every answer.
    """
    named = dict(fields)
    if not BODIES.isdisjoint(named):
        return _refused(b"400 Bad Request", more, b"A WebSocket handshake has no body.\n")
    if named.get(b"sec-websocket-version", VERSION).strip() == VERSION:
        return b""
    ours = ((b"upgrade", b"websocket"), (b"sec-websocket-version", VERSION))
    said = b"This server speaks version 13 of the WebSocket protocol.\n"
    return _refused(b"426 Upgrade Required", (*more, *ours), said)


def _refused(status: bytes, fields: Fields, said: bytes) -> bytes:
    head = (
        *fields,
        (b"content-type", b"text/plain; charset=utf-8"),
        (b"content-length", b"%d" % len(said)),
        (b"connection", b"close"),
    )
    lines = (b"%b: %b\r\n" % field for field in head)
    return b"HTTP/1.1 %b\r\n%b\r\n%b" % (status, b"".join(lines), said)
