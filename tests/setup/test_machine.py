"""Too small a machine is told in one sentence before anything starts."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from setup.machine import GIB, Machine, available_memory

CACHE = Path("/home/user/.cache/ai-datacenter")
LARGE = Machine(memory_bytes=16 * GIB, disk_bytes=50 * GIB, has_ensurepip=True, has_pip=True)


def test_a_large_machine_has_no_problem() -> None:
    assert not list(LARGE.problems(CACHE, must_build=True))


@pytest.mark.parametrize(
    ("machine", "sentence"),
    [
        (replace(LARGE, memory_bytes=3 * GIB), "needs 4 GiB of available memory and this machine has 3.0"),
        (replace(LARGE, disk_bytes=2 * GIB), f"needs 8 GiB of free disk under {CACHE} and there are 2.0"),
        (replace(LARGE, has_ensurepip=False, has_pip=False), "apt-get install python3-venv"),
    ],
)
def test_what_is_too_little_is_said_in_one_sentence(machine: Machine, sentence: str) -> None:
    (problem,) = machine.problems(CACHE, must_build=True)
    assert sentence in problem
    assert "\n" not in problem


def test_a_machine_where_everything_is_built_needs_less() -> None:
    assert not list(replace(LARGE, memory_bytes=3 * GIB, disk_bytes=2 * GIB).problems(CACHE, must_build=False))


def test_without_ensurepip_an_installed_pip_will_do() -> None:
    assert not list(replace(LARGE, has_ensurepip=False).problems(CACHE, must_build=True))


def write(path: Path, text: str) -> None:
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_text(text)


def test_a_containers_limit_counts_where_it_is_lower_than_the_machines_memory(tmp_path: Path) -> None:
    write(tmp_path / "proc/meminfo", "MemTotal: 8388608 kB\nMemAvailable: 8388608 kB\n")
    assert available_memory(tmp_path) == 8 * GIB
    write(tmp_path / "sys/fs/cgroup/memory.max", f"{3 * GIB}\n")
    write(tmp_path / "sys/fs/cgroup/memory.current", f"{2 * GIB}\n")
    write(tmp_path / "sys/fs/cgroup/memory.stat", f"anon 5\ninactive_file {GIB}\nactive_file 0\n")
    assert available_memory(tmp_path) == 2 * GIB


def test_a_control_group_without_a_limit_limits_nothing(tmp_path: Path) -> None:
    write(tmp_path / "proc/meminfo", "MemAvailable: 1048576 kB\n")
    write(tmp_path / "sys/fs/cgroup/memory.max", "max\n")
    write(tmp_path / "sys/fs/cgroup/memory.current", "5\n")
    write(tmp_path / "sys/fs/cgroup/memory.stat", "anon 5\n")
    assert available_memory(tmp_path) == GIB
