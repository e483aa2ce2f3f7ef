"""Says what a configuration will do, before it does it: `ws2sse check`.

Decides what is worth saying and what is worth a warning; connects to nothing and shows no secret.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from urllib.parse import urlsplit

from bridge.ops.secrets import secrets_in
from bridge.settings import access
from bridge.settings.access import is_loopback
from bridge.settings.model import Config
from bridge.wire.alias import Aliases
from bridge.wire.names import ChannelName, expand, served
from bridge.wire.routes import RouteOptions, channel_of, converters, plain

PROXY_PATIENCE = 60.0
"""Seconds after which nginx, AWS and others cut a connection that says nothing."""

GRACE = 30.0
"""Seconds after which Kubernetes kills what it has asked to stop."""

_SAMPLES = {"int": "42", "uuid": "00000000-0000-4000-8000-000000000042"}
_FIELD = re.compile(r"\{(\w+)\}")


def explain(config: Config) -> list[str]:
    """What this configuration means, a line for each point; the last is `OK`.

    Lines begin with what they are about; those that begin with `warning` deserve a look.
    """
    lines = [*_facts(config), *(f"{'warning':<10} {text}" for text in _warnings(config)), "OK"]
    return [config.mask(line) for line in lines]


def _facts(config: Config) -> Iterator[str]:
    points = (_serving, _access, _upstreams, _routes, _extras, _watching, _limits)
    for topic, text in (fact for point in points for fact in point(config)):
        yield f"{topic:<10} {text}"


Fact = tuple[str, str]


def _serving(config: Config) -> Iterator[Fact]:
    host = f"[{config.host}]" if ":" in config.host else config.host
    port = f":{config.port}" if config.port else ", on a port that the kernel chooses"
    yield "listen", f"http://{host}{port}"
    yield "channels", ", ".join(config.channels)


def _access(config: Config) -> Iterator[Fact]:
    yield from access.facts(config.all_auths, config.browsers)


def _upstreams(config: Config) -> Iterator[Fact]:
    given = {"legacy": config.upstream.ws, "sse": config.upstream.sse}
    for source, options in given.items():
        if options:
            role = "leads" if config.source == source else "stands by"
            name = "WebSocket" if source == "legacy" else "SSE"
            yield role, f"the {name} backend, {options.url}"
            yield "", f"{_patience(options.silence)}; replay is {options.replay}"
    if config.source is None:
        yield "leads", "no backend: only relays are served"
    else:
        again = config.reconnect
        yield (
            "reconnect",
            (
                f"at random within {again.base:g} s, and {again.factor:g} times as long after "
                f"each failure, up to {again.cap:g} s"
            ),
        )


def _routes(config: Config) -> Iterator[Fact]:
    for route in config.routes:
        means = route.channel or "the channel that a subscribe frame or the query names"
        yield "route", f"{', '.join(_wires(route))} -> {means}"
        example = _example(config, route)
        if example:
            yield "", f"for example {example}"
    for alias in config.aliases:
        others = [alias.to] if alias.to else []
        others += [f"else {fallback}" for fallback in alias.fallbacks]
        yield "alias", f"{alias.match} -> {', '.join(others)}"


def _wires(route: RouteOptions) -> Iterator[str]:
    if route.ws:
        yield f"WS {route.ws}"
    for path in route.sse_paths:
        yield f"SSE {path}"


def _example(config: Config, route: RouteOptions) -> str:
    """One path, the channel that it means, and where that is read; empty where it means none."""
    path = route.paths[0]
    sample = _sample(config)
    values = {
        field: sample if field == "channel" else _SAMPLES.get(kind, "42")
        for field, kind in converters(path).items()
    }
    name = channel_of(route, values)
    if name is None:
        return ""
    name = Aliases(config.aliases).canonical(name)
    shown = _FIELD.sub(lambda field: values[field[1]], plain(path))
    if not served(name, config.channels):
        return f"{shown} -> {name}, which channels does not list: not found"
    return f"{shown} -> {name}{_read_from(config, name)}"


def _read_from(config: Config, name: ChannelName) -> str:
    lead = config.upstream.ws if config.source == "legacy" else config.upstream.sse
    return f" -> {expand(lead.url, name)}" if lead else ""


def _sample(config: Config) -> str:
    """A channel that is served, `project.42` where it is."""
    usual = ChannelName("project.42")
    if served(usual, config.channels):
        return usual.text
    return re.sub(r"\[[^\]]*\]|[*?]", "42", config.channels[0])


def _watching(config: Config) -> Iterator[Fact]:
    shadow = config.shadow
    if shadow.channels:
        share = "all" if shadow.rate == 1 else f"{shadow.rate:.3g} of all"
        yield "shadow", f"compares both backends on {share} {', '.join(shadow.channels)}"
    if config.admin.token:
        yield "admin", "/admin/parity, for those who bring the token"


def _extras(config: Config) -> Iterator[Fact]:
    for poll in config.polls:
        yield "poll", f"{', '.join(poll.match)} after {poll.after:g} s without a result: {poll.url}"
    for snapshot in config.snapshots:
        yield "snapshot", f"{', '.join(snapshot.match)} on joining: {snapshot.url}"
    for relay in config.relays:
        wires = "POST, GET or WS" if relay.get else "POST or WS"
        yield "relay", f"{wires} {relay.path} -> {relay.url}"


def _limits(config: Config) -> Iterator[Fact]:
    history, hub, client = config.history, config.hub, config.client
    start = f"the last {history.start} events" if history.start else "what is new"
    yield (
        "history",
        (
            f"{history.max_events} events, {_size(history.max_bytes)} and "
            f"{history.max_age:g} s of each channel; newcomers begin with {start}"
        ),
    )
    kept = f"over a restart, in {history.path}" if history.path else "in memory alone"
    yield "", f"kept {kept}"
    yield (
        "idle",
        (
            f"a channel without clients closes its upstream after {hub.linger:g} s "
            f"and is forgotten after {hub.retain:g} s more"
        ),
    )
    yield (
        "clients",
        (
            f"heartbeat every {client.heartbeat:g} s, ended as too slow after "
            f"{client.send_timeout:g} s, frames of up to {_size(client.max_frame_bytes)}"
        ),
    )
    pace = f", {config.drain_rate:g} of them a second" if config.drain_rate else ""
    yield "stop", f"sessions get {config.drain_timeout:g} s to end{pace}"


def _patience(silence: float) -> str:
    return f"counts as dead after {silence:g} s of silence" if silence else "never counts as dead"


def _size(number: int) -> str:
    for unit, factor in (("GiB", 1 << 30), ("MiB", 1 << 20), ("KiB", 1 << 10)):
        if number >= factor:
            return f"{number / factor:.4g} {unit}"
    return f"{number} bytes"


def _warnings(config: Config) -> Iterator[str]:
    yield from access.warnings(config.all_auths, config.host)
    for setting, url in _exposed(config):
        yield f"{setting} sends credentials unencrypted; use {_encrypted(url)}"
    if config.client.heartbeat >= PROXY_PATIENCE:
        yield (
            f"client.heartbeat is {config.client.heartbeat:g} s, but proxies cut connections that "
            f"are silent for {PROXY_PATIENCE:g} s; 15 is safe"
        )
    if config.drain_timeout >= GRACE:
        yield (
            f"drain_timeout is {config.drain_timeout:g} s, but Kubernetes kills after {GRACE:g} s "
            "unless told otherwise"
        )
    yield from _replay_warnings(config)


def _replay_warnings(config: Config) -> Iterator[str]:
    for name, options in (("ws", config.upstream.ws), ("sse", config.upstream.sse)):
        if options and options.replay == "trusted":
            yield (
                f'upstream.{name}.replay is "trusted": a backend that does not replay loses '
                "events at each reconnect, and no client is told"
            )


def _exposed(config: Config) -> Iterator[Fact]:
    """Settings whose URL takes credentials over an open network, with the URL."""
    targets = {
        "upstream.ws": config.upstream.ws,
        "upstream.sse": config.upstream.sse,
        **{f"polls[{index}]": poll for index, poll in enumerate(config.polls)},
        **{f"snapshots[{index}]": each for index, each in enumerate(config.snapshots)},
        **{f"relays[{index}]": relay for index, relay in enumerate(config.relays)},
    }
    for name, target in targets.items():
        if (
            target
            and _carries_credentials(target.url, has_headers=bool(target.headers))
            and _is_open(target.url)
        ):
            yield f"{name}.url", target.url


def _carries_credentials(url: str, *, has_headers: bool) -> bool:
    return has_headers or next(secrets_in(url), None) is not None


def _is_open(url: str) -> bool:
    parts = urlsplit(url)
    return parts.scheme in {"http", "ws"} and not is_loopback(parts.hostname or "")


def _encrypted(url: str) -> str:
    return "wss://" if url.startswith("ws:") else "https://"
