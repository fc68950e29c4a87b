"""Gradient descent, ``θ ← θ - η ∇J(θ)``: with the gradient of all the data, of one sample, or of a few at a time.

Source: Bottou, Curtis, Nocedal 2018, Optimization Methods for Large-Scale Machine Learning, sections 3 and 4.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from lessons.fundamentals.losses import mean_squared_error

LOWEST = np.array([1.0, 2.0])
"""Where :func:`bowl` is 0."""


def step(parameters_P: np.ndarray, gradient_P: np.ndarray, rate: float) -> np.ndarray:
    """``θ - η ∇J(θ)``. The rate η must be below 2 / curvature, or the steps grow."""
    return parameters_P - rate * gradient_P


def bowl(point: np.ndarray) -> float:
    """``f(a, b) = (a - 1)² + (b - 2)²``: the two-parameter example. Its lowest point is (1, 2).

    The example says: from (2, 3), at the rate 0.1, one step comes to (1.8, 2.8). So the gradient there is
    ((2, 3) - (1.8, 2.8)) / 0.1 = (2, 2). Of all bowls (a - p)² + (b - q)², whose gradient is (2 (a - p), 2 (b - q)),
    exactly one has it: 2 (2 - p) = 2 and 2 (3 - q) = 2 give p = 1 and q = 2. A single step tells the gradient at one
    point only; a² + b², which comes to mind first, has (4, 6) there and would step to (1.6, 2.4).
    """
    return float(np.sum((point - LOWEST) ** 2))


def bowl_gradient(point: np.ndarray) -> np.ndarray:
    """``(2 (a - 1), 2 (b - 2))``: at (2, 3) it is (2, 2)."""
    return 2 * (point - LOWEST)


@dataclass(frozen=True)
class Fit:
    """A line ``ŷ = x · w + b`` that was found, and the mean squared error over all samples after each epoch."""

    weight_F: np.ndarray
    bias: float
    epoch_losses: tuple[float, ...]


def gradient_of_line(x_NxF: np.ndarray, y_N: np.ndarray, weight_F: np.ndarray, bias: float) -> tuple[np.ndarray, float]:
    """Of the mean squared error of ``ŷ = x · w + b``: ``2/N Xᵀ (ŷ - y)`` and ``2/N Σ (ŷ - y)``."""
    error_N = x_NxF @ weight_F + bias - y_N
    return 2 * x_NxF.T @ error_N / len(y_N), float(2 * error_N.mean())


def fit_line(x_NxF: np.ndarray, y_N: np.ndarray, *, batch: int, rate: float, epochs: int, seed: int = 0) -> Fit:
    """Fit a line by descent from zero, ``batch`` samples a step, in a new order each epoch.

    ``batch`` = N is batch gradient descent: exact gradients, one step an epoch. 1 is stochastic gradient descent: N
    noisy steps an epoch, each right on average. Between them lie mini-batches: the noise falls with the square root of
    the batch, and hardware multiplies a batch almost as fast as one sample.
    """
    random = np.random.default_rng(seed)
    weight, bias, losses = np.zeros(x_NxF.shape[1]), 0.0, []
    for _ in range(epochs):
        for chosen in batches(len(y_N), batch, random):
            weight_gradient, bias_gradient = gradient_of_line(x_NxF[chosen], y_N[chosen], weight, bias)
            weight, bias = step(weight, weight_gradient, rate), bias - rate * bias_gradient
        losses.append(mean_squared_error(x_NxF @ weight + bias, y_N))
    return Fit(weight, bias, tuple(losses))


def batches(count: int, size: int, random: np.random.Generator) -> Iterator[np.ndarray]:
    """Each of ``count`` samples once, in random order, ``size`` at a time; the last batch may be smaller."""
    if not 1 <= size <= count:
        raise ValueError(f"a batch of {count} samples has 1 to {count} of them, not {size}")
    order = random.permutation(count)
    for start in range(0, count, size):
        yield order[start : start + size]
