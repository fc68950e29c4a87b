"""Causal attention, in the implementations that there are, and the choice among them by timing on the chip.

G is the number of heads of keys and values, R how many heads of queries share one of them; the other letters are the
model's.
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

from train.config import ModelConfig

Attention = Callable[[jax.Array, jax.Array, jax.Array], jax.Array]

REPEATS = 5


def plain(q_BxTxGxRxK: jax.Array, k_BxTxGxK: jax.Array, v_BxTxGxK: jax.Array) -> jax.Array:
    """By einsum: on CPU twice as fast as ``dot_product_attention``, which computes the same."""
    T, K = q_BxTxGxRxK.shape[1], q_BxTxGxRxK.shape[-1]
    scores_BxGxRxTxT = jnp.einsum("btgrk,bsgk->bgrts", q_BxTxGxRxK, k_BxTxGxK).astype(jnp.float32) * K**-0.5
    causal_TxT = jnp.tril(jnp.ones((T, T), bool))
    weights_BxGxRxTxT = jax.nn.softmax(jnp.where(causal_TxT, scores_BxGxRxTxT, -1e30)).astype(v_BxTxGxK.dtype)
    return jnp.einsum("bgrts,bsgk->btgrk", weights_BxGxRxTxT, v_BxTxGxK)


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
