"""Many short measurements of all workers at the same moments, for as long as it takes to know who is slow."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from functools import partial
from pathlib import Path

import jax
import numpy as np
from pydantic import TypeAdapter

from train.checks import work
from train.checks.devices import Device
from train.checks.estimate import COMPUTE, Effect, Status, Tolerance, compare
from train.checks.schedule import shared_cpu, turn_of
from train.config.job import Job
from train.metrics.times import own_time
from train.parallel import cpu
from train.parallel.peers import Peers

LOOKS = (32, 64, 128, 192)  # rounds after which it is asked whether more are needed
# Sound chips of one kind differ, for each meets its power limit at a clock of its own: by 8 % on average between the
# GPUs of a cluster (Sinha et al., SC22, "Not All GPUs Are Created Equal"). More is harmless than of CPUs, and 5 % is
# still found.
CHIPS = Tolerance(0.03, 0.05)
_BETWEEN = 0.02  # from what a job tolerates to what is serious
_EFFECTS = TypeAdapter(list[Effect])


@dataclass(frozen=True)
class Series:
    """One kind of short work on each of this process's devices."""

    name: str
    tolerance: Tolerance
    times: Callable[[], list[float]]


def tolerance_of(job: Job, platform: str) -> Tolerance:
    """How much longer than its peers a device may take for products, and a worker for its own part of a step."""
    told = job.config.tolerated_slowness
    if told is not None:
        return Tolerance(told, told + _BETWEEN)
    return COMPUTE if platform == "cpu" else CHIPS


def product_series(devices: list[Device], steps: int, tolerance: Tolerance = COMPUTE) -> Series:
    """Matrix products; ``steps`` of them a round, as many at every worker."""
    scale = work.scale_of(devices[0].platform)
    host = work.numbers(scale.round_width).astype(scale.dtype)
    placed = [jax.device_put(host, device) for device in devices]
    works = [partial(_multiply, a, np.int32(steps)) for a in placed]
    return Series("matrix products", tolerance, partial(time_all, works, devices[0].platform))


def memory_series(devices: list[Device], steps: int) -> Series:
    """Reading and writing memory, of chips: a CPU's bandwidth is everybody's on the machine, and blames nobody."""
    size_bytes = work.scale_of(devices[0].platform).round_memory_bytes
    placed = [work.pattern(size_bytes, device) for device in devices]
    works = [partial(_invert, words, np.int32(steps)) for words in placed]
    return Series("memory passes", Tolerance(0.05, 0.15), partial(time_all, works, devices[0].platform))


def _multiply(a: jax.Array, steps: np.int32) -> None:
    work.multiply(a, a, steps).block_until_ready()


def _invert(words: jax.Array, passes: np.int32) -> None:
    work.invert(words, passes).block_until_ready()


def time_all(works: list[Callable[[], None]], platform: str) -> list[float]:
    """Seconds of each device's work: all at once, but one after the other where they share a CPU."""
    if platform == "cpu" or len(works) == 1:
        return [own_time(one)[1] for one in works]
    with ThreadPoolExecutor(len(works)) as threads:
        return [seconds for _, seconds in threads.map(own_time, works)]


def repeats_for(seconds: float, one: Callable[[int], object]) -> int:
    """How many repeats fill ``seconds``, from the best of a few trials."""
    one(1)
    trial = 16
    took = min(own_time(partial(one, trial))[1] for _ in range(3))
    return max(1, round(seconds * trial / took))


def host_of(job: Job, boot_id: Path = Path("/proc/sys/kernel/random/boot_id")) -> str:
    """What all processes of a machine have in common, in whatever container they are."""
    try:
        return boot_id.read_text().strip()
    except OSError:
        return f"process {job.index}"


def machines_of(platform: str, hosts: list[str]) -> list[str]:
    """What processes have in common that share a host's CPUs to compute; with chips of their own they share nothing."""
    return hosts if platform == "cpu" else [f"process {index}" for index in range(len(hosts))]


class Rounds:
    """Measures series at all processes, round by round. ``name`` is used once.

    Processes of one machine take turns, on one CPU: two that are threads of one core, each with the neighbours of its
    own, differ by more than what is looked for.
    """

    def __init__(
        self, job: Job, peers: Peers, machines: list[str], budget_s: float, name: str = "train/rounds"
    ) -> None:
        self._peers, self._name, self._deadline = peers, name, time.monotonic() + budget_s
        self._machine = machines.index(machines[job.index])
        self._turn, self._turns = turn_of(machines, job.index)
        allowed = [json.loads(text) for text in peers.exchange(f"{name}/cpus", json.dumps(cpu.allowed()))]
        self._cpu = shared_cpu(allowed, machines, job.index)

    def run(self, series: Series) -> list[Effect]:
        """The effect of each device of each process, in their order; the same list at every process."""
        with cpu.kept_on(self._cpu):
            return self._run(series)

    def _run(self, series: Series) -> list[Effect]:
        mine: list[list[float]] = []
        effects: list[object] = []
        series.times()  # warms up
        for look in LOOKS:
            mine += [self._round(series, number) for number in range(len(mine), look)]
            name = f"{self._name}/{series.name}/{look}"
            everyone = self._peers.gather(name, json.dumps(mine))
            done, effects = json.loads(self._peers.from_first(name, partial(self._decide, everyone, series, look)))
            if done:
                break
        return _EFFECTS.validate_python(effects)

    def _round(self, series: Series, number: int) -> list[float]:
        """A-B-B-A: turns are taken the other way round in every second round, so that a drift favours nobody."""
        name = f"{self._name}/{series.name}/{number}"
        self._peers.meet(name)
        turn = self._turns - 1 - self._turn if number % 2 else self._turn
        if turn > 0:
            self._peers.hear(f"{name}/{self._machine}/{turn - 1}")
        times = series.times()
        if turn + 1 < self._turns:
            self._peers.tell(f"{name}/{self._machine}/{turn}")
        return times

    def _decide(self, everyone: list[str], series: Series, look: int) -> str:
        times_WxR = np.concatenate([np.array(json.loads(text)).T for text in everyone])
        effects = compare(times_WxR, series.tolerance)
        known = all(effect.status != Status.UNKNOWN for effect in effects)
        done = known or look == LOOKS[-1] or time.monotonic() > self._deadline
        return json.dumps([done, _EFFECTS.dump_python(effects, mode="json")])
