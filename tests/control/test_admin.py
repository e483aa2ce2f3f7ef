"""Who is let in to the admin routes."""

from base64 import b64encode

import httpx
import pytest
from starlette.responses import PlainTextResponse

from bridge.control.admin import AdminOptions, Guard

TOKEN = "a-long-enough-token"


def basic(text: bytes) -> str:
    return f"Basic {b64encode(text).decode()}"


async def status(credential: str | None) -> int:
    app = Guard(TOKEN, PlainTextResponse("inside"))
    headers = {} if credential is None else {b"Authorization": credential.encode()}
    async with httpx.AsyncClient(transport=httpx.ASGITransport(app), base_url="http://h") as client:
        answer = await client.get("/", headers=headers)
    assert (answer.text == "inside") == (answer.status_code == 200)
    return answer.status_code


@pytest.mark.parametrize(
    "credential", [f"Bearer {TOKEN}", f"bearer {TOKEN}", basic(f"anyone:{TOKEN}".encode())]
)
async def test_who_brings_the_token_is_let_in(credential: str) -> None:
    assert await status(credential) == 200


@pytest.mark.parametrize(
    "credential",
    [
        None,
        "",
        TOKEN,
        "Bearer",
        f"Bearer {TOKEN}x",
        f"Bearer {TOKEN[:-1]}",
        "Bearer é",
        basic(TOKEN.encode()),
        basic(b"anyone:"),
        basic(b"\xff:\xff"),
        "Basic ?",
        f"Digest {TOKEN}",
    ],
)
async def test_nobody_else_is(credential: str | None) -> None:
    assert await status(credential) == 401


def test_a_token_that_could_be_guessed_is_refused() -> None:
    with pytest.raises(ValueError, match="16 characters"):
        AdminOptions("secret")
    assert TOKEN not in repr(AdminOptions(TOKEN))


@pytest.mark.parametrize(
    "token", ["a-long-enough-tökén", "a long enough token", "a-long-enough\n-token"]
)
def test_a_token_is_what_a_header_can_carry(token: str) -> None:
    with pytest.raises(ValueError, match="no header carries"):
        AdminOptions(token)
