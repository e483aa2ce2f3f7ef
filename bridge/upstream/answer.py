"""One bounded request for a JSON state, and the message that is made of its answer.

Decides when an answer can be used and how its text is wrapped; never when to ask again. Trouble
on the way is a value, not an exception. Redirects are not followed: they would carry configured
credentials to a place that nobody configured.
"""

from __future__ import annotations

import math
import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from ssl import SSLCertVerificationError
from typing import Any

import aiohttp
import orjson
from multidict import CIMultiDict

from bridge.upstream.target import check_headers, check_url
from bridge.upstream.tls import SYSTEM, TlsOptions
from bridge.wire.lookup import first_text

MAX_BYTES = 4 * 1024 * 1024
"""How large an answer may be unless configured otherwise."""

RESULTS = ("url", "data.*.value.url")
"""Where legacy answers hold a result: `GET /api/file/{id}`, then `GET /api/project/{id}`."""

WRAP = '{"type":"file","object":{body}}'
"""How legacy backends would tell the state of a file by themselves."""

_CHUNK = 64 * 1024
_BOM = b"\xef\xbb\xbf"
_JSON_SPACE = " \t\r\n"
_HOLE = re.compile(r"\{(body|result)\}")


@dataclass(frozen=True, slots=True)
class Answer:
    """What one request came to.

    Attributes:
        status: the HTTP status; 0 where no answer came.
        body: the JSON text as it came, without the space around it.
        document: the body, parsed.
        retry_after: seconds that the backend asks us to wait, None where it does not say.
        fault: why the answer cannot be used, for people and without secrets; empty where it can.
    """

    status: int = 0
    body: str = ""
    document: Any = None
    retry_after: float | None = None
    fault: str = ""

    @property
    def usable(self) -> bool:
        """Whether this holds a state."""
        return self.status == 200 and not self.fault

    @property
    def absent(self) -> bool:
        """Whether the backend says that there is nothing yet."""
        return self.status in (202, 204, 404)


async def ask(
    session: aiohttp.ClientSession,
    url: str,
    headers: Mapping[str, str],
    *,
    deadline: float,
    max_bytes: int,
    tls: TlsOptions = SYSTEM,
) -> Answer:
    """GET `url`, the whole answer within `deadline` seconds and `max_bytes` after decompression."""
    if session.closed:
        return Answer(fault="the HTTP client is closed")
    sent = CIMultiDict({"Accept": "application/json"})
    sent.update(headers)
    limit = aiohttp.ClientTimeout(total=deadline)
    try:
        async with session.get(
            url, headers=sent, timeout=limit, allow_redirects=False, ssl=tls.context()
        ) as response:
            return await _receive(response, max_bytes)
    except TimeoutError:
        return Answer(fault=f"no whole answer in {deadline:g} s")
    except (aiohttp.ClientError, OSError) as trouble:
        return Answer(fault=f"cannot reach the backend: {_named(trouble)}")


def _named(trouble: Exception) -> str:
    """What went wrong, without a URL: the library's texts repeat it."""
    if isinstance(trouble, aiohttp.ClientConnectorCertificateError):
        inner = trouble.certificate_error
        if isinstance(inner, SSLCertVerificationError):
            return f"its certificate is not accepted: {inner.verify_message.rstrip('.')}"
    return type(trouble).__name__


def retry_after(value: str | None, date: str | None = None) -> float | None:
    """Seconds that a `Retry-After` asks for (RFC 9110, 10.2.3); None where it cannot be read.

    Args:
        value: the field: seconds, or an HTTP date.
        date: the answer's own `Date`, against which an HTTP date is counted: no clock needed.
    """
    text = (value or "").strip()
    if text.isascii() and text.isdigit():
        return float(text[:9])
    try:
        until, now = parsedate_to_datetime(text), parsedate_to_datetime(date or "")
        return max(0.0, (until - now).total_seconds())
    except (TypeError, ValueError):  # TypeError: one date with a zone and one without
        return None


def message(template: str, answer: Answer, results: Sequence[str]) -> str | None:
    """The message that tells an answer; None where the template tells a result and there is none.

    Args:
        template: JSON in which `{body}` stands for the answer as it came and `{result}` for the
            result's address as a JSON string.
        answer: a usable answer.
        results: dotted paths, the first that holds text is the result's address.
    """
    result = first_text(answer.document, results)
    if "{result}" in template and not result:
        return None
    values = {"body": answer.body, "result": orjson.dumps(result).decode()}
    return _HOLE.sub(lambda hole: values[hole[1]], template)


def check_source(match: Iterable[str], url: str, headers: Mapping[str, str], wrap: str) -> None:
    """Refuse settings that no request could use.

    Raises:
        ValueError: what is wrong and how to mend it, without header values.
    """
    if not tuple(match) or not all(match):
        raise ValueError('match names no channel; write patterns, as ["file.*"]')
    check_url("url", url, ("http", "https"))
    check_headers("headers", headers, url)
    _check_wrap(wrap)


def check_positive(**amounts: float) -> None:
    """Refuse numbers that are not above 0 and finite.

    Raises:
        ValueError: naming the first one.
    """
    for name, value in amounts.items():
        if not 0 < value < math.inf:
            raise ValueError(f"{name} must be above 0 and finite")


def _check_wrap(wrap: str) -> None:
    try:
        orjson.loads(_HOLE.sub('""', wrap))
    except orjson.JSONDecodeError:
        raise ValueError("wrap is not JSON; let {body} stand where a JSON value may") from None
    if not _HOLE.search(wrap):
        raise ValueError("wrap says nothing of the answer; let {body} or {result} stand in it")


async def _receive(response: aiohttp.ClientResponse, max_bytes: int) -> Answer:
    status = response.status
    if status != 200:
        wait = retry_after(response.headers.get("Retry-After"), response.headers.get("Date"))
        return Answer(status, retry_after=wait, fault=f"the backend answered {status}")
    body = bytearray()
    async for chunk in response.content.iter_chunked(_CHUNK):
        body += chunk
        if len(body) > max_bytes:
            return Answer(status, fault=f"an answer exceeds {max_bytes} bytes")
    return _parsed(status, bytes(body).removeprefix(_BOM))


def _parsed(status: int, body: bytes) -> Answer:
    try:
        return Answer(status, body.decode().strip(_JSON_SPACE), orjson.loads(body))
    except ValueError:
        return Answer(status, fault="an answer is not JSON")
