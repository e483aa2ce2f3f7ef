"""`GET /openapi.json`: what is served over HTTP, as OpenAPI 3.1, from the routes in force.

Decides how the document is worded; which routes there are is the configuration's. WebSockets are
no part of OpenAPI, so the document names their paths nowhere. An event stream that goes on for ever
is marked `x-stream: true`, for tools that wait for the end of an answer.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from starlette.requests import Request
from starlette.responses import Response

from bridge.endpoint.answers import answer
from bridge.endpoint.auth_options import DEFAULT, AuthOptions
from bridge.endpoint.openapi_auth import CHALLENGED, TICKET_SCHEMA, desks, schemes, secured
from bridge.endpoint.relay_request import RelayOptions
from bridge.wire.names import MAX_LENGTH, PATTERN, fields
from bridge.wire.routes import PATTERNS, RouteOptions, converters, plain

Json = dict[str, Any]

_STREAM = "text/event-stream"
_NAMED_BY = ("channel", "fileId", "projectId", "userId")
_REFUSALS: Mapping[int, str] = {
    400: "The request is not one, or the backend calls it none.",
    401: "No good credential, here or at the backend.",
    403: "This client, or a page of this origin, may not.",
    404: "No such channel.",
    408: "The body did not arrive in time.",
    410: "The channel is gone.",
    413: "The body is too large.",
    415: "The backend does not take this type.",
    422: "Text that is not UTF-8.",
    426: "The backend asks for another protocol.",
    429: "Try again later.",
    500: "The backend failed.",
    501: "The backend takes no messages.",
    502: "The backend is away or broke off.",
    503: "The bridge is stopping, or cannot judge credentials now.",
}
_STREAM_REFUSALS = (400, 401, 403, 404, 408, 410, 413, 415, 422, 426, 429, 500, 502, 503)
_UPLINK_REFUSALS = (*_STREAM_REFUSALS, 501)


class OpenApi:
    """The endpoint of the document, which is made once.

    Args:
        routes: where channels are served.
        relays: streams that are opened by POST.
        auths: `[auth]` and `[[auths]]`.
    """

    def __init__(
        self,
        routes: Sequence[RouteOptions],
        relays: Sequence[RelayOptions],
        auths: Sequence[AuthOptions],
    ) -> None:
        self._document = document(routes, relays, auths)

    async def __call__(self, _: Request) -> Response:
        """The document."""
        return answer(200, self._document)


def document(
    routes: Sequence[RouteOptions],
    relays: Sequence[RelayOptions],
    auths: Sequence[AuthOptions] = (AuthOptions(),),
) -> Json:
    """The whole document.

    Args:
        routes: where channels are served.
        relays: streams that are opened by POST.
        auths: `[auth]` and `[[auths]]`.
    """
    guards = {options.name: options for options in auths}
    paths: dict[str, Json] = _fixed(guards[""])
    for path, options in desks(auths):
        paths[path] = {"post": secured(_desk(path), options, but=("ticket",))}
    for relay in relays:
        named = "" if relay.auth == DEFAULT else relay.auth
        paths[relay.path] = _guarded(_relay(relay), guards[named] if relay.auth else None)
    for route in routes:
        for path in route.sse_paths:
            paths.setdefault(plain(path), _guarded(_channel(route, path), guards[route.auth]))
    return {
        "openapi": "3.1.0",
        "info": {"title": "ws2sse", "version": "1", "summary": "Realtime channels over HTTP."},
        "paths": paths,
        "components": {"schemas": _schemas(), "securitySchemes": schemes(auths)},
    }


def _guarded(operations: Json, options: AuthOptions | None) -> Json:
    return {method: secured(each, options) for method, each in operations.items()}


def _schemas() -> Json:
    code, reason = {"type": "string", "minLength": 1}, {"type": "string"}
    refusal = {"code": code, "reason": reason, "reconnect": {"type": "boolean"}}
    hint = {"wire": {"enum": ["ws", "sse"]}, "ttl": {"type": "integer"}, "reason": reason}
    paths = {wire: {"type": ["string", "null"]} for wire in ("ws", "sse")}
    return {
        "Refusal": _object(refusal, required=("code", "reason")),
        "Accepted": _object({"accepted": {"const": True}}),
        "Health": _object({"healthy": {"const": True}}),
        "Readiness": _object(
            {
                "ready": {"type": "boolean"},
                "channels": {"type": "object", "additionalProperties": {"type": "integer"}},
                "readers": {"type": "integer"},
            }
        ),
        "Event": _object(
            {
                "data": {"type": "string"},
                "event": {"type": "string"},
                "id": {"type": "string"},
                "retry": {"type": "integer", "minimum": 0},
            },
            required=("data",),
        ),
        "Hint": _object({"channel": _name(), **hint, **paths}),
        "Ticket": TICKET_SCHEMA,
    }


def _object(properties: Json, required: Sequence[str] = ()) -> Json:
    return {
        "type": "object",
        "properties": properties,
        "required": list(required or properties),
    }


def _fixed(auth: AuthOptions) -> dict[str, Json]:
    """What every bridge serves; `auth` guards the hint."""
    text = {"text/plain": {"schema": {"type": "string"}}}
    ready = {200: _json("Ready.", "Readiness"), 503: _json("Stopping.", "Readiness")}
    refused = (403, 404) if auth.mode == "none" else (401, 403, 404, 503)
    hint = {200: _json("The wire to use.", "Hint"), **_refusals(refused)}
    hinted = _operation("transport", "Which wire to use", hint, [_in_path("channel", _name())])
    any_object = {"application/json": {"schema": {"type": "object"}}}
    return {
        "/healthz": _read("health", "Whether the process answers", {200: _json("Yes.", "Health")}),
        "/readyz": _read("readiness", "Whether clients are let in", ready),
        "/metrics": _read("metrics", "Counts, for Prometheus", {200: _content("Counts.", text)}),
        "/openapi.json": _read("openapi", "This document", {200: _content("OpenAPI.", any_object)}),
        "/api/v1/transport/{channel}": {"get": secured(hinted, auth)},
    }


def _read(name: str, summary: str, responses: Mapping[int, Json]) -> Json:
    return {"get": _operation(name, summary, responses)}


def _desk(path: str) -> Json:
    """Where tickets are had; the body does not matter."""
    answers = {201: _json("A ticket, which serves once.", "Ticket")}
    answers |= _refusals((400, 401, 403, 404, 503))
    named = [_in_query("channel", {"type": "string"})]
    identity = path.removeprefix("/api/v1/").replace("/", ".")
    return _operation(identity, "A ticket for a client without headers", answers, named)


def _channel(route: RouteOptions, path: str) -> Json:
    """One channel family's path: GET, HEAD and POST."""
    named = [
        _in_path(name, _value(route.channel, name, kind)) for name, kind in converters(path).items()
    ]
    if not route.channel:
        # any text: only the first that is there counts, and what it may be depends on the others
        named = [_in_query(name, {"type": "string"}) for name in _NAMED_BY]
    place = [
        _in_query("last_event_id", {"type": "string"}),
        {"name": "Last-Event-ID", "in": "header", "schema": {"type": "string"}},
    ]
    complete = {204: {"description": "The channel is complete."}}
    stream = {200: _events()} | complete | _refusals(_STREAM_REFUSALS)
    sent = {202: _json("The backend has it.", "Accepted")} | _refusals(_UPLINK_REFUSALS)
    identity = plain(path).strip("/").replace("/", ".").replace("{", "").replace("}", "")
    reading = _operation(f"read.{identity}", "Read a channel", stream, [*named, *place])
    asking = _operation(f"ask.{identity}", "A stream's headers", stream, [*named, *place])
    sending = _operation(f"send.{identity}", "Send to the backend", sent, named)
    return {"get": reading | {"x-stream": True}, "head": asking, "post": sending | _body()}


def _body() -> Json:
    kinds = {
        "application/json": {"schema": {}},
        "text/plain": {"schema": {"type": "string"}},
        "application/octet-stream": {"schema": {"type": "string", "format": "binary"}},
    }
    return {"requestBody": {"content": kinds}}


def _relay(relay: RelayOptions) -> Json:
    """A relay's answers are its backend's, whatever those are."""
    named = [_in_path(name, _value("", name, "str")) for name in fields(relay.path)]
    answers = {"default": {"description": "What the backend answers."}, 200: _events()}
    identity = relay.path.strip("/").replace("/", ".").replace("{", "").replace("}", "")
    opened = _operation(f"open.{identity}", "Open a stream", answers, named) | {"x-stream": True}
    made: Json = {"post": opened | _body()}
    if relay.get:
        data = _in_query("data", {"type": "string"})
        asked = _operation(f"ask.{identity}", "Open a stream", answers, [*named, data])
        made["get"] = asked | {"x-stream": True}
    return made


def _operation(
    name: str, summary: str, responses: Mapping[Any, Json], parameters: Sequence[Json] = ()
) -> Json:
    return {
        "operationId": name,
        "summary": summary,
        "parameters": list(parameters),
        "responses": {str(status): told for status, told in responses.items()},
    }


def _in_path(name: str, schema: Json) -> Json:
    return {"name": name, "in": "path", "required": True, "schema": schema}


def _in_query(name: str, schema: Json) -> Json:
    return {"name": name, "in": "query", "schema": schema}


def _name() -> Json:
    """A channel's name."""
    return {"type": "string", "pattern": f"^{PATTERN}$", "minLength": 1, "maxLength": MAX_LENGTH}


def _value(channel: str, name: str, converter: str) -> Json:
    """A field of a path, by the channel's template over those fields."""
    if channel == f"{{{name}}}":
        return _name()
    return {"type": "string", "pattern": f"^{PATTERNS[converter]}$"}


def _content(description: str, content: Json) -> Json:
    return {"description": description, "content": content}


def _json(description: str, schema: str) -> Json:
    return _content(description, {"application/json": {"schema": _schema(schema)}})


def _schema(name: str) -> Json:
    return {"$ref": f"#/components/schemas/{name}"}


def _events() -> Json:
    """The schema is that of one event, which is how tools read one for an endless answer."""
    return _content("An event stream.", {_STREAM: {"schema": _schema("Event")}})


def _refusals(statuses: Sequence[int]) -> dict[int, Json]:
    told = {status: _json(_REFUSALS[status], "Refusal") for status in statuses}
    if 401 in told:
        told[401]["headers"] = CHALLENGED
    return told
