"""How long things took: step times, tokens per second, and the curves that are drawn of them."""

from __future__ import annotations

import math
import os
import time
from collections import deque
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

_STARTED_AT_TICKS = 19  # of the fields after the program's name in /proc/<pid>/stat (proc(5))
OWN_STEPS = 256  # enough to tell who is slow, and little to send
NEWEST_STEPS = 4096  # of which quantiles are told: sorting all of a long training would take longer than its steps
POINTS = 200  # of a curve: more than a screen shows
_imported_at = time.monotonic()

T = TypeVar("T")


def process_age_s(stat: Path = Path("/proc/self/stat")) -> float:
    """Seconds since the kernel started this process, so the interpreter's own start counts.

    Where the system has no such file: since this module was imported.
    """
    try:
        started_ticks = int(stat.read_text().rpartition(")")[2].split()[_STARTED_AT_TICKS])
    except OSError:
        return time.monotonic() - _imported_at
    return time.clock_gettime(time.CLOCK_BOOTTIME) - started_ticks / os.sysconf("SC_CLK_TCK")


def own_time(work: Callable[[], T]) -> tuple[T, float]:
    """What ``work`` gives, and the seconds it takes in this thread, less those in which it was not let run.

    A sleep and a slow device count; a neighbour on the same CPU does not. It is never less than the CPU's time, for
    the kernel books waiting a moment late. Where the kernel does not tell, the time is that of the clock.
    """
    waited, on_cpu, start = waited_s(), time.thread_time(), time.perf_counter()
    result = work()
    took, on_cpu = time.perf_counter() - start, time.thread_time() - on_cpu
    return result, max(took - (waited_s() - waited), on_cpu)


def waited_s(file: Path = Path("/proc/thread-self/schedstat")) -> float:
    """How long this thread has waited for a CPU since it began: nanoseconds, the file's second number."""
    try:
        return int(file.read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0


class StepTimes:
    """Seconds of the steps of one run. The first is the compiler's and is left out, unless it is the only one.

    Attributes:
        productive_s: of all counted steps that changed the parameters; of a process's age it is the goodput.
    """

    def __init__(self, tokens_per_step: int) -> None:
        self._tokens = tokens_per_step
        self._first_s: float | None = None
        self._newest: deque[float] = deque(maxlen=NEWEST_STEPS)
        self._counted, self._counted_s = 0, 0.0
        self._own: deque[float] = deque(maxlen=OWN_STEPS)
        self.productive_s = 0.0

    def add(self, seconds: float, own_s: float | None = None, *, is_good: bool = True) -> None:
        """One more step, of which ``own_s`` passed before this worker needed the others; None where nobody can tell.

        ``is_good``: it changed the parameters.
        """
        if self._first_s is None:
            self._first_s = seconds
            return
        if own_s is not None:
            self._own.append(own_s)
        self._newest.append(seconds)
        self._counted, self._counted_s = self._counted + 1, self._counted_s + seconds
        self.productive_s += seconds if is_good else 0.0

    @property
    def last_s(self) -> float:
        """Of the newest step; 0 where no step ran."""
        return self._newest[-1] if self._newest else self._first_s or 0.0

    @property
    def own_s(self) -> list[float]:
        """This worker's own time of the newest steps; the first of all is the compiler's and left out."""
        return list(self._own)

    @property
    def last_own_s(self) -> float | None:
        """This worker's own time of the newest step; None where nobody can tell it, or the compiler's is in it."""
        return self._own[-1] if self._own else None

    def percentile_s(self, percent: float) -> float:
        """Of the newest ``NEWEST_STEPS``; 0 where no step ran."""
        newest = list(self._newest)  # other threads ask while steps are added
        return float(np.percentile(newest, percent)) if newest else self.last_s

    def tokens_per_s(self) -> float:
        """Over all counted steps, all devices together; 0 where no step ran."""
        return self._tokens * self._counted / self._counted_s if self._counted_s else self.last_tokens_per_s()

    def last_tokens_per_s(self) -> float:
        """Of the newest step, all devices together; 0 where no step ran."""
        return self._tokens / self.last_s if self.last_s else 0.0


@dataclass(frozen=True)
class Point:
    """One step of a curve.

    Attributes:
        step: its number, from 1.
        loss: the training's before it; None where it is not finite.
        seconds: what it took, the wait for the others included; None for the first, which is the compiler's.
        own_s: what it took until this worker needed the others.
    """

    step: int
    loss: float | None
    seconds: float | None
    own_s: float | None


class Track:
    """The steps that curves are drawn of: at most ``POINTS``, evenly spread, and the newest; alike at every process."""

    def __init__(self) -> None:
        self._every = 1
        self._even = list[Point]()
        self._newest: Point | None = None

    def add(self, step: int, loss: float, times: StepTimes) -> None:
        """One more step, by its number from 1."""
        seconds = times.last_s if self._newest else None
        self._newest = Point(step, loss if math.isfinite(loss) else None, seconds, times.last_own_s)
        if not (step - 1) % self._every:
            self._even.append(self._newest)
        if len(self._even) == POINTS:
            self._every *= 2
            self._even = [point for point in self._even if not (point.step - 1) % self._every]

    @property
    def points(self) -> tuple[Point, ...]:
        """What there is at this moment, in one piece: other threads ask while steps are added."""
        even, newest = tuple(self._even), self._newest
        return (*even, newest) if newest and (not even or newest.step > even[-1].step) else even
