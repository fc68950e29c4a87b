"""How fast one function is beside another, measured so that what disturbs a machine disturbs both alike."""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

ROUNDS = 7


@dataclass(frozen=True)
class Ratio:
    """How many times faster: the median, and the smallest and largest of the rounds."""

    median: float
    low: float
    high: float

    def __str__(self) -> str:
        return f"{self.median:.2f} ({self.low:.2f}–{self.high:.2f})"


def ratio(
    one: Callable[[], object], other: Callable[[], object], rounds: int = ROUNDS, at_least_s: float = 0.02
) -> Ratio:
    """Time of ``one`` over time of ``other``: above 1, ``other`` is faster.

    Each round is one, other, other, one: a machine that slows down or speeds up steadily does it to both. A turn calls
    as often as ``one`` needs for ``at_least_s`` seconds: a clock's step and a call's overhead do not count.
    """
    for function in (one, other):
        function()  # compiles, and fills caches
    calls = max(1, round(at_least_s / max(_seconds(one, 1), 1e-9)))
    found = []
    for _ in range(rounds):
        first, second, third, fourth = (_seconds(function, calls) for function in (one, other, other, one))
        found.append((first + fourth) / (second + third))
    return Ratio(float(np.median(found)), min(found), max(found))


def _seconds(function: Callable[[], object], calls: int) -> float:
    began = time.perf_counter()
    for _ in range(calls):
        function()
    return time.perf_counter() - began
