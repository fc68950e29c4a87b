"""Who is slow while training: each worker's own time of a step, until it needs the others.

In the time of a whole step everybody is as slow as the slowest, for all wait for each other.
"""

from __future__ import annotations

import json

import numpy as np
from pydantic import TypeAdapter

from train.checks.estimate import Effect, Tolerance, compare
from train.parallel.peers import Peers

_EFFECTS = TypeAdapter(list[Effect])


def compare_steps(peers: Peers, own_s: list[float], tolerance: Tolerance) -> list[Effect]:
    """The effect of every process, at every process; nothing for a process alone or where no step was timed."""
    everyone = peers.gather("train/steps", json.dumps(own_s))

    def effects() -> str:
        times = [json.loads(text) for text in everyone]
        return _EFFECTS.dump_json(compare(np.array(times), tolerance) if times[0] else []).decode()

    return _EFFECTS.validate_json(peers.from_first("train/slow", effects))
