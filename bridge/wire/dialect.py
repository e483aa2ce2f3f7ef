"""The legacy dialect: what a client's frame means, and what the bridge itself says.

Decides by `DialectOptions`, from one frame at a time; keeps no state, sends nothing, and leaves
aliases, rights and limits to others. No source of a legacy server was found: by default events
flow from the first moment, a subscribe frame is acknowledged, and a client gets no foreign frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

from bridge.errors import InvalidChannel
from bridge.wire.dialect_options import DialectOptions
from bridge.wire.endings import BAD_REQUEST, NOT_FOUND, UNAUTHORIZED, Ending
from bridge.wire.frame import Frame
from bridge.wire.meaning import (
    Authenticate,
    Command,
    Ignore,
    Meaning,
    Refuse,
    Reply,
    Subscribe,
    Unsubscribe,
)
from bridge.wire.members import Members
from bridge.wire.names import ChannelName
from bridge.wire.template import fill

__all__ = [
    "Authenticate",
    "Command",
    "Dialect",
    "DialectOptions",
    "Ignore",
    "Meaning",
    "Refuse",
    "Reply",
    "Subscribe",
    "Unsubscribe",
]

_LONGEST_WORD = 64
"""Longer texts are no bare ping; they need not be stripped and compared."""

_Body = dict[str, Any]
_Reader = Callable[[_Body, ChannelName | None], Meaning]


class Dialect:
    """Reads clients' frames and writes the bridge's own.

    Attributes:
        options: the settings; `reject`, `uplink_refused` and `server_ping_interval` are the
            endpoint's to obey.
    """

    __slots__ = ("_members", "_readers", "_texts", "options")

    def __init__(self, options: DialectOptions | None = None) -> None:
        self.options = options = options or DialectOptions()
        self._members = Members(options.channels)
        self._readers: dict[str, _Reader] = {
            **dict.fromkeys(options.subscribe, self._subscribe),
            **dict.fromkeys(options.unsubscribe, self._unsubscribe),
            **dict.fromkeys(options.json_ping, lambda *_: _pong(options.json_pong)),
            **dict.fromkeys(options.pong, lambda *_: Ignore("pong")),
            **dict.fromkeys(options.auth, self._authenticate),
        }
        self._texts: dict[str, Meaning] = {
            **dict.fromkeys(options.text_ping, _pong(options.text_pong)),
            **dict.fromkeys(options.pong, Ignore("pong")),
        }

    # What a client says.

    def read(self, frame: Frame, name: ChannelName | None) -> Meaning:
        """What a frame means.

        Args:
            frame: as it came; binary ones are never the bridge's business.
            name: the socket's own channel, None where its path named none.
        """
        if not isinstance(frame.raw, str):
            return self._unknown(frame)
        if len(frame.raw) <= _LONGEST_WORD and (meaning := self._texts.get(frame.raw.strip())):
            return meaning
        members = frame.parse()
        if not isinstance(members, dict):
            return self._unknown(frame)
        word, body = self._discriminate(members)
        reader = self._readers.get(word)
        return reader(body, name) if reader else self._unknown(frame)

    def _discriminate(self, members: _Body) -> tuple[str, _Body]:
        """The word that says what a frame is, empty where there is none, and all its members."""
        for discriminator in self.options.discriminators:
            word = members.get(discriminator)
            if isinstance(word, str):
                return word, self._flattened(members)
        if self.options.by_key:
            for key in (*self.options.subscribe, *self.options.unsubscribe):
                if key in members:
                    return key, members | _as_members(members[key])
        return "", members

    def _flattened(self, members: _Body) -> _Body:
        """Nested members beside the outer ones; the outer ones win."""
        for key in self.options.nested:
            inner = members.get(key)
            if isinstance(inner, dict):
                members = inner | members
        return members

    def _subscribe(self, body: _Body, name: ChannelName | None) -> Meaning:
        names = self._names(body, name)
        if isinstance(names, Refuse):
            return names
        reply = _said(self.options.subscribed, _name_values(names))
        return Subscribe(names, reply, _place(body.get(self.options.resume_field)))

    def _unsubscribe(self, body: _Body, name: ChannelName | None) -> Meaning:
        names = self._names(body, name)
        if isinstance(names, Refuse):
            return names
        return Unsubscribe(names, _said(self.options.unsubscribed, _name_values(names)))

    def _names(self, body: _Body, name: ChannelName | None) -> tuple[ChannelName, ...] | Refuse:
        try:
            names = self._members.names(body)
        except InvalidChannel as fault:
            return Refuse(NOT_FOUND, str(fault))
        if names or name:
            return names or (name,) if name else names
        return Refuse(BAD_REQUEST, "the frame names no channel, and neither does the socket")

    def _authenticate(self, body: _Body, _: ChannelName | None) -> Meaning:
        token = body.get(self.options.auth_token)
        if not isinstance(token, str) or not token:
            return Refuse(UNAUTHORIZED, "the frame holds no token")
        return Authenticate(token, self.options.auth_ok or None)

    def _unknown(self, frame: Frame) -> Meaning:
        return Command(frame) if self.options.unknown == "forward" else Ignore("unknown")

    # What the bridge says.

    def welcome(self, name: ChannelName | None) -> str | None:
        """The first frame of an accepted client, or None. Without a channel, fields are empty."""
        if not self.options.welcome:  # nearly always, and asked for each client
            return None
        return fill(self.options.welcome, _name_values((name,) if name else ()))

    def acknowledge(self, name: ChannelName) -> str | None:
        """The acknowledgement of one subscription, or None."""
        return _said(self.options.subscribed, _name_values((name,)))

    def gap(
        self, *, old: str | None = None, new: str = "", lost: int | None = None, reason: str = ""
    ) -> str | None:
        """What to tell of a hole, or None.

        Args:
            old: the client's written place; None where it is unknown.
            new: the place where the stream goes on; empty where that is not told.
            lost: how many events are missing; None where that is unknown.
            reason: one line.
        """
        count = "null" if lost is None else str(lost)
        values = {"old": old or "", "new": new, "lost": count, "reason": reason}
        return _said(self.options.gap, values)

    def error(self, ending: Ending, reason: str) -> str | None:
        """The error frame of a refused frame, or None where refusals are told otherwise."""
        if self.options.uplink_refused != "frame":
            return None
        code = str(self.close_code(ending))
        return _said(self.options.error, {"code": code, "name": ending.name, "reason": reason})

    def close_code(self, ending: Ending) -> int:
        """The code to close with; one that may stand in a close frame."""
        return self.options.close_codes.get(ending.name, ending.sendable)

    def subprotocol(self, offered: Sequence[str]) -> str | None:
        """The offered subprotocol to echo (browsers fail without one), or None."""
        return next((each for each in offered if each in self.options.subprotocols), None)

    @property
    def server_ping(self) -> str | None:
        """The application's ping to send each `server_ping_interval` seconds, or None."""
        return self.options.server_ping or None


def _pong(text: str) -> Meaning:
    return Reply(text) if text else Ignore("ping")


def _said(template: str, values: dict[str, str]) -> str | None:
    return fill(template, values) if template else None


def _name_values(names: Sequence[ChannelName]) -> dict[str, str]:
    """The fields of a template; several names stand side by side, with commas."""
    return {
        "channel": ",".join(name.text for name in names),
        "kind": ",".join(name.kind for name in names),
        "id": ",".join(name.id for name in names),
    }


def _as_members(value: object) -> _Body:
    """What a keyed frame holds: `{"subscribe": "test"}` means the channel `test`."""
    if isinstance(value, dict):
        return value
    return {} if isinstance(value, bool) else {"channel": value}


def _place(value: object) -> str | None:
    if isinstance(value, str | int | float) and not isinstance(value, bool):
        return str(value) or None
    return None
