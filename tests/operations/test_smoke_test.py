"""What `aidc up` and `aidc smoke-test` show of jobs: rows, curves and reports, of this run and of no other."""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from local.engine import Result
from local.engine.events import Step
from operations import smoke_test, up
from operations.cli import main
from operations.exits import OperationFailed
from operations.session import Session
from operations.workplace import Workplace

from .smoke_test_jobs import NAME, TPU_URN, URN, failed, job, keep, on_slice
from .verdict_sample import verdict


class FakeEngine:
    """Its `up` ends as the test says."""

    def __init__(self, answer: Result) -> None:
        self.answer = answer

    def up(self, refresh: bool = False) -> Result:
        return self.answer


@pytest.fixture
def engine(monkeypatch: pytest.MonkeyPatch, place: Workplace, bucket: dict[str, bytes]) -> FakeEngine:
    """`aidc` on a stack whose job has failed."""
    keep(place, job())
    fake = FakeEngine(failed(URN))

    @contextmanager
    def opened(_place: Workplace, *, needs_cloud: bool) -> Iterator[Session]:
        yield Session(fake, ())  # type: ignore[arg-type]

    for module in (up, smoke_test):
        monkeypatch.setattr(module, "session", opened)
    monkeypatch.setattr(smoke_test, "_remove_jobs", lambda _place: None)
    return fake


def test_up_shows_the_rows_of_the_job_that_failed_it(engine: FakeEngine, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["up"]) == 1
    told = capsys.readouterr().err
    assert "smoke test FAIL: ip-10-0-1-18 is slow" in told
    assert len(re.findall(r"^ +ip-10-0-1-1[78] +(PASS|FAIL) ", told, re.MULTILINE)) == 2
    assert told.index("slower than peers by +6.9 % (+5.7 to +8.0)") < told.index("error: smoke-test-job")


def test_up_tells_each_job_that_failed_it_by_what_it_tests(
    engine: FakeEngine, place: Workplace, capsys: pytest.CaptureFixture[str]
) -> None:
    keep(place, on_slice(0, "no chip answers"), on_slice(1), on_slice(2, "it is late"))
    engine.answer = failed(f"{TPU_URN}2", f"{TPU_URN}0", URN)
    assert main(["up"]) == 1
    told = re.findall(r"^(smoke test|slice \d) +FAIL: (.*)", capsys.readouterr().err, re.MULTILINE)
    assert [what for what, _ in told] == ["smoke test", "slice 0", "slice 2"]
    assert [why for _, why in told[1:]] == ["no chip answers", "it is late"]


def test_a_smoke_test_that_passed_is_shown_though_a_slice_failed(
    engine: FakeEngine, place: Workplace, bucket: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    keep(place, job(init_errors=()), on_slice(0, "no chip answers"))
    bucket[next(iter(bucket))] = json.dumps(verdict(passed=True)).encode()
    step = Step(URN, "kubernetes:batch/v1:Job", "create")
    for steps, is_shown in (((step,), True), ((), False), ((replace(step, error="the job failed"),), False)):
        engine.answer = replace(failed(f"{TPU_URN}0"), steps=steps)
        assert main(["smoke-test"]) == 1
        shown = capsys.readouterr()
        assert ("smoke test PASS" in shown.out) is is_shown  # of this run, not of one before
        assert "slice 0    FAIL: no chip answers" in (shown.out if is_shown else shown.err)
        assert "smoke test FAIL" not in shown.out + shown.err
        assert "error: tpu-smoke-test-job-0: the job failed" in shown.err


def test_the_smoke_test_gives_rows_curves_and_report_of_a_job_that_failed(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    file = tmp_path / "report.html"
    assert main(["smoke-test", "--output", "json", "--report", str(file)]) == 1
    shown = capsys.readouterr()
    assert len(json.loads(shown.out)["series"]["loss"]) == 30
    assert f"The report is in {file}." in shown.err
    assert "error: smoke-test-job: the job failed" in shown.err
    assert "emulated by moto" in file.read_text()


def test_a_place_that_takes_no_report_is_told_before_the_job_runs(
    engine: FakeEngine, capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(engine, "up", lambda refresh: pytest.fail("the job ran"))
    assert main(["smoke-test", "--report", f"{tmp_path}/nosuch/report.html"]) == 1
    assert "No such file or directory. Nothing was run." in capsys.readouterr().err


def test_a_job_that_passed_has_the_curves_of_its_own_run_only(
    engine: FakeEngine, place: Workplace, bucket: dict[str, bytes], capsys: pytest.CaptureFixture[str]
) -> None:
    passed = verdict(passed=True, reason="the loss fell", job=NAME)
    kept = {name: value for name, value in passed.items() if name != "series"}
    keep(place, job(init_errors=()))
    step = Step(URN, "kubernetes:batch/v1:Job", "create")
    engine.answer = replace(failed(), outputs={"datacenter": {"smoke_test": {"verdict": kept}}}, steps=(step,))
    for finished, has_curves in ((passed["finished_at"], True), ("2026-11-24T18:37:59+00:00", False)):
        bucket[next(iter(bucket))] = json.dumps({**passed, "finished_at": finished}).encode()
        assert main(["smoke-test"]) == 0
        shown = capsys.readouterr().out
        assert "smoke test PASS" in shown
        assert ("step time  " in shown) is has_curves


@pytest.mark.parametrize("second_passes", [True, False])
def test_every_slice_is_tested_again_and_one_that_does_not_pass_fails_the_test(
    engine: FakeEngine,
    place: Workplace,
    bucket: dict[str, bytes],
    capsys: pytest.CaptureFixture[str],
    tmp_path: Path,
    second_passes: bool,
) -> None:
    keep(place, job(init_errors=()), on_slice(0), on_slice(1))
    for name, passes in ((NAME, True), ("tpu-smoke-test-v6e-0", True), ("tpu-smoke-test-v6e-1", second_passes)):
        bucket[f"s3://bucket/smoke-test/{name}/verdict.json"] = json.dumps(verdict(passed=passes, job=name)).encode()
    steps = tuple(Step(urn, "kubernetes:batch/v1:Job", "create") for urn in (URN, f"{TPU_URN}1", f"{TPU_URN}0"))
    engine.answer = replace(failed(), steps=steps)
    assert main(["smoke-test"]) == (0 if second_passes else 1)
    told = re.findall(r"^(smoke test|slice \d|step time) ", capsys.readouterr().out, re.MULTILINE)
    assert told == ["smoke test", "step time", "slice 0", "step time", "slice 1", "step time"]
    main(["smoke-test", "--output", "json", "--report", str(tmp_path / "r.html")])
    found = json.loads(capsys.readouterr().out)
    assert [found["job"], *(one["job"] for one in found["slices"])] == [
        NAME, "tpu-smoke-test-v6e-0", "tpu-smoke-test-v6e-1",
    ]  # fmt: skip
    page = (tmp_path / "r.html").read_text()
    assert f"<title>Smoke test of local: {'PASS' if second_passes else 'FAIL'}</title>" in page
    assert page.count('class="result PASS"') == 2 + second_passes


def test_a_test_or_a_slice_of_whose_verdict_nobody_knows_is_not_passed(
    engine: FakeEngine, place: Workplace, bucket: dict[str, bytes], capsys: pytest.CaptureFixture[str], tmp_path: Path
) -> None:
    passed = verdict(passed=True)
    for own, others, unknown in ((passed, [passed, None], "slice 1    no"), (None, [passed], "smoke test no")):
        outputs = {"smoke_test": {"verdict": own}, "tpu": {"smoke_tests": [{"verdict": one} for one in others]}}
        engine.answer = replace(failed(), outputs={"datacenter": outputs})
        file = tmp_path / f"{len(others)}.html"
        assert main(["smoke-test", "--report", str(file)]) == 1
        shown = capsys.readouterr()
        assert f"{unknown} verdict yet" in shown.out
        assert "The smoke test did not pass." in shown.err
        assert "<title>Smoke test of local: FAIL</title>" in file.read_text()


class FakePlane:
    """A cluster that keeps what is deleted from it."""

    def __init__(self) -> None:
        self.deleted: list[str] = []

    def api(self) -> FakePlane:
        return self

    def delete(self, path: str) -> None:
        self.deleted.append(path)


def test_the_jobs_of_the_stack_and_of_nobody_else_are_deleted_to_run_again(
    place: Workplace, monkeypatch: pytest.MonkeyPatch
) -> None:
    planes = [FakePlane(), FakePlane()]
    monkeypatch.setattr(smoke_test, "own_clusters", lambda _place: planes)
    with pytest.raises(OperationFailed, match="has no smoke test that ran"):
        smoke_test._remove_jobs(place)
    smoke_test.run_again_after_loss(place)  # nothing to run again: no error
    keep(place, job(), on_slice(0), job(urn=f"{URN}-other"))
    smoke_test.run_again_after_loss(place)
    paths = [f"/apis/batch/v1/namespaces/smoke-test/jobs/{name}" for name in (NAME, "tpu-smoke-test-v6e-0")]
    assert [plane.deleted for plane in planes] == [paths, paths]
    planes.clear()
    with pytest.raises(OperationFailed, match="does not run on this machine"):
        smoke_test._remove_jobs(place)


def test_a_stored_verdict_is_shown_and_reported_without_any_stack(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, data_root: Path
) -> None:
    source, file = tmp_path / "verdict.json", tmp_path / "report.html"
    source.write_text(json.dumps(verdict(passed=True)))
    assert main(["smoke-test", "--verdict", str(source), "--report", str(file)]) == 0
    assert "step time  " in capsys.readouterr().out
    assert "<title>Smoke test: PASS</title>" in file.read_text()
    assert not data_root.exists()


@pytest.mark.parametrize("name", ["verdict.json", "link.json"])
def test_a_report_never_replaces_the_verdict_that_it_is_made_of(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, name: str
) -> None:
    source = tmp_path / "verdict.json"
    source.write_text(json.dumps(verdict(passed=True)))
    (tmp_path / "link.json").symlink_to(source)
    before = source.read_bytes()
    assert main(["smoke-test", "--verdict", str(source), "--report", str(tmp_path / name)]) == 1
    shown = capsys.readouterr()
    assert "that is the verdict itself" in shown.err
    assert shown.out == ""  # it is said before anything is shown
    assert source.read_bytes() == before


@pytest.mark.parametrize("content", [None, "", "{}", "[1]", '{"passed": "perhaps"}', "\x00"])
def test_a_file_that_is_no_verdict_is_said_in_a_sentence(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, content: str | None
) -> None:
    source = tmp_path / "verdict.json"
    if content is not None:
        source.write_text(content)
    assert main(["smoke-test", "--verdict", str(source)]) == 1
    shown = capsys.readouterr()
    assert shown.out == ""
    assert str(source) in shown.err
    assert "Traceback" not in shown.err


SERIES = verdict()["series"]


@pytest.mark.parametrize(
    "changed",
    [
        {"loss_first": float("nan")}, {"loss_last": float("inf")}, {"tokens_per_s": float("-inf")},
        {"step_time_p50_s": 1e308}, {"steps": 10**400}, {"steps": -1}, {"processes": 10**5000},
        {"series": {**SERIES, "loss": [float("inf"), *SERIES["loss"][1:]]}},
        {"series": {**SERIES, "step_s": [1e308, *SERIES["step_s"][1:]]}},
        {"series": {**SERIES, "steps": [*SERIES["steps"][1:], 10**400]}},
        {"node_checks": [{**verdict()["node_checks"][0], "matmul_flops": float("nan")}]},
    ],
)  # fmt: skip
def test_numbers_that_nobody_can_have_measured_are_no_verdict_and_above_all_no_pass(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, changed: dict[str, Any]
) -> None:
    source = tmp_path / "verdict.json"
    limit = sys.get_int_max_str_digits()
    sys.set_int_max_str_digits(0)  # to write what the other side then reads
    source.write_text(json.dumps(verdict(passed=True, **changed)))
    sys.set_int_max_str_digits(limit)
    assert main(["smoke-test", "--verdict", str(source)]) == 1
    shown = capsys.readouterr()
    assert "is no verdict of a smoke test" in shown.err
    assert shown.out == ""


@pytest.mark.parametrize(
    "changed",
    [
        {"series": {**SERIES, "loss": [1e308, -1e308] * 15}, "loss_first": 1e308, "tokens_per_s": 1e308},
        {"series": {**SERIES, "loss": [0, 5e-324] * 15, "steps": [*[0] * 29, 2**53]}},
        {"series": {**SERIES, "loss": [None] * 30, "step_s": [None] * 30}},
        {"series": {"steps": [], "loss": [], "step_s": []}},
        {"node_checks": [{**verdict()["node_checks"][0], "slower_low": None}]},
    ],
)
def test_what_is_odd_but_a_number_is_shown_and_reported(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, changed: dict[str, Any]
) -> None:
    source, file = tmp_path / "verdict.json", tmp_path / "report.html"
    source.write_text(json.dumps(verdict(passed=True, **changed)))
    assert main(["smoke-test", "--verdict", str(source), "--report", str(file)]) == 0
    assert "smoke test PASS" in capsys.readouterr().out
    assert "</html>" in file.read_text()
