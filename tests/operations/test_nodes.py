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
