"""Collectives over all devices: their results are checked, and timed by message size."""

from __future__ import annotations

import statistics
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import jax
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from train.config.failure import Failure
from train.parallel.mesh import AXIS, split

REPEATS = 5
CPU_BYTES, CHIP_BYTES = (64 << 10, 4 << 20), (1 << 20, 128 << 20)  # messages, a device


_RESIDUES = 11  # a row holds the numbers 0 to 10 in turn, from another one at each device: their sums are exact


@dataclass(frozen=True)
class Collective:
    """One kind: what a device makes of its row, what that must be, and the part of the message that each link carries.

    ``expected`` is told the number of devices, the length of a row and which device asks. The parts are those of
    nccl-tests' PERFORMANCE.md, so that bus bandwidths can be compared with what others publish.
    """

    name: str
    function: Callable[[jax.Array], jax.Array]
    expected: Callable[[int, int, int], np.ndarray]
    bus_part: Callable[[int], float]


def _values(device: int, start: int, floats: int) -> np.ndarray:
    """What ``device``'s row holds from there on."""
    return _repeat((np.arange(_RESIDUES) + 3 * device) % _RESIDUES, start, floats)


def _sums(devices: int, start: int, floats: int) -> np.ndarray:
    """What all rows hold there together."""
    return _repeat(np.sum([_values(device, 0, _RESIDUES) for device in range(devices)], axis=0), start, floats)


def _repeat(cycle: np.ndarray, start: int, floats: int) -> np.ndarray:
    """A cycle of numbers from a place of it on, as float32; made by copying, for messages are large."""
    return np.resize(np.roll(cycle, -start % len(cycle)).astype(np.float32), floats)


def _pieces_of_all(devices: int, floats: int, which: int) -> np.ndarray:
    """One of as many pieces as there are devices, of each device's row."""
    piece = floats // devices
    return np.concatenate([_values(device, which * piece, piece) for device in range(devices)])


def _split(row: jax.Array) -> jax.Array:
    return row.reshape(jax.lax.axis_size(AXIS), -1)


ALL_REDUCE = Collective(
    "all-reduce",
    lambda row: jax.lax.psum(row, AXIS),
    lambda n, floats, device: _sums(n, 0, floats),
    lambda n: 2 * (n - 1) / n,
)
KINDS = (
    ALL_REDUCE,
    Collective(
        "all-gather",
        lambda row: jax.lax.all_gather(_split(row)[0], AXIS).reshape(-1),
        lambda n, floats, device: _pieces_of_all(n, floats, 0),
        lambda n: (n - 1) / n,
    ),
    Collective(
        "reduce-scatter",
        lambda row: jax.lax.psum_scatter(_split(row), AXIS),
        lambda n, floats, device: _sums(n, device * (floats // n), floats // n),
        lambda n: (n - 1) / n,
    ),
    Collective(
        "all-to-all",
        lambda row: jax.lax.all_to_all(_split(row), AXIS, 0, 0, tiled=True).reshape(-1),
        lambda n, floats, device: _pieces_of_all(n, floats, device),
        lambda n: (n - 1) / n,
    ),
)


@dataclass(frozen=True)
class Timed:
    """The median of a few runs. Bandwidth in byte/s; 0 on a single device, whose message goes nowhere."""

    name: str
    message_bytes: int
    seconds: float
    bus_bytes_per_s: float


def time_all(mesh: Mesh) -> list[Timed]:
    """Every kind at every size; raises :class:`Failure` when a result is wrong."""
    sizes = CPU_BYTES if mesh.devices.flat[0].platform == "cpu" else CHIP_BYTES
    return [time_one(mesh, kind, size) for kind in KINDS for size in sizes]


def time_one(mesh: Mesh, kind: Collective, message_bytes: int = CPU_BYTES[-1]) -> Timed:
    """One kind at one size (rounded to what the devices can share); raises :class:`Failure` when a result is wrong."""
    count = mesh.devices.size
    floats = max(1, message_bytes // 4 // count) * count

    def row_at(at: tuple[slice, ...] | None) -> np.ndarray:
        device = at[0].start or 0 if at else 0
        return _values(device, 0, floats)[None]

    parts = jax.make_array_from_callback((count, floats), split(mesh), row_at)
    run = jax.jit(
        jax.shard_map(
            lambda row: kind.function(row[0])[None],
            mesh=mesh,
            in_specs=PartitionSpec(AXIS),
            out_specs=PartitionSpec(AXIS),
            check_vma=False,
        )
    )
    _check(kind, count, floats, run(parts))
    seconds = statistics.median(_time(run, parts) for _ in range(REPEATS))
    return Timed(kind.name, 4 * floats, seconds, kind.bus_part(count) * 4 * floats / seconds)


def _check(kind: Collective, count: int, floats: int, result: jax.Array) -> None:
    for shard in result.addressable_shards:
        device = shard.index[0].start or 0
        wanted = kind.expected(count, floats, device)
        if wrong := int(np.count_nonzero(np.asarray(shard.data)[0] != wanted)):
            raise Failure(f"the {kind.name} over {count} devices is wrong in {wrong} of {wanted.size} numbers")


def _time(run: Any, parts: jax.Array) -> float:
    start = time.perf_counter()
    run(parts).block_until_ready()
    return time.perf_counter() - start
