"""Found where it is, nobody else blamed, and unknown where it cannot be known, on noise as of a shared machine."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from train.checks.estimate import ERROR_RATE, Effect, Status, compare, effective_count, estimate
from train.checks.rounds import LOOKS

from .noise import times


def looked(workers: int, slowdown: float, seed: int) -> list[Status]:
    """The verdicts after as many rounds as the checks would take; worker 0 is slow."""
    measured = times(np.random.default_rng(seed), workers, LOOKS[-1])
    measured[0] *= 1 + slowdown
    statuses: list[Status] = []
    for look in LOOKS:
        statuses = [effect.status for effect in compare(measured[:, :look])]
        if Status.UNKNOWN not in statuses:
            break
    return statuses


def is_as_sure_as_it_says(effect: Effect) -> bool:
    """Of a verdict surer than the error rate asks; of what is not known neither that nor less than a coin."""
    if effect.status is Status.UNKNOWN:
        return 0.5 <= effect.confidence <= 1 - ERROR_RATE / 10
    return 1 - ERROR_RATE < effect.confidence <= 1


@pytest.mark.parametrize("workers", [2, 4])
def test_a_worker_5_percent_slow_is_found_and_nobody_else_is_blamed(workers: int) -> None:
    runs = [looked(workers, 0.05, seed) for seed in range(100)]
    assert sum(statuses[0] is Status.FAIL for statuses in runs) >= 95
    assert not any(Status.FAIL in statuses[1:] for statuses in runs)


def test_of_200_clean_runs_at_most_two_blame_anybody() -> None:
    assert sum(Status.FAIL in looked(3, 0.0, seed) for seed in range(200)) <= 2


def test_a_clean_run_on_a_quiet_machine_passes_at_the_first_look() -> None:
    quiet = times(np.random.default_rng(0), 8, LOOKS[0], spread=0.005)
    assert {effect.status for effect in compare(quiet)} == {Status.PASS}


def test_with_noise_that_hides_everything_nothing_is_claimed() -> None:
    wild = times(np.random.default_rng(0), 4, LOOKS[0], spread=0.5)
    statuses = {effect.status for effect in compare(wild)}
    assert Status.UNKNOWN in statuses
    assert Status.FAIL not in statuses
    assert all(map(is_as_sure_as_it_says, compare(wild)))


def test_too_few_rounds_say_nothing() -> None:
    assert {(effect.status, effect.confidence) for effect in compare(np.ones((3, 3)))} == {(Status.UNKNOWN, 0.5)}


def test_equal_times_pass_with_no_doubt() -> None:
    assert [(e.status, e.share, round(e.confidence, 6)) for e in compare(np.ones((2, 24)))] == [(Status.PASS, 0, 1)] * 2


def test_a_worker_alone_has_nobody_to_be_compared_with() -> None:
    assert compare(np.ones((1, 24))) == []


def test_what_disturbs_all_in_a_round_cancels() -> None:
    random = np.random.default_rng(1)
    alike = np.ones((3, 24)) * random.exponential(1, 24)
    assert all(abs(effect.share) < 1e-9 for effect in compare(alike))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 5), st.floats(0.06, 3), st.floats(1e-6, 1e6))
def test_whoever_is_slow_is_named_whatever_the_unit_of_time(who: int, slowdown: float, unit: float) -> None:
    measured = times(np.random.default_rng(who), 6, 48, spread=0.005) * unit
    measured[who] *= 1 + slowdown
    effects = compare(measured)
    assert [effect.status is Status.FAIL for effect in effects] == [worker == who for worker in range(6)]
    assert effects[who].low < slowdown < effects[who].high
    assert all(map(is_as_sure_as_it_says, effects))


@settings(max_examples=25, deadline=None)
@given(st.integers(0, 99), st.floats(-0.1, 0.2), st.floats(0.005, 0.2))
def test_of_no_verdict_less_is_claimed_or_more_than_is_known(seed: int, slowdown: float, spread: float) -> None:
    measured = times(np.random.default_rng(seed), 3, LOOKS[0], spread=spread)
    measured[0] *= 1 + slowdown
    assert all(map(is_as_sure_as_it_says, compare(measured)))


def test_rounds_that_resemble_their_neighbours_count_for_fewer() -> None:
    random = np.random.default_rng(2)
    fresh = random.standard_normal(192)
    lasting = np.repeat(random.standard_normal(24), 8)
    assert effective_count(fresh, 1.0) > 140
    assert effective_count(lasting, 1.0) < 24


def test_a_quarter_of_wild_rounds_moves_the_estimate_little() -> None:
    values = np.random.default_rng(3).normal(0, 0.01, 48)
    values[::5] += 5
    assert abs(estimate(values)[0]) < 0.01
