"""What the program says when it is told something wrong: one sentence, exit status 1."""

from __future__ import annotations

import json
import os
import shutil
import signal
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import NoReturn

import pytest
from train.checkpoint.store import FolderStore
from train.checks.estimate import Status
from train.checks.health import Finding, Health, conclude
from train.config.failure import Failure
from train.config.job import load
from train.config.settings import TrainConfig
from train.main import nodes, smoke_test, stop, training
from train.main import run as main_run
from train.main.run import Run
from train.main.smoke_test import main
from train.metrics.times import StepTimes
from train.parallel import watchdog
from train.parallel.watchdog import Watchdog
from train.report import Verdict

from local.processes import free_port
from tests.workloads.conftest import SMALL

TRAINING = {**SMALL, "steps": 12, "learning_rate": 1e-2, "min_loss_drop": 0.1}


@pytest.fixture
def run(tmp_path: Path, compiled: Path, capfd: pytest.CaptureFixture[str]):
    """Runs a job in this process; compiled programs are kept, as most of the time goes there."""

    def run_once(config: object, **environment: str) -> tuple[int, dict]:
        text = config if isinstance(config, str) else json.dumps(config)
        environment.setdefault("JAX_COMPILATION_CACHE_DIR", str(compiled))
        status = main({"TRAIN_CONFIG": text, "TERMINATION_LOG": str(tmp_path / "log"), **environment})
        written = capfd.readouterr()
        assert "Traceback" not in written.err
        verdict = json.loads(written.out.splitlines()[-1])
        assert (tmp_path / "log").read_text() == verdict["reason"]
        assert (status == 0) == verdict["passed"]
        return status, verdict

    return run_once


def test_a_job_passes_with_its_numbers(run, tmp_path: Path) -> None:
    status, verdict = run(
        {**TRAINING, "checkpoint_every": 5, "checkpoint_uri": str(tmp_path / "c")}, NODE_NAME="here", JOB_NAME="smoke"
    )
    assert status == 0, verdict
    assert (verdict["nodes"], verdict["job"], verdict["steps"]) == (["here"], "smoke", 12)
    assert verdict["loss_first"] - verdict["loss_last"] > 0.1
    assert (verdict["attention"], verdict["skipped_steps"]) == ("plain", 0)
    assert verdict["checkpoint"] == str(tmp_path / "c" / "step_00000012.json")
    assert min(verdict[key] for key in ("first_step_s", "tokens_per_s", "step_time_p50_s", "collective_time_s")) > 0


def test_a_loss_that_does_not_fall_enough_fails(run) -> None:
    status, verdict = run({**TRAINING, "min_loss_drop": 5})
    assert status == 1
    assert "in 12 steps, and by 5 was expected (min_loss_drop)" in verdict["reason"]


@pytest.mark.real
def test_a_loss_that_explodes_fails_and_leaves_no_checkpoint_of_it(run, tmp_path: Path) -> None:
    config = {**TRAINING, "warmup_steps": 0, "learning_rate": 1e30, "checkpoint_uri": str(tmp_path / "c")}
    status, verdict = run({**config, "checkpoint_every": 1, "metrics_folder": str(tmp_path / "m")})
    assert status == 1
    why = "(gradient norm nan) at step 4: 3 steps in a row were skipped"
    assert verdict["reason"].startswith("the loss became ")
    assert verdict["reason"].endswith(why)
    assert (verdict["steps"], verdict["skipped_steps"]) == (4, 3)
    lines = [json.loads(line) for line in (tmp_path / "m" / "metrics.jsonl").read_text().splitlines()]
    assert [(line["step"], line["skipped_steps"]) for line in lines] == [(1, 0), (2, 1), (3, 2), (4, 3)]
    assert not (tmp_path / "c" / "step_00000004.json").exists()


def of_checkpoints(folder: Path) -> dict:
    return {**TRAINING, "checkpoint_every": 5, "checkpoint_uri": str(folder), "read_back": False}


@pytest.fixture(scope="module")
def killed(tmp_path_factory: pytest.TempPathFactory, compiled: Path) -> Path:
    """The checkpoints of a training that was killed before its last one."""
    folder = tmp_path_factory.mktemp("killed")
    environment = {"TERMINATION_LOG": str(folder / "log"), "JAX_COMPILATION_CACHE_DIR": str(compiled)}
    assert main({"TRAIN_CONFIG": json.dumps(of_checkpoints(folder / "c")), **environment}) == 0
    (folder / "c" / "step_00000012.json").unlink()
    return folder / "c"


@pytest.fixture
def unfinished(killed: Path, tmp_path: Path) -> dict:
    """The configuration of a training that goes on from there."""
    return of_checkpoints(shutil.copytree(killed, tmp_path / "c"))


def test_without_resume_all_steps_are_taken_whatever_is_there(run, unfinished: dict, tmp_path: Path) -> None:
    config = {**unfinished, "metrics_folder": str(tmp_path / "m")}
    status, verdict = run({**config, "resume": False, "seed": 1})  # which makes it another training
    assert (status, verdict["resumed_from_step"], verdict["steps"]) == (0, None, 12)
    assert len((tmp_path / "m" / "metrics.jsonl").read_text().splitlines()) == 12
    assert verdict["checkpoint"] == str(tmp_path / "c" / "step_00000012.json")


def test_a_checkpoint_is_read_once_and_has_its_own_limit(
    run, unfinished: dict, monkeypatch: pytest.MonkeyPatch
) -> None:
    limits, read = list[str](), list[tuple[str, str]]()
    limit, get = Watchdog.limit, FolderStore.get

    @contextmanager
    def noted(self: Watchdog, seconds: float, what: str, why: Callable[[], str] | None = None) -> Iterator[None]:
        limits.append(f"{what} within {seconds:g} s")
        with limit(self, seconds, what, why):
            yield
        limits.pop()

    monkeypatch.setattr(Watchdog, "limit", noted)
    monkeypatch.setattr(FolderStore, "get", lambda self, name: read.append((name, limits[-1])) or get(self, name))
    status, verdict = run(unfinished)
    assert status == 0, verdict
    assert verdict["resumed_from_step"] >= 5  # 10, where the disk could follow
    arrays = f"step_{verdict['resumed_from_step']:08d}.0of1.safetensors"
    within = "reading the newest checkpoint within 300 s"
    assert [each for each in read if each[0].endswith(".safetensors")] == [(arrays, within)]


@pytest.mark.parametrize(
    ("uri", "allowed"),
    [
        ("tokens", "reading corpus_uri, for which checkpoint_timeout_s is the limit, within 300 s"),
        ("", "reading the text within 45 s"),
    ],
)
def test_shards_may_be_of_any_size_and_have_a_limit_of_their_own(run, monkeypatch, uri: str, allowed: str) -> None:
    limits, limit = list[str](), Watchdog.limit

    def noted(self: Watchdog, seconds: float, what: str, why: Callable[[], str] | None = None):
        limits.append(f"{what} within {seconds:g} s")
        return limit(self, seconds, what, why)

    def read(config: TrainConfig) -> NoReturn:
        raise Failure(limits[-1])

    monkeypatch.setattr(Watchdog, "limit", noted)
    monkeypatch.setattr(nodes, "open_corpus", read)
    assert run({**TRAINING, "corpus_uri": uri})[1]["reason"] == allowed


def test_quantiles_are_computed_at_the_end_and_not_at_each_step(run, monkeypatch: pytest.MonkeyPatch) -> None:
    asked, percentile = list[float](), StepTimes.percentile_s
    monkeypatch.setattr(StepTimes, "percentile_s", lambda self, of: asked.append(of) or percentile(self, of))
    _, verdict = run(TRAINING)
    assert asked == [50, 95]
    assert 0 < verdict["step_time_p50_s"] <= verdict["step_time_p95_s"]


def test_a_batch_that_was_rounded_up_is_what_the_verdict_tells(run) -> None:
    _, verdict = run({**TRAINING, "batch_size": 3})
    assert "4 sequences a step" in verdict["setup"]["model"]


@pytest.mark.parametrize(
    ("warmup_steps", "told"), [(7, ["warmup_steps 7 is cut to 6: half of the steps at most"]), (6, [])]
)
def test_a_warm_up_that_was_cut_is_told(run, monkeypatch, warmup_steps: int, told: list[str]) -> None:
    said = list[str]()
    monkeypatch.setattr(smoke_test, "say", said.append)
    run({**TRAINING, "warmup_steps": warmup_steps})
    assert [line for line in said if "warmup" in line] == told


def test_an_ending_that_hangs_is_cut_off_and_the_kubelet_has_the_reason(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    gone = threading.Event()
    monkeypatch.setattr(os, "_exit", lambda status: gone.set())
    monkeypatch.setattr(watchdog, "LAST_WORDS_S", 0.1)
    monkeypatch.setattr(main_run, "deliver", lambda *arguments: gone.wait(20))
    termination = tmp_path / "log"
    run = Run(load({}), {"TERMINATION_LOG": str(termination)}, Verdict(False, "", "job"))
    with suppress(AttributeError):  # what the store did not give
        run.fail("the disk is gone")
    assert gone.is_set()
    assert termination.read_text() == "the disk is gone"


@pytest.mark.parametrize("wrong", ["{", "[]", '"text"', '{"steps": "many"}', '{"preset": []}'])
def test_an_unusable_configuration_is_one_sentence(run, wrong: str) -> None:
    status, verdict = run(wrong)
    assert status == 1
    assert verdict["reason"].startswith("TRAIN_CONFIG is not usable: ")


def test_an_unusable_configuration_still_reaches_the_deployment(run, tmp_path: Path) -> None:
    uri = tmp_path / "verdict.json"
    run({"verdict_uri": str(uri), "steps": 0})
    assert "steps: Input should be greater than 0" in json.loads(uri.read_text())["reason"]


@pytest.mark.parametrize(
    ("uri", "why"),
    [
        ("http://x/y/z.json", "http://x/y is neither s3://bucket/prefix nor a folder"),
        ("s3://bucket", "s3://bucket names no file: give s3://bucket/key or a path"),
        ("{tmp_path}/log/v.json", "cannot write {tmp_path}/log/v.json: Not a directory"),
    ],
)
def test_a_verdict_that_could_not_be_stored_ends_the_job_before_it_trains(
    run, tmp_path: Path, uri: str, why: str
) -> None:
    status, verdict = run({**TRAINING, "verdict_uri": uri.format(tmp_path=tmp_path)})
    assert (status, verdict["steps"]) == (1, 0)
    assert verdict["reason"] == f"verdict_uri: {why.format(tmp_path=tmp_path)}"


def test_only_process_0_tries_where_the_verdict_goes(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    config = json.dumps({"verdict_uri": f"{tmp_path}/file/v.json"})
    two = {"JAX_NUM_PROCESSES": "2", "JAX_COORDINATOR_ADDRESS": "host:1", "TRAIN_CONFIG": config}
    smoke_test._try_verdict_uri(load({**two, "JOB_COMPLETION_INDEX": "1"}))
    with pytest.raises(Failure, match="verdict_uri: cannot write"):
        smoke_test._try_verdict_uri(load({**two, "JOB_COMPLETION_INDEX": "0"}))


def test_of_an_unusable_job_only_process_0_stores_the_verdict(run, tmp_path: Path) -> None:
    uri = tmp_path / "verdict.json"
    assert run({"verdict_uri": str(uri), "steps": 0}, JOB_COMPLETION_INDEX="1")[0] == 1
    assert not uri.exists()


def test_a_missing_variable_is_named(run) -> None:
    _, verdict = run({}, JAX_NUM_PROCESSES="2", JOB_COMPLETION_INDEX="0")
    assert "JAX_COORDINATOR_ADDRESS is missing" in verdict["reason"]


def test_a_node_that_lacks_devices_fails_before_it_trains(run) -> None:
    _, verdict = run(SMALL, ACCELERATOR='{"chips": 8, "instance_type": "p5.48xlarge"}', NODE_NAME="gpu-7")
    assert verdict["reason"].startswith("node gpu-7 shows 2 devices (cpu), and the catalogue says 8 of p5.48xlarge")


def test_devices_that_cannot_be_divided_as_asked_are_told_before_the_nodes_are_checked(run, monkeypatch) -> None:
    monkeypatch.setattr(smoke_test, "run_checks", lambda *arguments: pytest.fail("the nodes were checked"))
    _, verdict = run({**TRAINING, "checks": "report", "fsdp": 3})
    assert verdict["reason"] == "2 devices cannot be divided by fsdp 3 × tensor 1: give other numbers"


def test_an_endpoint_that_nobody_serves_is_named(run, monkeypatch: pytest.MonkeyPatch) -> None:
    endpoint = f"http://127.0.0.1:{free_port()}"
    monkeypatch.setenv("AWS_ENDPOINT_URL", endpoint)
    _, verdict = run({**SMALL, "checkpoint_uri": "s3://bucket/prefix"})
    assert verdict["reason"] == f"cannot read s3://bucket/prefix at {endpoint}: EndpointConnectionError"


def test_a_cache_folder_that_cannot_be_written_costs_time_and_nothing_else(run, tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    status, _ = run({**TRAINING, "compilation_cache": str(tmp_path / "file" / "cache")})
    assert status == 0


@pytest.mark.real
def test_a_job_with_checks_leaves_a_row_for_its_node(run, tmp_path: Path) -> None:
    status, verdict = run({**TRAINING, "checks": "report", "checkpoint_uri": str(tmp_path / "c")}, NODE_NAME="here")
    assert status == 0, verdict
    assert verdict["health"] in ("PASS", "FAIL", "UNKNOWN")  # of two devices on a machine that others use too
    (row,) = verdict["node_checks"]
    assert row["node"] == "here"
    assert min(row[key] for key in ("matmul_flops", "memory_bytes_per_s", "store_write_bytes_per_s")) > 0


def health(*findings: Finding) -> Health:
    status, reason = conclude(findings)
    return Health(status=status, reason=reason, nodes=(), links=(), collectives=(), findings=findings)


@pytest.mark.parametrize(("checks", "chips"), [("strict", None), ("auto", 2)])
def test_a_node_that_is_not_surely_well_ends_a_strict_job(run, monkeypatch, checks: str, chips: int | None) -> None:
    unknown = health(Finding(status=Status.UNKNOWN, sentence="who knows"))
    monkeypatch.setattr(smoke_test, "run_checks", lambda *arguments: unknown)
    status, verdict = run({**TRAINING, "checks": checks}, ACCELERATOR=json.dumps({"chips": chips}))
    assert (status, verdict["reason"], verdict["health"], verdict["steps"]) == (1, "who knows", "UNKNOWN", 0)


def test_wrong_results_end_any_job(run, monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = health(Finding(status=Status.FAIL, sentence="calculates wrong", wrong=True))
    monkeypatch.setattr(smoke_test, "run_checks", lambda *arguments: wrong)
    status, verdict = run({**TRAINING, "checks": "report"}, NODE_NAME="here")
    assert (status, verdict["reason"], verdict["steps"]) == (1, "calculates wrong", 0)


@pytest.mark.parametrize("told", [signal.SIGTERM, signal.SIGINT])
def test_who_is_told_to_stop_saves_what_was_learnt(
    run, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, told: signal.Signals
) -> None:
    real = training._note

    def note(*arguments) -> None:
        real(*arguments)
        if arguments[2].step == 3:
            os.kill(os.getpid(), told)

    monkeypatch.setattr(training, "_note", note)
    monkeypatch.setattr(stop, "that_stop", lambda: [told])  # also where the tests run behind a shell
    status, verdict = run({**TRAINING, "checkpoint_uri": str(tmp_path / "c")}, NODE_NAME="here")
    assert status == 1
    saved = tmp_path / "c" / "step_00000003.json"
    assert verdict["reason"] == f"process 0 on here was told to stop ({told.name}) after step 3: saved as {saved}"
    assert saved.is_file()
