"""What JAX lacks on CPUs: steps that keep their memory, and compiled programs that processes share."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import cache
from pathlib import Path
from typing import Any

import numpy as np
from jax._src import cache_key  # programs' names have no public one

_M_TRIM_THRESHOLD, _M_MMAP_MAX = -1, -4  # malloc.h


def keep_freed_memory() -> None:
    """Let the C library keep what is freed, and not give large blocks back to the kernel.

    XLA frees a step's memory and asks for it again in the next; to map and clear those pages anew took a third of a
    step of 50 MB. The price is that the process keeps the most that it ever held, the copies for a checkpoint included.
    A C library that is not GNU's is left as it is.
    """
    with suppress(AttributeError):
        mallopt = ctypes.CDLL(None).mallopt
        mallopt(_M_MMAP_MAX, 0)
        mallopt(_M_TRIM_THRESHOLD, -1)


def allowed() -> list[int]:
    """The CPUs on which this thread may run; none where the system does not tell."""
    return sorted(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else []


@contextmanager
def kept_on(cpu: int | None) -> Iterator[None]:
    """This thread runs on one CPU only; on any, where that is None or cannot be."""
    before = allowed()
    if cpu is None or cpu not in before:
        yield
        return
    os.sched_setaffinity(0, {cpu})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


def share_compiled_programs() -> None:
    """Name programs in JAX's cache by :func:`_hash_cpus`."""
    cache_key._hash_accelerator_config = _hash_cpus


def _hash_cpus(hash_object: Any, devices: np.ndarray) -> None:
    """Name a program compiled for CPUs alike in all processes that can run it.

    JAX's own name holds a fingerprint that on CPUs is another in each process, and only process 0 writes to the cache:
    the others would compile at every start, and the job would wait for them. A processor with other instructions still
    has names of its own.
    """
    cache_key._hash_devices(hash_object, devices)
    hash_object.update(_instruction_set().encode())


@cache
def kind() -> str:
    """A short name of what this machine's processor can do, for JAX calls them all the same."""
    return hashlib.sha256(_instruction_set().encode()).hexdigest()[:8]


def _instruction_set(cpuinfo: Path = Path("/proc/cpuinfo")) -> str:
    """What this machine's processor is and can do, as the kernel lists it; the architecture where it does not."""
    try:
        lines = cpuinfo.read_text().splitlines()
    except OSError:
        return platform.processor() or platform.machine()
    told = (line for line in lines if line.startswith(("model name", "flags", "CPU part", "Features")))
    return "\n".join(sorted(set(told)))
