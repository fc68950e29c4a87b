"""The one layer that the lessons' networks are made of. B is the batch, I the inputs and O the outputs of a layer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Protocol, TypeAlias

import jax
import jax.numpy as jnp
import numpy as np


class Layer(Protocol):
    """Anything that turns ``x_BxI`` into ``y_BxO``: a dense layer, or what :mod:`lessons.compress` makes of one."""

    def __call__(self, x_BxI: jax.Array, /) -> jax.Array:
        """The layer's output."""
        ...


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Dense:
    """A fully connected layer: ``y = x W + b``. A JAX pytree, so that gradients and updates have its shape."""

    weight_IxO: jax.Array
    bias_O: jax.Array

    def __call__(self, x_BxI: jax.Array, /) -> jax.Array:
        """``x W + b``."""
        return x_BxI @ self.weight_IxO + self.bias_O


Layers: TypeAlias = Mapping[str, Layer]
"""A network's layers by name; a network is a function of them and of its input."""


def dense(inputs: int, outputs: int, random: np.random.Generator) -> Dense:
    """Zero biases, and normal weights with the variance 2 / inputs.

    That keeps the size of a signal from layer to layer where ReLU sets half of it to zero (He et al. 2015, Delving
    Deep into Rectifiers, equation 10).
    """
    weight = random.standard_normal((inputs, outputs), np.float32) * np.float32((2 / inputs) ** 0.5)
    return Dense(jnp.asarray(weight), jnp.zeros(outputs, jnp.float32))


def parameters(layers: object) -> int:
    """How many numbers training may change."""
    return sum(leaf.size for leaf in jax.tree.leaves(layers))
