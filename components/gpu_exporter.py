"""NVIDIA's DCGM exporter on every node with its GPUs: what they themselves say of their health.

The Prometheus that asks it is the data centre's own, on a machine outside the cluster: a second one inside would go
down with what it watches. So it listens on the node's own address, where the security group lets that machine in.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from .accelerators import Vendor
from .karpenter_pools import pools_of
from .naming import component_type, digest
from .node_group import POOL_LABEL
from .releases import DCGM_EXPORTER
from .settings import KarpenterConfig, PoolConfig

DCGM_PORT = 9400
_NAME, _NAMESPACE = "dcgm-exporter", "kube-system"
_COUNTERS = "/etc/ai-datacenter/counters.csv"
_POD_RESOURCES = "/var/lib/kubelet/pod-resources"
# By DCGM's names (its field identifiers). No profiling counters: those need a capability, and keep a profiler out.
_FIELDS: tuple[tuple[str, str, str], ...] = (
    ("DCGM_FI_DEV_XID_ERRORS", "gauge", "Last XID error"),
    ("DCGM_FI_DEV_ECC_DBE_VOL_TOTAL", "counter", "Uncorrectable memory errors since the driver was loaded"),
    ("DCGM_FI_DEV_UNCORRECTABLE_REMAPPED_ROWS", "counter", "Rows of memory that were replaced"),
    ("DCGM_FI_DEV_ROW_REMAP_FAILURE", "gauge", "Whether there is no row left to replace one"),
    ("DCGM_FI_DEV_THERMAL_VIOLATION", "counter", "Time at a lower clock for heat"),
    ("DCGM_FI_DEV_POWER_VIOLATION", "counter", "Time at a lower clock for power"),
    ("DCGM_FI_DEV_PCIE_REPLAY_COUNTER", "counter", "PCIe retries"),
    ("DCGM_FI_DEV_NVLINK_RECOVERY_ERROR_COUNT_TOTAL", "counter", "NVLink recoveries"),
    ("DCGM_FI_DEV_GPU_TEMP", "gauge", "Temperature of the GPU in degrees Celsius"),
    ("DCGM_FI_DEV_MEMORY_TEMP", "gauge", "Temperature of its memory in degrees Celsius"),
    ("DCGM_FI_DEV_POWER_USAGE", "gauge", "Power in W"),
    ("DCGM_FI_DEV_SM_CLOCK", "gauge", "Clock in MHz"),
    ("DCGM_FI_DEV_GPU_UTIL", "gauge", "Time with a kernel running in percent"),
    ("DCGM_FI_DEV_FB_USED", "gauge", "Memory in use in MiB"),
    ("DCGM_FI_DEV_FB_FREE", "gauge", "Free memory in MiB"),
)


@dataclass(frozen=True, kw_only=True)
class GpuExporterArgs:
    """Arguments of :class:`GpuExporter`.

    Attributes:
        pools: the pools by name; it runs on those with GPUs.
        karpenter: those whose nodes Karpenter makes, likewise.
    """

    pools: dict[str, PoolConfig]
    karpenter: KarpenterConfig | None = None


class GpuExporter(pulumi.ComponentResource):
    """The exporter, what it counts, and its account, which may do nothing."""

    def __init__(self, name: str, args: GpuExporterArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(GpuExporter), name, None, opts)
        self._name = name
        self._child = pulumi.ResourceOptions(parent=self)
        self._create_account()
        self._create_counters()
        self._create_daemon_set([*gpu_pools(args.pools), *pools_of(args.karpenter, Vendor.NVIDIA)])
        self.register_outputs({})

    def _create_account(self) -> None:
        kubernetes.core.v1.ServiceAccount(
            f"{self._name}-account",
            metadata={"name": _NAME, "namespace": _NAMESPACE},
            automount_service_account_token=False,
            opts=self._child,
        )

    def _create_counters(self) -> None:
        kubernetes.core.v1.ConfigMap(
            f"{self._name}-counters",
            metadata={"name": _NAME, "namespace": _NAMESPACE},
            data={"counters.csv": counters()},
            opts=self._child,
        )

    def _create_daemon_set(self, pools: list[str]) -> None:
        labels = {"app.kubernetes.io/name": _NAME}
        # Other counters are other pods: the exporter reads its file once.
        annotations = {"ai-datacenter/counters": digest(counters())[:16]}
        metadata = {"labels": labels, "annotations": annotations}
        template: Any = {"metadata": metadata, "spec": _pod(pools)}
        kubernetes.apps.v1.DaemonSet(
            f"{self._name}-pods",
            metadata={"name": _NAME, "namespace": _NAMESPACE, "labels": labels},
            spec={
                "selector": {"match_labels": labels},
                "update_strategy": {"type": "RollingUpdate"},
                "template": template,
            },
            opts=self._child,
        )


def gpu_pools(pools: dict[str, PoolConfig]) -> dict[str, PoolConfig]:
    """The pools with NVIDIA's GPUs."""
    return {name: pool for name, pool in pools.items() if pool.instance.vendor is Vendor.NVIDIA}


def gpu_types(pools: dict[str, PoolConfig], karpenter: KarpenterConfig | None = None) -> tuple[str, ...]:
    """The instance types of those pools, and of Karpenter's."""
    found = {pool.instance_type for pool in gpu_pools(pools).values()}
    made = (karpenter.pools[name] for name in pools_of(karpenter, Vendor.NVIDIA)) if karpenter else ()
    return tuple(sorted(found | {row.name for pool in made for row in pool.types}))


def counters() -> str:
    """What is counted, as the exporter reads it: field, kind, and a text without commas."""
    return "".join(f"{name}, {kind}, {text}.\n" for name, kind, text in _FIELDS)


def _pod(pools: list[str]) -> dict[str, Any]:
    """As root, for the kubelet tells only root which pod has which GPU; without a capability, on the node's address."""
    in_pools = {"key": POOL_LABEL, "operator": "In", "values": pools}
    terms = {"node_selector_terms": [{"match_expressions": [in_pools]}]}
    node_name = {"name": "NODE_NAME", "value_from": {"field_ref": {"field_path": "spec.nodeName"}}}
    settings = {
        "DCGM_EXPORTER_LISTEN": f":{DCGM_PORT}",
        "DCGM_EXPORTER_KUBERNETES": "true",
        "DCGM_EXPORTER_COLLECTORS": _COUNTERS,
    }
    container = {
        "name": _NAME,
        "image": DCGM_EXPORTER,
        "env": [node_name, *({"name": key, "value": value} for key, value in settings.items())],
        "ports": [{"name": "metrics", "container_port": DCGM_PORT, "host_port": DCGM_PORT}],
        "security_context": {
            "run_as_user": 0,
            "allow_privilege_escalation": False,
            "capabilities": {"drop": ["ALL"]},
        },
        "readiness_probe": {"http_get": {"path": "/health", "port": DCGM_PORT}, "initial_delay_seconds": 30},
        "resources": {"requests": {"cpu": "100m", "memory": "256Mi"}, "limits": {"memory": "1Gi"}},
        "volume_mounts": [
            {"name": "pod-resources", "mount_path": _POD_RESOURCES, "read_only": True},
            {"name": "counters", "mount_path": _COUNTERS.rpartition("/")[0], "read_only": True},
        ],
    }
    return {
        "host_network": True,
        "service_account_name": _NAME,
        "automount_service_account_token": False,
        "priority_class_name": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
        "affinity": {"node_affinity": {"required_during_scheduling_ignored_during_execution": terms}},
        "containers": [container],
        "volumes": [
            {"name": "pod-resources", "host_path": {"path": _POD_RESOURCES}},
            {"name": "counters", "config_map": {"name": _NAME}},
        ],
    }
