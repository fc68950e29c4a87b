"""A ResNet's forward pass in plain NumPy, in torchvision's names, axes and order: what the real one must agree with.

Written from the paper and torchvision's documentation, not from the code under test: images are BxCxHxW here.
"""

from __future__ import annotations

from collections.abc import Mapping

import numpy as np

Weights = Mapping[str, np.ndarray]


def forward(weights: Weights, x: np.ndarray) -> np.ndarray:
    """Logits of images BxCxHxW."""
    x = np.maximum(norm(weights, "bn1", conv(x, weights["conv1.weight"], 2, 3)), 0)
    x = max_pool(x)
    for layer in range(1, 5):
        block = 0
        while f"layer{layer}.{block}.conv1.weight" in weights:
            x = bottleneck(weights, f"layer{layer}.{block}", x, 2 if layer > 1 and block == 0 else 1)
            block += 1
    return x.mean(axis=(2, 3)) @ weights["fc.weight"].T + weights["fc.bias"]


def bottleneck(weights: Weights, name: str, x: np.ndarray, stride: int) -> np.ndarray:
    y = np.maximum(norm(weights, f"{name}.bn1", conv(x, weights[f"{name}.conv1.weight"], 1, 0)), 0)
    y = np.maximum(norm(weights, f"{name}.bn2", conv(y, weights[f"{name}.conv2.weight"], stride, 1)), 0)
    y = norm(weights, f"{name}.bn3", conv(y, weights[f"{name}.conv3.weight"], 1, 0))
    if f"{name}.downsample.0.weight" in weights:
        x = norm(weights, f"{name}.downsample.1", conv(x, weights[f"{name}.downsample.0.weight"], stride, 0))
    return np.maximum(x + y, 0)


def conv(x: np.ndarray, kernel_OxIxKxK: np.ndarray, stride: int, padding: int) -> np.ndarray:
    """Each output is the kernel's sum over the window that it sees."""
    size = kernel_OxIxKxK.shape[-1]
    padded = np.pad(x, ((0, 0), (0, 0), (padding, padding), (padding, padding)))
    windows = np.lib.stride_tricks.sliding_window_view(padded, (size, size), axis=(2, 3))[:, :, ::stride, ::stride]
    return np.einsum("bihwkl,oikl->bohw", windows, kernel_OxIxKxK, optimize=True)


def norm(weights: Weights, name: str, x: np.ndarray) -> np.ndarray:
    scale, bias, mean, variance = (
        weights[f"{name}.{part}"][:, None, None] for part in ("weight", "bias", "running_mean", "running_var")
    )
    return (x - mean) / np.sqrt(variance + 1e-5) * scale + bias


def max_pool(x: np.ndarray) -> np.ndarray:
    padded = np.pad(x, ((0, 0), (0, 0), (1, 1), (1, 1)), constant_values=-np.inf)
    return np.lib.stride_tricks.sliding_window_view(padded, (3, 3), axis=(2, 3))[:, :, ::2, ::2].max(axis=(4, 5))


def random_weights(shapes: Mapping[str, tuple[int, ...]], seed: int = 0) -> dict[str, np.ndarray]:
    """Weights of which each part matters: norms that shift and scale, and variances that are not 1."""
    random = np.random.default_rng(seed)
    made = {}
    for name, shape in shapes.items():
        if len(shape) > 1:
            made[name] = random.normal(0, (2 / np.prod(shape[1:])) ** 0.5, shape)
        elif name.endswith(("running_var", "weight")):
            made[name] = random.uniform(0.5, 1.5, shape)
        else:
            made[name] = random.normal(0, 0.3, shape)
    return {name: array.astype(np.float32) for name, array in made.items()}
