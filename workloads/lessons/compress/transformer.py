"""A small transformer that reads a digit row by row: each row of pixels is a token, and each may look at all others.

B is the batch, T the rows, D the width of the stream, H the heads, K a head's width; N = B·T. The text model of the
training job is larger and has parts that matter for text only (causality, rotary positions); this one shares the digits
and their accuracy with the other networks of this lesson, so that one table holds all.
Source: Vaswani et al. 2017, Attention Is All You Need; rows for patches as in Dosovitskiy et al. 2021, ViT.
"""

from __future__ import annotations

from dataclasses import dataclass

import jax
import jax.numpy as jnp
import numpy as np

from lessons.compress.model import Model
from lessons.fundamentals.digits import CLASSES
from lessons.fundamentals.mlp import DROPOUT
from lessons.fundamentals.regularization import dropout
from lessons.layers import Layer, Layers, dense


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Normalize:
    """RMSNorm: each token divided by its root mean square, times a learned scale (Zhang and Sennrich 2019)."""

    scale_D: jax.Array

    def __call__(self, x_NxD: jax.Array, /) -> jax.Array:
        """``x / rms(x) · scale``."""
        return x_NxD * jax.lax.rsqrt(jnp.mean(x_NxD**2, axis=-1, keepdims=True) + 1e-6) * self.scale_D


@jax.tree_util.register_dataclass
@dataclass(frozen=True)
class Positions:
    """Adds to each token what is learned for its place: attention alone does not see the order."""

    position_TxD: jax.Array

    def __call__(self, x_BxTxD: jax.Array, /) -> jax.Array:
        """``x + position``."""
        return x_BxTxD + self.position_TxD


def transformer(pixels: int, rows: int, width: int = 32, blocks: int = 2, heads: int = 4) -> Model:
    """A transformer for images of ``rows`` rows; its feed-forward layers are four times as wide as its stream."""

    def initial(seed: int) -> dict[str, Layer]:
        random = np.random.default_rng(seed)
        layers: dict[str, Layer] = {
            "embed": dense(pixels // rows, width, random),
            "positions": Positions(jnp.asarray(random.normal(0, 0.02, (rows, width)), jnp.float32)),
        }
        for block in range(blocks):
            for name, inputs, outputs in (("qkv", 1, 3), ("mix", 1, 1), ("up", 1, 4), ("down", 4, 1)):
                layers[f"{name}{block}"] = dense(inputs * width, outputs * width, random)
            layers |= {f"{name}{block}": Normalize(jnp.ones(width)) for name in ("norm_mix", "norm_up")}
        return {**layers, "norm": Normalize(jnp.ones(width)), "out": dense(width, CLASSES, random)}

    def logits(layers: Layers, x_BxP: jax.Array, key: jax.Array | None = None, /) -> jax.Array:
        x_BxTxD = layers["positions"](layers["embed"](x_BxP.reshape(-1, pixels // rows)).reshape(-1, rows, width))
        x_NxD = x_BxTxD.reshape(-1, width)
        for block, block_key in enumerate([None] * blocks if key is None else jax.random.split(key, blocks)):
            qkv_Nx3D = layers[f"qkv{block}"](layers[f"norm_mix{block}"](x_NxD))
            x_NxD = x_NxD + layers[f"mix{block}"](attend(qkv_Nx3D, rows, heads))
            hidden_Nx4D = jax.nn.relu(layers[f"up{block}"](layers[f"norm_up{block}"](x_NxD)))
            x_NxD = x_NxD + layers[f"down{block}"](dropout(hidden_Nx4D, DROPOUT, block_key))
        mean_BxD = layers["norm"](x_NxD).reshape(-1, rows, width).mean(axis=1)
        return layers["out"](mean_BxD)

    channels = tuple((f"up{block}", f"down{block}") for block in range(blocks))
    return Model(f"transformer {blocks} × {width}", initial, logits, channels)


def attend(qkv_Nx3D: jax.Array, rows: int, heads: int) -> jax.Array:
    """``softmax(Q Kᵀ / √K) V`` for each head, among the ``rows`` tokens of each image."""
    q, k, v = jnp.split(qkv_Nx3D.reshape(-1, rows, 3 * heads, qkv_Nx3D.shape[1] // (3 * heads)), 3, axis=2)
    scores_BxHxTxT = jnp.einsum("bthk,bshk->bhts", q, k) * q.shape[-1] ** -0.5
    mixed_BxTxHxK = jnp.einsum("bhts,bshk->bthk", jax.nn.softmax(scores_BxHxTxT), v)
    return mixed_BxTxHxK.reshape(len(qkv_Nx3D), -1)
