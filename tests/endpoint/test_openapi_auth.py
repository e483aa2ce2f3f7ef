"""What the OpenAPI document says of credentials is what the guards in force ask for."""

from typing import Any

import pytest
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from bridge.endpoint.auth_options import AuthOptions
from bridge.endpoint.openapi import document
from bridge.endpoint.relay_request import RelayOptions
from bridge.wire.routes import RouteOptions
from tests.endpoint.parts import ask
from tests.endpoint.test_auth import guarding
from tests.support.issuers import by_token

OTHER = AuthOptions(name="other", mode="passthrough", ways=("cookie", "frame", "query"), query="t")
ROUTES = (
    RouteOptions("", "/one/{id:int}", channel="project.{id}"),
    RouteOptions("", "/two/{id:int}", channel="project.{id}", auth="other"),
)
RELAYS = (
    RelayOptions("/open", "http://backend/open"),
    RelayOptions("/closed", "http://backend/closed", auth="default"),
)


def _made(auth: AuthOptions) -> dict[str, Any]:
    made = document(ROUTES, RELAYS, (auth, OTHER))
    OPENAPI_31_VALIDATOR.validate(made)
    return made


def _asked(made: dict[str, Any], path: str, method: str) -> set[str]:
    return {name for each in made["paths"][path][method].get("security", ()) for name in each}


def test_each_operation_names_the_ways_of_its_own_guard() -> None:
    made = _made(by_token())
    assert _asked(made, "/one/{id}", "get") == {"default.ticket", "default.header"}
    assert _asked(made, "/two/{id}", "post") == {"other.query", "other.cookie"}
    assert _asked(made, "/closed", "post") == {"default.ticket", "default.header"}
    assert _asked(made, "/api/v1/transport/{channel}", "get") == {
        "default.ticket",
        "default.header",
    }
    for path in ("/open", "/healthz", "/metrics"):
        assert not [each for each in made["paths"][path].values() if "security" in each]
    assert made["components"]["securitySchemes"] == {
        "default.ticket": {"type": "apiKey", "in": "query", "name": "ticket"},
        "default.header": {"type": "http", "scheme": "bearer"},
        "other.query": {"type": "apiKey", "in": "query", "name": "t"},
        "other.cookie": {"type": "apiKey", "in": "cookie", "name": "token"},
    }


def test_a_ticket_is_had_by_any_way_but_a_ticket() -> None:
    made = _made(by_token())
    assert _asked(made, "/api/v1/tickets", "post") == {"default.header"}
    assert {"201", "401", "403", "503"} <= made["paths"]["/api/v1/tickets"]["post"][
        "responses"
    ].keys()
    assert "/api/v1/tickets/other" not in made["paths"]


def test_a_bridge_that_lets_anyone_in_asks_for_nothing_and_has_no_tickets() -> None:
    made = document(ROUTES[:1], RELAYS, (AuthOptions(),))
    assert made["components"]["securitySchemes"] == {}
    assert not [path for path in made["paths"] if "tickets" in path]
    assert "401" not in made["paths"]["/api/v1/transport/{channel}"]["get"]["responses"]


@pytest.mark.parametrize("path", ["/api/v1/transport/project.1", "/api/v1/events/project.1"])
async def test_a_401_says_what_is_documented(path: str) -> None:
    async with guarding() as (running, _):
        told = (await ask(running.authority, "GET", "/openapi.json")).json
        answer = await ask(running.authority, "GET", path)
    documented = told["paths"][path.replace("project.1", "{channel}")]["get"]["responses"]["401"]
    assert answer.status == 401
    challenge = documented["headers"]["WWW-Authenticate"]["schema"]["const"]
    assert answer.headers["WWW-Authenticate"] == challenge
