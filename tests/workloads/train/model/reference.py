"""Both architectures in numpy, as their papers have them: one head and one position at a time."""

from __future__ import annotations

from typing import Any

import numpy as np
from train.config.settings import ModelConfig


def logits(config: ModelConfig, params: dict[str, Any], tokens_T: np.ndarray) -> np.ndarray:
    """Logits TxV of one sequence, in double precision."""
    params, is_llama = _doubled(params), config.architecture == "llama"
    x_TxD = params["embed"][tokens_T] + (0 if is_llama else params["positions"][: len(tokens_T)])
    for layer in params["blocks"]:
        x_TxD = x_TxD + _attention(config, layer, _norm(layer, "norm", x_TxD))
        x_TxD = x_TxD + _feed_forward(layer, _norm(layer, "feed_norm", x_TxD))
    x_TxD = _norm(params, "norm", x_TxD)
    return x_TxD @ (params["head"] if is_llama else params["embed"].T)


def _doubled(tree: Any) -> Any:
    if isinstance(tree, dict):
        return {name: _doubled(leaf) for name, leaf in tree.items()}
    return [_doubled(leaf) for leaf in tree] if isinstance(tree, list) else np.asarray(tree, np.float64)


def _norm(params: dict[str, Any], name: str, x_TxD: np.ndarray) -> np.ndarray:
    """LayerNorm where there is a bias, else RMSNorm."""
    bias = params.get(f"{name}_bias")
    if bias is None:
        return params[name] * x_TxD / np.sqrt((x_TxD**2).mean(axis=1, keepdims=True) + 1e-5)
    mean, variance = x_TxD.mean(axis=1, keepdims=True), x_TxD.var(axis=1, keepdims=True)
    return params[name] * (x_TxD - mean) / np.sqrt(variance + 1e-5) + bias


def _attention(config: ModelConfig, layer: dict[str, Any], x_TxD: np.ndarray) -> np.ndarray:
    shared, out_TxD = config.heads // config.key_heads, np.zeros_like(x_TxD)
    qkv_TxGxSxK = np.einsum("td,dgsk->tgsk", x_TxD, layer["qkv"]) + layer.get("qkv_bias", 0)
    for head in range(config.heads):
        group = qkv_TxGxSxK[:, head // shared]
        q_TxK, k_TxK, v_TxK = group[:, head % shared], group[:, -2], group[:, -1]
        if config.architecture == "llama":
            q_TxK, k_TxK = _turned(q_TxK), _turned(k_TxK)
        for t in range(len(x_TxD)):
            scores = np.exp(k_TxK[: t + 1] @ q_TxK[t] / np.sqrt(config.head_width))
            out_TxD[t] += (scores / scores.sum()) @ v_TxK[: t + 1] @ layer["out"][head]
    return out_TxD + layer.get("out_bias", 0)


def _turned(x_TxK: np.ndarray) -> np.ndarray:
    """Each half's number with that of the other half, as one complex number, turned by position / 10000^(2i/K)."""
    T, half = len(x_TxK), x_TxK.shape[1] // 2
    angle_TxK2 = np.outer(np.arange(T), 1e4 ** (-np.arange(half) / half))
    z_TxK2 = (x_TxK[:, :half] + 1j * x_TxK[:, half:]) * np.exp(1j * angle_TxK2)
    return np.concatenate([z_TxK2.real, z_TxK2.imag], axis=1)


def _feed_forward(layer: dict[str, Any], x_TxD: np.ndarray) -> np.ndarray:
    if "up" in layer:
        h = x_TxD @ layer["up"] + layer["up_bias"]
        gelu = 0.5 * h * (1 + np.tanh(np.sqrt(2 / np.pi) * (h + 0.044715 * h**3)))
        return gelu @ layer["down"] + layer["down_bias"]
    gate, up = x_TxD @ layer["gate_up"][:, 0], x_TxD @ layer["gate_up"][:, 1]
    return (gate / (1 + np.exp(-gate)) * up) @ layer["down"]
