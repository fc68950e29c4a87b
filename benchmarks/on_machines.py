"""Measurements on machines, in a process of their own: ``python -m benchmarks.on_machines SUBJECT ROUNDS PAIRS``.

Subjects: ``machines`` (ROUNDS of boots and of the playbooks, then PAIRS of runs of the playbooks with the project's
settings of Ansible and with stock ones) and ``training`` (ROUNDS of ``make up`` and ``make down``, and in the last data
centre PAIRS of the training job with an empty and with a filled compilation cache). Each prints a list of runs as JSON;
a run says what it was, its seconds, and the load average at its start.

The data centre that they measure is in a folder of its own in the checkout. A measurement that was killed is cleared
away by the next one; ``AI_DATACENTER_HOME=.datacenter-bench make down`` does it too.
"""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from typing import Any

from benchmarks.training import TrainingJob
from local import configuration, control_plane, machines
from local.addresses import key_of
from local.control_plane import ControlPlane
from local.node_spec import NodeSpec
from local.paths import CHECKOUT, DataRoot, LocalCloudError, cache_root
from local.processes import lock
from playbooks.results import ConvergeError, Convergence
from playbooks.runner import converge
from playbooks.settings import Settings
from setup.host import MACHINES, NODES

ROOT = DataRoot(CHECKOUT / ".datacenter-bench")
_REGION = "us-east-1"
_TIMEOUT_S = 600
_GRACE_S = 0.0

Run = dict[str, Any]


def main(subject: str, rounds: int, pairs: int) -> list[Run]:
    """The runs of one subject; nothing is left of its data centre."""
    os.environ |= {NODES: MACHINES, "AI_DATACENTER_HOME": str(ROOT.path)}
    with lock(cache_root() / f"bench-{key_of(ROOT.path)}.lock"):
        _clear()
        try:
            return list(SUBJECTS[subject](rounds, pairs))
        finally:
            _clear()


def boots_and_convergence(rounds: int, pairs: int) -> Iterator[Run]:
    """One machine alone, then two at once; those two are configured, and configured again, at last in both ways."""
    plane = control_plane.ensure(ROOT, _REGION, "bench")
    for number in range(1, rounds + 1):
        with _running(plane, _specs(1)) as boot:
            yield {"what": "one machine", **boot}
        with _running(plane, _specs(2)) as boot:
            yield {"what": "two at once", **boot}
            yield {"what": "first", **_converged()}
            yield {"what": "second", **_converged()}
            if number == rounds:
                yield from _settings(pairs)


def _settings(pairs: int) -> Iterator[Run]:
    """Machines with nothing to change, looked at with our settings and with stock ones: A-B, B-A, A-B, …"""
    for pair in range(pairs):
        for fast in _in_turn(pair):
            yield {"what": "ours" if fast else "stock", **_converged(Settings(fast=fast))}


def training(rounds: int, pairs: int) -> Iterator[Run]:
    """``make up`` and ``make down``; in the last data centre the job trains with each kind of cache, in turn."""
    for number in range(1, rounds + 1):
        yield _make("up")
        if number == rounds:
            yield from _first_steps(pairs)
        yield _make("down")


def _first_steps(pairs: int) -> Iterator[Run]:
    (plane,) = control_plane.clusters(ROOT)
    with TrainingJob.of(plane) as job:
        job.run(filled=True)  # which fills the cache
        for pair in range(pairs):
            for filled in _in_turn(pair):
                yield {"what": "filled" if filled else "empty", "load": _load(), **job.run(filled=filled)}


def _in_turn(pair: int) -> tuple[bool, bool]:
    """A pair's order, so that what grows or shrinks while it is measured favours neither side."""
    return (True, False) if pair % 2 == 0 else (False, True)


def _specs(count: int) -> list[NodeSpec]:
    return [
        NodeSpec(
            name=f"bench-{number}", nodegroup="bench", instance_type="m7i.large", zone=f"{_REGION}a", vcpus=2,
            memory_mib=8192,
        )
        for number in range(count)
    ]  # fmt: skip


@contextmanager
def _running(plane: ControlPlane, specs: list[NodeSpec]) -> Iterator[Run]:
    """New machines, started at once as a node group does; gives how long until all were Ready."""
    load, began = _load(), time.monotonic()
    with ThreadPoolExecutor(len(specs)) as pool:
        list(pool.map(lambda spec: machines.start(plane, spec), specs))
        took = time.monotonic() - began
        try:
            yield {"seconds": took, "load": load}
        finally:
            list(pool.map(lambda spec: machines.stop(plane, spec.name, _GRACE_S), specs))


def _converged(chosen: Settings | None = None) -> Run:
    """One run of the playbooks on all machines."""
    load = _load()
    done = converge(configuration.inventory(machines.list_machines(ROOT)), settings=chosen)
    if not done.succeeded:
        raise ConvergeError("\n".join(map(str, done.failures)))
    return {"seconds": done.seconds, "load": load, "tasks": _tasks(done), "changed": done.changed}


def _tasks(done: Convergence) -> int:
    """Host-tasks: a task on two hosts is two."""
    return sum(host.tasks for host in done.hosts)


def _make(target: str) -> Run:
    """``make TARGET`` as somebody types it, whatever make this was started by."""
    environment = {name: value for name, value in os.environ.items() if not name.startswith("MAKE")}
    load, began = _load(), time.monotonic()
    done = subprocess.run(
        ["make", "--no-print-directory", target], cwd=CHECKOUT, env={**environment, "CI": "true"}, timeout=_TIMEOUT_S,
        capture_output=True, text=True, check=False,
    )  # fmt: skip
    if done.returncode:
        raise LocalCloudError(f"`make {target}` failed:\n{done.stderr[-2000:]}")
    return {"what": target, "seconds": time.monotonic() - began, "load": load}


def _clear() -> None:
    """Remove what is left of this or an earlier measurement."""
    command = [sys.executable, "-m", "operations.down"]
    done = subprocess.run(command, cwd=CHECKOUT, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)
    if done.returncode:
        raise LocalCloudError(f"The measured data centre cannot be removed: {done.stdout[-500:]}{done.stderr[-2000:]}")


def _load() -> float:
    return os.getloadavg()[0]


SUBJECTS: dict[str, Callable[[int, int], Iterator[Run]]] = {
    "machines": boots_and_convergence,
    "training": training,
}

if __name__ == "__main__":
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("it was ended"))  # what it has started is cleared away
    try:
        print(json.dumps(main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))))
    except (LocalCloudError, ConvergeError) as problem:
        sys.exit(str(problem))
