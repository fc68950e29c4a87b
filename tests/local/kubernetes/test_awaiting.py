"""Waiting for what never comes: the end of it says what was waited for."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from typing import Any, cast

import pytest

from local.kubernetes.api import ClusterApi
from local.kubernetes.awaiting import NotReady, Waiter

ACTIVE = {"active": 1, "ready": 0}
LATE = {
    "conditions": [
        {
            "type": "Failed", "status": "True", "reason": "DeadlineExceeded",
            "message": "Job was active longer than specified deadline",
        }
    ]
}  # fmt: skip
WAITS = {"conditions": [{"type": "PodScheduled", "reason": "Unschedulable", "message": "no node is there"}]}
RAN = {"containerStatuses": [{"name": "train", "state": {"running": {}}}]}


def job(status: dict[str, Any]) -> dict[str, Any]:
    return {
        "apiVersion": "batch/v1", "kind": "Job", "metadata": {"name": "j", "namespace": "n"},
        "spec": {"completions": 1, "selector": {"matchLabels": {"job-name": "j"}}}, "status": status,
    }  # fmt: skip


class Api:
    """An API server whose job has one pod while it is active, and runs out of time at the second look."""

    plane = None

    def __init__(self, pod: dict[str, Any]) -> None:
        self._pods: Iterator[list[dict[str, Any]]] = iter([[{"metadata": {"name": "p"}, "status": pod}], []])

    def find(self, type: object, id: object) -> dict[str, Any]:
        return job(LATE)

    def list(self, type: Any, namespace: str, selector: str) -> list[dict[str, Any]]:
        return next(self._pods) if type.kind == "Pod" else []


@pytest.mark.parametrize(("pod", "ran"), [(WAITS, False), (RAN, True)])
def test_a_deadline_that_passed_before_any_pod_ran_is_told_as_that(pod: dict[str, Any], ran: bool) -> None:
    waiter = Waiter(cast(ClusterApi, Api(pod)), threading.Event())
    with pytest.raises(NotReady) as late:
        waiter.until_ready(job(ACTIVE), 60, lambda _: None)
    told = "; ".join(late.value.reasons)
    assert "DeadlineExceeded" in late.value.message
    assert ("none of its pods ran before its deadline" in told) is not ran
    assert ("no node is there" in told) is not ran
