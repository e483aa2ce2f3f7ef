"""`ws2sse contract`: draft a contract, hold a recording against one, write one as AsyncAPI.

Decides how contracts are named on the command line and what the exit status is: 1 where a
recording breaks the contract, 3 where it cannot all be read or holds no message to say so.
"""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

if TYPE_CHECKING:
    from bridge.parity.observation import Sight
    from bridge.parity.recording import Transcript

_ADDRESS = re.compile(r"(?:[^\s{}/?#]|\{\w+\})+")

contract = typer.Typer(rich_markup_mode=None)

Recording = Annotated[Path, typer.Argument(metavar="RECORDING", help="What `record` wrote.")]
Folder = Annotated[
    Path, typer.Option("--output", "-o", metavar="DIR", help="One schema a type goes here.")
]
ContractPath = Annotated[
    str,
    typer.Option(
        "--contract",
        metavar="DIR|FILE",
        help="A folder of schemas, an AsyncAPI document, or: legacy.",
    ),
]
SideName = Annotated[
    Literal["legacy", "candidate", "control"] | None,
    typer.Option("--side", help="Look at this side only."),
]
Document = Annotated[
    Path | None,
    typer.Option("--output", "-o", metavar="FILE", help="Write here, not to stdout."),
]


@contract.callback()
def _root() -> None:
    """What backends promise to send: one JSON Schema for each type of message."""


@contract.command()
def learn(recording: Recording, *, output: Folder, side: SideName = None) -> int:
    """Draft schemas from a recording: a start for people to go on from."""
    # jsonschema loads only here: the other commands start at once without it
    from bridge.parity.learning import Draft  # noqa: PLC0415
    from bridge.parity.recording import Transcript  # noqa: PLC0415
    from bridge.verify.contracts import write_contract  # noqa: PLC0415

    draft = Draft()
    for sight in _sights(recording, side, Transcript(str(recording))):
        draft.take(sight)
    found = draft.contract()
    if draft.skipped:
        _tell(f"{recording}: {draft.skipped} messages are no JSON and have no schema")
    if not found.schemas:
        _tell(f"{recording}: no message to learn from")
        return 3
    for path, kind in zip(write_contract(found, output), found.schemas, strict=True):
        print(f"{path} ({draft.counts[kind]} messages)")
    return 0


@contract.command()
def check(recording: Recording, *, contract: ContractPath = "legacy", side: SideName = None) -> int:
    """Hold a recording's messages against a contract; one line for each sort of breach."""
    from bridge.parity.breach import Checker  # noqa: PLC0415 - as above
    from bridge.parity.recording import Transcript  # noqa: PLC0415
    from bridge.verify.contracts import read_contract  # noqa: PLC0415

    checker = Checker(read_contract(contract))
    transcript = Transcript(str(recording))
    for sight in _sights(recording, side, transcript):
        checker.take(sight)
    for breach in checker.breaches():
        print(breach)
    broken = sum(breach.count for breach in checker.breaches())
    print(f"{checker.checked} messages, {broken} against the contract")
    if broken:
        return 1
    return 3 if transcript.notes() or not checker.checked else 0


@contract.command()
def asyncapi(
    *,
    contract: ContractPath = "legacy",
    channels: Annotated[
        list[str] | None,
        typer.Option("--channel", metavar="ADDRESS", help="Such as project.{id}; repeatable."),
    ] = None,
    ws: Annotated[
        str, typer.Option(metavar="URL", help="Where sockets are, without the channel.")
    ] = "wss://example.com/api/v1/ws",
    sse: Annotated[
        str, typer.Option(metavar="URL", help="Where event streams are, without the channel.")
    ] = "https://example.com/api/v1/events",
    output: Document = None,
) -> int:
    """Write a contract as an AsyncAPI 3 document, for both wires."""
    from bridge.parity.asyncapi import Description, document  # noqa: PLC0415 - as above
    from bridge.verify.contracts import pretty, read_contract, write_document  # noqa: PLC0415

    _check_addresses(channels or [], {"--ws": (ws, "ws"), "--sse": (sse, "http")})
    about = Description(tuple(channels or Description().channels), ws, sse)
    written = document(read_contract(contract), about)
    if output:
        write_document(written, output)
    else:
        print(pretty(written).decode(), end="")
    return 0


def _check_addresses(channels: list[str], servers: Mapping[str, tuple[str, str]]) -> None:
    for channel in channels:
        if not _ADDRESS.fullmatch(channel):
            raise typer.BadParameter(
                f"{channel!r} is no address; write it as project.{{id}}", param_hint="--channel"
            )
    for flag, (url, scheme) in servers.items():
        if not re.fullmatch(rf"{scheme}s?://[^\s/?#]+[^\s?#]*", url):
            said = f"{url!r} is no URL; begin it with {scheme}s:// or {scheme}://"
            raise typer.BadParameter(said, param_hint=flag)


def _sights(recording: Path, side: str | None, transcript: Transcript) -> Iterator[Sight]:
    """What a recording holds of a side; its unreadable lines are told on stderr."""
    from bridge.verify.files import sights  # noqa: PLC0415 - as above

    for sight in sights(recording, transcript):
        if side in {None, sight.side.value}:
            yield sight
    for note in transcript.notes():
        _tell(note)


def _tell(line: str) -> None:
    print(f"ws2sse: {line}", file=sys.stderr)
