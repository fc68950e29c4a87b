"""Many processes as one: finding each other, sharing data and failures, and never hanging for ever."""

from __future__ import annotations

import os
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any, TypeVar

import jax
import numpy as np
from jax.experimental import multihost_utils
from jax.sharding import Mesh, NamedSharding, PartitionSpec

from train.config import Failure, Job

AXIS = "data"
TEXT_BYTES = 1024  # longest text that processes exchange
_T = TypeVar("_T")


class Watchdog:
    """Ends the process when a phase outlives its time.

    A collective whose peer is gone waits in native code, where no exception reaches it; only leaving helps.
    """

    def __init__(self, on_timeout: Callable[[str], None]) -> None:
        self._on_timeout = on_timeout

    @contextmanager
    def limit(self, seconds: float, what: str) -> Iterator[None]:
        """Within the block, ``what`` may take ``seconds``; after them the reason is reported and the process exits."""
        timer = threading.Timer(seconds, self._expire, [f"{what} took longer than {seconds:g} s"])
        timer.daemon = True
        timer.start()
        try:
            yield
        finally:
            timer.cancel()

    def _expire(self, reason: str) -> None:
        try:
            self._on_timeout(reason)
        finally:
            os._exit(1)


def connect(job: Job) -> None:
    """Join the other processes. JAX aborts the process when this fails, so a watchdog with a shorter time goes first."""
    if job.processes == 1:
        return
    host = job.coordinator.rpartition(":")[0]
    bind = job.coordinator if job.first and host in ("127.0.0.1", "localhost") else None
    # The CPU's collectives; other platforms do not read it.
    jax.config.update("jax_cpu_collectives_implementation", "gloo")
    jax.distributed.initialize(
        coordinator_address=job.coordinator,
        num_processes=job.processes,
        process_id=job.index,
        initialization_timeout=int(job.config.startup_timeout_s) + 30,
        coordinator_bind_address=bind,
        cluster_detection_method="deactivate",  # what the environment says is explicit and complete
    )


def disconnect(job: Job) -> None:
    """Leave together; waits for the others."""
    if job.processes > 1:
        jax.distributed.shutdown()


def make_mesh() -> Mesh:
    """All devices of all processes in one line."""
    return Mesh(np.array(jax.devices()), (AXIS,))


def replicated(mesh: Mesh) -> NamedSharding:
    return NamedSharding(mesh, PartitionSpec())


def split(mesh: Mesh) -> NamedSharding:
    return NamedSharding(mesh, PartitionSpec(AXIS))


def rows_of(index: int, processes: int, rows: int) -> slice:
    """The rows of a global batch that one process reads; raises where they cannot be shared evenly."""
    if rows % processes:
        raise Failure(f"{rows} sequences cannot be shared evenly by {processes} processes", shared=True)
    share = rows // processes
    return slice(index * share, (index + 1) * share)


def to_devices(mesh: Mesh, local_rows: np.ndarray) -> jax.Array:
    """A global array of which this process holds ``local_rows``."""
    return jax.make_array_from_process_local_data(split(mesh), local_rows)


def place(mesh: Mesh, tree: Any) -> Any:
    """The same host values, in full, on every device."""
    sharding = replicated(mesh)
    return jax.tree.map(lambda leaf: jax.make_array_from_callback(leaf.shape, sharding, lambda at: leaf[at]), tree)


def gather_texts(text: str) -> list[str]:
    """Every process's text, in the order of their indices, at every process."""
    padded = np.zeros(TEXT_BYTES, np.uint8)
    raw = text.encode()[:TEXT_BYTES]
    padded[: len(raw)] = np.frombuffer(raw, np.uint8)
    rows = np.asarray(multihost_utils.process_allgather(padded)).reshape(-1, TEXT_BYTES)
    return [bytes(row).rstrip(b"\0").decode(errors="replace") for row in rows]


def share_failure(job: Job, action: Callable[[], _T]) -> _T:
    """Run ``action`` at every process; where it fails at one, all raise that failure."""
    result: _T | None = None
    reason = ""
    try:
        result = action()
    except Failure as failure:
        reason = str(failure)
    reasons = gather_texts(reason) if job.processes > 1 else [reason]
    for index, found in enumerate(reasons):
        if found:
            raise Failure(found if job.processes == 1 else f"process {index}: {found}", shared=True)
    return result  # type: ignore[return-value]  # no reason means that the action returned


def on_first(job: Job, action: Callable[[], _T]) -> _T | None:
    """Run ``action`` at process 0 only, and raise its failure everywhere."""
    return share_failure(job, lambda: action() if job.first else None)


def broadcast(job: Job, tree: Any) -> Any:
    """Process 0's host values at every process; the others give values of the same shapes."""
    return multihost_utils.broadcast_one_to_all(tree) if job.processes > 1 else tree
