"""What the API servers of this machine say about nodes and pods."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from components.node_verification_rights import NAMESPACE
from components.settings.pools import UNVERIFIED
from local import control_plane, machines
from local.paths import DataRoot
from operations.node_checks import LIMIT_S, age_s, pod_on, progress, waits_for


@dataclass(frozen=True)
class NodeState:
    """One node of a cluster; ``is_stopped``: its machine does not run, whatever the API server still believes.

    ``unverified`` is why its checks have not let it take work: empty before they have said, None where they have or
    nobody asked for them; ``check`` is how far they are, and ``kept_out_s`` for how long, None where nobody can tell.
    """

    cluster: str
    name: str
    pool: str
    instance_type: str
    ready: bool
    is_stopped: bool = False
    unverified: str | None = None
    check: str = ""
    kept_out_s: float | None = None

    @property
    def failed_checks(self) -> bool:
        """Whether its checks have said no, or have said nothing for so long that somebody must look."""
        return bool(self.unverified) or (self.unverified is not None and (self.kept_out_s or 0) > LIMIT_S)

    def line(self) -> str:
        """As one line."""
        state = "Ready" if self.ready else "Stopped" if self.is_stopped else "NotReady"
        since = "" if self.kept_out_s is None else f", for {self.kept_out_s / 60:.0f} min"
        told = self.unverified or f"{self.check or 'not checked yet'}{since}"
        checks = "" if self.unverified is None else f", unverified: {told}"
        return f"{self.name}  {state}  pool {self.pool}, {self.instance_type}{checks}"


@dataclass(frozen=True)
class PodState:
    """One pod, and the node that it runs on; ``waits_for``: what keeps it from running, empty where nobody said."""

    cluster: str
    namespace: str
    name: str
    node: str
    phase: str
    waits_for: str = ""


def nodes(root: DataRoot, planes: Sequence[control_plane.ControlPlane]) -> tuple[NodeState, ...]:
    """The nodes of those clusters that run."""
    stopped = {(machine.cluster, machine.name) for machine in machines.list_machines(root) if not machine.running}
    return tuple(
        _node(plane.name, item, stopped, checks)
        for plane in planes
        if plane.running()
        for checks in [_items(plane.api().get(f"/api/v1/namespaces/{NAMESPACE}/pods"))]
        for item in _items(plane.api().get("/api/v1/nodes"))
    )


def pods(planes: Sequence[control_plane.ControlPlane]) -> tuple[PodState, ...]:
    """The pods of those clusters that run."""
    running = [plane for plane in planes if plane.running()]
    return tuple(_pod(plane.name, item) for plane in running for item in _items(plane.api().get("/api/v1/pods")))


def _items(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(answer.get("items") or [])


def _node(
    cluster: str, item: Mapping[str, Any], stopped: set[tuple[str, str]], checks: Sequence[Mapping[str, Any]] = ()
) -> NodeState:
    name = item["metadata"]["name"]
    is_stopped = (cluster, name) in stopped
    labels = item["metadata"].get("labels") or {}
    conditions = item.get("status", {}).get("conditions") or []
    taints = {taint["key"] for taint in item.get("spec", {}).get("taints") or []}
    reason = (item["metadata"].get("annotations") or {}).get(UNVERIFIED, "")
    is_kept_out = UNVERIFIED in taints
    pod = pod_on(name, checks) if is_kept_out else None
    return NodeState(
        cluster=cluster,
        name=name,
        pool=labels.get("eks.amazonaws.com/nodegroup") or labels.get("cloud.google.com/gke-nodepool", "none"),
        instance_type=labels.get("node.kubernetes.io/instance-type", "unknown"),
        ready=not is_stopped and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions),
        is_stopped=is_stopped,
        unverified=reason if is_kept_out else None,
        check=progress(pod) if is_kept_out else "",
        kept_out_s=age_s(item, pod) if is_kept_out else None,
    )


def _pod(cluster: str, item: Mapping[str, Any]) -> PodState:
    metadata = item["metadata"]
    node = item.get("spec", {}).get("nodeName", "")
    phase = item.get("status", {}).get("phase", "")
    return PodState(cluster, metadata["namespace"], metadata["name"], node, phase, waits_for(item))
