"""Waiting until an object is ready, will not be, or is gone."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Any

from local.kubernetes.api import ClusterApi
from local.kubernetes.failures import LOG_LINES, explain, log_reader
from local.kubernetes.injection import workload_images
from local.kubernetes.readiness import (
    AWAITED,
    WAITING_REASONS_THAT_STAY,
    WITH_PODS,
    Readiness,
    have_run,
    held_nodes,
    is_unschedulable,
    readiness,
    selector_of,
    service_selector,
)
from local.kubernetes.tokens import ObjectId, ObjectType, annotations_of, describe, is_set
from local.provider import ProviderError

SKIP_AWAIT = "pulumi.com/skipAwait"
TIMEOUT = "pulumi.com/timeoutSeconds"
DEFAULT_TIMEOUT_S = 600.0
"""The official provider's, for all kinds alike."""

_POD, _NODE = ObjectType("v1", "Pod"), ObjectType("v1", "Node")
_HELD = 3
"""How many nodes that take no pods are named."""
_NEVER_RAN = "none of its pods ran before its deadline, so it says nothing of the nodes; last seen: "
_GRACE_S = 15.0
"""How long pods may wait for an image: the first back-off of a kubelet is 10 s."""

Report = Callable[[str], None]


class NotReady(Exception):
    """An object was made and is not ready; ``live`` is what it was last seen as."""

    def __init__(self, message: str, reasons: list[str], live: dict[str, Any]) -> None:
        super().__init__(message)
        self.message, self.reasons, self.live = message, reasons, live


def timeout_of(manifest: Mapping[str, Any], custom_s: float) -> float:
    """How long to wait, in seconds: the resource's customTimeouts, else its annotation, else the default.

    Raises:
        ProviderError: the annotation is not a number of seconds.
    """
    declared = annotations_of(manifest).get(TIMEOUT)
    if custom_s > 0 or declared is None:
        return custom_s or DEFAULT_TIMEOUT_S
    try:
        return float(declared)
    except ValueError:
        raise ProviderError(f"annotation {TIMEOUT} is {declared!r}; it takes a number of seconds") from None


class Waiter:
    """Waits on one cluster; ``cancelled`` ends every wait soon."""

    def __init__(self, api: ClusterApi, cancelled: threading.Event) -> None:
        self._api, self._cancelled = api, cancelled

    def until_ready(self, live: dict[str, Any], timeout_s: float, report: Report) -> dict[str, Any]:
        """The object once it is ready.

        Raises:
            NotReady: it failed, or was not ready in time.
        """
        type, id = ObjectType.of_manifest(live), ObjectId.of_manifest(live)
        if type.kind not in AWAITED or is_set(live, SKIP_AWAIT):
            return live
        what, started, said, stuck_since = describe(type.kind, id), time.monotonic(), "", 0.0
        if type.kind == "DaemonSet" and not workload_images(live):
            report(f"{what}: kept and not awaited; nodes of this machine carry the workload's image, and no other")
            return live
        held: list[str] = []
        ran = False
        while True:
            pods = self._pods(live, id)
            state, ran = readiness(live, pods), ran or have_run(pods)
            if is_unschedulable(pods):  # remembered, for a Job that is over has no pods that wait
                held = held_nodes(self._api.list(_NODE, "", ""))[:_HELD]
                state = replace(state, progress="; ".join([state.progress, *held]))
            if state.progress and state.progress != said:
                said = state.progress
                report(f"{what}: {said}")
            if state.ready:
                return live
            now = time.monotonic()
            stuck_since = (stuck_since or now) if _is_stuck(pods) else 0.0
            if problem := self._problem(state, now - started, timeout_s, now - stuck_since if stuck_since else 0.0):
                reader = log_reader(self._api.plane, lambda ns, pod, c: self._api.pod_log(ns, pod, c, LOG_LINES))
                waited = [] if ran or not problem.startswith("failed: DeadlineExceeded") else [_NEVER_RAN + said]
                raise NotReady(f"{what} {problem}", [*waited, *explain(pods, reader), *held], live)
            self._pause(now - started)
            found = self._api.find(type, id)
            if found is None:
                raise NotReady(f"{what} was deleted by somebody else while it was awaited", [], live)
            live = found

    def until_gone(self, type: ObjectType, id: ObjectId, uid: str, timeout_s: float, report: Report) -> None:
        """Returns once no object of that uid has the name.

        Raises:
            ProviderError: it is still there after ``timeout_s``; what holds it is named.
        """
        started, said = time.monotonic(), False
        while (live := self._api.find(type, id)) is not None and live["metadata"]["uid"] == uid:
            waited = time.monotonic() - started
            if waited > timeout_s or self._cancelled.is_set():
                held = ", ".join(live["metadata"].get("finalizers") or []) or "nothing that is known"
                raise ProviderError(
                    f"{describe(type.kind, id)} is still there {waited:.0f} s after its deletion; held by: {held}"
                )
            if waited > 3 and not said:
                said = True
                report(f"{describe(type.kind, id)}: waiting for what it owns to end")
            self._pause(waited)

    def _problem(self, state: Readiness, waited_s: float, timeout_s: float, stuck_s: float) -> str:
        if state.failed:
            return f"failed: {state.failed}"
        if self._cancelled.is_set():
            return "was still awaited when the run was cancelled"
        if stuck_s > _GRACE_S:
            return f"cannot start: {state.progress}"
        return f"was not ready within {timeout_s:.0f} s: {state.progress}" if waited_s > timeout_s else ""

    def _pods(self, live: Mapping[str, Any], id: ObjectId) -> list[dict[str, Any]]:
        kind = live.get("kind")
        if kind == "Pod":
            return [dict(live)]
        selector = service_selector(live) if kind == "Service" else selector_of(live) if kind in WITH_PODS else ""
        return self._api.list(_POD, id.namespace, selector) if selector else []

    def _pause(self, waited_s: float) -> None:
        self._cancelled.wait(0.1 if waited_s < 2 else 0.25 if waited_s < 10 else 1.0)


def _is_stuck(pods: list[dict[str, Any]]) -> bool:
    statuses = [status for pod in pods for status in (pod.get("status") or {}).get("containerStatuses") or []]
    reasons = [((status.get("state") or {}).get("waiting") or {}).get("reason") for status in statuses]
    return any(reason in WAITING_REASONS_THAT_STAY for reason in reasons)
