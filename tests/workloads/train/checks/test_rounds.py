"""What is tolerated of a sound worker: of chips more than of CPUs, and what the job says before both."""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, cast

import jax
import numpy as np
import pytest
from train.checks import rounds, run
from train.checks.estimate import COMPUTE, Status, Tolerance, compare
from train.checks.rounds import CHIPS, LOOKS, tolerance_of
from train.checks.steps import compare_steps
from train.config.failure import Failure
from train.config.job import Accelerator, Job, load
from train.config.settings import TrainConfig
from train.parallel import cpu
from train.parallel.peers import Peers

from .noise import times

JOB = Job(TrainConfig(), Accelerator(), "job", "node", processes=1, index=0, coordinator="")
TOLERANT = replace(JOB, config=TrainConfig(tolerated_slowness=0.08))


def slow_by(share: float, tolerance: Tolerance) -> list[Status]:
    """Of eight chips, whose times scatter little, the first is slow."""
    measured = times(np.random.default_rng(7), 8, LOOKS[-1], spread=0.003)
    measured[0] *= 1 + share
    return [effect.status for effect in compare(measured, tolerance)]


def test_a_chip_within_what_sound_ones_differ_by_is_sound_and_one_5_percent_slow_is_found() -> None:
    assert slow_by(0.025, CHIPS) == [Status.PASS] * 8
    assert slow_by(0.05, CHIPS) == [Status.FAIL] + [Status.PASS] * 7
    assert slow_by(0.025, COMPUTE)[0] is Status.FAIL


def test_a_fleet_that_differs_more_has_its_own_tolerance() -> None:
    told = tolerance_of(TOLERANT, "gpu")
    assert (told.harmless, told.serious) == (0.08, pytest.approx(0.1))
    assert slow_by(0.07, told)[0] is Status.PASS
    assert slow_by(0.11, told)[0] is Status.FAIL
    assert tolerance_of(TOLERANT, "cpu") == told


def test_without_a_word_chips_have_theirs_and_cpus_the_measured_one() -> None:
    assert [tolerance_of(JOB, platform) for platform in ("gpu", "tpu", "neuron", "cpu")] == [CHIPS] * 3 + [COMPUTE]


def test_the_products_of_the_checks_are_judged_by_it(monkeypatch: pytest.MonkeyPatch) -> None:
    judged: list[rounds.Series] = []
    monkeypatch.setattr(rounds, "repeats_for", lambda seconds, one: 1)
    monkeypatch.setattr(rounds.Rounds, "run", lambda self, series: judged.append(series) or [])
    run.compare_workers(TOLERANT, Peers(TOLERANT), jax.local_devices(), ["machine"])
    assert [series.tolerance for series in judged] == [tolerance_of(TOLERANT, "cpu")]


class Two:
    """Two processes whose second one is 4 % slower; this is the first."""

    def gather(self, name: str, text: str) -> list[str]:
        return [text, json.dumps([1.04 * seconds for seconds in json.loads(text)])]

    def from_first(self, name: str, text: Any) -> str:
        return text()


def test_the_steps_of_a_training_are_judged_by_it() -> None:
    own_s = list(times(np.random.default_rng(1), 1, 60, spread=0.003)[0])
    peers = cast(Peers, Two())
    assert compare_steps(peers, own_s, tolerance_of(JOB, "gpu"))[1].status is Status.FAIL
    assert compare_steps(peers, own_s, tolerance_of(TOLERANT, "gpu"))[1].status is Status.PASS


@pytest.mark.parametrize("share", ["0", "0.5", "-1"])
def test_a_tolerance_that_tells_nothing_is_refused(share: str) -> None:
    with pytest.raises(Failure, match="TRAIN_CONFIG is not usable: tolerated_slowness: Input should be"):
        load({"TRAIN_CONFIG": f'{{"tolerated_slowness": {share}}}'})


class SameMachine(Peers):
    """Another process of this machine, which may use the CPUs that this one may, and is as fast."""

    def exchange(self, name: str, text: str) -> list[str]:
        return [text, text]

    def gather(self, name: str, text: str) -> list[str]:
        return [text, text]

    def meet(self, name: str) -> None: ...

    def hear(self, name: str) -> None: ...

    def tell(self, name: str) -> None: ...


@pytest.mark.parametrize(("machines", "count"), [(["a", "a"], 1), (["a", "b"], len(cpu.allowed()))])
def test_processes_of_one_machine_measure_on_one_cpu_and_others_on_all_of_theirs(
    machines: list[str], count: int
) -> None:
    used: list[list[int]] = []

    def measured() -> list[float]:
        used.append(cpu.allowed())
        return [1.0]

    found = rounds.Rounds(JOB, SameMachine(JOB), machines, budget_s=60).run(rounds.Series("x", COMPUTE, measured))
    assert [effect.status for effect in found] == [Status.PASS] * 2
    assert {len(cpus) for cpus in used} == {count}
