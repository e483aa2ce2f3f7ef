"""What the bytes of a PROXY header mean."""

from ipaddress import ip_address

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bridge.endpoint.preface import SIGNATURE, Source, read

V4, V6 = "192.0.2.1", "2001:db8::1"


def version_2(source: str, port: int, *, command: int = 1, more: bytes = b"") -> bytes:
    packed = ip_address(source).packed
    rest = packed * 2 + port.to_bytes(2) + (443).to_bytes(2) + more
    family = 0x11 if len(packed) == 4 else 0x21
    return SIGNATURE + bytes([0x20 | command, family]) + len(rest).to_bytes(2) + rest


HEADERS: list[tuple[bytes, Source | None]] = [
    (b"PROXY TCP4 192.0.2.1 192.0.2.9 5000 443\r\n", (V4, 5000)),
    (b"PROXY TCP6 2001:db8::1 2001:db8::9 5000 443\r\n", (V6, 5000)),
    (b"PROXY UNKNOWN\r\n", None),
    (b"PROXY UNKNOWN ffff::1 ffff::2 1 2\r\n", None),
    (version_2(V4, 5000), (V4, 5000)),
    (version_2(V6, 5000, more=b"\x04\x00\x01x"), (V6, 5000)),
    (version_2(V4, 5000, command=0), None),
    (SIGNATURE + b"\x21\x31\x00\x00", None),
]


@pytest.mark.parametrize(("header", "source"), HEADERS)
def test_a_header_is_read_however_it_comes(header: bytes, source: Source | None) -> None:
    assert read(header + b"GET / HTTP/1.1") == (len(header), source)
    for end in range(len(header)):
        assert read(header[:end]) is None


@pytest.mark.parametrize(
    "data",
    [
        b"GET / HTTP/1.1\r\n",
        b"PROXY TCP4 1.2.3.4\r\n",
        b"PROXY TCP4 2001:db8::1 2001:db8::2 1 2\r\n",
        b"PROXY TCP4 999.0.0.1 1.2.3.4 1 2\r\n",
        b"PROXY " + b"x" * 200,
        b"PROXY TCP4 1.2.3.4 5.6.7.8 1 2\r\nHost"[:7] + b"\r\n",
        SIGNATURE + b"\x11\x11\x00\x0c" + bytes(12),
        SIGNATURE + b"\x21\x11\xff\xff",
        SIGNATURE + b"\x21\x11\x00\x02ab",
    ],
)
def test_anything_else_is_refused(data: bytes) -> None:
    with pytest.raises(ValueError, match=r"PROXY|address|IPv"):
        read(data)


@given(st.binary(max_size=200))
def test_no_bytes_at_all_do_more_than_that(data: bytes) -> None:
    for start in (b"", b"PROXY ", SIGNATURE, SIGNATURE + b"\x21\x11"):
        try:
            found = read(start + data)
        except ValueError:
            continue
        assert found is None or 0 < found[0] <= len(start + data)
