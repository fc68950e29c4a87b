"""What a network is told about its mistakes, as one number to make small."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike


def mean_squared_error(predicted_N: ArrayLike, target_N: ArrayLike) -> float:
    """``1/N Σ (ŷ - y)²``. For [3, 5, 7] against [2, 6, 8] it is (1 + 1 + 1) / 3 = 1."""
    predicted, target = _same_shape(predicted_N, target_N)
    return float(np.mean((predicted - target) ** 2))


def cross_entropy(target_N: ArrayLike, predicted_N: ArrayLike) -> float:
    """``-Σ y ln ŷ``, in nats: what is left unsaid about the outcomes that happened (y = 1).

    Several conventions bear this name, and give different numbers for the same lists. For the targets [0, 1, 1] and
    the predictions [0.2, 0.8, 0.9]:

    =====================================  ======================================  ======
    only what happened, summed (this one)  -(ln 0.8 + ln 0.9)                      0.3285
    the same, over the three entries       that / 3                                0.1095
    also what did not happen, summed       -(ln (1 - 0.2) + ln 0.8 + ln 0.9)       0.5516
    the same, over the three entries       that / 3                                0.1839
    =====================================  ======================================  ======

    The first two are the categorical cross-entropy, the last two the binary one (:func:`binary_cross_entropy`), which
    takes each entry as a yes-or-no question of its own. The value 0.189 that is sometimes printed for these lists is
    wrong: none of the four, in nats, bits or decimal digits, gives it. The nearest, 0.1839, rounds to 0.184.

    Source: Goodfellow, Bengio, Courville 2016, Deep Learning, sections 3.13 and 6.2.

    Raises:
        ValueError: a prediction is not a probability, or is 0 for what happened: the loss would be infinite.
    """
    target, predicted = _same_shape(target_N, predicted_N)
    return float(-np.sum(target * _logarithm(predicted, target)))


def binary_cross_entropy(target_N: ArrayLike, predicted_N: ArrayLike) -> float:
    """``-Σ (y ln ŷ + (1 - y) ln (1 - ŷ))``, in nats: each entry is a yes-or-no question."""
    target, predicted = _same_shape(target_N, predicted_N)
    return cross_entropy(target, predicted) + cross_entropy(1 - target, 1 - predicted)


def softmax_cross_entropy(logits_BxC: np.ndarray, label_B: np.ndarray) -> float:
    """The mean over a batch of ``-ln softmax(logits)[label]``: what classifiers train on.

    ``ln Σ exp z`` is taken as ``m + ln Σ exp (z - m)`` with the largest logit m: the same number, and no overflow.
    """
    largest_Bx1 = logits_BxC.max(axis=1, keepdims=True)
    total_B = largest_Bx1[:, 0] + np.log(np.exp(logits_BxC - largest_Bx1).sum(axis=1))
    return float(np.mean(total_B - logits_BxC[np.arange(len(label_B)), label_B]))


def _same_shape(one: ArrayLike, other: ArrayLike) -> tuple[np.ndarray, np.ndarray]:
    first, second = np.asarray(one, float), np.asarray(other, float)
    if first.shape != second.shape or not first.size:
        raise ValueError(f"one prediction for each target is needed; the shapes are {first.shape} and {second.shape}")
    return first, second


def _logarithm(predicted: np.ndarray, target: np.ndarray) -> np.ndarray:
    """``ln ŷ`` where the target counts; 0 elsewhere, where 0 · ln 0 is taken as its limit, 0."""
    if predicted.min() < 0 or predicted.max() > 1:
        raise ValueError(f"predictions must be probabilities, from 0 to 1: {predicted}")
    if ((predicted == 0) & (target > 0)).any():
        raise ValueError(f"a prediction is 0 for what happened, and the loss is infinite: {predicted} for {target}")
    return np.log(predicted, where=predicted > 0, out=np.zeros_like(predicted))
