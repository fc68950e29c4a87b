"""The smoke tests' verdicts become metrics that Prometheus can read, and what cannot be read leaves the last ones."""

from __future__ import annotations

import io
import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import pytest
from prometheus_client.parser import text_string_to_metric_families

from playbooks import PLAYBOOKS
from tests.operations.verdict_sample import HOSTILE, verdict

PROGRAM = PLAYBOOKS / "roles" / "prometheus" / "files" / "smoke_test_metrics.py"
KEY, OTHER = "smoke-test/nodes/smoke-test-0a1b/verdict.json", "smoke-test/slices/smoke-test-tpu-0-2c3d/verdict.json"


@pytest.fixture
def program() -> SimpleNamespace:
    """The program as it is copied to the machine; run, not imported, so that no cache comes among the role's files."""
    namespace: dict[str, Any] = {"__name__": "smoke_test_metrics"}
    exec(compile(PROGRAM.read_text(), str(PROGRAM), "exec"), namespace)
    return SimpleNamespace(**namespace, namespace=namespace)


def samples(text: str) -> dict[tuple[str, str], float]:
    """Values by the metric's name and the node, quantile or nothing that it is of."""
    found = [one for family in text_string_to_metric_families(text) for one in family.samples]
    assert {one.labels["job_name"] for one in found} == {"smoke-test-0a1b"}
    return {(one.name, one.labels.get("tested_node", one.labels.get("quantile", ""))): one.value for one in found}


def test_a_verdict_is_told_with_its_nodes_whatever_they_are_called(program: SimpleNamespace) -> None:
    found = samples(program.text("smoke-test-0a1b", verdict(), 1e9))
    assert found[("smoke_test_found", "")] == 1
    assert found[("smoke_test_passed", "")] == 0
    assert found[("smoke_test_finished_timestamp_seconds", "")] == 1795545524.774
    assert found[("smoke_test_read_timestamp_seconds", "")] == 1e9
    assert found[("smoke_test_tokens_per_second", "")] == 34985.3
    assert found[("smoke_test_step_seconds", "0.95")] == 0.031
    assert found[("smoke_test_node_slower_ratio", "ip-10-0-1-18")] == 0.069
    healthy = {node: value for (name, node), value in found.items() if name == "smoke_test_node_healthy"}
    assert healthy == {"ip-10-0-1-17": 1, "ip-10-0-1-18": 0, HOSTILE: 1}


@pytest.mark.parametrize("never", [None, 0, 0.0], ids=["today", "older", "older still"])
def test_what_a_job_that_ended_early_never_measured_has_no_line(program: SimpleNamespace, never: float | None) -> None:
    names = ("tokens_per_s", "first_step_s", "step_time_p50_s", "step_time_p95_s")
    found = samples(program.text("smoke-test-0a1b", verdict(**dict.fromkeys(names, never)), 1e9))
    assert found[("smoke_test_passed", "")] == 0
    assert not any(name.endswith(("_per_second", "_seconds")) and "timestamp" not in name for name, _ in found)


def test_what_is_not_proved_yet_is_told_as_that(program: SimpleNamespace) -> None:
    assert set(samples(program.text("smoke-test-0a1b", None, 5.0))) == {
        ("smoke_test_found", ""),
        ("smoke_test_read_timestamp_seconds", ""),
    }


def test_the_file_is_replaced_whole_and_others_may_read_it(
    program: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(program.namespace, "read", lambda _bucket, _key: verdict(passed=True))
    file = tmp_path / "smoke_test.prom"
    file.write_text("older")
    assert program.main("bucket", str(file), KEY) == 0
    assert samples(file.read_text())[("smoke_test_passed", "")] == 1
    assert [one.name for one in tmp_path.iterdir()] == ["smoke_test.prom"]
    assert file.stat().st_mode & 0o777 == 0o644


@pytest.mark.parametrize("stored", [{}, [], {**verdict(), "finished_at": "soon"}, OSError("no route to host")])
def test_what_cannot_be_read_leaves_the_last_metrics_and_says_why(
    program: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str], stored: Any
) -> None:  # fmt: skip
    def read(_bucket: str, _key: str) -> Any:
        if isinstance(stored, Exception):
            raise stored
        return stored

    monkeypatch.setitem(program.namespace, "read", read)
    file = tmp_path / "smoke_test.prom"
    file.write_text(last := program.in_order({"a": program.text("smoke-test-0a1b", verdict(), 5.0)}))
    assert program.main("bucket", str(file), KEY) == 1
    assert file.read_text() == last
    assert "the verdict of smoke-test-0a1b cannot be read" in capsys.readouterr().err


def test_each_job_has_its_own_series_and_one_that_cannot_be_read_keeps_none_of_the_others_from_being_told(
    program: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    stored: dict[str, Any] = {KEY: verdict(passed=True), OTHER: verdict(passed=True)}

    def read(_bucket: str, key: str) -> Any:
        return stored[key]

    def told() -> dict[tuple[str, str], float]:
        families = text_string_to_metric_families(file.read_text())
        return {(one.labels["job_name"], one.name): one.value for family in families for one in family.samples}

    monkeypatch.setitem(program.namespace, "read", read)
    file = tmp_path / "smoke_test.prom"
    assert program.main("bucket", str(file), KEY, OTHER) == 0
    first, (nodes, slice_) = told(), ("smoke-test-0a1b", "smoke-test-tpu-0-2c3d")
    assert first[(nodes, "smoke_test_passed")] == first[(slice_, "smoke_test_passed")] == 1
    stored[KEY] = verdict(passed=False)
    del stored[OTHER]  # an error, and not the answer that there is none
    assert program.main("bucket", str(file), KEY, OTHER) == 1
    then, read_at = told(), "smoke_test_read_timestamp_seconds"
    assert (then[(nodes, "smoke_test_passed")], then[(slice_, "smoke_test_passed")]) == (0, 1)
    assert then[(nodes, read_at)] > first[(nodes, read_at)]
    assert then[(slice_, read_at)] == first[(slice_, read_at)]
    assert program.main("bucket", str(file), KEY) == 0
    assert {job for job, _ in told()} == {nodes}  # what is declared no more is told no more


def test_lines_of_a_metric_are_together_as_the_format_wants_them(program: SimpleNamespace) -> None:
    lines = program.in_order({one: program.text(one, verdict(), 5.0) for one in ("a", "b")}).splitlines()
    names = [line.partition("{")[0] for line in lines]
    assert len([name for index, name in enumerate(names) if name != names[index - 1]]) == len(set(names))


def test_a_bucket_that_never_answered_has_an_age_from_the_first_try(
    program: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setitem(program.namespace, "read", lambda _bucket, _key: [])
    file = tmp_path / "smoke_test.prom"
    assert [program.main("bucket", str(file), KEY) for _ in range(2)] == [1, 1]
    ((found, value),) = samples(file.read_text()).items()
    assert found == ("smoke_test_read_timestamp_seconds", "")
    assert value > 1.7e9


def test_a_first_look_that_is_killed_has_an_age(
    program: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def read(_bucket: str, _key: str) -> None:
        raise SystemExit  # as systemd ends it, amid the call

    monkeypatch.setitem(program.namespace, "read", read)
    file = tmp_path / "smoke_test.prom"
    with pytest.raises(SystemExit):
        program.main("bucket", str(file), KEY)
    assert set(samples(file.read_text())) == {("smoke_test_read_timestamp_seconds", "")}


def test_a_folder_that_is_not_there_is_told_in_a_sentence(
    program: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setitem(program.namespace, "read", lambda _bucket, _key: verdict())
    assert program.main("bucket", str(tmp_path / "missing" / "smoke_test.prom"), KEY) == 1
    assert "missing/smoke_test.prom cannot be written" in capsys.readouterr().err


def test_a_bucket_that_stalls_is_given_up_once_and_before_the_unit_s_time(
    program: SimpleNamespace, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    asked: list[Any] = []
    monkeypatch.setattr(boto3, "client", lambda _service, config, **_: asked.append(config) or _Verdict())
    program.read("bucket", KEY)
    (config,) = asked
    assert config.retries == {"total_max_attempts": 1}
    unit = (PROGRAM.parents[1] / "templates" / "smoke-test-metrics.service.j2").read_text()
    limit = next(int(line.partition("=")[2]) for line in unit.splitlines() if line.startswith("TimeoutStartSec="))
    assert config.connect_timeout + config.read_timeout < limit / 2


class _Verdict:
    """Stands in for S3: it has a verdict."""

    def get_object(self, **_: str) -> dict[str, Any]:
        return {"Body": io.StringIO("{}")}


@pytest.mark.real
def test_it_reads_what_a_bucket_holds_and_tells_nothing_from_refused(
    program: SimpleNamespace, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    import boto3

    from local import moto
    from local.paths import DataRoot

    root = DataRoot(tmp_path / "moto")
    try:
        monkeypatch.setenv("AWS_ENDPOINT_URL", moto.ensure(root).endpoint_url)
        monkeypatch.setenv("AWS_DEFAULT_REGION", "us-east-1")
        s3 = boto3.client("s3")
        s3.create_bucket(Bucket="checkpoints")
        assert program.read("checkpoints", KEY) is None
        s3.put_object(Bucket="checkpoints", Key=KEY, Body=json.dumps(verdict()))
        assert program.read("checkpoints", KEY)["job"] == verdict()["job"]
        assert program.main("nobody", str(tmp_path / "file"), KEY) == 1
    finally:
        moto.stop(root)
