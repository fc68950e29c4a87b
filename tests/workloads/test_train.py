from __future__ import annotations

import hashlib
from functools import cache

import jax
import numpy as np
import optax
import pytest
from jax.sharding import Mesh
from train.checkpoint import pack
from train.config import Accelerator, Failure, Job, TrainConfig
from train.data import Corpus, read_corpus
from train.parallel import AXIS
from train.train import Loop, Progress, Trainer, host_state

from .conftest import SMALL

CONFIG = TrainConfig.model_validate({**SMALL, "steps": 20, "warmup_steps": 2, "learning_rate": 1e-2})


def mesh_of(devices: int) -> Mesh:
    return Mesh(np.array(jax.devices()[:devices]), (AXIS,))


@cache
def corpus() -> Corpus:
    return read_corpus(CONFIG.corpus_bytes)


@cache
def trainer_on(devices: int) -> Trainer:
    return Trainer(CONFIG, mesh_of(devices))


def loop_on(devices: int = 2, config: TrainConfig = CONFIG) -> tuple[Trainer, Loop]:
    job = Job(config, Accelerator(), "test", "here", processes=1, index=0, coordinator="")
    return trainer_on(devices), Loop(job, trainer_on(devices), corpus())


def trained(steps: int, devices: int = 2) -> Progress:
    trainer, loop = loop_on(devices)
    progress = Progress(trainer.place(trainer.initial()))
    for _ in range(steps):
        loop.advance(progress)
    return progress


def digest(progress: Progress) -> str:
    return hashlib.sha256(pack(host_state(progress.state))).hexdigest()


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
    resumed = Progress(trainer.place(host_state(half.state)), half.step, half.cursor)
    for _ in range(5):
        loop.advance(resumed)
    assert digest(resumed) == digest(trained(10))
    assert (resumed.step, resumed.cursor) == (10, 40)


@pytest.mark.parametrize("lose", ["cursor", "optimizer"])
def test_a_resumption_that_loses_something_is_another_training(lose: str) -> None:
    half = trained(5)
    trainer, loop = loop_on()
    state = host_state(half.state)
    if lose == "optimizer":
        state["optimizer"] = trainer.initial()["optimizer"]
    resumed = Progress(trainer.place(state), half.step, 0 if lose == "cursor" else half.cursor)
    for _ in range(5):
        loop.advance(resumed)
    assert digest(resumed) != digest(trained(10))


def test_two_devices_train_as_one_does() -> None:
    one, two = (host_state(trained(5, devices).state)["params"] for devices in (1, 2))
    np.testing.assert_allclose(one, two, atol=1e-4)


def test_the_state_begins_as_the_optimizer_would_begin_it() -> None:
    state = trainer_on(1).initial()
    by_optax = optax.adamw(1e-3).init(state["params"])
    zeros = {np.asarray(leaf).tobytes().strip(b"\0") for leaf in jax.tree.leaves((state["optimizer"], by_optax))}
    assert zeros == {b""}


def test_a_batch_grows_until_all_devices_get_as_many_rows() -> None:
    _, loop = loop_on(2, CONFIG.model_copy(update={"batch_size": 3}))
    assert loop.batch_rows == 4


def test_a_loss_that_is_not_finite_ends_the_training_with_its_step() -> None:
    trainer, loop = loop_on()
    state = trainer.initial()
    state["params"] = state["params"] * np.float32(np.nan)
    with pytest.raises(Failure, match="the loss became nan at step 1"):
        loop.advance(Progress(trainer.place(state)))


def test_the_first_step_is_the_compilers_and_is_not_counted() -> None:
    _, loop = loop_on()
    for seconds in (9.0, 1.0, 3.0):
        loop.times.add(seconds)
    assert loop.times.percentile_s(50) == 2.0
    assert loop.times.tokens_per_s() == 2 * 4 * 16 / 4.0
