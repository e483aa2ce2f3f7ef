"""Which wire plays what of a recording, and when."""

import math
from collections.abc import Sequence
from pathlib import Path

import pytest
from anyio import create_task_group

from bridge.errors import NotARecording
from bridge.parity.observation import Mark, Observation, Side, Sight, Turn, Wire
from bridge.parity.recording import Header
from bridge.verify.faults import Fault, plan
from bridge.verify.files import RecordingFile
from bridge.verify.player import Contents, Player, PlayOptions
from tests.support.waiting import until

MAX = PlayOptions(math.inf)
BOTH: list[Sight] = [
    Mark(Side.LEGACY, "c", 0.0, Turn.OPENED),
    Observation(Side.LEGACY, "c", "old 1", 0.1),
    Observation(Side.CANDIDATE, "c", "new 1", 0.2, "sse", "named", "x7"),
    Observation(Side.CONTROL, "c", "old 1", 0.3),
    Observation(Side.LEGACY, "c", "old 2", 0.4),
]


def recording(path: Path, sights: Sequence[Sight] = BOTH, header: Header | None = None) -> Path:
    header = header or Header("", ("c",), {"legacy": "ws", "candidate": "sse", "control": "ws"})
    with RecordingFile(path / "a.ndjson", header, replace=True) as file:
        for sight in sights:
            file.add(sight)
    return path / "a.ndjson"


async def played(player: Player) -> dict[Wire, list[tuple[str | bytes, str, str]]]:
    """Data, type and id of what clients of both wires get that are there from the start."""
    found: dict[Wire, list[tuple[str | bytes, str, str]]] = {"ws": [], "sse": []}

    async def follow(wire: Wire) -> None:
        track = player.track(wire, "c")
        assert track is not None
        async for batch in track.follow():
            found[wire] += [(each.data, each.type, each.id) for each in batch]

    async with create_task_group() as tasks:
        tasks.start_soon(follow, "ws")
        tasks.start_soon(follow, "sse")
        await until(lambda: all(player.track(w, "c")._followers for w in found))  # type: ignore[union-attr]
        await player.play()
    return found


async def test_each_wire_plays_its_own_side(tmp_path: Path) -> None:
    player = Player(recording(tmp_path), MAX)
    assert await played(player) == {
        "ws": [("old 1", "message", "1"), ("old 2", "message", "2")],
        "sse": [("new 1", "named", "x7")],
    }
    assert player.played.messages == {"ws": 2, "sse": 1}


async def test_one_side_is_played_on_both_wires(tmp_path: Path) -> None:
    only = [each for each in BOTH if each.side is Side.LEGACY]
    found = await played(
        Player(recording(tmp_path, only, Header("", ("c",), {"legacy": "ws"})), MAX)
    )
    assert found["ws"] == found["sse"] == [("old 1", "message", "1"), ("old 2", "message", "2")]


async def test_a_side_may_be_chosen(tmp_path: Path) -> None:
    found = await played(Player(recording(tmp_path), PlayOptions(math.inf, Side.CANDIDATE)))
    assert found["ws"] == [("new 1", "message", "1")]
    assert found["sse"] == [("new 1", "named", "x7")]


async def test_faults_befall_the_chosen_wire(tmp_path: Path) -> None:
    options = PlayOptions(math.inf, Side.LEGACY, (plan("drop:1"),), frozenset({"sse"}))
    player = Player(recording(tmp_path), options)
    found = await played(player)
    assert [data for data, _, _ in found["ws"]] == ["old 1", "old 2"]
    assert found["sse"] == []
    assert player.played.faults == {"ws": {}, "sse": {Fault.DROP: 2}}


async def test_what_a_recording_holds_is_seen_without_its_header(tmp_path: Path) -> None:
    contents = Contents.of(recording(tmp_path, BOTH, Header()))
    assert contents == Contents(frozenset({"c"}), frozenset(Side))
    assert Player(recording(tmp_path), MAX).track("ws", "other") is None


async def test_trouble_with_the_file_is_noted(tmp_path: Path) -> None:
    path = recording(tmp_path)
    path.write_bytes(path.read_bytes()[:-5])
    player = Player(path, MAX)
    await played(player)
    assert player.played.notes == ("a.ndjson:6: a half-written line",)


def test_a_speed_of_nothing_is_refused() -> None:
    with pytest.raises(ValueError, match="speed must be more than 0"):
        PlayOptions(0)


@pytest.mark.parametrize("has_header", [False, True])
def test_what_holds_nothing_is_not_played(has_header: bool, tmp_path: Path) -> None:
    path = recording(tmp_path, (), Header())
    if not has_header:
        path.write_bytes(b"")
    with pytest.raises(NotARecording, match="holds no messages"):
        Player(path, PlayOptions())
