"""What the kernel tells of processes, ports and limits."""

import os
import socket
import subprocess
import sys

import pytest

from benchmarks import machine


def test_a_core_is_inherited_inside_and_given_back_outside() -> None:
    before = os.sched_getaffinity(0)
    core = machine.cores()[1]
    with machine.on_core(core):
        assert os.sched_getaffinity(0) == {core}
    assert os.sched_getaffinity(0) == before


def test_free_ports_differ_and_nothing_listens_there() -> None:
    ports = machine.free_ports(3)
    assert len(set(ports)) == 3
    assert not any(map(machine.listens, ports))


def test_a_listening_port_is_noticed() -> None:
    with socket.create_server((machine.LOOPBACK, 0)) as server:
        machine.wait_for_port(server.getsockname()[1])


def test_waiting_for_a_port_ends() -> None:
    with pytest.raises(TimeoutError, match="nothing listens"):
        machine.wait_for_port(machine.free_ports(1)[0], seconds=0)


def test_waiting_ends_at_once_where_the_server_has_failed() -> None:
    with pytest.raises(TimeoutError, match="it ended"):
        machine.wait_for_port(machine.free_ports(1)[0], fault=lambda: "it ended")


def test_a_tree_holds_the_children_and_what_all_of_them_used() -> None:
    child = subprocess.Popen([sys.executable, "-c", "input()"], stdin=subprocess.PIPE)
    try:
        assert {os.getpid(), child.pid} <= set(machine.tree(os.getpid()))
        assert machine.cpu_seconds(os.getpid()) > 0
        assert machine.resident_kib(os.getpid()) > machine.resident_kib(child.pid) > 0
    finally:
        child.communicate()


def test_a_process_that_is_gone_used_nothing() -> None:
    child = subprocess.Popen([sys.executable, "-c", ""])
    child.wait()
    assert machine.cpu_seconds(child.pid) == 0
    assert machine.resident_kib(child.pid) == 0


def test_the_limit_of_open_files_never_falls() -> None:
    before = machine.raise_descriptors(0)
    assert machine.raise_descriptors(before) >= before
