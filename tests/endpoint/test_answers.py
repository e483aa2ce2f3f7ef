"""Plain HTTP answers: their shape, their headers, and the way to deny a handshake."""

import json
from typing import Any

import pytest
from starlette.types import Message
from starlette.websockets import WebSocket

from bridge.endpoint.answers import answer, deny, refusal
from bridge.wire.endings import COMPLETE, FORBIDDEN, NOT_FOUND, RESTART


def test_an_answer_is_one_json_line_that_no_cache_keeps() -> None:
    response = answer(202, {"accepted": True}, {"X-More": "1"})
    assert response.body == b'{"accepted":true}\n'
    assert response.headers["cache-control"] == "no-store"
    assert response.headers["content-type"] == "application/json"
    assert response.headers["x-more"] == "1"


@pytest.mark.parametrize("status", [204, 304])
def test_a_status_without_content_has_none(status: int) -> None:
    assert answer(status, {"a": 1}).body == b""


def test_a_refusal_says_code_reason_and_whether_to_come_back() -> None:
    response = refusal(NOT_FOUND, "no such channel")
    assert response.status_code == 404
    assert json.loads(bytes(response.body)) == {
        "code": "not-found",
        "reason": "no such channel",
        "reconnect": False,
    }
    assert "retry-after" not in response.headers


@pytest.mark.parametrize(("delay", "seconds"), [(0, "0"), (1, "1"), (1000, "1"), (1001, "2")])
def test_a_delay_is_rounded_up_to_whole_seconds(delay: int, seconds: str) -> None:
    assert refusal(RESTART.after(delay), "").headers["retry-after"] == seconds


def test_a_final_good_end_has_no_body() -> None:
    assert refusal(COMPLETE, "over").body == b""


async def denied(extensions: dict[str, Any]) -> list[Message]:
    sent: list[Message] = []

    async def receive() -> Message:
        return {"type": "websocket.connect"}

    async def send(message: Message) -> None:
        sent.append(message)

    scope = {"type": "websocket", "headers": [], "path": "/", "extensions": extensions}
    await deny(WebSocket(scope, receive, send), FORBIDDEN, "not yours")
    return sent


async def test_a_handshake_is_denied_with_the_status() -> None:
    start, body = await denied({"websocket.http.response": {}})
    assert start["status"] == 403
    assert json.loads(body["body"])["reason"] == "not yours"


async def test_a_server_without_such_answers_is_told_to_close() -> None:
    (closed,) = await denied({})
    assert closed["type"] == "websocket.close"
    assert closed["code"] == 4403
