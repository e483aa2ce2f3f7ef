"""The Autobahn fuzzing client finds nothing in our WebSocket server that plain uvicorn lacks.

The suite runs on Python 2 alone. Where `wstest` is not installed this is skipped, and said so;
it is not one of the peers that a continuous integration must have, since Debian has no Python 2.
"""

import json
import shutil
from pathlib import Path

import anyio
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket
from websockets.asyncio.server import ServerConnection, serve

from bridge.config import UpstreamOptions
from bridge.upstream.ws import WsOptions
from tests.support.bridges import bridging
from tests.support.servers import serving

WSTEST = shutil.which("wstest")
CASES = ["1.*", "2.*", "3.*", "4.*", "5.*", "6.*", "7.*", "9.1.*", "9.2.*", "10.*"]
PASSED = {"OK", "NON-STRICT", "INFORMATIONAL"}

pytestmark = [
    pytest.mark.skipif(WSTEST is None, reason="no Autobahn fuzzing client (wstest, on Python 2)"),
    pytest.mark.timeout(1200),
]


async def _echo(websocket: WebSocket) -> None:
    await websocket.accept()
    while (message := await websocket.receive())["type"] == "websocket.receive":
        if message.get("text") is not None:
            await websocket.send_text(message["text"])
        else:
            await websocket.send_bytes(message["bytes"])


async def _echo_back(connection: ServerConnection) -> None:
    async for message in connection:
        await connection.send(message)


async def _failures(servers: dict[str, str], folder: Path) -> dict[str, set[str]]:
    """The cases that each server failed, by its name."""
    spec = folder / "fuzzingclient.json"
    agents = [{"agent": name, "url": url} for name, url in servers.items()]
    spec.write_text(
        json.dumps({"outdir": str(folder / "reports"), "servers": agents, "cases": CASES})
    )
    await anyio.run_process([str(WSTEST), "-m", "fuzzingclient", "-s", str(spec)])
    index = json.loads((folder / "reports" / "index.json").read_text())
    return {
        name: {case for case, result in index[name].items() if result["behavior"] not in PASSED}
        for name in servers
    }


async def test_no_case_fails_that_plain_uvicorn_passes(tmp_path: Path) -> None:
    plain = Starlette(routes=[WebSocketRoute("/", _echo)])
    limit = 2**25
    async with (
        serving(plain, ws_max_size=limit) as uvicorn,
        serve(_echo_back, "127.0.0.1", 0, max_size=limit) as echo,
    ):
        port = next(iter(echo.sockets)).getsockname()[1]
        options = WsOptions(
            f"ws://127.0.0.1:{port}/{{channel}}",
            subscribe="",
            acknowledgement={},
            pings={},
            max_frame_bytes=limit,
        )
        async with bridging(UpstreamOptions(ws=options)) as bridge:
            path = f"ws://{bridge.authority}/api/v1/ws/project.1"
            failed = await _failures({"uvicorn": f"ws://{uvicorn}/", "ws2sse": path}, tmp_path)
    assert failed["ws2sse"] <= failed["uvicorn"]
