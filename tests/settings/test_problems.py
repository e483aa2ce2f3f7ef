"""The words for what is wrong. The whole way from a mistake to its line is in test_config."""

from dataclasses import dataclass, field
from typing import Literal

import pytest
from pydantic import BaseModel, ConfigDict, ValidationError

from bridge.errors import ConfigError, ConfigErrors
from bridge.ops.secrets import Mask
from bridge.settings import problems
from bridge.settings.sources import Sources


@dataclass(frozen=True)
class Part:
    url: str
    words: tuple[str, ...] = ()
    map: dict[str, str] = field(default_factory=dict)
    size: int | str = 0

    def __post_init__(self) -> None:
        if self.url != "good":
            raise ValueError(f"url must be good, not {self.url}; write good")
        if self.words == ("odd",):
            raise ValueError("these words are odd")


class Root(BaseModel):
    model_config = ConfigDict(extra="forbid")

    part: Part = Part("good")
    parts: tuple[Part, ...] = ()
    mode: Literal["a", "b"] = "a"
    port: int = 1


def told(tree: dict[str, object], *secrets: str) -> list[str]:
    sources = Sources(Root, tree, {(): "f.toml"})
    with pytest.raises(ValidationError) as caught:
        Root.model_validate(tree)
    problems.note(sources, caught.value)
    return str(problems.collected(sources, Mask(secrets))).splitlines()


@pytest.mark.parametrize(
    ("tree", "line"),
    [
        ({"modes": 1}, "modes: unknown key (did you mean mode?)"),
        ({"zzzzz": 1}, "zzzzz: unknown key"),
        (
            {"part": {"url": "good", "word": []}},
            "part.word: unknown key (did you mean part.words?)",
        ),
        ({"part": {}}, "part.url: is missing"),
        ({"part": 3}, "part: must be a table"),
        ({"parts": {}}, "parts: must be a list"),
        ({"parts": [3]}, "parts[0]: must be a table"),
        ({"part": {"url": 3}}, "part.url: must be a string"),
        ({"part": {"url": "good", "map": []}}, "part.map: must be a table"),
        ({"part": {"url": "good", "map": {"k": 1}}}, "part.map.k: must be a string"),
        ({"part": {"url": "good", "size": []}}, "part.size: must be a valid integer"),
        ({"mode": "c"}, "mode: must be 'a' or 'b'"),
        ({"port": "x"}, "port: must be a valid integer"),
        ({"part": {"url": "bad"}}, "part.url: must be good, not bad (write good)"),
        ({"parts": [{"url": "good", "words": ["odd"]}]}, "parts[0]: these words are odd"),
    ],
)
def test_a_mistake_is_told_in_one_line_with_its_place(tree: dict[str, object], line: str) -> None:
    assert told(tree) == [f"f.toml: {line}"]


def test_several_mistakes_are_told_together() -> None:
    assert told({"port": "x", "mode": 3, "part": {}}) == [
        "f.toml: part.url: is missing",
        "f.toml: mode: must be 'a' or 'b'",
        "f.toml: port: must be a valid integer",
    ]


def test_secrets_are_hidden_in_what_is_told() -> None:
    assert told({"part": {"url": "s3cret"}}, "s3cret") == [
        "f.toml: part.url: must be good, not *** (write good)"
    ]


def test_what_follows_from_a_known_problem_is_not_told_again() -> None:
    sources = Sources(Root, {}, {(): "f.toml"})
    sources.blame(("part", "url"), "${X} is not set")
    with pytest.raises(ValidationError) as caught:
        Root.model_validate({"part": {"url": "${X}"}, "port": "x"})
    problems.note(sources, caught.value)
    assert [path for path, _ in sources.problems] == [("part", "url"), ("port",)]


def test_one_problem_is_an_error_by_itself_and_several_are_its_kind() -> None:
    sources = Sources(Root)
    sources.blame(("port",), "is odd", "mend it")
    assert type(problems.collected(sources, Mask())) is ConfigError
    sources.blame(("mode",), "is odd")
    both = problems.collected(sources, Mask())
    assert isinstance(both, ConfigErrors)
    assert [problem.where for problem in both.problems] == ["port", "mode"]


def test_a_suggestion_is_written_as_the_source_wants_it() -> None:
    sources = Sources(Root, {}, {("modes",): "WS2SSE_MODES"})
    with pytest.raises(ValidationError) as caught:
        Root.model_validate({"modes": 1})
    problems.note(sources, caught.value)
    assert str(sources.problems[0][1]) == "WS2SSE_MODES: unknown key (did you mean WS2SSE_MODE?)"
