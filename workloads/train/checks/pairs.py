"""The way between every two nodes: swaps of data in the rounds of a tournament, and who is to blame for a slow one.

One program a round: each device swaps with its partner of the round. A swap waits for its partner alone, so each
process's own time is that of its pair, and all pairs of a round share what disturbs the fabric then.
"""

from __future__ import annotations

import json
import math
import time
from dataclasses import dataclass
from typing import Any

import jax
import jax.numpy as jnp
import numpy as np
from jax.sharding import Mesh, PartitionSpec

from train.checks.estimate import ERROR_RATE, Effect, Status, Tolerance, judge
from train.checks.schedule import Pair, are_apart, swaps, tournament
from train.config.failure import Failure
from train.parallel.mesh import AXIS, split
from train.parallel.peers import Peers

LOOKS = (12, 24, 48)  # repeats of the tournament after which it is asked whether more are needed
MAX_ROUNDS = 16  # a node that is slow is slow with any partner; among many nodes not every two need to meet
SWAPS = 4  # in one measurement, so that waiting for the partner at its start counts little
CPU_BYTES, CHIP_BYTES = 256 << 10, 64 << 20  # a swap, a device: the most, where the fabric is fast enough
TRIAL_BYTES = 4 << 20
FIRST_LOOK_S = 8.0  # all that comes before the deadline is asked for, and far below the watchdog's time
TOLERANCE = Tolerance(0.10, 0.25)  # other traffic shares the fabric
_ENOUGH = 3  # nodes: of two, the one link has nothing to be compared with
_TORUS = ("tpu",)  # there healthy links differ by how many hops they are, so that none is another's peer


@dataclass(frozen=True)
class Met:
    """What the pairs took. ``times_PxR`` are seconds of each pair in each repeat, the longer of both sides'."""

    pairs: list[Pair]
    times_PxR: np.ndarray
    bytes_per_swap: int

    def bytes_per_s(self, pair: int) -> float:
        """One way, in the median repeat."""
        return SWAPS * self.bytes_per_swap / float(np.median(self.times_PxR[pair]))


def are_comparable(platform: str, machines: list[str]) -> bool:
    """Whether links can be judged by each other: they lead through a switch, from one machine to another."""
    return platform not in _TORUS and are_apart(machines)


def fitting_bytes(trial_s: float, rounds: int) -> int:
    """The largest swap with which the first look ends in time, where one of ``TRIAL_BYTES`` took ``trial_s``."""
    fits = TRIAL_BYTES * FIRST_LOOK_S / (trial_s * rounds * LOOKS[0])
    return max(CPU_BYTES, min(CHIP_BYTES, 1 << max(0, math.floor(math.log2(fits)))))


class Tournament:
    """All processes meet in pairs, ``MAX_ROUNDS`` partners each where they are many.

    Attributes:
        bytes_per_swap: what a process sends in one, from all its devices.
    """

    def __init__(self, mesh: Mesh, peers: Peers, processes: int) -> None:
        devices = mesh.devices.size // processes
        self._peers, self._mesh = peers, mesh
        self._schedule = tournament(processes)[:MAX_ROUNDS]
        self._programs = [_program(mesh, swaps(pairs, devices)) for pairs in self._schedule]
        size = CPU_BYTES if _is_cpu(mesh) else self._size_by_trial()
        self.bytes_per_swap, self._parts = devices * size, _parts(mesh, size)

    def _size_by_trial(self) -> int:
        """Bytes of a swap, by what the slowest pair of any round takes: on slow fabrics 64 MiB take too long."""
        parts = _parts(self._mesh, TRIAL_BYTES)
        for program in self._programs:
            program(parts).block_until_ready()  # compiles
        # All rounds: in each another node may rest, and a slow link is in one of them only.
        took = [self._time(each, parts, f"train/pairs/trial/{number}") for number, each in enumerate(self._programs)]
        everyone = self._peers.gather("train/pairs/took", str(max(took)))
        fitting = self._peers.from_first(
            "train/pairs/size", lambda: str(fitting_bytes(max(map(float, everyone)), len(self._schedule)))
        )
        return int(fitting)

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
            met = _collect(everyone, self._schedule, self.bytes_per_swap) if everyone else None
            done = self._peers.from_first(f"train/pairs/{look}", lambda: str(_is_done(met, judged, deadline)))  # noqa: B023
            if done == str(True):
                break
        return met

    def _repeat(self, repeat: int) -> list[float]:
        return [
            self._time(program, self._parts, f"train/pairs/{repeat}/{number}")
            for number, program in enumerate(self._programs)
        ]

    def _time(self, program: Any, parts: jax.Array, name: str) -> float:
        self._peers.meet(name)
        start = time.perf_counter()
        program(parts).block_until_ready()
        return time.perf_counter() - start


def _is_done(met: Met | None, judged: bool, deadline: float) -> bool:
    if met is None or not judged or time.monotonic() > deadline:
        return True
    of_nodes, of_links = blame(met)
    return all(effect.status != Status.UNKNOWN for effect in (*of_nodes.values(), *of_links.values()))


def _is_cpu(mesh: Mesh) -> bool:
    return mesh.devices.flat[0].platform == "cpu"


def _parts(mesh: Mesh, size: int) -> jax.Array:
    """A row of ``size`` bytes at each device."""
    return jax.make_array_from_callback((mesh.devices.size, size // 4), split(mesh), lambda at: _row(at, size))


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
