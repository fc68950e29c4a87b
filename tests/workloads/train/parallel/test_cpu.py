"""On CPUs: what names a compiled program is the same in every process that can run it; a step's memory is kept."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from pathlib import Path

import pytest
from train.parallel.cpu import _instruction_set, allowed, kept_on

from tests.workloads.conftest import WORKLOADS


def listed(folder: Path, flags: str, mhz: int) -> Path:
    file = folder / "cpuinfo"
    file.write_text(
        "".join(f"processor : {n}\nmodel name : Xeon\ncpu MHz : {mhz + n}\nflags : {flags}\n" for n in (0, 1))
    )
    return file


def test_the_same_processor_is_the_same_at_any_clock_rate(tmp_path: Path) -> None:
    slow, fast = (_instruction_set(listed(tmp_path, "fpu avx2", mhz)) for mhz in (1000, 3000))
    assert slow == fast == "flags : fpu avx2\nmodel name : Xeon"


def test_a_processor_with_other_instructions_is_another(tmp_path: Path) -> None:
    assert _instruction_set(listed(tmp_path, "fpu avx2", 1)) != _instruction_set(listed(tmp_path, "fpu avx512f", 1))


def test_where_the_kernel_lists_nothing_the_architecture_is_named(tmp_path: Path) -> None:
    assert _instruction_set(tmp_path / "none")


_STEPS = """
import resource
from train.config.job import load
from train.parallel.peers import Peers
Peers(load({})).connect()
faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
for _ in range(8):
    _ = bytearray(b"x") * (64 << 20)  # more than GNU's C library ever keeps by itself
print(resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults)
"""


def test_on_a_cpu_the_memory_of_a_step_is_still_there_for_the_next() -> None:
    """In a process of its own: in one that has run other tests the heap may have no room to grow in one piece."""
    if "[always]" in Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text():
        pytest.skip("huge pages hide how often memory is mapped anew")
    environment = {**os.environ, "PYTHONPATH": str(WORKLOADS)}
    told = subprocess.run([sys.executable, "-c", _STEPS], env=environment, capture_output=True, text=True, check=True)
    assert int(told.stdout) < 8 * (64 << 20) / resource.getpagesize() / 2


def test_a_thread_is_kept_on_one_cpu_and_let_go_whatever_happens() -> None:
    before = allowed()
    inside: list[list[int]] = []

    def fails() -> None:
        with kept_on(before[-1]):
            inside.append(allowed())
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fails()
    assert (inside, allowed()) == ([[before[-1]]], before)


@pytest.mark.parametrize("cpu", [None, 99_999])
def test_a_cpu_that_may_not_be_used_is_none(cpu: int | None) -> None:
    before = allowed()
    with kept_on(cpu):
        assert allowed() == before
