"""The time that a worker itself needs: without what it waits for a CPU that other programs hold."""

from __future__ import annotations

import time
from collections.abc import Callable
from pathlib import Path

_SCHEDSTAT = Path("/proc/thread-self/schedstat")  # nanoseconds on a CPU, nanoseconds waiting for one, time slices


def own_s(work: Callable[[], object]) -> float:
    """Seconds that ``work`` takes in this thread, less those in which the thread could have run and was not let.

    A sleep and a slow device count; a neighbour on the same CPU does not. It is never less than the CPU's time, for
    the kernel books waiting a moment late. Where the kernel does not tell, the time is that of the clock.
    """
    waited, on_cpu, start = waited_s(), time.thread_time(), time.perf_counter()
    work()
    took, on_cpu = time.perf_counter() - start, time.thread_time() - on_cpu
    return max(took - (waited_s() - waited), on_cpu)


def waited_s(file: Path = _SCHEDSTAT) -> float:
    """How long this thread has waited for a CPU since it began."""
    try:
        return int(file.read_text().split()[1]) / 1e9
    except (OSError, ValueError, IndexError):
        return 0.0
