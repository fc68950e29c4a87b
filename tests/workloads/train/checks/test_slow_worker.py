"""Real processes, one of them slowed down: it is named; and where none is, none is."""

from __future__ import annotations

import json
from collections import Counter

import pytest

from benchmarks.checks import group

Runs = list[list[str]]


def statuses(workers: int, trials: list[tuple[str, float]], timeout_s: float) -> Runs:
    with group(workers, {"TRIALS": json.dumps(trials)}) as processes:
        output, log = processes[0].communicate(timeout=timeout_s)
    runs = [[effect["status"] for effect in json.loads(line)] for line in output.splitlines()]
    assert len(runs) == len(trials), log
    return runs


@pytest.mark.real
def test_a_worker_10_percent_slow_is_named_and_a_clean_group_is_not() -> None:
    kinds = [("", 0.0), ("work", 0.1), ("wait", 0.1)]
    runs = statuses(2, kinds * 3, 100)  # whatever else runs here makes a comparison uncertain now and then
    for number in (1, 2):
        assert Counter(found[1] for found in runs[number::3])["FAIL"] >= 2, runs
    blamed = [found[0] for found in runs] + [found[1] for found in runs[0::3]]
    assert blamed.count("FAIL") <= 1, runs


@pytest.mark.real
def test_the_checks_exit_1_and_name_the_slow_node() -> None:
    with group(2, {"CHECKS": "0.3"}) as processes:
        outputs = [process.communicate(timeout=60) for process in processes]
    assert [process.returncode for process in processes] == [1, 1], outputs
    rows = [line.split()[:2] for line in outputs[0][0].splitlines() if line.startswith("node-")]
    assert rows == [["node-0", "PASS"], ["node-1", "FAIL"]]
    assert "FAIL: node-1 is slow: its matrix products take " in outputs[0][0]


@pytest.mark.soak
@pytest.mark.parametrize("workers", [2, 4])
def test_5_percent_are_found_in_95_of_100_runs_with_at_most_two_false_alarms_in_200(workers: int) -> None:
    trials = [(how, share) for how in ("work", "wait") * 50 for share in (0.0, 0.05, 0.0)]
    runs = statuses(workers, trials, 3000)
    slow = [found for found, (_, share) in zip(runs, trials, strict=True) if share]
    clean = [found for found, (_, share) in zip(runs, trials, strict=True) if not share]
    assert Counter(found[1] for found in slow)["FAIL"] >= 95
    assert sum("FAIL" in found for found in clean) <= 2
