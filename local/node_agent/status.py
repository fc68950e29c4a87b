"""A pod's status from what its containers do: phase, container statuses and conditions, by the kubelet's rules."""

from __future__ import annotations

import datetime
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from local.node_agent.container import Exit

Json = dict[str, Any]


@dataclass(frozen=True)
class ContainerState:
    """One container now: waiting (reason and message), running (since), or ended."""

    name: str
    image: str
    restarts: int = 0
    started_at: float | None = None
    ended: Exit | None = None
    last: Exit | None = None
    reason: str = ""
    message: str = ""

    @property
    def running(self) -> bool:
        """Whether its command runs."""
        return self.started_at is not None and self.ended is None and not self.reason

    def to_json(self) -> Json:
        """A ContainerStatus."""
        return {
            "name": self.name,
            "image": self.image,
            "imageID": self.image,
            "ready": self.running,
            "started": self.running,
            "restartCount": self.restarts,
            "state": self._state(),
            "lastState": {"terminated": _terminated(self.last)} if self.last else {},
        }

    def _state(self) -> Json:
        if self.reason:
            waiting = {"reason": self.reason, **({"message": self.message} if self.message else {})}
            return {"waiting": waiting}
        if self.ended:
            return {"terminated": _terminated(self.ended)}
        if self.started_at is not None:
            return {"running": {"startedAt": rfc3339(self.started_at)}}
        return {"waiting": {"reason": "ContainerCreating"}}


def phase(states: Sequence[ContainerState], inits: Sequence[ContainerState], policy: str, deleting: bool) -> str:
    """Pending until all containers have begun, then Running; Succeeded or Failed when none will run again."""
    ends = [state.ended for state in states if not state.reason]
    if any(init.ended and init.ended.exit_code and not init.reason for init in inits) and policy == "Never":
        return "Failed"
    if deleting and not any(state.running for state in [*states, *inits]):
        return "Succeeded" if states and all(end and end.exit_code == 0 for end in ends) else "Failed"
    if len(ends) == len(states) and all(ends) and policy != "Always":
        failed = any(end and end.exit_code for end in ends)
        if not failed or policy == "Never":
            return "Failed" if failed else "Succeeded"
    begun = all(state.started_at is not None or state.restarts or state.ended for state in states)
    return "Running" if begun else "Pending"


def pod_status(
    pod: Mapping[str, Any], states: Sequence[ContainerState], inits: Sequence[ContainerState], start_time: float
) -> Json:
    """The status to patch; conditions that others set (PodScheduled, DisruptionTarget) are left to them."""
    deleting = "deletionTimestamp" in pod["metadata"]
    now_phase = phase(states, inits, pod["spec"].get("restartPolicy", "Always"), deleting)
    finished = now_phase in ("Succeeded", "Failed")
    initialized = all(init.ended and init.ended.exit_code == 0 for init in inits)
    ready = bool(states) and all(state.running for state in states) and not finished
    why_not = "PodCompleted" if finished and now_phase == "Succeeded" else "PodFailed" if finished else ""
    known = {condition["type"]: condition for condition in pod.get("status", {}).get("conditions", [])}
    conditions = [
        _condition(known, "PodReadyToStartContainers", not finished, ""),
        _condition(known, "Initialized", initialized, "" if initialized else "ContainersNotInitialized"),
        _condition(known, "ContainersReady", ready, "" if ready else why_not or "ContainersNotReady"),
        _condition(known, "Ready", ready, "" if ready else why_not or "ContainersNotReady"),
    ]
    return {
        "phase": now_phase,
        "startTime": rfc3339(start_time),
        "hostIP": "127.0.0.1",
        "hostIPs": [{"ip": "127.0.0.1"}],
        "podIP": "127.0.0.1",
        "podIPs": [{"ip": "127.0.0.1"}],
        "qosClass": pod.get("status", {}).get("qosClass", "BestEffort"),
        "conditions": conditions,
        "containerStatuses": [state.to_json() for state in states],
        "initContainerStatuses": [state.to_json() for state in inits],
    }


def rfc3339(seconds: float) -> str:
    """A time as the API writes it."""
    return datetime.datetime.fromtimestamp(seconds, datetime.UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def _condition(known: Mapping[str, Json], kind: str, holds: bool, reason: str) -> Json:
    status = "True" if holds else "False"
    before = known.get(kind, {})
    since = before.get("lastTransitionTime") if before.get("status") == status else None
    since = since or rfc3339(datetime.datetime.now(datetime.UTC).timestamp())
    return {"type": kind, "status": status, "reason": reason, "lastTransitionTime": since}


def _terminated(end: Exit) -> Json:
    return {
        "exitCode": end.exit_code,
        "reason": end.reason,
        "message": end.message,
        "startedAt": rfc3339(end.started_at),
        "finishedAt": rfc3339(end.finished_at),
        **({"signal": end.signal} if end.signal else {}),
    }
