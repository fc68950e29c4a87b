"""Training with Adam on mini-batches: the one loop that all lessons share."""

from __future__ import annotations

from collections.abc import Callable
from typing import TypeVar

import jax
import jax.numpy as jnp
import numpy as np
import optax

BATCH = 64
RATE = 0.001  # Adam's own default (Kingma and Ba 2015, algorithm 1)

Parameters = TypeVar("Parameters")
Loss = Callable[[Parameters, jax.Array, jax.Array, jax.Array], jax.Array]
"""``loss(parameters, x_BxP, label_B, key)``: a number to make small; the key is for dropout."""


def fit(
    loss: Loss[Parameters],
    parameters: Parameters,
    x_NxP: np.ndarray,
    label_N: np.ndarray,
    *,
    epochs: int,
    seed: int = 0,
    rate: float = RATE,
    batch: int = BATCH,
    after_epoch: Callable[[int, Parameters, float], None] | None = None,
) -> Parameters:
    """The parameters after ``epochs`` passes in a new order each; what does not fill a batch waits for the next order.

    ``after_epoch`` is told the epoch from 1, the parameters and the mean loss over the epoch's batches.
    """
    batch = min(batch, len(x_NxP))
    steps = len(x_NxP) // batch
    optimizer = optax.adam(rate)

    def step(carried: tuple, batch_and_key: tuple) -> tuple[tuple, jax.Array]:
        parameters, moments = carried
        value, gradient = jax.value_and_grad(loss)(parameters, *batch_and_key)
        updates, moments = optimizer.update(gradient, moments)
        return (optax.apply_updates(parameters, updates), moments), value

    @jax.jit
    def epoch(carried: tuple, order: np.ndarray, number: int) -> tuple[tuple, jax.Array]:
        keys = jax.random.split(jax.random.fold_in(jax.random.key(seed), number), steps)
        x, label = (array[order].reshape(steps, batch, *array.shape[1:]) for array in data)
        carried, values = jax.lax.scan(step, carried, (x, label, keys))
        return carried, values.mean()

    data, random = (jnp.asarray(x_NxP), jnp.asarray(label_N)), np.random.default_rng(seed)
    carried = parameters, jax.jit(optimizer.init)(parameters)  # jit: one program, not one for each shape
    for number in range(epochs):
        order = random.permutation(len(x_NxP))[: steps * batch]
        carried, value = epoch(carried, order, number)
        if after_epoch is not None:
            after_epoch(number + 1, carried[0], float(value))
    return carried[0]


def cross_entropy(logits_BxC: jax.Array, label_B: jax.Array) -> jax.Array:
    """The mean of ``-ln softmax(logits)[label]``, in nats."""
    return optax.softmax_cross_entropy_with_integer_labels(logits_BxC, label_B).mean()


def accuracy(logits_BxC: jax.Array, label_B: np.ndarray) -> float:
    """The share of samples whose largest logit is that of their label."""
    return float(np.mean(np.asarray(logits_BxC).argmax(axis=1) == label_B))
