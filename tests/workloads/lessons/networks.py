"""Small untrained networks and random digits, for what holds without training."""

from __future__ import annotations

import numpy as np
from lessons.compress.model import Model, perceptron
from lessons.compress.transformer import transformer
from lessons.fundamentals.digits import Digits

PERCEPTRON = perceptron(12, hidden=8)
TRANSFORMER = transformer(12, 3, width=8, blocks=1, heads=2)
BOTH: list[Model] = [PERCEPTRON, TRANSFORMER]


def noise(count: int = 64) -> Digits:
    """Random images of 3 × 4 pixels with random labels."""
    random = np.random.default_rng(0)
    image_NxP, label_N = random.random((count, 12), np.float32), random.integers(0, 10, count).astype(np.int32)
    return Digits("noise", 3, image_NxP, label_N, image_NxP[:20], label_N[:20])
