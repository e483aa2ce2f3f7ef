"""What a file must be to be used, and what one process leaves in it for the next."""

import sqlite3
import subprocess
import sys
from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest

from bridge.errors import ConfigError
from bridge.history.database import APPLICATION, Batch, Change, Database, Kept
from bridge.history.entry import Entry
from bridge.wire.event import Event


@pytest.fixture
def path(tmp_path: Path) -> Path:
    return tmp_path / "history.db"


@pytest.fixture
def database(path: Path) -> Iterator[Database]:
    with closing(Database(path)) as opened:
        yield opened


def entries(*seqs: int, epoch: str = "e") -> list[Entry]:
    return [Entry(epoch, seq, Event(f"payload {seq}", id=f"b-{seq}"), 10.0 + seq) for seq in seqs]


def change(number: int = 1, name: str = "project.1", base: int = 0, *seqs: int) -> Change:
    return Change(number, name, "", "e", {"d": 4}, "{}", base, entries(*seqs))


def test_what_was_written_is_what_the_next_process_reads(path: Path) -> None:
    binary = Entry("e", 3, Event(b"\0\xff", type="stream", key="k", origin="ws"), 13.0)
    written = Change(7, "project.1", "s", "e", {"d": 1}, '{"id":"b-2"}', 1, [*entries(2), binary])
    with closing(Database(path)) as database:
        database.write(Batch(1000.0, changes=[written]))
    with closing(Database(path)) as database:
        (kept,) = database.load(offset=1005.0)
    event = Event("payload 2", id="b-2", at=7.0)
    assert kept == Kept(
        7,
        "project.1",
        "s",
        "e",
        {"d": 1},
        '{"id":"b-2"}',
        [(2, event, 7.0), (3, Event(b"\0\xff", "stream", "k", "ws", 8.0), 8.0)],
    )


def test_text_of_any_kind_comes_back(database: Database) -> None:
    data = 'NUL \0, \U0001f600, "quotes"\r\n'
    database.write(Batch(0.0, changes=[Change(1, "a", "", "e", {}, "", 0, [_entry(data)])]))
    (kept,) = database.load(0.0)
    assert kept.entries[0][1].data == data


def _entry(data: str) -> Entry:
    return Entry("e", 1, Event(data), 0.0)


def test_what_is_trimmed_is_deleted(database: Database) -> None:
    database.write(Batch(0.0, changes=[change(1, "project.1", 0, 1, 2, 3)]))
    database.write(Batch(0.0, changes=[change(1, "project.1", 2, 4)]))
    (kept,) = database.load(0.0)
    assert [seq for seq, _, _ in kept.entries] == [3, 4]


def test_a_dropped_log_makes_room_for_another_of_its_name_in_one_batch(database: Database) -> None:
    database.write(Batch(0.0, changes=[change(1, "project.1", 0, 1)]))
    database.write(Batch(0.0, dropped=[1], changes=[change(2, "project.1", 0, 1, 2)]))
    (kept,) = database.load(0.0)
    assert (kept.number, len(kept.entries)) == (2, 2)


def test_a_batch_that_fails_leaves_nothing_behind(database: Database) -> None:
    unwritable = Entry("e", 1, Event("x", id="\ud800"), 0.0)
    broken = Change(2, "file.1", "", "e", {}, "", 0, [unwritable])
    with pytest.raises(UnicodeEncodeError):
        database.write(Batch(0.0, changes=[change(1, "project.1", 0, 1), broken]))
    assert database.load(0.0) == []
    database.write(Batch(0.0, changes=[change(1, "project.1", 0, 1)]))
    assert len(database.load(0.0)) == 1


# What cannot be used.


def refusal(path: Path) -> str:
    with pytest.raises(ConfigError) as fault:
        Database(path)
    assert fault.value.where == "history.path"
    assert "\n" not in str(fault.value)
    return str(fault.value)


def test_two_processes_do_not_share_a_file(path: Path, database: Database) -> None:
    program = (
        "import sys\nfrom pathlib import Path\nfrom bridge.history.database import Database\n"
        "Database(Path(sys.argv[1]))"
    )
    command = [sys.executable, "-c", program, str(path)]
    ran = subprocess.run(command, check=False, capture_output=True, text=True)
    assert "in use by another process" in ran.stderr.splitlines()[-1]
    database.write(Batch(0.0, changes=[change(1, "project.1", 0, 1)]))


def test_a_file_that_was_let_go_can_be_used(path: Path) -> None:
    for _ in range(2):
        Database(path).close()


def test_a_missing_directory_is_said(tmp_path: Path) -> None:
    assert "its directory must exist" in refusal(tmp_path / "nowhere" / "history.db")


def test_what_is_no_file_is_said(tmp_path: Path) -> None:
    assert "writable" in refusal(tmp_path)


def test_a_file_that_is_no_database_is_damaged(path: Path) -> None:
    path.write_bytes(b"not a database at all, but long enough to be looked at" * 100)
    assert "is damaged" in refusal(path)
    assert 'on_corrupt = "fresh"' in refusal(path)


def test_a_file_with_a_damaged_page_is_found_at_the_start(path: Path) -> None:
    with closing(Database(path)) as database:
        many = [change(number, f"file.{number}", 0, *range(1, 20)) for number in range(1, 100)]
        database.write(Batch(0.0, changes=many))
    content = bytearray(path.read_bytes())
    content[8192:24576] = b"\xaa" * 16384
    path.write_bytes(content)
    assert "is damaged" in refusal(path)


def test_a_database_of_another_program_is_never_touched(path: Path) -> None:
    with closing(sqlite3.connect(path)) as foreign:
        foreign.execute("CREATE TABLE theirs (x)")
    before = path.read_bytes()
    assert "another program" in refusal(path)
    with pytest.raises(ConfigError, match="another program"):
        Database(path, fresh=True)
    assert path.read_bytes() == before


def test_a_file_of_another_version_is_refused(path: Path) -> None:
    Database(path).close()
    with closing(sqlite3.connect(path)) as later:
        later.execute("PRAGMA user_version = 99")
        assert later.execute("PRAGMA application_id").fetchone() == (APPLICATION,)
    assert "version 99" in refusal(path)


def test_a_fresh_file_takes_the_place_of_one_that_is_put_aside(path: Path) -> None:
    for count in (1, 2):
        path.write_bytes(b"rubbish" * 1000)
        with closing(Database(path, fresh=True)) as database:
            assert database.load(0.0) == []
            assert database.aside == path.with_name(f"history.db.unusable-{count}")
            assert database.aside.read_bytes() == b"rubbish" * 1000


def test_a_file_in_use_is_not_put_aside(path: Path, database: Database) -> None:
    with pytest.raises(ConfigError, match="in use"):
        Database(path, fresh=True)
    assert database.aside is None
