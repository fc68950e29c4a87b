"""How far a node's clock is from the others'."""

from __future__ import annotations

import json
import statistics
import time

from train.parallel.peers import Peers

LIMIT_S = 0.5  # what logs, leases and certificates bear; S3 refuses requests that are 15 minutes off
_READINGS = 5


def clocks_ahead_s(peers: Peers) -> list[float]:
    """By how many seconds each process's clock is ahead of the others', at process 0; nothing at the others.

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
    moments = list(zip(*readings, strict=True))
    return [statistics.median(moment[own] - _middle(moment, own) for moment in moments) for own in range(len(readings))]


def _middle(moment: tuple[float, ...], own: int) -> float:
    """The median of all or of the others, whichever are odd in number: then it is somebody's clock.

    The mean of two that differ would be nobody's, and each would seem to be off by half as much.
    """
    others = (*moment[:own], *moment[own + 1 :])
    return statistics.median(others if len(others) % 2 else moment)
