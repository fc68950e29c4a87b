"""A machine that does not run is not ready, whatever the API server still believes."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from operations.nodes import _node, _pod

READY: dict[str, Any] = {
    "metadata": {"name": "main-cpu-0", "labels": {"eks.amazonaws.com/nodegroup": "main-cpu"}},
    "status": {"conditions": [{"type": "Ready", "status": "True"}]},
}


def test_a_node_that_reports_is_ready() -> None:
    assert _node("main", READY, set()).ready


def test_a_node_whose_machine_is_dead_is_stopped_before_the_api_server_misses_it() -> None:
    found = _node("main", READY, {("main", "main-cpu-0")})
    assert not found.ready
    assert "Stopped" in found.line()


def test_a_dead_machine_of_another_cluster_is_another_node() -> None:
    assert _node("main", READY, {("other", "main-cpu-0")}).ready


def with_checks(reason: str | None) -> dict[str, Any]:
    annotations = {} if reason is None else {"ai-datacenter/unverified": reason}
    spec = {"taints": [{"key": "ai-datacenter/unverified", "effect": "NoSchedule"}]}
    return {**READY, "metadata": {**READY["metadata"], "annotations": annotations}, "spec": spec}


def test_a_node_that_its_checks_keep_out_says_why() -> None:
    found = _node("main", with_checks("device 3 calculates wrong"), set())
    assert found.line().endswith("unverified: device 3 calculates wrong")
    assert found.failed_checks


def check_pod(age_s: float = 60, scheduled: bool = True, **status: Any) -> dict[str, Any]:
    """The check's pod of the node; not scheduled it has its node where the DaemonSets' controller writes it."""
    fields = {"nodeSelectorTerms": [{"matchFields": [{"key": "metadata.name", "values": ["main-cpu-0"]}]}]}
    affinity = {"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": fields}}
    made = (datetime.now(UTC) - timedelta(seconds=age_s)).isoformat()
    return {
        "metadata": {"namespace": "node-verification", "name": "cpu-x", "creationTimestamp": made},
        "spec": {"nodeName": "main-cpu-0"} if scheduled else {"affinity": affinity},
        "status": status,
    }


def in_state(last: dict[str, Any] | None = None, **state: Any) -> dict[str, Any]:
    return {"containerStatuses": [{"state": state, "lastState": last or {}}]}


PULLING = {"reason": "ImagePullBackOff", "message": "Back-off pulling image"}
BUSY = {"type": "PodScheduled", "status": "False", "reason": "Unschedulable", "message": "Insufficient nvidia.com/gpu"}
DIED = {"terminated": {"exitCode": 139, "reason": "Error"}}


@pytest.mark.parametrize(
    ("pod", "told"),
    [
        (check_pod(**in_state(running={})), "its checks run, for "),  # how long, another test says
        (check_pod(**in_state(waiting=PULLING)), "its check's pod waits: ImagePullBackOff: Back-off pulling image"),
        (check_pod(scheduled=False, phase="Pending", conditions=[BUSY]), "Unschedulable: Insufficient nvidia.com/gpu"),
        (check_pod(**in_state(DIED, waiting={"reason": "CrashLoopBackOff"})), "(it ended with 139: Error)"),
        (check_pod(phase="Failed", reason="Evicted"), "its check's pod is Failed: Evicted"),
        (check_pod(), "its check's pod is new"),
    ],
)
def test_a_node_that_is_not_checked_yet_says_what_its_check_waits_for(pod: dict[str, Any], told: str) -> None:
    found = _node("main", with_checks(None), set(), [pod])
    assert told in found.line()
    assert not found.failed_checks


def test_a_node_without_a_check_s_pod_is_not_said_to_be_checked() -> None:
    found = _node("main", with_checks(None), set(), [])
    assert found.line().endswith("unverified: not checked yet, and no pod is there to do it")


def test_the_pod_of_another_node_or_namespace_is_not_its_own() -> None:
    other = check_pod(**in_state(running={}))
    assert "no pod" in _node("main", with_checks(None), set(), [{**other, "spec": {"nodeName": "main-cpu-1"}}]).line()
    assert "no pod" in _node("main", with_checks(None), set(), [{**other, "metadata": {"namespace": "x"}}]).line()


def test_a_node_that_is_kept_out_for_long_is_a_trouble_though_its_checks_said_nothing() -> None:
    found = _node("main", with_checks(None), set(), [check_pod(age_s=1200, **in_state(waiting=PULLING))])
    assert found.failed_checks
    assert found.line().endswith("for 20 min")


def test_a_reason_without_its_taint_is_of_the_past() -> None:
    assert _node("main", {**with_checks("it was slow"), "spec": {}}, set()).unverified is None


def pending(**status: Any) -> dict[str, Any]:
    return {"metadata": {"namespace": "kube-system", "name": "plugin-x"}, "status": {"phase": "Pending", **status}}


def test_a_pod_that_waits_says_what_for_in_the_words_of_its_node_or_of_the_scheduler() -> None:
    waiting = {"reason": "CreateContainerConfigError", "message": "process nodes\nhave no /dev"}
    on_a_node = pending(containerStatuses=[{"state": {"waiting": waiting}}])
    assert _pod("main", on_a_node).waits_for == "CreateContainerConfigError: process nodes have no /dev"
    nowhere = pending(conditions=[{"type": "PodScheduled", "reason": "Unschedulable", "message": "0/2 nodes"}])
    assert _pod("main", nowhere).waits_for == "Unschedulable: 0/2 nodes"


def test_a_pod_that_runs_or_of_which_nobody_said_anything_waits_for_nothing() -> None:
    assert not _pod("main", pending()).waits_for
    said = [{"state": {"waiting": {"reason": "CrashLoopBackOff", "message": "back-off"}}}]
    assert not _pod("main", pending(phase="Running", containerStatuses=said)).waits_for
