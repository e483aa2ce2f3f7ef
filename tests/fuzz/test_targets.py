"""Every target of the fuzzer, fed by Hypothesis: noise, and good input that is cut and stirred."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.fuzz.targets import SEEDS, TARGETS

SPICE = (
    *(b"\r", b"\n", b"\r\n", b"\0", b"\t", b" ", b":", b";", b",", b"=", b"&", b"%", b"/", b".."),
    *(b"\xff", b"\xed\xa0\x80", b"\xe2\x82", b"\xef\xbb\xbf", "€".encode(), b"\x7f", b"\x80"),
    *(b"{", b"}", b"[", b"]", b'"', b"'", b"\\", b"${TOKEN}", b"${", b"-1", b"9" * 25, b"%0d%0a"),
)


@st.composite
def stirred(draw: st.DrawFn, seeds: tuple[bytes, ...]) -> bytes:
    """Good input in which some places are replaced, doubled or left out."""
    data = draw(st.sampled_from(seeds))
    for _ in range(draw(st.integers(0, 4))):
        begin = draw(st.integers(0, len(data)))
        end = draw(st.integers(begin, min(len(data), begin + 12)))
        other = draw(st.sampled_from((*SPICE, data[begin:end] * 2, b"")) | st.binary(max_size=6))
        data = data[:begin] + other + data[end:]
    return data


@pytest.mark.parametrize("name", TARGETS)
def test_nothing_that_anybody_says_breaks(name: str) -> None:
    @settings(max_examples=400, deadline=None)
    @given(st.binary(max_size=200) | stirred(SEEDS[name]))
    def holds(data: bytes) -> None:
        TARGETS[name](data)

    holds()


@pytest.mark.parametrize("name", TARGETS)
def test_good_input_is_good(name: str) -> None:
    for seed in SEEDS[name]:
        TARGETS[name](seed)
