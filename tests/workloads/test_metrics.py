"""How old a process is says its first step's time: the kernel is asked, so that nothing before it is left out."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest
from train import metrics
from train.metrics import OWN_STEPS, StepTimes, own_time, process_age_s, waited_s


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


def test_a_worker_s_own_time_counts_work_and_waiting_of_its_own_will() -> None:
    result, seconds = own_time(lambda: time.sleep(0.02))
    assert result is None
    assert 0.02 <= seconds < 0.5


def test_time_without_a_cpu_is_not_the_worker_s(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = iter([1.0, 1.015])
    monkeypatch.setattr(metrics, "waited_s", lambda: next(waited))
    began = time.perf_counter()
    _, seconds = own_time(lambda: time.sleep(0.02))
    assert 0 < seconds <= time.perf_counter() - began - 0.015


def test_what_the_kernel_books_too_much_makes_no_time_negative(monkeypatch: pytest.MonkeyPatch) -> None:
    waited = iter([0.0, 100.0])
    monkeypatch.setattr(metrics, "waited_s", lambda: next(waited))
    assert own_time(lambda: None)[1] >= 0


@pytest.mark.parametrize("content", [None, "", "12", "a b c"])
def test_where_the_kernel_does_not_tell_nothing_was_waited(tmp_path: Path, content: str | None) -> None:
    if content is not None:
        (tmp_path / "schedstat").write_text(content)
    assert waited_s(tmp_path / "schedstat") == 0


def test_own_times_leave_out_the_compiler_s_step_and_keep_the_newest() -> None:
    times = StepTimes(tokens_per_step=1)
    for number in range(OWN_STEPS + 10):
        times.add(1.0, float(number))
    assert times.own_s == [float(number) for number in range(10, OWN_STEPS + 10)]
