"""Who is slow while training: each worker's own time of a step, until it needs the others.

In the time of a whole step everybody is as slow as the slowest, for all wait for each other. Where CPUs compute that
others use too, own times hold waiting that nobody can take off step by step: it blames no node.
"""

from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace

import numpy as np
from pydantic import TypeAdapter

from train.checks.estimate import COMPUTE, ERROR_RATE, Effect, Status, compare, judge, peers_median
from train.parallel.peers import Peers

_EFFECTS = TypeAdapter(list[Effect])


def compare_steps(peers: Peers, own_s: list[float], doubt: float = 0.0) -> list[Effect]:
    """The effect of every process, at every process; nothing for a process alone or where no step was timed.

    Args:
        doubt: the share of its own time in which this process may have waited for a CPU.
    """
    everyone = peers.gather("train/steps", json.dumps([own_s, doubt]))

    def effects() -> str:
        times, doubts = zip(*(json.loads(text) for text in everyone), strict=True)
        return _EFFECTS.dump_json(believed(np.array(times), doubts) if times[0] else []).decode()

    return _EFFECTS.validate_json(peers.from_first("train/slow", effects))


def believed(times_WxR: np.ndarray, doubts: Sequence[float]) -> list[Effect]:
    """As :func:`compare` says, but whoever is slow only if none of its waiting counts is not known to be."""
    logs_WxR, effects = np.log(times_WxR), compare(times_WxR)
    for worker, effect in enumerate(effects):
        if effect.status is Status.FAIL and doubts[worker] > 0:
            at_best = logs_WxR[worker] + np.log1p(-min(doubts[worker], 0.99))
            again = judge(at_best - peers_median(logs_WxR, worker), COMPUTE, ERROR_RATE / len(effects))
            if again.status is not Status.FAIL:
                effects[worker] = replace(effect, status=Status.UNKNOWN)
    return effects
