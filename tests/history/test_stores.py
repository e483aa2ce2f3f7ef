"""Which store keeps the logs."""

from pathlib import Path

from bridge.history.log import LogOptions
from bridge.history.memory import MemoryStore
from bridge.history.sqlite import SqliteStore
from bridge.history.stores import identity, new_epoch, store_of
from bridge.hub.channel import ChannelKey
from bridge.seams import Unmetered
from bridge.wire.names import ChannelName


def test_the_options_choose(tmp_path: Path) -> None:
    kept = LogOptions(persist="sqlite", path=str(tmp_path / "history.db"))
    assert isinstance(store_of(LogOptions(), 0, Unmetered()), MemoryStore)
    assert isinstance(store_of(kept, 0, Unmetered()), SqliteStore)


def test_a_scope_is_never_written_down() -> None:
    name, scope = identity(ChannelKey(ChannelName("project.1"), "a credential"))
    assert (name, len(scope)) == ("project.1", 64)
    assert identity(ChannelKey(ChannelName("project.1"))) == ("project.1", "")


def test_epochs_are_fresh_and_fit_into_an_id() -> None:
    epochs = {new_epoch() for _ in range(100)}
    assert len(epochs) == 100
    assert all(each.isalnum() for each in epochs)
