"""Where something stands in a JSON document, and what of an address stays from fetch to fetch.

Decides how dotted paths are read and which query parameters only sign a URL; never what either
means to a channel. A path that leads nowhere finds nothing and raises nothing.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from fnmatch import fnmatchcase
from hashlib import blake2b
from typing import Any

_LONGEST_ADDRESS = 512

SIGNATURES = (
    *("x-amz-*", "x-goog-*", "x-oss-*", "signature", "sig", "sign", "expires", "expiry", "exp"),
    *("*token", "policy", "key-pair-id", "awsaccesskeyid", "googleaccessid", "ossaccesskeyid"),
    *("hmac", "hdnea", "hdnts", "se", "st", "sp", "sr", "sv", "spr", "sks", "ske", "skt", "skv"),
    *("skoid", "sktid"),
)
"""Query parameters by which S3, CloudFront, Google, Azure, Akamai and Alibaba sign a URL."""


def found(document: Any, path: str) -> Iterator[Any]:  # noqa: ANN401 - JSON has no narrower type
    """Every value at a dotted path, in order; `*` is every element, a number one of them."""
    return _walk(document, path.split("."))


def first_text(document: Any, paths: Sequence[str]) -> str:  # noqa: ANN401 - as above
    """The first value at any of the paths that is text with content or a number, else empty."""
    for path in paths:
        for value in found(document, path):
            if value and isinstance(value, str | int) and not isinstance(value, bool):
                return str(value)
    return ""


def address(url: str, signatures: Sequence[str] = SIGNATURES) -> str:
    """What stays of a URL from fetch to fetch: no fragment, no signing parameters.

    Very long ones (`data:` URLs hold megabytes) are stood for by their digest.
    """
    place, _, query = url.partition("#")[0].partition("?")
    kept = [part for part in query.split("&") if part and not _signs(part, signatures)]
    whole = f"{place}?{'&'.join(kept)}" if kept else place
    if len(whole) <= _LONGEST_ADDRESS:
        return whole
    return blake2b(whole.encode("utf-8", "surrogatepass")).hexdigest()


def _signs(part: str, signatures: Sequence[str]) -> bool:
    name = part.partition("=")[0].lower()
    return any(fnmatchcase(name, pattern) for pattern in signatures)


def _walk(value: Any, parts: Sequence[str]) -> Iterator[Any]:  # noqa: ANN401 - as above
    if not parts:
        yield value
        return
    for child in _children(value, parts[0]):
        yield from _walk(child, parts[1:])


def _children(value: Any, part: str) -> Iterator[Any]:  # noqa: ANN401 - as above
    if isinstance(value, list):
        if part == "*":
            yield from value
        elif re.fullmatch(r"-?\d{1,9}", part, re.ASCII) and -len(value) <= int(part) < len(value):
            yield value[int(part)]
    elif isinstance(value, dict):
        if part == "*":
            yield from value.values()
        elif part in value:
            yield value[part]
