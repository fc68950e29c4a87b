"""Quantization after training: weights and inputs of dense layers become 8-bit integers, and so do their products.

``x ≈ s · q`` with an integer q from -127 to 127 and a scale s, one for each output of a layer and one for its input.
Then ``x W ≈ (q_x q_W) · s_x s_W``: the sum runs over integers, and is exact in 32 bits. Norms, attention and biases
stay in float32: they are few.
Source: Jacob et al. 2018, Quantization and Training of Neural Networks for Efficient Integer-Arithmetic-Only Inference.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from lessons.compress.model import Model
from lessons.layers import Dense, Layer, Layers

LEVELS = 127
"""The largest 8-bit integer used; -128 stays unused, so that q and -q are both there."""


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Int8Dense:
    """A dense layer of 8-bit weights that turns its input into 8-bit integers first."""

    weight_IxO: jax.Array
    scale_O: jax.Array
    bias_O: jax.Array
    input_scale: jax.Array

    def __call__(self, x_BxI: jax.Array, /) -> jax.Array:
        """``(q_x q_W) · s_x s_W + b``."""
        input_BxI = quantize(x_BxI, self.input_scale)
        product_BxO = jnp.matmul(input_BxI, self.weight_IxO, preferred_element_type=jnp.int32)
        return product_BxO * (self.input_scale * self.scale_O) + self.bias_O


def quantize(x: jax.Array, scale: jax.Array, levels: int = LEVELS) -> jax.Array:
    """The integers nearest to x / s; what lies beyond the levels is cut off to them."""
    return jnp.clip(jnp.round(x / scale), -levels, levels).astype(jnp.int8)


def scale_of(largest: jax.Array, levels: int = LEVELS) -> jax.Array:
    """The scale at which the largest magnitude takes the last level; 1 where all is zero."""
    return jnp.where(largest > 0, largest / levels, 1.0)


def weight_scale(weight_IxO: jax.Array, levels: int = LEVELS) -> jax.Array:
    """One scale for each output: a column of small weights keeps its digits beside one of large weights."""
    return scale_of(jnp.abs(weight_IxO).max(axis=0), levels)


def input_ranges(model: Model, layers: Layers, x_NxP: np.ndarray) -> Mapping[str, jax.Array]:
    """The largest magnitude that comes into each layer while the network reads ``x_NxP``: the calibration."""

    def run(layers: Layers, x_NxP: jax.Array) -> dict[str, jax.Array]:
        seen: dict[str, jax.Array] = {}

        def watched(name: str, layer: Layer) -> Layer:
            def call(x: jax.Array, /) -> jax.Array:
                seen[name] = jnp.abs(x).max()
                return layer(x)

            return call

        model.logits({name: watched(name, layer) for name, layer in layers.items()}, x_NxP)
        return seen

    return jax.jit(run)(layers, x_NxP)


def int8(layers: Layers, ranges: Mapping[str, jax.Array]) -> dict[str, Layer]:
    """The layers with each dense one in 8 bits, for inputs in the ranges that calibration saw."""
    return {
        name: _int8_dense(layer, ranges[name]) if isinstance(layer, Dense) else layer for name, layer in layers.items()
    }


def _int8_dense(layer: Dense, largest_input: jax.Array) -> Int8Dense:
    scale_O = weight_scale(layer.weight_IxO)
    return Int8Dense(quantize(layer.weight_IxO, scale_O), scale_O, layer.bias_O, scale_of(largest_input))
