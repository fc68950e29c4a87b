from __future__ import annotations

import json
from dataclasses import fields, replace
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
from train.report import NodeCheck, Series, Setup, Verdict, deliver, judge_loss, leave_reason, of_workers

from components import outputs
from components.outputs import ONCE_ZERO
from components.outputs import Verdict as Output

ROW = NodeCheck("a", "PASS", 1e12, 1e9, None, 1e8, 0.0512345678, 0.01, 0.09)
TRAINED = Verdict(False, "", "smoke", processes=2, loss_first=5.5, loss_last=2.5, steps=40, nodes=("a", "b"))


SERIES = Series((1, 2), (5.5, None), (None, 0.02), of_workers(["a", "b"], [[None, 0.01], [None, None]]))


def test_the_deployment_can_read_every_verdict() -> None:
    resumed = replace(TRAINED, resumed_from_step=20, checkpoint="s3://b/c")
    checked = replace(TRAINED, health="PASS", node_checks=(ROW, replace(ROW, slower=None, step_slower=0.1)))
    drawn = replace(TRAINED, setup=Setup("m7i.large", "cpu", {"jax": "1"}, "small", "report"), series=SERIES)
    for verdict in (Verdict(False, "why", ""), TRAINED, resumed, checked, drawn):
        read = Output.model_validate_json(verdict.to_json(), strict=True)
        assert (read.reason, read.nodes, read.checkpoint) == (verdict.reason, verdict.nodes, verdict.checkpoint)


def test_rows_of_nodes_have_six_digits_too() -> None:
    assert json.loads(replace(TRAINED, node_checks=(ROW,)).to_json())["node_checks"][0]["slower"] == 0.0512346


def test_numbers_that_json_lacks_become_null() -> None:
    text = replace(TRAINED, loss_last=float("nan"), node_checks=(replace(ROW, matmul_flops=float("inf")),)).to_json()
    read = Output.model_validate_json(text)
    assert (read.loss_first, read.loss_last, read.node_checks[0].matmul_flops) == (5.5, None, None)


def test_a_job_that_ended_early_claims_nothing_that_it_never_measured() -> None:
    read = Output.model_validate_json(Verdict(False, "why", "").to_json())
    told = {name for name, value in read.model_dump().items() if isinstance(value, int | float) and value is not False}
    assert told == {"steps", "skipped_steps"}  # it took none, and that is known


def test_the_zeros_that_failed_jobs_once_wrote_are_read_as_never_measured() -> None:
    new = json.loads(Verdict(False, "why", "").to_json())
    older = {name: 0 if value is None and name in ONCE_ZERO else value for name, value in new.items()}
    assert Output.model_validate(older) == Output.model_validate(new)
    assert Output.model_validate({**older, "passed": True}).loss_last == 0


@pytest.mark.parametrize("ours", [Verdict, NodeCheck, Setup, Series])
def test_both_sides_have_the_same_fields_and_know_alike_which_may_be_missing(ours: type) -> None:
    theirs = getattr(outputs, ours.__name__).model_fields
    hints = get_type_hints(ours)
    assert list(theirs) == [field.name for field in fields(ours)]
    assert {name: type(None) in get_args(one.annotation) for name, one in theirs.items()} == {
        name: type(None) in get_args(hint) for name, hint in hints.items()
    }


@pytest.mark.parametrize(
    ("first", "last", "passed", "reason"),
    [
        (5.5, 2.5, True, "the loss fell from 5.500 to 2.500 in 40 steps"),
        (
            5.5,
            4.5,
            False,
            "the loss fell from 5.500 to 4.500 in 40 steps, and by 1.5 was expected (min_loss_drop), or in more steps",
        ),
        (5.5, 6.0, False, "the loss rose from 5.500 to 6.000 in 40 steps, and a fall by 1.5 was expected"),
        (5.5, float("nan"), False, "the loss is not finite: 5.5 before, nan after training"),
    ],
)
def test_only_a_loss_that_falls_by_a_margin_passes(first: float, last: float, passed: bool, reason: str) -> None:
    verdict = judge_loss(replace(TRAINED, loss_first=first, loss_last=last), 1.5)
    assert verdict.passed is passed
    assert reason in verdict.reason


def test_one_step_is_told_as_one() -> None:
    assert "to 2.500 in 1 step, and by 5 was" in judge_loss(replace(TRAINED, steps=1), 5).reason


def test_the_verdict_is_stored_printed_last_and_its_reason_left_for_the_kubelet(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    deliver(replace(TRAINED, reason="why"), f"{tmp_path}/verdict.json", {"TERMINATION_LOG": f"{tmp_path}/log"})
    assert (tmp_path / "log").read_text() == "why"
    assert json.loads((tmp_path / "verdict.json").read_text()) == json.loads(capfd.readouterr().out.splitlines()[-1])


def test_curves_are_stored_and_neither_logged_nor_kept_in_a_state(
    tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    deliver(replace(TRAINED, series=SERIES), f"{tmp_path}/verdict.json", {})
    stored, printed = (tmp_path / "verdict.json").read_text(), json.loads(capfd.readouterr().out)
    assert json.loads(stored)["series"]["loss"] == [5.5, None]
    assert printed["series"] is None
    assert "series" not in Output.model_validate_json(stored).model_dump()


def test_of_many_workers_the_slowest_are_drawn_in_their_order_and_one_without_times_is_not() -> None:
    drawn = of_workers([f"node-{n}" for n in range(30)], [[None, 0.001 * n or None] for n in range(30)])
    assert [worker.node for worker in drawn] == [f"node-{n}" for n in range(14, 30)]
    assert [worker.node for worker in SERIES.workers] == ["a"]


def test_a_verdict_that_cannot_be_stored_is_a_failed_one(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    log = {"TERMINATION_LOG": f"{tmp_path}/log"}
    assert not deliver(replace(TRAINED, passed=True, reason="it fell"), f"{tmp_path}/file/v.json", log).passed
    written, why = (
        capfd.readouterr(),
        f"the verdict is not stored: cannot write {tmp_path}/file/v.json: Not a directory",
    )
    printed = json.loads(written.out)
    assert (printed["passed"], printed["reason"]) == (False, f"it fell; but {why}")
    assert (tmp_path / "log").read_text() == printed["reason"]
    assert written.err == f"train: FAIL: {why}\n"


def test_what_kept_a_verdict_from_being_stored_is_said_once(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    (tmp_path / "file").write_text("")
    uri = f"{tmp_path}/file/v.json"
    why = f"verdict_uri: cannot write {uri}: Not a directory"
    assert deliver(replace(TRAINED, reason=why), uri, {}).reason == why
    assert deliver(replace(TRAINED, reason="no"), uri, {}).reason.startswith("no; and the verdict is not stored: ")
    assert len(capfd.readouterr().err.splitlines()) == 1


def test_a_reason_is_cut_to_what_the_kubelet_reads(tmp_path: Path) -> None:
    leave_reason("ü" * 5000, {"TERMINATION_LOG": f"{tmp_path}/log"})
    assert (tmp_path / "log").read_text() == "ü" * 2048
