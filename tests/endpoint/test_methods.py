"""One URL, several methods: on the application's own routes, over a real server."""

import pytest

from tests.endpoint.parts import EVENTS, Method, ask, bridging

FORMS = "/api/v1/transport/project.1"


@pytest.mark.parametrize("method", ["DELETE", "PUT"])
async def test_a_method_that_a_stream_does_not_know_is_405_with_those_that_it_does(
    method: Method, errors: list[str]
) -> None:
    async with bridging() as running:
        refused = await ask(running.authority, method, EVENTS)
    assert refused.status == 405
    assert refused.headers["Allow"] == "GET, HEAD, POST, OPTIONS"
    assert refused.json["code"] == "method"


async def test_options_says_which_methods_there_are(errors: list[str]) -> None:
    async with bridging() as running:
        said = await ask(running.authority, "OPTIONS", EVENTS)
    assert (said.status, said.body) == (204, b"")
    assert said.headers["Allow"] == "GET, HEAD, POST, OPTIONS"


async def test_a_hint_is_read_only(errors: list[str]) -> None:
    async with bridging() as running:
        assert (await ask(running.authority, "POST", FORMS)).status == 405
        assert (await ask(running.authority, "HEAD", FORMS)).status == 200


async def test_probes_are_read_only(errors: list[str]) -> None:
    async with bridging() as running:
        assert (await ask(running.authority, "POST", "/healthz")).status == 405
