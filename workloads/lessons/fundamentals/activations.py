"""The bends between layers, with their slopes; in forms that neither overflow nor lose digits.

Without a bend, layers on layers are one matrix. Each slope is written by what the forward pass has at hand already.
"""

from __future__ import annotations

import numpy as np


def sigmoid(x: np.ndarray) -> np.ndarray:
    """``σ(x) = 1 / (1 + e⁻ˣ)``, from 0 to 1.

    e⁻ˣ overflows for very negative x; there ``eˣ / (1 + eˣ)`` is the same number. Only e^-|x| is ever taken.
    """
    small = np.exp(-np.abs(x))
    return np.where(x >= 0, 1, small) / (1 + small)


def sigmoid_slope(s: np.ndarray) -> np.ndarray:
    """``σ' = σ (1 - σ)``, from the output s = σ(x): at most 1/4, so deep stacks of it lose the gradient."""
    return s * (1 - s)


def tanh(x: np.ndarray) -> np.ndarray:
    """``(eˣ - e⁻ˣ) / (eˣ + e⁻ˣ)``, from -1 to 1; also ``2 σ(2x) - 1``.

    With u = e^-|x| - 1, taken by ``expm1`` which keeps the digits of small x, it is ``±(-u)(2 + u) / (1 + (1 + u)²)``.
    """
    u = np.expm1(-np.abs(x))
    return np.copysign(-u * (2 + u) / (1 + (1 + u) ** 2), x)


def tanh_slope(t: np.ndarray) -> np.ndarray:
    """``tanh' = 1 - tanh²``, from the output t = tanh(x)."""
    return 1 - t**2


def relu(x: np.ndarray) -> np.ndarray:
    """``max(0, x)``: no exponential, and a slope that does not shrink (Nair and Hinton 2010)."""
    return np.maximum(x, 0)


def relu_slope(x: np.ndarray) -> np.ndarray:
    """1 where x > 0, else 0. At 0 there is no slope, and any number from 0 to 1 serves; 0 is the custom."""
    return (x > 0).astype(x.dtype)
