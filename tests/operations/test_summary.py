"""The last screen of `aidc up` says what stands, how real it is, and whether it trains."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.engine.events import Result, Step
from local.paths import DataRoot
from operations import report
from operations.nodes import NodeState
from operations.summary import SliceVerdict, Summary, slice_verdicts_of, verdict_lines
from operations.workplace import Output, Workplace

NODES = tuple(NodeState("main", f"general-{n}", "general", "m7i.xlarge", True) for n in (0, 1))
SUMMARY = Summary(
    stack="local",
    changes={"create": 70},
    changes_text="70 created; 0 unchanged.",
    fidelity={"realised": 12, "emulated": 50, "recorded": 8},
    nodes=NODES,
    vehicle="they are processes: machines need root",
    verdict={
        "passed": True,
        "loss_first": 5.5452,
        "loss_last": 2.25,
        "steps": 60,
        "first_step_s": 6.54,
        "tokens_per_s": 12345.6,
        "processes": 2,
        "nodes": ["general-0", "general-1"],
        "finished_at": "2026-11-24T11:40:12Z",
    },
    is_tested=True,
    phases={"program": 4.25, "apply": 31.0},
    duration_s=35.3,
    logs=Path("/data/.datacenter"),
)

SCREEN = """\
stack      local: 70 created; 0 unchanged.
resources  12 realised · 50 emulated · 8 recorded
nodes      2 of 2 Ready; they are processes: machines need root
           general-0  Ready  pool general, m7i.xlarge
           general-1  Ready  pool general, m7i.xlarge
smoke test PASS: loss 5.545 → 2.250 in 60 steps
           12,346 tokens/s, first step after 6.5 s, 2 processes on general-0, general-1
time       35.3 s (program 4.2 s · apply 31.0 s)
logs       /data/.datacenter"""


def test_the_screen_is_this() -> None:
    assert SUMMARY.as_text() == SCREEN


def test_a_pass_on_emulated_accelerators_says_that_it_is_no_measurement() -> None:
    verdict = {**(SUMMARY.verdict or {}), "emulated": True, "devices": 16}
    assert "CPUs stood in for 16 accelerators" in verdict_lines(verdict)[-1]


def test_a_node_that_is_not_ready_is_not_a_pass() -> None:
    assert SUMMARY.passed
    assert not replace(SUMMARY, nodes=(NODES[0], replace(NODES[1], ready=False))).passed


@pytest.mark.parametrize("verdict", [{"reason": ""}, None])
def test_a_verdict_that_does_not_say_that_it_passed_is_not_a_pass(verdict: dict[str, Any] | None) -> None:
    found = replace(SUMMARY, verdict=verdict)
    assert not found.passed
    assert "PASS" not in found.as_text()


def test_a_verdict_tells_from_which_step_on_it_proves_anything() -> None:
    resumed = verdict_lines({**(SUMMARY.verdict or {}), "steps": 200, "resumed_from_step": 180})
    assert resumed[0] == "smoke test PASS: loss 5.545 → 2.250 in 200 steps, resumed from step 180"
    whole = verdict_lines({**(SUMMARY.verdict or {}), "resumed_from_step": None})
    assert whole[0] == "smoke test PASS: loss 5.545 → 2.250 in 60 steps"


def of_slices(*verdicts: object) -> dict[str, Any]:
    return {"datacenter": {"tpu": {"smoke_tests": [{"job": "j", "verdict": one} for one in verdicts]}}}


def test_every_tpu_slice_has_its_verdict_under_the_others() -> None:
    verdict = {**(SUMMARY.verdict or {}), "nodes": ["v6e-0-0", "v6e-0-1"]}
    failed = {"passed": False, "reason": "loss rose", "finished_at": "2026-11-24T11:40:12Z"}
    lines = replace(
        SUMMARY, slices=(SliceVerdict(verdict, True), SliceVerdict(failed, False), SliceVerdict(None, True))
    ).as_text()
    assert (
        """2 processes on general-0, general-1
slice 0    PASS: loss 5.545 → 2.250 in 60 steps
           12,346 tokens/s, first step after 6.5 s, 2 processes on v6e-0-0, v6e-0-1
slice 1    FAIL at 2026-11-24T11:40:12Z: loss rose
slice 2    no verdict yet
time """
        in lines
    )


@pytest.mark.parametrize("verdict", [{"passed": False, "reason": "loss rose"}, None])
def test_a_slice_that_does_not_train_or_says_nothing_is_not_a_pass(verdict: dict[str, Any] | None) -> None:
    passed = SliceVerdict(SUMMARY.verdict, True)
    assert replace(SUMMARY, slices=(passed,)).passed
    assert not replace(SUMMARY, slices=(passed, SliceVerdict(verdict, True))).passed


def test_a_verdict_is_new_only_if_the_job_that_gave_it_ran(data_root: Path) -> None:
    urn = "urn:pulumi:local::ai-datacenter::ai-datacenter:index:TpuSmokeTest$kubernetes:batch/v1:Job::"
    steps = (Step(f"{urn}tpu-smoke-test-job-1", "kubernetes:batch/v1:Job", "replace"),)
    outputs = of_slices(SUMMARY.verdict, SUMMARY.verdict)
    outputs["datacenter"]["smoke_test"] = {"verdict": SUMMARY.verdict}
    result = Result("up", {}, steps, outputs, outputs, (), 3.0, {}, {})
    found = Summary.of(Workplace("local", Output.TEXT, DataRoot(data_root)), result, NODES)
    assert (found.is_tested, [one.is_new for one in found.slices]) == (False, [False, True])


def test_a_stack_without_slices_has_no_line_of_them() -> None:
    assert slice_verdicts_of({"datacenter": {"smoke_test": {}}}) == slice_verdicts_of({}) == ()
    assert slice_verdicts_of({"datacenter": {"tpu": {"smoke_tests": []}}}) == ()


def test_a_failed_verdict_gives_its_reason() -> None:
    assert verdict_lines({"passed": False, "reason": "loss rose"}) == ["smoke test FAIL: loss rose"]


def test_a_verdict_of_an_earlier_run_says_of_when_it_is() -> None:
    lines = replace(SUMMARY, is_tested=False).as_text().splitlines()
    assert "smoke test PASS at 2026-11-24T11:40:12Z: loss 5.545 → 2.250 in 60 steps" in lines
    assert verdict_lines({"passed": False, "reason": "loss rose"}, is_new=False) == [
        "smoke test FAIL at a time unknown: loss rose"
    ]


def test_a_verdict_of_before_the_job_told_its_first_step_can_still_be_shown() -> None:
    assert SUMMARY.verdict
    older = {key: value for key, value in SUMMARY.verdict.items() if key != "first_step_s"}
    assert verdict_lines(older)[1] == "           12,346 tokens/s, 2 processes on general-0, general-1"


def test_what_was_not_measured_is_no_number_on_the_screen() -> None:
    never = dict.fromkeys(("loss_last", "first_step_s", "tokens_per_s", "processes"))
    lines = verdict_lines({**(SUMMARY.verdict or {}), **never})
    assert lines[0].startswith("smoke test PASS: loss 5.545 → – in 60 steps")
    assert lines[1] == "           general-0, general-1"
    row = {"node": "a", "health": "UNKNOWN", "matmul_flops": None, "memory_bytes_per_s": 1e10}
    assert verdict_lines({"reason": "why", "health": "UNKNOWN", "node_checks": [row]})[2:] == [
        "           a  UNKNOWN  memory 10.0 GB/s"
    ]


def test_components_and_providers_count_as_neither_real_nor_emulated() -> None:
    counted = report.fidelity_counts({"pulumi:providers:aws": 1, "ai-datacenter:index:Network": 1}, machines=True)
    assert counted == {"realised": 0, "emulated": 0, "recorded": 0}


def test_what_configures_machines_is_real_where_there_are_machines_and_else_only_recorded() -> None:
    types = {"aws:ssm/association:Association": 1, "aws:eks/nodeGroup:NodeGroup": 2}
    assert report.fidelity_counts(types, machines=True) == {"realised": 3, "emulated": 0, "recorded": 0}
    assert report.fidelity_counts(types, machines=False) == {"realised": 2, "emulated": 0, "recorded": 1}


def test_what_is_checked_against_an_sdk_s_types_alone_is_not_counted_as_recorded() -> None:
    types = {"gcp:compute/network:Network": 2, "gcp:container/cluster:Cluster": 1}
    counted = report.fidelity_counts(types, machines=False)
    assert counted == {"realised": 1, "emulated": 0, "recorded": 0, "typed only": 2}


def checked(**values: object) -> dict[str, object]:
    row = {"health": "PASS", "matmul_flops": 1.7e11, "memory_bytes_per_s": 1.1e10, "store_write_bytes_per_s": 5.4e8}
    slow = {"slower": 0.053, "slower_low": 0.039, "slower_high": 0.067, "step_slower": 0.049}
    rows = [{"node": "general-0", **row, "slower": None}, {"node": "general-1", **row, **slow, "health": "FAIL"}]
    return {
        **dict(SUMMARY.verdict or {}),
        "health": "FAIL",
        "health_reason": "general-1 is slow",
        "node_checks": rows,
    } | values


def test_the_checks_are_one_row_a_node_and_the_sentence_that_names_the_slow_one() -> None:
    assert verdict_lines(checked())[2:] == [
        "health     FAIL",
        "           general-0  PASS     0.17 TFLOP/s, memory 11.0 GB/s, store 540 MB/s",
        "           general-1  FAIL     0.17 TFLOP/s, memory 11.0 GB/s, store 540 MB/s, slower than peers by +5.3 % "
        "(+3.9 to +6.7), in training by +4.9 %",
        "           general-1 is slow",
    ]


def test_a_reason_that_ended_the_job_is_said_once() -> None:
    lines = verdict_lines(checked(passed=False, reason="general-1 is slow"))
    assert [line for line in lines if "is slow" in line] == ["smoke test FAIL: general-1 is slow"]


def test_a_node_that_its_checks_keep_out_is_told_and_no_pass() -> None:
    slow = replace(NODES[1], unverified="it is slow")
    found = replace(SUMMARY, nodes=(NODES[0], slow))
    assert "general-1  Ready  pool general, m7i.xlarge, unverified: it is slow" in found.as_text()
    assert not found.passed
    assert replace(SUMMARY, nodes=(NODES[0], replace(slow, unverified=""))).passed
