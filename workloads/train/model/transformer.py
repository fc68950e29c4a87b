"""A decoder-only transformer as functions of plain arrays, in two architectures.

``llama``: rotary positions, RMSNorm, grouped-query attention, SwiGLU. ``gpt2``: learned positions, LayerNorm, GELU,
biases, and the embedding for a head. Parameters are float32; ``dtype`` is what is computed in.

Shapes are in the names: B batch, T time, N = B·T, D width, H heads, G heads of keys and values, R = H/G heads that
share one of those, K head width, F hidden width of the feed-forward, V vocabulary.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
import optax

from train.config.settings import ModelConfig
from train.model.attention import Attention, plain
from train.model.products import product

ROPE_BASE = 10_000.0  # Su et al. 2021, RoFormer
EPSILON = 1e-5  # of norms: GPT-2's and Llama's

Params = dict[str, Any]


def shapes(config: ModelConfig) -> Params:
    """The shape of every parameter, in the tree that they are in."""
    D, K, F, V = config.width, config.head_width, config.hidden_width, config.vocabulary
    G, S = config.key_heads, config.heads // config.key_heads + 2  # R queries, a key and a value: one product for all
    block = {"norm": (D,), "qkv": (D, G, S, K), "out": (config.heads, K, D), "feed_norm": (D,), "down": (F, D)}
    if config.architecture == "llama":
        block["gate_up"] = (D, 2, F)
        return {"embed": (V, D), "blocks": [block] * config.layers, "norm": (D,), "head": (D, V)}
    block |= {"norm_bias": (D,), "qkv_bias": (G, S, K), "out_bias": (D,), "feed_norm_bias": (D,), "up": (D, F)}
    block |= {"up_bias": (F,), "down_bias": (D,)}
    outside = {"embed": (V, D), "positions": (config.context, D), "norm": (D,), "norm_bias": (D,)}
    return {**outside, "blocks": [block] * config.layers}


def count(config: ModelConfig) -> int:
    """How many parameters a model has."""
    return sum(math.prod(shape) for shape in jax.tree.leaves(shapes(config), is_leaf=_is_shape))


def flops_per_token(config: ModelConfig) -> float:
    """Floating-point operations of a training step, by the convention that MFU is compared by (PaLM, appendix B).

    6 for each weight that multiplies, and 12·L·H·K·T for attention, as if no mask spared half of it.
    """
    passive = config.vocabulary * config.width if config.architecture == "llama" else config.context * config.width
    return 6.0 * (count(config) - passive) + 12.0 * config.layers * config.heads * config.head_width * config.context


def _is_shape(node: Any) -> bool:
    return isinstance(node, tuple)


def initial(config: ModelConfig, seed: int) -> Params:
    """Random parameters, the same at every process. Made by numpy: compiling JAX's generators takes seconds."""
    random = np.random.default_rng(seed)

    def make(path: tuple[Any, ...], shape: tuple[int, ...]) -> np.ndarray:
        name = path[-1].key
        if name.endswith("norm"):
            return np.ones(shape, np.float32)
        if name.endswith("bias"):
            return np.zeros(shape, np.float32)
        deviation = _deviation(name, config)
        return random.standard_normal(shape, np.float32) * np.float32(deviation)

    return jax.tree_util.tree_map_with_path(make, shapes(config), is_leaf=_is_shape)


def _deviation(name: str, config: ModelConfig) -> float:
    """1 / √inputs, and what is added to the stream is smaller the more layers add to it (GPT-2)."""
    if name in ("embed", "positions") and config.architecture == "gpt2":
        return 0.02  # it is the head too: logits begin near 0
    inputs = config.hidden_width if name == "down" else config.width
    return inputs**-0.5 / (math.sqrt(2 * config.layers) if name in ("out", "down") else 1.0)


@dataclass(frozen=True)
class Transformer:
    """Tokens in, logits for the next one out.

    Attributes:
        constrain: says where the stream (N×D) is kept, on several devices.
    """

    config: ModelConfig
    dtype: jnp.dtype
    attend: Attention = plain
    constrain: Callable[[jax.Array], jax.Array] = lambda x_NxD: x_NxD

    def loss_B(self, params: Params, tokens_BxT1: jax.Array) -> jax.Array:
        """Mean cross-entropy of the next token, in nats, of each sequence."""
        logits_BxTxV = self.logits(params, tokens_BxT1[:, :-1])
        return optax.softmax_cross_entropy_with_integer_labels(logits_BxTxV, tokens_BxT1[:, 1:]).mean(axis=1)

    def logits(self, params: Params, tokens_BxT: jax.Array) -> jax.Array:
        """Logits BxTxV of the token after each, in float32."""
        (B, T), config = tokens_BxT.shape, self.config
        params = jax.tree.map(lambda leaf: leaf.astype(self.dtype), params)
        x_BxTxD = params["embed"][tokens_BxT]
        if config.architecture == "gpt2":
            x_BxTxD = x_BxTxD + params["positions"][:T]
        x_NxD = self.constrain(x_BxTxD.reshape(B * T, -1))  # one matrix product a layer, not B
        block = jax.checkpoint(self._block, policy=_saved(config.remat), static_argnums=2)
        # Unrolled layers: on CPU a scan over layers doubles the step.
        for layer in params["blocks"]:
            x_NxD = (self._block if config.remat == "none" else block)(layer, x_NxD, B)
        x_NxD = self._norm(params, "norm", x_NxD)
        head_DxV = params["head"] if config.architecture == "llama" else params["embed"].T
        return product("nd,dv->nv", jnp.dtype(jnp.float32), x_NxD, head_DxV).reshape(B, T, -1)

    def _block(self, layer: Params, x_NxD: jax.Array, B: int) -> jax.Array:
        """Attention and a feed-forward, each on the normalised stream and added back to it."""
        x_NxD = self.constrain(x_NxD + self._attention(layer, self._norm(layer, "norm", x_NxD), B))
        return self.constrain(x_NxD + self._feed_forward(layer, self._norm(layer, "feed_norm", x_NxD)))

    def _attention(self, layer: Params, x_NxD: jax.Array, B: int) -> jax.Array:
        N, D = x_NxD.shape
        G, S, K = layer["qkv"].shape[1:]
        qkv_BxTxGxSxK = (x_NxD @ layer["qkv"].reshape(D, -1)).reshape(B, N // B, G, S, K)
        if self.config.architecture == "gpt2":
            qkv_BxTxGxSxK = qkv_BxTxGxSxK + layer["qkv_bias"]
        q_BxTxGxRxK, k_BxTxGxK, v_BxTxGxK = (
            qkv_BxTxGxSxK[..., :-2, :],
            qkv_BxTxGxSxK[..., -2, :],
            qkv_BxTxGxSxK[..., -1, :],
        )
        if self.config.architecture == "llama":
            q_BxTxGxRxK, k_BxTxGxK = rotate(q_BxTxGxRxK), rotate(k_BxTxGxK)
        mixed_NxHK = self.attend(q_BxTxGxRxK, k_BxTxGxK, v_BxTxGxK).reshape(N, -1)
        out_NxD = mixed_NxHK @ layer["out"].reshape(-1, D)
        return out_NxD + layer["out_bias"] if self.config.architecture == "gpt2" else out_NxD

    def _feed_forward(self, layer: Params, x_NxD: jax.Array) -> jax.Array:
        if self.config.architecture == "gpt2":
            h_NxF = jax.nn.gelu(x_NxD @ layer["up"] + layer["up_bias"])
            return h_NxF @ layer["down"] + layer["down_bias"]
        # Not one axis of 2·F: of that, devices that share F would have two pieces each, and gather the whole instead.
        both_Nx2xF = product("nd,dcf->ncf", self.dtype, x_NxD, layer["gate_up"])
        return (jax.nn.silu(both_Nx2xF[:, 0]) * both_Nx2xF[:, 1]) @ layer["down"]

    def _norm(self, params: Params, name: str, x_NxD: jax.Array) -> jax.Array:
        """LayerNorm, or RMSNorm, which has no mean and no bias; computed in float32."""
        x = x_NxD.astype(jnp.float32)
        if self.config.architecture == "gpt2":
            x = x - x.mean(axis=-1, keepdims=True)
        x = x * jax.lax.rsqrt(jnp.square(x).mean(axis=-1, keepdims=True) + EPSILON)
        scaled_NxD = x.astype(self.dtype) * params[name]
        return scaled_NxD + params[f"{name}_bias"] if self.config.architecture == "gpt2" else scaled_NxD


def _saved(remat: str) -> Any:
    """What the backward pass need not compute again: nothing of a block, or its matrix products."""
    return jax.checkpoint_policies.dots_with_no_batch_dims_saveable if remat == "dots" else None


def rotate(x_BxTxhxK: jax.Array) -> jax.Array:
    """Rotary positions: turn each pair of a head's numbers by an angle that grows with the position.

    The product of two rotated vectors depends on their distance only, so attention sees relative positions. There may
    be any number of axes between T and K.
    """
    T, K = x_BxTxhxK.shape[1], x_BxTxhxK.shape[-1]
    frequency_K2 = ROPE_BASE ** (-np.arange(0, K, 2) / K)
    angle_TxK2 = np.arange(T)[:, None] * frequency_K2
    axes = (T, *[1] * (x_BxTxhxK.ndim - 3), K // 2)
    cosine, sine = (np.asarray(f(angle_TxK2), np.float32).reshape(axes) for f in (np.cos, np.sin))
    left, right = jnp.split(x_BxTxhxK.astype(jnp.float32), 2, axis=-1)
    turned = jnp.concatenate([left * cosine - right * sine, left * sine + right * cosine], axis=-1)
    return turned.astype(x_BxTxhxK.dtype)


def compute_dtype(platform: str) -> jnp.dtype:
    """bfloat16 where the chip multiplies it fast; on CPU it is slower than float32."""
    return jnp.dtype(jnp.float32 if platform == "cpu" else jnp.bfloat16)
