"""The way between every two nodes: swaps of data in the rounds of a tournament, and who is to blame for a slow one.

One program a round: each device swaps with its partner of the round. A swap waits for its partner alone, so each
process's own time is that of its pair, and all pairs of a round share what disturbs the fabric then.
"""

from __future__ import annotations

import json
import time
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from train.checks.estimate import ERROR_RATE, Effect, Status, Tolerance, judge
from train.checks.schedule import Pair, swaps, tournament
from train.config.failure import Failure
from train.parallel.mesh import AXIS, split
from train.parallel.peers import Peers

LOOKS = (12, 24, 48)  # repeats of the tournament after which it is asked whether more are needed
MAX_ROUNDS = 16  # a node that is slow is slow with any partner; among many nodes not every two need to meet
SWAPS = 4  # in one measurement, so that waiting for the partner at its start counts little
CPU_BYTES, CHIP_BYTES = 256 << 10, 64 << 20  # a swap, a device
TOLERANCE = Tolerance(0.10, 0.25)  # other traffic shares the fabric
_ENOUGH = 3  # nodes: of two, the one link has nothing to be compared with


@dataclass(frozen=True)
class Met:
    """What the pairs took. ``times_PxR`` are seconds of each pair in each repeat, the longer of both sides'."""

    pairs: list[Pair]
    times_PxR: np.ndarray
    bytes_per_swap: int

    def bytes_per_s(self, pair: int) -> float:
        """One way, in the median repeat."""
        return SWAPS * self.bytes_per_swap / float(np.median(self.times_PxR[pair]))


class Tournament:
    """All processes meet in pairs, ``MAX_ROUNDS`` partners each where they are many."""

    def __init__(self, mesh: Mesh, peers: Peers, processes: int) -> None:
        devices = mesh.devices.size // processes
        size = CPU_BYTES if mesh.devices.flat[0].platform == "cpu" else CHIP_BYTES
        self._peers, self._bytes = peers, devices * size
        self._schedule = tournament(processes)[:MAX_ROUNDS]
        self._programs = [_program(mesh, swaps(pairs, devices)) for pairs in self._schedule]
        self._parts = jax.make_array_from_callback(
            (mesh.devices.size, size // 4), split(mesh), lambda at: _row(at, size)
        )

    def check(self, index: int) -> None:
        """Meet all partners once; raises :class:`Failure` where other data comes back than was sent."""
        for program, pairs in zip(self._programs, self._schedule, strict=True):
            _check(program(self._parts), self._parts, index, pairs)

    def measure(self, judged: bool, deadline: float) -> Met | None:
        """The times, of more repeats while it is not known who is slow and there is time; at process 0 only."""
        mine: list[list[float]] = []
        met: Met | None = None
        for look in LOOKS:
            mine += [self._repeat(number) for number in range(len(mine), look)]
            everyone = self._peers.gather(f"train/pairs/{look}", json.dumps(mine))
            met = _collect(everyone, self._schedule, self._bytes) if everyone else None
            done = self._peers.from_first(f"train/pairs/{look}", lambda: str(_is_done(met, judged, deadline)))  # noqa: B023
            if done == str(True):
                break
        return met

    def _repeat(self, repeat: int) -> list[float]:
        times: list[float] = []
        for number, program in enumerate(self._programs):
            self._peers.meet(f"train/pairs/{repeat}/{number}")
            start = time.perf_counter()
            program(self._parts).block_until_ready()
            times.append(time.perf_counter() - start)
        return times


def _is_done(met: Met | None, judged: bool, deadline: float) -> bool:
    if met is None or not judged or time.monotonic() > deadline:
        return True
    of_nodes, of_links = blame(met)
    return all(effect.status != Status.UNKNOWN for effect in (*of_nodes.values(), *of_links.values()))


def _row(at: tuple[slice, ...] | None, size: int) -> np.ndarray:
    return np.full((1, size // 4), at[0].start or 0 if at else 0, np.float32)


def _program(mesh: Mesh, permutation: list[Pair]) -> Any:
    """An even number of swaps, so that everyone has its own again."""

    def swap(row: jax.Array) -> jax.Array:
        return jax.lax.fori_loop(0, SWAPS, lambda _, x: jax.lax.ppermute(x, AXIS, permutation), row)

    rows = PartitionSpec(AXIS)
    return jax.jit(jax.shard_map(swap, mesh=mesh, in_specs=rows, out_specs=rows, check_vma=False))


def _check(result: jax.Array, sent: jax.Array, index: int, pairs: list[Pair]) -> None:
    """After an even number of swaps everyone has its own; who rests has zeros."""
    partner = next((a + b - index for a, b in pairs if index in (a, b)), None)
    if partner is None:
        return
    for after, before in zip(result.addressable_shards, sent.addressable_shards, strict=True):
        if wrong := int(jnp.count_nonzero(after.data != before.data)):
            raise Failure(f"processes {index} and {partner} swap data, and {wrong} numbers come back different")


def _collect(everyone: list[str], schedule: list[list[Pair]], bytes_per_swap: int) -> Met:
    times_PrxRxN = np.array([json.loads(text) for text in everyone])  # process, repeat, round
    pairs = [(number, pair) for number, round_ in enumerate(schedule) for pair in round_]
    times = [np.maximum(times_PrxRxN[a, :, number], times_PrxRxN[b, :, number]) for number, (a, b) in pairs]
    return Met([pair for _, pair in pairs], np.array(times), bytes_per_swap)


def blame(met: Met) -> tuple[dict[int, Effect], dict[Pair, Effect]]:
    """Effects of nodes and of links, from the pairs' times; nothing where fewer than three nodes met.

    A node is slow where even its better links are slower than those between the others. A link is slow where it is
    slower than the other links of both its ends: a slow node does not make all its links suspect.
    """
    logs = np.log(met.times_PxR)
    nodes = sorted({node for pair in met.pairs for node in pair})
    if len(nodes) < _ENOUGH:
        return {}, {}
    rate = ERROR_RATE / (len(nodes) + len(met.pairs))
    of_nodes = {node: judge(_node_difference(met.pairs, logs, node), TOLERANCE, rate) for node in nodes}
    links = range(len(met.pairs))
    of_links = {met.pairs[link]: judge(_link_difference(met.pairs, logs, link), TOLERANCE, rate) for link in links}
    return of_nodes, of_links


def _node_difference(pairs: list[Pair], logs_PxR: np.ndarray, node: int) -> np.ndarray:
    own = np.array([node in pair for pair in pairs])
    better = np.quantile(logs_PxR[own], 0.25, axis=0, method="lower")
    return better - np.median(logs_PxR[~own], axis=0)


def _link_difference(pairs: list[Pair], logs_PxR: np.ndarray, link: int) -> np.ndarray:
    ends = pairs[link]
    others = [[end in pair and pair != ends for pair in pairs] for end in ends]
    return logs_PxR[link] - np.maximum(*(np.median(logs_PxR[np.array(own)], axis=0) for own in others))
