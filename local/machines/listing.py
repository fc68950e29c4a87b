"""The machines of a data root: what configures them, and what shows them, asks here."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from local import control_plane
from local.machines import container, places
from local.machines.instances import list_instances
from local.machines.lifecycle import SSH_KEY, list_nodes
from local.paths import DataRoot

if TYPE_CHECKING:
    from local.control_plane import ControlPlane


@dataclass(frozen=True)
class Machine:
    """One machine of a cluster, or one that stands beside it in its network.

    Attributes:
        name: the node's, or the instance's.
        nodegroup: empty where it is no node.
        address: IPv4, the same for as long as the node is declared.
        tags: the instance's; those of nodes come from the launch template, with ``eks:cluster-name`` and
            ``eks:nodegroup-name``.
        ssh_key: the private key that enters it as root.
        host_key: the public key by which it is known, as one line.
        running: whether it runs now.
    """

    name: str
    cluster: str
    region: str
    nodegroup: str
    address: str
    tags: Mapping[str, str]
    ssh_key: Path
    host_key: str
    running: bool


def list_machines(root: DataRoot) -> list[Machine]:
    """All machines of all clusters, running or not; none where nodes are processes."""
    planes = [plane for plane in control_plane.clusters(root) if plane.network is not None]
    if not planes:
        return []
    up = container.running_names(root)
    nodes = [_machine(plane, one.name, one.nodegroup, one.tags, up) for plane in planes for one in list_nodes(plane)]
    others = [_machine(plane, one.name, "", one.tags, up) for plane in planes for one in list_instances(plane)]
    return [machine for machine in (*nodes, *others) if machine.address]


def _machine(plane: ControlPlane, name: str, nodegroup: str, tags: Mapping[str, str], up: set[str]) -> Machine:
    return Machine(
        name=name, cluster=plane.name, region=plane.region, nodegroup=nodegroup,
        address=places.of(plane, name) or "", tags=tags, ssh_key=plane.folder / SSH_KEY,
        host_key=host_key(plane.nodes_folder / name), running=container.name_of(plane, name) in up,
    )  # fmt: skip


def host_key(folder: Path) -> str:
    """The public half of the host key in a node's folder; empty before there is one."""
    try:
        return (folder / "user-data" / "ssh_host_ed25519_key.pub").read_text().strip()
    except OSError:
        return ""
