"""The file that logs are kept in over a restart: one SQLite database in WAL mode.

Decides the tables, what a file must be to be used, and that one process uses it at a time; never
when something is written, and nothing about what an entry means. Every call blocks, so the store
makes them on a thread of its own. `synchronous = NORMAL`: what was committed survives the process,
and of what a machine's own crash takes, the last commits go first and none goes in part.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path

import orjson

from bridge.errors import ConfigError
from bridge.history.entry import Entry
from bridge.wire.event import Event

APPLICATION = 0x77733273
"""SQLite's `application_id`: "ws2s". By it a database of some other program is known."""

VERSION = 1
"""SQLite's `user_version`: of the tables below."""

WHERE = "history.path"

_TABLES = """
CREATE TABLE channels (
    id INTEGER PRIMARY KEY,
    name TEXT NOT NULL,
    scope TEXT NOT NULL,
    epoch TEXT NOT NULL,
    past TEXT NOT NULL,
    mark TEXT NOT NULL,
    UNIQUE (name, scope)
);
CREATE TABLE entries (
    channel INTEGER NOT NULL REFERENCES channels (id),
    seq INTEGER NOT NULL,
    at REAL NOT NULL,
    type TEXT NOT NULL,
    key TEXT NOT NULL,
    origin TEXT NOT NULL,
    id TEXT NOT NULL,
    data NOT NULL,
    PRIMARY KEY (channel, seq)
) WITHOUT ROWID;
"""


@dataclass(frozen=True, slots=True)
class Kept:
    """One log as the file has it.

    Attributes:
        number: its row.
        name: of its channel.
        scope: of its channel.
        epoch: of its last life.
        past: earlier epochs, each with the last place of it that survived.
        mark: what the upstream is to go on by; opaque.
        entries: place, event and time by the monotonic clock, oldest first and without a hole.
    """

    number: int
    name: str
    scope: str
    epoch: str
    past: dict[str, int]
    mark: str
    entries: list[tuple[int, Event, float]]


@dataclass(frozen=True, slots=True)
class Change:
    """What is new of one log.

    Attributes:
        number: its row.
        name: of its channel.
        scope: of its channel.
        epoch: of its present life.
        past: as in `Kept`.
        mark: as in `Kept`; fits the last of `entries`.
        base: everything up to this place is gone.
        entries: what was appended since the last change and is still there, oldest first.
    """

    number: int
    name: str
    scope: str
    epoch: str
    past: dict[str, int]
    mark: str
    base: int
    entries: Sequence[Entry] = ()


@dataclass(frozen=True, slots=True)
class Batch:
    """What one commit writes.

    Attributes:
        offset: the wall clock less the monotonic one, in seconds.
        dropped: rows of logs that are forgotten; they go first.
        changes: of the others.
    """

    offset: float
    dropped: Sequence[int] = ()
    changes: Sequence[Change] = field(default_factory=tuple)


class Database:
    """An open file, locked against every other process.

    Args:
        path: made where it is not there yet; its directory is not.
        fresh: whether a file that cannot be used is put aside for a new one.

    Attributes:
        aside: where a file was put that could not be used; None where none was.

    Raises:
        ConfigError: the file cannot be used: another process has it, it is damaged, of another
            version or another program's, or it cannot be written.
    """

    def __init__(self, path: Path, *, fresh: bool = False) -> None:
        self.aside: Path | None = None
        try:
            self._connection = _opened(path)
        except _Unusable as fault:
            if not fresh:
                remedy = 'put it aside, or set history.on_corrupt = "fresh" to let the bridge do so'
                raise ConfigError(WHERE, f"{path} {fault}", remedy) from fault
            self.aside = _put_aside(path)
            self._connection = _opened(path)

    def load(self, offset: float) -> list[Kept]:
        """All logs.

        Args:
            offset: as in `Batch`, but of this process.
        """
        rows = self._connection.execute("SELECT id, name, scope, epoch, past, mark FROM channels")
        return [
            Kept(
                number, name, scope, epoch, orjson.loads(past), mark, self._entries(number, offset)
            )
            for number, name, scope, epoch, past, mark in rows.fetchall()
        ]

    def write(self, batch: Batch) -> None:
        """Commit all of a batch, or nothing.

        Raises:
            sqlite3.Error: it could not be written.
        """
        with self._connection as connection:
            connection.execute("BEGIN IMMEDIATE")
            dropped = [(number,) for number in batch.dropped]
            connection.executemany("DELETE FROM entries WHERE channel = ?", dropped)
            connection.executemany("DELETE FROM channels WHERE id = ?", dropped)
            for change in batch.changes:
                self._write(change, batch.offset)

    def close(self) -> None:
        """Fold the WAL into the file and let go of it."""
        self._connection.close()

    def _write(self, change: Change, offset: float) -> None:
        execute = self._connection.execute
        past = orjson.dumps(change.past).decode()
        execute(
            "INSERT INTO channels VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT (id) DO UPDATE SET"
            " epoch = excluded.epoch, past = excluded.past, mark = excluded.mark",
            (change.number, change.name, change.scope, change.epoch, past, change.mark),
        )
        execute("DELETE FROM entries WHERE channel = ? AND seq <= ?", (change.number, change.base))
        self._connection.executemany(
            "INSERT OR REPLACE INTO entries VALUES (?, ?, ?, ?, ?, ?, ?, ?)",
            [_row(change.number, entry, offset) for entry in change.entries],
        )

    def _entries(self, number: int, offset: float) -> list[tuple[int, Event, float]]:
        rows = self._connection.execute(
            "SELECT seq, at - ?, type, key, origin, id, data FROM entries WHERE channel = ?"
            " ORDER BY seq",
            (offset, number),
        )
        return [
            (seq, Event(data, type=kind, key=key, origin=origin, at=at, id=identity), at)
            for seq, at, kind, key, origin, identity, data in rows
        ]


def _row(number: int, entry: Entry, offset: float) -> tuple[object, ...]:
    event = entry.event
    at = entry.at + offset
    return number, entry.seq, at, event.type, event.key, event.origin, event.id, event.data


class _Unusable(Exception):  # noqa: N818 - a state of the file, told by `Database`
    """Damaged, or of another version: what another file in its place would mend."""


def _opened(path: Path) -> sqlite3.Connection:
    """A connection that holds the file for itself; the tables are there and of our version."""
    try:
        connection = sqlite3.connect(path, timeout=0, isolation_level=None, check_same_thread=False)
    except sqlite3.OperationalError as fault:
        raise _unwritable(path, fault) from fault
    try:
        _claim(connection, path)
    except BaseException:
        connection.close()
        raise
    return connection


def _claim(connection: sqlite3.Connection, path: Path) -> None:
    try:
        connection.execute("PRAGMA locking_mode = EXCLUSIVE")
        connection.execute("PRAGMA busy_timeout = 0")
        _check(connection, path)
        connection.execute("PRAGMA journal_mode = WAL")
        connection.execute("PRAGMA synchronous = NORMAL")
        connection.execute("BEGIN IMMEDIATE")  # the lock is held from here on
        if not _number(connection, "user_version"):
            _make(connection)
        connection.execute("COMMIT")
    except sqlite3.OperationalError as fault:
        raise _unwritable(path, fault) from fault
    except sqlite3.DatabaseError as fault:
        raise _Unusable(f"is damaged ({fault})") from fault


def _check(connection: sqlite3.Connection, path: Path) -> None:
    """That the file is empty or ours.

    Raises:
        ConfigError: another program's, which is never touched.
    """
    tables = connection.execute("SELECT count(*) FROM sqlite_master").fetchone()[0]
    application, version = (
        _number(connection, each) for each in ("application_id", "user_version")
    )
    if tables and application != APPLICATION:
        raise ConfigError(WHERE, f"{path} is a database of another program", "name another file")
    if tables and version != VERSION:
        raise _Unusable(f"is of version {version}, and this bridge writes version {VERSION}")
    if tables:
        found = connection.execute("PRAGMA quick_check(1)").fetchone()[0]
        if found != "ok":
            raise _Unusable(f"is damaged ({found.splitlines()[-1]})")


def _make(connection: sqlite3.Connection) -> None:
    for statement in filter(str.strip, _TABLES.split(";")):
        connection.execute(statement)
    connection.execute(f"PRAGMA application_id = {APPLICATION}")
    connection.execute(f"PRAGMA user_version = {VERSION}")


def _number(connection: sqlite3.Connection, pragma: str) -> int:
    return int(connection.execute(f"PRAGMA {pragma}").fetchone()[0])


def _unwritable(path: Path, fault: sqlite3.OperationalError) -> ConfigError:
    if fault.sqlite_errorcode & 0xFF in (sqlite3.SQLITE_BUSY, sqlite3.SQLITE_LOCKED):
        remedy = "stop that process, or give each its own file"
        return ConfigError(WHERE, f"{path} is in use by another process", remedy)
    remedy = "its directory must exist, and both be writable"
    return ConfigError(WHERE, f"{path} cannot be used: {fault}", remedy)


def _put_aside(path: Path) -> Path:
    """Rename the file, and what stands beside it, to a name that is free."""
    count = 1
    while (aside := path.with_name(f"{path.name}.unusable-{count}")).exists():
        count += 1
    path.rename(aside)
    for suffix in ("-wal", "-shm"):
        with suppress(FileNotFoundError):
            path.with_name(path.name + suffix).rename(aside.with_name(aside.name + suffix))
    return aside
