"""What names a compiled program on CPUs: the same in every process that can run it, and only there."""

from __future__ import annotations

from pathlib import Path

from train.parallel import _instruction_set


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
