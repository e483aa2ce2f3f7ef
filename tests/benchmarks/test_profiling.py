"""What `perf` reports becomes two small tables."""

from benchmarks.profiling import by_part, part, shares, shown

REPORT = """
# Overhead  Shared Object
# ........  ....................
#
    60.48%  [kernel.kallsyms]
    25.02%  libpython3.11.so.1.0
     9.50%  loop.cpython-311-x86_64-linux-gnu.so
     5.00%  [kernel.vmlinux]
"""


def test_lines_that_are_no_shares_are_passed_over() -> None:
    assert shares(REPORT)[0] == ("[kernel.kallsyms]", 60.48)
    assert len(shares(REPORT)) == 4


def test_a_function_keeps_its_mark_of_kernel_or_user() -> None:
    assert shares("   3.10%  [k] tcp_sendmsg      -      -      ") == [("[k] tcp_sendmsg", 3.1)]


def test_objects_of_the_same_part_are_summed_and_the_largest_comes_first() -> None:
    found = [(name, round(share, 2)) for name, share in by_part(shares(REPORT))]
    assert found == [
        ("kernel", 65.48),
        ("Python interpreter", 25.02),
        ("uvloop", 9.5),
    ]


def test_other_objects_go_by_their_own_name() -> None:
    assert part("libc.so.6") == "libc"


def test_shares_are_shown_as_a_table() -> None:
    assert shown("part", [("kernel", 65.48)]).splitlines()[-1] == "| kernel | 65.5 |"
