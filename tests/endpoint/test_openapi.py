"""The OpenAPI document: valid, and true to the routes in force."""

import re
from typing import Any

import pytest
from jsonschema import Draft202012Validator
from schemathesis.specs.openapi.definitions import OPENAPI_31_VALIDATOR

from bridge.endpoint.openapi import document
from bridge.endpoint.relay_request import RelayOptions
from bridge.wire.routes import DEFAULT_ROUTES, RouteOptions
from tests.endpoint.parts import ask, bridging

BY_ID = RouteOptions("", "/sse/{id:int}", channel="project.{id}")
RELAY = RelayOptions("/jobs/{id}/run", "http://backend/jobs/{id}", get=True)


@pytest.mark.parametrize(
    ("routes", "relays"), [(DEFAULT_ROUTES, ()), ((BY_ID,), (RELAY,)), ((), (RELAY,)), ((), ())]
)
def test_the_document_is_valid(
    routes: tuple[RouteOptions, ...], relays: tuple[RelayOptions, ...]
) -> None:
    made = document(routes, relays)
    OPENAPI_31_VALIDATOR.validate(made)
    for schema in made["components"]["schemas"].values():
        Draft202012Validator.check_schema(schema)


def test_each_operation_has_a_name_of_its_own() -> None:
    names = [
        operation["operationId"]
        for path in document((*DEFAULT_ROUTES, BY_ID), (RELAY,))["paths"].values()
        for operation in path.values()
    ]
    assert len(names) == len(set(names))


def test_every_path_is_there_with_its_fields() -> None:
    paths = document((*DEFAULT_ROUTES, BY_ID), (RELAY,))["paths"]
    assert {"/healthz", "/readyz", "/metrics", "/openapi.json"} <= paths.keys()
    assert {"/api/v1/events/{channel}", "/api/events/{channel}", "/sse/{id}"} <= paths.keys()
    assert set(paths["/api/v1/events"]) == {"get", "head", "post"}
    assert set(paths["/jobs/{id}/run"]) == {"get", "post"}
    for path, operations in paths.items():
        for operation in operations.values():
            named = {each["name"] for each in operation["parameters"] if each["in"] == "path"}
            assert named == set(re.findall(r"\{(\w+)\}", path))


def _parameter(path: str, name: str) -> dict[str, Any]:
    found = document((*DEFAULT_ROUTES, BY_ID), ())["paths"][path]["get"]["parameters"]
    schema: dict[str, Any] = next(each["schema"] for each in found if each["name"] == name)
    return schema


def test_fields_say_what_they_look_like() -> None:
    assert re.fullmatch(_parameter("/sse/{id}", "id")["pattern"], "17")
    assert not re.fullmatch(_parameter("/sse/{id}", "id")["pattern"], "x")
    channel = _parameter("/api/v1/events/{channel}", "channel")
    assert re.fullmatch(channel["pattern"], "project.17")
    assert not re.fullmatch(channel["pattern"], "project..17")
    assert channel["maxLength"] == 200


def test_endless_answers_are_marked() -> None:
    paths = document(DEFAULT_ROUTES, (RELAY,))["paths"]
    endless = {
        (path, method)
        for path, operations in paths.items()
        for method, operation in operations.items()
        if operation.get("x-stream")
    }
    assert ("/api/v1/events/{channel}", "get") in endless
    assert ("/api/v1/events/{channel}", "head") not in endless
    assert ("/jobs/{id}/run", "post") in endless


async def test_the_bridge_serves_the_document_of_its_own_routes() -> None:
    async with bridging(routes=(BY_ID,), relays=(RELAY,)) as running:
        served = await ask(running.authority, "GET", "/openapi.json")
    assert served.status == 200
    assert served.json == document((BY_ID,), (RELAY,))
