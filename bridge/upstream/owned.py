"""A backend's options for requests that go out by a client's own credential.

Decides that it goes wherever the bridge's own would: into streams, frames, polls and their URLs.
"""

from __future__ import annotations

from dataclasses import replace
from typing import Any, TypeVar

from bridge.upstream.poll import PollOptions
from bridge.upstream.sse import SseOptions
from bridge.upstream.ws import WsOptions
from bridge.wire.credential import OwnCredential

Target = TypeVar("Target", SseOptions, WsOptions, PollOptions)


def owned(options: Target, own: OwnCredential | None) -> Target:
    """The options with a client's credential in place of the bridge's; as they are without one."""
    if own is None:
        return options
    places: dict[str, Any] = {"url": own.url(options.url), "headers": own.headers(options.headers)}
    if isinstance(options, SseOptions):
        places["send_url"] = own.url(options.send_url)
    return replace(options, **places)
