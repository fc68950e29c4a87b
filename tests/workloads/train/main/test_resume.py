"""A training goes on only from what was restored whole: what the gate refuses ends the job before a step is taken."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any

import pytest
from train.config.failure import Failure
from train.config.job import load
from train.config.settings import TrainConfig
from train.data.batches import Batches
from train.main.resume import open_checkpoints, resume
from train.main.run import Run
from train.report import Verdict
from train.train import Loop, State, Trainer

from tests.workloads.train.test_train import CONFIG, loop_of, trained, trainer_on

TEXT = "of this test"


@pytest.fixture(scope="module")
def kept(tmp_path_factory: pytest.TempPathFactory) -> Run:
    """A run whose folder has the checkpoint of step 5 of a training of 20."""
    folder = tmp_path_factory.mktemp("resume")
    config = {**json.loads(CONFIG.model_dump_json()), "checkpoint_uri": str(folder), "keep_checkpoints": 7}
    run = Run(load({"TRAIN_CONFIG": json.dumps({**config, "keep_every": 3})}), {}, Verdict(False, "", "job"))
    progress, (_, loop) = trained(5), parts()
    checkpoints = open_checkpoints(run, TEXT, loop.batch_rows)
    assert checkpoints is not None
    checkpoints.save_last(loop.mark(progress), progress.state)
    return run


def parts() -> tuple[Trainer, Loop]:
    trainer = trainer_on(2)
    return trainer, loop_of(trainer)


def resumed(kept: Run) -> int:
    """The step at which a second run of the job goes on."""
    run, (trainer, loop) = replace(kept), parts()
    checkpoints = open_checkpoints(run, TEXT, loop.batch_rows)
    assert checkpoints is not None
    progress = resume(run, trainer, loop, checkpoints)
    assert progress is not None
    assert (run.verdict.resumed_from_step, checkpoints.after) == (progress.step, progress.step)
    return progress.step


def test_what_was_restored_whole_goes_on_where_it_was(kept: Run) -> None:
    assert resumed(kept) == 5


def test_without_the_optimizer_s_state_the_job_ends(kept: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    place = Trainer.place

    def dropping(self: Trainer, state: State) -> State:
        return place(self, {**state, "optimizer": self.initial()["optimizer"]})

    monkeypatch.setattr(Trainer, "place", dropping)
    with pytest.raises(Failure, match=r"step 5 was not restored: optimizer/"):
        resumed(kept)


def test_with_a_batch_that_was_already_there_the_job_ends(kept: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Batches.indices
    monkeypatch.setattr(Batches, "indices", lambda self, cursor: right(self, cursor - self.batch_size))
    with pytest.raises(Failure, match=r"step 5 was not restored: the next batch"):
        resumed(kept)


def test_with_a_cursor_off_by_one_the_job_ends(kept: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    right = Batches.indices
    monkeypatch.setattr(Batches, "indices", lambda self, cursor: right(self, cursor + 1))
    with pytest.raises(Failure, match=r"step 5 was not restored: the next batch"):
        resumed(kept)


@pytest.mark.parametrize(
    ("change", "text", "differ"),
    [
        ({"seed": 1}, TEXT, "seed: 0 there, 1 here"),
        ({}, "another", "digest of the text: of this test there, another here"),
        ({"model": {**CONFIG.model.model_dump(), "hidden": 48}}, TEXT, "model.hidden: absent there, 48 here"),
    ],
)
def test_what_makes_it_another_training_is_named(kept: Run, change: dict[str, Any], text: str, differ: str) -> None:
    config = TrainConfig.model_validate({**kept.job.config.model_dump(), **change})
    _, loop = parts()
    checkpoints = open_checkpoints(replace(kept, job=replace(kept.job, config=config)), text, loop.batch_rows)
    assert checkpoints is not None
    with pytest.raises(Failure, match=rf"of another training \({differ}\): give"):
        checkpoints.newest({})


def test_checkpoints_are_kept_and_read_back_as_the_configuration_says(kept: Run) -> None:
    checkpoints = open_checkpoints(kept, TEXT, 4)
    assert checkpoints is not None
    policy = checkpoints.policy
    assert (policy.keep, policy.keep_every, policy.read_back) == (7, 3, True)
    assert policy.timeout_s == kept.job.config.checkpoint_timeout_s


def test_a_job_that_keeps_no_checkpoints_opens_none() -> None:
    run = Run(load({}), {}, Verdict(False, "", "job"))
    assert open_checkpoints(run, TEXT, 4) is None
