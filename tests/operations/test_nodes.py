"""A machine that does not run is not ready, whatever the API server still believes."""

from __future__ import annotations

from typing import Any

from operations.nodes import _node

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


def test_a_node_whose_checks_run_has_not_failed_them() -> None:
    found = _node("main", with_checks(None), set())
    assert found.line().endswith("unverified: its checks run")
    assert not found.failed_checks


def test_a_reason_without_its_taint_is_of_the_past() -> None:
    assert _node("main", {**with_checks("it was slow"), "spec": {}}, set()).unverified is None
