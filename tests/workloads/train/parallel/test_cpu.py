"""On CPUs: what names a compiled program is the same in every process that can run it; a step's memory is kept."""

from __future__ import annotations

import resource
from pathlib import Path

import pytest
from train.config.job import load
from train.parallel.cpu import _instruction_set, allowed, kept_on
from train.parallel.peers import Peers


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


def test_on_a_cpu_the_memory_of_a_step_is_still_there_for_the_next() -> None:
    if "[always]" in Path("/sys/kernel/mm/transparent_hugepage/enabled").read_text():
        pytest.skip("huge pages hide how often memory is mapped anew")
    Peers(load({})).connect()
    step_bytes, steps = 64 << 20, 8  # more than GNU's C library ever keeps by itself
    faults = resource.getrusage(resource.RUSAGE_SELF).ru_minflt
    for _ in range(steps):
        _ = bytearray(b"x") * step_bytes
    taken = resource.getrusage(resource.RUSAGE_SELF).ru_minflt - faults
    assert taken < steps * step_bytes / resource.getpagesize() / 2


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
