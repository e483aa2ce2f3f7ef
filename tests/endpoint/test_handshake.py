"""Which heads are a plain WebSocket handshake, and how it is answered (RFC 6455, 4.2 and 1.3)."""

import pytest
from websockets.extensions.permessage_deflate import ServerPerMessageDeflateFactory

from bridge.endpoint.handshake import Handshake, handshake, refusal
from bridge.endpoint.head import ordinary
from tests.endpoint.raw import KEY, get, upgrade

DEFLATE = ServerPerMessageDeflateFactory()
SAMPLE = "dGhlIHNhbXBsZSBub25jZQ=="


def read(data: bytes, *, deflate: bool = False) -> Handshake | None:
    head = ordinary(data)
    return handshake(head, DEFLATE if deflate else None) if head else None


def changed(old: str, new: str) -> bytes:
    return upgrade().replace(old.encode(), new.encode())


BAD = {
    "no upgrade at all": get(),
    "another protocol": changed("websocket", "h2c"),
    "several protocols": changed("websocket", "websocket, h2c"),
    "no connection": changed("Connection: Upgrade\r\n", ""),
    "another connection": changed("Connection: Upgrade", "Connection: keep-alive"),
    "no key": changed(f"Sec-WebSocket-Key: {SAMPLE}\r\n", ""),
    "an empty key": changed(SAMPLE, ""),
    "a short key": changed(SAMPLE, "c2hvcnQ="),
    "a long key": changed(SAMPLE, "dGhlIHNhbXBsZSBub25jZSBhbmQgbW9yZQ=="),
    "a key that is not base64": changed(SAMPLE, "#" * 24),
    "no version": changed("Sec-WebSocket-Version: 13\r\n", ""),
    "an older version": changed("Version: 13", "Version: 8"),
    "a list of versions": changed("Version: 13", "Version: 13, 8"),
    "subprotocols that are none": upgrade(extra="Sec-WebSocket-Protocol: a b\r\n"),
    "subprotocols beyond ASCII": upgrade(extra="Sec-WebSocket-Protocol: \u00e9\r\n"),
}


@pytest.mark.parametrize("data", BAD.values(), ids=BAD.keys())
def test_what_is_no_plain_handshake_is_left_alone(data: bytes) -> None:
    assert read(data) is None


def test_the_sample_of_the_standard_is_answered() -> None:
    assert SAMPLE in KEY
    shake = read(upgrade())
    assert shake
    assert shake.answer([(b"date", b"today")], None) == (
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
        b"Sec-WebSocket-Accept: s3pPLMBiTxaQ9kYGzzhZRbK+xOo=\r\ndate: today\r\n\r\n"
    )


@pytest.mark.parametrize("value", ["WebSocket", "WEBSOCKET"])
def test_the_protocols_name_has_no_case(value: str) -> None:
    assert read(changed("websocket", value))


def test_other_options_of_the_connection_may_stand_beside() -> None:
    assert read(changed("Connection: Upgrade", "Connection: keep-alive, Upgrade"))


def test_subprotocols_keep_their_order_and_the_chosen_one_is_said() -> None:
    shake = read(upgrade(extra="Sec-WebSocket-Protocol: bearer,  token\r\n"))
    assert shake
    assert list(shake.subprotocols) == ["bearer", "token"]
    assert shake.answer((), "bearer").endswith(b"\r\nSec-WebSocket-Protocol: bearer\r\n\r\n")


def offering(value: str) -> bytes:
    return upgrade(extra=f"Sec-WebSocket-Extensions: {value}\r\n")


def test_without_compression_extensions_are_not_even_read() -> None:
    shake = read(offering("permessage-deflate; ="))
    assert shake
    assert not shake.extensions


def test_the_first_offer_that_suits_is_agreed_on_once() -> None:
    value = (
        "unknown, permessage-deflate; server_max_window_bits=99, "
        "permessage-deflate; client_max_window_bits, permessage-deflate"
    )
    shake = read(offering(value), deflate=True)
    assert shake
    assert len(shake.extensions) == 1
    assert b"\r\nSec-WebSocket-Extensions: permessage-deflate" in shake.answer((), None)


def test_an_offer_that_cannot_be_served_is_declined() -> None:
    shake = read(offering("permessage-deflate; server_max_window_bits=99"), deflate=True)
    assert shake
    assert not shake.extensions
    assert b"Extensions" not in shake.answer((), None)


def test_an_offer_that_cannot_be_read_is_left_alone() -> None:
    assert read(offering("permessage-deflate; ="), deflate=True) is None


@pytest.mark.parametrize(
    ("fields", "status"),
    [
        ([(b"content-length", b"0")], b"400"),
        ([(b"transfer-encoding", b"chunked")], b"400"),
        ([(b"sec-websocket-version", b"8")], b"426"),
        ([(b"sec-websocket-version", b"13, 8")], b"426"),
    ],
)
def test_what_no_server_accepts_is_refused(
    fields: list[tuple[bytes, bytes]], status: bytes
) -> None:
    head, _, body = refusal(fields, [(b"date", b"today")]).partition(b"\r\n\r\n")
    assert head.startswith(b"HTTP/1.1 " + status)
    assert b"\r\ndate: today\r\n" in head
    assert f"content-length: {len(body)}".encode() in head


@pytest.mark.parametrize("fields", [[], [(b"sec-websocket-version", b"13")]])
def test_another_one_judges_the_rest(fields: list[tuple[bytes, bytes]]) -> None:
    assert refusal(fields, ()) == b""
