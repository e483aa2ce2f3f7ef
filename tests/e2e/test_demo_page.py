"""The demonstration's page in a real browser: the same on both sides, whatever is done to it."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import anyio
import pytest
from playwright.async_api import Page, expect

from bridge.demo import script
from bridge.demo.compare import Heard, Wire
from bridge.demo.run import Addresses, Demo, DemoOptions
from bridge.settings.model import Source

EVENTS = len(script.render(1))


def _alike(text: str) -> list[str]:
    return [f"{wire} {text} same" for wire in ("ws", "sse")]


class Silent:
    """A screen that shows nothing."""

    def __init__(self) -> None:
        self.greeted = anyio.Event()
        self.page = ""

    def greet(self, addresses: Addresses) -> None:
        self.page = addresses.page
        self.greeted.set()

    def note(self, text: str) -> None:
        pass

    def live(self, newest: Heard, arrived: frozenset[Wire], render: int) -> None:
        pass


@asynccontextmanager
async def demonstrating(
    page: Page, *, speed: float = 12.0, source: Source = "sse"
) -> AsyncIterator[None]:
    """Run the demonstration, with its page open, for the length of the block."""
    screen = Silent()
    demo = Demo(DemoOptions(0, source, clients=False, speed=speed), screen, away=0.3)
    complaints: list[str] = []
    page.on("pageerror", lambda error: complaints.append(str(error)))
    async with anyio.create_task_group() as tasks:
        tasks.start_soon(demo.run)
        await screen.greeted.wait()
        await page.goto(f"{screen.page}?away=300")
        for wire in ("ws", "sse"):
            await expect(page.locator(f"#{wire} .state")).to_have_text("connected")
        yield
        demo.stop()
    assert complaints == []


async def _rows(page: Page, wire: str) -> list[dict[str, Any]]:
    """The messages that a pane shows, oldest first."""
    rows: list[dict[str, Any]] = await page.locator(f"#{wire} .events li:not(.note)").evaluate_all(
        "rows => rows.map(row => ({...row.dataset, same: row.lastChild.dataset.state}))"
    )
    return rows[::-1]


async def _settled(page: Page, render: int) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Both panes' messages up to the end of a render, without those that only one could get."""
    found = []
    last = f'"status":"completed","id":"r{render}"'
    for wire in ("ws", "sse"):
        await expect(page.locator(f"#{wire} li[data-text*='{last}']")).to_be_visible()
    for wire in ("ws", "sse"):
        rows = [row for row in await _rows(page, wire) if row["same"] != "alone"]
        ends = [at for at, row in enumerate(rows) if last in row["text"]]
        found.append(rows[: ends[0] + 1])
    return found[0], found[1]


async def test_both_panes_show_the_same_events(page: Page) -> None:
    async with demonstrating(page):
        ws, sse = await _settled(page, 2)
        assert [row["text"] for row in ws] == [row["text"] for row in sse]
        assert {row["same"] for row in ws + sse} == {"same"}
        assert len(sse) > EVENTS
        places = [int(row["id"].rpartition("-")[2]) for row in sse]
        assert places == list(range(places[0], places[0] + len(sse)))
        await expect(page.locator("#verdict")).to_have_attribute("data-state", "same")
        await expect(page.locator("#ws img")).to_be_visible()


async def test_a_dropped_event_source_resumes_without_loss(page: Page) -> None:
    async with demonstrating(page):
        await expect(page.locator("#sse .events li")).not_to_have_count(0)
        await page.locator("#drop").click()
        await expect(page.locator("#sse .note.bad")).to_contain_text("dropped after")
        note = page.locator("#sse .note.good")
        await expect(note).to_contain_text("replayed, none lost")
        count = (await note.inner_text()).split()[1]
        await expect(page.locator("#sse .replayed")).to_have_count(int(count))
        ws, sse = await _settled(page, 2)
        assert [row["text"] for row in ws] == [row["text"] for row in sse]
        assert {row["same"] for row in ws + sse} == {"same"}


@pytest.mark.parametrize(
    ("source", "told"), [("sse", "all is caught up"), ("legacy", "bridge.gap")]
)
async def test_a_backend_that_restarts_disconnects_nobody(
    page: Page, source: Source, told: str
) -> None:
    async with demonstrating(page, source=source):
        await expect(page.locator("#sse .events li")).not_to_have_count(0)
        await page.locator("#restart").click()
        await expect(page.locator("#sse .note", has_text=told)).to_be_visible()
        for wire in ("ws", "sse"):
            await expect(page.locator(f"#{wire} .state")).to_have_text("connected")
        await expect(page.locator("#verdict")).to_have_attribute("data-state", "same")


PAIRED = """async steps => {
  const {Pairing} = await import("/demo/pairing.js");
  const told = [];
  const pairing = new Pairing((message, state) => told.push(`${message.name} ${state}`));
  for (const step of steps) {
    if (step === "join") pairing.join();
    else pairing.take(step.split(" ")[0], {text: step.split(" ")[1], name: step});
  }
  return told;
}"""


@pytest.mark.parametrize(
    ("steps", "told"),
    [
        (["ws a", "sse a"], ["ws a same", "sse a same"]),
        (["ws a", "sse a", "sse b", "ws c"], [*_alike("a"), "ws c different", "sse b different"]),
        (["sse a", "ws b", "sse b"], ["sse a alone", *_alike("b")]),
        (["ws b", "sse a", "sse b"], ["sse a alone", *_alike("b")]),
        (
            ["ws a", "sse a", "join", "sse b", "ws d", "sse c", "sse d"],
            [*_alike("a"), "sse b alone", "sse c alone", *_alike("d")],
        ),
        (
            [f"{wire} {wire}{n}" for n in range(50) for wire in ("ws", "sse")],
            [f"{wire} {wire}{n} different" for n in range(50) for wire in ("ws", "sse")],
        ),
    ],
)
async def test_messages_are_paired_one_by_one(
    page: Page, steps: list[str], told: list[str]
) -> None:
    async with demonstrating(page, speed=0.1):
        assert await page.evaluate(PAIRED, steps) == told


async def test_a_frame_of_the_websocket_starts_a_new_render(page: Page) -> None:
    async with demonstrating(page, speed=0.1):
        await page.locator("#send").click()
        for wire in ("ws", "sse"):
            await expect(page.locator(f"#{wire} .what")).to_have_text("Render 2")
