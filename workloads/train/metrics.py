"""Step times, tokens per second, and how long a process took to get that far."""

from __future__ import annotations

import os
import time
from pathlib import Path

import numpy as np

_STARTED_AT_TICKS = 19  # of the fields after the program's name in /proc/<pid>/stat (proc(5))
_imported_at = time.monotonic()


def process_age_s(stat: Path = Path("/proc/self/stat")) -> float:
    """Seconds since the kernel started this process, so the interpreter's own start counts.

    Where the system has no such file: since this module was imported.
    """
    try:
        started_ticks = int(stat.read_text().rpartition(")")[2].split()[_STARTED_AT_TICKS])
    except OSError:
        return time.monotonic() - _imported_at
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / os.sysconf("SC_CLK_TCK")


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
