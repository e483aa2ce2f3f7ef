"""The guards of one bridge, made from its configuration.

Decides which mode serves which table, and reads what keys are in files. Keys that are published
are fetched for as long as the bridge runs.
"""

from __future__ import annotations

import asyncio
import secrets
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from hashlib import blake2b
from pathlib import Path

import aiohttp

from bridge.endpoint.auth import Guard
from bridge.endpoint.auth_options import AuthOptions
from bridge.endpoint.forward import ByBackend
from bridge.endpoint.judges import Anyone, ByCredential, ByToken, Judge
from bridge.endpoint.jwks import PublishedKeys
from bridge.endpoint.jwt_options import JwtOptions
from bridge.endpoint.keys import Key, from_pem, shared
from bridge.endpoint.origin import BrowserOptions, Origins
from bridge.endpoint.tickets import Tickets
from bridge.endpoint.tokens import Tokens
from bridge.errors import ConfigError
from bridge.seams import Meter

Clock = Callable[[], float]

_TICKET_BYTES = 24
_NAME_BYTES = 16


class Guards:
    """All guards, by the name that a route gives.

    Args:
        options: `[auth]` and `[[auths]]`.
        browsers: the origins.
        meter: counts.
        clock: the wheel's.
        wall: seconds since 1970.
        session: gives the HTTP client, once the bridge runs.

    Attributes:
        by_name: the guards.
        open: lets in everyone but foreign pages, for what leaves the rest to a backend.

    Raises:
        ConfigError: a key file cannot be used.
    """

    def __init__(
        self,
        options: Sequence[AuthOptions],
        browsers: BrowserOptions,
        meter: Meter,
        *,
        clock: Clock,
        wall: Clock,
        session: Callable[[], aiohttp.ClientSession],
    ) -> None:
        self._meter, self._clock, self._wall, self._session = meter, clock, wall, session
        self._secret = secrets.token_bytes(32)
        self._published: list[PublishedKeys] = []
        self._keeping: list[asyncio.Task[None]] = []
        origins = Origins(browsers.origins)
        self.open = Guard(origins=origins, meter=meter)
        self.by_name: Mapping[str, Guard] = {
            each.name: Guard(each, self._judge(each), origins, meter, self._tickets(each))
            for each in options
        }

    def named(self, text: str) -> str:
        """Stands for a principal or a credential: equal for equal ones, telling nothing of them.

        It is another one in each process, for its key is. Empty for the empty text.
        """
        if not text:
            return ""
        return blake2b(text.encode(), digest_size=_NAME_BYTES, key=self._secret).hexdigest()

    def start(self) -> None:
        """Begin to fetch published keys."""
        self._keeping = [asyncio.create_task(keys.keep()) for keys in self._published]

    async def aclose(self) -> None:
        """Fetch no more."""
        for task in self._keeping:
            task.cancel()
        for task in self._keeping:
            with suppress(asyncio.CancelledError):
                await task
        for keys in self._published:
            await keys.aclose()

    def _tickets(self, options: AuthOptions) -> Tickets | None:
        if options.mode == "none" or "ticket" not in options.ways:
            return None
        return Tickets(
            options.tickets,
            self._clock,
            lambda: secrets.token_urlsafe(_TICKET_BYTES),
            self._meter,
        )

    def _judge(self, options: AuthOptions) -> Judge:
        if options.mode == "jwt" and options.jwt:
            return self._by_token(options.jwt)
        if options.mode == "forward" and options.forward:
            return ByBackend(
                options.forward,
                self._session,
                self.named,
                self._meter,
                clock=self._clock,
                wall=self._wall,
            )
        if options.mode == "passthrough":
            return ByCredential(self.named, options.passthrough)
        return Anyone()

    def _by_token(self, options: JwtOptions) -> ByToken:
        tokens = Tokens(options, self.named, self._clock, self._wall)
        if not options.jwks_url:
            tokens.use(configured_keys(options))
            return ByToken(tokens)
        published = PublishedKeys(options, self._session, tokens.use, self._meter, self._clock)
        self._published.append(published)
        return ByToken(tokens, published)


def configured_keys(options: JwtOptions) -> list[Key]:
    """The keys that the configuration holds or names.

    Raises:
        ConfigError: a file cannot be read, or holds no key that may be used.
    """
    if options.secret:
        return [shared(options.secret)]
    return [_from_file(name, options.algorithms) for name in options.key_files]


def _from_file(name: str, algorithms: Sequence[str]) -> Key:
    try:
        key = from_pem(Path(name).read_bytes())
    except OSError as error:
        raise ConfigError(
            "auth.jwt.key_files", f"{name} cannot be read: {error.strerror}"
        ) from None
    except ValueError as error:
        raise ConfigError("auth.jwt.key_files", f"{name} {error}") from None
    if not key.serves & set(algorithms):
        raise ConfigError(
            "auth.jwt.key_files", f"{name} holds a key that verifies none of algorithms"
        )
    return key
