"""What orchestrators and scrapers are told."""

from tests.endpoint.parts import ask, bridging, streaming


async def test_a_running_bridge_is_healthy_and_ready_without_its_backend(errors: list[str]) -> None:
    async with bridging() as running:
        assert (await ask(running.authority, "GET", "/healthz")).json == {"healthy": True}
        ready = await ask(running.authority, "GET", "/readyz")
    assert ready.status == 200
    assert ready.json == {
        "ready": True,
        "channels": {"live": 0, "lingering": 0, "parked": 0},
        "readers": 0,
    }


async def test_readers_and_channels_are_counted(errors: list[str]) -> None:
    async with bridging() as running, streaming(running.authority) as stream:
        await stream.block()
        ready = await ask(running.authority, "GET", "/readyz")
    assert ready.json["readers"] == 1
    assert ready.json["channels"]["live"] == 1


async def test_a_draining_bridge_is_healthy_but_not_ready(errors: list[str]) -> None:
    async with bridging() as running:
        running.bridge.hub.drain()
        assert (await ask(running.authority, "GET", "/readyz")).status == 503
        assert (await ask(running.authority, "GET", "/healthz")).status == 200


async def test_metrics_are_exposed_as_they_are(errors: list[str]) -> None:
    async with bridging() as running, streaming(running.authority) as stream:
        await stream.block()
        page = await ask(running.authority, "GET", "/metrics")
    assert page.headers["Content-Type"].startswith("text/plain")
    assert page.headers["Cache-Control"] == "no-store"
    assert b'ws2sse_clients{wire="sse"} 1.0' in page.body
