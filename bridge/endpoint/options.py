"""How clients are treated, on either wire (`[client]`).

Decides which settings are possible; the endpoints decide by them.
"""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class ClientOptions:
    """How sessions are treated, on either wire.

    Attributes:
        heartbeat: seconds of silence after which an SSE client gets `bridge.ping`.
        ping: seconds between the protocol pings to a WebSocket client; one that says nothing
            from one to the next is dropped. 0 sends none.
        send_timeout: seconds that one send may take before the session is ended as too slow.
        retry: reconnection time told to EventSource clients, in milliseconds; 0 tells none.
        batch: the most events in one send.
        max_frame_bytes: the largest client frame or POST body.
        uplink_queue: frames of one WebSocket client that may wait for the backend.
        max_subscriptions: channels that one WebSocket client may hold.
        deflate: whether WebSocket messages are compressed for clients that offer it (RFC 7692).
            Each is compressed once for all, without context; it costs more than most networks.
        fast_path: whether connections are taken over from the web server where it offers them.
    """

    heartbeat: float = 15.0
    ping: float = 20.0
    send_timeout: float = 10.0
    retry: int = 0
    batch: int = 256
    max_frame_bytes: int = 16 * 1024 * 1024
    uplink_queue: int = 64
    max_subscriptions: int = 64
    deflate: bool = False
    fast_path: bool = True

    def __post_init__(self) -> None:
        for name in (
            "heartbeat",
            "send_timeout",
            "batch",
            "max_frame_bytes",
            "uplink_queue",
            "max_subscriptions",
        ):
            if not 0 < getattr(self, name) < float("inf"):
                raise ValueError(f"{name} must be more than 0")
        if not 0 <= self.ping < float("inf"):
            raise ValueError("ping must be 0 (none) or a number of seconds")
        if self.retry < 0:
            raise ValueError("retry must be 0 or more milliseconds")
