"""One worker of a real group that is compared again and again, one of them slowed down in software.

Each trial is a whole comparison as before a training. ``TRIALS`` is JSON: how process 1 is slowed down (``work``: it
does more; ``wait``: it waits) and by what share. Process 0 prints one line of JSON a trial, with everyone's effects.
With ``CHECKS`` set instead, it is ``python -m train.checks`` with process 1 slow by that share.
"""

from __future__ import annotations

import json
import os
import time
from collections.abc import Callable
from dataclasses import asdict, replace
from functools import partial
from typing import Any

import jax
from train.checks import __main__ as checks
from train.checks import rounds, work
from train.config.job import load
from train.parallel.peers import Peers

_product_series = rounds.product_series


def slowed(devices: list[Any], steps: int, how: str, share: float) -> rounds.Series:
    """The products of a worker that takes longer by ``share``."""
    if how == "work":
        return _product_series(devices, round(steps * (1 + share)))
    series = _product_series(devices, steps)
    return replace(series, times=partial(_wait_too, series.times, share))


def _wait_too(times: Callable[[], list[float]], share: float) -> list[float]:
    measured = times()
    waits = [share * seconds for seconds in measured]
    for wait in waits:
        until = time.perf_counter() + wait
        while time.perf_counter() < until:  # shorter than the kernel's sleeps are exact
            time.sleep(0)
    return [seconds + wait for seconds, wait in zip(measured, waits, strict=True)]


def compare_again_and_again() -> None:
    """Join the others and run all trials."""
    job = load(os.environ)
    peers = Peers(job)
    peers.connect()
    machines = peers.exchange("host", rounds.host_of(job))
    local, seconds = jax.local_devices(), work.scale_of("cpu").round_s
    steps = rounds.repeats_for(seconds, lambda count: _product_series(local, count).times())
    steps = int(peers.from_first("steps", lambda: str(steps)))
    for number, (how, share) in enumerate(json.loads(os.environ["TRIALS"])):
        series = slowed(local, steps, how, share) if job.index == 1 and share else _product_series(local, steps)
        effects = rounds.Rounds(job, peers, machines, budget_s=10.0, name=f"trial/{number}").run(series)
        if job.first:
            os.write(1, (json.dumps([asdict(effect) for effect in effects]) + "\n").encode())
    peers.leave()


def check_once(share: float) -> int:
    """The checks as they are, but for process 1's products."""
    if os.environ["JOB_COMPLETION_INDEX"] == "1":
        rounds.product_series = lambda devices, steps, tolerance: slowed(devices, steps, "work", share)
    return checks.main([])


if __name__ == "__main__":
    if told := os.environ.get("CHECKS"):
        os._exit(check_once(float(told)))
    compare_again_and_again()
