"""What is known of the check of a node that is kept out: from the node, and from the check's pod on it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from datetime import UTC, datetime
from typing import Any

from components.node_verification_rights import NAMESPACE

LIMIT_S = 900.0
"""Seconds that a check may keep a node out before it counts as a trouble: an image of some GB is pulled in minutes, the
checks take tens of seconds, and Prometheus gives a new node as long (prometheus_new_node_s)."""

Json = Mapping[str, Any]


def pod_on(node: str, pods: Iterable[Json]) -> Json | None:
    """The check's pod that is on a node or waits for it, the newest."""
    found = [pod for pod in pods if pod["metadata"].get("namespace") == NAMESPACE and _node_of(pod) == node]
    return max(found, key=lambda pod: str(pod["metadata"].get("creationTimestamp")), default=None)


def progress(pod: Json | None) -> str:
    """How far the check is, in words."""
    if pod is None:
        return "not checked yet, and no pod is there to do it"
    status = pod.get("status") or {}
    container: Json = next(iter(status.get("containerStatuses") or ()), {})
    state = container.get("state") or {}
    died = (container.get("lastState") or {}).get("terminated") or state.get("terminated")
    if waiting := state.get("waiting"):
        return f"not checked yet, its check's pod waits: {_told(waiting)}{_death(died)}"
    if "running" in state:
        return f"its checks run{_death(died)}"
    if died:
        return f"not checked yet, its check's pod ended{_death(died)}"
    unscheduled = [one for one in status.get("conditions") or () if one["type"] == "PodScheduled"]
    if unscheduled and unscheduled[0].get("status") == "False":
        return f"not checked yet, its check's pod is Pending: {_told(unscheduled[0])}"
    return f"not checked yet, its check's pod is {status.get('phase') or 'new'}{_given(status)}"


def waits_for(pod: Json) -> str:
    """What keeps a pod from running, in the words of its node or of the scheduler; empty where nobody said."""
    status = pod.get("status") or {}
    if status.get("phase") != "Pending":
        return ""
    states = [one.get("state") or {} for one in status.get("containerStatuses") or ()]
    said = [state["waiting"] for state in states if (state.get("waiting") or {}).get("message")]
    said += [one for one in status.get("conditions") or () if one["type"] == "PodScheduled" and one.get("message")]
    return " ".join(_told(said[0]).split()) if said else ""


def age_s(node: Json, pod: Json | None) -> float | None:
    """Seconds since the check was called for: its pod's age, or the node's before there is one; None if unknown.

    A taint that is put on by hand tells no time, but the label beside it makes a pod at once.
    """
    made = (pod or node)["metadata"].get("creationTimestamp")
    return None if not made else (datetime.now(UTC) - datetime.fromisoformat(made)).total_seconds()


def _node_of(pod: Json) -> str:
    """A pod that is not scheduled yet has its node in its affinity alone: so the DaemonSets' controller writes it."""
    spec = pod.get("spec") or {}
    if name := spec.get("nodeName"):
        return name
    affinity = (spec.get("affinity") or {}).get("nodeAffinity") or {}
    terms = (affinity.get("requiredDuringSchedulingIgnoredDuringExecution") or {}).get("nodeSelectorTerms") or ()
    fields = [field for term in terms for field in term.get("matchFields") or ()]
    return next((field["values"][0] for field in fields if field["key"] == "metadata.name"), "")


def _told(why: Json) -> str:
    return ": ".join(part for part in (why.get("reason"), why.get("message")) if part) or "no reason given"


def _given(status: Json) -> str:
    return f": {_told(status)}" if status.get("reason") or status.get("message") else ""


def _death(died: Json | None) -> str:
    if not died:
        return ""
    said = " ".join(str(died.get("message") or died.get("reason") or "").split())
    return f" (it ended with {died.get('exitCode')}{f': {said[-200:]}' if said else ''})"
