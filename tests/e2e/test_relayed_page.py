"""A page that opens its stream by POST gets each piece as the backend says it."""

from playwright.async_api import Page

from bridge.config import UpstreamOptions
from bridge.endpoint.relay_request import RelayOptions
from tests.support.bridges import bridging
from tests.support.relays import StepBackend
from tests.support.waiting import until

_OPEN = """
async (body) => {
  const answer = await fetch("/v2/echat", {method: "POST", body});
  window.reader = answer.body.getReader();
  return [answer.status, answer.headers.get("content-type")];
}
"""
_READ = """
async () => {
  const {value, done} = await reader.read();
  return done ? null : new TextDecoder().decode(value);
}
"""
BODY = '{"contents":[{"text":"снег ❄"}],"stream":true}'


async def test_each_chunk_is_read_before_the_backend_says_the_next(page: Page) -> None:
    backend = StepBackend()
    async with backend.running() as url:
        relay = RelayOptions("/v2/echat", f"{url}/v2/echat")
        async with bridging(UpstreamOptions(), relays=(relay,)) as bridge:
            await page.goto(f"http://{bridge.authority}/healthz")
            status, kind = await page.evaluate(_OPEN, BODY)
            assert (status, kind.partition(";")[0]) == (200, "text/event-stream")
            for piece in ('data: {"candidates":["🤖"]}\r\n\r\n', ": ping\n\n", "data: [DONE]\n\n"):
                backend.say(piece.encode())
                assert await page.evaluate(_READ) == piece
            backend.finish()
            assert await page.evaluate(_READ) is None
    assert backend.calls[0].body == BODY.encode()


async def test_a_page_that_closes_aborts_the_backends_work(page: Page) -> None:
    backend = StepBackend()
    async with backend.running() as url:
        relay = RelayOptions("/v2/echat", f"{url}/v2/echat")
        async with bridging(UpstreamOptions(), relays=(relay,)) as bridge:
            await page.goto(f"http://{bridge.authority}/healthz")
            await page.evaluate(_OPEN, BODY)
            backend.say(b"data: 1\n\n")
            await page.evaluate(_READ)
            await page.close()
            await until(lambda: backend.left == 1)
