"""What must hold before anything is trained: the devices are there, and they can add up together."""

from __future__ import annotations

import statistics
import time
from collections import Counter

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from train.config import Failure, Job
from train.parallel import AXIS, split

ALL_REDUCE_FLOATS = 1 << 20  # 4 MiB a device
REPEATS = 5


def check_devices(job: Job) -> None:
    """The device count against what was expected on this node; raises :class:`Failure` with both numbers."""
    expected, found = job.devices_per_process, jax.local_device_count()
    if expected is not None and found != expected:
        kind = jax.local_devices()[0].device_kind
        of = f" of {job.accelerator.instance_type}" if job.accelerator.instance_type else ""
        raise Failure(f"node {job.node} shows {found} devices ({kind}), and the catalogue says {expected}{of}")


def check_processes(job: Job, mesh: Mesh) -> None:
    """Every process brings as many devices as every other; raises :class:`Failure` with the counts."""
    present = Counter(device.process_index for device in mesh.devices.flat)
    counts = [present[index] for index in range(job.processes)]
    if len(set(counts)) > 1 or not all(counts):
        raise Failure(f"the processes bring different numbers of devices: {counts}")


def time_all_reduce(mesh: Mesh, floats: int = ALL_REDUCE_FLOATS) -> float:
    """Median seconds of one all-reduce over all devices; raises :class:`Failure` when the sum is wrong."""
    count = mesh.devices.size
    pattern = np.arange(floats, dtype=np.float32) % 7  # small whole numbers: their sums are exact
    rows = range(count)

    def rows_at(at: tuple[slice, ...] | None) -> np.ndarray:
        return np.stack([pattern + row for row in (rows[at[0]] if at else rows)])

    parts = jax.make_array_from_callback((count, floats), split(mesh), rows_at)
    add = jax.jit(
        jax.shard_map(
            lambda row: jax.lax.psum(row[0], AXIS), mesh=mesh, in_specs=PartitionSpec(AXIS), out_specs=PartitionSpec()
        )
    )
    total = np.asarray(add(parts).addressable_data(0))
    wrong = int(np.count_nonzero(total != pattern * count + sum(rows)))
    if wrong:
        raise Failure(f"the all-reduce over {count} devices is wrong in {wrong} of {floats} sums")
    times: list[float] = []
    for _ in range(REPEATS):
        start = time.perf_counter()
        add(parts).block_until_ready()
        times.append(time.perf_counter() - start)
    return statistics.median(times)
