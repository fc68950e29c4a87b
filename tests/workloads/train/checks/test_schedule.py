from __future__ import annotations

from itertools import combinations

import pytest
from train.checks.schedule import shared_cpu, swaps, tournament, turn_of


@pytest.mark.parametrize("players", [2, 3, 4, 7, 16, 33])
def test_every_two_meet_once_and_nobody_twice_in_a_round(players: int) -> None:
    rounds = tournament(players)
    assert sorted(pair for pairs in rounds for pair in pairs) == list(combinations(range(players), 2))
    assert len(rounds) == (players - 1 if players % 2 == 0 else players)
    for pairs in rounds:
        seated = [player for pair in pairs for player in pair]
        assert len(seated) == len(set(seated)) == players // 2 * 2


def test_one_player_meets_nobody() -> None:
    assert [pair for pairs in tournament(1) for pair in pairs] == []


def test_devices_swap_with_their_like_at_the_partner() -> None:
    assert sorted(swaps([(0, 2)], devices_per_process=2)) == [(0, 4), (1, 5), (4, 0), (5, 1)]


def test_processes_of_one_machine_take_turns_and_others_do_not() -> None:
    machines = ["a", "b", "a", "a", "c"]
    assert [turn_of(machines, index) for index in range(5)] == [(0, 3), (0, 1), (1, 3), (2, 3), (0, 1)]


@pytest.mark.parametrize(
    ("allowed", "cpus"),
    [
        ([[0, 1], [0, 1], [0, 1]], [1, 1, None]),  # the third is of another machine, alone
        ([[0, 1, 2], [2, 3], [0]], [2, 2, None]),
        ([[0], [1], [0]], [None, None, None]),  # confined to what the other may not use
        ([[], [], []], [None, None, None]),  # a system that does not tell
    ],
)
def test_turns_are_taken_on_one_cpu_of_those_that_all_of_a_machine_may_use(
    allowed: list[list[int]], cpus: list[int | None]
) -> None:
    assert [shared_cpu(allowed, ["a", "a", "b"], index) for index in range(3)] == cpus
