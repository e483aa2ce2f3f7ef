"""Every exception that the bridge raises on purpose, and whose fault each one is.

    BridgeError
    ├── LocalFault                  our configuration, our caller or our client is wrong
    │   ├── ConfigError             a setting cannot be used
    │   ├── InvalidChannel          a channel name breaks the grammar or is not served here
    │   ├── InvalidField            an SSE field would inject a line
    │   └── InvalidTransition       a session was asked for a move that its table does not have
    └── RemoteFault                 a peer broke its protocol or a limit
        ├── EventTooLarge           an SSE event exceeds the configured size
        └── RelayRefused            a backend refused a relayed request

An expected end of a connection is no exception but an `Ending` (see `bridge.wire.endings`).
This module never formats secrets: callers pass names of settings, not their values.
"""

from __future__ import annotations


class BridgeError(Exception):
    """The root of the tree; catching it catches everything that the bridge raises on purpose."""


class LocalFault(BridgeError):  # noqa: N818 - a fault is not an error of ours to name twice
    """This side is wrong: a setting, a call or one of our own clients."""


class RemoteFault(BridgeError):  # noqa: N818 - as above
    """The other side is wrong: it broke its protocol or one of our limits."""


class ConfigError(LocalFault):
    """A setting that cannot be used.

    Args:
        where: what a user would look for, such as `bridge.toml: upstream.sse.url`.
        what: what is wrong with it, without secrets.
        remedy: how to mend it.
    """

    def __init__(self, where: str, what: str, remedy: str = "") -> None:
        self.where, self.what, self.remedy = where, what, remedy
        super().__init__(f"{where}: {what}" + (f" ({remedy})" if remedy else ""))


class InvalidChannel(LocalFault):
    """A channel name that breaks the grammar or that no route serves."""


class InvalidField(LocalFault):
    """An SSE `event` or `id` value holding CR, LF or NUL, which would inject lines."""


class InvalidTransition(LocalFault):
    """A session was asked for a move that its table does not have: a bug worth reporting."""


class EventTooLarge(RemoteFault):
    """An SSE event grew past the limit before it was complete.

    Args:
        limit: the configured maximum, in bytes.
    """

    def __init__(self, limit: int) -> None:
        self.limit = limit
        super().__init__(f"an event exceeds {limit} bytes")


class RelayRefused(RemoteFault):
    """A backend answered a relayed request with something other than a stream.

    Args:
        status: the backend's HTTP status.
        body: the first bytes of its answer.
    """

    def __init__(self, status: int, body: bytes = b"") -> None:
        self.status, self.body = status, body
        super().__init__(f"the backend answered {status}")
