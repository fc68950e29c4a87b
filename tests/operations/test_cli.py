"""Exit statuses and streams are a contract: data on stdout, the rest on stderr, one meaning a status."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from local.engine import Diagnostic, PropertyChange, Result, Step
from local.engine.events import OPS
from local.paths import LocalCloudError
from operations import nodes, preview, refresh, session, status, up
from operations.cli import main
from operations.session import Session
from operations.workplace import Workplace

from ..components.stack_files import GOOD

BUCKET = "urn:pulumi:local::ai-datacenter::aws:s3/bucket:Bucket::data"
VERDICT = {"passed": True, "reason": "", "loss_first": 5.5, "loss_last": 2.25, "steps": 60, "tokens_per_s": 12345.6,
           "processes": 2, "nodes": ["a-0", "a-1"]}  # fmt: skip


def result(command: str = "up", *, errors: tuple[Diagnostic, ...] = (), verdict: object = VERDICT, **counts: int) -> Result:  # fmt: skip # noqa: E501
    changes = dict.fromkeys(OPS, 0) | counts
    steps = tuple(
        Step(BUCKET, "aws:s3/bucket:Bucket", op, (PropertyChange("tags.team", "a", "b"),))  # type: ignore[arg-type]
        for op in counts
        if op != "same"
    )
    outputs = {"datacenter": {"smoke_test": {"job": "j", "namespace": "n", "verdict": verdict}}}
    return Result(command, changes, steps, outputs, outputs, errors, 3.0, {"program": 3.0}, {})  # type: ignore[arg-type]


class FakeEngine:
    """Answers every verb with one result; remembers whether it was to refresh first."""

    def __init__(self, answer: Result) -> None:
        self.answer = answer
        self.refreshed: list[bool] = []

    def preview(self, refresh: bool = False) -> Result:
        return self.answer

    def up(self, refresh: bool = False) -> Result:
        self.refreshed.append(refresh)
        return self.answer

    def refresh(self) -> Result:
        return self.answer

    def destroy(self) -> Result:
        return self.answer


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, data_root: Path) -> FakeEngine:
    """`aidc` with an engine that does nothing and a cluster of one ready node."""
    fake = FakeEngine(result(same=3))
    fake_losses: list[str] = []

    @contextmanager
    def opened(_place: Workplace, *, needs_cloud: bool) -> Iterator[Session]:
        yield Session(fake, tuple(fake_losses))

    for module in (up, preview, refresh):
        monkeypatch.setattr(module, "session", opened)
    monkeypatch.setattr(refresh, "require_state", lambda _place, _verb: None)
    monkeypatch.setattr(nodes, "nodes", lambda _root, _planes: (nodes.NodeState("c", "a-0", "a", "m7i.xlarge", True),))
    return fake


@pytest.mark.parametrize("arguments", [["up", "--bogus"], ["nosuchverb"], ["preview", "--output", "xml"]])
def test_wrong_usage_is_an_error_and_never_reads_as_pending_changes(arguments: list[str]) -> None:
    assert main(arguments) == 1


def test_an_unknown_stack_is_a_configuration_error_that_names_the_known_ones(
    capsys: pytest.CaptureFixture[str], data_root: Path
) -> None:
    assert main(["up", "--stack", "nosuch"]) == 4
    assert "There are: local, prod" in capsys.readouterr().err


def test_the_status_of_a_stack_that_nobody_knows_names_the_known_ones(
    capsys: pytest.CaptureFixture[str], data_root: Path
) -> None:
    assert main(["status", "--stack", "nosuch"]) == 4
    assert "There are: local, prod" in capsys.readouterr().err
    assert main(["status"]) == 0


def test_a_stack_for_a_real_cloud_is_not_realised_here(
    capsys: pytest.CaptureFixture[str], data_root: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(session.moto, "ensure", lambda _root: pytest.fail("a cloud was started"))
    assert main(["up", "--stack", "prod"]) == 4
    assert "pulumi up --stack prod" in capsys.readouterr().err
    assert not data_root.exists()


def test_a_preview_without_changes_is_clean(engine: FakeEngine) -> None:
    engine.answer = result("preview", same=3)
    assert main(["preview", "--exit-code"]) == 0


def test_pending_changes_have_a_status_only_where_asked_for(engine: FakeEngine) -> None:
    engine.answer = result("preview", update=1)
    assert main(["preview"]) == 0
    assert main(["preview", "--exit-code"]) == 2


def test_a_preview_shows_the_properties_that_differ(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.answer = result("preview", update=1, same=2)
    main(["preview"])
    shown = capsys.readouterr().out
    assert "tags.team: a → b" in shown
    assert "1 to update; 2 unchanged." in shown


def test_a_preview_shows_long_values_where_they_differ(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    change = PropertyChange("policy", "a" * 99 + "read", "a" * 99 + "write")
    step = replace(result("preview", update=1).steps[0], changes=(change,))
    engine.answer = replace(result("preview", update=1), steps=(step,))
    main(["preview"])
    assert f"policy: …{'a' * 19}read → …{'a' * 19}write\n" in capsys.readouterr().out


def test_stdout_is_nothing_but_json_where_json_is_asked_for(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.answer = result("preview", create=1)
    main(["preview", "--output", "json"])
    assert json.loads(capsys.readouterr().out)["changes"]["create"] == 1


@pytest.mark.parametrize("verb", ["up", "preview", "bootstrap"])
def test_a_script_reads_each_mistake_of_a_stack_file_with_its_place(
    verb: str, capsys: pytest.CaptureFixture[str], data_root: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    file = tmp_path / "Pulumi.local.yaml"
    file.write_text(GOOD.replace("m7i.large", "m7i.larg").replace("/16", "/16\n    natt: one"))
    monkeypatch.setattr(Workplace, "stack_file", file)
    assert main([verb, "--stack", "local", "--output", "json"]) == 4
    shown = capsys.readouterr()
    given = json.loads(shown.out)
    assert given["exit_code"] == 4
    assert [(error["file"], error["line"], error["key"]) for error in given["errors"]] == [
        (str(file), 7, "ai-datacenter:network.natt"),
        (str(file), 10, "ai-datacenter:pools.cpu.instance_type"),
    ]
    assert given["errors"][1]["message"] == "instance type 'm7i.larg' is not known"
    assert given["errors"][1]["nearest"] == "m7i.large"
    assert "m7i.xlarge" in given["errors"][1]["allowed"]
    assert "Pulumi.local.yaml:10:22: ai-datacenter:pools.cpu.instance_type: instance type" in shown.err


def test_a_script_reads_why_a_run_failed(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    engine.answer = result(errors=(Diagnostic("error", "bucket exists", BUCKET, "storage.py", 7),))
    assert main(["up", "--output", "json"]) == 1
    error = {"urn": BUCKET, "message": "bucket exists", "file": "storage.py", "line": 7}
    assert json.loads(capsys.readouterr().out) == {"exit_code": 1, "errors": [error]}


def test_a_failure_is_not_written_behind_the_data_of_the_verb(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.answer = result(verdict=VERDICT | {"passed": False, "reason": "loss rose"}, same=1)
    assert main(["up", "--output", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["passed"] is False


def test_drift_found_by_a_refresh_has_its_own_status(engine: FakeEngine) -> None:
    engine.answer = result("refresh", update=1)
    assert main(["refresh"]) == 5
    engine.answer = result("refresh", same=1)
    assert main(["refresh"]) == 0


@pytest.mark.parametrize("verb", ["refresh", "destroy"])
def test_what_was_never_up_is_neither_looked_at_nor_deleted_and_nothing_is_started_for_it(
    verb: str, capsys: pytest.CaptureFixture[str], data_root: Path
) -> None:
    assert main([verb]) == 1
    assert "The stack `local` is not up: there is nothing to" in capsys.readouterr().err
    assert not data_root.exists() or not any(data_root.rglob("*.json"))


def test_two_previews_of_the_same_are_the_same_text(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    steps = tuple(replace(result(create=1).steps[0], urn=f"{BUCKET}-{name}") for name in "ab")
    shown = []
    for order in (steps, steps[::-1]):
        engine.answer = replace(result("preview", create=2), steps=order)
        main(["preview"])
        shown.append(capsys.readouterr().out)
    assert shown[0] == shown[1]


def test_a_failed_run_is_told_with_the_resource_the_reason_and_the_line(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.answer = result(errors=(Diagnostic("error", "bucket exists", BUCKET, "storage.py", 7),))
    assert main(["up"]) == 1
    shown = capsys.readouterr().err
    assert "error: data: bucket exists (declared at storage.py:7)" in shown
    assert "Traceback" not in shown


def test_up_fails_when_everything_exists_but_the_model_does_not_train(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str]
) -> None:
    engine.answer = result(verdict=VERDICT | {"passed": False, "reason": "loss rose"}, same=1)
    assert main(["up"]) == 1
    assert "smoke test FAIL at a time unknown: loss rose" in capsys.readouterr().out


def test_a_failure_of_the_local_cloud_is_told_without_a_traceback(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data_root: Path
) -> None:
    def refuse(*_: object, **__: object) -> None:
        raise LocalCloudError("port 4566 is held by nginx")

    monkeypatch.setattr(session.moto, "ensure", refuse)
    assert main(["up"]) == 1
    assert capsys.readouterr().err.strip().endswith("port 4566 is held by nginx")
    assert main(["up", "--output", "json"]) == 1
    assert json.loads(capsys.readouterr().out)["errors"] == [{"message": "port 4566 is held by nginx"}]


@pytest.mark.parametrize("verb", ["up", "preview"])
def test_json_is_refused_where_the_cli_would_print_something_else(
    verb: str, capsys: pytest.CaptureFixture[str], data_root: Path
) -> None:
    assert main([verb, "--engine", "cli", "--output", "json"]) == 1
    shown = capsys.readouterr()
    assert "leave `--output json` out" in shown.err
    assert json.loads(shown.out)["errors"] == [{"message": shown.err.strip()}]


def test_status_says_when_what_runs_here_is_of_another_stack(
    monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str], data_root: Path
) -> None:
    running = {"aws": {"endpoint": "http://127.0.0.1:1", "pid": 1}, "nodes": [], "pods": [], "monitoring": []}
    nothing = {
        "control_planes": [],
        "other_control_planes": [],
        "verdict": None,
        "slice_verdicts": (),
        "logs": "x",
        "stack": "prod",
    }
    monkeypatch.setattr(status, "collect", lambda _place: running | nothing)
    main(["status", "--stack", "prod"])
    assert "The stack `prod` is not on this machine" in capsys.readouterr().err


@pytest.mark.parametrize("words", [["up", "--nosuch", "-o", "json"], ["size", "--output=json", "--option", "none"]])
def test_wrong_usage_gives_a_script_data_too(words: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert main(words) == 1
    shown = capsys.readouterr()
    assert json.loads(shown.out)["exit_code"] == 1
    assert "wrong usage" in shown.out
    assert "--help" in shown.err


def test_a_stack_file_that_is_no_yaml_is_a_configuration_error_to_every_verb(
    monkeypatch: pytest.MonkeyPatch, tmp_path: Path, data_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    (tmp_path / "Pulumi.yaml").write_text("name: ai-datacenter\nruntime: python\n")
    (tmp_path / "Pulumi.broken.yaml").write_text("config:\n  a: [\n")
    made = partial(Workplace, checkout=tmp_path)
    monkeypatch.setattr("operations.workplace.Workplace", made)
    for verb in ("status", "up", "preview", "destroy", "smoke-test"):
        assert main([verb, "--stack", "broken"]) == 4
        assert "Pulumi.broken.yaml:3:1" in capsys.readouterr().err
