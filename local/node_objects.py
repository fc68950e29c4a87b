"""A node as the API server has it: whether it is ready, emptying it, and forgetting it."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

from local.kube_api import ApiError, KubeApi, Unreachable
from local.node_spec import POOL_LABELS, NodeSpec

if TYPE_CHECKING:
    from local.control_plane import ControlPlane

_NOBODY_TO_TELL = (ApiError, Unreachable, OSError)  # the control plane is down or gone


def is_ready(plane: ControlPlane, name: str) -> bool:
    """Whether the node is Ready and no longer tainted for not being so."""
    try:
        node = plane.api().find(f"/api/v1/nodes/{name}") or {}
    except (ApiError, Unreachable):
        return False
    conditions = {each["type"]: each["status"] for each in node.get("status", {}).get("conditions", [])}
    taints = {taint["key"] for taint in node.get("spec", {}).get("taints", [])}
    return conditions.get("Ready") == "True" and "node.kubernetes.io/not-ready" not in taints


def is_known(plane: ControlPlane, name: str) -> bool:
    """Whether the API server has the node; True where it cannot be asked."""
    try:
        return plane.api().find(f"/api/v1/nodes/{name}") is not None
    except _NOBODY_TO_TELL:
        return True


def label_patch(node: Mapping[str, Any], spec: NodeSpec, before: NodeSpec | None = None) -> dict[str, Any]:
    """The merge patch of a Node's metadata that gives it the labels of its group; empty where it has them.

    Labels that the group had (the Node's annotation and ``before`` say so) and has no more are taken off; those that
    somebody else has put on the Node stay.
    """
    metadata, wanted = node.get("metadata", {}), spec.all_labels()
    labels, annotations = metadata.get("labels") or {}, metadata.get("annotations") or {}
    had = {*annotations.get(POOL_LABELS, "").split(","), *(before.labels if before else ())}
    changed: dict[str, str | None] = {name: value for name, value in wanted.items() if labels.get(name) != value}
    changed |= {name: None for name in had if name in labels and name not in wanted}
    recorded = {name: value for name, value in spec.annotations().items() if annotations.get(name) != value}
    return {key: value for key, value in (("labels", changed), ("annotations", recorded)) if value}


def drain(plane: ControlPlane, name: str, grace_s: float) -> None:
    """Cordon a node and end its pods within ``grace_s``; nothing where there is no control plane any more."""
    with contextlib.suppress(*_NOBODY_TO_TELL):
        api = plane.api()
        api.patch(f"/api/v1/nodes/{name}", {"spec": {"unschedulable": True}})
        for path in _pods(api, name):
            api.delete(path, grace_s=int(grace_s))
        deadline = time.monotonic() + grace_s
        while grace_s and _pods(api, name) and time.monotonic() < deadline:
            time.sleep(0.1)


def forget(plane: ControlPlane, name: str) -> None:
    """Delete the Node, its lease and what is left of its pods."""
    with contextlib.suppress(*_NOBODY_TO_TELL):
        api = plane.api()
        api.delete(f"/api/v1/nodes/{name}")
        for path in _pods(api, name):
            api.delete(path, grace_s=0)
        api.delete(f"/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/{name}")


def _pods(api: KubeApi, name: str) -> list[str]:
    items = api.get("/api/v1/pods", fieldSelector=f"spec.nodeName={name}")["items"]
    return [f"/api/v1/namespaces/{pod['metadata']['namespace']}/pods/{pod['metadata']['name']}" for pod in items]
