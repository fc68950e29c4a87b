from __future__ import annotations

from dataclasses import replace

import numpy as np
from train.checks.estimate import COMPUTE, Status, compare
from train.checks.steps import compare_steps
from train.config.job import Accelerator, Job
from train.config.settings import TrainConfig
from train.parallel.peers import Peers
from train.report import NodeCheck, Verdict, with_steps

from .noise import times

ROW = NodeCheck("node-0", "PASS", 1e12, 1e9, None, None, 0.0, -0.01, 0.01)
VERDICT = Verdict(True, "fell", "job", health="PASS", node_checks=(ROW, replace(ROW, node="node-1")))


def steps(slower: float):
    measured = times(np.random.default_rng(4), 2, 60, spread=0.005)
    measured[1] *= 1 + slower
    return compare(measured)


def test_a_node_that_is_slow_in_training_only_is_not_healthy_and_named() -> None:
    judged = with_steps(VERDICT, steps(0.2))
    assert [row.health for row in judged.node_checks] == ["PASS", "FAIL"]
    assert judged.health == Status.FAIL
    assert judged.health_reason.startswith("node-1 is slow: its training steps take ")


def test_steps_of_healthy_nodes_are_told_and_change_no_verdict() -> None:
    judged = with_steps(VERDICT, steps(0.0))
    assert judged.health == "PASS"
    assert all(abs(row.step_slower or 1) < 0.05 for row in judged.node_checks)


def test_steps_that_tell_nothing_for_sure_are_not_told() -> None:
    wild = compare(times(np.random.default_rng(0), 2, 60, spread=0.5))
    assert {effect.status for effect in wild} == {Status.UNKNOWN}
    judged = with_steps(VERDICT, wild)
    assert (judged.health, {row.step_slower for row in judged.node_checks}) == ("PASS", {None})


def test_where_no_node_was_checked_steps_say_nothing() -> None:
    assert with_steps(replace(VERDICT, node_checks=()), steps(0.2)).health == "PASS"


def test_a_process_alone_has_nobody_to_be_compared_with() -> None:
    peers = Peers(Job(TrainConfig(), Accelerator(), "job", "node", 1, 0, ""))
    assert compare_steps(peers, [0.1] * 20, COMPUTE) == compare_steps(peers, [], COMPUTE) == []
