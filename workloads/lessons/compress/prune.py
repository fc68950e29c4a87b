"""Pruning: single weights that are small become zero, or whole hidden units go.

Zeros anywhere make a file smaller, and no multiplication faster: hardware multiplies by zero as by any number. Units
that go leave smaller matrices of the usual kind, which are faster everywhere.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import replace
from typing import cast

import jax
import jax.numpy as jnp
import numpy as np

from lessons.compress.model import Model
from lessons.fundamentals.digits import Digits
from lessons.layers import Dense, Layer, Layers
from lessons.training import fit

Masks = Mapping[str, np.ndarray]
"""For each dense layer 1 where a weight stays, and 0 where it is pruned."""


def magnitude_masks(layers: Layers, share: float) -> Masks:
    """Masks that prune the ``share`` of each dense layer's weights that are smallest (Han et al. 2015).

    Raises:
        ValueError: the share is not from 0 up to, but not including, 1.
    """
    if not 0 <= share < 1:
        raise ValueError(f"the share of weights to prune is from 0 up to, but not including, 1: {share}")
    dense = {name: np.asarray(layer.weight_IxO) for name, layer in layers.items() if isinstance(layer, Dense)}
    return {name: _largest(weight_IxO, share) for name, weight_IxO in dense.items()}


def _largest(weight_IxO: np.ndarray, share: float) -> np.ndarray:
    mask = np.ones(weight_IxO.size, np.float32)
    mask[np.argsort(np.abs(weight_IxO), axis=None)[: int(share * mask.size)]] = 0
    return mask.reshape(weight_IxO.shape)


def masked(layers: Layers, masks: Masks) -> dict[str, Layer]:
    """The layers with zeros for the weights that are pruned."""
    return {
        name: replace(layer, weight_IxO=layer.weight_IxO * masks[name]) if isinstance(layer, Dense) else layer
        for name, layer in layers.items()
    }


def tune(model: Model, layers: Layers, masks: Masks, digits: Digits, epochs: int, seed: int = 0) -> Layers:
    """Train the weights that stay, to make up for those that went.

    The loss looks at masked layers only: the gradient of a pruned weight is 0, and so is its update.
    """

    def loss(layers: Layers, x_BxP: jax.Array, label_B: jax.Array, key: jax.Array) -> jax.Array:
        return model.loss(masked(layers, masks), x_BxP, label_B, key)

    data = digits.train_NxP, digits.train_label_N
    return masked(fit(loss, masked(layers, masks), *data, epochs=epochs, seed=seed), masks)


def without_units(model: Model, layers: Layers, share: float) -> dict[str, Layer]:
    """The layers without the ``share`` of hidden units that matter least, between each pair of the model's channels.

    A unit's column, its bias and its row go together. What it matters is the norm of what comes in times that of what
    goes out: ReLU lets one be scaled up and the other down without changing the network, and the product stays. Norms
    of what comes in alone are usual where a norm layer follows (Li et al. 2017, Pruning Filters).
    """
    smaller = dict(layers)
    for maker, reader in model.channels:
        into, out = cast("Dense", layers[maker]), cast("Dense", layers[reader])
        made_IxH, bias_H, read_HxO = (np.asarray(part) for part in (into.weight_IxO, into.bias_O, out.weight_IxO))
        incoming_H = np.linalg.norm(np.vstack([made_IxH, bias_H]), axis=0)
        importance_H = incoming_H * np.linalg.norm(read_HxO, axis=1)
        kept = np.sort(np.argsort(importance_H)[int(share * len(importance_H)) :])
        smaller[maker] = Dense(jnp.asarray(made_IxH[:, kept]), jnp.asarray(bias_H[kept]))
        smaller[reader] = replace(out, weight_IxO=jnp.asarray(read_HxO[kept]))
    return smaller
