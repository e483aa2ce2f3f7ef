"""A browser's own WebSocket and EventSource, on a page of the bridge's origin."""

from dataclasses import dataclass
from typing import Any, Self

from playwright.async_api import Page

_SCRIPT = """
() => {
  window.told = {message: [], named: [], states: []};
  window.openSource = (path) => {
    const source = window.source = new EventSource(path);
    source.onmessage = (event) => told.message.push({data: event.data, id: event.lastEventId});
    source.onerror = () => told.states.push(source.readyState);
    for (const name of ["bridge.gap", "bridge.ping", "bridge.end", "bridge.binary"]) {
      source.addEventListener(name, (event) =>
        told.named.push({name, data: event.data, id: event.lastEventId}));
    }
    return new Promise((resolve) => { source.onopen = () => resolve(); });
  };
  window.openSocket = (path) => {
    const socket = window.socket = new WebSocket(`ws://${location.host}${path}`);
    socket.binaryType = "arraybuffer";
    socket.onmessage = ({data}) => told.message.push({
      data: typeof data === "string" ? data : `${data.byteLength} bytes`, id: ""});
    socket.onclose = ({code}) => told.states.push(code);
    return new Promise((resolve) => { socket.onopen = () => resolve(); });
  };
}
"""


@dataclass(frozen=True, slots=True)
class Named:
    """An event that the page heard by its name."""

    name: str
    data: str
    id: str


class Tab:
    """A page that opens one stream and writes down what its handlers are called with.

    Args:
        page: any page.
        authority: the bridge, whose `/healthz` is the page: so nothing is cross-origin.
    """

    def __init__(self, page: Page, authority: str) -> None:
        self._page, self._authority = page, authority

    async def __aenter__(self) -> Self:
        await self._page.goto(f"http://{self._authority}/healthz")
        await self._page.evaluate(_SCRIPT)
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.close()

    async def close(self) -> None:
        """Close what is open: it would keep the bridge from stopping."""
        await self._page.evaluate("() => { window.source?.close(); window.socket?.close(); }")

    async def open_source(self, path: str) -> None:
        """Open an EventSource; returns once it is open."""
        await self._page.evaluate("path => openSource(path)", path)

    async def open_socket(self, path: str) -> None:
        """Open a WebSocket; returns once it is open."""
        await self._page.evaluate("path => openSocket(path)", path)

    async def say(self, text: str) -> None:
        """Send a frame by the WebSocket."""
        await self._page.evaluate("text => socket.send(text)", text)

    async def wait_messages(self, count: int) -> list[str]:
        """What `onmessage` was given, once that is at least `count` times."""
        await self._page.wait_for_function(f"told.message.length >= {count}", timeout=15_000)
        return [each["data"] for each in await self._told("message")]

    async def wait_named(self, name: str, place: str = "") -> Named:
        """The first event of this name, once there is one; of those at `place`, where given."""
        wanted = "([name, id]) => told.named.some((e) => e.name === name && (!id || e.id === id))"
        await self._page.wait_for_function(wanted, arg=[name, place], timeout=15_000)
        return next(
            each for each in await self.named() if each.name == name and place in ("", each.id)
        )

    async def wait_state(self) -> int:
        """The last state or close code that an error or close handler saw, once there is one."""
        await self._page.wait_for_function("told.states.length", timeout=15_000)
        return int((await self.states())[-1])

    async def named(self) -> list[Named]:
        """Every event of the bridge's own."""
        return [Named(**each) for each in await self._told("named")]

    async def ids(self) -> list[str]:
        """`lastEventId` of each message."""
        return [each["id"] for each in await self._told("message")]

    async def states(self) -> list[int]:
        """`readyState` at each error of the EventSource: 0 comes back by itself, 2 never."""
        return list(await self._told("states"))

    async def _told(self, what: str) -> list[Any]:
        return list(await self._page.evaluate("what => told[what]", what))
