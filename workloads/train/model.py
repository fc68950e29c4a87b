"""A decoder-only transformer. Shapes are in the names: B batch, T time, D width, H heads, K head width."""

from __future__ import annotations

import jax
import jax.numpy as jnp
from flax import nnx

from train.config import ModelConfig

ROPE_BASE = 10_000.0  # Su et al. 2021, RoFormer


def rotate(x_BxTxHxK: jax.Array) -> jax.Array:
    """Rotary positions: turn each pair of a head's numbers by an angle that grows with the position.

    The product of two rotated vectors depends on their distance only, so attention sees relative positions.
    """
    _, T, _, K = x_BxTxHxK.shape
    frequency_K2 = ROPE_BASE ** (-jnp.arange(0, K, 2) / K)
    angle_Tx1xK2 = (jnp.arange(T)[:, None] * frequency_K2)[:, None, :]
    cosine, sine = jnp.cos(angle_Tx1xK2), jnp.sin(angle_Tx1xK2)
    left, right = jnp.split(x_BxTxHxK.astype(jnp.float32), 2, axis=-1)
    turned = jnp.concatenate([left * cosine - right * sine, left * sine + right * cosine], axis=-1)
    return turned.astype(x_BxTxHxK.dtype)


def attend(q_BxTxHxK: jax.Array, k_BxTxHxK: jax.Array, v_BxTxHxK: jax.Array) -> jax.Array:
    """Causal attention by einsum: on CPU twice as fast as ``dot_product_attention`` at this size."""
    T, K = q_BxTxHxK.shape[1], q_BxTxHxK.shape[3]
    scores = jnp.einsum("bthk,bshk->bhts", q_BxTxHxK, k_BxTxHxK).astype(jnp.float32) * K**-0.5
    causal_TxT = jnp.tril(jnp.ones((T, T), bool))
    weights_BxHxTxT = jax.nn.softmax(jnp.where(causal_TxT, scores, -jnp.inf)).astype(v_BxTxHxK.dtype)
    return jnp.einsum("bhts,bshk->bthk", weights_BxHxTxT, v_BxTxHxK)


class Block(nnx.Module):
    """Attention and a SwiGLU feed-forward, each on the normalised stream and added back to it."""

    def __init__(self, config: ModelConfig, dtype: jnp.dtype, rngs: nnx.Rngs) -> None:
        width = config.width
        hidden = 8 * width // 3 // 16 * 16 or width  # SwiGLU has three matrices: 8/3 keeps the size of the usual 4×

        def linear(inputs: int, outputs: int) -> nnx.Linear:
            return nnx.Linear(inputs, outputs, use_bias=False, dtype=dtype, rngs=rngs)

        self.heads = config.heads
        self.attention_norm = nnx.RMSNorm(width, dtype=dtype, rngs=rngs)
        self.qkv = linear(width, 3 * width)
        self.attention_out = linear(width, width)
        self.feed_norm = nnx.RMSNorm(width, dtype=dtype, rngs=rngs)
        self.gate_and_up = linear(width, 2 * hidden)
        self.down = linear(hidden, width)

    def __call__(self, x_NxD: jax.Array, batch: int) -> jax.Array:
        """The stream after this layer; ``x_NxD`` holds ``batch`` sequences end to end."""
        x_NxD = x_NxD + self._attention(self.attention_norm(x_NxD), batch)
        gate, up = jnp.split(self.gate_and_up(self.feed_norm(x_NxD)), 2, axis=-1)
        return x_NxD + self.down(jax.nn.silu(gate) * up)

    def _attention(self, x_NxD: jax.Array, batch: int) -> jax.Array:
        heads_BxTx3HxK = self.qkv(x_NxD).reshape(batch, -1, 3 * self.heads, x_NxD.shape[1] // self.heads)
        q, k, v = jnp.split(heads_BxTx3HxK, 3, axis=2)
        return self.attention_out(attend(rotate(q), rotate(k), v).reshape(x_NxD.shape))


class Transformer(nnx.Module):
    """Tokens in, logits for the next one out. Parameters are float32; ``dtype`` is what it computes in."""

    def __init__(self, config: ModelConfig, dtype: jnp.dtype, rngs: nnx.Rngs) -> None:
        self.embed = nnx.Embed(config.vocabulary, config.width, dtype=dtype, rngs=rngs)
        # Unrolled layers: on CPU a scan over layers doubles the step.
        self.blocks = nnx.List([Block(config, dtype, rngs) for _ in range(config.layers)])
        self.norm = nnx.RMSNorm(config.width, dtype=dtype, rngs=rngs)
        self.head = nnx.Linear(config.width, config.vocabulary, use_bias=False, dtype=dtype, rngs=rngs)

    def __call__(self, tokens_BxT: jax.Array) -> jax.Array:
        """Logits BxTxV of the token after each, in float32."""
        B, T = tokens_BxT.shape
        x_NxD = self.embed(tokens_BxT).reshape(B * T, -1)  # N = B·T: one matrix product a layer, not B
        for block in self.blocks:
            x_NxD = block(x_NxD, B)
        return self.head(self.norm(x_NxD)).reshape(B, T, -1).astype(jnp.float32)


def compute_dtype(platform: str) -> jnp.dtype:
    """bfloat16 where the chip multiplies it fast; on CPU it is slower than float32."""
    return jnp.dtype(jnp.float32 if platform == "cpu" else jnp.bfloat16)
