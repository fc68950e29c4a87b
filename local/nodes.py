"""The nodes of a cluster, whatever carries them: process nodes and machines answer to the same verbs."""

from __future__ import annotations

from collections.abc import Iterable
from typing import TYPE_CHECKING, Protocol

from local.node_spec import NodeSpec

if TYPE_CHECKING:
    from local.control_plane import ControlPlane


class Carrier(Protocol):
    """What carries nodes: the modules `local.node_agent` and `local.machines`."""

    def start(self, plane: ControlPlane, spec: NodeSpec) -> object:
        """Ensure that the node runs as specified and is Ready."""
        ...

    def stop(self, plane: ControlPlane, name: str) -> None:
        """Drain the node and end it, with all that it has."""
        ...

    def running(self, plane: ControlPlane, name: str) -> bool:
        """Whether it runs: a dead one is drift."""
        ...

    def list_nodes(self, plane: ControlPlane, nodegroup: str | None = None) -> list[NodeSpec]:
        """The nodes that were started and not stopped, of one group or all."""
        ...

    def provide(self, plane: ControlPlane, images: Iterable[str]) -> None:
        """Let the workload's image be there under the names that pods ask for."""
        ...


def of(plane: ControlPlane) -> Carrier:
    """What carries the nodes of a cluster: machines have a network, processes have none."""
    if plane.network is not None:
        from local import machines

        return machines
    from local import node_agent

    return node_agent
