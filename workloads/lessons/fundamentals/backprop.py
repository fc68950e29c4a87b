"""Forward and backward by hand, through a network with one hidden layer. JAX's ``grad`` says the same (see the tests).

Shapes: B samples, I inputs, H hidden units, C classes.
Source: Rumelhart, Hinton, Williams 1986, Learning representations by back-propagating errors.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from lessons.fundamentals.activations import relu, relu_slope
from lessons.fundamentals.losses import softmax_cross_entropy


@dataclass(frozen=True)
class Weights:
    """A network ``logits = relu(x W₁ + b₁) W₂ + b₂``, or the gradient of a loss by each of its numbers."""

    hidden_IxH: np.ndarray
    hidden_bias_H: np.ndarray
    out_HxC: np.ndarray
    out_bias_C: np.ndarray


@dataclass(frozen=True)
class Trace:
    """What the forward pass leaves behind for the backward pass."""

    x_BxI: np.ndarray
    before_BxH: np.ndarray
    hidden_BxH: np.ndarray
    logits_BxC: np.ndarray


def forward(weights: Weights, x_BxI: np.ndarray) -> Trace:
    """From the input to the logits, each intermediate kept."""
    before_BxH = x_BxI @ weights.hidden_IxH + weights.hidden_bias_H
    hidden_BxH = relu(before_BxH)
    return Trace(x_BxI, before_BxH, hidden_BxH, hidden_BxH @ weights.out_HxC + weights.out_bias_C)


def loss(weights: Weights, x_BxI: np.ndarray, label_B: np.ndarray) -> float:
    """The mean cross-entropy of the labels."""
    return softmax_cross_entropy(forward(weights, x_BxI).logits_BxC, label_B)


def backward(weights: Weights, trace: Trace, label_B: np.ndarray) -> Weights:
    """The gradient of :func:`loss`, by the chain rule from the last operation to the first.

    - softmax and cross-entropy together: ``∂L/∂z = (softmax(z) - onehot) / B``: prediction minus truth;
    - ``z = h W + b``: ``∂L/∂W = hᵀ ∂L/∂z``, ``∂L/∂b = Σ_B ∂L/∂z``, ``∂L/∂h = ∂L/∂z Wᵀ``;
    - ``h = relu(a)``: ``∂L/∂a = ∂L/∂h · relu'(a)``.
    """
    logits_gradient_BxC = (softmax(trace.logits_BxC) - np.eye(trace.logits_BxC.shape[1])[label_B]) / len(label_B)
    hidden_gradient_BxH = logits_gradient_BxC @ weights.out_HxC.T
    before_gradient_BxH = hidden_gradient_BxH * relu_slope(trace.before_BxH)
    return Weights(
        hidden_IxH=trace.x_BxI.T @ before_gradient_BxH,
        hidden_bias_H=before_gradient_BxH.sum(axis=0),
        out_HxC=trace.hidden_BxH.T @ logits_gradient_BxC,
        out_bias_C=logits_gradient_BxC.sum(axis=0),
    )


def softmax(logits_BxC: np.ndarray) -> np.ndarray:
    """``exp z / Σ exp z``, with the largest logit taken off first: the same ratios, and no overflow."""
    exponential_BxC = np.exp(logits_BxC - logits_BxC.max(axis=1, keepdims=True))
    return exponential_BxC / exponential_BxC.sum(axis=1, keepdims=True)
