"""Step times and tokens per second."""

from __future__ import annotations

import numpy as np


class StepTimes:
    """Seconds of the steps of one run. The first is the compiler's and is left out, unless it is the only one."""

    def __init__(self, tokens_per_step: int) -> None:
        self._tokens = tokens_per_step
        self._seconds: list[float] = []

    def add(self, seconds: float) -> None:
        """One more step."""
        self._seconds.append(seconds)

    def percentile_s(self, percent: float) -> float:
        """0 where no step ran."""
        return float(np.percentile(self._counted(), percent)) if self._seconds else 0.0

    def tokens_per_s(self) -> float:
        """Over all counted steps, all devices together; 0 where no step ran."""
        counted = self._counted()
        return self._tokens * len(counted) / sum(counted) if counted else 0.0

    def _counted(self) -> list[float]:
        return self._seconds[1:] or self._seconds
