"""Recordings on disk: written as they grow, read as far as they go.

Decides what reaches the disk when, and how much of a broken file is still read; what a line means
is `bridge.parity.recording`'s business. Neither way holds more than one line in memory.
"""

from __future__ import annotations

import gzip
import zlib
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager, suppress
from pathlib import Path
from types import TracebackType
from typing import IO, Self, cast

from bridge.errors import ConfigError, NotARecording
from bridge.parity.observation import Sight
from bridge.parity.recording import Header, Transcript, heading, line

PART = ".part"
"""What the name of a recording ends with until it is finished."""

LONGEST_LINE = 256 * 1024 * 1024
"""Bytes of a line that are read; what is longer counts as unreadable."""

_GZIP = b"\x1f\x8b"
_FLUSHED = zlib.Z_SYNC_FLUSH


class RecordingFile:
    """A recording that is being written; a context manager.

    Until it is closed it is called `PATH.part`, so that `PATH` never names half a recording. All
    up to the last `flush` can be read whatever becomes of the process.

    Args:
        path: where to; what ends in `.gz` is compressed.
        header: its first line.
        replace: whether a recording that is there already may go.

    Raises:
        ConfigError: the file cannot be written there, now or later.
    """

    def __init__(self, path: Path, header: Header, *, replace: bool = False) -> None:
        self._name, self._path = str(path), path.resolve()
        self._part = Path(f"{self._path}{PART}")
        self._pack = zlib.compressobj(wbits=31) if path.suffix == ".gz" else None
        self._closed = False
        self._refuse(replace)
        try:
            self._file = self._part.open("xb")
        except FileExistsError:
            said = "exists, from another recording or one that broke off"
            raise ConfigError(f"{self._name}{PART}", said, "rename or remove it") from None
        except OSError as error:
            raise self._unwritable(error) from None
        self._put(heading(header))
        self.flush()

    def _refuse(self, replace: bool) -> None:
        if self._path.is_dir():
            raise ConfigError(self._name, "cannot be written: is a directory")
        if self._path.exists() and not self._path.is_file():
            raise ConfigError(self._name, "is not an ordinary file", "choose another name")
        if self._path.exists() and not replace:
            remedy = "choose another name, or replace it by --force"
            raise ConfigError(self._name, "exists", remedy)

    def add(self, sight: Sight) -> None:
        """Write one sight."""
        self._put(line(sight))

    def flush(self) -> None:
        """Hand all that was written to the system, in a form that can be read."""
        try:
            if self._pack:
                self._file.write(self._pack.flush(_FLUSHED))
            self._file.flush()
        except OSError as error:
            raise self._broken(error) from None

    def close(self) -> None:
        """Finish the file and give it its name."""
        if self._closed:
            return
        self._closed = True
        try:
            if self._pack:
                self._file.write(self._pack.flush())
            self._file.close()
            self._part.replace(self._path)
        except OSError as error:
            raise self._broken(error) from None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, _: type[BaseException] | None, __: BaseException | None, ___: TracebackType | None
    ) -> None:
        self.close()

    def _put(self, text: bytes) -> None:
        try:
            self._file.write(self._pack.compress(text) if self._pack else text)
        except OSError as error:
            raise self._broken(error) from None

    def _unwritable(self, error: OSError, more: str = "") -> ConfigError:
        why = (error.strerror or "").lower()
        return ConfigError(self._name, f"cannot be written: {why}{more}")

    def _broken(self, error: OSError) -> ConfigError:
        """What came before stays readable under its unfinished name."""
        self._closed = True
        with suppress(OSError):
            self._file.close()
        return self._unwritable(error, f"; what came before is in {self._name}{PART}")


def sights(path: Path, transcript: Transcript) -> Iterator[Sight]:
    """What a recording holds, as far as it can be read; trouble is noted in `transcript`.

    Compressed files are known by their first bytes, not by their names.

    Raises:
        NotARecording: the file cannot be opened, or is something else.
    """
    with _opened(path) as file:
        for text in _lines(file, transcript):
            sight = transcript.take(text)
            if sight is not None:
                yield sight


def header_of(path: Path) -> Header:
    """The first line of a recording, an empty header where it has none.

    Raises:
        NotARecording: the file cannot be opened, or is something else.
    """
    transcript = Transcript(path.name)
    with _opened(path) as file:
        for text in _lines(file, transcript):
            transcript.take(text)
            break
    return transcript.header


@contextmanager
def _opened(path: Path) -> Iterator[IO[bytes]]:
    with ExitStack() as owned:
        try:
            file = owned.enter_context(path.open("rb"))
            is_packed = file.peek(2)[:2] == _GZIP  # a directory may open, and then reads nowhere
        except OSError as error:
            why = (error.strerror or "").lower()
            raise NotARecording(f"{path}: cannot be read: {why}") from None
        yield cast("IO[bytes]", gzip.GzipFile(fileobj=file, mode="rb")) if is_packed else file


def _lines(file: IO[bytes], transcript: Transcript) -> Iterator[bytes]:
    """The lines of a file up to where it ends or breaks."""
    empty = True
    try:
        while text := file.readline(LONGEST_LINE):
            empty = False
            yield text
            while len(text) == LONGEST_LINE and not text.endswith(b"\n"):
                text = file.readline(LONGEST_LINE)
    except EOFError:
        transcript.complain("the compressed file breaks off here")
    except (zlib.error, gzip.BadGzipFile, OSError):
        transcript.complain("the file is damaged from here on")
    else:
        if empty:
            transcript.complain("the file is empty")
