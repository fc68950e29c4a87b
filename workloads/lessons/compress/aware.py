"""Quantization-aware training: the network feels the rounding while it learns, and places its weights accordingly.

In the forward pass each weight and input is rounded to the number that its integer will stand for. Rounding has the
slope 0 almost everywhere, so nothing could be learned through it; the backward pass takes it for the identity (the
straight-through estimator, Bengio, Léonard, Courville 2013), within the range that is not cut off.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

import jax
import jax.numpy as jnp

from lessons.compress.model import Model
from lessons.compress.quantize import LEVELS, scale_of, weight_scale
from lessons.fundamentals.digits import Digits
from lessons.layers import Dense, Layer, Layers
from lessons.training import fit


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class RoundedDense:
    """A dense layer in float32 that computes with rounded weights and inputs. ``dense`` is what training changes."""

    dense: Dense
    input_scale: jax.Array
    levels: int = field(default=LEVELS, metadata={"static": True})

    def __call__(self, x_BxI: jax.Array, /) -> jax.Array:
        """What the layer gives once it is in integers, but for the rounding of float32."""
        weight_IxO = self.dense.weight_IxO
        scale_O = jax.lax.stop_gradient(weight_scale(weight_IxO, self.levels))
        input_scale = jax.lax.stop_gradient(self.input_scale)
        return rounded(x_BxI, input_scale, self.levels) @ rounded(weight_IxO, scale_O, self.levels) + self.dense.bias_O


def rounded(x: jax.Array, scale: jax.Array, levels: int = LEVELS) -> jax.Array:
    """``s · q``: the number that x becomes in integers. Its slope is 1, and 0 where the integer is cut off.

    It is 1 for the largest number too, that of the last level: each column of weights has one, and it must learn.
    """
    nearest = jnp.round(x / scale)
    learns = jnp.where(jnp.abs(nearest) <= levels, x, 0.0)
    return learns + jax.lax.stop_gradient(jnp.clip(nearest, -levels, levels) * scale - learns)


def aware(layers: Layers, ranges: Mapping[str, jax.Array], levels: int = LEVELS) -> dict[str, Layer]:
    """The layers with each dense one rounding as it would with ``levels`` positive integers."""
    return {
        name: RoundedDense(layer, scale_of(ranges[name], levels), levels) if isinstance(layer, Dense) else layer
        for name, layer in layers.items()
    }


def plain(layers: Layers) -> dict[str, Layer]:
    """The layers as they are without rounding, to be turned into integers."""
    return {name: layer.dense if isinstance(layer, RoundedDense) else layer for name, layer in layers.items()}


def tune(model: Model, layers: Layers, digits: Digits, epochs: int, seed: int = 0) -> Layers:
    """Train layers that round; the scales of inputs stay, for no gradient reaches them."""
    data = digits.train_NxP, digits.train_label_N
    return fit(model.loss, layers, *data, epochs=epochs, seed=seed)
