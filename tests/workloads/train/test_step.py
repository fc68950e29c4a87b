"""What one step is made of: the gradient's scale, whose rows it is of, what it may not change, what it gives back."""

from __future__ import annotations

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from train import train
from train.config.job import Accelerator, Job, load
from train.main import training
from train.main.run import Run
from train.model import attention
from train.report import Verdict
from train.train import Loop, Progress, _Told, _why_given_up

from tests.workloads.train.test_train import CONFIG, broken, corpus, digest, loop_on, mesh_of, trained, trainer_on


def first_norm(devices: int, **how: int) -> float:
    """The norm of the first step's gradient; Adam and the clip would hide a factor in it."""
    trainer, loop = loop_on(devices, CONFIG.model_copy(update=how))
    state = trainer.place(trainer.initial())
    rows = train.to_devices(trainer.mesh, loop.next_rows(0))
    _, numbers = trainer.step(state, trainer.own(state, rows))
    return float(_Told(*np.asarray(numbers)).norm)


@pytest.mark.real  # four programs to compile
@pytest.mark.parametrize("how", [{}, {"accumulate": 2}, {"fsdp": 2, "accumulate": 2}], ids=str)
def test_the_gradient_is_of_the_mean_over_all_rows_however_they_are_shared(how: dict[str, int]) -> None:
    assert first_norm(2, **how) == pytest.approx(first_norm(1), rel=1e-4)


def test_each_process_reads_the_rows_that_are_its_own(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(train, "to_devices", lambda mesh, rows: rows)
    for index in (0, 1):
        job = Job(CONFIG, Accelerator(), "test", "here", processes=2, index=index, coordinator="x:1")
        loop = Loop(job, trainer_on(2), corpus())
        own = slice(2 * index, 2 * index + 2)
        np.testing.assert_array_equal(loop._next.take(0), loop.next_rows(0)[own])


def test_the_losses_of_rows_that_are_computed_in_parts_are_in_the_rows_order() -> None:
    trainer, loop = loop_on(2, CONFIG.model_copy(update={"accumulate": 2}))
    params, rows = trainer.initial()["params"], loop.next_rows(0)
    gradient = jax.jit(trainer._gradient, static_argnums=0)
    loss_B, _ = gradient(trainer._model, params, rows)
    np.testing.assert_allclose(loss_B, jax.jit(trainer._model.loss_B)(params, rows), rtol=1e-5)
    assert len(set(np.asarray(loss_B).round(4))) == len(rows), "rows that cannot be told apart prove nothing"


@pytest.mark.parametrize(("first_bad", "process"), [(0, 0), (1, 0), (2, 1), (3, 1)])
def test_the_process_whose_rows_are_not_finite_is_named(first_bad: int, process: int) -> None:
    told = _Told(np.nan, np.nan, 3, 3, 1, first_bad)
    assert f"the first is of process {process}" in _why_given_up(5, told, rows=4, processes=2)


def test_a_step_frees_the_state_that_it_replaces() -> None:
    trainer, loop = loop_on()
    state = trainer.place(trainer.initial())
    rows = train.to_devices(trainer.mesh, loop.next_rows(0))
    trainer.step(state, trainer.own(state, rows))
    assert all(leaf.is_deleted() for leaf in jax.tree.leaves(state)), "two states at once take twice the memory"


def test_a_loss_far_above_the_mean_of_those_before_changes_nothing() -> None:
    trainer, loop = loop_on()
    state = {**trainer.initial()}
    state["guard"] = {**state["guard"], "mean": np.float32(-10), "counted": np.int32(20)}
    progress = Progress(trainer.place(state))
    before = digest(Progress({"params": progress.state["params"]}))
    loop.advance(progress)
    assert progress.skipped == 1
    assert digest(Progress({"params": progress.state["params"]})) == before


def test_a_step_that_changed_nothing_was_not_productive() -> None:
    _, loop = loop_on()
    progress = trained(2)
    for _ in range(3):
        loop.advance(progress)
    productive_s = loop.times.productive_s
    assert productive_s > 0
    loop.advance(broken(progress))
    assert loop.times.productive_s == productive_s


def test_the_model_computes_in_the_chip_s_type_and_forgets_what_the_configuration_says(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(train, "compute_dtype", lambda platform: jnp.bfloat16)
    config = CONFIG.model_copy(update={"model": CONFIG.model.model_copy(update={"remat": "block"})})
    model = train.Trainer(config, mesh_of(2))._model
    assert (model.dtype, model.config.remat) == (jnp.bfloat16, "block")


@pytest.mark.parametrize("fsdp", [1, 2])
def test_every_weight_is_divided_among_those_that_share_parameters(fsdp: int) -> None:
    """One that is kept whole costs each chip its memory, and no loss tells."""
    trainer = trainer_on(2, CONFIG.model_copy(update={"fsdp": fsdp}))
    params = trainer.place(trainer.initial())["params"]
    for path, leaf in jax.tree_util.tree_leaves_with_path(params):
        parts = fsdp if leaf.ndim > 1 else 1
        assert leaf.addressable_shards[0].data.size * parts == leaf.size, jax.tree_util.keystr(path)


def test_the_attention_is_the_fastest_of_those_that_run_on_the_chip(monkeypatch: pytest.MonkeyPatch) -> None:
    seconds = {attention.IMPLEMENTATIONS[name]: s for name, s in {"plain": 2.0, "xla": 1.0, "cudnn": 3.0}.items()}
    monkeypatch.setattr(attention, "_time", lambda attend, *rest: seconds[attend])
    monkeypatch.setattr(attention, "candidates", lambda platform: ("plain", "xla", "cudnn"))
    run = Run(load({}), {}, Verdict(False, "", "job"))
    assert training.choose_attention(run, mesh_of(2)) == "xla"
