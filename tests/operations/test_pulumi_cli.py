"""The Pulumi CLI's own words are left to it; ours are added where its run tried a smoke test."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.engine.store import ResourceState
from local.paths import DataRoot
from operations import pulumi_cli
from operations.exits import OperationFailed
from operations.workplace import Output, Workplace


@pytest.fixture
def asked(monkeypatch: pytest.MonkeyPatch) -> list[Workplace]:
    """Whose failed job was asked for, where every `pulumi` fails."""
    found = list[Workplace]()
    monkeypatch.setattr(pulumi_cli.shutil, "which", lambda _name: "/bin/false")
    monkeypatch.setattr(pulumi_cli.moto, "ensure", lambda _root: None)
    monkeypatch.setattr(pulumi_cli, "environment_for_cli", lambda *_: {})
    monkeypatch.setattr(pulumi_cli.verdicts, "tell_failed", found.append)
    return found


@pytest.mark.parametrize("verb", ["preview", "refresh", "destroy"])
def test_a_verb_that_runs_no_job_tells_of_none_that_failed_before(
    asked: list[Workplace], data_root: Path, verb: str
) -> None:
    with pytest.raises(OperationFailed, match=f"`pulumi {verb}` ended with status 1"):
        pulumi_cli.run(Workplace("local", Output.TEXT, DataRoot(data_root)), verb)
    assert asked == []


def test_an_up_that_failed_tells_of_its_job(asked: list[Workplace], data_root: Path) -> None:
    place = Workplace("local", Output.TEXT, DataRoot(data_root))
    with pytest.raises(OperationFailed, match="`pulumi up` ended with status 1"):
        pulumi_cli.run(place, "up")
    assert asked == [place]


def state(name: str, **changed: Any) -> ResourceState:
    kind = "kubernetes:batch/v1:Job" if name == "smoke-test-job" else "aws:s3/bucket:Bucket"
    kept = ResourceState(urn=f"urn:pulumi:local::p::{kind}::{name}", type=kind, custom=True, id=name, inputs={"a": 1})
    return replace(kept, **changed)


def test_an_up_that_succeeded_ends_with_the_summary_of_what_became_of_the_state(
    asked: list[Workplace], data_root: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    made = [state("kept", created=f"2026-11-24T18:38:00.{digits}Z") for digits in ("120000", "12")]
    before = [made[0], state("changed"), state("anew"), state("gone")]
    after = [made[1], state("changed", inputs={"a": 2}), state("anew", id="other"), state("smoke-test-job")]
    found = iter({one.urn: one for one in states} for states in (before, after))
    monkeypatch.setenv("AI_DATACENTER_NODES", "processes")
    monkeypatch.setattr(pulumi_cli.shutil, "which", lambda *_: "/bin/true")
    monkeypatch.setattr(pulumi_cli, "_resources", lambda _place: next(found))
    verdict = {"passed": False, "reason": "loss rose"}
    monkeypatch.setattr(
        pulumi_cli, "stack_outputs", lambda _place: {"datacenter": {"smoke_test": {"verdict": verdict}}}
    )
    with pytest.raises(OperationFailed, match="it does not work"):
        pulumi_cli.run(Workplace("local", Output.TEXT, DataRoot(data_root)), "up")
    shown = capsys.readouterr().out
    assert "stack      local: 1 created, 1 updated, 1 replaced, 1 deleted; 1 unchanged." in shown
    assert "smoke test FAIL: loss rose" in shown
    assert asked == []
