"""What the API servers of this machine say about nodes and pods."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from local import control_plane
from local.paths import DataRoot


@dataclass(frozen=True)
class NodeState:
    """One node of a cluster."""

    cluster: str
    name: str
    pool: str
    instance_type: str
    ready: bool

    def line(self) -> str:
        """As one line."""
        state = "Ready" if self.ready else "NotReady"
        return f"{self.name}  {state}  pool {self.pool}, {self.instance_type}"


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
    return tuple(
        _node(plane.name, item) for plane in _running(root) for item in _items(plane.api().get("/api/v1/nodes"))
    )


def pods(root: DataRoot) -> tuple[PodState, ...]:
    """The pods of every cluster that runs here."""
    return tuple(_pod(plane.name, item) for plane in _running(root) for item in _items(plane.api().get("/api/v1/pods")))


def _running(root: DataRoot) -> list[control_plane.ControlPlane]:
    return [plane for plane in control_plane.clusters(root) if plane.running()]


def _items(answer: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    return list(answer.get("items") or [])


def _node(cluster: str, item: Mapping[str, Any]) -> NodeState:
    labels = item["metadata"].get("labels") or {}
    conditions = item.get("status", {}).get("conditions") or []
    return NodeState(
        cluster=cluster,
        name=item["metadata"]["name"],
        pool=labels.get("eks.amazonaws.com/nodegroup", "none"),
        instance_type=labels.get("node.kubernetes.io/instance-type", "unknown"),
        ready=any(one.get("type") == "Ready" and one.get("status") == "True" for one in conditions),
    )


def _pod(cluster: str, item: Mapping[str, Any]) -> PodState:
    metadata = item["metadata"]
    node = item.get("spec", {}).get("nodeName", "")
    return PodState(cluster, metadata["namespace"], metadata["name"], node, item.get("status", {}).get("phase", ""))
