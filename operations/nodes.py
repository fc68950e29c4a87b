"""What the API servers of this machine say about nodes and pods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from components.settings.pools import UNVERIFIED
from local import control_plane, machines
from local.paths import DataRoot


@dataclass(frozen=True)
class NodeState:
    """One node of a cluster; ``is_stopped``: its machine does not run, whatever the API server still believes.

    ``unverified`` is why its checks have not let it take work: empty while they run, None where they have or nobody
    asked for them.
    """

    cluster: str
    name: str
    pool: str
    instance_type: str
    ready: bool
    is_stopped: bool = False
    unverified: str | None = None

    @property
    def failed_checks(self) -> bool:
        """Whether its checks have said no."""
        return bool(self.unverified)

    def line(self) -> str:
        """As one line."""
        state = "Ready" if self.ready else "Stopped" if self.is_stopped else "NotReady"
        checks = "" if self.unverified is None else f", unverified: {self.unverified or 'its checks run'}"
        return f"{self.name}  {state}  pool {self.pool}, {self.instance_type}{checks}"


@dataclass(frozen=True)
class PodState:
    """One pod, and the node that it runs on."""

    cluster: str
    namespace: str
    name: str
    node: str
    phase: str


def nodes(root: DataRoot) -> tuple[NodeState, ...]:
    """The nodes of every cluster that runs here."""
    stopped = {(machine.cluster, machine.name) for machine in machines.list_machines(root) if not machine.running}
    return tuple(
        _node(plane.name, item, stopped)
        for plane in _running(root)
        for item in _items(plane.api().get("/api/v1/nodes"))
    )


def pods(root: DataRoot) -> tuple[PodState, ...]:
    """The pods of every cluster that runs here."""
    return tuple(_pod(plane.name, item) for plane in _running(root) for item in _items(plane.api().get("/api/v1/pods")))


def _running(root: DataRoot) -> list[control_plane.ControlPlane]:
    return [plane for plane in control_plane.clusters(root) if plane.running()]


def _items(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(answer.get("items") or [])


def _node(cluster: str, item: Mapping[str, Any], stopped: set[tuple[str, str]]) -> NodeState:
    name = item["metadata"]["name"]
    is_stopped = (cluster, name) in stopped
    labels = item["metadata"].get("labels") or {}
    conditions = item.get("status", {}).get("conditions") or []
    taints = {taint["key"] for taint in item.get("spec", {}).get("taints") or []}
    reason = (item["metadata"].get("annotations") or {}).get(UNVERIFIED, "")
    return NodeState(
        cluster=cluster,
        name=name,
        pool=labels.get("eks.amazonaws.com/nodegroup") or labels.get("cloud.google.com/gke-nodepool", "none"),
        instance_type=labels.get("node.kubernetes.io/instance-type", "unknown"),
        ready=not is_stopped and any(one["type"] == "Ready" and one["status"] == "True" for one in conditions),
        is_stopped=is_stopped,
        unverified=reason if UNVERIFIED in taints else None,
    )


def _pod(cluster: str, item: Mapping[str, Any]) -> PodState:
    metadata = item["metadata"]
    node = item.get("spec", {}).get("nodeName", "")
    return PodState(cluster, metadata["namespace"], metadata["name"], node, item.get("status", {}).get("phase", ""))
