"""What a payload is like, for counting only: every payload passes on untouched.

Decides whether one is JSON, and whether SSE can carry it to the byte: a CR ends a line there
(WHATWG HTML, 9.2.6), so a CR arrives at SSE clients as LF. JSON text needs no CR.
"""

from __future__ import annotations

import orjson

_PARSED_WHOLE = 64 * 1024
_OPENING = frozenset('{["-0123456789tfn')


def is_json(data: str | bytes) -> bool:
    """Whether a payload is JSON; of a large one only the first character is looked at."""
    if isinstance(data, bytes):
        return False
    if len(data) > _PARSED_WHOLE:
        return data[:64].lstrip()[:1] in _OPENING
    try:
        orjson.loads(data)
    except orjson.JSONDecodeError:
        return False
    return True


def has_carriage_return(data: str | bytes) -> bool:
    """Whether SSE clients will read an LF where the payload has a CR."""
    return isinstance(data, str) and "\r" in data
