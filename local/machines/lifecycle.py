"""Starting, stopping and listing machines: what a node group's provider calls, as with process nodes."""

from __future__ import annotations

import contextlib
import shutil
import socket
from collections.abc import Callable
from dataclasses import asdict, replace
from pathlib import Path
from typing import TYPE_CHECKING

from local import networks
from local.kube_api import MERGE_PATCH, ApiError, Unreachable
from local.machines import container, joining, places, stock, user_data
from local.machines.keys import ensure_key
from local.node_objects import drain, forget, is_known, is_ready, label_patch
from local.node_spec import NodeSpec
from local.paths import DataRoot, LocalCloudError
from local.podman import PodmanError
from local.processes import lock, wait_until

if TYPE_CHECKING:
    from local.control_plane import ControlPlane

READY_TIMEOUT_S = 120.0
"""Seconds from start to Ready. Seen: 10 s alone, 15 s for two at once on two cores."""
_DNS_PORT, _DNS_TIMEOUT_S = 53, 1.0
SSH_KEY = "ssh_ed25519_key"
"""In the cluster's folder: the key that enters its machines as root."""


def start(plane: ControlPlane, spec: NodeSpec, wait_s: float = READY_TIMEOUT_S) -> None:
    """Ensure that a machine runs with that specification and its node is Ready.

    Labels, taints and tags change in place. A machine that has stopped, or is of another type or zone, is replaced by
    a new one with the same name and address, as a node group replaces an instance. So is one that ran before and whose
    node has no way to join any more, or is not Ready in time: once.

    Raises:
        LocalCloudError: the machine cannot be started, or its node is not Ready in time.
    """
    folder = plane.nodes_folder / spec.name
    with lock(plane.nodes_folder / f".{spec.name}.lock"):
        before = NodeSpec.find(folder)
        kept = before is not None and _is_same_machine(before, spec) and _can_join(plane, spec.name)
        if not kept:
            _replace(plane, spec, folder)
        elif before != spec:
            spec.write(folder)
    if not wait_s:
        return
    failure = _await_ready(plane, spec.name, wait_s)
    if failure and kept:
        with lock(plane.nodes_folder / f".{spec.name}.lock"):
            if _await_ready(plane, spec.name, 0.0):  # no other run has replaced it meanwhile
                _replace(plane, spec, folder)
        failure = _await_ready(plane, spec.name, wait_s)
    if failure:
        raise _not_ready(plane, spec.name, failure)
    _label(plane, spec, before)
    joining.forget_token(plane.api(), spec.name)


def stop(plane: ControlPlane, name: str, grace_s: float = 10.0) -> None:
    """Drain and remove a machine: cordon, delete its pods, remove the container and its files, delete the Node.

    It works without a control plane too: then only the container and files go.
    """
    folder = plane.nodes_folder / name
    with lock(plane.nodes_folder / f".{name}.lock"):
        drain(plane, name, grace_s if running(plane, name) else 0.0)
        container.remove(container.name_of(plane, name))
        forget(plane, name)
        shutil.rmtree(folder, ignore_errors=True)
        (plane.nodes_folder / f".{name}.lock").unlink(missing_ok=True)


def running(plane: ControlPlane, name: str) -> bool:
    """Whether the machine runs, its node is known and its pods find names: one that is dead or was deleted is drift."""
    return container.is_running(container.name_of(plane, name)) and is_known(plane, name) and _finds_names(plane, name)


def list_nodes(plane: ControlPlane, nodegroup: str | None = None) -> list[NodeSpec]:
    """The nodes that have a folder, of one group or all, running or not."""
    return NodeSpec.of_folders(plane.nodes_folder, nodegroup)


def _is_same_machine(before: NodeSpec, spec: NodeSpec) -> bool:
    return replace(before, labels=spec.labels, taints=spec.taints, tags=spec.tags) == spec


def _can_join(plane: ControlPlane, name: str) -> bool:
    """Whether the machine runs, and its node is there or may still come: it has not lost its token."""
    if not container.is_running(container.name_of(plane, name)):
        return False
    with contextlib.suppress(ApiError, Unreachable):
        return is_known(plane, name) or joining.has_token(plane.api(), name)
    return True


def _await_ready(plane: ControlPlane, name: str, wait_s: float) -> str:
    """What is wrong with the node after ``wait_s``; empty as soon as it is Ready."""
    machine = container.name_of(plane, name)

    def is_up() -> bool:
        return is_ready(plane, name) and _finds_names(plane, name)

    in_time = wait_until(lambda: is_up() or not container.is_running(machine), wait_s, 0.25)
    if not container.is_running(machine):
        return "stopped while it started"
    return "" if in_time else f"is not Ready after {wait_s:.0f} s"


def _finds_names(plane: ControlPlane, name: str) -> bool:
    """Whether the machine's CoreDNS listens, without which its pods find no other; the kubelet says nothing of that."""
    address = places.of(plane, name)
    if address is None:
        return True
    try:
        socket.create_connection((address, _DNS_PORT), _DNS_TIMEOUT_S).close()
    except OSError:
        return False
    return True


def _replace(plane: ControlPlane, spec: NodeSpec, folder: Path) -> None:
    try:
        _boot(plane, spec, folder)
    except (ApiError, Unreachable) as error:
        name = container.name_of(plane, spec.name)
        raise LocalCloudError(f"The machine {name} cannot be told how to join: {error}") from None


def _boot(plane: ControlPlane, spec: NodeSpec, folder: Path) -> None:
    container.await_others(container.name_of(plane, spec.name))
    container.remove(container.name_of(plane, spec.name))
    forget(plane, spec.name)
    spec.write(folder)  # from here on the machine is found and removed, whatever happens
    image = container.ensure_image()
    joining.admit(plane)
    for empty in (folder / "kubelet", folder / "containerd"):
        shutil.rmtree(empty, ignore_errors=True)
    (folder / "kubelet").mkdir()
    stock.fill(folder / "containerd")

    def prepare(address: str) -> list[str]:
        token = joining.new_token(plane, spec.name)
        user_data.write(plane, spec, address, token, folder / "user-data", ensure_key(plane.folder / SSH_KEY))
        stock.write_names(plane, spec.name)
        return container.command(plane, root_of(plane), spec.name, address, image)

    boot(plane, spec.name, prepare)


def boot(plane: ControlPlane, name: str, prepare: Callable[[str], list[str]]) -> None:
    """Start a machine at an address that podman lets it have.

    Args:
        prepare: makes ready what it needs at that address, and gives podman's arguments.
    """
    while True:
        address = places.ensure(plane, name)
        try:
            container.podman(*prepare(address))
            break
        except PodmanError as error:
            if "already allocated" not in str(error):
                raise
            container.remove(container.name_of(plane, name))  # podman has made it, and its name would be taken
            places.give_up(plane, name, address)
    networks.settle(plane.folder)


def _label(plane: ControlPlane, spec: NodeSpec, before: NodeSpec | None) -> None:
    """Give the Node the labels and taints that its kubelet may not set, or that changed; take off those dropped."""
    path = f"/api/v1/nodes/{spec.name}"
    try:
        node = plane.api().find(path) or {}
        taints = node.get("spec", {}).get("taints") or []
        patch: dict[str, object] = {}
        if metadata := label_patch(node, spec, before):
            patch["metadata"] = metadata
        # Those of the registration stay until somebody takes them off, and do not come back.
        of_kubelet = {taint.key for taint in spec.first_taints} - {taint.key for taint in spec.taints}
        kept = [t for t in taints if t["key"].startswith("node.kubernetes.io/") or t["key"] in of_kubelet]
        declared = [{k: v for k, v in asdict(taint).items() if v} for taint in spec.taints]
        if sorted(map(str, [t for t in taints if t not in kept])) != sorted(map(str, declared)):
            patch["spec"] = {"taints": kept + declared}
        if patch:
            plane.api().patch(path, patch, MERGE_PATCH)
    except (ApiError, Unreachable) as error:
        raise LocalCloudError(f"The labels and taints of the node {spec.name} cannot be set: {error}") from None


def _not_ready(plane: ControlPlane, name: str, what: str) -> LocalCloudError:
    machine = container.name_of(plane, name)
    return LocalCloudError(
        f"The machine {machine} of the node {name} {what}. The end of its kubelet's journal:\n"
        f"{container.last_words(machine)}\nIt must reach {plane.endpoint}: a firewall of this host may be in the way. "
        f"Look around in it with `podman exec -it {machine} bash`, or run again."
    )


def root_of(plane: ControlPlane) -> DataRoot:
    """The data root that the cluster is of."""
    return DataRoot(plane.folder.parent.parent)
