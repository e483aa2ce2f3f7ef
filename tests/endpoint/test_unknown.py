"""A URL that no route knows is 404 on both wires."""

import pytest
from websockets.exceptions import InvalidStatus

from tests.endpoint.parts import ask, bridging, talking


@pytest.mark.parametrize("path", ["/", "/api/v1/other", "/api/v1/events/a/b", "/api/v1/events/"])
async def test_http_says_so_in_json(path: str, errors: list[str]) -> None:
    async with bridging() as running:
        refused = await ask(running.authority, "GET", path)
    assert refused.status == 404
    assert refused.json["code"] == "not-found"


@pytest.mark.parametrize("path", ["/", "/api/v1/other", "/api/v1/ws/a/b", "/api/v1/ws/"])
async def test_a_handshake_is_answered_likewise(path: str, errors: list[str]) -> None:
    async with bridging() as running:
        with pytest.raises(InvalidStatus) as refused:
            async with talking(running.authority, path):
                pass
    assert refused.value.response.status_code == 404
    assert b"not-found" in refused.value.response.body


async def test_a_socket_cannot_be_opened_where_streams_are(errors: list[str]) -> None:
    async with bridging() as running:
        with pytest.raises(InvalidStatus) as refused:
            async with talking(running.authority, "/api/v1/events/project.1"):
                pass
    assert refused.value.response.status_code == 404
