"""Decisions on recorded sequences of what an API server showed."""

from __future__ import annotations

import pytest

from local.kubernetes.awaiting import DEFAULT_TIMEOUT_S, TIMEOUT, timeout_of
from local.kubernetes.failures import LOG_LINES, ended_badly, explain
from local.kubernetes.readiness import Readiness, held_nodes, readiness, stuck_pods
from local.provider import ProviderError, Values


def job(**status: object) -> Values:
    return {"kind": "Job", "spec": {"completions": 2}, "status": status}


def condition(kind: str, status: str = "True", **more: str) -> list[Values]:
    return [{"type": kind, "status": status, **more}]


def pod(name: str, exit_code: int, at: str, message: str = "") -> Values:
    end = {"exitCode": exit_code, "reason": "Error", "message": message, "finishedAt": at}
    return {
        "metadata": {"name": name, "namespace": "n", "uid": f"uid-{name}"},
        "spec": {"nodeName": "node-1"},
        "status": {"containerStatuses": [{"name": "train", "state": {"terminated": end}}]},
    }


def test_a_job_is_awaited_from_its_first_pod_to_its_last() -> None:
    recorded = [
        job(),
        job(active=2, ready=1),
        job(active=1, ready=1, succeeded=1),
        job(succeeded=2, conditions=condition("SuccessCriteriaMet")),
        job(succeeded=2, conditions=condition("SuccessCriteriaMet") + condition("Complete")),
    ]
    seen = [readiness(live) for live in recorded]
    assert [one.ready for one in seen] == [False, False, False, False, True]
    assert [one.progress for one in seen] == [
        "0 of 2 pods succeeded",
        "0 of 2 pods succeeded, 1 of 2 running",
        "1 of 2 pods succeeded, 1 of 1 running",
        "2 of 2 pods succeeded",
        "2 of 2 pods succeeded",
    ]


def test_a_job_has_failed_before_its_last_pod_has_ended() -> None:
    reason = {"reason": "BackoffLimitExceeded", "message": "Job has reached the specified backoff limit"}
    early = job(active=1, failed=1, conditions=condition("FailureTarget", **reason))
    assert readiness(early).failed == "BackoffLimitExceeded: Job has reached the specified backoff limit"


@pytest.mark.parametrize(
    ("status", "ready"),
    [
        ({}, False),
        ({"observedGeneration": 1, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, False),
        ({"observedGeneration": 2, "replicas": 3, "updatedReplicas": 2, "availableReplicas": 2}, False),
        ({"observedGeneration": 2, "replicas": 2, "updatedReplicas": 2, "availableReplicas": 2}, True),
    ],
)
def test_a_deployment_is_ready_when_only_new_pods_are_left(status: Values, ready: bool) -> None:
    live = {"kind": "Deployment", "metadata": {"generation": 2}, "spec": {"replicas": 2}, "status": status}
    assert readiness(live).ready is ready


def test_a_deployment_past_its_deadline_has_failed() -> None:
    late = condition("Progressing", "False", reason="ProgressDeadlineExceeded", message="timed out progressing")
    assert "ProgressDeadlineExceeded" in readiness({"kind": "Deployment", "status": {"conditions": late}}).failed


def test_a_daemon_set_without_nodes_is_ready_once_its_controller_has_seen_it() -> None:
    live: Values = {"kind": "DaemonSet", "metadata": {"generation": 1}, "status": {}}
    assert not readiness(live).ready
    assert readiness({**live, "status": {"observedGeneration": 1, "desiredNumberScheduled": 0}}).ready


def test_a_namespace_is_ready_when_active() -> None:
    assert not readiness({"kind": "Namespace", "status": {"phase": "Terminating"}}).ready
    assert readiness({"kind": "Namespace", "status": {"phase": "Active"}}).ready


def test_only_services_that_route_wait_for_pods() -> None:
    spec = {"clusterIP": "10.0.0.1", "selector": {"a": "b"}}
    assert not readiness({"kind": "Service", "spec": spec}).ready
    assert readiness({"kind": "Service", "spec": spec}, [{"status": {"conditions": condition("Ready")}}]).ready
    assert readiness({"kind": "Service", "spec": {**spec, "clusterIP": "None"}}).ready


def test_kinds_without_a_notion_of_ready_are_ready_at_once() -> None:
    assert readiness({"kind": "ConfigMap"}) == Readiness(True)


def test_the_timeout_is_the_resources_then_its_annotations_then_the_default() -> None:
    annotated: Values = {"metadata": {"annotations": {TIMEOUT: "30"}}}
    assert timeout_of(annotated, 5) == 5
    assert timeout_of(annotated, 0) == 30
    assert timeout_of({}, 0) == DEFAULT_TIMEOUT_S
    with pytest.raises(ProviderError, match="number of seconds"):
        timeout_of({"metadata": {"annotations": {TIMEOUT: "soon"}}}, 0)


def test_a_failure_names_pod_container_exit_code_message_and_the_end_of_the_first_log() -> None:
    pods = [pod("b", 1, "2026-01-01T00:00:05Z", "peer lost"), pod("a", 3, "2026-01-01T00:00:02Z", "loss did not fall")]
    asked: list[str] = []

    def log_of(end: object) -> str:
        asked.append(getattr(end, "pod"))  # noqa: B009
        return "\n".join(f"line {number}" for number in range(100))

    lines = explain(pods, log_of)
    assert lines[0] == ("pod a on node node-1: container train ended with exit code 3 (Error): loss did not fall")
    assert asked == ["a"]
    assert "line 99" in lines[-1]
    assert len("\n".join(lines).splitlines()) == 2 + 1 + LOG_LINES


def test_many_failed_pods_fit_on_one_screen() -> None:
    pods = [pod(f"p{number}", 1, "2026-01-01T00:00:00Z", "x\n" * 50) for number in range(64)]
    assert len("\n".join(explain(pods, lambda end: "y\n" * 500)).splitlines()) <= 50
    assert len(ended_badly(pods)) == 64


def test_a_pod_that_no_node_takes_says_so() -> None:
    waiting = condition("PodScheduled", "False", reason="Unschedulable", message="0/2 nodes are available")
    stuck = stuck_pods([{"metadata": {"name": "a"}, "status": {"conditions": waiting}}])
    assert stuck == ["pod a: no node takes it: 0/2 nodes are available"]


def test_an_annotation_of_a_taint_s_name_is_why_the_node_takes_no_pods() -> None:
    spec = {"taints": [{"key": "gpu"}, {"key": "unverified"}]}
    held: Values = {"metadata": {"name": "a", "annotations": {"unverified": "it is slow", "other": "x"}}, "spec": spec}
    assert held_nodes([held, {"metadata": {"name": "b"}, "spec": spec}, {"metadata": {"name": "c"}}]) == [
        "node a is tainted unverified: it is slow"
    ]
