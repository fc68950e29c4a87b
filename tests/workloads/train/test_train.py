from __future__ import annotations

import json
import os
import re
import subprocess
import sys
from functools import cache, partial

import jax
import jax.numpy as jnp
import numpy as np
import pytest
from jax.sharding import Mesh
from train.checkpoint.arrays import digests, pieces_of
from train.config.failure import Failure
from train.config.job import Accelerator, Job
from train.config.settings import TrainConfig
from train.data.batches import Corpus, read_corpus, validation_rows
from train.model.transformer import initial
from train.optim import _decays, make_optimizer
from train.parallel import cpu
from train.parallel.mesh import AXIS, arrange
from train.train import Loop, Progress, State, Trainer, _judge

from tests.workloads.conftest import SMALL, WORKLOADS

CONFIG = TrainConfig.model_validate({**SMALL, "steps": 20, "warmup_steps": 2, "learning_rate": 1e-2})


def mesh_of(devices: int) -> Mesh:
    return Mesh(np.array(jax.devices()[:devices]), (AXIS,))


_PROGRAM = """
import json, os
from tests.workloads.train.test_train import losses_of_eight
os.environ["XLA_FLAGS"] = "--xla_force_host_platform_device_count=8"  # before JAX looks for devices
print(json.dumps(losses_of_eight()))
"""


@cache
def corpus() -> Corpus:
    return read_corpus(CONFIG.corpus_bytes)


def trainer_on(devices: int, config: TrainConfig = CONFIG) -> Trainer:
    return _trainer_on(devices, config.model_dump_json())


@cache
def _trainer_on(devices: int, config: str) -> Trainer:
    return Trainer(TrainConfig.model_validate_json(config), mesh_of(devices))


def loop_of(trainer: Trainer, config: TrainConfig = CONFIG) -> Loop:
    return Loop(Job(config, Accelerator(), "test", "here", processes=1, index=0, coordinator=""), trainer, corpus())


def loop_on(devices: int = 2, config: TrainConfig = CONFIG) -> tuple[Trainer, Loop]:
    trainer = trainer_on(devices, config)
    return trainer, loop_of(trainer, config)


def trained(steps: int, devices: int = 2) -> Progress:
    trainer, loop = loop_on(devices)
    progress = Progress(trainer.place(trainer.initial()))
    for _ in range(steps):
        loop.advance(progress)
    return progress


def digest(progress: Progress) -> str:
    return "".join(digests(piece.data for piece in pieces_of(progress.state)))


def on_host(state: State) -> State:
    return jax.tree.map(np.array, state)


def test_training_lowers_the_loss_on_text_that_was_held_out() -> None:
    trainer, loop = loop_on()
    before = loop.validation_loss(trainer.place(trainer.initial()))
    assert loop.validation_loss(trained(CONFIG.steps).state) < before - 0.5


def test_the_same_training_twice_gives_the_same_bytes() -> None:
    assert digest(trained(5)) == digest(trained(5))
    assert digest(trained(5)) != digest(trained(4))


def test_a_training_resumed_from_host_memory_goes_on_bit_for_bit() -> None:
    half = trained(5)
    trainer, loop = loop_on()
    resumed = Progress(trainer.place(on_host(half.state)), half.step, half.cursor)
    for _ in range(5):
        loop.advance(resumed)
    assert digest(resumed) == digest(trained(10))
    assert (resumed.step, resumed.cursor) == (10, 40)


APART, SHARED = {"accumulate": 2}, ({"fsdp": 2, "accumulate": 2}, {"tensor": 2})


@pytest.mark.real
@pytest.mark.parametrize("how", [APART, *SHARED], ids=["in parts", "fsdp in parts", "tensor"])
def test_however_two_devices_share_a_step_its_losses_are_those_of_one(how: dict) -> None:
    np.testing.assert_allclose(losses(5, 2, CONFIG.model_copy(update=how)), losses(5, 1, CONFIG), atol=1e-5)


@pytest.mark.real
@pytest.mark.parametrize(("how", "timed"), [(APART, 2), *((how, 0) for how in SHARED)])
def test_only_where_each_device_holds_all_parameters_is_a_worker_s_own_time_known(how: dict, timed: int) -> None:
    trainer, loop = loop_on(2, CONFIG.model_copy(update=how))
    progress = Progress(trainer.place(trainer.initial()))
    for _ in range(3):
        loop.advance(progress)
    assert len(loop.times.own_s) == timed


@pytest.mark.real
def test_however_eight_devices_share_a_step_its_losses_are_those_of_one() -> None:
    run = [sys.executable, "-c", _PROGRAM]
    environment = {**os.environ, "PYTHONPATH": str(WORKLOADS)}
    done = subprocess.run(run, env=environment, cwd=WORKLOADS.parent, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stderr[-1000:]
    alone, *shared = json.loads(done.stdout)
    for each in shared:
        np.testing.assert_allclose(each, alone, atol=1e-5)


def losses_of_eight() -> list[list[float]]:
    """Of one device; of eight that share nothing; parameters; all there is to share. In parts the first and last."""
    hows = [{"accumulate": 2}, {"fsdp": 8}, {"fsdp": 2, "tensor": 2, "accumulate": 2}]
    model = CONFIG.model.model_copy(update={"heads": 4, "kv_heads": 4, "width": 32, "remat": "block"})
    config = CONFIG.model_copy(update={"batch_size": 16, "model": model})
    return [losses(5, 1, config), *(losses(5, 8, config.model_copy(update=how)) for how in hows)]


def losses(steps: int, devices: int, config: TrainConfig) -> list[float]:
    trainer = trainer_on(devices, config)
    loop = loop_of(trainer, config)
    progress = Progress(trainer.place(trainer.initial()))
    return [loop.advance(progress) for _ in range(steps)]


def test_parameters_and_averages_are_divided_as_the_mesh_says() -> None:
    trainer = trainer_on(2, CONFIG.model_copy(update={"fsdp": 2, "accumulate": 2}))
    state = trainer.place(trainer.initial())
    for tree in (state["params"], state["optimizer"][1][0].mu):
        down = tree["blocks"][0]["down"]
        assert down.addressable_shards[0].data.size * 2 == down.size
    assert state["params"]["norm"].sharding.is_fully_replicated


@pytest.mark.parametrize(
    ("devices", "fsdp", "tensor", "why"), [("2 devices", 3, 1, "fsdp 3 × tensor 1"), ("1 device", 1, 2, "tensor 2")]
)
def test_devices_that_cannot_be_divided_so_are_refused(devices: str, fsdp: int, tensor: int, why: str) -> None:
    with pytest.raises(Failure, match=rf"^{devices} cannot be divided by .*{why}"):
        arrange(mesh_of(int(devices[0])), fsdp, tensor)


def test_the_state_begins_as_the_optimizer_would_begin_it() -> None:
    state = trainer_on(1).initial()
    by_optax = jax.tree.map(np.asarray, make_optimizer(CONFIG).init(state["params"]))
    jax.tree.map(partial(np.testing.assert_array_equal, strict=True), state["optimizer"], by_optax)
    assert jax.tree.structure(state["optimizer"]) == jax.tree.structure(by_optax)


def test_a_batch_grows_until_all_devices_get_as_many_rows() -> None:
    _, loop = loop_on(2, CONFIG.model_copy(update={"batch_size": 3}))
    assert loop.batch_rows == 4


@pytest.mark.parametrize(
    ("how", "at_once"), [({}, 4), ({"batch_size": 6, "accumulate": 3}, 2), ({"batch_size": 100}, 64)]
)
def test_the_validation_takes_no_more_rows_at_once_than_a_step(
    how: dict, at_once: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    trainer, loop = loop_on(2, CONFIG.model_copy(update=how))
    state, given, loss = trainer.place(trainer.initial()), list[int](), trainer.loss
    monkeypatch.setattr(trainer, "loss", lambda state, rows: given.append(len(rows)) or loss(state, rows))
    found = loop.validation_loss(state)
    assert set(given) == {at_once}
    assert sum(given) >= 64
    rows = validation_rows(corpus().validation, CONFIG.model.context, at_once)
    assert found == pytest.approx(float(loss(state, rows)), abs=1e-6)


def test_a_processor_with_other_instructions_is_another_device(monkeypatch: pytest.MonkeyPatch) -> None:
    topology = trainer_on(2).topology
    assert topology.startswith(f"cpu {cpu.kind()}, 1 processes, ")
    monkeypatch.setattr(cpu, "kind", lambda: "other")
    assert trainer_on(2).topology != topology


def test_processors_that_differ_are_told_one_by_one_in_the_order_of_the_processes() -> None:
    def told(*cpus: str) -> str:
        return Trainer(CONFIG, mesh_of(2), cpus=cpus).topology.partition(",")[0]

    assert told("12ab", "12ab") == "cpu 12ab"
    assert told("12ab", "34cd", "12ab") == "cpu 12ab 34cd 12ab"


def broken(progress: Progress) -> Progress:
    """With a number in its parameters that is none."""
    state = on_host(progress.state)
    state["params"]["norm"][0] = np.nan
    return Progress(trainer_on(2).place(state), progress.step, progress.cursor)


def test_a_step_that_is_not_finite_changes_nothing_and_is_counted() -> None:
    _, loop = loop_on()
    progress = broken(trained(2))
    before = digest(Progress({key: progress.state[key] for key in ("params", "optimizer")}))
    assert np.isnan(loop.advance(progress))
    assert digest(Progress({key: progress.state[key] for key in ("params", "optimizer")})) == before
    assert (progress.step, progress.cursor, progress.skipped) == (3, 12, 1)


def test_after_some_such_steps_in_a_row_the_training_ends_with_the_step_and_the_process() -> None:
    _, loop = loop_on()
    progress = broken(trained(2))
    loop.advance(progress)
    loop.advance(progress)
    why = (
        r"the loss became nan \(gradient norm nan\) at step 5: 3 steps in a row were skipped; of 4 sequences 4 are not "
        r"finite, the first is of process 0"
    )
    assert not progress.given_up
    assert np.isnan(loop.advance(progress))
    assert re.search(why, progress.given_up)
    assert (progress.step, progress.skipped) == (5, 3)


def test_a_loss_far_above_its_mean_is_skipped_once_there_is_a_mean() -> None:
    judge = jax.jit(_judge, static_argnums=3)
    guard = {"mean": jnp.float32(2), "counted": jnp.int32(19), "skipped": jnp.int32(0), "in_a_row": jnp.int32(0)}
    is_good, guard = judge(guard, jnp.float32(6), jnp.float32(1), 3.0)
    assert is_good
    assert float(guard["mean"]) == pytest.approx(2.2)
    is_good, guard = judge(guard, jnp.float32(6), jnp.float32(1), 3.0)
    assert not is_good
    assert (int(guard["skipped"]), int(guard["in_a_row"]), float(guard["mean"])) == (1, 1, pytest.approx(2.2))
    is_good, guard = judge(guard, jnp.float32(2), jnp.float32(1), 3.0)
    assert (bool(is_good), int(guard["skipped"]), int(guard["in_a_row"])) == (True, 1, 0)


def test_norms_and_biases_do_not_decay() -> None:
    model = CONFIG.model.model_copy(update={"architecture": "gpt2"})
    decays = _decays(initial(model, 0))
    still = {path[-1].key for path, does in jax.tree_util.tree_leaves_with_path(decays) if not does}
    moving = {path[-1].key for path, does in jax.tree_util.tree_leaves_with_path(decays) if does}
    assert moving == {"embed", "qkv", "out", "up", "down"}
    assert not moving & still


def test_the_first_step_is_the_compilers_and_is_not_counted() -> None:
    _, loop = loop_on()
    for seconds in (9.0, 1.0, 3.0):
        loop.times.add(seconds)
    assert loop.times.percentile_s(50) == 2.0
    assert loop.times.tokens_per_s() == 2 * 4 * 16 / 4.0
