"""A stream opened by POST, as its backend sees it: one request, and the answer as it comes.

Decides when a backend counts as away, silent or broken off, and which of its headers may reach a
client (RFC 9110, 7.6.1: hop-by-hop fields end here). Never decodes, joins or delays bytes, follows
no redirect, keeps no cookie and repeats no request: a POST is not idempotent.
"""

from __future__ import annotations

import asyncio
import io
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiohttp
from yarl import URL

from bridge.errors import RelayLost, RelayRefused
from bridge.upstream.tls import SYSTEM, TlsOptions

REFUSAL_BYTES = 64 * 1024
"""How much of a refusal's body is passed on."""

HOP_BY_HOP = frozenset(
    {
        b"connection",
        b"keep-alive",
        b"proxy-authenticate",
        b"proxy-authorization",
        b"proxy-connection",
        b"te",
        b"trailer",
        b"transfer-encoding",
        b"upgrade",
    }
)
"""Fields that speak of one connection only, beside those that `Connection` names itself."""

_OWN = frozenset({b"date", b"server", b"alt-svc", b"set-cookie"})
"""Fields that the bridge's server says itself, or that belong to the backend's own origin."""

Headers = tuple[tuple[bytes, bytes], ...]
"""ASGI headers: lower-case names and raw values, in order, names possibly several times."""


@dataclass(frozen=True, slots=True)
class RelayCall:
    """One request to a backend.

    Attributes:
        url: the whole URL, percent-encoded.
        headers: names and values; repeated names are allowed.
        body: the POST body.
        connect_timeout: seconds to reach the backend.
        silence: seconds without a byte, headers included, after which it counts as dead.
        tls: whom to trust, and what to prove.
    """

    url: str
    headers: tuple[tuple[str, str], ...] = field(default=(), repr=False)
    body: bytes = field(default=b"", repr=False)
    connect_timeout: float = 10.0
    silence: float = 300.0
    tls: TlsOptions = SYSTEM


class RelayAnswer:
    """A backend's answer whose headers are here and whose body may still be coming.

    Attributes:
        status: 200 to 299.
        headers: those that may reach the client.
    """

    def __init__(self, response: aiohttp.ClientResponse) -> None:
        self._response = response
        self.status = response.status
        self.headers = end_to_end(response.raw_headers)

    @property
    def is_event_stream(self) -> bool:
        """Whether the body is `text/event-stream`."""
        return self._response.content_type == "text/event-stream"

    @property
    def encoding(self) -> str:
        """The content coding, lower case; empty where the bytes are plain."""
        coding = self._response.headers.get("Content-Encoding", "").strip().lower()
        return "" if coding == "identity" else coding

    async def read(self) -> bytes:
        """What has come since the last call, at least one byte; empty at a clean end.

        Raises:
            RelayLost: the backend fell silent, or broke off before its answer was whole.
        """
        try:
            return await self._response.content.readany()
        except TimeoutError:
            raise RelayLost("the backend fell silent", 504) from None
        except (aiohttp.ClientError, OSError):
            raise RelayLost("the backend broke off before its answer was whole") from None


class RelayBackend:
    """Sends relayed requests.

    Args:
        session: shared by all; it must keep no cookies, for one client's would reach the others.

    Raises:
        ValueError: a session that keeps cookies.
    """

    def __init__(self, session: aiohttp.ClientSession) -> None:
        if not isinstance(session.cookie_jar, aiohttp.DummyCookieJar):
            raise ValueError("the HTTP session keeps cookies; give it a DummyCookieJar()")
        self._session = session

    @asynccontextmanager
    async def open(self, call: RelayCall) -> AsyncIterator[RelayAnswer]:
        """Send the request and give the answer once its headers are here.

        Leaving the block before the answer's end, by cancellation too, drops the connection, which
        is how a backend learns that nobody listens.

        Raises:
            RelayLost: the backend is away or answers nothing.
            RelayRefused: it answers with another status than 200 to 299.
        """
        response = await self._post(call)
        try:
            if 300 <= response.status < 400:
                raise RelayLost(
                    f"the backend redirects ({response.status}); configure its last URL"
                )
            if not 200 <= response.status < 300:
                raise await _refusal(response, call.connect_timeout)
            yield RelayAnswer(response)
        finally:
            response.close()

    async def _post(self, call: RelayCall) -> aiohttp.ClientResponse:
        try:
            return await self._session.post(
                URL(call.url, encoded=True),
                # a file is sent piece by piece; large bytes would hold up the event loop
                data=io.BytesIO(call.body),
                headers=call.headers,
                skip_auto_headers=("Content-Type", "User-Agent"),
                allow_redirects=False,
                auto_decompress=False,
                timeout=aiohttp.ClientTimeout(connect=call.connect_timeout, sock_read=call.silence),
                ssl=call.tls.context(),
            )
        except aiohttp.ConnectionTimeoutError:
            raise RelayLost("the backend cannot be reached in time", 504) from None
        except TimeoutError:
            raise RelayLost("the backend does not answer", 504) from None
        except aiohttp.ClientConnectorCertificateError:
            raise RelayLost("the backend's certificate is not accepted") from None
        except aiohttp.ClientConnectorError:
            raise RelayLost("the backend cannot be reached") from None
        except (aiohttp.ClientError, OSError):
            raise RelayLost("the backend broke off before it answered") from None


def end_to_end(headers: Headers) -> Headers:
    """The fields of an answer that may reach a client, names in lower case.

    CORS fields are the backend's word about its own origin; the bridge answers for itself.
    """
    lowered = tuple((name.lower(), value) for name, value in headers)
    dropped = HOP_BY_HOP | _OWN | nominated(lowered)
    return tuple(
        (name, value)
        for name, value in lowered
        if name not in dropped and not name.startswith(b"access-control-")
    )


def nominated(headers: Headers) -> frozenset[bytes]:
    """The names that `Connection` fields list as hop-by-hop."""
    listed = (value for name, value in headers if name == b"connection")
    return frozenset(name.strip().lower() for value in listed for name in value.split(b","))


async def _refusal(response: aiohttp.ClientResponse, seconds: float) -> RelayRefused:
    """The answer with the beginning of its body, or as much as came within `seconds`."""
    body = bytearray()
    try:
        async with asyncio.timeout(seconds):
            while len(body) < REFUSAL_BYTES and (piece := await response.content.readany()):
                body += piece
    except (TimeoutError, aiohttp.ClientError, OSError):
        pass  # the status is what counts; its explanation is a courtesy
    kept = tuple(pair for pair in end_to_end(response.raw_headers) if pair[0] != b"content-length")
    return RelayRefused(response.status, bytes(body[:REFUSAL_BYTES]), kept)
