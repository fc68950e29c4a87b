"""How long things took, asked of the kernel where that knows more, and the curves that are drawn of it."""

from __future__ import annotations

import time
from pathlib import Path

import psutil
import pytest
from train.metrics import times as metrics
from train.metrics.times import NEWEST_STEPS, OWN_STEPS, POINTS, StepTimes, Track, own_time, process_age_s, waited_s


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
    assert 0.01 < seconds < 0.5  # waking up late is the kernel's waiting, and is taken off


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


def test_steps_of_which_nobody_knows_a_worker_s_own_time_add_none() -> None:
    times = StepTimes(tokens_per_step=1)
    for _ in range(3):
        times.add(1.0)
    assert times.own_s == []


def test_of_a_long_training_all_steps_count_for_the_mean_and_the_newest_for_quantiles() -> None:
    times = StepTimes(tokens_per_step=10)
    for seconds in (99.0, *[3.0] * NEWEST_STEPS, *[1.0] * NEWEST_STEPS):
        times.add(seconds)
    assert (times.tokens_per_s(), times.last_tokens_per_s()) == (5.0, 10.0)
    assert (times.percentile_s(50), times.percentile_s(99)) == (1.0, 1.0)
    assert len(times._newest) == NEWEST_STEPS


def test_a_training_of_one_step_tells_its_time_though_the_compiler_is_in_it() -> None:
    times = StepTimes(tokens_per_step=10)
    assert (times.last_s, times.tokens_per_s(), times.percentile_s(50)) == (0, 0, 0)
    times.add(2.0)
    assert (times.last_s, times.tokens_per_s(), times.percentile_s(50), times.productive_s) == (2.0, 5.0, 2.0, 0)


def tracked(first: int, steps: int, loss: float = 2.0) -> Track:
    """Steps of 10 ms, of which 4 are the worker's own."""
    track, times = Track(), StepTimes(1)
    for step in range(first, first + steps):
        times.add(0.01, 0.004)
        track.add(step, loss, times)
    return track


def test_curves_have_every_step_of_a_short_training_and_no_time_for_the_compiler_s() -> None:
    points = tracked(21, 3).points
    assert [point.step for point in points] == [21, 22, 23]
    assert [(point.seconds, point.own_s) for point in points] == [(None, None), (0.01, 0.004), (0.01, 0.004)]


def test_curves_of_a_long_training_are_as_short_and_as_even() -> None:
    steps = [point.step for point in tracked(1, 5000).points]
    assert POINTS // 2 < len(steps) <= POINTS
    assert steps == [*range(1, 5001, 32), 5000]


def test_a_loss_that_is_not_finite_is_a_gap_in_the_curve() -> None:
    assert [point.loss for point in tracked(1, 2, loss=float("nan")).points] == [None, None]
