"""Readers at one place: each is there once, and in one part."""

from itertools import chain

import pytest

from bridge.endpoint.batch import Form
from bridge.endpoint.group import Group
from tests.endpoint.hall import Hall


def test_who_is_added_twice_is_there_once_and_leaves_once() -> None:
    group, reader = Group(), Hall().enter().reader
    group.add(reader)
    group.add(reader)
    assert (len(group), list(group)) == (1, [reader])
    assert group.discard(reader)
    assert not group.discard(reader)
    assert len(group) == 0


@pytest.mark.parametrize("size", [1, 2, 7, 100])
def test_parts_hold_each_reader_once_with_its_form(size: int) -> None:
    hall, group = Hall(), Group()
    readers = [hall.enter(form).reader for form in Form for _ in range(5)]
    for reader in readers:
        group.add(reader)
    parts = group.parts(size)
    assert all(0 < len(targets) <= size for _, targets in parts)
    assert all(reader.form is form for form, targets in parts for reader, _ in targets)
    placed = list(chain.from_iterable(targets for _, targets in parts))
    assert [reader for reader, _ in placed] == list(group)
    assert set(group) == set(readers)
    assert all(write == reader.outlet.write for reader, write in placed)


def test_who_leaves_after_the_parts_were_made_is_still_in_them() -> None:
    hall, group = Hall(), Group()
    reader = hall.enter().reader
    group.add(reader)
    parts = group.parts(2)
    group.discard(reader)
    assert parts[0][1][0][0] is reader
