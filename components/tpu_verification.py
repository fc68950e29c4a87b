"""TPU slices that are checked before they take work: those of one machine, which its pod has all to itself."""

from __future__ import annotations

from .settings import Taint, TpuPoolConfig
from .tpu_pool import ACCELERATOR_LABEL, TOPOLOGY_LABEL
from .verified_nodes import CheckedNodes


def of_tpu_pools(pools: dict[str, TpuPoolConfig]) -> dict[str, CheckedNodes]:
    """Those that say ``verified``; GKE wants pods with TPUs to name the chips and their topology."""
    return {
        name: CheckedNodes(
            pool=name,
            machine_type=pool.machine_type,
            row=pool.machine.row(),
            taints=(Taint(key=str(pool.machine.device_resource)),),
            labels={ACCELERATOR_LABEL: str(pool.machine.gke_accelerator), TOPOLOGY_LABEL: pool.topology},
        )
        for name, pool in pools.items()
        if pool.verified
    }
