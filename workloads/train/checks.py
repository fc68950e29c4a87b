"""What must hold before anything is trained: the devices are there, and they can add up together."""

from __future__ import annotations

import statistics
import time

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh

from train.config import Failure, Job
from train.parallel import replicated, split

ALL_REDUCE_FLOATS = 1 << 20  # 4 MiB a device: about the gradient of the default model
REPEATS = 5


def check_devices(job: Job) -> None:
    """The device count against what was expected on this node; raises :class:`Failure` with both numbers."""
    expected, found = job.devices_per_process, jax.local_device_count()
    if expected is not None and found != expected:
        kind = jax.local_devices()[0].device_kind
        of = f" of a {job.accelerator.instance_type}" if job.accelerator.instance_type else ""
        raise Failure(f"node {job.node} shows {found} devices ({kind}), and {expected}{of} were expected")


def check_processes(job: Job, mesh: Mesh) -> None:
    """Every process takes part with at least one device."""
    present = {device.process_index for device in mesh.devices.flat}
    missing = sorted(set(range(job.processes)) - present)
    if missing:
        raise Failure(f"processes {missing} bring no device", shared=True)


def time_all_reduce(mesh: Mesh, floats: int = ALL_REDUCE_FLOATS) -> float:
    """Median seconds of one all-reduce over all devices; raises :class:`Failure` when the sum is wrong."""
    count = mesh.devices.size
    rows = np.arange(count, dtype=np.float32)[:, None] + np.arange(floats, dtype=np.float32) % 7
    parts = jax.make_array_from_callback(rows.shape, split(mesh), lambda at: rows[at])
    add = jax.jit(lambda x: jnp.sum(x, axis=0), out_shardings=replicated(mesh))
    total = add(parts).block_until_ready()
    wrong = int(np.count_nonzero(np.asarray(total.addressable_data(0)) != rows.sum(axis=0)))
    if wrong:
        raise Failure(f"the all-reduce over {count} devices is wrong in {wrong} of {floats} sums")
    times: list[float] = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        add(parts).block_until_ready()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
