"""What the training's own steps say of a node reaches the verdict, and ends a strict job."""

from __future__ import annotations

import json

import pytest
from train.checks.estimate import Effect, Status
from train.config.failure import Failure
from train.config.job import load
from train.main import training
from train.main.run import Run
from train.report import NodeCheck, Verdict

from tests.workloads.train.test_train import loop_on

SLOW = Effect(share=0.2, low=0.18, high=0.22, confidence=0.99999, status=Status.FAIL)
WELL = Effect(share=-0.17, low=-0.18, high=-0.15, confidence=0.99999, status=Status.PASS)


def run_of(checks: str, *rows: NodeCheck) -> Run:
    verdict = Verdict(False, "", "job", node_checks=rows, health="PASS")
    return Run(load({"TRAIN_CONFIG": json.dumps({"checks": checks})}), {}, verdict)


def row(node: str) -> NodeCheck:
    values = dict.fromkeys(NodeCheck.__dataclass_fields__)
    return NodeCheck(**{**values, "node": node, "health": "PASS"})


@pytest.fixture
def slow_second(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(training, "compare_steps", lambda *arguments: [WELL, SLOW])


@pytest.mark.usefixtures("slow_second")
def test_a_node_that_is_slow_in_training_is_not_healthy_and_is_named() -> None:
    run = run_of("report", row("node-0"), row("node-1"))
    training.judge_steps(run, loop_on()[1])
    assert [check.health for check in run.verdict.node_checks] == ["PASS", "FAIL"]
    assert run.verdict.health == "FAIL"
    assert run.verdict.health_reason.startswith("node-1 is slow: its training steps take 20.0 % longer")


@pytest.mark.usefixtures("slow_second")
def test_it_ends_a_strict_job() -> None:
    with pytest.raises(Failure, match="node-1 is slow: its training steps"):
        training.judge_steps(run_of("strict", row("node-0"), row("node-1")), loop_on()[1])


@pytest.mark.usefixtures("slow_second")
def test_without_checks_nobody_is_judged() -> None:
    run = run_of("report")
    training.judge_steps(run, loop_on()[1])
    assert (run.verdict.node_checks, run.verdict.health) == ((), "PASS")
