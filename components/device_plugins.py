"""The DaemonSets that make chips and fabric adapters countable: one for each resource that some pool has.

Never two for one resource on a node: they break each other.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import pulumi
import pulumi_kubernetes as kubernetes

from .accelerators import Vendor
from .karpenter_pools import pools_of
from .naming import component_type
from .node_group import POOL_LABEL
from .releases import EFA_DEVICE_PLUGIN, NEURON_DEVICE_PLUGIN, NVIDIA_DEVICE_PLUGIN
from .settings import KarpenterConfig, PoolConfig

_NAMESPACE = "kube-system"
_PLUGIN_FOLDER = "/var/lib/kubelet/device-plugins"


@dataclass(frozen=True, kw_only=True)
class DevicePluginsArgs:
    """Arguments of :class:`DevicePlugins`.

    Attributes:
        pools: the pools by name.
        karpenter: those whose nodes Karpenter makes, where there are any; without EFA.
    """

    pools: dict[str, PoolConfig]
    karpenter: KarpenterConfig | None = None


@dataclass(frozen=True, kw_only=True)
class _Plugin:
    """``own_folders``: of the host, made where they are missing; ``host_folders`` must be there."""

    name: str
    image: str
    pools: list[str]
    privileged: bool = False
    env: dict[str, str] = field(default_factory=dict[str, str])
    host_folders: tuple[str, ...] = (_PLUGIN_FOLDER,)
    own_folders: tuple[str, ...] = ()
    host_network: bool = False
    reads_cluster: bool = False


class DevicePlugins(pulumi.ComponentResource):
    """The device plugins of a cluster; none where no pool has devices.

    Attributes:
        plugin_names: the plugins that are made.
    """

    plugin_names: list[str]

    def __init__(self, name: str, args: DevicePluginsArgs, opts: pulumi.ResourceOptions | None = None) -> None:
        super().__init__(component_type(DevicePlugins), name, None, opts)
        self._name = name
        self._child = pulumi.ResourceOptions(parent=self)
        plugins = needed(args.pools, args.karpenter)
        for plugin in plugins:
            if plugin.reads_cluster:
                self._create_access(plugin)
            self._create_daemon_set(plugin)
        self.plugin_names = [plugin.name for plugin in plugins]
        self.register_outputs({"plugin_names": self.plugin_names})

    def _create_access(self, plugin: _Plugin) -> None:
        """Neuron's plugin reads its node and annotates pods with the cores they were given."""
        metadata: kubernetes.meta.v1.ObjectMetaArgsDict = {"name": plugin.name, "namespace": _NAMESPACE}
        kubernetes.core.v1.ServiceAccount(f"{self._name}-{plugin.name}-account", metadata=metadata, opts=self._child)
        kubernetes.rbac.v1.ClusterRole(
            f"{self._name}-{plugin.name}-role",
            metadata={"name": plugin.name},
            rules=[
                {"api_groups": [""], "resources": ["nodes"], "verbs": ["get", "list", "watch"]},
                {"api_groups": [""], "resources": ["nodes/status"], "verbs": ["patch", "update"]},
                {"api_groups": [""], "resources": ["pods"], "verbs": ["get", "list", "watch", "patch", "update"]},
                {"api_groups": [""], "resources": ["events"], "verbs": ["create", "patch"]},
            ],
            opts=self._child,
        )
        kubernetes.rbac.v1.ClusterRoleBinding(
            f"{self._name}-{plugin.name}-binding",
            metadata={"name": plugin.name},
            role_ref={"api_group": "rbac.authorization.k8s.io", "kind": "ClusterRole", "name": plugin.name},
            subjects=[{"kind": "ServiceAccount", "name": plugin.name, "namespace": _NAMESPACE}],
            opts=self._child,
        )

    def _create_daemon_set(self, plugin: _Plugin) -> None:
        labels = {"app.kubernetes.io/name": plugin.name}
        kubernetes.apps.v1.DaemonSet(
            f"{self._name}-{plugin.name}",
            metadata={"name": plugin.name, "namespace": _NAMESPACE, "labels": labels},
            spec={
                "selector": {"match_labels": labels},
                "update_strategy": {"type": "RollingUpdate"},
                "template": {"metadata": {"labels": labels}, "spec": _pod(plugin)},
            },
            opts=self._child,
        )


def needed(pools: dict[str, PoolConfig], karpenter: KarpenterConfig | None = None) -> list[_Plugin]:
    """The plugins that the pools' instance types need."""

    def with_vendor(vendor: Vendor) -> list[str]:
        found = [name for name, pool in pools.items() if pool.instance.vendor is vendor]
        return [*found, *pools_of(karpenter, vendor)]

    plugins = (
        _Plugin(
            name="nvidia-device-plugin",
            image=NVIDIA_DEVICE_PLUGIN,
            pools=with_vendor(Vendor.NVIDIA),
            privileged=True,
            # Without it a node with a broken driver looks as if it had no chips and no fault.
            env={"FAIL_ON_INIT_ERROR": "true"},
        ),
        _Plugin(
            name="neuron-device-plugin",
            image=NEURON_DEVICE_PLUGIN,
            pools=with_vendor(Vendor.NEURON),
            host_folders=(_PLUGIN_FOLDER, "/run"),
            reads_cluster=True,
        ),
        _Plugin(
            name="efa-device-plugin",
            image=EFA_DEVICE_PLUGIN,
            pools=[name for name, pool in pools.items() if pool.adapters],
            host_folders=(_PLUGIN_FOLDER, "/dev/infiniband"),
            # Neuron's tools tell which adapter is near which chip; on machines with GPUs there are none.
            own_folders=("/opt/aws/neuron",),
            # It looks at the machine's interfaces (eks-charts, aws-efa-k8s-device-plugin).
            host_network=True,
        ),
    )
    return [plugin for plugin in plugins if plugin.pools]


def _pod(plugin: _Plugin) -> Any:
    volumes = [(f"host-{index}", folder, "") for index, folder in enumerate(plugin.host_folders)]
    volumes += [(f"own-{index}", folder, "DirectoryOrCreate") for index, folder in enumerate(plugin.own_folders)]
    node_name = {"name": "NODE_NAME", "value_from": {"field_ref": {"field_path": "spec.nodeName"}}}
    security = {"privileged": True} if plugin.privileged else {"allow_privilege_escalation": False}
    in_pools = {"key": POOL_LABEL, "operator": "In", "values": plugin.pools}
    pod: dict[str, Any] = {
        "priority_class_name": "system-node-critical",
        "tolerations": [{"operator": "Exists"}],
        "affinity": {
            "node_affinity": {
                "required_during_scheduling_ignored_during_execution": {
                    "node_selector_terms": [{"match_expressions": [in_pools]}]
                }
            }
        },
        "containers": [
            {
                "name": plugin.name,
                "image": plugin.image,
                "env": [node_name, *({"name": key, "value": value} for key, value in plugin.env.items())],
                "security_context": security,
                "resources": {"requests": {"cpu": "10m", "memory": "50Mi"}},
                "volume_mounts": [{"name": name, "mount_path": folder} for name, folder, _ in volumes],
            }
        ],
        "volumes": [
            {"name": name, "host_path": {"path": folder, **({"type": kind} if kind else {})}}
            for name, folder, kind in volumes
        ],
    }
    if plugin.host_network:
        pod["host_network"] = True
    return {**pod, "service_account_name": plugin.name} if plugin.reads_cluster else pod
