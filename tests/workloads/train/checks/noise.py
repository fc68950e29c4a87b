"""Times of workers as they are on shared machines: what disturbs all, what lasts, and what strikes rarely and hard."""

from __future__ import annotations

import numpy as np


def times(
    random: np.random.Generator, workers: int, rounds: int, *, spread: float = 0.02, likeness: float = 0.5
) -> np.ndarray:
    """Seconds of W healthy workers in R rounds.

    Each worker's logarithms are an AR(1) process of that ``likeness`` whose shocks have the heavy tails of a Student
    distribution with 3 degrees of freedom and a standard deviation of ``spread``; one round in twenty takes longer by
    half on average; and all drift together.
    """
    shocks = random.standard_t(3, (workers, rounds)) / np.sqrt(3) * spread * np.sqrt(1 - likeness**2)
    own = np.zeros((workers, rounds))
    own[:, 0] = shocks[:, 0] / np.sqrt(1 - likeness**2)
    for number in range(1, rounds):
        own[:, number] = likeness * own[:, number - 1] + shocks[:, number]
    strokes = (random.random((workers, rounds)) < 0.05) * random.exponential(0.5, (workers, rounds))
    common = np.cumsum(random.standard_normal(rounds)) * 0.02
    return 0.01 * np.exp(own + strokes + common)
