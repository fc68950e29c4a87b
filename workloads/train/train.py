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
from jax.sharding import Mesh, PartitionSpec

from train.config import Failure, Job, ModelConfig, TrainConfig
from train.data import Batches, Corpus, validation_rows
from train.metrics import StepTimes, own_time
from train.model import Transformer, compute_dtype
from train.optim import make_optimizer
from train.parallel import AXIS, place, rows_of, to_devices

State = dict[str, Any]  # "params", one float32 vector, and "optimizer": everything that a step changes

# A CPU trains the default model in two seconds, and its compiler at full effort takes five: it is told to hurry.
_HURRY = {"xla_backend_optimization_level": 0}


class FlatModel:
    """The transformer as a function of one vector, so that a step needs one all-reduce and a checkpoint one array."""

    def __init__(self, config: ModelConfig, dtype: jnp.dtype) -> None:
        abstract = nnx.eval_shape(lambda: Transformer(config, dtype, nnx.Rngs(0)))
        self._graph, template = nnx.split(abstract)
        leaves, self._structure = jax.tree_util.tree_flatten_with_path(template)
        self._shapes = {jax.tree_util.keystr(path): leaf.shape for path, leaf in leaves}
        self._ends = np.cumsum([math.prod(shape) for shape in self._shapes.values()])

    def initial(self, seed: int) -> np.ndarray:
        """Random parameters, the same at every process. Made by numpy: compiling JAX's generators takes seconds."""
        random = np.random.default_rng(seed)
        return np.concatenate([_initial(name, shape, random).ravel() for name, shape in self._shapes.items()])

    def logits(self, params: jax.Array, tokens_BxT: jax.Array) -> jax.Array:
        """Logits of the byte after each of ``tokens_BxT``."""
        parts = jnp.split(params, self._ends[:-1])
        leaves = [part.reshape(shape) for part, shape in zip(parts, self._shapes.values(), strict=True)]
        model = nnx.merge(self._graph, jax.tree_util.tree_unflatten(self._structure, leaves))
        return model(tokens_BxT)

    def loss(self, params: jax.Array, tokens_BxT1: jax.Array) -> jax.Array:
        """Mean cross-entropy of the next byte, in nats."""
        logits_BxTxV = self.logits(params, tokens_BxT1[:, :-1])
        return optax.softmax_cross_entropy_with_integer_labels(logits_BxTxV, tokens_BxT1[:, 1:]).mean()


def _initial(name: str, shape: tuple[int, ...], random: np.random.Generator) -> np.ndarray:
    """Ones for a norm's scale, else normal numbers with the variance 1 / inputs."""
    if len(shape) == 1:
        return np.ones(shape, np.float32)
    inputs = shape[1] if "embedding" in name else shape[0]
    return random.standard_normal(shape, np.float32) * np.float32(inputs**-0.5)


class Trainer:
    """One model on one mesh. The parameters are on every device, a batch's rows are spread over them."""

    def __init__(self, config: TrainConfig, mesh: Mesh) -> None:
        self.mesh, self._seed = mesh, config.seed
        platform = mesh.devices.flat[0].platform
        self._model, self._optimizer = FlatModel(config.model, compute_dtype(platform)), make_optimizer(config)
        options = _HURRY if platform == "cpu" else None
        # Two programs a step: what a worker does alone, and what all do together. A worker's own time is told apart so.
        own = self._over_devices(self._own, PartitionSpec(AXIS))
        self.own = jax.jit(own, compiler_options=options)
        step = self._over_devices(self._step)
        self.step = jax.jit(step, donate_argnums=0, compiler_options=options)
        self.loss = jax.jit(self._over_devices(self._loss), compiler_options=options)

    def initial(self) -> State:
        """The state before the first step, in host memory."""
        params = self._model.initial(self._seed)
        empty = jax.eval_shape(self._optimizer.init, params)  # Adam begins with zeros everywhere
        return {"params": params, "optimizer": jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), empty)}

    def place(self, host_state: State) -> State:
        """A state in host memory, in full on every device."""
        return place(self.mesh, host_state)

    def _over_devices(self, function: Any, gives: PartitionSpec = PartitionSpec()) -> Any:  # noqa: B008
        """Run ``function(state, rows)`` on each device's rows; it gives the same on all, unless ``gives`` says so."""
        takes = (PartitionSpec(), PartitionSpec(AXIS))
        return jax.shard_map(function, mesh=self.mesh, in_specs=takes, out_specs=gives, check_vma=False)

    def _loss(self, state: State, tokens: jax.Array) -> jax.Array:
        return jax.lax.pmean(self._model.loss(state["params"], tokens), AXIS)

    def _own(self, state: State, tokens: jax.Array) -> tuple[jax.Array, jax.Array]:
        """Loss and gradient of each device's own rows."""
        loss, gradient = jax.value_and_grad(self._model.loss)(state["params"], tokens)
        return loss[None], gradient[None]

    def _step(self, state: State, own: tuple[jax.Array, jax.Array]) -> tuple[State, jax.Array]:
        """The state after the mean of all devices' gradients, and the mean loss before it."""
        loss, gradient = jax.lax.pmean(jax.tree.map(lambda row: row[0], own), AXIS)
        updates, optimizer = self._optimizer.update(gradient, state["optimizer"], state["params"])
        return {"params": optax.apply_updates(state["params"], updates), "optimizer": optimizer}, loss


def host_state(state: State) -> State:
    """The state as numpy arrays: a copy that this process holds whole."""
    return jax.tree.map(lambda leaf: np.asarray(leaf.addressable_data(0)), state)


@dataclass
class Progress:
    """Where a training is. ``cursor`` counts the sequences drawn so far."""

    state: State
    step: int = 0
    cursor: int = 0


class Loop:
    """Feeds a trainer with this process's share of the text, and times its steps; ``at`` is told where it is."""

    def __init__(
        self, job: Job, trainer: Trainer, corpus: Corpus, at: Callable[[str], None] = lambda where: None
    ) -> None:
        self._at = at
        config, devices = job.config, trainer.mesh.devices.size
        self._trainer = trainer
        self.batch_rows = -(-config.batch_size // devices) * devices
        self._batches = Batches(corpus.train, config.model.context, self.batch_rows, config.seed)
        self._part = rows_of(job.index, job.processes, self.batch_rows)
        held_out = validation_rows(corpus.validation, config.model.context, devices)
        self._held_out = to_devices(trainer.mesh, held_out[rows_of(job.index, job.processes, len(held_out))])
        self.times = StepTimes(self.batch_rows * config.model.context)

    def validation_loss(self, state: State) -> float:
        """Nats per byte on the held-out text."""
        return float(self._trainer.loss(state, self._held_out))

    def advance(self, progress: Progress) -> float:
        """One step; the training loss before it. Raises :class:`Failure` where it is not finite."""
        start = time.perf_counter()
        own, own_seconds = own_time(lambda: self._own(progress))
        self._at(f"the sum over all of step {progress.step + 1}")
        progress.state, loss = self._trainer.step(progress.state, own)
        value = float(loss)
        self.times.add(time.perf_counter() - start, own_seconds)
        progress.step += 1
        progress.cursor += self.batch_rows
        if not math.isfinite(value):
            raise Failure(f"the loss became {value} at step {progress.step}")
        return value

    def _own(self, progress: Progress) -> tuple[jax.Array, jax.Array]:
        """What this worker does of a step before it needs the others."""
        self._at(f"reading for step {progress.step + 1}")
        rows = to_devices(self._trainer.mesh, self._batches.rows(progress.cursor, self._part))
        self._at(f"the gradient of step {progress.step + 1}")
        return jax.block_until_ready(self._trainer.own(progress.state, rows))
