"""The settings of a legacy dialect, with the defaults that real clients expect.

Decides which settings are possible; `wire.dialect` decides by them.
"""

from __future__ import annotations

from collections import Counter
from dataclasses import dataclass, field
from typing import Literal

from bridge.wire.endings import APPLICATION_CODES, TABLE
from bridge.wire.members import DEFAULT_MEMBERS, Members
from bridge.wire.template import check

NAME_SAMPLES = {"channel": "project.42", "kind": "project", "id": "42"}
GAP_SAMPLES = {"old": "e-1", "new": "e-9", "lost": "8", "reason": "trimmed"}
ERROR_SAMPLES = {"code": "4404", "name": "not-found", "reason": "no such channel"}

_TEMPLATES = {
    "subscribed": NAME_SAMPLES,
    "unsubscribed": NAME_SAMPLES,
    "welcome": NAME_SAMPLES,
    "gap": GAP_SAMPLES,
    "error": ERROR_SAMPLES,
    "json_pong": {},
    "text_pong": {},
    "server_ping": {},
    "auth_ok": {},
}
_CHOICES = {
    "unknown": ("forward", "ignore"),
    "uplink_refused": ("close", "frame", "ignore"),
    "reject": ("before", "after"),
    "deliver": ("connect", "subscribe"),
    "transient": ("close", "cut"),
}
_SENDABLE = frozenset({*range(1000, 1004), *range(1007, 1015), *APPLICATION_CODES} - {1010})


@dataclass(frozen=True, slots=True)
class DialectOptions:
    r"""How legacy WebSocket clients speak (`[dialect]`).

    Words are matched exactly. An empty list of words turns that kind of frame off, so that such a
    frame is like any other; an empty text says nothing. Texts may be JSON or plain, and may hold
    the fields that are named here; values in them are escaped for JSON quotes.

    Attributes:
        discriminators: the members that may say what a JSON frame is; the first that holds text.
        by_key: whether a frame without such a member is known by a key, as in
            `{"subscribe": {"kind": "pods", "namespace": "n"}}`.
        nested: members whose own members count too, as in `{"type": "subscribe", "data": {...}}`.
        channels: channel templates over members, in order; the first that can be filled wins,
            and a frame that fills none means the socket's own channel.
        subscribe: the words of subscribe frames.
        unsubscribe: the words of unsubscribe frames.
        subscribed: the acknowledgement, with `{channel}`, `{kind}` and `{id}`; clients count a
            project as connected on a frame of type `subscribe` alone.
        unsubscribed: as `subscribed`, for unsubscribe frames.
        resume_field: the member of subscribe frames that holds the client's place.
        welcome: what an accepted client is told first, with the fields of `subscribed`.
        json_ping: the words of JSON pings.
        json_pong: the answer to those.
        text_ping: pings of bare text.
        text_pong: the answer to those.
        pong: the words, JSON or bare, of pongs, which are ignored.
        server_ping: what the bridge sends as an application's ping.
        server_ping_interval: seconds between those.
        auth: the words of frames that authenticate.
        auth_token: the member of those that holds the token.
        auth_ok: what is said once a token is accepted.
        unknown: what becomes of all other frames: `forward` to the backend, or `ignore`.
        gap: what a client is told of a hole, with `{old}`, `{new}`, `{lost}` (a number or
            `null`) and `{reason}`.
        uplink_refused: what a refused frame leads to: `close`, an error `frame`, or `ignore`.
        error: that error frame, with `{code}` (the close code), `{name}` (of the ending) and
            `{reason}`.
        close_codes: other close codes for endings, such as `unauthorized = 4001`.
        reject: whether a socket is refused `before` it is accepted, by an HTTP status, or
            `after`, by a close code that browsers can read.
        deliver: whether the path's channel is delivered from `connect` on, or only once the client
            has sent a `subscribe` frame.
        transient: how a socket ends whose client should come back: by `close` with a code, or
            `cut` without a close frame, for clients that come back only where `wasClean` is false.
        subprotocols: offered subprotocols that are echoed. Never list one that is a token.

    Raises:
        ValueError: a setting cannot be used.
    """

    discriminators: tuple[str, ...] = ("type", "action")
    by_key: bool = True
    nested: tuple[str, ...] = ("data", "payload")
    channels: tuple[str, ...] = DEFAULT_MEMBERS
    subscribe: tuple[str, ...] = ("subscribe",)
    unsubscribe: tuple[str, ...] = ("unsubscribe",)
    subscribed: str = '{"type":"subscribe","projectId":"{channel}"}'
    unsubscribed: str = ""
    resume_field: str = "last_event_id"
    welcome: str = ""
    json_ping: tuple[str, ...] = ("ping",)
    json_pong: str = '{"type":"pong"}'
    text_ping: tuple[str, ...] = ("ping", "heartbeat")
    text_pong: str = '{"type":"pong"}'
    pong: tuple[str, ...] = ("pong",)
    server_ping: str = ""
    server_ping_interval: float = 30.0
    auth: tuple[str, ...] = ()
    auth_token: str = "token"  # noqa: S105 - the name of a member
    auth_ok: str = '{"type":"auth_ok"}'
    unknown: Literal["forward", "ignore"] = "forward"
    gap: str = ""
    uplink_refused: Literal["close", "frame", "ignore"] = "close"
    error: str = '{"type":"error","error":"{reason}","code":{code}}'
    close_codes: dict[str, int] = field(default_factory=dict)
    reject: Literal["before", "after"] = "before"
    deliver: Literal["connect", "subscribe"] = "connect"
    transient: Literal["close", "cut"] = "close"
    subprotocols: tuple[str, ...] = ("bearer",)

    def __post_init__(self) -> None:
        Members(self.channels)
        for name, choices in _CHOICES.items():
            if getattr(self, name) not in choices:
                raise ValueError(f"{name} is {getattr(self, name)!r}; use {' or '.join(choices)}")
        for name, samples in _TEMPLATES.items():
            _check_template(name, getattr(self, name), samples)
        self._check_words()
        self._check_codes()
        if not 0 < self.server_ping_interval < float("inf"):
            raise ValueError("server_ping_interval must be a number of seconds above 0")
        if self.uplink_refused == "frame" and not self.error:
            raise ValueError('uplink_refused is "frame", but error says nothing; give it a text')

    def _check_words(self) -> None:
        words = Counter(
            word
            for group in (self.subscribe, self.unsubscribe, self.json_ping, self.pong, self.auth)
            for word in set(group)
        )
        for word, count in words.items():
            if count > 1:
                raise ValueError(f"the word {word!r} has two meanings; list it in one place")
        for word in set(self.text_ping) & set(self.pong):
            raise ValueError(f"the word {word!r} is both a ping and a pong; list it in one place")

    def _check_codes(self) -> None:
        known = {ending.name for ending in TABLE}
        for name, code in self.close_codes.items():
            if name not in known:
                raise ValueError(
                    f"close_codes: {name!r} is no ending; use {', '.join(sorted(known))}"
                )
            if code not in _SENDABLE:
                raise ValueError(f"close_codes: {code} for {name} cannot be sent; use 3000 to 4999")


def _check_template(name: str, text: str, samples: dict[str, str]) -> None:
    try:
        check(text, samples)
    except ValueError as fault:
        raise ValueError(f"{name}: {fault}") from None
