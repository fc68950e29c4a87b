"""Causal attention, in the implementations that there are, and the choice among them by timing on the chip.

G is the number of heads of keys and values, R how many heads of queries share one of them; the other letters are those
of the model.
"""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable, Mapping
from functools import partial
from types import MappingProxyType
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from train.config.settings import ModelConfig
from train.model.products import product

Attention = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]

REPEATS = 5


def plain(q_BxTxGxRxK: jax.Array, k_BxTxGxK: jax.Array, v_BxTxGxK: jax.Array) -> jax.Array:
    """By two products, the R queries of a key end to end (Q = R·T).

    On CPU twice as fast as ``dot_product_attention``, and a tenth of a step faster than an einsum over all axes. Rows
    and heads stay two axes: of one that merges them, devices that share both would gather the whole.
    """
    B, T, G, R, K = q_BxTxGxRxK.shape
    q_BxGxQxK = (q_BxTxGxRxK * K**-0.5).transpose(0, 2, 3, 1, 4).reshape(B, G, R * T, K)
    k_BxGxTxK, v_BxGxTxK = (each.transpose(0, 2, 1, 3) for each in (k_BxTxGxK, v_BxTxGxK))
    causal_QxT = np.tile(np.tril(np.ones((T, T), bool)), (R, 1))
    scores_BxGxQxT = product("bgqk,bgtk->bgqt", jnp.dtype(jnp.float32), q_BxGxQxK, k_BxGxTxK)
    weights_BxGxQxT = jax.nn.softmax(jnp.where(causal_QxT, scores_BxGxQxT, -1e30)).astype(v_BxTxGxK.dtype)
    mixed_BxGxQxK = jnp.einsum("bgqt,bgtk->bgqk", weights_BxGxQxT, v_BxGxTxK)
    return mixed_BxGxQxK.reshape(B, G, R, T, K).transpose(0, 3, 1, 2, 4)


def _library(
    implementation: Literal["xla", "cudnn"], q_BxTxGxRxK: jax.Array, k_BxTxGxK: jax.Array, v_BxTxGxK: jax.Array
) -> jax.Array:
    """JAX's own, which takes query heads in one axis, those that share a key side by side."""
    B, T, G, R, K = q_BxTxGxRxK.shape
    q_BxTxHxK = q_BxTxGxRxK.reshape(B, T, G * R, K)
    mixed_BxTxHxK = jax.nn.dot_product_attention(
        q_BxTxHxK, k_BxTxGxK, v_BxTxGxK, is_causal=True, implementation=implementation
    )
    return mixed_BxTxHxK.reshape(q_BxTxGxRxK.shape)


IMPLEMENTATIONS: Mapping[str, Attention] = MappingProxyType(
    {"plain": plain, "xla": partial(_library, "xla"), "cudnn": partial(_library, "cudnn")}
)


def candidates(platform: str) -> tuple[str, ...]:
    """What is worth timing: on CPU it is known beforehand, and compiling the others costs a second of each start."""
    return {"cpu": ("plain",), "gpu": ("plain", "xla", "cudnn"), "cuda": ("plain", "xla", "cudnn")}.get(
        platform, ("plain", "xla")
    )


def choose(config: ModelConfig, rows: int, dtype: jnp.dtype, names: tuple[str, ...]) -> tuple[str, dict[str, float]]:
    """The fastest of ``names`` on this chip, forward and backward, and the seconds of those that run here."""
    if len(names) == 1:
        return names[0], {}
    seconds: dict[str, float] = {}
    for name in names:
        try:
            seconds[name] = _time(IMPLEMENTATIONS[name], config, rows, dtype)
        except Exception:  # whatever a backend raises for a shape, a type or a chip that it does not know
            continue
    return (min(seconds, key=seconds.__getitem__) if seconds else "plain"), seconds


def _time(attend: Attention, config: ModelConfig, rows: int, dtype: jnp.dtype) -> float:
    """Median seconds of a gradient, after the compiler's run."""
    kv = (rows, config.context, config.key_heads, config.head_width)
    q = jnp.ones((*kv[:3], config.heads // config.key_heads, config.head_width), dtype)

    def total(q: jax.Array, k: jax.Array, v: jax.Array) -> Any:
        return attend(q, k, v).astype(jnp.float32).sum()

    gradient = jax.jit(jax.grad(total, (0, 1, 2)))
    arguments = (q, jnp.ones(kv, dtype), jnp.ones(kv, dtype))
    jax.block_until_ready(gradient(*arguments))
    times: list[float] = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        jax.block_until_ready(gradient(*arguments))
        times.append(time.perf_counter() - start)
    return statistics.median(times)
