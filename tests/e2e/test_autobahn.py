"""The Autobahn fuzzing client finds nothing in our WebSocket server that plain uvicorn lacks.

The suite runs on Python 2 alone. Where `wstest` is not installed this is skipped, and said so;
it is not one of the peers that a continuous integration must have, since Debian has no Python 2.
"""

import json
import shutil
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import anyio
import pytest
from starlette.applications import Starlette
from starlette.routing import WebSocketRoute
from starlette.websockets import WebSocket

from bridge.app import create_app
from bridge.assembly import Bridge
from bridge.config import Config, UpstreamOptions
from bridge.endpoint.options import ClientOptions
from bridge.endpoint.takeover import protocols
from bridge.hub.channel import Channel
from bridge.upstream.ws import WsOptions
from bridge.wire.dialect import DialectOptions
from bridge.wire.endings import Ending
from bridge.wire.event import Event
from bridge.wire.frame import Frame
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


@dataclass
class EchoLead:
    """An upstream that says at once what it is told, so that the server alone is on trial."""

    channel: Channel
    resumable: bool = False

    def start(self) -> None:
        self.channel.opened()

    def stop(self) -> None:
        pass

    async def send(self, frame: Frame) -> Ending | None:
        self.channel.publish([Event(frame.raw)])
        return None


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
    limit = 2**25
    plain = Starlette(routes=[WebSocketRoute("/", _echo)])
    dialect = DialectOptions(subscribe=(), unsubscribe=(), json_ping=(), text_ping=(), pong=())
    nowhere = UpstreamOptions(ws=WsOptions("ws://127.0.0.1:9/{channel}"))
    client = ClientOptions(max_frame_bytes=limit)
    config = Config(upstream=nowhere, dialect=dialect, client=client)
    app = create_app(config, Bridge(config, EchoLead))
    server: dict[str, Any] = {"ws_max_size": limit, "ws_per_message_deflate": False}
    server |= protocols()
    async with (
        serving(plain, ws_max_size=limit) as uvicorn,
        serving(app, **server) as bridge,
    ):
        path = f"ws://{bridge}/api/v1/ws/project.1"
        failed = await _failures({"uvicorn": f"ws://{uvicorn}/", "ws2sse": path}, tmp_path)
    assert failed["ws2sse"] <= failed["uvicorn"]
