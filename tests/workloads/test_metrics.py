"""How old a process is says its first step's time: the kernel is asked, so that nothing before it is left out."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest
from train.metrics import process_age_s


def test_the_age_of_a_process_counts_from_where_the_kernel_started_it() -> None:
    by_psutil = time.time() - psutil.Process().create_time()
    assert process_age_s() == pytest.approx(by_psutil, abs=1.1)  # the kernel tells the time of its boot in seconds


def test_the_age_grows_by_the_time_that_passes() -> None:
    before, began = process_age_s(), time.monotonic()
    time.sleep(0.05)
    assert process_age_s() - before == pytest.approx(time.monotonic() - began, abs=0.02)


def test_a_program_name_with_spaces_and_parentheses_does_not_move_the_fields(tmp_path: Path) -> None:
    own = Path("/proc/self/stat").read_text()
    stat = tmp_path / "stat"
    stat.write_text(f"1 (a (b) c) {own.rpartition(')')[2]}")
    assert process_age_s(stat) == pytest.approx(process_age_s(), abs=0.5)


def test_where_the_kernel_does_not_say_the_age_is_that_of_the_program(tmp_path: Path) -> None:
    assert 0 < process_age_s(tmp_path / "none") <= process_age_s() + 0.01
