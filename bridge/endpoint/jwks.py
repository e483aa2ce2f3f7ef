"""Keys that an issuer publishes (RFC 7517), fetched beside the traffic.

Decides when they are fetched and for how long they serve where they cannot be: no client waits for
a fetch unless its token names a key that is not known, or was signed by none of those that are; all
of those wait for the same one, and between two there is an interval. So neither an outage nor a
flood of invented tokens makes the bridge flood the issuer. Redirects are not followed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Sequence

import aiohttp
import orjson
import structlog

from bridge.endpoint.jwt_options import JwtOptions
from bridge.endpoint.keys import Key, from_jwks
from bridge.seams import Meter

TIMEOUT = 5.0
MAX_BYTES = 256 * 1024


class PublishedKeys:
    """The keys at `jwks_url`.

    Args:
        options: where, and how often.
        session: gives the HTTP client.
        use: takes each set.
        meter: counts `jwks_fetches` by outcome.
        clock: monotonic, in seconds.
    """

    def __init__(
        self,
        options: JwtOptions,
        session: Callable[[], aiohttp.ClientSession],
        use: Callable[[Sequence[Key]], None],
        meter: Meter,
        clock: Callable[[], float],
    ) -> None:
        self._options, self._session, self._use = options, session, use
        self._meter, self._clock = meter, clock
        self._task: asyncio.Task[None] | None = None
        self._began = self._had = float("-inf")
        self._raw = b""
        self.certain = False

    @property
    def usable(self) -> bool:
        """Whether there are keys that were fetched not too long ago."""
        return self._clock() - self._had <= self._options.jwks_stale

    def ask(self) -> Awaitable[None] | None:
        """A fetch that runs or begins; None where the last one is too recent."""
        if self._task is None or self._task.done():
            if self._clock() - self._began < self._options.jwks_interval:
                return None
            self._began = self._clock()
            self._task = asyncio.create_task(self._fetch())
        return asyncio.shield(self._task)

    async def keep(self) -> None:
        """Fetch again and again, until cancelled; sooner after a failure."""
        options = self._options
        while True:
            asked = self.ask()
            if asked is not None:
                await asked
            await asyncio.sleep(options.jwks_refresh if self.certain else options.jwks_interval)

    async def aclose(self) -> None:
        """End a fetch that runs; those who wait for it are let go."""
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait((self._task,))

    async def _fetch(self) -> None:
        try:
            raw = await self._get()
            keys = from_jwks(orjson.loads(raw))
            if not keys:
                raise ValueError("holds no key that verifies anything")
        except (aiohttp.ClientError, OSError, ValueError) as error:
            self.certain = False
            self._meter.count("jwks_fetches", outcome="failed")
            structlog.get_logger().warning("the issuer's keys could not be had", why=_why(error))
            return
        self.certain, self._had = True, self._clock()
        self._meter.count("jwks_fetches", outcome="fetched")
        if raw != self._raw:  # what the old keys verified is forgotten only for new ones
            self._raw = raw
            self._use(keys)

    async def _get(self) -> bytes:
        timeout = aiohttp.ClientTimeout(total=TIMEOUT)
        async with self._session().get(
            self._options.jwks_url,
            headers={"Accept": "application/json"},
            allow_redirects=False,
            timeout=timeout,
            ssl=self._options.tls.context(),
        ) as response:
            if response.status != 200:
                raise ValueError(f"the issuer answered {response.status}")
            body = bytearray()
            async for piece in response.content.iter_chunked(16 * 1024):
                body += piece
                if len(body) > MAX_BYTES:
                    raise ValueError(f"the answer exceeds {MAX_BYTES} bytes")
            return bytes(body)


def _why(error: Exception) -> str:
    """One line without addresses."""
    plain = isinstance(error, ValueError) and not isinstance(error, orjson.JSONDecodeError)
    return str(error) if plain else type(error).__name__
