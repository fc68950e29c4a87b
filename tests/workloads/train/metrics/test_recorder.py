"""What others read of a training: each step once, however often it began again, and nothing lost on the way."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families
from train.config.job import Accelerator, Job
from train.config.settings import TrainConfig
from train.metrics.recorder import LINES, SUPERSEDED, Recorder, set_aside
from train.metrics.times import StepTimes, process_age_s

from tests.full_disk import full_after


def recorded(
    folder: Path,
    said: list[str],
    peak: float | None = None,
    name: str = "smoke",
    emulated: int = 0,
    after: int = 0,
    processes: int = 1,
) -> Recorder:
    config, row = TrainConfig(steps=3, log_every=2), Accelerator(peak_bf16_flops=peak)
    job = Job(config, row, name, "here", processes, 0, "", emulated)
    return Recorder(str(folder), job, 6e6, said.append, after)


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
    assert (last["loss"], last["step_seconds"], last["skipped_steps"]) == (1, 0.75, 1)
    assert last["tokens_per_second"] == pytest.approx(1000 / 0.75)  # of this step alone
    assert last["mfu_ratio"] == pytest.approx(1000 / 0.75 * 6e6 / 1e12)
    # Of the three only the second is the trainer's own work: the first is the compiler's, the third changed nothing.
    assert last["goodput_ratio"] == pytest.approx(0.25 / process_age_s(), rel=0.05)


def test_of_two_nodes_the_same_speed_is_half_of_the_share(tmp_path: Path) -> None:
    three_steps(recorded(tmp_path, [], peak=1e12, processes=2))
    last = json.loads((tmp_path / LINES).read_text().splitlines()[-1])
    assert last["mfu_ratio"] == pytest.approx(1000 / 0.75 * 6e6 / 2e12)


@pytest.mark.parametrize(("peak", "emulated"), [(None, 0), (1e12, 8)], ids=["unknown", "emulated by CPUs"])
def test_a_chip_whose_peak_says_nothing_has_no_mfu(tmp_path: Path, peak: float | None, emulated: int) -> None:
    three_steps(recorded(tmp_path, [], peak, emulated=emulated))
    assert "mfu" not in (tmp_path / "metrics.jsonl").read_text() + (tmp_path / "train.prom").read_text()


def test_prometheus_can_read_the_newest_numbers(tmp_path: Path) -> None:
    three_steps(recorded(tmp_path, [], peak=1e12, name='a "b"'))
    text = (tmp_path / "train.prom").read_text()
    assert 'train_step{job_name="a \\"b\\""} 3\n' in text
    assert 'train_step_time_seconds{job_name="a \\"b\\"",quantile="0.95"} 0.725\n' in text
    assert 'train_tokens_per_second{job_name="a \\"b\\""} 2000\n' in text  # of all steps but the compiler's
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


def written(folder: Path, *steps: int, name: str = LINES, run: str = "first") -> bytes:
    content = "".join(f'{{"step": {step}, "run": "{run}"}}\n' for step in steps).encode()
    (folder / name).write_bytes(content)
    return content


def steps_in(file: Path) -> list[int]:
    return [json.loads(line)["step"] for line in file.read_text().splitlines()]


def test_after_a_resume_every_step_is_there_once_and_those_of_the_dead_run_are_beside(tmp_path: Path) -> None:
    written(tmp_path, 1, 2, 3, 4, 5)
    said = list[str]()
    recorder, times = recorded(tmp_path, said, after=3), StepTimes(1)
    for step in (4, 5, 6):
        times.add(1.0)
        recorder.step(step, 1.0, times, 0)
    recorder.close()
    assert steps_in(tmp_path / LINES) == [1, 2, 3, 4, 5, 6]
    assert steps_in(tmp_path / SUPERSEDED) == [4, 5]
    assert said == [f"2 lines of steps after 3 went from {LINES} to {SUPERSEDED} in {tmp_path}"]


def test_one_line_that_went_is_told_as_one(tmp_path: Path) -> None:
    written(tmp_path, 1, 2)
    said = list[str]()
    recorded(tmp_path, said, after=1).close()
    assert said == [f"1 line of steps after 1 went from {LINES} to {SUPERSEDED} in {tmp_path}"]


def test_what_is_superseded_again_comes_behind_what_was_before(tmp_path: Path) -> None:
    written(tmp_path, 1, 2, 3)
    assert set_aside(tmp_path, 2) == 1
    assert set_aside(tmp_path, 2) == 0
    assert set_aside(tmp_path, 0) == 2
    assert steps_in(tmp_path / SUPERSEDED) == [3, 1, 2]
    assert (tmp_path / LINES).read_bytes() == b""


def test_a_line_that_a_kill_cut_joins_no_other(tmp_path: Path) -> None:
    whole = written(tmp_path, 1, 2)
    (tmp_path / LINES).write_bytes(whole + b'{"step": 3, "lo')
    assert set_aside(tmp_path, 2) == 1
    assert (tmp_path / LINES).read_bytes() == whole
    assert (tmp_path / SUPERSEDED).read_bytes() == b'{"step": 3, "lo\n'


@pytest.mark.parametrize("odd", [b"\n", b"nonsense\n", b"[1]\n", b'{"step": "x"}\n', b'{"step": 1e400}\n', b"\xff\n"])
def test_a_line_that_nobody_can_read_stays_where_it_is(tmp_path: Path, odd: bytes) -> None:
    (tmp_path / LINES).write_bytes(odd + written(tmp_path, 1, 2))
    assert set_aside(tmp_path, 1) == 1
    assert (tmp_path / LINES).read_bytes() == odd + b'{"step": 1, "run": "first"}\n'


def test_a_kill_before_the_lines_are_cut_off_neither_loses_nor_repeats_any(tmp_path: Path) -> None:
    written(tmp_path, 1, 2, 3)
    written(tmp_path, 2, 3, name=SUPERSEDED)  # as the kill left both
    assert set_aside(tmp_path, 1) == 2
    assert (steps_in(tmp_path / LINES), steps_in(tmp_path / SUPERSEDED)) == ([1], [2, 3])


def test_on_a_full_disk_nothing_is_lost_and_the_training_goes_on_without(tmp_path: Path) -> None:
    lines = written(tmp_path, *range(1, 400))
    aside = written(tmp_path, 7, name=SUPERSEDED)
    said = list[str]()
    with full_after(4096):
        three_steps(recorded(tmp_path, said, after=1))
    assert said == [f"metrics cannot be written to {tmp_path}: File too large. The training goes on without"]
    assert ((tmp_path / LINES).read_bytes(), (tmp_path / SUPERSEDED).read_bytes()) == (lines, aside)
    assert {file.name for file in tmp_path.iterdir()} == {LINES, SUPERSEDED}


def events_in(folder: Path) -> list[Any]:
    proto = pytest.importorskip("tensorboardX.proto.event_pb2")
    (file,) = folder.glob("events.out.tfevents.*")
    records, events = file.read_bytes(), list[Any]()
    while records:  # a length of 8 bytes, its checksum, the event, its checksum
        size = int.from_bytes(records[:8], "little")
        events.append(proto.Event.FromString(records[12 : 12 + size]))
        records = records[16 + size :]
    return events


def test_tensorboard_is_told_what_the_lines_tell(tmp_path: Path) -> None:
    three_steps(recorded(tmp_path, [], peak=1e12))
    told = {
        (event.step, value.tag): value.simple_value for event in events_in(tmp_path) for value in event.summary.value
    }
    lines = [json.loads(line) for line in (tmp_path / LINES).read_text().splitlines()]
    names = {"loss", "step_seconds", "goodput_ratio", "skipped_steps", "tokens_per_second", "mfu_ratio"}
    assert told == {
        (line["step"], f"train/{name}"): pytest.approx(line[name], rel=1e-6) for line in lines for name in names
    }
    assert [told[step, "train/loss"] for step in (1, 2, 3)] == [3.0, 1.5, 1.0]


def test_tensorboard_is_told_from_which_step_on_older_events_do_not_count(tmp_path: Path) -> None:
    proto = pytest.importorskip("tensorboardX.proto.event_pb2")
    three_steps(recorded(tmp_path, [], after=7))
    begun = [event.step for event in events_in(tmp_path) if event.session_log.status == proto.SessionLog.START]
    assert begun == [8]


def test_a_disk_that_is_full_in_the_middle_leaves_what_was_superseded_as_it_was(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    lines = written(tmp_path, 1, 2, 3)
    aside = written(tmp_path, 7, name=SUPERSEDED)

    def refuse(descriptor: int) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(os, "fsync", refuse)
    with pytest.raises(OSError, match="No space left"):
        set_aside(tmp_path, 1)
    assert ((tmp_path / LINES).read_bytes(), (tmp_path / SUPERSEDED).read_bytes()) == (lines, aside)


def test_a_folder_that_takes_no_events_costs_the_events_alone(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    tensorboardX = pytest.importorskip("tensorboardX")

    def refuse(*arguments: object, **named: object) -> None:
        raise OSError(28, "No space left on device")

    monkeypatch.setattr(tensorboardX, "SummaryWriter", refuse)
    said: list[str] = []
    recorded(tmp_path, said).close()
    assert said == [f"no TensorBoard events are written to {tmp_path}: No space left on device"]
    assert (tmp_path / LINES).exists()
