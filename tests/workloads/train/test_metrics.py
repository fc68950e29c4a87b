"""How long things took, asked of the kernel where that knows more, and where it is written for others to read."""

from __future__ import annotations

import json
import sys
import time
from pathlib import Path

import psutil
import pytest
from prometheus_client.parser import text_string_to_metric_families
from train import metrics
from train.config.job import Accelerator, Job
from train.config.settings import TrainConfig
from train.metrics import OWN_STEPS, POINTS, Recorder, StepTimes, Track, own_time, process_age_s, waited_s


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


def recorded(
    folder: Path, said: list[str], peak: float | None = None, name: str = "smoke", emulated: int = 0
) -> Recorder:
    job = Job(TrainConfig(steps=3, log_every=2), Accelerator(peak_bf16_flops=peak), name, "here", 1, 0, "", emulated)
    return Recorder(str(folder), job, 6e6, said.append)


def three_steps(recorder: Recorder) -> None:
    times = StepTimes(tokens_per_step=1000)
    for step, seconds in enumerate((9.0, 0.25, 0.75), 1):
        times.add(seconds, is_good=step != 3)
        recorder.step(step, 3.0 / step, times, skipped=int(step == 3))
    recorder.close()


def test_every_step_is_a_line_of_json_with_what_can_be_known(tmp_path: Path) -> None:
    three_steps(recorded(tmp_path / "new", [], peak=1e12))
    lines = [json.loads(line) for line in (tmp_path / "new" / "metrics.jsonl").read_text().splitlines()]
    assert [line["step"] for line in lines] == [1, 2, 3]
    last = lines[-1]
    assert (last["loss"], last["step_seconds"], last["tokens_per_second"], last["skipped_steps"]) == (1, 0.75, 2000, 1)
    assert last["mfu_ratio"] == pytest.approx(2000 * 6e6 / 1e12)
    # Of the three only the second is the trainer's own work: the first is the compiler's, the third changed nothing.
    assert last["goodput_ratio"] == pytest.approx(0.25 / process_age_s(), rel=0.05)


@pytest.mark.parametrize(("peak", "emulated"), [(None, 0), (1e12, 8)], ids=["unknown", "emulated by CPUs"])
def test_a_chip_whose_peak_says_nothing_has_no_mfu(tmp_path: Path, peak: float | None, emulated: int) -> None:
    three_steps(recorded(tmp_path, [], peak, emulated=emulated))
    assert "mfu" not in (tmp_path / "metrics.jsonl").read_text() + (tmp_path / "train.prom").read_text()


def test_prometheus_can_read_the_newest_numbers(tmp_path: Path) -> None:
    three_steps(recorded(tmp_path, [], peak=1e12, name='a "b"'))
    text = (tmp_path / "train.prom").read_text()
    assert 'train_step{job_name="a \\"b\\""} 3\n' in text
    assert 'train_step_time_seconds{job_name="a \\"b\\"",quantile="0.95"} 0.725\n' in text
    families = {family.name: family.type for family in text_string_to_metric_families(text)}
    assert families["train_mfu_ratio"] == "gauge"
    assert families["train_step_time_seconds"] == "summary"
    assert not list(tmp_path.glob(".*"))


def test_tensorboard_gets_events_where_their_writer_is_and_a_word_where_it_is_not(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    three_steps(recorded(tmp_path / "with", []))
    assert list((tmp_path / "with").glob("events.out.tfevents.*"))
    monkeypatch.setitem(sys.modules, "tensorboardX", None)
    said = list[str]()
    three_steps(recorded(tmp_path / "without", said))
    assert said == ["tensorboardX is not installed: no TensorBoard events are written"]
    assert len((tmp_path / "without" / "metrics.jsonl").read_text().splitlines()) == 3


def test_a_folder_that_cannot_be_written_to_is_told_once_and_costs_nothing_else(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    said = list[str]()
    three_steps(recorded(tmp_path / "file" / "x", said))
    assert len(said) == 1
    assert "metrics cannot be written" in said[0]


def test_without_a_folder_nothing_is_written(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.chdir(tmp_path)
    three_steps(Recorder("", Job(TrainConfig(), Accelerator(), "a", "b", 1, 0, ""), 1.0, print))
    assert not list(tmp_path.iterdir())


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
