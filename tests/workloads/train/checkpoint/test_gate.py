"""A restoration that lost or repeated something does not pass, however little the loss would tell."""

from __future__ import annotations

from dataclasses import replace

import pytest
from train.checkpoint import gate
from train.checkpoint.checkpoints import Checkpoints
from train.checkpoint.manifest import Manifest
from train.checkpoint.store import FolderStore
from train.config.failure import Failure
from train.data.batches import Batches
from train.train import Loop, Progress, State, Trainer

from tests.workloads.train.test_train import loop_on, trained


@pytest.fixture(scope="module")
def saved(tmp_path_factory: pytest.TempPathFactory) -> tuple[Manifest, State]:
    """What a training of five steps left, and its state as it comes back."""
    progress, (trainer, loop) = trained(5), loop_on()
    checkpoints = Checkpoints(FolderStore(str(tmp_path_factory.mktemp("gate"))), "this", print)
    checkpoints.save_last(loop.mark(progress), progress.state)
    found = checkpoints.newest(trainer.initial())
    assert found is not None
    return found


def passes(saved: tuple[Manifest, State], trainer: Trainer, loop: Loop, progress: Progress) -> str:
    return gate.check(saved[0], progress.state, progress.cursor, loop.next_rows(progress.cursor), trainer.topology)


def test_what_was_restored_whole_goes_on_to_the_bit(saved: tuple[Manifest, State]) -> None:
    trainer, loop = loop_on()
    progress = Progress(trainer.place(saved[1]), saved[0].step, saved[0].cursor)
    assert passes(saved, trainer, loop, progress).startswith("to the bit")


@pytest.mark.real
def test_on_other_devices_it_goes_on_and_is_said_to_be_not_the_same_to_the_bit(saved: tuple[Manifest, State]) -> None:
    trainer, loop = loop_on(1)
    resumed = Progress(trainer.place(saved[1]), saved[0].step, saved[0].cursor)
    assert "not to the bit, the loss within 1e-5: saved on cpu" in passes(saved, trainer, loop, resumed)
    original, (_, loop_of_two) = trained(5), loop_on()
    for _ in range(5):
        assert loop.advance(resumed) == pytest.approx(loop_of_two.advance(original), abs=1e-5)


@pytest.mark.parametrize(
    ("before", "now", "said"),
    [
        ("cpu 12ab, 1 processes", "cpu 12ab, 1 processes", "to the bit: same state, same batch, same devices"),
        ("cpu 12ab, 1 processes", "cpu 34cd, 1 processes", "not to the bit, the loss within 1e-5: saved on cpu 12ab"),
        ("NVIDIA H200, 1 processes", "NVIDIA H200, 1 processes", "with same state, same batch, same devices"),
        ("cpu 12ab, 1 processes", "NVIDIA H200, 1 processes", "not to the bit: saved on cpu 12ab"),
    ],
)
def test_no_more_is_promised_than_the_devices_keep(
    saved: tuple[Manifest, State], before: str, now: str, said: str
) -> None:
    trainer, loop = loop_on()
    manifest, state = replace(saved[0], topology=before), trainer.place(saved[1])
    assert gate.check(manifest, state, manifest.cursor, loop.next_rows(manifest.cursor), now).startswith(said)


def test_a_dropped_optimizer_state_does_not_pass(saved: tuple[Manifest, State]) -> None:
    trainer, loop = loop_on()
    state = {**saved[1], "optimizer": trainer.initial()["optimizer"]}
    with pytest.raises(Failure, match=r"step 5 was not restored: optimizer/.* holds other numbers"):
        passes(saved, trainer, loop, Progress(trainer.place(state), 5, saved[0].cursor))


def test_a_cursor_off_by_one_does_not_pass(saved: tuple[Manifest, State]) -> None:
    trainer, loop = loop_on()
    for off in (-1, 1):
        cursor = saved[0].cursor + off
        with pytest.raises(Failure, match=f"the data goes on at sequence {cursor}, not {saved[0].cursor}"):
            passes(saved, trainer, loop, Progress(trainer.place(saved[1]), 5, cursor))


def test_a_repeated_batch_does_not_pass(saved: tuple[Manifest, State], monkeypatch: pytest.MonkeyPatch) -> None:
    trainer, loop = loop_on()
    right = Batches.indices
    monkeypatch.setattr(Batches, "indices", lambda self, cursor: right(self, cursor - self.batch_size))
    with pytest.raises(Failure, match=r"restored: the next batch is not the one that was to come$"):
        passes(saved, trainer, loop, Progress(trainer.place(saved[1]), 5, saved[0].cursor))


def test_one_number_of_one_parameter_does_not_pass(saved: tuple[Manifest, State]) -> None:
    trainer, loop = loop_on()
    progress = Progress(trainer.place(saved[1]), 5, saved[0].cursor)
    embed = progress.state["params"]["embed"]
    progress.state["params"]["embed"] = embed.at[3, 4].add(1e-3)
    with pytest.raises(Failure, match="params/embed holds other numbers"):
        passes(saved, trainer, loop, progress)


def test_what_is_not_restored_at_all_is_named(saved: tuple[Manifest, State]) -> None:
    trainer, loop = loop_on()
    state = trainer.place(saved[1])
    del state["guard"]
    with pytest.raises(Failure, match=r"guard/counted is missing; .* and 1 more"):
        passes(saved, trainer, loop, Progress(state, 5, saved[0].cursor))


def test_the_gate_asks_for_what_the_manifest_says_and_not_for_what_is_there(saved: tuple[Manifest, State]) -> None:
    manifest = replace(saved[0], next_batch="0" * 16)
    trainer, loop = loop_on()
    with pytest.raises(Failure, match="the next batch"):
        passes((manifest, saved[1]), trainer, loop, Progress(trainer.place(saved[1]), 5, manifest.cursor))
