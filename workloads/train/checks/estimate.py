"""How much slower one worker is than its peers, and how sure that is.

All workers do the same work in the same rounds. What disturbs all of them in a round cancels, since each time is
compared with those of the same round. Work is disturbed by other programs now and then and for a while, so the
estimate is the Hodges-Lehmann one (the median of all pairwise means: a quarter of the rounds may be anything), and the
rounds count for fewer where neighbours are alike.

A verdict has three values. ``FAIL``: surely slower than is harmless. ``PASS``: surely not as slow as is serious.
Between them more rounds are measured, and when there is no time for more it stays ``UNKNOWN``.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum

import numpy as np
from scipy.special import stdtr, stdtrit  # JAX needs SciPy, so it is there

# That one look at one kind of work, of any number of workers, calls one slow that is not, or well that is slow. A run
# has up to four looks at each of a few kinds, and so a few times this rate at most.
ERROR_RATE = 0.001
_MAD_TO_SIGMA = 1.4826  # of a normal distribution
_HODGES_LEHMANN = float(np.sqrt(np.pi / 3))  # its standard error over the mean's, for normal noise
_MIN_ROUNDS, _MIN_COUNT = 4, 3.0  # fewer than three independent rounds have no interval worth telling
_FAR = 20.0  # in logarithms: beyond any slowness, and still a finite share


class Status(StrEnum):
    """What is known; unknown is not healthy."""

    PASS = "PASS"
    FAIL = "FAIL"
    UNKNOWN = "UNKNOWN"

    @classmethod
    def worst(cls, statuses: list[Status]) -> Status:
        """FAIL before UNKNOWN before PASS."""
        return next((status for status in (cls.FAIL, cls.UNKNOWN) if status in statuses), cls.PASS)


@dataclass(frozen=True)
class Tolerance:
    """Shares by which a time may be longer: up to ``harmless`` nobody is blamed, from ``serious`` on nobody passes."""

    harmless: float
    serious: float


COMPUTE = Tolerance(0.015, 0.04)  # so that 5 % is found in 95 of 100 runs: make bench draws the curve


@dataclass(frozen=True)
class Effect:
    """By what share a worker's time is longer than its peers' (negative: shorter), with its interval.

    ``confidence`` is the probability of being on the verdict's side of the tolerance; of an unknown one it is the
    larger of both.
    """

    share: float
    low: float
    high: float
    confidence: float
    status: Status


def compare(times_WxR: np.ndarray, tolerance: Tolerance = COMPUTE, error_rate: float = ERROR_RATE) -> list[Effect]:
    """Each worker against the others, from the times of W workers in R rounds; nothing where there are no peers."""
    logs_WxR = np.log(np.asarray(times_WxR, float))
    workers = len(logs_WxR)
    if workers < 2:
        return []
    return [judge(row - peers_median(logs_WxR, w), tolerance, error_rate / workers) for w, row in enumerate(logs_WxR)]


def peers_median(values_WxR: np.ndarray, worker: int) -> np.ndarray:
    """Round by round the median over all workers but one: of two workers, the other."""
    return np.median(np.delete(values_WxR, worker, axis=0), axis=0)


def judge(differences_R: np.ndarray, tolerance: Tolerance, error_rate: float) -> Effect:
    """What differences of logarithms of times, one a round, say of whom they belong to."""
    center, error, freedom = estimate(differences_R)
    reach = min(float(stdtrit(freedom, 1 - error_rate)) * error, _FAR)
    limits = np.log1p([tolerance.harmless, tolerance.serious])
    # A tie of equal times has no spread, and the Student distribution no value there.
    sure_slow, sure_well = (stdtr(freedom, z) for z in (np.array([1, -1]) * (center - limits) / max(error, 1e-12)))
    if center - reach > limits[0]:
        status, confidence = Status.FAIL, sure_slow
    elif center + reach < limits[1]:
        status, confidence = Status.PASS, sure_well
    else:
        status, confidence = Status.UNKNOWN, max(sure_slow, sure_well)
    share, low, high = np.expm1(np.clip([center, center - reach, center + reach], -_FAR, _FAR))
    return Effect(float(share), float(low), float(high), float(confidence), status)


def estimate(values_R: np.ndarray) -> tuple[float, float, float]:
    """Centre, its standard error, and the degrees of freedom; the error is infinite with too few rounds."""
    rounds = len(values_R)
    if rounds < _MIN_ROUNDS:
        return float(np.median(values_R)), float("inf"), _MIN_COUNT - 1
    first, second = np.triu_indices(rounds)
    center = float(np.median((values_R[first] + values_R[second]) / 2))
    rest = values_R - center
    sigma = _MAD_TO_SIGMA * float(np.median(np.abs(rest)))
    count = effective_count(rest, sigma)
    return center, _HODGES_LEHMANN * sigma / count**0.5, count - 1


def effective_count(rest_R: np.ndarray, sigma: float) -> float:
    """How many independent rounds tell as much: fewer where a round resembles the one before (AR(1))."""
    rounds = len(rest_R)
    clipped = np.clip(rest_R, -2 * sigma, 2 * sigma)  # one outlier must not hide the likeness of the others
    power = float(clipped @ clipped)
    likeness = float(clipped[1:] @ clipped[:-1]) / power if power else 0.0
    likeness += (1 + 4 * likeness) / rounds  # few rounds look less alike than they are (Kendall 1954)
    likeness = min(max(likeness, 0.0), 0.95)
    return max(_MIN_COUNT, rounds * (1 - likeness) / (1 + likeness))
