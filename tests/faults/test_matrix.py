"""The fault matrix: whatever breaks where, nothing is doubled or out of order, and holes are told.

The count of cells is printed at the end of the run, with the reason for each that cannot be.
"""

import pytest

from tests.faults.bench import run_cells, run_drain
from tests.faults.cells import (
    KINDS,
    Audience,
    Cell,
    Link,
    Memory,
    Setting,
    Where,
    cells,
    possible,
    reasons,
    settings,
)
from tests.faults.conftest import Held


@pytest.mark.parametrize("setting", settings(), ids=str)
async def test_every_cell_holds(setting: Setting, held: Held) -> None:
    playable = possible(setting)
    draining = [cell for cell in playable if cell.where is Where.DRAIN]
    found = await run_cells(setting, [cell for cell in playable if cell not in draining])
    found += await run_drain(setting, draining)
    assert not found, f"{len(found)} faults in {len(playable)} cells\n" + "\n".join(found)
    held.add(len(playable))


def test_every_combination_is_played_out_or_left_out_for_a_reason() -> None:
    everything = [cell for setting in settings() for cell in cells(setting)]
    assert len(set(everything)) == len(settings()) * len(Audience) * len(KINDS) * len(Where)
    played = sum(len(possible(setting)) for setting in settings())
    assert played + reasons(settings()).total() == len(everything)
    assert played > 1000


@pytest.mark.parametrize("where", Where)
def test_every_place_is_met_on_both_links_and_all_wires(where: Where) -> None:
    met = {
        (cell.setting.link, cell.setting.source, cell.audience)
        for setting in settings()
        for cell in possible(setting)
        if cell.where is where
    }
    wanted = {
        (link, source, audience)
        for link in Link
        for source in ("ws", "sse")
        for audience in (Audience.SSE, Audience.WS)
    }
    assert met >= wanted


@pytest.mark.parametrize("memory", Memory)
def test_no_fault_is_left_out_for_a_backend_but_repetition(memory: Memory) -> None:
    left = [
        cell.kind
        for setting in settings()
        if setting.memory is memory and setting.link is Link.BACKEND
        for cell in cells(setting)
        if cell.impossible() and cell.where is not Where.REPLAY
    ]
    assert set(left) == {"repeat"}


def test_a_cell_says_in_one_line_what_it_is() -> None:
    setting = Setting(Link.CLIENT, "sse", Memory.REPLAY, fast=False)
    cell = Cell(setting, Audience.WS, KINDS[1], Where.CR_LF)
    assert str(cell) == "client link, sse replay, stepped, to ws: reset between CR and LF"
