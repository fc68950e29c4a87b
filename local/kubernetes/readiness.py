"""When an object is ready, and when it never will be: decisions on what the API server shows, without asking it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, cast

from local.provider import Values

WAITING_REASONS_THAT_STAY = frozenset(
    {"CreateContainerConfigError", "ErrImageNeverPull", "ImagePullBackOff", "InvalidImageName"}
)
"""Why a container waits in vain: no retry brings an image or a setting that is not there."""


@dataclass(frozen=True)
class Readiness:
    """``failed`` says why it will not become ready; else ``ready`` says whether it is. ``progress`` is for people."""

    ready: bool
    progress: str = ""
    failed: str = ""


READY = Readiness(True)


def readiness(live: Mapping[str, Any], pods: Sequence[Mapping[str, Any]] = ()) -> Readiness:
    """How far an object is. ``pods`` are those that its selector matches; only kinds in `WITH_PODS` need them."""
    judge = _JUDGES.get(str(live.get("kind")))
    return judge(live, pods) if judge else READY


def selector_of(live: Mapping[str, Any]) -> str:
    """The label selector of an object's pods; empty for kinds that are judged without them."""
    if live.get("kind") not in WITH_PODS:
        return ""
    labels = _at(live, "spec", "selector", "matchLabels") or {}
    return ",".join(f"{key}={value}" for key, value in sorted(labels.items()))


def stuck_pods(pods: Sequence[Mapping[str, Any]]) -> list[str]:
    """What keeps pods from starting: containers that wait in vain, and pods that no node takes."""
    found: list[str] = []
    for pod in pods:
        name = _at(pod, "metadata", "name")
        for status in container_statuses(pod):
            waiting = _at(status, "state", "waiting") or {}
            if waiting.get("reason") in WAITING_REASONS_THAT_STAY | {"CrashLoopBackOff"}:
                found.append(f"pod {name}: container {status['name']}: {waiting['reason']}: {waiting.get('message')}")
        scheduled = _condition(pod, "PodScheduled")
        if scheduled.get("reason") == "Unschedulable":
            found.append(f"pod {name}: no node takes it: {scheduled.get('message')}")
    return found


def have_run(pods: Sequence[Mapping[str, Any]]) -> bool:
    """Whether a container of these pods runs or ended."""
    states = (_at(status, "state") or {} for pod in pods for status in container_statuses(pod))
    return any("running" in state or "terminated" in state for state in states)


def is_unschedulable(pods: Sequence[Mapping[str, Any]]) -> bool:
    """Whether there is a pod that no node takes."""
    return any(_condition(pod, "PodScheduled").get("reason") == "Unschedulable" for pod in pods)


def held_nodes(nodes: Sequence[Mapping[str, Any]]) -> list[str]:
    """Why nodes take no pods: where a node has an annotation of its taint's name, that is the taint's reason."""
    return [
        f"node {_at(node, 'metadata', 'name')} is tainted {taint['key']}: {reason}"
        for node in nodes
        for taint in _at(node, "spec", "taints") or []
        if (reason := (_at(node, "metadata", "annotations") or {}).get(taint["key"]))
    ]


def container_statuses(pod: Mapping[str, Any]) -> list[Values]:
    """The statuses of a pod's init containers and containers."""
    status = _at(pod, "status") or {}
    return [*(status.get("initContainerStatuses") or []), *(status.get("containerStatuses") or [])]


def _job(live: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Readiness:
    status, spec = _at(live, "status") or {}, _at(live, "spec") or {}
    wanted = spec.get("completions") or spec.get("parallelism") or 1
    done = status.get("succeeded") or 0
    if _is_true(live, "Complete"):
        return Readiness(True, f"{done} of {wanted} pods succeeded")
    for kind in ("Failed", "FailureTarget"):
        if _is_true(live, kind):
            condition = _condition(live, kind)
            return Readiness(False, failed=f"{condition.get('reason')}: {condition.get('message')}")
    if spec.get("suspend"):
        return Readiness(True, "suspended")
    parts = [f"{done} of {wanted} pods succeeded"]
    if status.get("active"):
        parts.append(f"{status.get('ready') or 0} of {status['active']} running")
    if status.get("failed"):
        parts.append(f"{status['failed']} failed")
    return Readiness(False, "; ".join([", ".join(parts), *stuck_pods(pods)[:1]]))


def _deployment(live: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Readiness:
    status = _at(live, "status") or {}
    wanted = _replicas(live)
    progressing = _condition(live, "Progressing")
    if progressing.get("status") == "False":
        return Readiness(False, failed=f"{progressing.get('reason')}: {progressing.get('message')}")
    updated, available = status.get("updatedReplicas") or 0, status.get("availableReplicas") or 0
    settled = _is_observed(live) and (status.get("replicas") or 0) == updated == available == wanted
    return _rollout(settled, available, wanted, "pods available", pods)


def _stateful_set(live: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Readiness:
    status = _at(live, "status") or {}
    wanted, ready = _replicas(live), status.get("readyReplicas") or 0
    settled = (
        _is_observed(live)
        and ready == wanted
        and (wanted == 0 or status.get("currentRevision") == status.get("updateRevision"))
    )
    return _rollout(settled, ready, wanted, "pods ready", pods)


def _daemon_set(live: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Readiness:
    status = _at(live, "status") or {}
    wanted, available = status.get("desiredNumberScheduled") or 0, status.get("numberAvailable") or 0
    settled = _is_observed(live) and available == wanted == (status.get("updatedNumberScheduled") or 0)
    return _rollout(settled, available, wanted, "nodes have it", pods)


def _rollout(settled: bool, have: int, wanted: int, what: str, pods: Sequence[Mapping[str, Any]]) -> Readiness:
    return Readiness(settled, "; ".join([f"{have} of {wanted} {what}", *([] if settled else stuck_pods(pods)[:1])]))


def _pod(live: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Readiness:
    phase = str(_at(live, "status", "phase") or "Pending")
    if phase == "Failed":
        return Readiness(False, failed=str(_at(live, "status", "message") or "its containers failed"))
    ready = phase == "Succeeded" or _is_true(live, "Ready")
    return Readiness(ready, "; ".join([phase, *stuck_pods([live])[:1]]))


def _namespace(live: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Readiness:
    phase = str(_at(live, "status", "phase"))
    return Readiness(phase == "Active", phase)


def _custom_kind(live: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Readiness:
    refused = _condition(live, "NamesAccepted")
    if refused.get("status") == "False":
        return Readiness(False, failed=f"{refused.get('reason')}: {refused.get('message')}")
    return Readiness(_is_true(live, "Established"), "not served yet")


def _service(live: Mapping[str, Any], pods: Sequence[Mapping[str, Any]]) -> Readiness:
    spec = _at(live, "spec") or {}
    if spec.get("type") == "LoadBalancer" and not _at(live, "status", "loadBalancer", "ingress"):
        return Readiness(True, "nothing on one machine gives a LoadBalancer an address: it stays without one")
    waits = spec.get("clusterIP") != "None" and spec.get("type") != "ExternalName" and bool(spec.get("selector"))
    if not waits or any(_is_true(pod, "Ready") for pod in pods):
        return READY
    return Readiness(False, "; ".join(["no ready pod matches its selector", *stuck_pods(pods)[:1]]))


def service_selector(live: Mapping[str, Any]) -> str:
    """The label selector of a Service's pods."""
    return ",".join(f"{key}={value}" for key, value in sorted((_at(live, "spec", "selector") or {}).items()))


def _replicas(live: Mapping[str, Any]) -> int:
    replicas = _at(live, "spec", "replicas")
    return 1 if replicas is None else int(replicas)


def _is_observed(live: Mapping[str, Any]) -> bool:
    generation = int(_at(live, "metadata", "generation") or 0)
    return int(_at(live, "status", "observedGeneration") or -1) >= generation


def _condition(live: Mapping[str, Any], kind: str) -> Values:
    found = [one for one in _at(live, "status", "conditions") or [] if one.get("type") == kind]
    return found[0] if found else {}


def _is_true(live: Mapping[str, Any], kind: str) -> bool:
    return _condition(live, kind).get("status") == "True"


def _at(value: Any, *path: str) -> Any:
    for part in path:
        value = cast(Values, value).get(part) if isinstance(value, Mapping) else None
    return value


_Judge = Callable[[Mapping[str, Any], Sequence[Mapping[str, Any]]], Readiness]
_JUDGES: Mapping[str, _Judge] = {
    "CustomResourceDefinition": _custom_kind,
    "DaemonSet": _daemon_set,
    "Deployment": _deployment,
    "Job": _job,
    "Namespace": _namespace,
    "Pod": _pod,
    "Service": _service,
    "StatefulSet": _stateful_set,
}
WITH_PODS = frozenset({"DaemonSet", "Deployment", "Job", "StatefulSet"})
AWAITED = frozenset(_JUDGES)
