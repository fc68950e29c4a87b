"""Nodes that are checked before they take work, whoever makes them: what their checks need to know of them.

Equal nodes have one DaemonSet. A node group's pool is one such kind; a pool of Karpenter's is one for each type.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

from .accelerators import CATALOGUE, InstanceType
from .karpenter_pools import TYPE_LABEL
from .karpenter_pools import taints as karpenter_taints
from .node_group import taints
from .settings import KarpenterConfig, PoolConfig, Taint


@dataclass(frozen=True, kw_only=True)
class CheckedNodes:
    """Equal nodes of a pool that are checked.

    Attributes:
        pool: the pool's name, which its nodes' label ``ai-datacenter/pool`` bears.
        machine_type: a type of the catalogue.
        row: what the checks are told of the machine, as plain JSON values.
        taints: what the nodes have beside that of their check.
        labels: which of the pool's nodes they are; none: all.
        reserved: whether the check reserves half of the machine. Karpenter counts what its pod asks for as taken, and
            would start more nodes for the pods that wait.
    """

    pool: str
    machine_type: str
    row: dict[str, Any]
    taints: tuple[Taint, ...]
    labels: dict[str, str] = field(default_factory=dict[str, str])
    reserved: bool = True

    @property
    def machine(self) -> InstanceType:
        """The catalogue's row."""
        return CATALOGUE[self.machine_type]


def of_node_groups(pools: dict[str, PoolConfig]) -> dict[str, CheckedNodes]:
    """Those of the section ``pools`` that say ``verified``."""
    return {
        name: CheckedNodes(
            pool=name, machine_type=pool.instance_type, row=pool.instance.row(), taints=tuple(taints(pool))
        )
        for name, pool in pools.items()
        if pool.verified
    }


def of_karpenter(config: KarpenterConfig | None) -> dict[str, CheckedNodes]:
    """Those of the section ``karpenter``, as soon as its pools are declared. No other pool's name has a dot."""
    if config is None or not config.installed:
        return {}
    return {
        f"{name}.{machine.name}": CheckedNodes(
            pool=name, machine_type=machine.name, row=machine.row(), taints=tuple(karpenter_taints(pool)),
            labels={TYPE_LABEL: machine.name}, reserved=False,
        )
        for name, pool in config.pools.items()
        if pool.verified
        for machine in pool.types
    }  # fmt: skip
