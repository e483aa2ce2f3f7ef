"""`bridge.demo.script`: what the emulated backend says of a render."""

from typing import Any

import orjson

from bridge.demo import script


def _frames(number: int) -> list[dict[str, Any]]:
    return [orjson.loads(step.text) for step in script.render(number)]


def test_a_render_tells_its_task_its_progress_its_file_its_result_and_its_end() -> None:
    frames = _frames(1)
    kinds = [frame["type"] for frame in frames if frame["type"] != "render_progress"]
    assert kinds == ["task", "file", "render_result", "data", "task"]
    progress = [frame["object"]["progress"] for frame in frames if "progress" in frame["object"]]
    assert progress == list(range(0, 101, 10))
    assert [frames[0]["object"]["status"], frames[-1]["object"]["status"]] == [
        "in_progress",
        "completed",
    ]


def test_a_render_takes_about_eight_seconds() -> None:
    assert 7 < sum(step.delay for step in script.render(1)) < 9


def test_frames_have_the_two_members_of_the_legacy_envelope_and_no_others() -> None:
    assert all(list(frame) == ["type", "object"] for frame in _frames(7))


def test_no_two_renders_say_the_same() -> None:
    texts = [step.text for number in range(1, 9) for step in script.render(number)]
    assert len(set(texts)) == len(texts)


def test_some_payloads_are_not_ascii() -> None:
    assert not all(step.text.isascii() for step in script.render(1))


def test_a_result_carries_its_picture_with_it() -> None:
    url = script.file(1)["url"]
    assert url.startswith("data:image/svg+xml,%3Csvg")
    assert not set(url) & set(' "<>#')


def test_a_superseded_render_ends_in_error() -> None:
    task = orjson.loads(script.superseded(4))["object"]
    assert (task["id"], task["status"]) == ("r4", "error")
