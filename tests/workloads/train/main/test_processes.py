"""Two processes as one job over gloo, with checkpoints and the verdict in a bucket."""

from __future__ import annotations

import json
import re
import shutil
import signal
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from train.checkpoint.store import open_store

from components.outputs import Verdict
from local.processes import wait_until
from tests.workloads.conftest import SMALL, WORKLOADS, Launcher

pytestmark = pytest.mark.real

URIS = {"checkpoint_uri": "s3://checkpoints/job/", "verdict_uri": "s3://checkpoints/job/verdict.json"}
TRAINING = {**SMALL, "steps": 12, "learning_rate": 1e-2, "min_loss_drop": 0.1, "checkpoint_every": 4}
SAVED_BEFORE = ({8}, {4})  # the end of it: of a storage that cannot follow the second is left out
Read = Callable[[str], Any]


def test_two_processes_train_the_default_model_and_leave_a_verdict(jobs: Launcher, bucket: Read) -> None:
    began = time.monotonic()
    first, second = jobs.run(URIS, processes=2)
    took_s = time.monotonic() - began
    assert (first.status, second.status) == (0, 0), first.log + second.log
    stored = bucket("job/verdict.json")
    verdict = Verdict.model_validate(stored)
    assert {**stored, "series": None} == first.verdict
    assert stored["series"]["steps"] == list(range(1, 41))
    assert [worker["node"] for worker in stored["series"]["workers"]] == ["node-0", "node-1"]
    assert all(0 < seconds < 5 for worker in stored["series"]["workers"] for seconds in worker["own_s"][1:])
    assert verdict.passed
    assert (verdict.processes, verdict.devices, verdict.nodes) == (2, 2, ("node-0", "node-1"))
    assert verdict.loss_first
    assert verdict.loss_last
    assert verdict.first_step_s
    assert verdict.loss_first - verdict.loss_last > 2
    assert 0 < verdict.first_step_s < took_s
    assert f"{verdict.first_step_s:.2f} s after the process started" in first.log
    assert verdict.checkpoint == "s3://checkpoints/job/step_00000040.json"
    assert first.termination == second.termination == verdict.reason


def test_cpus_that_stand_in_for_accelerators_are_counted_as_the_catalogue_says_and_told(jobs: Launcher) -> None:
    accelerator = {"instance_type": "p5en.48xlarge", "chips": 8, "chip": {"name": "H200"}}
    emulated = {"EMULATED_DEVICES": "8", "ACCELERATOR": json.dumps(accelerator)}
    for ended in jobs.run(TRAINING, processes=2, **emulated):
        assert ended.status == 0, ended.log
        assert (ended.verdict["devices"], ended.verdict["emulated"]) == (16, True)


def test_with_a_filled_cache_no_process_compiles(jobs: Launcher) -> None:
    config = {**TRAINING, "learning_rate": 9e-3}  # which no other test has put into the cache
    jobs.run(config, processes=2)
    for ended in jobs.run(config, processes=2, JAX_LOGGING_LEVEL="DEBUG"):
        assert ended.log.count("cache hit for 'jit__step'") == 1
        assert "CACHE MISS" not in ended.log


def test_a_killed_job_loses_no_more_steps_than_since_its_checkpoint_and_comes_to_the_same_bits(
    jobs: Launcher, tmp_path: Path
) -> None:
    config = {**TRAINING, "steps": 100, "checkpoint_every": 25, "log_every": 1}
    whole, killed, alone = (str(tmp_path / name) for name in ("whole", "killed", "alone"))
    jobs.run({**config, "checkpoint_uri": whole}, processes=2)
    processes = jobs.start({**config, "checkpoint_uri": killed}, processes=2)
    jobs.wait_for(processes[0], "step 24:")
    assert wait_until(lambda: list(Path(killed).glob("step_*.json")) != [], 60, 0.01)
    for process in processes:
        process.send_signal(signal.SIGKILL)
    reached = int(re.findall(r"step (\d+): loss", jobs.wait(processes[0]).log)[-1])
    shutil.copytree(killed, alone)
    again = jobs.run({**config, "checkpoint_uri": killed}, processes=2)
    assert [process.status for process in again] == [0, 0], again[0].log
    assert "it goes on to the bit" in again[0].log
    assert 0 <= reached - again[0].verdict["resumed_from_step"] <= 25
    arrays = "step_00000100.0of2.safetensors"
    assert Path(killed, arrays).read_bytes() == Path(whole, arrays).read_bytes()
    (fewer,) = jobs.run({**config, "checkpoint_uri": alone}, XLA_FLAGS="--xla_force_host_platform_device_count=2")
    assert "it goes on not to the bit, the loss within 1e-5: saved on" in fewer.log
    assert fewer.verdict["loss_last"] == pytest.approx(again[0].verdict["loss_last"], abs=1e-4)


def test_a_job_goes_on_from_a_checkpoint_in_a_bucket_bit_for_bit(jobs: Launcher, bucket: Read) -> None:
    jobs.run({**TRAINING, **URIS}, processes=2)
    whole = bucket("job/step_00000012.json")
    store = open_store(URIS["checkpoint_uri"])
    store.delete("step_00000012.json")
    store.delete("step_00000012.0of2.safetensors")
    again = jobs.run({**TRAINING, **URIS}, processes=2)
    assert [process.status for process in again] == [0, 0], again[0].log
    assert {process.verdict["resumed_from_step"] for process in again} in SAVED_BEFORE
    first_step = again[0].verdict["resumed_from_step"] + 1
    assert f"step {first_step}: loss" in again[0].log  # a resumed training tells its first step too
    assert bucket("job/step_00000012.json") == whole
    assert "it goes on to the bit" in again[0].log


def test_parameters_spread_over_processes_are_saved_by_both_and_go_on_bit_for_bit(jobs: Launcher, bucket: Read) -> None:
    config = {**TRAINING, **URIS, "fsdp": 2}
    ended = jobs.run(config, processes=2)
    assert [process.status for process in ended] == [0, 0], ended[0].log
    whole = bucket("job/step_00000012.json")
    assert {entry["file"].partition(".")[2] for entry in whole["entries"]} == {
        "0of2.safetensors",
        "1of2.safetensors",
    }
    open_store(URIS["checkpoint_uri"]).delete("step_00000012.json")
    again = jobs.run(config, processes=2)
    assert "it goes on to the bit" in again[0].log
    assert {process.verdict["resumed_from_step"] for process in again} in SAVED_BEFORE
    assert bucket("job/step_00000012.json") == whole


_HAS_ANOTHER_CPU_EACH = """
import os
from train.parallel import cpu
cpu.kind = lambda: "kind" + os.environ["JOB_COMPLETION_INDEX"]
"""


def test_a_checkpoint_tells_the_processors_of_all_processes(jobs: Launcher, tmp_path: Path) -> None:
    (tmp_path / "sitecustomize.py").write_text(_HAS_ANOTHER_CPU_EACH)
    config = {**TRAINING, "checkpoint_uri": str(tmp_path / "c")}
    jobs.run(config, processes=2, PYTHONPATH=f"{tmp_path}:{WORKLOADS}")
    manifest = json.loads((tmp_path / "c" / "step_00000012.json").read_text())
    assert manifest["topology"].startswith("cpu kind0 kind1, 2 processes")


_REFUSES_PROCESS_1 = """
import os
if os.environ.get("JOB_COMPLETION_INDEX") == "1":
    from train.checkpoint.store import FolderStore
    from train.config.failure import Failure
    put = FolderStore.put
    def full(self, name, *rest):
        if name == "step_00000004.1of2.safetensors":
            raise Failure("the disk is full")
        put(self, name, *rest)
    FolderStore.put = full
"""


def test_parameters_spread_over_processes_survive_a_checkpoint_that_one_of_them_cannot_write(
    jobs: Launcher, tmp_path: Path
) -> None:
    (tmp_path / "sitecustomize.py").write_text(_REFUSES_PROCESS_1)
    config = {**TRAINING, "fsdp": 2, "checkpoint_uri": str(tmp_path / "c")}
    first, second = jobs.run(config, processes=2, PYTHONPATH=f"{tmp_path}:{WORKLOADS}")
    assert (first.status, second.status) == (0, 0), first.log + second.log
    assert "step 4 is not written: process 1 did not write its part: the disk is full" in first.log
    assert (tmp_path / "c" / "step_00000012.json").is_file()


def test_where_every_checkpoint_is_damaged_no_process_begins_anew_unless_it_is_told_to(
    jobs: Launcher, tmp_path: Path
) -> None:
    folder = tmp_path / "c"
    folder.mkdir()
    (folder / "step_00000008.json").write_text("{")
    config = {**TRAINING, "checkpoint_uri": str(folder)}
    refused = jobs.run(config, processes=2)
    assert [ended.status for ended in refused] == [1, 1]
    assert refused[0].reason == refused[1].reason
    assert refused[0].reason.startswith(f"process 0: every checkpoint in {folder} is damaged, the newest of step 8, as")
    anew = jobs.run({**config, "resume": False}, processes=2)
    assert [(ended.status, ended.verdict["steps"]) for ended in anew] == [(0, 12), (0, 12)]
