"""The training itself: a state, a step, and the loop that drives it."""

from __future__ import annotations

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from statistics import fmean
from typing import Any, NamedTuple

import jax
import jax.numpy as jnp
import numpy as np
import optax
from jax.sharding import Mesh, PartitionSpec

from train.checkpoint.gate import CPU, batch_digest
from train.checkpoint.manifest import Mark
from train.config.job import Job
from train.config.settings import TrainConfig
from train.data.batches import VALIDATION_SEQUENCES, Batches, Corpus, Prefetch, validation_rows
from train.metrics.times import StepTimes, own_time
from train.model import attention
from train.model.transformer import Transformer, compute_dtype, initial
from train.optim import make_optimizer
from train.parallel import cpu
from train.parallel.mesh import arrange, place, replicated, row_shards, rows_of, shardings, split, to_devices

State = dict[str, Any]  # "params", "optimizer" and "guard": everything that a step changes

# A CPU trains the default model in two seconds, and its compiler at full effort takes five: it is told to hurry.
_HURRY = {"xla_backend_optimization_level": 0}
_HURRY_STEPS = 200  # from here on a faster program is worth the wait
_SPIKE_FREE_STEPS = 20  # before a running mean says what is usual
_MEAN_SHARE = 0.05  # of each new loss in the running mean


class _Told(NamedTuple):
    """What a step says of itself; ``first_bad_row`` means nothing without ``bad_rows``."""

    loss: Any
    norm: Any
    skipped: Any
    in_a_row: Any
    bad_rows: Any
    first_bad_row: Any


class Trainer:
    """One model on one mesh: how its state is spread over the devices, and the programs that change it.

    Args:
        cpus: the kind of each process's CPU, in the order of their indices; empty: all are as this one.

    Attributes:
        like: a state without its numbers.
        is_apart: each device holds all parameters, so that a step is two programs: what a worker does alone, and what
            all do together. A worker's own time is told apart so. Devices that share parameters need each other in
            every layer: they run one program, and nobody's own time is known.
    """

    def __init__(self, config: TrainConfig, mesh: Mesh, attend: str = "plain", cpus: Sequence[str] = ()) -> None:
        self.config, self.attention, self._cpus = config, attend, cpus
        self.mesh = arrange(mesh, config.fsdp, config.tensor)
        self.is_apart = config.fsdp == config.tensor == 1
        platform, rows = mesh.devices.flat[0].platform, split(self.mesh)
        self._model = Transformer(
            config.model,
            compute_dtype(platform),
            attention.IMPLEMENTATIONS[attend],
            lambda x_NxD: jax.lax.with_sharding_constraint(x_NxD, rows),
        )
        self._optimizer = make_optimizer(config)
        self.like = jax.eval_shape(self.initial)
        self._shardings = shardings(self.mesh, self.like)
        everywhere = replicated(self.mesh)
        options = _HURRY if platform == "cpu" and config.steps <= _HURRY_STEPS else None
        takes = (PartitionSpec(), rows.spec)
        own = jax.shard_map(self._own, mesh=self.mesh, in_specs=takes, out_specs=rows.spec, check_vma=False)
        self._own_program = jax.jit(own, compiler_options=options)
        self._step_program = jax.jit(
            self._step,
            donate_argnums=0,
            out_shardings=(self._shardings, everywhere),
            compiler_options=options,
        )
        self.loss = jax.jit(self._loss, out_shardings=everywhere, compiler_options=options)

    @property
    def topology(self) -> str:
        """What a training must be repeated on to give the same bits."""
        axes = " ".join(f"{name}={size}" for name, size in self.mesh.shape.items())
        device, processes = self.mesh.devices.flat[0], jax.process_count()
        # Where they differ it matters which process has which: each computes other rows.
        cpus = self._cpus or [cpu.kind()]
        told = " ".join(cpus if len(set(cpus)) > 1 else cpus[:1])
        kind = f"{CPU} {told}" if device.platform == CPU else device.device_kind
        parts = f"{self.config.accumulate} parts, {self.config.model.remat} remat"
        return f"{kind}, {processes} processes, {axes}, {self.attention} attention, {parts}, jax {jax.__version__}"

    def initial(self) -> State:
        """The state before the first step, in host memory."""
        params = initial(self.config.model, self.config.seed)
        empty = jax.eval_shape(self._optimizer.init, params)  # Adam begins with zeros everywhere
        guard = {"mean": np.float32(0), "counted": np.int32(0), "skipped": np.int32(0), "in_a_row": np.int32(0)}
        zeros = jax.tree.map(lambda leaf: np.zeros(leaf.shape, leaf.dtype), empty)
        return {"params": params, "optimizer": zeros, "guard": jax.tree.map(np.asarray, guard)}

    def place(self, host_state: State) -> State:
        """A state in host memory, spread over the devices."""
        return place(self._shardings, host_state)

    def own(self, state: State, tokens_BxT1: jax.Array) -> Any:
        """What a worker does of a step before it needs the others; of devices that share parameters: nothing."""
        return self._own_program(state["params"], tokens_BxT1) if self.is_apart else tokens_BxT1

    def step(self, state: State, own: Any) -> tuple[State, jax.Array]:
        """The rest of a step, after what :meth:`own` gave: the next state, and the numbers of :class:`_Told`."""
        return self._step_program(state, own)

    def _loss(self, state: State, tokens_BxT1: jax.Array) -> jax.Array:
        return self._model.loss_B(state["params"], tokens_BxT1).mean()

    def _own(self, params: Any, tokens_BxT1: jax.Array) -> tuple[jax.Array, Any]:
        """Losses and gradient of the rows of one device, the gradient with an axis for the devices in front."""
        alone = replace(self._model, constrain=lambda x_NxD: x_NxD)
        loss_B, gradient = self._gradient(alone, params, tokens_BxT1)
        return loss_B, jax.tree.map(lambda leaf: leaf[None], gradient)

    def _step(self, state: State, own: Any) -> tuple[State, jax.Array]:
        """The next state, and the numbers of :class:`_Told` in one array: they are fetched at once."""
        if self.is_apart:
            loss_B, gradient = own[0], jax.tree.map(lambda of_devices: of_devices.mean(axis=0), own[1])
        else:
            loss_B, gradient = self._gradient(self._model, state["params"], own)
        loss, norm = loss_B.mean(), optax.tree.norm(gradient)
        updates, optimizer = self._optimizer.update(gradient, state["optimizer"], state["params"])
        after = {"params": optax.apply_updates(state["params"], updates), "optimizer": optimizer}
        is_good, guard = _judge(state["guard"], loss, norm, self.config.spike_nats)
        kept = {
            name: jax.tree.map(lambda new, old: jnp.where(is_good, new, old), after[name], state[name])
            for name in after
        }
        is_bad_B = ~jnp.isfinite(loss_B)
        told = _Told(loss, norm, guard["skipped"], guard["in_a_row"], is_bad_B.sum(), is_bad_B.argmax())
        return {**kept, "guard": guard}, jnp.stack([jnp.float32(number) for number in told])

    def _gradient(self, model: Transformer, params: Any, tokens_BxT1: jax.Array) -> tuple[jax.Array, Any]:
        """Of the mean loss over all rows, computed in parts; the losses of the rows beside it."""

        def mean_loss(params: Any, tokens: jax.Array) -> tuple[jax.Array, jax.Array]:
            loss_B = model.loss_B(params, tokens)
            return loss_B.mean(), loss_B

        gradient_of, parts = jax.grad(mean_loss, has_aux=True), self.config.accumulate
        if parts == 1:
            gradient, loss_B = gradient_of(params, tokens_BxT1)
            return loss_B, gradient

        def add(total: Any, tokens: jax.Array) -> tuple[Any, jax.Array]:
            gradient, loss_B = gradient_of(params, model.constrain(tokens))
            return jax.tree.map(lambda a, b: a + b / parts, total, gradient), loss_B

        # Every parts-th row makes a part: so each device finds its share of each among its own rows.
        tokens_PxBxT1 = tokens_BxT1.reshape(-1, parts, tokens_BxT1.shape[1]).swapaxes(0, 1)
        gradient, loss_PxB = jax.lax.scan(add, jax.tree.map(jnp.zeros_like, params), tokens_PxBxT1)
        return loss_PxB.swapaxes(0, 1).reshape(-1), gradient


def _judge(guard: State, loss: jax.Array, norm: jax.Array, spike_nats: float) -> tuple[jax.Array, State]:
    """Whether a step may change the parameters, and the guard after it."""
    is_spike = (guard["counted"] >= _SPIKE_FREE_STEPS) & (loss > guard["mean"] + spike_nats)
    is_good = jnp.isfinite(loss) & jnp.isfinite(norm) & ~is_spike
    share = jnp.where(guard["counted"] == 0, 1.0, _MEAN_SHARE)
    mean = jnp.where(is_good, guard["mean"] + share * (loss - guard["mean"]), guard["mean"])
    bad = 1 - is_good.astype(jnp.int32)
    return is_good, {
        "mean": mean,
        "counted": guard["counted"] + 1 - bad,
        "skipped": guard["skipped"] + bad,
        "in_a_row": (guard["in_a_row"] + 1) * bad,
    }


@dataclass
class Progress:
    """Where a training is.

    Attributes:
        cursor: the sequences drawn so far.
        skipped: the steps that changed nothing.
        given_up: why no step may follow; empty while one may.
    """

    state: State
    step: int = 0
    cursor: int = 0
    skipped: int = 0
    given_up: str = ""


class Loop:
    """Feeds a trainer with this process's share of the text, and times its steps; ``at`` is told where it is."""

    def __init__(
        self, job: Job, trainer: Trainer, corpus: Corpus, at: Callable[[str], None] = lambda where: None
    ) -> None:
        self._at = at
        config, shards = job.config, row_shards(trainer.mesh)
        self._trainer, self._config, self._processes = trainer, config, job.processes
        self.batch_rows = _round_up(config.batch_size, shards * config.accumulate)
        self._batches = Batches(corpus.train, config.model.context, self.batch_rows, config.seed)
        part = rows_of(job.index, job.processes, self.batch_rows)
        self._next = Prefetch(lambda cursor: self._batches.rows(cursor, part), self.batch_rows)
        # No more at once than the training takes: what it has room for, the validation has.
        at_once = min(self.batch_rows // config.accumulate, _round_up(VALIDATION_SEQUENCES, shards))
        held_out = validation_rows(corpus.validation, config.model.context, at_once)
        own = rows_of(job.index, job.processes, at_once)
        parts = held_out.reshape(-1, at_once, held_out.shape[1])
        self._held_out = [to_devices(trainer.mesh, part[own]) for part in parts]
        self.times = StepTimes(self.batch_rows * config.model.context)

    def mark(self, progress: Progress) -> Mark:
        """Where the training is, for a checkpoint."""
        next_batch = batch_digest(self.next_rows(progress.cursor))
        return Mark(progress.step, progress.cursor, next_batch, self._trainer.topology)

    def next_rows(self, cursor: int) -> np.ndarray:
        """The whole batch that comes at ``cursor``."""
        return self._batches.rows(cursor, slice(None))

    def validation_loss(self, state: State) -> float:
        """Nats per token on the held-out text."""
        return fmean(float(self._trainer.loss(state, part)) for part in self._held_out)

    def advance(self, progress: Progress) -> float:
        """One step; the training loss before it.

        Where one step after another was skipped, ``progress.given_up`` says so, and names the process whose sequences
        were the first to fail.
        """
        start = time.perf_counter()
        own, own_s = own_time(lambda: self._own(progress))
        self._at(f"{'the sum over all of ' if self._trainer.is_apart else ''}step {progress.step + 1}")
        progress.state, numbers = self._trainer.step(progress.state, own)
        told = _Told(*np.asarray(numbers.addressable_data(0)))
        took = time.perf_counter() - start
        self.times.add(took, own_s if self._trainer.is_apart else None, is_good=not told.in_a_row)
        progress.step += 1
        progress.cursor += self.batch_rows
        progress.skipped = int(told.skipped)
        if told.in_a_row >= self._config.max_skipped:
            progress.given_up = _why_given_up(progress.step, told, self.batch_rows, self._processes)
        return float(told.loss)

    def _own(self, progress: Progress) -> Any:
        """What this worker does of a step before it needs the others."""
        self._at(f"reading for step {progress.step + 1}")
        rows = to_devices(self._trainer.mesh, self._next.take(progress.cursor))
        if self._trainer.is_apart:
            self._at(f"the gradient of step {progress.step + 1}")
        return jax.block_until_ready(self._trainer.own(progress.state, rows))


def _round_up(rows: int, multiple_of: int) -> int:
    return -(-rows // multiple_of) * multiple_of


def _why_given_up(step: int, told: _Told, rows: int, processes: int) -> str:
    seen = f"the loss became {told.loss:g} (gradient norm {told.norm:g}) at step {step}"
    after = f"{told.in_a_row:g} steps in a row were skipped"
    if not told.bad_rows:
        return f"{seen}{', too far from what it was' if np.isfinite(told.norm) else ''}: {after}"
    owner = int(told.first_bad_row) // (rows // processes)
    return f"{seen}: {after}; of {rows} sequences {told.bad_rows:g} are not finite, the first is of process {owner}"
