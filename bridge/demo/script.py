"""What an emulated backend says of one render, word for word, and when.

Decides the payloads and the pauses before them; never waits and never sends. The shapes are those
of real generation backends: `{"type", "object"}`, progress from 0 to 100, a file, its result.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any
from urllib.parse import quote

import orjson

CHANNEL = "project.demo"
SUBSCRIPTION = '{"type":"subscribe","projectId":"project.demo"}'
"""What legacy clients say on every opening."""

ACKNOWLEDGEMENT = '{"type":"subscribe","projectId":"project.demo"}'
PAUSE = 2.0
"""Seconds between two renders."""

_PROJECT = "demo"
_SCENES = ("Fjord in first snow ❄", "Скалы на рассвете", "Λίμνη το σούρουπο", "Forêt en août")
"""Beyond ASCII, so that byte for byte says something."""

_PICTURE = (
    "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 160 90'>"
    "<rect width='160' height='90' fill='hsl({sky} 65% 74%)'/>"
    "<circle cx='{sun}' cy='30' r='13' fill='hsl(48 95% 88%)'/>"
    "<path d='M0 62 40 40 84 66 120 46 160 60V90H0Z' fill='hsl({sky} 32% 46%)'/>"
    "<path d='M0 78 50 60 110 80 160 64V90H0Z' fill='hsl({sky} 42% 24%)'/></svg>"
)


@dataclass(frozen=True, slots=True)
class Step:
    """One message of the backend.

    Attributes:
        delay: seconds since the message before.
        text: the payload.
    """

    delay: float
    text: str


def render(number: int) -> tuple[Step, ...]:
    """All that is said of the render with this number, in about eight seconds."""
    progress = [
        Step(
            0.55 if value else 0.3,
            _said("render_progress", {"id": f"r{number}", "progress": value}),
        )
        for value in range(0, 101, 10)
    ]
    return (
        Step(0.0, _said("task", task(number, "in_progress"))),
        *progress,
        Step(0.9, _said("file", file(number))),
        Step(0.25, _said("render_result", file(number))),
        Step(0.25, _said("data", _storyboard(number))),
        Step(0.25, _said("task", task(number, "completed"))),
    )


def superseded(number: int) -> str:
    """What is said of a render that a newer one cuts short."""
    return _said("task", task(number, "error"))


def task(number: int, status: str) -> dict[str, Any]:
    """The `object` of a `task` message; statuses are in_progress, completed and error."""
    return {
        "type": "image-generation-flow",
        "status": status,
        "id": f"r{number}",
        "file_id": f"f{number}",
        "project_id": _PROJECT,
    }


def file(number: int) -> dict[str, Any]:
    """The file that a render makes: a small picture, as a `data:` URL."""
    sky = 200 + number * 47
    picture = _PICTURE.format(sky=sky % 360, sun=30 + number * 37 % 100)
    return {
        "id": f"f{number}",
        "name": _scene(number),
        "type": "image",
        "url": f"data:image/svg+xml,{quote(picture)}",
        "thumbnail_url": None,
        "duration": None,
        "tasks": [],
    }


def _storyboard(number: int) -> dict[str, Any]:
    value = {"scenes": [{"order": number, "prompt": _scene(number)}]}
    return {"id": f"d{number}", "project_id": _PROJECT, "type": "storyboard", "value": value}


def _scene(number: int) -> str:
    return _SCENES[number % len(_SCENES)]


def _said(kind: str, content: dict[str, Any]) -> str:
    return orjson.dumps({"type": kind, "object": content}).decode()
