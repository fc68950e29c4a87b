"""Failures as they were measured, and the checkpoint interval that loses the least."""

from __future__ import annotations

import math
from collections.abc import Callable

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from operations.sizing import reliability
from operations.sizing.model import DAY_S, HOUR_S

WRITES = st.floats(0.1, 3600)
MTTFS = st.floats(600, 100 * DAY_S)


def least(function: Callable[[float], float], low: float, high: float) -> float:
    """Where a function with one valley is least, by golden sections over the logarithm."""
    a, b = math.log(low), math.log(high)
    for _ in range(200):
        span = (b - a) * (math.sqrt(5) - 1) / 2
        if function(math.exp(b - span)) < function(math.exp(a + span)):
            b = a + span
        else:
            a = b - span
    return math.exp((a + b) / 2)


@pytest.mark.parametrize(("chips", "hours"), [(8, 47 * 24), (1024, 8)])
def test_the_anchors_are_met(chips: int, hours: float) -> None:
    assert reliability.mttf_s(chips) == pytest.approx(hours * HOUR_S)


def test_at_the_largest_scale_it_lies_between_the_two_that_were_published() -> None:
    assert 1.8 * HOUR_S < reliability.mttf_s(16_384) < 54 * DAY_S / 419


@settings(deadline=None)
@given(st.integers(1, 10**6), st.integers(1, 10**6))
def test_more_chips_never_fail_less_often(chips: int, more: int) -> None:
    assert reliability.mttf_s(chips + more) < reliability.mttf_s(chips)
    assert reliability.spares(chips + more) >= reliability.spares(chips) >= 1


@settings(max_examples=40, deadline=None)
@given(WRITES, MTTFS)
def test_young_is_the_minimum_of_what_he_minimises(write_s: float, mttf: float) -> None:
    found = least(lambda interval: write_s / interval + interval / (2 * mttf), 1e-3, 1e9)
    assert reliability.young_interval_s(write_s, mttf) == pytest.approx(found, rel=1e-4)


@settings(max_examples=40, deadline=None)
@given(WRITES, MTTFS)
def test_daly_is_the_minimum_of_the_expected_time(write_s: float, mttf: float) -> None:
    assume(write_s < mttf / 2)
    taken = reliability.checkpoint_interval_s(write_s, mttf)

    def expected(interval: float) -> float:
        return reliability.time_factor(interval, write_s, 600, mttf)

    found = least(expected, taken / 100, taken * 100)
    assert taken == pytest.approx(found, rel=0.02)
    assert expected(taken) <= expected(found) * 1.0001


def test_daly_gives_his_own_examples() -> None:
    # Daly 2006, figures 3 to 5: a dump of 5 minutes, a mean time to failure of 24 h, 6 h and 15 min.
    for mttf, minutes in ((24 * HOUR_S, 117), (6 * HOUR_S, 57), (900, 9.1)):
        assert reliability.checkpoint_interval_s(300, mttf) / 60 == pytest.approx(minutes, rel=0.03)


@settings(max_examples=40, deadline=None)
@given(WRITES, MTTFS)
def test_time_is_only_ever_lost(write_s: float, mttf: float) -> None:
    interval = reliability.checkpoint_interval_s(write_s, mttf)
    assert interval > 0
    assert reliability.time_factor(interval, write_s, 600, mttf) > 1


def test_failures_that_leave_no_time_are_never_finished() -> None:
    assert reliability.time_factor(1.0, 1e6, 600, 1.0) == math.inf
