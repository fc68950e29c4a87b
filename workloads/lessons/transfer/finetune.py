"""Fine-tuning: the head and the last stages learn; the first stages, which see edges and textures, stay as they are.

Source: Yosinski et al. 2014, How transferable are features in deep neural networks?
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from typing import cast

import jax
import numpy as np
import optax
from flax import nnx

from lessons.training import cross_entropy
from lessons.transfer.loader import Batch
from lessons.transfer.resnet import ResNet, is_frozen

RATE, MOMENTUM = 0.01, 0.9
CLIP_NORM = 1.0
"""Of the gradient: a new head on old stages has large ones at first."""


class FineTuning:
    """A model of which the first ``frozen`` parts stay as they are."""

    def __init__(self, model: ResNet, frozen: int, rate: float = RATE) -> None:
        def learns(path: tuple[object, ...], value: object) -> bool:
            return not is_frozen(path, frozen)

        self._frozen = frozen
        self._graph, self.trained, self._stats, self._fixed = nnx.split(
            model, nnx.All(nnx.Param, learns), nnx.BatchStat, ...
        )
        self._optimizer = optax.chain(optax.clip_by_global_norm(CLIP_NORM), optax.sgd(rate, MOMENTUM, nesterov=True))
        self._moments = self._optimizer.init(self.trained)
        self._step = jax.jit(self._one_step)
        self._logits = jax.jit(self._use)

    @property
    def model(self) -> ResNet:
        """The model as it is now."""
        return nnx.merge(self._graph, self.trained, self._stats, self._fixed)

    def train(self, batches: Iterable[Batch]) -> Iterator[float]:
        """One step a batch; the loss before each."""
        for images, labels in batches:
            self.trained, self._stats, self._moments, loss = self._step(
                self.trained, self._stats, self._moments, images, labels
            )
            yield float(loss)

    def accuracy(self, batches: Iterable[Batch]) -> float:
        """The share of images whose class is the model's first choice."""
        right = [np.asarray(self._logits(self.trained, self._stats, images)).argmax(1) == y for images, y in batches]
        return float(np.concatenate(right).mean())

    def _one_step(
        self, trained: nnx.State, stats: nnx.State, moments: optax.OptState, images: jax.Array, labels: jax.Array
    ) -> tuple[nnx.State, nnx.State, optax.OptState, jax.Array]:
        def loss(trained: nnx.State) -> tuple[jax.Array, nnx.State]:
            model = nnx.merge(self._graph, trained, stats, self._fixed, copy=True)  # its norms write their averages
            value = cross_entropy(model(images, train=True, frozen=self._frozen), labels)
            return value, nnx.state(model, nnx.BatchStat)

        (value, stats), gradient = jax.value_and_grad(loss, has_aux=True)(trained)
        updates, moments = self._optimizer.update(gradient, moments, trained)
        return cast("nnx.State", optax.apply_updates(trained, updates)), stats, moments, value

    def _use(self, trained: nnx.State, stats: nnx.State, images: jax.Array) -> jax.Array:
        return nnx.merge(self._graph, trained, stats, self._fixed)(images)
