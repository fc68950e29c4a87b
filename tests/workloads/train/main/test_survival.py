"""What happens to trainings, one process each, and what is left of them: kills while saving, damage, other devices."""

from __future__ import annotations

import json
import signal
import time
from pathlib import Path

import numpy as np
import pytest
from train.checkpoint.arrays import read_file

from tests.workloads.conftest import SMALL, Launcher

pytestmark = pytest.mark.real

TRAINING = {**SMALL, "steps": 12, "learning_rate": 1e-2, "min_loss_drop": 0.1, "checkpoint_every": 2}


def state_of(folder: Path, step: int = 12) -> dict[str, np.ndarray]:
    return read_file((folder / f"step_{step:08d}.0of1.safetensors").read_bytes())


def lines_of(file: Path) -> list[dict[str, float]]:
    return [json.loads(line) for line in file.read_text().splitlines()]


def flip(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-100] ^= 1
    path.write_bytes(data)


def without_the_last(folder: Path) -> None:
    """As if the training had been killed before its last checkpoint."""
    (folder / "step_00000012.json").unlink()


def test_killed_while_it_saves_it_goes_on_from_the_checkpoint_before_and_leaves_nothing_behind(
    jobs: Launcher, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    config = {**TRAINING, "steps": 1_000_000, "checkpoint_every": 1, "checkpoint_uri": str(folder)}
    (process,) = jobs.start(config)
    jobs.wait_for(process, "training")
    deadline = time.monotonic() + 60
    while not (list(folder.glob(".writing-*")) and list(folder.glob("step_*.json"))):
        assert time.monotonic() < deadline
    process.send_signal(signal.SIGKILL)
    process.wait()
    (again,) = jobs.start(config)
    jobs.wait_for(again, "resumed from the checkpoint of step")
    jobs.wait_for(again, "goes on to the bit")
    again.send_signal(signal.SIGTERM)
    ended = jobs.wait(again, 60)
    assert "was told to stop (SIGTERM)" in ended.reason
    assert ended.verdict["resumed_from_step"] > 0
    assert not list(folder.glob(".writing-*"))


def test_past_two_damaged_checkpoints_it_comes_to_the_same_bits(jobs: Launcher, tmp_path: Path) -> None:
    folder = tmp_path / "c"
    slow_enough = {"layers": 2, "width": 64}  # or checkpoints are left out, for a disk cannot follow steps of 1 ms
    config = {**TRAINING, "model": slow_enough, "batch_size": 32, "checkpoint_every": 3, "keep_checkpoints": 5}
    config["checkpoint_uri"] = str(folder)
    (whole,) = jobs.run(config)
    assert whole.status == 0, whole.log
    expected = state_of(folder)
    without_the_last(folder)
    for step in (6, 9):
        flip(folder / f"step_{step:08d}.0of1.safetensors")
    (again,) = jobs.run(config)
    assert again.status == 0, again.log
    assert again.log.count("is damaged (the digest of") == 2
    assert again.verdict["resumed_from_step"] == 3
    for name, array in state_of(folder).items():
        np.testing.assert_array_equal(array, expected[name], name)


def test_on_other_devices_it_goes_on_within_1e_5_and_says_that_it_is_not_the_same_to_the_bit(
    jobs: Launcher, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    config = {**TRAINING, "checkpoint_uri": str(folder), "metrics_folder": str(tmp_path / "m")}
    (whole,) = jobs.run(config)
    without_the_last(folder)
    (again,) = jobs.run({**config, "fsdp": 2}, XLA_FLAGS="--xla_force_host_platform_device_count=4")
    assert again.status == 0, again.log
    assert "it goes on not to the bit, the loss within 1e-5: saved on cpu" in again.log
    assert again.verdict["loss_last"] == pytest.approx(whole.verdict["loss_last"], abs=1e-5)
    first, second = (lines_of(tmp_path / "m" / name) for name in ("metrics-superseded.jsonl", "metrics.jsonl"))
    assert [line["step"] for line in second] == list(range(1, 13))
    assert first[-1]["step"] == 12
    assert first[-1]["loss"] == pytest.approx(second[-1]["loss"], abs=1e-5)
    assert (tmp_path / "m" / "train.prom").exists()
