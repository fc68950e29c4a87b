"""How far a node's clock is from the others'."""

from __future__ import annotations

import json
import statistics
import time

from train.parallel.peers import Peers

LIMIT_S = 0.5  # what logs, leases and certificates bear; S3 refuses requests that are 15 minutes off
_READINGS = 5


def clocks_ahead_s(peers: Peers) -> list[float]:
    """By how many seconds each process's clock is ahead of the median one, at process 0; nothing at the others.

    All read their clocks when they leave a barrier, some milliseconds after each other; the median of a few readings
    is told.
    """
    mine: list[float] = []
    for reading in range(_READINGS):
        peers.meet(f"train/clock/{reading}")
        mine.append(time.time())
    return ahead([json.loads(text) for text in peers.gather("train/clock", json.dumps(mine))])


def ahead(readings: list[list[float]]) -> list[float]:
    """Of each process's readings, taken at the same moments."""
    middles = [statistics.median(moment) for moment in zip(*readings, strict=True)]
    return [statistics.median(t - middle for t, middle in zip(own, middles, strict=True)) for own in readings]
