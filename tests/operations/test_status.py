"""`aidc status` on one screen: nodes and how busy they are, who watches them, and what is wrong."""

from __future__ import annotations

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from local.kube_api import Unreachable
from operations import status as module
from operations.exits import OperationFailed
from operations.status import as_text, status
from operations.workplace import Output, Workplace, workplace

METRICS = {
    "load1": 0.42, "memory_percent": 12.0, "disk_percent": 38.0, "receive_bytes_per_s": 1200.0,
    "transmit_bytes_per_s": 3400.0,
}  # fmt: skip
NODE = {
    "cluster": "main", "name": "main-cpu-0", "pool": "main-cpu", "instance_type": "m7i.large", "ready": True,
    "is_stopped": False, "unverified": None,
}  # fmt: skip
WATCH: dict[str, Any] = {"cluster": "main", "url": "http://198.18.16.4:9090", "reason": "", "watched": 2, "alerts": []}
FOUND: dict[str, Any] = {
    "aws": {"endpoint": "http://198.18.0.5:5000", "pid": 7},
    "control_planes": [{"name": "main", "region": "us-east-1", "endpoint": "https://198.18.0.5:20000", "missing": []}],
    "other_control_planes": [],
    "nodes": [{**NODE, "metrics": METRICS}],
    "monitoring": [WATCH],
    "pods": [],
    "verdict": None,
    "slice_verdicts": (),
    "logs": "/data/.datacenter",
}


def lines(**changed: Any) -> list[str]:
    return as_text({**FOUND, **changed}).splitlines()


def test_a_node_has_a_line_of_how_busy_it_is() -> None:
    found = lines()
    assert "node       main-cpu-0  Ready  pool main-cpu, m7i.large" in found
    after = found[found.index("node       main-cpu-0  Ready  pool main-cpu, m7i.large") + 1]
    assert after == "           load 0.42 · memory 12 % · disk 38 % · 1.2 kB/s in, 3.4 kB/s out"
    assert "monitoring http://198.18.16.4:9090, 2 nodes watched, no alert" in found


def test_an_alert_that_fires_is_told_under_who_tells_it() -> None:
    alert = {"name": "NodeDown", "severity": "critical", "node": "main-cpu-0", "summary": "it is silent", "since": ""}
    found = lines(monitoring=[{**WATCH, "alerts": [alert]}])
    place = found.index("monitoring http://198.18.16.4:9090, 2 nodes watched, 1 alert")
    assert found[place + 1] == "           NodeDown (critical): it is silent"


def test_where_nobody_knows_there_are_no_numbers_and_one_line_says_why() -> None:
    watch = {**WATCH, "url": "", "reason": "nodes are processes, and Prometheus needs a machine"}
    found = lines(nodes=[{**NODE, "metrics": None}], monitoring=[watch])
    assert "monitoring – (nodes are processes, and Prometheus needs a machine)" in found
    assert not any("load" in line for line in found)


def test_the_last_verdict_of_each_slice_is_told_with_its_time() -> None:
    found = lines(slice_verdicts=({"passed": False, "reason": "loss rose", "finished_at": "noon"}, None))
    assert found[-3:-1] == ["slice 0    FAIL at noon: loss rose", "slice 1    no verdict yet"]


class Place:
    """Stands in for a workplace: what was given is dropped."""

    def give(self, data: dict[str, Any], text: str) -> None:
        pass


@pytest.fixture(autouse=True)
def state(monkeypatch: pytest.MonkeyPatch) -> None:
    """The stack was up."""
    monkeypatch.setattr(module, "open_store", lambda place: SimpleNamespace(exists=lambda: True))


@pytest.mark.parametrize(
    ("watched", "said"),
    [
        (0, "no node is watched"),
        (1, "1 node watched"),
        (3, "3 nodes watched"),
    ],
)
def test_nobody_being_watched_is_a_problem_that_is_told(
    monkeypatch: pytest.MonkeyPatch, watched: int, said: str
) -> None:
    watches = [{**WATCH, "watched": watched}]
    assert f"monitoring http://198.18.16.4:9090, {said}, no alert" in lines(monitoring=watches)
    found = {**FOUND, "aws": None, "control_planes": [], "monitoring": watches}
    monkeypatch.setattr(module, "collect", lambda place: found)
    assert status(cast(Workplace, Place())) == bool(watched)


@pytest.mark.parametrize(("kept_out_s", "well"), [(60.0, True), (3600.0, False), (None, True)])
def test_a_node_that_is_kept_out_for_long_is_no_success(
    monkeypatch: pytest.MonkeyPatch, kept_out_s: float | None, well: bool
) -> None:
    node = {**NODE, "metrics": None, "unverified": "", "check": "its checks run", "kept_out_s": kept_out_s}
    found = {**FOUND, "aws": None, "control_planes": [], "nodes": [node]}
    monkeypatch.setattr(module, "collect", lambda place: found)
    assert status(cast(Workplace, Place())) == well


PASSED = {
    "passed": True, "loss_first": 5.5, "loss_last": 2.2, "steps": 60, "tokens_per_s": 1.0, "first_step_s": 1.0,
    "processes": 1, "nodes": ["a"], "finished_at": "noon",
}  # fmt: skip
FAILED = {"passed": False, "reason": "loss rose", "finished_at": "noon"}


@pytest.mark.parametrize(
    ("verdict", "slices", "well"),
    [
        (PASSED, (PASSED,), True),
        (None, (None,), True),  # it may be to come
        (FAILED, (), False),
        (PASSED, (PASSED, FAILED), False),
        ({"reason": "who knows"}, (), False),
    ],
)
def test_a_smoke_test_that_failed_last_is_no_success(
    monkeypatch: pytest.MonkeyPatch, verdict: Any, slices: tuple[Any, ...], well: bool
) -> None:
    node = {**NODE, "metrics": None}
    found = {**FOUND, "nodes": [node], "monitoring": [], "verdict": verdict, "slice_verdicts": slices}
    monkeypatch.setattr(module, "collect", lambda place: found)
    assert status(cast(Workplace, Place())) == well
    monkeypatch.setattr(module, "collect", lambda place: {**found, "aws": None, "control_planes": [], "nodes": []})
    assert status(cast(Workplace, Place())), "nothing is up, and that alone is said"


def test_a_pod_s_line_says_why_it_does_not_run() -> None:
    pod = {"cluster": "c", "namespace": "kube-system", "name": "plugin", "node": "n", "phase": "Pending"}
    found = lines(pods=[{**pod, "waits_for": "no folder"}, {**pod, "waits_for": ""}])
    assert "pod        kube-system/plugin  Pending on n: no folder" in found
    assert "pod        kube-system/plugin  Pending on n" in found


def test_what_runs_and_is_in_no_state_is_not_nothing() -> None:
    told = "not in this stack's state: left (of other stacks, or of an `up` that did not end; `make down` removes all)"
    assert lines(aws=None, control_planes=[], other_control_planes=["left"])[1].strip() == told
    assert lines(aws=None, control_planes=[]) == ["Nothing is up. `make up` starts a data centre."]


def test_a_control_plane_that_does_not_answer_is_a_sentence_and_not_a_traceback(
    data_root: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    told = r"A control plane of `local` .*: timed out"
    with pytest.raises(OperationFailed, match=told), workplace("local", Output.JSON):
        raise Unreachable("timed out")
    assert json.loads(capsys.readouterr().out)["exit_code"] == 1
