"""The training itself: a state, a step, and the loop that drives it."""

from __future__ import annotations

import math
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax
from flax import nnx
from jax.sharding import Mesh

from train.config import Failure, Job, TrainConfig
from train.data import Batches, Corpus, validation_rows
from train.metrics import StepTimes
from train.model import Transformer, compute_dtype
from train.optim import make_optimizer
from train.parallel import place, replicated, rows_of, to_devices

State = dict[str, Any]  # "params" and "optimizer": everything that a step changes


def loss_fn(graph: nnx.GraphDef, params: Any, tokens_BxT1: jax.Array) -> jax.Array:
    """Mean cross-entropy of the next byte, in nats."""
    logits_BxTxV = nnx.merge(graph, params)(tokens_BxT1[:, :-1])
    return optax.softmax_cross_entropy_with_integer_labels(logits_BxTxV, tokens_BxT1[:, 1:]).mean()


class Trainer:
    """One model on one mesh. The parameters are on every device, a batch's rows are spread over them."""

    def __init__(self, config: TrainConfig, mesh: Mesh) -> None:
        self.mesh = mesh
        dtype = compute_dtype(mesh.devices.flat[0].platform)
        optimizer = make_optimizer(config)

        def initialise() -> State:
            params = nnx.to_pure_dict(nnx.state(Transformer(config.model, dtype, nnx.Rngs(config.seed)), nnx.Param))
            return {"params": params, "optimizer": optimizer.init(params)}

        abstract = nnx.eval_shape(lambda: Transformer(config.model, dtype, nnx.Rngs(config.seed)))
        graph, template = nnx.split(abstract)

        def loss_of(params: Any, tokens: jax.Array) -> jax.Array:
            full = jax.tree.map(lambda leaf: leaf, template)
            nnx.replace_by_pure_dict(full, params)
            return loss_fn(graph, full, tokens)

        def step(state: State, tokens: jax.Array) -> tuple[State, jax.Array]:
            loss, gradient = jax.value_and_grad(loss_of)(state["params"], tokens)
            updates, optimizer_state = optimizer.update(gradient, state["optimizer"], state["params"])
            return {"params": optax.apply_updates(state["params"], updates), "optimizer": optimizer_state}, loss

        everywhere = replicated(mesh)
        self.initialise = jax.jit(initialise, out_shardings=everywhere)
        self.step = jax.jit(step, donate_argnums=0, out_shardings=everywhere)
        self.loss = jax.jit(lambda state, tokens: loss_of(state["params"], tokens), out_shardings=everywhere)

    def place(self, host_state: State) -> State:
        """A state read from a checkpoint, on every device."""
        return place(self.mesh, host_state)


def host_state(state: State) -> State:
    """The state as numpy arrays: a copy that this process holds whole."""
    return jax.tree.map(lambda leaf: np.asarray(leaf.addressable_data(0)), state)


@dataclass
class Progress:
    """Where a training is. ``cursor`` counts the sequences drawn so far."""

    state: State
    step: int
    cursor: int
    loss_first: float


class Loop:
    """Steps from where ``progress`` stands to the end of the schedule."""

    def __init__(self, job: Job, trainer: Trainer, corpus: Corpus) -> None:
        config = job.config
        self._job, self._trainer = job, trainer
        self._batches = Batches(corpus.train, config.model.context, config.batch_size, config.seed)
        self._part = rows_of(job.index, job.processes, config.batch_size)
        if config.batch_size % trainer.mesh.devices.size:
            raise Failure(f"batch_size {config.batch_size} cannot be shared by {trainer.mesh.devices.size} devices", shared=True)
        text = validation_rows(corpus.validation, config.model.context)
        self._held_out = to_devices(trainer.mesh, _fit(text, job, trainer.mesh))
        self.times = StepTimes(config.batch_size * config.model.context)

    def validation_loss(self, state: State) -> float:
        return float(self._trainer.loss(state, self._held_out))

    def advance(self, progress: Progress) -> float:
        """One step; the training loss before it. Raises :class:`Failure` where it is not finite."""
        start = time.perf_counter()
        rows = self._batches.rows(progress.cursor, self._part)
        progress.state, loss = self._trainer.step(progress.state, to_devices(self._trainer.mesh, rows))
        value = float(loss)
        self.times.add(time.perf_counter() - start)
        progress.step += 1
        progress.cursor += self._batches.batch_size
        if not math.isfinite(value):
            raise Failure(f"the loss became {value} at step {progress.step}", shared=True)
        return value

    def run(self, progress: Progress, after_step: Callable[[Progress, float], None]) -> None:
        while progress.step < self._job.config.steps:
            after_step(progress, self.advance(progress))


def _fit(rows: np.ndarray, job: Job, mesh: Mesh) -> np.ndarray:
    """This process's held-out rows, as many in all as the devices can share evenly."""
    devices = mesh.devices.size
    count = max(devices, len(rows) // devices * devices)
    return np.resize(rows, (count, rows.shape[1]))[rows_of(job.index, job.processes, count)]


def fresh(trainer: Trainer, loop: Loop) -> Progress:
    """A training that begins."""
    state = trainer.initialise()
    return Progress(state, step=0, cursor=0, loss_first=loop.validation_loss(state))


def digest_of(state: State) -> bytes:
    """All bytes of the parameters in one string, for comparing two trainings exactly."""
    return b"".join(np.asarray(leaf).tobytes() for leaf in jax.tree.leaves(host_state(state)["params"]))


def is_finite(state: State) -> bool:
    return all(bool(jnp.isfinite(leaf).all()) for leaf in jax.tree.leaves(host_state(state)["params"]))
