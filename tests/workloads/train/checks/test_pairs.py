"""Whom the pairs' times blame: the node whose links are all slow, or the one link."""

from __future__ import annotations

import jax
import numpy as np
import pytest
from train.checks import pairs
from train.checks.estimate import Status
from train.checks.schedule import tournament
from train.config.failure import Failure
from train.config.job import Accelerator, Job
from train.config.settings import TrainConfig
from train.parallel.mesh import make_mesh
from train.parallel.peers import Peers

JOB = Job(TrainConfig(), Accelerator(), "job", "node", 1, 0, "")


def met(nodes: int, slow_node: int | None = None, slow_link: tuple[int, int] | None = None, by: float = 0.5):
    who = [pair for round_ in tournament(nodes) for pair in round_]
    times = np.random.default_rng(7).lognormal(0, 0.03, (len(who), 24))
    for number, pair in enumerate(who):
        times[number] *= 1 + by if slow_node in pair or pair == slow_link else 1
    return pairs.Met(who, times, bytes_per_swap=1 << 20)


def failed(effects) -> list:
    return [who for who, effect in effects.items() if effect.status is Status.FAIL]


@pytest.mark.parametrize("nodes", [3, 4, 5, 9])
def test_a_slow_node_is_blamed_and_its_links_are_not(nodes: int) -> None:
    of_nodes, of_links = pairs.blame(met(nodes, slow_node=1))
    assert (failed(of_nodes), failed(of_links)) == ([1], [])


@pytest.mark.parametrize("nodes", [4, 5, 9])
def test_a_slow_link_is_blamed_and_its_nodes_are_not(nodes: int) -> None:
    of_nodes, of_links = pairs.blame(met(nodes, slow_link=(0, 2)))
    assert (failed(of_nodes), failed(of_links)) == ([], [(0, 2)])


def test_of_healthy_nodes_nobody_is_blamed() -> None:
    of_nodes, of_links = pairs.blame(met(6))
    assert {effect.status for effect in (*of_nodes.values(), *of_links.values())} == {Status.PASS}


def test_the_one_link_of_two_nodes_has_nothing_to_be_compared_with() -> None:
    assert pairs.blame(met(2)) == ({}, {})


def test_a_rate_counts_all_swaps_of_a_measurement() -> None:
    times = np.full((1, 3), 2.0)
    assert pairs.Met([(0, 1)], times, bytes_per_swap=100).bytes_per_s(0) == pairs.SWAPS * 100 / 2


def test_data_that_comes_back_different_names_both_processes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(jax.lax, "ppermute", lambda x, axis, permutation: x + 1)
    # Two devices of one process stand for two processes: the program is the same.
    with pytest.raises(Failure, match=r"processes 0 and 1 swap data, and .* numbers come back different"):
        pairs.Tournament(make_mesh(), Peers(JOB), processes=2).check(index=0)


@pytest.mark.parametrize(
    ("platform", "machines", "judged"),
    [("gpu", ["a", "b", "c"], True), ("gpu", ["a", "b", "a"], False), ("tpu", ["a", "b", "c"], False)],
)
def test_links_are_judged_only_where_one_is_like_another(platform: str, machines: list[str], judged: bool) -> None:
    assert pairs.are_comparable(platform, machines) == judged


@pytest.mark.parametrize(("bytes_per_s", "mebibytes"), [(5e9, 4), (50e9, 32), (400e9, 64), (1e6, 0.25)])
def test_swaps_are_as_large_as_the_first_look_has_time_for(bytes_per_s: float, mebibytes: float) -> None:
    measurement = 8 * pairs.SWAPS / bytes_per_s  # seconds for each byte that each of eight devices swaps
    size = pairs.fitting_bytes(pairs.TRIAL_BYTES * measurement, pairs.MAX_ROUNDS)
    assert size == mebibytes * (1 << 20)
    look_s = size * measurement * pairs.MAX_ROUNDS * pairs.LOOKS[0]
    assert look_s <= pairs.FIRST_LOOK_S or size == pairs.CPU_BYTES


@pytest.mark.parametrize(("first_look_s", "size"), [(1e9, pairs.CHIP_BYTES), (1e-9, pairs.CPU_BYTES)])
def test_chips_try_the_fabric_before_they_settle_on_a_size(
    first_look_s: float, size: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(pairs, "FIRST_LOOK_S", first_look_s)
    monkeypatch.setattr(pairs, "_is_cpu", lambda mesh: False)
    assert pairs.Tournament(make_mesh(), Peers(JOB), processes=2).bytes_per_swap == size


@pytest.mark.parametrize("slow", [0, 1])
def test_a_swap_is_sized_by_the_slowest_round_whichever_it_is(slow: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def time(self: pairs.Tournament, program: object, *rest: object) -> float:
        return 1e9 if program is self._programs[slow] else 1e-9

    monkeypatch.setattr(pairs, "tournament", lambda players: [[(0, 1)], [(0, 1)]])
    monkeypatch.setattr(pairs, "_is_cpu", lambda mesh: False)
    monkeypatch.setattr(pairs.Tournament, "_time", time)
    assert pairs.Tournament(make_mesh(), Peers(JOB), processes=2).bytes_per_swap == pairs.CPU_BYTES
